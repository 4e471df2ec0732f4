"""The errors and warnings of skfewaudio."""


class SkfewaudioError(Exception):
    """Base class of every error that skfewaudio defines."""


class AudioLoadError(SkfewaudioError, OSError):
    """A sound file is missing, is not audio, or holds no usable samples.

    Parameters
    ----------
    path : str
        The file.
    reason : str
        What is wrong with it, as a clause: ``"is empty (0 bytes)"``.

    Examples
    --------
    >>> from skfewaudio.exceptions import AudioLoadError
    >>> str(AudioLoadError("bark.wav", "is empty (0 bytes)"))
    'bark.wav: is empty (0 bytes)'
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class DatasetNotFoundError(SkfewaudioError, FileNotFoundError):
    """A data set, or part of it, is not where it was looked for."""


class WeightsNotFoundError(SkfewaudioError, FileNotFoundError):
    """The weights of a pre-trained network are not where they were looked for."""


class PluginError(SkfewaudioError, ValueError):
    """A plugin cannot be loaded, or no plugin has the name asked for."""


class AudioLoadWarning(UserWarning):
    """Some sound files could not be read; silence stands in for them."""


class LeakageWarning(UserWarning):
    """An evaluation may put clips of one recording on both sides of a split."""


class PluginWarning(UserWarning):
    """A plugin was passed over: it is broken, or its name is taken."""
