"""Spectrograms of clips together with embeddings of their waveforms."""

import os
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin, _fit_context, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import _BaseComposition

from skfewaudio._documentation import DocumentedMixin
from skfewaudio._embedded_clips import EmbeddedClip, join_embedded
from skfewaudio.audio.containers import needs_reading
from skfewaudio.audio.waveforms import check_waveforms

from ._cache.cached_features import CachedFeatures


class SpectrogramWithEmbeddings(DocumentedMixin, TransformerMixin, _BaseComposition):
    """Transformer that computes the spectrogram of each clip, and embeddings of its waveform.

    The result is for :class:`~skfewaudio.classifiers.BlockClassifier`: its transformers receive the
    spectrograms, and ``"passthrough"`` in their place is the embedding with the name of the block.
    :class:`~skfewaudio.classifiers.AugmentedClassifier` changes the spectrograms of copies, and keeps the
    embeddings of their clips.

    Parameters
    ----------
    spectrogram : transformer
        Transformer of waveforms to spectrograms, such as :class:`LogMel`.
    embeddings : list of (str, transformer)
        Names and transformers of waveforms to vectors, such as :class:`PretrainedEmbed`. They must be
        stateless. If the clips are arrays, they are resampled for the embeddings.

    Attributes
    ----------
    sample_rate_ : int or None
        The sample rate that a spectrogram with ``sample_rate="auto"`` chose in `fit`, in Hz.
    checksums_ : dict of str to str or None
        SHA-256 of the weights of each embedding; None if it has none. Other weights are refused.
    n_features_in_ : int
        Number of samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    skfewaudio.pipelines.make_few_shot_classifier : Pipeline that uses this transformer.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import MFCC, LogMel, SpectrogramWithEmbeddings
    >>> both = SpectrogramWithEmbeddings(LogMel(), [("mfcc", MFCC())])
    >>> clip = both.fit_transform([np.sin(np.arange(44100))])[0]
    >>> clip.spectrogram.shape, clip.embeddings["mfcc"].shape
    ((64, 44), (120,))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "spectrogram": [HasMethods(["fit", "transform"])],
        "embeddings": [list],
    }

    def __init__(self, spectrogram: Any, embeddings: Any) -> None:
        self.spectrogram = spectrogram
        self.embeddings = embeddings

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the type of X, and store the checksums of weights.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the names are not valid, or a transformer is not stateless.
        """
        self._check_parts()
        clips = self._check_clips(X, reset=True)
        has_auto_rate = self._has_auto_rate
        fitted = clone(self.spectrogram).fit(clips if has_auto_rate else clips[:1])
        self.sample_rate_ = fitted.sample_rate_ if has_auto_rate else None
        self.checksums_ = {name: _find_checksum(part) for name, part in self.embeddings}
        return self

    def transform(self, X: Any) -> list[EmbeddedClip]:
        """Compute the spectrogram and the embeddings of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of clips
            The clips; see :ref:`the user guide <waveforms>`.

        Returns
        -------
        list of n_clips objects
            With ``spectrogram``, of shape (n_mels, n_frames), and ``embeddings``, a dict of names to arrays
            of shape (n_dims,).

        Raises
        ------
        WeightsNotFoundError
            If weights are missing or not the ones of `fit`.
        AudioLoadError
            If a file cannot be read.
        """
        self._validate_params()
        self._check_parts()
        self.find_weights()
        clips = self._check_clips(X, reset=False)
        spectrogram = self._get_spectrogram()
        sounds = clips
        if not needs_reading(clips[0]):
            inner = _uncached(spectrogram)
            # Without a fit, LogMel expects arrays to have the rate of its reference.
            own = getattr(inner, "_rate", inner.sample_rate)
            rate = int(getattr(spectrogram, "sample_rate_", None) or own)
            sounds = [(np.asarray(clip), rate) for clip in clips]
        vectors = {name: _embed(name, part, sounds) for name, part in self.embeddings}
        found: list[EmbeddedClip] = join_embedded(spectrogram.transform(clips), vectors, range(len(clips)))
        return found

    def find_weights(self) -> None:
        """Check that the weights of all embeddings are at hand, and are the ones of `fit`.

        Raises
        ------
        WeightsNotFoundError
            If they are not found, or have another checksum.
        """
        for name, part in self.embeddings:
            inner = _uncached(part)
            if hasattr(inner, "find_weights"):
                inner.find_weights(getattr(self, "checksums_", {}).get(name))

    def with_cache(self, location: str | os.PathLike[str] | None = None) -> Self:
        """Return a copy that caches the spectrograms and the embeddings of each clip.

        Parameters
        ----------
        location : path-like, default=None
            Cache directory, as for :class:`CachedFeatures`.

        Returns
        -------
        SpectrogramWithEmbeddings
        """

        def cached(part: Any) -> Any:
            is_cached = isinstance(part, CachedFeatures)
            return clone(part) if is_cached else CachedFeatures(clone(part), location=location)

        named = [(name, cached(part)) for name, part in self.embeddings]
        return type(self)(cached(self.spectrogram), named)

    @property
    def sample_rate(self) -> Any:
        """Sample rate of the spectrograms in Hz, or ``"auto"``."""
        return _uncached(self.spectrogram).sample_rate

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, also of the transformers by their names.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parameters of the transformers, too.

        Returns
        -------
        dict
        """
        return self._get_params("embeddings", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also of the transformers by their names.

        Parameters
        ----------
        **params : object
            For example ``spectrogram__n_mels=128``.

        Returns
        -------
        self
        """
        self._set_params("embeddings", **params)
        return self

    def _check_parts(self) -> None:
        """Check the names, and that the embeddings learn nothing from the clips."""
        self._validate_names([name for name, _ in self.embeddings])
        for name, part in self.embeddings:
            if get_tags(part).requires_fit:
                raise ValueError(
                    f"embeddings has {name!r}, a {type(part).__name__}, which learns from the clips in fit; "
                    "expected a transformer whose tag requires_fit is false"
                )

    def _check_clips(self, X: Any, *, reset: bool) -> Sequence[Any]:
        return check_waveforms(self, X, reset=reset, read=iter).clips

    def _get_spectrogram(self) -> Any:
        """Return the transformer, with the sample rate that `fit` has chosen."""
        rate = getattr(self, "sample_rate_", None)
        if rate is None or not self._has_auto_rate:
            return self.spectrogram
        if isinstance(self.spectrogram, CachedFeatures):
            copy = clone(self.spectrogram)
            copy.sample_rate_ = rate
            return copy
        return self.spectrogram.with_rate(rate)

    @property
    def _has_auto_rate(self) -> bool:
        return getattr(_uncached(self.spectrogram), "sample_rate", None) == "auto"

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        inner = get_tags(self.spectrogram)
        tags.input_tags, tags.transformer_tags = inner.input_tags, inner.transformer_tags
        return tags


def _uncached(part: Any) -> Any:
    return part.transformer if isinstance(part, CachedFeatures) else part


def _find_checksum(part: Any) -> str | None:
    inner = _uncached(part)
    found: str | None = inner.find_checksum() if hasattr(inner, "find_checksum") else None
    return found


def _embed(name: str, part: Any, sounds: Sequence[Any]) -> NDArray[np.floating]:
    vectors = np.asarray(part.transform(sounds))
    if vectors.ndim != 2 or len(vectors) != len(sounds):
        raise ValueError(
            f"the embedding {name!r} has the shape {vectors.shape}; expected one vector per clip: choose a "
            "pooling"
        )
    return vectors
