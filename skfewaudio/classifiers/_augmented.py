"""Any classifier, fitted to changed copies of the clips, too."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_method_params,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    has_fit_parameter,
)

from skfewaudio._delegation import estimator_has
from skfewaudio._validation import check_spectrograms
from skfewaudio.augmentation import AugmentationLike, MixUp, augment, check_classifier_augmentation

from ._ridge.self_training import find_labelled

SPECTROGRAMS_AT_ONCE = 128
REFUSAL = (
    "augmentation={!r} mixes clips, and a mixture has no label of its own; give it to SkorchCNN, or leave "
    "out what mixes"
)


class AugmentedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Fit a classifier of spectrograms to clips and to randomly changed copies of them.

    A change that leaves a sound's class as it is tells a classifier what does not matter. Networks that learn
    for many epochs hear a clip differently each time (:class:`SkorchCNN` has its own `augmentation`); this is
    for classifiers that are fitted once.

    Parameters
    ----------
    estimator : classifier
        Takes spectrograms, such as a Pipeline of :class:`~skfewaudio.features.SpectrogramStatistics` and a
        classifier.
    augmentation : Augmentation, callable, list of these, or None, default=None
        The changes, one after the other on every copy: see :mod:`skfewaudio.augmentation`. What mixes clips
        is refused. None makes no copies.
    n_copies : int, default=2
        Copies of each clip. Where the estimator learns from clips without a label, these are not copied, nor
        is any clip if they are half of all or more: they then teach more than copies, which get in their way.
    copy_weight : float, default=0.3
        What a copy counts beside its clip, for estimators whose `fit` takes ``sample_weight``.
    random_state : int, RandomState instance or None, default=None
        Decides the changes.

    Attributes
    ----------
    estimator_ : classifier
        The fitted one.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Mel bands of the spectrograms, or features.

    See Also
    --------
    skfewaudio.pipelines.make_few_shot_classifier : Uses it.
    PatchClassifier : A classifier over patches of the clips.

    Notes
    -----
    The estimator, or the last step of a Pipeline, is given ``groups`` too if its `fit` takes them: a clip and
    its copies are one group, so that none vouches for another.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skfewaudio import CalibratedRidgeClassifier, SpectrogramStatistics
    >>> from skfewaudio.augmentation import BackgroundNoise, TimeStretch
    >>> from skfewaudio.classifiers import AugmentedClassifier
    >>> X = -60 + 3 * np.random.default_rng(0).standard_normal((6, 40, 60))
    >>> X[3:, :20] += 20
    >>> classifier = AugmentedClassifier(
    ...     make_pipeline(SpectrogramStatistics(random_state=0), CalibratedRidgeClassifier()),
    ...     augmentation=[TimeStretch(), BackgroundNoise()],
    ...     random_state=0,
    ... )
    >>> classifier.fit(X, ["wind"] * 3 + ["horn"] * 3).predict(X[[0, 5]])
    array(['wind', 'horn'], dtype='<U4')
    """

    _parameter_constraints: dict[str, Any] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "augmentation": "no_validation",
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "copy_weight": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        augmentation: Any = None,
        n_copies: int = 2,
        copy_weight: float = 0.3,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.augmentation = augmentation
        self.n_copies = n_copies
        self.copy_weight = copy_weight
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike | Sequence[NDArray],
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Fit a clone of the estimator on clips and copies.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames) or (n_clips, n_features)
            Spectrograms, or feature vectors.
        y : array-like of shape (n_clips,)
            Labels, as the estimator takes them.
        groups : array-like of shape (n_clips,), default=None
            The recording that each clip is of. None takes each clip for a recording of its own.
        **fit_params
            For the estimator's `fit`, such as ``sample_weight``. What has an entry for each clip is repeated
            for its copies.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter cannot be used, or an augmentation mixes clips.
        TypeError
            If the estimator's `fit` does not take one of `fit_params`.
        """
        clips: Any = check_spectrograms(self, X, reset=True)
        labels = column_or_1d(y, warn=True)
        recordings = np.arange(len(clips)) if groups is None else column_or_1d(groups)
        given = [value for name, value in fit_params.items() if name.endswith("sample_weight")]
        check_consistent_length(clips, labels, recordings, *given)
        last_step, prefix = _last_step(self.estimator)
        copied = np.arange(len(labels))
        if getattr(last_step, "semi_supervised", False):
            labelled = find_labelled(labels)
            copied = np.flatnonzero(labelled) if labelled.mean() > 0.5 else copied[:0]
        copies, source = self._make_copies(clips, copied)
        if len(source):
            clips = [*clips, *copies] if isinstance(clips, list) else np.concatenate([clips, copies])
        rows = np.concatenate([np.arange(len(labels)), source])
        params = _check_method_params(labels, fit_params, indices=rows)
        if has_fit_parameter(last_step, "sample_weight"):
            weights = np.repeat([1.0, self.copy_weight], [len(labels), len(source)])
            params[f"{prefix}sample_weight"] = weights * params.get(f"{prefix}sample_weight", 1.0)
        if has_fit_parameter(last_step, "groups"):
            params[f"{prefix}groups"] = recordings[rows]
        self.estimator_ = clone(self.estimator).fit(clips, labels[rows], **params)
        self.classes_ = self.estimator_.classes_
        return self

    def _make_copies(
        self, clips: NDArray | list[NDArray], copied: NDArray[np.int64]
    ) -> tuple[list[NDArray] | NDArray, NDArray[np.int64]]:
        """Give changed copies of some clips, and the number of each one's clip."""
        methods = check_classifier_augmentation(self.augmentation, for_vectors=not isinstance(clips, list))
        if any(isinstance(method, MixUp) for method in methods):
            raise ValueError(REFUSAL.format(self.augmentation))
        if not methods or not self.n_copies or not len(copied):
            return [], np.empty(0, dtype=np.int64)
        generator = torch.Generator()
        generator.manual_seed(int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)))
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for i in copied:
            by_shape.setdefault(clips[i].shape, []).append(i)
        copies: list[NDArray] = []
        source: list[int] = []
        n_at_once = max(1, SPECTROGRAMS_AT_ONCE // self.n_copies)
        for numbers in by_shape.values():
            for start in range(0, len(numbers), n_at_once):
                part = np.repeat(numbers[start : start + n_at_once], self.n_copies)
                copies.extend(self._change(methods, np.stack([clips[i] for i in part]), generator))
                source.extend(part)
        return (copies if isinstance(clips, list) else np.stack(copies)), np.array(source, dtype=np.int64)

    def _change(self, methods: list[AugmentationLike], batch: NDArray, generator: torch.Generator) -> NDArray:
        """Change clips of a shape, and check that their labels stay."""
        spectrograms = torch.from_numpy(np.asarray(batch, dtype=np.float32))
        shape = spectrograms.shape
        # Feature vectors are spectrograms of one frame. Every clip has a class of its own.
        targets = torch.eye(len(batch))
        changed, after = augment(methods, spectrograms.reshape(*shape[:2], -1), targets, generator)
        if not torch.equal(after, targets):
            raise ValueError(REFUSAL.format(self.augmentation))
        return changed.reshape(shape).numpy()

    def _fitted(self) -> Any:
        check_is_fitted(self)
        return self.estimator_

    def _clips(self, X: ArrayLike | Sequence[NDArray]) -> Any:
        return check_spectrograms(self, X, reset=False)

    def predict(self, X: ArrayLike | Sequence[NDArray]) -> NDArray:
        """Give each clip a label.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips,)
        """
        return self._fitted().predict(self._clips(X))

    @available_if(estimator_has("predict_proba"))
    def predict_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the classes' probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
        """
        return self._fitted().predict_proba(self._clips(X))

    @available_if(estimator_has("predict_log_proba"))
    def predict_log_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the logarithms of the classes' probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
        """
        return self._fitted().predict_log_proba(self._clips(X))

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the estimator's scores.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes), or (n_clips,) with two classes
        """
        return self._fitted().decision_function(self._clips(X))

    @available_if(estimator_has("score_samples"))
    def score_samples(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Say how familiar clips are.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips,)
        """
        return self._fitted().score_samples(self._clips(X))

    def __sklearn_tags__(self) -> Tags:
        tags, given = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags.three_d_array = True
        tags.classifier_tags = given.classifier_tags
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags


def _last_step(estimator: Any) -> tuple[Any, str]:
    """Give an estimator, or a Pipeline's last step, and what leads to its parameters in `fit`."""
    prefix = ""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return estimator, prefix
