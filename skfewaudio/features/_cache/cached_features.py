"""Features computed once for each sound, and looked up from then on."""

import os
from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import Any, Self

from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, _fit_context, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if

from skfewaudio._validation import check_waveforms

from .._base import stack_results
from .lookup import Lookup, subset
from .store import FeatureStore


def _names_columns(estimator: "CachedFeatures") -> bool:
    """Check that the transformer names columns; its own AttributeError says why not."""
    return bool(estimator.transformer.get_feature_names_out)


class CachedFeatures(TransformerMixin, MetaEstimatorMixin, BaseEstimator):
    """Look features up by sound, and compute with a transformer only those that are not there yet.

    The features are those of the transformer, to the bit. They are kept clip by clip, so that other subsets,
    folds, classifiers, processes and later runs find them.

    Parameters
    ----------
    transformer : transformer
        Makes the features, clip by clip, and learns nothing: its tag ``requires_fit`` is false.
    location : path-like, default=None
        Folder of the cache, as for :class:`FeatureCache`.
    max_size : int, str or None, default="10G"
        Bytes on disk, as for :class:`FeatureCache`.
    n_at_once : int, default=64
        Clips that are computed, and then stored, at a time. A killed process loses at most these.

    Attributes
    ----------
    n_features_in_ : int
        Samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    FeatureCache : What is in the cache, and how to clear it.
    write_features : Features in one file, for data sets that memory does not hold.

    Notes
    -----
    Features are found by the content of the sound, of a file (and its ending) or of an array; by the class of
    the transformer and those of its parameters that change the result, which `device`, `n_threads` and
    `on_error` do not; by the content of files of weights; and by the class's ``feature_version``, which is
    raised when its code changes its results. Nothing else counts: after an upgrade of torch, or on another
    device, features computed before are found, though new ones might differ in the last bits.

    A file is read once to learn its content, which is remembered until its size, times or inode change.

    A class or function among the parameters counts by its name and its source. Those without a name, such as
    lambdas, are refused.

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
        "location": [str, os.PathLike, None],
        "max_size": [Interval(Integral, 1, None, closed="left"), str, None],
        "n_at_once": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        transformer: Any,
        *,
        location: str | os.PathLike[str] | None = None,
        max_size: int | str | None = "10G",
        n_at_once: int = 64,
    ) -> None:
        self.transformer = transformer
        self.location = location
        self.max_size = max_size
        self.n_at_once = n_at_once

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the kind of X; nothing is learned and no file is opened.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips.
        y : None
            Ignored.

        Returns
        -------
        self : CachedFeatures
            The estimator itself.
        """
        self._check_settings()
        clips = self._check_clips(X, reset=True)
        clone(self.transformer).fit(subset(clips, [0]))
        return self

    def transform(self, X: Any) -> NDArray[Any] | list[NDArray[Any]]:
        """Give the transformer's features of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips; see :ref:`the user guide <waveforms>` for the kinds.

        Returns
        -------
        ndarray of shape (n_clips, ...) or list of ndarray
            An array if all clips' features have one shape, otherwise a list.

        Raises
        ------
        TypeError
            If the transformer, or what it gives, is nothing to be cached.
        Exception
            Whatever the transformer raises, such as an AudioLoadError.

        Warns
        -----
        FeatureCacheWarning
            If cached features are damaged, which are replaced, or the cache cannot be written.
        """
        self._validate_params()
        self._check_settings()
        clips = self._check_clips(X, reset=False)
        features: list[Any] = [None] * len(clips)
        self._look_up(clips, features.__setitem__)
        return stack_results(_drain(features), len(features))

    def warm(self, X: Any) -> dict[str, int]:
        """Compute and store the features that are not in the cache yet, without keeping any in memory.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips.

        Returns
        -------
        dict
            Numbers of different sounds: ``n_hits``, found in the cache; ``n_computed``; and ``n_damaged``,
            those computed because what was in the cache was damaged.
        """
        self._validate_params()
        self._check_settings()
        return self._look_up(self._check_clips(X, reset=False), lambda index, features: None)

    @available_if(_names_columns)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Give the transformer's names of the columns.

        Parameters
        ----------
        input_features : object
            Passed on.

        Returns
        -------
        ndarray of shape (n_features,), object
        """
        return self.transformer.get_feature_names_out(input_features)

    def _check_settings(self) -> None:
        if get_tags(self.transformer).requires_fit:
            raise ValueError(
                f"{self.transformer!r} learns from data, or draws random numbers, when it is fitted, and so "
                "gives a sound no features of its own; expected one whose tag requires_fit is false "
                "(with a random_state: an int)"
            )

    def _look_up(self, clips: Sequence[Any], take: Callable[[int, NDArray[Any]], object]) -> dict[str, int]:
        store = FeatureStore(self.location, self.max_size)
        return Lookup(self.transformer, store, clips, take).run(self.n_at_once)

    def _check_clips(self, X: Any, *, reset: bool) -> Sequence[Any]:
        return check_waveforms(self, X, reset=reset, read=iter).clips

    def __sklearn_tags__(self) -> Tags:
        tags, given = super().__sklearn_tags__(), get_tags(self.transformer)
        tags.requires_fit = given.requires_fit
        tags.non_deterministic = given.non_deterministic
        tags.input_tags = given.input_tags
        tags.transformer_tags = given.transformer_tags
        return tags


def _drain(features: list[Any]) -> Iterator[NDArray[Any]]:
    """Give away what a list holds, so that it and the array made from it need not both be in memory."""
    for index, one in enumerate(features):
        features[index] = None
        yield one
