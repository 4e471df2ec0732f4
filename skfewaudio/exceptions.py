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


class WorkerDiedError(SkfewaudioError, RuntimeError):
    """A process that computes part of a benchmark is gone; what it had finished is kept."""


class PluginError(SkfewaudioError, ValueError):
    """A plugin cannot be loaded, or no plugin has the name asked for."""


class ModelSaveError(SkfewaudioError, ValueError):
    """A model cannot be written to a file: it, or one of its parameters, is of no kind that a file holds."""


class ModelFileError(SkfewaudioError, ValueError):
    """A file holds no model that can be loaded: it is damaged, or something else.

    Parameters
    ----------
    path : str
        The file.
    reason : str
        What is wrong with it, and what to do, as a clause.

    Examples
    --------
    >>> from skfewaudio.exceptions import ModelFileError
    >>> str(ModelFileError("bark.model", "is empty (0 bytes)"))
    'bark.model: is empty (0 bytes)'
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class UntrustedTypeError(ModelFileError):
    """A file of a model names types that are not known to be safe to load.

    Parameters
    ----------
    path : str
        The file.
    names : list of str
        The types, by their full names.
    """

    def __init__(self, path: str, names: list[str]) -> None:
        super().__init__(
            path,
            f"holds what is not known to be safe to load: {', '.join(names)}. Where the file comes from "
            f"someone you trust as much as their code, allow it with trusted={names}",
        )
        self.names = names

    def __reduce__(self) -> tuple[type, tuple[str, list[str]]]:
        return type(self), (self.path, self.names)


class AudioLoadWarning(UserWarning):
    """Some sound files could not be read; silence stands in for them."""


class FeatureCacheWarning(UserWarning):
    """The cache of features is damaged or cannot be written; features are computed instead."""


class LeakageWarning(UserWarning):
    """An evaluation may put clips of one recording on both sides of a split."""


class ModelFileWarning(UserWarning):
    """A loaded model may act otherwise than the saved one: other versions, or another device."""


class PluginWarning(UserWarning):
    """A plugin was passed over: it is broken, or its name is taken."""
