"""Transformer that caches the features of each clip on disk."""

import os
from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import Any, Literal, Self

from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, _fit_context, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, Options
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params

from skfewaudio._delegation import route_fit, routed_fit_params
from skfewaudio.audio.waveforms import check_waveforms

from .._base import stack_results
from .._output import OutputMixin
from .lookup import Lookup, select_clips
from .store import FeatureStore


def _has_feature_names(estimator: "CachedFeatures") -> bool:
    """Check that the transformer has `get_feature_names_out`; otherwise its AttributeError is raised."""
    return bool(estimator.transformer.get_feature_names_out)


class CachedFeatures(OutputMixin, TransformerMixin, MetaEstimatorMixin, BaseEstimator):
    """Meta-estimator that caches the features of a transformer on disk, one entry per clip.

    It looks up each clip by its content, and computes and stores only the missing features. Other subsets,
    folds, classifiers, processes and later runs reuse them. Cached features are bit-identical to the output
    of the transformer.

    Parameters
    ----------
    transformer : transformer
        Transformer that computes the features of each clip independently. It must be stateless: its tag
        ``requires_fit`` must be false.
    location : path-like, False or None, default=None
        Cache directory, as for :class:`FeatureCache`. False disables the cache, which
        :func:`~skfewaudio.persistence.load_model` does.
    max_size : int, str or None, default="10G"
        Maximum size on disk, as for :class:`FeatureCache`.
    n_at_once : int, default=64
        Number of clips that are computed and then stored at a time. A killed process loses at most the
        features of these clips.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.
    sample_rate_ : int or None
        The sample rate that a transformer with ``sample_rate="auto"`` chose in `fit`, in Hz.

    See Also
    --------
    FeatureCache : Lists and removes the entries of the cache.
    write_features : Writes features to one file, for datasets that do not fit in memory.

    Notes
    -----
    The cache key consists of the content of the sound (the bytes of the file and its extension, or the values
    of the array); the class of the transformer and its parameters that change the result, which excludes
    `device`, `n_threads` and `on_error`; the content of weight files; and the ``feature_version`` of the
    class, which is incremented when its results change. Nothing else is part of the key: after an upgrade of
    torch, or on another device, cached features are still found, although newly computed ones might differ in
    the last bits.

    To compute the key, a file is read again only if its size, times or inode have changed.

    A class or function among the parameters is identified by its name and source. A lambda has no name and
    raises an error.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skfewaudio.features import MFCC, CachedFeatures
    >>> clips = np.random.default_rng(0).normal(size=(5, 12000))
    >>> with TemporaryDirectory() as folder:
    ...     cached = CachedFeatures(MFCC(), location=folder)
    ...     first = cached.warm(clips[:3])
    ...     features = cached.fit_transform(clips)
    ...     print(first, cached.warm(clips), features.shape)
    {'n_hits': 0, 'n_computed': 3, 'n_damaged': 0} {'n_hits': 5, 'n_computed': 0, 'n_damaged': 0} (5, 120)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "transformer": [HasMethods(["fit", "transform"])],
        "location": [str, os.PathLike, Options(bool, {False}), None],
        "max_size": [Interval(Integral, 1, None, closed="left"), str, None],
        "n_at_once": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        transformer: Any,
        *,
        location: str | os.PathLike[str] | Literal[False] | None = None,
        max_size: int | str | None = "10G",
        n_at_once: int = 64,
    ) -> None:
        self.transformer = transformer
        self.location = location
        self.max_size = max_size
        self.n_at_once = n_at_once

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Check the parameters and the type of X, without decoding any file.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips.
        y : None
            Ignored.
        **fit_params
            Parameters of the transformer's `fit`. With metadata routing, it must request them.

        Returns
        -------
        self : CachedFeatures
            The estimator itself.
        """
        self._check_settings()
        clips = self._check_clips(X, reset=True)
        has_auto_rate = getattr(self.transformer, "sample_rate", None) == "auto"
        params = routed_fit_params(self, fit_params, name="transformer")
        if not has_auto_rate:
            clips, params = select_clips(clips, [0]), _check_method_params(clips, params, indices=[0])
        fitted = clone(self.transformer).fit(clips, **params)
        self.sample_rate_ = fitted.sample_rate_ if has_auto_rate else None
        return self

    def transform(self, X: Any) -> NDArray[Any] | list[NDArray[Any]]:
        """Return the features of each clip, from the cache or computed by the transformer.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips; see :ref:`the user guide <waveforms>`.

        Returns
        -------
        ndarray of shape (n_clips, ...) or list of ndarray
            An array if the features of all clips have the same shape, otherwise a list.

        Raises
        ------
        TypeError
            If the transformer or its output cannot be cached.
        Exception
            Any exception that the transformer raises, such as an AudioLoadError.

        Warns
        -----
        FeatureCacheWarning
            If cached features are damaged, and therefore replaced, or if the cache cannot be written.
        """
        self._validate_params()
        self._check_settings()
        clips = self._check_clips(X, reset=False)
        if self.location is False:
            return self._get_transformer().transform(clips)
        features: list[Any] = [None] * len(clips)
        self._run_lookup(clips, features.__setitem__)
        return self._keep_index(stack_results(_pop_each(features), len(features)), X)

    def warm(self, X: Any) -> dict[str, int]:
        """Compute and store the features that are not cached yet, without keeping them in memory.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips.

        Returns
        -------
        dict
            Numbers of distinct sounds: ``n_hits``, cache hits; ``n_computed``, computed features; and
            ``n_damaged``, features computed because the cache entry was damaged.
        """
        self._validate_params()
        self._check_settings()
        return self._run_lookup(self._check_clips(X, reset=False), lambda index, features: None)

    @property
    def _returns_table(self) -> bool:  # type: ignore[override]
        has_names = hasattr(self.transformer, "get_feature_names_out")
        return has_names and getattr(self.transformer, "_returns_table", True)

    @available_if(_has_feature_names)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns of the transformer.

        Parameters
        ----------
        input_features : object
            Passed to the transformer.

        Returns
        -------
        ndarray of shape (n_features,), object
        """
        return self.transformer.get_feature_names_out(input_features)

    def _check_settings(self) -> None:
        if get_tags(self.transformer).requires_fit:
            raise ValueError(
                f"{self.transformer!r} estimates parameters or draws random numbers in fit, so that the "
                "features of a clip are not fixed; expected a transformer whose tag requires_fit is false "
                "(set its random_state, if any, to an int)"
            )

    def _run_lookup(
        self, clips: Sequence[Any], callback: Callable[[int, NDArray[Any]], object]
    ) -> dict[str, int]:
        if self.location is False:
            raise ValueError(
                "location=False disables the cache; set a cache directory, or None for the default"
            )
        store = FeatureStore(self.location, self.max_size)
        return Lookup(self._get_transformer(), store, clips, callback).run(self.n_at_once)

    def _get_transformer(self) -> Any:
        """Return the transformer, with the sample rate that `fit` has chosen."""
        rate = getattr(self, "sample_rate_", None)
        is_auto = getattr(self.transformer, "sample_rate", None) == "auto" and rate
        return self.transformer.with_rate(rate) if is_auto else self.transformer

    def _check_clips(self, X: Any, *, reset: bool) -> Sequence[Any]:
        return check_waveforms(self, X, reset=reset, read=iter).clips

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the router that passes parameters of `fit` to the transformer.

        Returns
        -------
        MetadataRouter
        """
        return route_fit(self, transformer=self.transformer)

    def __sklearn_tags__(self) -> Tags:
        tags, inner = super().__sklearn_tags__(), get_tags(self.transformer)
        tags.requires_fit = inner.requires_fit
        tags.non_deterministic = inner.non_deterministic
        tags.input_tags = inner.input_tags
        tags.transformer_tags = inner.transformer_tags
        return tags


def _pop_each(features: list[Any]) -> Iterator[NDArray[Any]]:
    """Yield the items of a list and remove them from it, so that stacking needs no additional memory."""
    for index, item in enumerate(features):
        features[index] = None
        yield item
