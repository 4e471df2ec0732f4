"""Prototypical networks."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, _fit_context
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


class PrototypicalClassifier(SpectrogramClassifierMixin, ClassifierMixin, TransformerMixin, BaseEstimator):
    """Classify by the nearest class prototype, in a space learnt by episodes.

    A prototype is the mean of a class's clips in the space of a network. The network is trained on episodes:
    patches of some clips make prototypes, and a softmax over the negative distances to them classifies the
    patches of other clips. No clip is set aside for validation.

    Parameters
    ----------
    architecture : str, class, callable, fitted estimator or None, default="auto"
        Name of a registered architecture, or what builds one from ``n_outputs``, ``n_mels`` and ``n_frames``;
        or a fitted `SkorchCNN` or `PrototypicalClassifier`, whose network is gone on from with a fresh last
        layer. None takes the input itself for the space, with nothing to train. ``"auto"`` is
        ``"pooled_filters"`` for spectrograms and None for feature vectors.
    architecture_params : dict, default=None
        Further arguments of the architecture.
    weights : str or path-like, default=None
        What all but the last layer starts from: a file (``.pth``, ``.safetensors``), or the name of published
        weights, such as ``"vggish"``.
    embedding_size : int, default=256
        Dimensions of the space: the architecture's outputs.
    patch_frames : int, default=None
        Frames of a patch. None takes what the architecture was made for, or else the longest training clip,
        up to 256 frames.
    hop_frames : int, default=None
        Frames from one patch of a clip to the next. None is half a patch.
    pad_mode : {"repeat", "zero"}, default="repeat"
        What fills a clip shorter than a patch.
    distance : {"euclidean", "cosine"}, default="euclidean"
        The mean over the dimensions of squared differences, or one minus the cosine.
    n_support : int, default=5
        Support patches of each class in an episode.
    n_query : int, default=5
        Query patches of each class in an episode.
    fixed_support : bool, default=False
        False draws the support of every episode anew and the queries from other clips, and makes the
        prototypes from all clips. A class with one clip gives no queries, and where no class has two the
        network stays as it was drawn: a clip tells nothing of how its class varies. True keeps the support
        of the first episode for all of them and for the prototypes, and lets it appear among the queries,
        as in [1]_.
    recalibrate : bool, default=True
        Measure the means and variances of batch normalisation again on the training clips when the training
        is over, instead of keeping their running averages.
    optimizer : class, default=torch.optim.Adam
        A torch optimizer.
    learning_rate : float, default=0.001
        Its learning rate.
    backbone_learning_rate : float, default=None
        That of all but the last layer, where it differs; 0 freezes them.
    gradient_clip : float, default=None
        Largest norm of the gradient; a larger one is scaled down to it.
    max_epochs : int, default=20
        Epochs at most. 0 leaves the network as it was drawn.
    updates_per_epoch : int, default=10
        Episodes of an epoch. None takes training patches divided by query patches, and never less than one.
    patience : int, default=None
        Stop when the accuracy on the training clips has not improved for this many epochs in a row. None does
        not measure it.
    callbacks : list of skorch callbacks, default=None
        Called during training. One that stops the training ends it early.
    batch_size : int, default=64
        Patches that go through the network at once when nothing is learnt.
    mixed_precision : bool, default=None
        Multiply matrices in bfloat16. None does so on a GPU.
    device : str, default=None
        Torch device; None takes CUDA where there is one.
    random_state : int, RandomState instance or None, default=None
        Decides the weights, the episodes and dropout.
    verbose : int, default=0
        1 prints a line an epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    prototypes_ : ndarray of shape (n_classes, n_dimensions)
        Mean embedding of each class.
    class_count_ : ndarray of shape (n_classes,)
        Clips (with `fixed_support`, patches) behind each prototype.
    n_features_in_ : int
        Mel bands of the spectrograms, or features.
    net_ : skorch.NeuralNet or None
        What trained the network, where there is an architecture; None in a model loaded from a file.
    network_ : torch.nn.Module or None
        The network itself.
    history_ : skorch.history.History or None
        One entry an epoch, where there is an architecture.
    patch_frames_ : int or None
        Frames of a patch, where X holds spectrograms.

    See Also
    --------
    sklearn.neighbors.NearestCentroid : Prototypes in the input space alone.

    Notes
    -----
    The defaults are not those of [1]_, which :meth:`from_preset` gives; the user guide tells what each
    departure is worth. A clip's score is the mean over its patches of the log-probability.

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
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Make a classifier with the setting of a paper.

        Parameters
        ----------
        name : {"few-data", "few-data-transfer"}
            ``"few-data"`` is the prototypical network of arXiv:1810.10274, trained until it just overfits,
            for ``LogMel.from_preset("few-data")``. ``"few-data-transfer"`` fine-tunes VGGish by the same
            episodes, for ``LogMel.from_preset("vggish")``.
        **overrides
            Parameters that differ from the preset's.

        Returns
        -------
        PrototypicalClassifier

        Raises
        ------
        ValueError
            If there is no such preset.
        """
        return cls(**choose_preset(PROTOTYPICAL, name, overrides))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike | Sequence[NDArray], y: ArrayLike) -> Self:
        """Train the network, where there is one, and make the prototypes.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames) or (n_clips, n_features)
            Spectrograms, or feature vectors.
        y : array-like of shape (n_clips,)
            Labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y cannot be used, a parameter does not fit, or the training diverges.
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
            self.patch_frames_ = resolve_patch_frames(self, architecture, clips)
        if isinstance(clips, list) and architecture is not None:
            self.net_, embeddings, codes = train_network(self, architecture, clips, codes)
            self.network_, self.history_ = self.net_.module_.architecture, self.net_.history
        else:
            embeddings = aggregate(*embed_patches(self, clips))
        self.prototypes_ = np.zeros((len(self.classes_), embeddings.shape[1]))
        self._add_to_prototypes(embeddings, codes)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike | Sequence[NDArray], y: ArrayLike, classes: ArrayLike | None = None
    ) -> Self:
        """Add clips to the prototypes, of known classes or new ones, and leave the network as it is.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.
        y : array-like of shape (n_clips,)
            Labels. One not seen before becomes a class.
        classes : array-like of shape (n_classes,), default=None
            All labels that may come, as scikit-learn's other classifiers ask for; checked and not needed.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y cannot be used, or `y` has a label that `classes` lacks.
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
        self._add_to_prototypes(aggregate(*embed_patches(self, clips)), np.searchsorted(self.classes_, y))
        return self

    def transform(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Embed clips: the mean over a clip's patches.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_dimensions)
            In the space of ``prototypes_``.
        """
        check_is_fitted(self)
        return aggregate(*embed_patches(self, self._check_clips(X, reset=False)))

    def predict_log_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the logarithms of the classes' probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            The mean over a clip's patches of their log-probabilities, normalised.
        """
        check_is_fitted(self)
        embeddings, n_patches = embed_patches(self, self._check_clips(X, reset=False))
        return clip_log_proba(embeddings, self.prototypes_, n_patches, self.distance)

    def predict_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the classes' probabilities: the geometric mean over a clip's patches, normalised.

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
        """Give each clip the class with the highest probability.

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

    def _choose_architecture(self, clips: NDArray | list[NDArray]) -> Any:
        """Give the architecture for spectrograms, or for feature vectors."""
        if isinstance(clips, list):
            return "pooled_filters" if self.architecture == "auto" else self.architecture
        if self.architecture not in ("auto", None):
            raise ValueError(
                f"architecture={self.architecture!r} takes spectrograms, and X holds feature vectors; leave "
                "it at 'auto' or None for prototypes in their space"
            )
        return None

    def _add_to_prototypes(self, embeddings: NDArray[np.floating], codes: NDArray[np.int64]) -> None:
        """Count embeddings into the means of their classes."""
        counts = np.bincount(codes, minlength=len(self.classes_))
        sums = self.prototypes_ * self.class_count_[:, None]
        np.add.at(sums, codes, embeddings)
        self.class_count_ = self.class_count_ + counts
        self.prototypes_ = sums / self.class_count_[:, None]


def _expand_rows(rows: NDArray, index: NDArray[np.int64], n_rows: int) -> NDArray:
    """Move rows to new places among zeros."""
    spread = np.zeros((n_rows, *rows.shape[1:]), dtype=rows.dtype)
    spread[index] = rows
    return spread
