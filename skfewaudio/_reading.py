"""How estimators read recordings: sample rate, channel and truncated files, wherever in a pipeline."""

from typing import Any, TypeVar

Estimator = TypeVar("Estimator")
ESTIMATOR_RATES = ("sample_rate", "hop_length", "n_fft")


def set_reading(
    estimator: Estimator,
    *,
    sample_rate: int | str | None = None,
    channel: str | int | None = None,
    allow_truncated: bool | None = None,
) -> Estimator:
    """Set how an estimator reads recordings; None leaves a parameter as it is.

    Parameters
    ----------
    estimator : estimator
        A transformer of recordings, or a pipeline or meta-estimator with one. It is changed in place.
    sample_rate : int, "auto" or None, default=None
        Sample rate in Hz. Frames keep their duration.
    channel : str, int or None, default=None
        As in :func:`~skfewaudio.audio.load_audio`.
    allow_truncated : bool or None, default=None
        As in :func:`~skfewaudio.audio.load_audio`.

    Returns
    -------
    estimator
        The estimator itself.

    Raises
    ------
    ValueError
        If no part of the estimator has the parameter.
    """
    given = {"channel": channel, "allow_truncated": allow_truncated}
    set_everywhere(estimator, {name: value for name, value in given.items() if value is not None})
    if sample_rate is not None:
        readers = _find_readers(estimator)
        if not readers:
            raise ValueError("the sample rate is fixed")
        for reader in readers:
            _set_rate(reader, sample_rate)
    return estimator


def get_reading(estimator: Any) -> dict[str, Any]:
    """Return the channel of an estimator, and whether it uses truncated files, as keyword arguments."""
    found = {"channel": "mean", "allow_truncated": False}
    for key, value in reversed(estimator.get_params().items()):
        name = last_part(key)
        if name in found:
            found[name] = value
    return found


def set_everywhere(estimator: Any, values: dict[str, Any]) -> None:
    """Set parameters wherever in an estimator they exist; raise ValueError if one does not exist."""
    params = estimator.get_params()
    for name, value in values.items():
        keys = [key for key in params if last_part(key) == name]
        if not keys:
            raise ValueError(f"there is no parameter {name}")
        estimator.set_params(**dict.fromkeys(keys, value))


def last_part(key: str) -> str:
    """Return the name of a nested parameter: ``channel`` of ``logmel__channel``."""
    return key.rpartition("__")[2]


def _find_readers(estimator: Any) -> list[Any]:
    """Return the parts of an estimator that have a sample rate and frames."""
    parts = [estimator, *estimator.get_params().values()]
    found = {id(part): part for part in parts if all(hasattr(part, name) for name in ESTIMATOR_RATES)}
    return [part for part in found.values() if "sample_rate" in part.get_params(deep=False)]


def _set_rate(reader: Any, sample_rate: int | str) -> None:
    """Set the sample rate of a transformer, and scale its frames."""
    old = reader.sample_rate
    if hasattr(reader, "at_rate") and old in (44100, "auto"):
        scaled = type(reader).at_rate(sample_rate, n_fft=reader.n_fft, hop_length=reader.hop_length)
        reader.set_params(**{name: getattr(scaled, name) for name in ESTIMATOR_RATES})
        return
    if not isinstance(sample_rate, int):
        raise ValueError(f"{type(reader).__name__} cannot choose the sample rate; expected a number in Hz")
    hop_length = max(1, round(reader.hop_length * sample_rate / old))
    n_samples = max(1, round(reader.n_fft * sample_rate / old))
    reader.set_params(sample_rate=sample_rate, hop_length=hop_length, n_fft=2 ** (n_samples - 1).bit_length())
