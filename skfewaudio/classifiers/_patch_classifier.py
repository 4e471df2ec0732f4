"""Any scikit-learn classifier over the patches of clips."""

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
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, check_consistent_length, check_is_fitted

from skfewaudio.audio.aggregation import AGGREGATIONS, aggregate
from skfewaudio.audio.patches import PAD_MODES

from ._base import SpectrogramClassifierMixin
from ._networks.patches import PatchData, cut_patches


def _gives(method: str) -> Callable[[Any], bool]:
    """Check that there is a `method`; the wrapped estimator's own AttributeError says why not."""

    def check(self: "PatchClassifier") -> bool:
        if self.aggregation != "vote" or method == "decision_function":
            getattr(getattr(self, "estimator_", self._given()), method)
        return True

    return check


class PatchClassifier(SpectrogramClassifierMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Classify clips by the patches they consist of, with any scikit-learn classifier.

    Every clip is cut into patches of a few frames, and a patch, flattened, is one row for the estimator. The
    rows have the labels of their clips, and the scores of a clip's rows are combined into the clip's.

    Parameters
    ----------
    estimator : estimator, default=None
        A classifier of rows of numbers, or a Pipeline that ends in one. None is the nearest neighbour by
        cosine, ``KNeighborsClassifier(1, metric="cosine")``, which works from one clip per class.
    patch_frames : int, default=1
        Frames of a patch. 1 takes every frame of a spectrogram, and every embedding of a sequence, by itself.
    hop_frames : int, default=None
        Frames from one patch of a clip to the next. None is half a patch, and at least one frame.
    pad_mode : {"repeat", "zero"}, default="repeat"
        What fills a clip shorter than a patch.
    aggregation : {"mean", "max", "vote"}, default="mean"
        A clip's probabilities are the mean of its patches', or their maximum, normalised, or the share of
        patches that are given each label. Only ``"vote"`` goes without the estimator's ``predict_proba``.
    batch_size : int, default=4096
        Patches that are predicted at once, however long the clips.

    Attributes
    ----------
    estimator_ : estimator
        The clone of `estimator` that was fitted on the patches.
    classes_ : ndarray of shape (n_classes,)
        The labels, or the numbers of the columns of a multi-label `y`.
    multilabel_ : bool
        Whether `y` was an indicator matrix, for clips with any number of labels.
    patch_frames_ : int or None
        Frames of a patch, where X holds spectrograms or sequences.
    n_features_in_ : int
        Mel bands of the spectrograms, dimensions of the embeddings, or features.
    feature_names_in_ : ndarray of str
        Only if fitted on a DataFrame that has column names.

    See Also
    --------
    PrototypicalClassifier : Patches of spectrograms in a space learnt for them.

    Notes
    -----
    Clips may have any lengths; in the fit, one with more patches counts for more, unless ``sample_weight``
    says otherwise. A plain matrix (n_clips, n_features) has one patch per row, and the estimator works as by
    itself. Fitting holds all patches at once, in single precision: 4 * n_mels * patch_frames bytes for each.

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
        """Fit a clone of the estimator on the patches of all clips.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames) or (n_clips, n_features)
            Spectrograms or sequences of embeddings, or feature vectors.
        y : array-like of shape (n_clips,) or (n_clips, n_labels)
            Labels; or zeros and ones, where the estimator takes several labels a row.
        **fit_params
            For the estimator's `fit`, such as ``sample_weight``. What has an entry for each clip is repeated
            for its patches.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y cannot be used, or the estimator is no classifier, or gives no probabilities where
            `aggregation` needs them.
        TypeError
            If the estimator's `fit` does not take one of `fit_params`.
        """
        if get_tags(self._given()).estimator_type != "classifier":
            raise ValueError(
                f"estimator={self.estimator!r} is no classifier; give one, or a Pipeline that ends in one"
            )
        clips = self._check_clips(X, reset=True)
        labels = self._check_labels(X, y, multilabel=True)
        self.multilabel_ = labels.ndim == 2
        self.classes_ = np.arange(labels.shape[1]) if self.multilabel_ else np.unique(labels)
        self.patch_frames_ = self.patch_frames if isinstance(clips, list) else None
        if isinstance(clips, list):
            patches = self._cut(clips)
            rows, clip_of_row = _all_rows(patches, self.batch_size), patches.clip
        else:
            rows, clip_of_row = clips, np.arange(len(clips))
        self.estimator_ = clone(self._given())
        self.estimator_.fit(rows, labels[clip_of_row], **_repeat(fit_params, clip_of_row))
        # Not before: some estimators know only when they are fitted whether they give probabilities.
        if self.aggregation != "vote" and not hasattr(self.estimator_, "predict_proba"):
            name = type(self.estimator_).__name__
            raise ValueError(
                f"aggregation={self.aggregation!r} needs probabilities, and {name} has no predict_proba; "
                f"take aggregation='vote', or wrap it as CalibratedClassifierCV({name}(...))"
            )
        return self

    @available_if(_gives("predict_proba"))
    def predict_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the probabilities of a clip's patches as one, or the shares of their votes.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Rows sum to 1; or each entry is the probability of one label, where `y` was multi-label.
        """
        check_is_fitted(self)
        return self._clip_proba(self._check_clips(X, reset=False), self.aggregation)

    @available_if(_gives("predict_proba"))
    def predict_log_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the logarithms of :meth:`predict_proba`.

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

    @available_if(_gives("decision_function"))
    def decision_function(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the mean of the patches' decision functions; their maximum with ``aggregation="max"``.

        It need not rank a clip's classes as :meth:`predict` does, which goes by probabilities or votes.

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
        """Give each clip the label with the highest probability, or most votes.

        Of labels with equally many votes it is the one with the highest mean probability, or the first, where
        the estimator gives no probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips,), or (n_clips, n_labels)
            Where `y` was multi-label, 1 for every label with a probability, or a share of votes, above 0.5.
        """
        check_is_fitted(self)
        clips = self._check_clips(X, reset=False)
        proba = self._clip_proba(clips, self.aggregation)
        if self.multilabel_:
            return (proba > 0.5).astype(np.int64)
        if self.aggregation == "vote" and hasattr(self.estimator_, "predict_proba"):
            best = proba == proba.max(axis=1, keepdims=True)
            # A row of a plain matrix has one vote, so these are spectrograms.
            if len(tied := np.flatnonzero(best.sum(axis=1) > 1)):
                proba[tied] = best[tied] * (1 + self._clip_proba([clips[i] for i in tied], "mean"))
        return self.classes_[proba.argmax(axis=1)]

    def _given(self) -> Any:
        """Give the estimator to clone."""
        return KNeighborsClassifier(1, metric="cosine") if self.estimator is None else self.estimator

    def _cut(self, clips: list[NDArray]) -> PatchData:
        """Cut clips into the patches that slide over them."""
        return cut_patches(self, clips, torch.device("cpu"))

    def _clip_proba(self, clips: NDArray | list[NDArray], aggregation: str) -> NDArray[np.floating]:
        """Give each clip its probabilities, or the shares of votes."""
        if aggregation == "vote":
            return self._clip_scores(clips, self._votes, "mean")
        proba = self._clip_scores(clips, self._proba, aggregation)
        if aggregation == "max" and not self.multilabel_:
            proba /= proba.sum(axis=1, keepdims=True)
        return proba

    def _clip_scores(
        self, clips: NDArray | list[NDArray], score: Callable[[NDArray], NDArray], how: str
    ) -> NDArray[np.floating]:
        """Put together the scores of each clip's patches."""
        if isinstance(clips, np.ndarray):
            return aggregate(score(clips), np.ones(len(clips), dtype=np.int64), how=how)
        patches = self._cut(clips)
        scores = [score(_rows(patches, part)) for part in patches.batches(self.batch_size)]
        return aggregate(np.concatenate(scores), patches.n_patches, how=how)

    def _votes(self, rows: NDArray) -> NDArray[np.floating]:
        """Give 1 for what a row is predicted to be, and 0 for the rest."""
        labels = self.estimator_.predict(rows)
        return np.asarray(labels if self.multilabel_ else labels[:, None] == self.classes_, dtype=np.float64)

    def _proba(self, rows: NDArray) -> NDArray[np.floating]:
        """Give the probabilities of rows, one column per label where `y` was multi-label."""
        proba = self.estimator_.predict_proba(rows)
        if not self.multilabel_ or isinstance(proba, np.ndarray):
            return proba
        # One array for each label, with a column for each of the values that the label had in fit.
        return np.column_stack(
            [
                p[:, list(values).index(1)] if 1 in values else np.zeros(len(p))
                for p, values in zip(proba, self.estimator_.classes_, strict=True)
            ]
        )

    def _margins(self, rows: NDArray) -> NDArray[np.floating]:
        """Give the decision function of rows, with a column for either of two classes."""
        margins = self.estimator_.decision_function(rows)
        return margins if margins.ndim == 2 else np.column_stack([-margins, margins])

    def __sklearn_tags__(self) -> Tags:
        tags, given = super().__sklearn_tags__(), get_tags(self._given())
        tags.input_tags.positive_only = given.input_tags.positive_only
        tags.non_deterministic = given.non_deterministic
        if given.classifier_tags is not None:
            tags.classifier_tags = given.classifier_tags
            # Indicators are taken without the tag, as OneVsRestClassifier takes them: the tag's check refuses
            # probabilities of exactly 0 and 1, and votes and nearest neighbours give no other.
            tags.classifier_tags.multi_label = False
        return tags


def _rows(patches: PatchData, part: NDArray[np.int64]) -> NDArray[np.float32]:
    """Give some of the patches, flattened."""
    return patches.gather(part).flatten(1).numpy()


def _all_rows(patches: PatchData, batch_size: int) -> NDArray[np.float32]:
    """Give all patches, flattened, without a second copy of them in between."""
    rows = np.empty((len(patches), patches.n_mels * patches.patch_frames), dtype=np.float32)
    for part in patches.batches(batch_size):
        rows[part] = _rows(patches, part)
    return rows


def _repeat(fit_params: dict[str, Any], clip_of_row: NDArray[np.int64]) -> dict[str, Any]:
    """Give what has an entry for each clip one for each patch."""
    clips = range(clip_of_row[-1] + 1)
    for name, value in fit_params.items():
        if name.endswith("sample_weight"):
            check_consistent_length(clips, value)
    return _check_method_params(clips, fit_params, indices=clip_of_row)
