"""Meta-estimator that classifies by several blocks of features, whose weights are chosen by the data."""

from collections.abc import Sequence
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
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_is_fitted

from skfewaudio._arrays import to_numpy
from skfewaudio._embedded_clips import split_embedded
from skfewaudio._validation import check_spectrograms

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

    Attributes
    ----------
    blocks_ : list of (str, Pipeline)
        Names of the blocks, and fitted pipelines of the transformer and its scaler, if any.
    estimator_ : classifier
        Fitted clone of `estimator`.
    block_weights_ : dict of str to float
        Weight of each block by its name.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of mel bands of the spectrograms, or of features.

    See Also
    --------
    skfewaudio.pipelines.make_few_shot_classifier : Pipeline that uses this meta-estimator.
    sklearn.pipeline.FeatureUnion : Concatenates features without weights.

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
    """

    _parameter_constraints: dict[str, Any] = {
        "blocks": [list],
        "estimator": [HasMethods(["fit", "predict"])],
        "scaler": [HasMethods(["fit", "transform"]), None],
        "prior": ["array-like", None],
    }

    # Under metadata routing, what splits by recordings also passes the recordings to `fit`.
    __metadata_request__fit = {"groups": True}

    def __init__(
        self, blocks: Any, estimator: Any, *, scaler: Any = None, prior: ArrayLike | None = None
    ) -> None:
        self.blocks = blocks
        self.estimator = estimator
        self.scaler = scaler
        self.prior = prior

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
        spectrograms, embeddings = split_embedded(X)
        clips: Any = check_spectrograms(self, spectrograms, reset=True)
        names = [name for name, _ in self.blocks]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"blocks has the names {names}; expected one or more different names")
        self.blocks_, features = [], []
        weigh_by_relevance(self.prior, [np.nan] * len(names))  # fails before the features are computed
        for name, transformer in self.blocks:
            if _is_embedding(transformer):
                block, vectors = make_pipeline(PASSED), _select(embeddings, name)
            else:
                block = make_pipeline(clone(transformer).fit(clips))
                vectors = block.transform(clips)
            if self.scaler is not None:
                sizes = block[0].block_sizes() if hasattr(block[0], "block_sizes") else None
                scaler = clone(self.scaler).set_params(block_sizes=sizes).fit(vectors)
                block, vectors = make_pipeline(block[0], scaler), scaler.transform(vectors)
            self.blocks_.append((name, block))
            features.append(to_numpy(vectors))
        relevances = [measured_relevance(block[0]) for _, block in self.blocks_]
        prior = weigh_by_relevance(self.prior, relevances)
        estimator = clone(self.estimator)
        estimator.set_params(block_sizes=[block.shape[1] for block in features], block_prior=prior.tolist())
        params = {"sample_weight": sample_weight, "groups": groups}
        given = {name: value for name, value in params.items() if value is not None}
        self.estimator_ = estimator.fit(np.hstack(features), y, **given)
        self.block_weights_ = dict(zip(names, estimator.block_weights_.tolist(), strict=True))
        self.classes_ = self.estimator_.classes_
        return self

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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _is_embedding(transformer: Any) -> bool:
    return isinstance(transformer, str) and transformer == PASSED


def _select(embeddings: dict[str, NDArray[np.floating]], name: str) -> NDArray[np.floating]:
    """Return the embeddings (n_clips, n_dims) of a name."""
    if name not in embeddings:
        found = f"have the embeddings {', '.join(embeddings)}" if embeddings else "have no embeddings"
        raise ValueError(
            f"the block {name!r} is {PASSED!r}, an embedding, and the clips {found}; put "
            f"SpectrogramWithEmbeddings(LogMel(), [({name!r}, ...)]) before the classifier"
        )
    return embeddings[name]
