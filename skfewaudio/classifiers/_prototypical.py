"""Classification with prototypical networks."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skfewaudio._presets import choose_preset
from skfewaudio.audio.aggregation import aggregate

from ._base import NETWORK_CONSTRAINTS, SpectrogramClassifierMixin
from ._networks.building import resolve_patch_frames
from ._networks.episodes import DISTANCES
from ._networks.presets import PROTOTYPICAL
from ._networks.train_prototypes import clip_log_proba, embed_patches, train_network


class PrototypicalClassifier(
    SpectrogramClassifierMixin,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Classify clips by the nearest class prototype, in an embedding space learned from episodes.

    A prototype is the mean embedding of the clips of a class. The network that computes the embeddings is
    trained on episodes: patches of some clips form prototypes, and patches of other clips are classified by a
    softmax over their negative distances to the prototypes. No clip is held out for validation.

    Parameters
    ----------
    architecture : str, class, callable, fitted estimator or None, default="auto"
        Name of a registered architecture; a class or function that builds a network from ``n_outputs``,
        ``n_mels`` and ``n_frames``; or a fitted `SkorchCNN` or `PrototypicalClassifier`, whose network is
        fine-tuned with a new output layer. None uses the input itself as the embedding, without training.
        ``"auto"`` is ``"pooled_filters"`` for spectrograms and None for feature vectors.
    architecture_params : dict, default=None
        Further arguments of the architecture.
    weights : str or path-like, default=None
        Initial weights of all layers except the output layer: a file (``.pth``, ``.safetensors``), or the
        name of published weights, such as ``"vggish"``. None keeps the initial weights of the architecture.
    embedding_size : int, default=256
        Dimensions of the embedding space: the outputs of the network.
    patch_frames : int, default=None
        Number of frames of a patch. None uses the patch length of the architecture, or else the length of the
        longest training clip, up to 256 frames.
    hop_frames : int, default=None
        Number of frames from one patch of a clip to the next. None is half a patch.
    pad_mode : {"repeat", "zero"}, default="repeat"
        Padding of clips that are shorter than a patch.
    distance : {"euclidean", "cosine"}, default="euclidean"
        Mean squared difference over the dimensions, or one minus the cosine.
    n_support : int, default=5
        Number of support patches per class in an episode.
    n_query : int, default=5
        Number of query patches per class in an episode.
    fixed_support : bool, default=False
        Whether all episodes have the same support. If False, the support is drawn again for every episode,
        queries come from other clips, and the prototypes are computed from all clips. A class with one clip
        provides no queries. If no class has two clips, the network keeps its initial weights, because a
        single clip contains no information about the variation within its class. If True, the support of the
        first episode is used for all episodes and for the prototypes, and may also occur among the queries,
        as in [1]_.
    recalibrate : bool, default=True
        Whether to recompute the batch-norm statistics on the training clips after training, instead of
        keeping their running averages.
    optimizer : class, default=torch.optim.Adam
        Torch optimizer.
    learning_rate : float, default=0.001
        Learning rate of the optimizer.
    backbone_learning_rate : float, default=None
        Learning rate of all layers except the output layer. None uses `learning_rate`; 0 freezes these
        layers.
    gradient_clip : float, default=None
        Maximum norm of the gradient; larger gradients are scaled down to it. None disables clipping.
    max_epochs : int, default=20
        Maximum number of epochs. 0 keeps the initial weights of the network.
    updates_per_epoch : int, default=10
        Number of episodes per epoch. None uses the number of training patches divided by the number of query
        patches, and at least 1.
    patience : int, default=None
        Number of epochs without improvement of the accuracy on the training clips after which training stops.
        None disables early stopping and does not measure the accuracy.
    callbacks : list of skorch callbacks, default=None
        Callbacks that are called during training. A callback may stop the training early.
    batch_size : int, default=64
        Maximum number of patches in a batch outside training.
    mixed_precision : bool, default=None
        Whether to compute matrix products in bfloat16. None does so only on a GPU.
    device : str, default=None
        Torch device. None uses CUDA if available.
    n_threads : int, default=1
        Number of threads that train the network on a CPU. With another number, sums are rounded differently
        and another network is trained. The default gives the same network in every process, whatever the
        number of cores that it may use.
    random_state : int, RandomState instance or None, default=None
        Controls the initial weights, the episodes and dropout.
    verbose : int, default=0
        1 prints one line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    prototypes_ : ndarray of shape (n_classes, n_dimensions)
        Mean embedding of each class.
    class_count_ : ndarray of shape (n_classes,)
        Number of clips (with `fixed_support`, of patches) that each prototype is the mean of.
    n_features_in_ : int
        Number of mel bands of the spectrograms, or of features.
    net_ : skorch.NeuralNet or None
        Net that trained the network; None without an architecture, or in a model loaded from a file.
    network_ : torch.nn.Module or None
        Trained network; None without an architecture.
    history_ : skorch.history.History or None
        Training history, with one entry per epoch; None without an architecture.
    patch_frames_ : int or None
        Number of frames of a patch; None for feature vectors.
    max_silence_ : float or None
        Largest share of silent frames at the end of a training clip; None for feature vectors. New clips with
        far more silence at their ends issue a warning.

    See Also
    --------
    sklearn.neighbors.NearestCentroid : Prototypes in the input space.

    Notes
    -----
    The defaults differ from [1]_, whose settings are available from :meth:`from_preset`; the user guide lists
    the differences. The score of a clip is the mean log-probability of its patches.

    References
    ----------
    .. [1] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274.
    .. [2] J. Snell, K. Swersky, R. Zemel, "Prototypical networks for few-shot learning",
       NeurIPS 2017. arXiv:1703.05175.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio import PrototypicalClassifier
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [4.0, 4.0], [5.0, 4.0]])
    >>> classifier = PrototypicalClassifier().fit(X, ["bark", "bark", "horn", "horn"])
    >>> classifier.prototypes_
    array([[0. , 0.5],
           [4.5, 4. ]])
    >>> classifier.partial_fit([[9.0, 0.0]], ["siren"]).predict([[8.0, 1.0], [1.0, 0.0]])
    array(['siren', 'bark'], dtype='<U5')
    """

    _parameter_constraints: dict = {
        **NETWORK_CONSTRAINTS,
        "embedding_size": [Interval(Integral, 1, None, closed="left")],
        "distance": [StrOptions(set(DISTANCES))],
        "n_support": [Interval(Integral, 1, None, closed="left")],
        "n_query": [Interval(Integral, 1, None, closed="left")],
        "fixed_support": ["boolean"],
        "recalibrate": ["boolean"],
        "max_epochs": [Interval(Integral, 0, None, closed="left")],
        "updates_per_epoch": [Interval(Integral, 1, None, closed="left"), None],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        architecture: str | Callable[..., nn.Module] | None = "auto",
        *,
        architecture_params: Mapping[str, Any] | None = None,
        weights: str | PathLike[str] | None = None,
        embedding_size: int = 256,
        patch_frames: int | None = None,
        hop_frames: int | None = None,
        pad_mode: str = "repeat",
        distance: str = "euclidean",
        n_support: int = 5,
        n_query: int = 5,
        fixed_support: bool = False,
        recalibrate: bool = True,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        learning_rate: float = 0.001,
        backbone_learning_rate: float | None = None,
        gradient_clip: float | None = None,
        max_epochs: int = 20,
        updates_per_epoch: int | None = 10,
        patience: int | None = None,
        callbacks: list | None = None,
        batch_size: int = 64,
        mixed_precision: bool | None = None,
        device: str | None = None,
        n_threads: int = 1,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.architecture = architecture
        self.architecture_params = architecture_params
        self.weights = weights
        self.embedding_size = embedding_size
        self.patch_frames = patch_frames
        self.hop_frames = hop_frames
        self.pad_mode = pad_mode
        self.distance = distance
        self.n_support = n_support
        self.n_query = n_query
        self.fixed_support = fixed_support
        self.recalibrate = recalibrate
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.backbone_learning_rate = backbone_learning_rate
        self.gradient_clip = gradient_clip
        self.max_epochs = max_epochs
        self.updates_per_epoch = updates_per_epoch
        self.patience = patience
        self.callbacks = callbacks
        self.batch_size = batch_size
        self.mixed_precision = mixed_precision
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Create a classifier with the settings of a paper.

        Parameters
        ----------
        name : {"few-data", "few-data-transfer"}
            ``"few-data"`` is the prototypical network of arXiv:1810.10274, trained until it just overfits,
            for ``LogMel.from_preset("few-data")``. ``"few-data-transfer"`` fine-tunes VGGish on the same
            episodes, for ``LogMel.from_preset("vggish")``.
        **overrides
            Parameters that replace parameters of the preset.

        Returns
        -------
        PrototypicalClassifier

        Raises
        ------
        ValueError
            If the preset is unknown.
        """
        return cls(**choose_preset(PROTOTYPICAL, name, overrides))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike | Sequence[NDArray], y: ArrayLike) -> Self:
        """Train the network, if any, and compute the prototypes.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames) or (n_clips, n_features)
            Spectrograms, or feature vectors.
        y : array-like of shape (n_clips,)
            Class labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid, or if the training diverges.
        """
        clips, y = self._check_clips(X, reset=True), self._check_labels(X, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.class_count_ = np.zeros(len(self.classes_), dtype=np.int64)
        self.net_: Any = None
        self.network_: Any = None
        self.history_: Any = None
        self.patch_frames_: Any = None
        architecture = self._choose_architecture(clips)
        if isinstance(clips, list):
            self.patch_frames_ = resolve_patch_frames(self._spec(), architecture, clips)
        if isinstance(clips, list) and architecture is not None:
            self.net_, embeddings, codes = train_network(self._spec(), architecture, clips, codes)
            self.network_, self.history_ = self.net_.module_.architecture, self.net_.history
        else:
            embeddings = aggregate(*embed_patches(self._spec(), clips))
        self.prototypes_ = np.zeros((len(self.classes_), embeddings.shape[1]))
        self._add_to_prototypes(embeddings, codes)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike | Sequence[NDArray], y: ArrayLike, classes: ArrayLike | None = None
    ) -> Self:
        """Add clips of known or new classes to the prototypes, without changing the network.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.
        y : array-like of shape (n_clips,)
            Class labels. A new label becomes a new class.
        classes : array-like of shape (n_classes,), default=None
            All possible labels, as in scikit-learn's classifiers. They are checked, but not required.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y is invalid, or if `y` has a label that is not in `classes`.
        """
        if classes is not None and len(unknown := np.setdiff1d(y, classes)):
            raise ValueError(f"y has labels that classes lacks: {unknown.tolist()}")
        if not hasattr(self, "prototypes_"):
            return self.fit(X, y)
        clips, y = self._check_clips(X, reset=False), self._check_labels(X, y)
        known = self.classes_
        self.classes_ = np.union1d(known, y)
        rows = np.searchsorted(self.classes_, known)
        self.prototypes_ = _expand_rows(self.prototypes_, rows, len(self.classes_))
        self.class_count_ = _expand_rows(self.class_count_, rows, len(self.classes_))
        self._add_to_prototypes(
            aggregate(*embed_patches(self._spec(), clips)), np.searchsorted(self.classes_, y)
        )
        return self

    def transform(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Compute the embeddings of clips, each the mean over the patches of a clip.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_dimensions)
            Embeddings in the space of ``prototypes_``.
        """
        check_is_fitted(self)
        return aggregate(*embed_patches(self._spec(), self._check_clips(X, reset=False)))

    def predict_log_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Predict the logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Mean log-probabilities over the patches of a clip, normalised.
        """
        check_is_fitted(self)
        embeddings, n_patches = embed_patches(self._spec(), self._check_clips(X, reset=False))
        return clip_log_proba(embeddings, self.prototypes_, n_patches, self.distance)

    def predict_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Predict class probabilities: the normalised geometric mean over the patches of a clip.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: ArrayLike | Sequence[NDArray]) -> NDArray:
        """Predict the class with the highest probability for each clip.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips,)
        """
        log_proba = self.predict_log_proba(X)
        return self.classes_[log_proba.argmax(axis=1)]

    @property
    def _n_features_out(self) -> int:
        """Number of columns of `transform`, for get_feature_names_out."""
        return self.prototypes_.shape[1]

    def _choose_architecture(self, clips: NDArray | list[NDArray]) -> Any:
        """Return the architecture for spectrograms, or None for feature vectors."""
        if isinstance(clips, list):
            return "pooled_filters" if self.architecture == "auto" else self.architecture
        if self.architecture not in ("auto", None):
            raise ValueError(
                f"architecture={self.architecture!r} takes spectrograms, and X holds feature vectors; set it "
                "to 'auto' or None for prototypes of the vectors themselves"
            )
        return None

    def _add_to_prototypes(self, embeddings: NDArray[np.floating], codes: NDArray[np.int64]) -> None:
        """Include embeddings in the means of their classes."""
        counts = np.bincount(codes, minlength=len(self.classes_))
        sums = self.prototypes_ * self.class_count_[:, None]
        np.add.at(sums, codes, embeddings)
        self.class_count_ = self.class_count_ + counts
        self.prototypes_ = sums / self.class_count_[:, None]


def _expand_rows(rows: NDArray, index: NDArray[np.int64], n_rows: int) -> NDArray:
    """Move rows to new indices in an array of zeros."""
    spread = np.zeros((n_rows, *rows.shape[1:]), dtype=rows.dtype)
    spread[index] = rows
    return spread
