"""Classification of clips by any scikit-learn classifier on their patches."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, check_consistent_length, check_is_fitted

from skfewaudio._delegation import route_fit, routed_fit_params
from skfewaudio.audio.aggregation import AGGREGATIONS, aggregate
from skfewaudio.audio.patches import PAD_MODES

from ._base import SpectrogramClassifierMixin
from ._networks.patches import PatchData, cut_patches


def _estimator_has(method: str) -> Callable[[Any], bool]:
    """Check that `method` is available; the AttributeError of the wrapped estimator explains why not."""

    def check(self: "PatchClassifier") -> bool:
        if self.aggregation != "vote" or method == "decision_function":
            getattr(getattr(self, "estimator_", self._get_estimator()), method)
        return True

    return check


class PatchClassifier(SpectrogramClassifierMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Classify clips by their patches, with any scikit-learn classifier.

    Every clip is cut into patches of a few frames, and each flattened patch is one row for the estimator. The
    rows have the labels of their clips, and the scores of the rows are combined into one score per clip.

    Parameters
    ----------
    estimator : estimator, default=None
        Classifier of feature vectors, or a Pipeline that ends in one. None is the nearest neighbour by
        cosine, ``KNeighborsClassifier(1, metric="cosine")``, which works with one clip per class.
    patch_frames : int, default=1
        Number of frames of a patch. With 1, every frame of a spectrogram, or every embedding of a sequence,
        is a patch.
    hop_frames : int, default=None
        Number of frames from one patch of a clip to the next. None is half a patch, and at least one frame.
    pad_mode : {"repeat", "zero"}, default="repeat"
        Padding of clips that are shorter than a patch.
    aggregation : {"mean", "max", "vote"}, default="mean"
        How the probabilities of a clip are computed from its patches: the mean of their probabilities, the
        normalised maximum, or the share of patches with each predicted label. Only ``"vote"`` does not
        require ``predict_proba`` of the estimator.
    batch_size : int, default=4096
        Maximum number of patches that are predicted at once, for clips of any length.

    Attributes
    ----------
    estimator_ : estimator
        Clone of `estimator`, fitted to the patches.
    classes_ : ndarray of shape (n_classes,)
        Class labels, or the column indices of a multi-label `y`.
    multilabel_ : bool
        Whether `y` was an indicator matrix.
    patch_frames_ : int or None
        Number of frames of a patch; None for feature vectors.
    max_silence_ : float or None
        Largest share of silent frames at the end of a training clip; None for feature vectors. New clips with
        far more silence at their ends issue a warning.
    n_features_in_ : int
        Number of mel bands of the spectrograms, of dimensions of the embeddings, or of features.
    feature_names_in_ : ndarray of str
        Column names of X, if fitted on a DataFrame.

    See Also
    --------
    PrototypicalClassifier : Classifier of patches in a learned embedding space.

    Notes
    -----
    Clips may have any length. In `fit`, clips with more patches have more weight, unless ``sample_weight``
    compensates for it. In a matrix (n_clips, n_features), every row is one patch, and the results are the
    same as with the estimator alone. All patches are held in memory during `fit`, in single precision: 4 *
    n_mels * patch_frames bytes per patch.

    References
    ----------
    .. [1] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274. The nearest neighbour by cosine is its baseline.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.classifiers import PatchClassifier
    >>> low, high = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    >>> classifier = PatchClassifier().fit([np.tile(low, 3), np.tile(high, 5)], ["rumble", "hiss"])
    >>> mixed = np.hstack([low, high, high, high])
    >>> classifier.classes_, classifier.predict_proba([mixed])
    (array(['hiss', 'rumble'], dtype='<U6'), array([[0.75, 0.25]]))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "patch_frames": [Interval(Integral, 1, None, closed="left")],
        "hop_frames": [Interval(Integral, 1, None, closed="left"), None],
        "pad_mode": [StrOptions(set(PAD_MODES))],
        "aggregation": [StrOptions(set(AGGREGATIONS))],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        patch_frames: int = 1,
        hop_frames: int | None = None,
        pad_mode: str = "repeat",
        aggregation: str = "mean",
        batch_size: int = 4096,
    ) -> None:
        self.estimator = estimator
        self.patch_frames = patch_frames
        self.hop_frames = hop_frames
        self.pad_mode = pad_mode
        self.aggregation = aggregation
        self.batch_size = batch_size

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike | Sequence[NDArray], y: ArrayLike, **fit_params: Any) -> Self:
        """Fit a clone of the estimator to the patches of all clips.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames) or (n_clips, n_features)
            Spectrograms or sequences of embeddings, or feature vectors.
        y : array-like of shape (n_clips,) or (n_clips, n_labels)
            Class labels; or an indicator matrix, if the estimator supports several labels per row.
        **fit_params
            Parameters of the estimator's `fit`, such as ``sample_weight`` and ``groups``. Values with one
            entry per clip are repeated for its patches. With metadata routing, the estimator must request
            them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y is invalid, or if the estimator is not a classifier, or has no ``predict_proba``
            although `aggregation` requires it.
        TypeError
            If the estimator's `fit` does not accept one of `fit_params`.
        """
        if get_tags(self._get_estimator()).estimator_type != "classifier":
            raise ValueError(
                f"estimator={self.estimator!r} is not a classifier; pass one, or a Pipeline that ends in one"
            )
        clips = self._check_clips(X, reset=True)
        labels = self._check_labels(X, y, multilabel=True)
        self.multilabel_ = labels.ndim == 2
        self.classes_ = np.arange(labels.shape[1]) if self.multilabel_ else np.unique(labels)
        self.patch_frames_ = self.patch_frames if isinstance(clips, list) else None
        if isinstance(clips, list):
            patches = self._cut(clips)
            rows, clip_of_row = _flatten_all(patches, self.batch_size), patches.clip
        else:
            rows, clip_of_row = clips, np.arange(len(clips))
        params = routed_fit_params(self, fit_params, name="estimator")
        self.estimator_ = clone(self._get_estimator())
        self.estimator_.fit(rows, labels[clip_of_row], **_repeat_for_patches(params, clip_of_row))
        # Checked after the fit, because for some estimators it decides whether they have predict_proba.
        if self.aggregation != "vote" and not hasattr(self.estimator_, "predict_proba"):
            name = type(self.estimator_).__name__
            raise ValueError(
                f"aggregation={self.aggregation!r} needs probabilities, and {name} has no predict_proba; "
                f"use aggregation='vote', or wrap it as CalibratedClassifierCV({name}(...))"
            )
        return self

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Predict the probabilities of each clip, or the shares of its patches' votes.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Rows sum to 1. For a multi-label `y`, each entry is the probability of one label.
        """
        check_is_fitted(self)
        return self._clip_proba(self._check_clips(X, reset=False), self.aggregation)

    @available_if(_estimator_has("predict_proba"))
    def predict_log_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Compute the logarithms of :meth:`predict_proba`.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            The logarithm of 0 is minus infinity.
        """
        proba = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(proba)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Compute the mean, or with ``aggregation="max"`` the maximum, of the patches' decision functions.

        The order of the classes may differ from :meth:`predict`, which uses probabilities or votes.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes), or (n_clips,) with two classes
        """
        check_is_fitted(self)
        clips = self._check_clips(X, reset=False)
        scores = self._clip_scores(clips, self._margins, "max" if self.aggregation == "max" else "mean")
        if self.multilabel_ or len(self.classes_) != 2:
            return scores
        return (scores[:, 1] - scores[:, 0]) / 2

    def predict(self, X: ArrayLike | Sequence[NDArray]) -> NDArray:
        """Predict the label with the highest probability, or the most votes, for each clip.

        A tie between votes is decided by the mean probability. If the estimator has no ``predict_proba``, the
        first of the tied labels is predicted.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips,), or (n_clips, n_labels)
            For a multi-label `y`, 1 for every label with a probability, or a share of votes, above 0.5.
        """
        check_is_fitted(self)
        clips = self._check_clips(X, reset=False)
        proba = self._clip_proba(clips, self.aggregation)
        if self.multilabel_:
            return (proba > 0.5).astype(np.int64)
        if self.aggregation == "vote" and hasattr(self.estimator_, "predict_proba"):
            best = proba == proba.max(axis=1, keepdims=True)
            # A row of a matrix has a single vote, so only spectrograms can be tied.
            if len(tied := np.flatnonzero(best.sum(axis=1) > 1)):
                proba[tied] = best[tied] * (1 + self._clip_proba([clips[i] for i in tied], "mean"))
        return self.classes_[proba.argmax(axis=1)]

    def _get_estimator(self) -> Any:
        """Return the estimator to clone, by default the nearest neighbour by cosine."""
        return KNeighborsClassifier(1, metric="cosine") if self.estimator is None else self.estimator

    def _cut(self, clips: list[NDArray]) -> PatchData:
        """Cut clips into patches."""
        return cut_patches(self._spec(), clips, torch.device("cpu"))

    def _clip_proba(self, clips: NDArray | list[NDArray], aggregation: str) -> NDArray[np.floating]:
        """Compute the probabilities, or the shares of votes, of each clip."""
        if aggregation == "vote":
            return self._clip_scores(clips, self._votes, "mean")
        proba = self._clip_scores(clips, self._proba, aggregation)
        if aggregation == "max" and not self.multilabel_:
            proba /= proba.sum(axis=1, keepdims=True)
        return proba

    def _clip_scores(
        self, clips: NDArray | list[NDArray], score: Callable[[NDArray], NDArray], how: str
    ) -> NDArray[np.floating]:
        """Aggregate the scores of each clip's patches."""
        if isinstance(clips, np.ndarray):
            return aggregate(score(clips), np.ones(len(clips), dtype=np.int64), how=how)
        patches = self._cut(clips)
        scores = [score(_flatten(patches, part)) for part in patches.batches(self.batch_size)]
        return aggregate(np.concatenate(scores), patches.n_patches, how=how)

    def _votes(self, rows: NDArray) -> NDArray[np.floating]:
        """Return 1 for the predicted labels of rows, and 0 for other labels."""
        labels = self.estimator_.predict(rows)
        return np.asarray(labels if self.multilabel_ else labels[:, None] == self.classes_, dtype=np.float64)

    def _proba(self, rows: NDArray) -> NDArray[np.floating]:
        """Return the probabilities of rows, with one column per label for a multi-label `y`."""
        proba = self.estimator_.predict_proba(rows)
        if not self.multilabel_ or isinstance(proba, np.ndarray):
            return proba
        # One array per label, with one column per value of the label in fit.
        return np.column_stack(
            [
                p[:, list(values).index(1)] if 1 in values else np.zeros(len(p))
                for p, values in zip(proba, self.estimator_.classes_, strict=True)
            ]
        )

    def _margins(self, rows: NDArray) -> NDArray[np.floating]:
        """Return the decision function of rows, with two columns for two classes."""
        margins = self.estimator_.decision_function(rows)
        return margins if margins.ndim == 2 else np.column_stack([-margins, margins])

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the router that passes parameters of `fit` to the estimator.

        Returns
        -------
        MetadataRouter
        """
        return route_fit(self, estimator=self._get_estimator())

    def __sklearn_tags__(self) -> Tags:
        tags, estimator_tags = super().__sklearn_tags__(), get_tags(self._get_estimator())
        tags.input_tags.positive_only = estimator_tags.input_tags.positive_only
        tags.non_deterministic = estimator_tags.non_deterministic
        if estimator_tags.classifier_tags is not None:
            tags.classifier_tags = estimator_tags.classifier_tags
            # Indicator matrices are accepted without the tag, as in OneVsRestClassifier. The tag's check
            # rejects probabilities of exactly 0 and 1, which votes and nearest neighbours produce.
            tags.classifier_tags.multi_label = False
        return tags


def _flatten(patches: PatchData, part: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return selected patches, flattened."""
    return patches.gather(part).flatten(1).numpy()


def _flatten_all(patches: PatchData, batch_size: int) -> NDArray[np.float32]:
    """Return all patches, flattened in batches to save memory."""
    rows = np.empty((len(patches), patches.n_mels * patches.patch_frames), dtype=np.float32)
    for part in patches.batches(batch_size):
        rows[part] = _flatten(patches, part)
    return rows


def _repeat_for_patches(fit_params: dict[str, Any], clip_of_row: NDArray[np.int64]) -> dict[str, Any]:
    """Repeat per-clip fit parameters for every patch."""
    clips = range(clip_of_row[-1] + 1)
    for name, value in fit_params.items():
        if name.endswith("sample_weight"):
            check_consistent_length(clips, value)
    return _check_method_params(clips, fit_params, indices=clip_of_row)
