"""Meta-estimator that fits a classifier to clips and augmented copies of them."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import is_multilabel
from sklearn.utils.validation import (
    _check_method_params,
    check_consistent_length,
    column_or_1d,
)

from skfewaudio._delegation import estimator_has, open_last_step, route_fit, routed_fit_params
from skfewaudio._embedded_clips import join_embedded, split_embedded
from skfewaudio._targets import check_groups, check_label_values, check_target
from skfewaudio._torch_state import own_defaults
from skfewaudio._validation import check_spectrograms
from skfewaudio.augmentation import AugmentationLike, MixUp, augment, check_classifier_augmentation

from ._kept_clips import ClipNumbers
from ._ridge.self_training import is_labelled
from ._wrapped import WrappedClassifierMixin

SPECTROGRAMS_AT_ONCE = 128
# With n_copies="auto", a class has about COPIES_PER_CLASS copies, and a clip at most MOST_COPIES.
MOST_COPIES = 4
COPIES_PER_CLASS = 30
MIXING_ERROR = (
    "augmentation={!r} mixes clips, and a mixture has no single label; use it in SkorchCNN, or leave out the "
    "mixing augmentation"
)


class AugmentedClassifier(WrappedClassifierMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Fit a classifier of spectrograms to clips and to augmented copies of them.

    Augmented copies contain variation that does not change the class of a sound. This meta-estimator is for
    classifiers that are fitted once. Networks that are trained for many epochs can augment the clips
    differently in every epoch: :class:`SkorchCNN` has its own `augmentation`.

    Parameters
    ----------
    estimator : classifier
        Classifier of spectrograms, such as a Pipeline of
        :class:`~skfewaudio.features.SpectrogramStatistics` and a classifier.
    augmentation : Augmentation, callable, list of these, or None, default=None
        Random changes, applied to every copy in order: see :mod:`skfewaudio.augmentation`. Augmentations that
        mix clips are not supported. None makes no copies.
    n_copies : int or "auto", default=2
        Number of augmented copies per clip. ``"auto"`` is 30 divided by the number of clips per class
        (median), at least one and at most four: two with twenty clips per class. If the estimator has
        ``semi_supervised=True``, unlabelled clips are never augmented. If they make up half of the clips or
        more, no clip is: augmentation then lowers accuracy.
    copy_weight : float, default=0.3
        Weight of a copy relative to its clip, for estimators whose `fit` accepts ``sample_weight``.
    random_state : int, RandomState instance or None, default=None
        Controls the random changes. With an int, every call of :meth:`partial_fit` makes other changes than
        the calls before.

    Attributes
    ----------
    estimator_ : classifier
        Fitted clone of `estimator`.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_clips_seen_ : int
        Number of clips of `fit` and `partial_fit`, without copies.
    n_features_in_ : int
        Number of mel bands of the spectrograms, or of features.

    See Also
    --------
    skfewaudio.pipelines.make_few_shot_classifier : Pipeline that uses this meta-estimator.
    PatchClassifier : Any scikit-learn classifier on patches of clips.

    Notes
    -----
    If the `fit` of the estimator, or of the last step of a Pipeline, accepts ``groups``, a clip and its
    copies are passed as one group, so that they are always left out together. With metadata routing, the
    last step receives the weights and the groups of the copies, unless its requests for ``sample_weight``
    and ``groups`` are set otherwise. ``groups`` is requested by default, so that a search passes it on.

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
        "n_copies": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "copy_weight": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    # Under metadata routing, what splits by recordings also passes the recordings to `fit`.
    __metadata_request__fit = {"groups": True}
    __metadata_request__partial_fit = {"groups": True}

    def __init__(
        self,
        estimator: Any,
        *,
        augmentation: Any = None,
        n_copies: int | Literal["auto"] = 2,
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
        """Fit a clone of the estimator to clips and their augmented copies.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames) or (n_clips, n_features)
            Spectrograms, or feature vectors; or clips with embeddings, which their copies keep.
        y : array-like of shape (n_clips,)
            Labels, as the estimator expects them.
        groups : array-like of shape (n_clips,), default=None
            Recording of each clip. None treats every clip as a separate recording.
        **fit_params
            Parameters of the estimator's `fit`. ``sample_weight`` is passed to the last step of a Pipeline.
            Values with one entry per clip are repeated for its copies.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid, or if an augmentation mixes clips.
        TypeError
            If the estimator's `fit` does not accept one of `fit_params`.
        """
        return self._fit("fit", clone(self.estimator), 0, X, y, groups, fit_params)

    @available_if(estimator_has("partial_fit"))
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(
        self,
        X: ArrayLike | Sequence[NDArray],
        y: ArrayLike,
        classes: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Add clips and their augmented copies by the `partial_fit` of the estimator.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.
        y : array-like of shape (n_clips,)
            Labels, as the estimator expects them.
        classes : array-like of shape (n_classes,), default=None
            All possible labels, for estimators that require them in the first call.
        groups : array-like of shape (n_clips,), default=None
            Recording of each clip. A group that was given in an earlier call is the same recording. None
            treats every clip as a separate recording.
        **fit_params
            Parameters of the estimator's `partial_fit`, as in :meth:`fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid, or if an augmentation mixes clips.
        TypeError
            If the estimator's `partial_fit` does not accept one of `fit_params`.
        AttributeError
            If the estimator has no `partial_fit`. :class:`BlockClassifier` has none after a `fit` with
            ``incremental=False``.

        Notes
        -----
        With ``semi_supervised=True``, clips of a call are augmented if fewer than half of the clips of this
        call are unlabelled. ``n_copies="auto"`` counts the clips of this call.
        """
        # A model of an earlier version does not know the number of clips.
        n_seen = getattr(self, "n_clips_seen_", 1) if hasattr(self, "estimator_") else 0
        estimator = self.estimator_ if n_seen else clone(self.estimator)
        given = {} if classes is None else {"classes": classes}
        return self._fit("partial_fit", estimator, n_seen, X, y, groups, fit_params, **given)

    def _fit(
        self,
        method: str,
        estimator: Any,
        n_seen: int,
        X: ArrayLike | Sequence[NDArray],
        y: ArrayLike,
        groups: ArrayLike | None,
        fit_params: dict[str, Any],
        **given: Any,
    ) -> Self:
        """Call `fit` or `partial_fit` of an estimator, which has seen `n_seen` clips before."""
        spectrograms, embeddings = split_embedded(X)
        clips: Any = check_spectrograms(self, spectrograms, reset=not n_seen)
        is_semi_supervised = getattr(_last_step(estimator), "semi_supervised", False)
        labels = self._check_labels(clips, y, unlabelled=is_semi_supervised)
        n_clips = len(labels)
        recordings = np.arange(n_clips).view(ClipNumbers) if groups is None else check_groups(groups, n_clips)
        params = routed_fit_params(self, fit_params, name="estimator", method=method)
        for name in params:
            if name.endswith("sample_weight"):
                check_consistent_length(clips, params[name])
        copied = np.arange(n_clips)
        if is_semi_supervised:
            labelled = is_labelled(labels)
            copied = np.flatnonzero(labelled) if labelled.mean() > 0.5 else copied[:0]
        copies, source = self._make_copies(clips, copied, self._count_copies(labels[copied]), n_seen)
        if len(source):
            clips = [*clips, *copies] if isinstance(clips, list) else np.concatenate([clips, copies])
        rows = np.concatenate([np.arange(n_clips), source])
        params = _check_method_params(labels, params, indices=rows)
        keys = open_last_step(estimator, ("sample_weight", "groups"), given=params, method=method)
        if "sample_weight" in keys:
            own = params.pop("sample_weight", params.pop(keys["sample_weight"], 1.0))
            weights = np.repeat([1.0, self.copy_weight], [n_clips, len(source)])
            params[keys["sample_weight"]] = weights * own
        if "groups" in keys:
            params[keys["groups"]] = recordings[rows]
        clips = join_embedded(clips, embeddings, rows)
        self.estimator_ = getattr(estimator, method)(clips, labels[rows], **params, **given)
        self.classes_ = self.estimator_.classes_
        self.n_clips_seen_ = n_seen + n_clips
        return self

    def _check_labels(self, clips: Any, y: Any, *, unlabelled: bool) -> NDArray[Any]:
        """Check y, as far as copies need it; the estimator checks the rest."""
        check_label_values(y, unlabelled=unlabelled)
        if is_multilabel(y):
            raise ValueError(
                f"y holds several labels per clip (an indicator matrix of shape {np.shape(y)}); use "
                "SkorchCNN, PatchClassifier or ELMClassifier"
            )
        labels: NDArray[Any] = column_or_1d(check_target(self, y), warn=True)
        check_consistent_length(clips, labels)
        return labels

    def _count_copies(self, labels: NDArray[Any]) -> int:
        """Return the number of copies of each clip."""
        if not isinstance(self.n_copies, str):
            return int(self.n_copies)
        if not len(labels):
            return 0
        n_clips = np.median(np.unique(labels, return_counts=True)[1])
        return int(np.clip(round(COPIES_PER_CLASS / n_clips), 1, MOST_COPIES))

    def _make_copies(
        self, clips: NDArray | list[NDArray], copied: NDArray[np.int64], n_copies: int, n_seen: int
    ) -> tuple[list[NDArray] | NDArray, NDArray[np.int64]]:
        """Return augmented copies of the clips at the indices `copied`, and the clip index of each copy.

        The copies depend on the number of clips before, so that no call repeats the changes of another.
        """
        for_vectors = not isinstance(clips, list)
        augmentations = check_classifier_augmentation(self.augmentation, for_vectors=for_vectors)
        if any(isinstance(augmentation, MixUp) for augmentation in augmentations):
            raise ValueError(MIXING_ERROR.format(self.augmentation))
        if not augmentations or not n_copies or not len(copied):
            return [], np.empty(0, dtype=np.int64)
        generator = torch.Generator()
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        generator.manual_seed(seed + n_seen)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for i in copied:
            by_shape.setdefault(clips[i].shape, []).append(i)
        copies: list[NDArray] = []
        source: list[int] = []
        n_at_once = max(1, SPECTROGRAMS_AT_ONCE // n_copies)
        for numbers in by_shape.values():
            for start in range(0, len(numbers), n_at_once):
                part = np.repeat(numbers[start : start + n_at_once], n_copies)
                batch = np.stack([clips[i] for i in part])
                copies.extend(self._augment_batch(augmentations, batch, generator))
                source.extend(part)
        return (copies if isinstance(clips, list) else np.stack(copies)), np.array(source, dtype=np.int64)

    def _augment_batch(
        self, augmentations: list[AugmentationLike], batch: NDArray, generator: torch.Generator
    ) -> NDArray:
        """Augment clips of one shape, and check that their labels do not change."""
        spectrograms = torch.from_numpy(np.asarray(batch, dtype=np.float32))
        shape = spectrograms.shape
        # Feature vectors are spectrograms with one frame. Separate classes for all clips reveal mixtures.
        with own_defaults(torch.device("cpu")):
            targets = torch.eye(len(batch))
            changed, after = augment(augmentations, spectrograms.reshape(*shape[:2], -1), targets, generator)
        if not torch.equal(after, targets):
            raise ValueError(MIXING_ERROR.format(self.augmentation))
        return changed.reshape(shape).numpy()

    def _prepare(self, X: ArrayLike | Sequence[NDArray]) -> Any:
        spectrograms, embeddings = split_embedded(X)
        clips = check_spectrograms(self, spectrograms, reset=False)
        return join_embedded(clips, embeddings, range(len(clips)))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the router that passes parameters of `fit` and `partial_fit` to the estimator.

        Returns
        -------
        MetadataRouter
        """
        return route_fit(self, ("fit", "partial_fit"), estimator=self.estimator)

    def __sklearn_tags__(self) -> Tags:
        tags, estimator_tags = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags.three_d_array = True
        tags.classifier_tags = estimator_tags.classifier_tags
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags


def _last_step(estimator: Any) -> Any:
    """Return an estimator, or the last step of a Pipeline."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return estimator
