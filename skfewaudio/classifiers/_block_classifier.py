"""Meta-estimator that classifies by several blocks of features, whose weights are chosen by the data."""

from collections.abc import Sequence
from contextlib import nullcontext
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    _fit_context,
    clone,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import _BaseComposition, available_if
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from skfewaudio._arrays import to_numpy
from skfewaudio._embedded_clips import split_embedded
from skfewaudio._torch import torch_threads
from skfewaudio._validation import check_spectrograms

from ._kept_clips import KeptClips, check_kept_labels, keep_clips
from ._ridge.self_training import is_labelled
from ._wrapped import WrappedClassifierMixin
from .block_prior import measured_relevance, weigh_by_relevance

PASSED = "passthrough"


class BlockClassifier(
    WrappedClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    ClassifierMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    _BaseComposition,
):
    """Classify clips by several descriptions of them, whose weights are chosen from the training clips.

    Each transformer computes one block of features. The classifier learns the sizes of the blocks and chooses
    their weights: words differ in the order of sounds, rain and wind in their texture, and a user need not
    know which description suits the recordings.

    Parameters
    ----------
    blocks : list of (str, transformer)
        Names and transformers of the clips to vectors. A transformer can have an attribute ``relevance_``
        after `fit`, from 0 to 1, on which `prior` depends. ``"passthrough"`` is the embedding with this name
        of clips from :class:`~skfewaudio.features.SpectrogramWithEmbeddings`.
    estimator : classifier
        Classifier with the parameters ``block_sizes`` and ``block_prior``, such as
        :class:`CalibratedRidgeClassifier`.
    scaler : transformer, default=None
        Scaler of each block with the parameter ``block_sizes``, such as
        :class:`~skfewaudio.features.BlockScaler`. It scales the parts of a vector separately if the
        transformer has a method ``block_sizes``. None leaves the features as they are.
    prior : array-like of shape (n_blocks,) or (2, n_blocks), default=None
        Weights of the blocks before any clip is seen, which are multiplied by ``relevance_`` where a
        transformer has it. Two rows are the weights for a relevance of 0 and of 1, and are interpolated;
        a block without the attribute follows the mean relevance of the others. None gives all blocks the
        same weight.
    incremental : bool, default=False
        Whether :meth:`fit` keeps the features of the clips, so that :meth:`partial_fit` can add clips and
        classes later. They take 4 bytes per feature and clip, also in a saved model.

    Attributes
    ----------
    blocks_ : list of (str, Pipeline)
        Names of the blocks, and fitted pipelines of the transformer and its scaler, if any.
    estimator_ : classifier
        Fitted clone of `estimator`.
    block_weights_ : dict of str to float
        Weight of each block by its name.
    kept_clips_ : object or None
        Features, labels, weights and recordings of the clips so far, for :meth:`partial_fit`; None if they
        are not kept.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of mel bands of the spectrograms, or of features.

    See Also
    --------
    skfewaudio.pipelines.make_few_shot_classifier : Pipeline that uses this meta-estimator.
    sklearn.pipeline.FeatureUnion : Concatenates features without weights.

    Notes
    -----
    :meth:`partial_fit` computes the features of the new clips only. The scalers, the weights of the blocks
    and the classifier are then fitted to all clips so far, so that the result equals one fit to all of them.
    The transformers must compute the features of a clip from this clip alone, as their tag
    ``requires_fit=False`` states. If such a transformer has a method ``partial_fit``, it measures the new
    clips, such as their durations for ``relevance_``. Any other transformer stays as it was fitted to the
    first clips.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.classifiers import BlockClassifier, CalibratedRidgeClassifier
    >>> from skfewaudio.features import BlockScaler, SoundEmbed, SpectrogramStatistics
    >>> X = -60 + 3 * np.random.default_rng(0).standard_normal((6, 64, 60))
    >>> X[3:, :20] += 20
    >>> blocks = [("statistics", SpectrogramStatistics()), ("embedding", SoundEmbed())]
    >>> classifier = BlockClassifier(blocks, CalibratedRidgeClassifier(), scaler=BlockScaler())
    >>> classifier.fit(X, ["wind"] * 3 + ["horn"] * 3).predict(X[[0, 5]])
    array(['wind', 'horn'], dtype='<U4')

    Add a class later:

    >>> classifier = classifier.set_params(incremental=True).fit(X, ["wind"] * 3 + ["horn"] * 3)
    >>> classifier.partial_fit(X[:2, ::-1] + 10 * np.sin(np.arange(60)), ["bell"] * 2).classes_
    array(['bell', 'horn', 'wind'], dtype='<U4')
    """

    _parameter_constraints: dict[str, Any] = {
        "blocks": [list],
        "estimator": [HasMethods(["fit", "predict"])],
        "scaler": [HasMethods(["fit", "transform"]), None],
        "prior": ["array-like", None],
        "incremental": ["boolean"],
    }

    kept_clips_: KeptClips | None

    # Under metadata routing, what splits by recordings also passes the recordings to `fit`.
    __metadata_request__fit = {"groups": True}
    __metadata_request__partial_fit = {"groups": True}

    def __init__(
        self,
        blocks: Any,
        estimator: Any,
        *,
        scaler: Any = None,
        prior: ArrayLike | None = None,
        incremental: bool = False,
    ) -> None:
        self.blocks = blocks
        self.estimator = estimator
        self.scaler = scaler
        self.prior = prior
        self.incremental = incremental

    @property
    def semi_supervised(self) -> bool:
        """Whether the classifier uses clips without labels."""
        return bool(getattr(self.estimator, "semi_supervised", False))

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike | Sequence[NDArray],
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit the transformers, the scalers and the classifier.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames) or (n_clips, n_features)
            Clips, as the transformers expect them; or clips with embeddings.
        y : array-like of shape (n_clips,)
            Labels.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips in the classifier.
        groups : array-like of shape (n_clips,), default=None
            Recording of each clip. None treats every clip as a separate recording.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid.
        """
        labels = check_kept_labels(self, y, unlabelled=self.semi_supervised) if self.incremental else None
        transformers, vectors = self._start(X)
        if labels is not None:
            clips = keep_clips(vectors, labels, sample_weight, groups)
            return self._fit_kept(transformers, vectors, clips)
        params = {"sample_weight": sample_weight, "groups": groups}
        given = {name: value for name, value in params.items() if value is not None}
        self._fit_features(transformers, vectors, [to_numpy(block) for block in vectors], y, given)
        self.kept_clips_ = None
        return self

    @available_if(lambda self: self._can_add_clips())
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(
        self,
        X: ArrayLike | Sequence[NDArray],
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Add clips of known or new classes, and fit the classifier to all clips so far.

        The result equals one `fit` to all clips. If the classifier is not fitted, `partial_fit` starts with
        these clips, which must then have at least two classes, and keeps their features. After an error, the
        classifier is the same as before.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.
        y : array-like of shape (n_clips,)
            Labels. A new label becomes a new class.
        classes : array-like of shape (n_classes,), default=None
            All possible labels, as in scikit-learn's classifiers. They are checked, but not required.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips in the classifier. If weights are given in some calls only, the other clips
            have weight 1.
        groups : array-like of shape (n_clips,), default=None
            Recording of each clip. A group that was given in an earlier call is the same recording. None
            treats every clip as a separate recording.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y, the weights or the groups are invalid, or if `y` has a label that is not in `classes`.
        AttributeError
            If `fit` did not keep the features of its clips. The method is then missing, as `hasattr` shows.
        """
        known: KeptClips | None = getattr(self, "kept_clips_", None)
        labels = check_kept_labels(self, y, unlabelled=self.semi_supervised)
        if classes is not None:
            labelled = labels[is_labelled(labels)] if self.semi_supervised else labels
            if len(unknown := np.setdiff1d(labelled, np.asarray(classes))):
                raise ValueError(f"y has labels that classes lacks: {unknown.tolist()}")
        transformers, vectors = self._start(X) if known is None else self._continue(X)
        clips = keep_clips(vectors, labels, sample_weight, groups)
        if known is not None:
            clips = known.join(clips, unlabelled=self.semi_supervised)
        return self._fit_kept(transformers, vectors, clips)

    def _can_add_clips(self) -> bool:
        """Return whether partial_fit is available, or raise AttributeError with the remedy."""
        if hasattr(self, "estimator_") and getattr(self, "kept_clips_", None) is None:
            raise AttributeError(
                "fit did not keep the features of the clips, because of incremental=False; fit again with "
                "incremental=True to add clips by partial_fit later"
            )
        return True

    def _start(self, X: Any) -> tuple[list[tuple[str, Any]], list[Any]]:
        """Fit the transformers, and compute the features of each block."""
        names = [name for name, _ in self.blocks]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"blocks has the names {names}; expected one or more different names")
        weigh_by_relevance(self.prior, [np.nan] * len(names))  # fails before the features are computed
        spectrograms, embeddings = split_embedded(X)
        clips = check_spectrograms(self, spectrograms, reset=True)
        transformers = [
            (name, transformer if _is_embedding(transformer) else clone(transformer).fit(clips))
            for name, transformer in self.blocks
        ]
        return transformers, _describe(transformers, clips, embeddings)

    def _continue(self, X: Any) -> tuple[list[tuple[str, Any]], list[Any]]:
        """Measure further clips in copies of the transformers, and compute the features of each block."""
        spectrograms, embeddings = split_embedded(X)
        clips = check_spectrograms(self, spectrograms, reset=False)
        transformers = [(name, _measure(block[0], clips)) for name, block in self.blocks_]
        return transformers, _describe(transformers, clips, embeddings)

    def _fit_kept(self, transformers: list[tuple[str, Any]], vectors: list[Any], clips: KeptClips) -> Self:
        """Fit to clips, and keep them."""
        self._fit_features(transformers, vectors, clips.features, clips.labels, clips.fit_params)
        self.kept_clips_ = clips
        return self

    def _fit_features(
        self,
        transformers: list[tuple[str, Any]],
        vectors: list[Any],
        features: list[NDArray[np.floating]],
        y: Any,
        params: dict[str, Any],
    ) -> None:
        """Fit the scalers and the classifier to features; `vectors` may be tables with names of columns."""
        blocks, scaled = [], []
        for (name, transformer), table, rows in zip(transformers, vectors, features, strict=True):
            steps = [transformer]
            if self.scaler is not None:
                sizes = transformer.block_sizes() if hasattr(transformer, "block_sizes") else None
                scaler = clone(self.scaler).set_params(block_sizes=sizes).fit(rows)
                rows = to_numpy(scaler.transform(rows))
                _check_feature_names(scaler, table, reset=True)
                steps.append(scaler)
            blocks.append((name, make_pipeline(*steps)))
            scaled.append(rows)
        prior = weigh_by_relevance(self.prior, [measured_relevance(part) for _, part in transformers])
        estimator = clone(self.estimator)
        estimator.set_params(block_sizes=[block.shape[1] for block in scaled], block_prior=prior.tolist())
        self.estimator_ = estimator.fit(np.hstack(scaled), y, **params)
        self.blocks_ = blocks
        names = [name for name, _ in blocks]
        self.block_weights_ = dict(zip(names, estimator.block_weights_.tolist(), strict=True))
        self.classes_ = self.estimator_.classes_

    def transform(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Compute the scaled features, each block multiplied by the square root of its weight.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_features)
            The dot product of two rows is the similarity that the classifier uses.
        """
        check_is_fitted(self)
        roots = [weight**0.5 for weight in self.block_weights_.values()]
        return np.hstack([root * block for root, block in zip(roots, self._compute(X), strict=True)])

    @property
    def _n_features_out(self) -> int:
        """Number of columns of `transform`, for get_feature_names_out."""
        n_features: int = self.estimator_.n_features_in_
        return n_features

    def _compute(self, X: ArrayLike | Sequence[NDArray]) -> list[NDArray[np.floating]]:
        """Compute the scaled blocks of clips."""
        spectrograms, embeddings = split_embedded(X)
        clips = check_spectrograms(self, spectrograms, reset=False)
        # A transformer computes a single clip by one thread, and a change of their number takes time.
        with torch_threads(1) if len(clips) == 1 else nullcontext():
            return [
                to_numpy(block.transform(_select(embeddings, name) if _is_embedding(block[0]) else clips))
                for name, block in self.blocks_
            ]

    def _prepare(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        return np.hstack(self._compute(X))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, also of the transformers by the names of the blocks.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parameters of the transformers and of the classifier, too.

        Returns
        -------
        dict
        """
        return self._get_params("blocks", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also of the transformers by the names of the blocks.

        Parameters
        ----------
        **params : object
            For example ``statistics__n_filters=32``, or ``statistics=...`` for another transformer.

        Returns
        -------
        self
        """
        self._set_params("blocks", **params)
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A model of an earlier version lacks the parameter.
        super().__setstate__({"incremental": False} | state)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _is_embedding(transformer: Any) -> bool:
    return isinstance(transformer, str) and transformer == PASSED


def _measure(transformer: Any, clips: Any) -> Any:
    """Return a transformer that has measured further clips, or the same one if it measures nothing.

    A transformer whose features depend on the clips that it has seen is not changed: the features of the
    clips so far are computed.
    """
    is_measuring = hasattr(transformer, "partial_fit") and not get_tags(transformer).requires_fit
    return deepcopy(transformer).partial_fit(clips) if is_measuring else transformer


def _describe(
    transformers: list[tuple[str, Any]], clips: Any, embeddings: dict[str, NDArray[np.floating]]
) -> list[Any]:
    """Compute the features of each block: arrays, or tables if the transformers return tables."""
    return [
        _select(embeddings, name) if _is_embedding(transformer) else transformer.transform(clips)
        for name, transformer in transformers
    ]


def _select(embeddings: dict[str, NDArray[np.floating]], name: str) -> NDArray[np.floating]:
    """Return the embeddings (n_clips, n_dims) of a name."""
    if name not in embeddings:
        found = f"have the embeddings {', '.join(embeddings)}" if embeddings else "have no embeddings"
        raise ValueError(
            f"the block {name!r} is {PASSED!r}, an embedding, and the clips {found}; put "
            f"SpectrogramWithEmbeddings(LogMel(), [({name!r}, ...)]) before the classifier"
        )
    return embeddings[name]
