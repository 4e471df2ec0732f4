"""Errors and warnings of skfewaudio."""


class SkfewaudioError(Exception):
    """Base class of every error that skfewaudio defines."""


class AudioLoadError(SkfewaudioError, OSError):
    """Raised when a sound file is missing, is not audio, or contains no usable samples.

    Parameters
    ----------
    path : str
        Path of the file.
    reason : str
        Description of the problem, as a clause such as ``"is empty (0 bytes)"``.

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
    """Raised when a dataset, or a part of it, is not found."""


class WeightsNotFoundError(SkfewaudioError, FileNotFoundError):
    """Raised when the weights of a pre-trained network are not found or cannot be read."""


class WorkerDiedError(SkfewaudioError, RuntimeError):
    """Raised when a worker process of a benchmark has died; finished results are kept."""


class PluginError(SkfewaudioError, ValueError):
    """Raised when a plugin cannot be loaded, or no plugin has the requested name."""


class ModelSaveError(SkfewaudioError, ValueError):
    """Raised when a model, or one of its parameters, has a type that cannot be saved in a model file."""


class ModelFileError(SkfewaudioError, ValueError):
    """Raised when a file is damaged or is not a model file.

    Parameters
    ----------
    path : str
        Path of the file.
    reason : str
        Description of the problem and its remedy, as a clause.

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
    """Raised when a model file contains types that are not known to be safe to load.

    Parameters
    ----------
    path : str
        Path of the file.
    names : list of str
        Full names of the types.
    """

    def __init__(self, path: str, names: list[str]) -> None:
        super().__init__(
            path,
            f"holds types that are not known to be safe to load: {', '.join(names)}. If you would run code "
            f"of the file's author, allow them with trusted={names}",
        )
        self.names = names

    def __reduce__(self) -> tuple[type, tuple[str, list[str]]]:
        return type(self), (self.path, self.names)


class AudioLoadWarning(UserWarning):
    """Issued when sound files cannot be read and are replaced by silence."""


class FeatureCacheWarning(UserWarning):
    """Issued when the feature cache is damaged or cannot be written; features are computed instead."""


class InputWarning(UserWarning):
    """Issued when the input of an estimator is valid but probably a mistake."""


class LeakageWarning(UserWarning):
    """Issued when an evaluation may put clips of one recording on both sides of a split."""


class LicenceWarning(UserWarning):
    """Issued when weights are loaded whose licence forbids commercial use."""


class ModelFileWarning(UserWarning):
    """Issued when a loaded model may behave differently because of other versions or another device."""


class PluginWarning(UserWarning):
    """Issued when a plugin is ignored or replaced because it is broken or its name is taken."""
