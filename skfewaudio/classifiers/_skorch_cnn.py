"""Convolutional networks for few data."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, RealNotInt, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skfewaudio._presets import choose_preset
from skfewaudio._torch import resolve_device
from skfewaudio.audio.aggregation import AGGREGATIONS, aggregate
from skfewaudio.augmentation import AugmentationLike

from ._base import NETWORK_CONSTRAINTS, SpectrogramClassifierMixin, as_clips
from ._networks.building import resolve_patch_frames, run_network
from ._networks.patches import cut_patches
from ._networks.presets import CNN
from ._networks.train_cnn import train_cnn

SMALLEST = 1e-12  # probability whose logarithm is taken at least


class SkorchCNN(SpectrogramClassifierMixin, ClassifierMixin, TransformerMixin, BaseEstimator):
    """Train a small regularised network on a few clips, without a validation set.

    In every epoch each clip gives one patch, cut at a random place. A clip's probabilities are aggregated
    over the patches that slide over it.

    Parameters
    ----------
    architecture : str, class, callable or fitted estimator, default="auto"
        Name of a registered architecture, or what builds one from ``n_outputs``, ``n_mels`` and ``n_frames``;
        or a fitted `SkorchCNN` or `PrototypicalClassifier`, whose network is gone on from with a fresh last
        layer. ``"auto"`` is ``"vgg"`` for spectrograms and ``"linear_probe"`` for feature vectors.
    architecture_params : dict, default=None
        Further arguments of the architecture.
    weights : str or path-like, default=None
        What all but the last layer starts from: a file (``.pth``, ``.safetensors``), or the name of published
        weights, such as ``"vggish"``.
    patch_frames : int, default=None
        Frames of a patch. None takes what the architecture was made for, or else the longest training clip,
        up to 256 frames.
    hop_frames : int, default=None
        Frames from one patch of a clip to the next, when predicting. None is half a patch.
    pad_mode : {"repeat", "zero"}, default="repeat"
        What fills a clip shorter than a patch.
    aggregation : {"mean", "max", "vote"}, default="mean"
        From the patches' probabilities to the clip's.
    recalibrate : bool, default=True
        Measure the means and variances of batch normalisation again on the training clips when the training
        is over, instead of keeping their running averages.
    optimizer : class, default=torch.optim.SGD
        A torch optimizer.
    learning_rate : float, default=0.1
        Its learning rate.
    backbone_learning_rate : float, default=None
        That of all but the last layer, where it differs; 0 freezes them.
    weight_decay : float, default=0.001
        L2 penalty on kernels, not on offsets and scales.
    gradient_clip : float, default=5
        Largest norm of the gradient; a larger one is scaled down to it. None lets it be.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label. With several labels a clip, by column: what a clip with the label
        counts against one without.
    augmentation : Augmentation, callable or list of these, default=None
        Changes every batch of training patches at random, such as ``MixUp()`` or ``[TimeShift(), MixUp()]``
        from :mod:`skfewaudio.augmentation`; several in order. A function takes spectrograms of shape
        (n_patches, n_mels, n_frames), targets of shape (n_patches, n_classes) or (n_patches, n_labels), and a
        torch generator, and gives the first two. Feature vectors can only be mixed. What is predicted,
        validated or measured for batch normalisation stays as it is.
    max_epochs : int, default=200
        Epochs at most.
    patience : int, default=None
        Stop when the training loss, or with `validation_split` the validation loss, has not improved for this
        many epochs in a row.
    validation_split : float, splitter or None, default=None
        Clips held out to watch the validation loss: a share, or a scikit-learn splitter whose first split is
        taken. None holds out nothing, as suits a few clips.
    warm_start : bool, default=False
        Go on from the network of the last `fit`, on the same classes.
    callbacks : list of skorch callbacks, default=None
        Called during training. One that stops the training ends it early.
    batch_size : int, default=256
        Patches that go through the network at once.
    mixed_precision : bool, default=None
        Multiply matrices in bfloat16. None does so on a GPU; some CPUs are twice as fast with it, too.
    accelerator : callable, default=None
        Gives an ``accelerate.Accelerator``, such as that class itself: processes that ``accelerate launch``
        or ``torchrun`` started then train one network together, on the accelerator's devices and in its
        precision. None trains in this process alone.
    device : str, default=None
        Torch device; None takes CUDA where there is one.
    random_state : int, RandomState instance or None, default=None
        Decides the weights, the patches, their augmentation and dropout.
    verbose : int, default=0
        1 prints a line an epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels; with several labels a clip, the numbers of the columns.
    multilabel_ : bool
        Whether y was an indicator matrix.
    n_features_in_ : int
        Mel bands of the spectrograms, or features.
    net_ : skorch.NeuralNet or None
        What trained the network; None in a model loaded from a file.
    network_ : torch.nn.Module
        The network itself.
    history_ : skorch.history.History
        One entry an epoch.
    patch_frames_ : int or None
        Frames of a patch, where X holds spectrograms.

    See Also
    --------
    PrototypicalClassifier : Learns distances to prototypes instead of a last layer.
    PatchClassifier : The same patches for any scikit-learn classifier.

    Notes
    -----
    The defaults are the training of [1]_, but for the running averages of batch normalisation, which hold
    part of their initial values after a few hundred updates, and for the hop when predicting.
    :meth:`from_preset` gives these too.

    References
    ----------
    .. [1] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio import SkorchCNN
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((6, 40, 60))  # six spectrograms of 40 bands
    >>> X[3:, :20] += 2
    >>> cnn = SkorchCNN("vgg", patch_frames=32, max_epochs=5, random_state=0)
    >>> cnn.fit(X, ["wind"] * 3 + ["horn"] * 3).predict(X[[0, 5]])
    array(['wind', 'horn'], dtype='<U4')
    """

    _parameter_constraints: dict = {
        **NETWORK_CONSTRAINTS,
        "architecture": [str, callable, HasMethods(["fit", "predict"])],
        "aggregation": [StrOptions(set(AGGREGATIONS))],
        "recalibrate": ["boolean"],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "augmentation": [callable, list, tuple, None],
        "max_epochs": [Interval(Integral, 0, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "validation_split": [Interval(RealNotInt, 0, 1, closed="neither"), HasMethods(["split"]), None],
        "warm_start": ["boolean"],
        "accelerator": [callable, None],
    }

    classes_: NDArray
    network_: nn.Module

    def __init__(
        self,
        architecture: str | Callable[..., nn.Module] | Any = "auto",
        *,
        architecture_params: Mapping[str, Any] | None = None,
        weights: str | PathLike[str] | None = None,
        patch_frames: int | None = None,
        hop_frames: int | None = None,
        pad_mode: str = "repeat",
        aggregation: str = "mean",
        recalibrate: bool = True,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
        learning_rate: float = 0.1,
        backbone_learning_rate: float | None = None,
        weight_decay: float = 0.001,
        gradient_clip: float | None = 5.0,
        class_weight: Mapping[Any, float] | str | None = None,
        augmentation: AugmentationLike | Sequence[AugmentationLike] | None = None,
        max_epochs: int = 200,
        patience: int | None = None,
        validation_split: Any = None,
        warm_start: bool = False,
        callbacks: list | None = None,
        batch_size: int = 256,
        mixed_precision: bool | None = None,
        accelerator: Callable[[], Any] | None = None,
        device: str | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.architecture = architecture
        self.architecture_params = architecture_params
        self.weights = weights
        self.patch_frames = patch_frames
        self.hop_frames = hop_frames
        self.pad_mode = pad_mode
        self.aggregation = aggregation
        self.recalibrate = recalibrate
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.backbone_learning_rate = backbone_learning_rate
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.class_weight = class_weight
        self.augmentation = augmentation
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_split = validation_split
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.batch_size = batch_size
        self.mixed_precision = mixed_precision
        self.accelerator = accelerator
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Make a classifier with the setting of a paper.

        Parameters
        ----------
        name : {"few-data", "few-data-transfer"}
            ``"few-data"`` is the training of arXiv:1810.10274, for ``LogMel.from_preset("few-data")``, with
            its architecture left to say. ``"few-data-transfer"`` is VGGish fine-tuned with a new last layer,
            for ``LogMel.from_preset("vggish")``.
        **overrides
            Parameters that differ from the preset's.

        Returns
        -------
        SkorchCNN

        Raises
        ------
        ValueError
            If there is no such preset.
        """
        return cls(**choose_preset(CNN, name, overrides))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike | Sequence[NDArray], y: ArrayLike) -> Self:
        """Train the network.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames) or (n_clips, n_features)
            Spectrograms, sequences of embeddings, or feature vectors.
        y : array-like of shape (n_clips,) or (n_clips, n_labels)
            Labels, or indicators of several labels a clip.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y cannot be used, a parameter does not fit, or the training diverges.
        WeightsNotFoundError
            If `weights` are not there.
        """
        known: Any = (self.classes_, self.network_) if self.warm_start and hasattr(self, "network_") else None
        clips, y = self._check_clips(X, reset=True), self._check_labels(X, y, multilabel=True)
        self.multilabel_ = y.ndim == 2
        if self.multilabel_ and self.aggregation == "vote":
            raise ValueError("aggregation='vote' needs one label a clip; with several take 'mean' or 'max'")
        if self.multilabel_:
            self.classes_, targets = np.arange(y.shape[1]), y.astype(np.int64)
        else:
            self.classes_, targets = np.unique(y, return_inverse=True)
        if known is not None and not np.array_equal(known[0], self.classes_):
            raise ValueError(
                f"warm_start goes on with the classes {known[0].tolist()}, and y has "
                f"{self.classes_.tolist()}; give clips of each, or a new estimator architecture=<this one>"
            )
        architecture = self.architecture
        if isinstance(architecture, str) and architecture == "auto":
            architecture = "vgg" if isinstance(clips, list) else "linear_probe"
        self.patch_frames_: Any = None
        if isinstance(clips, list):
            self.patch_frames_ = resolve_patch_frames(self, architecture, clips)
        self.net_ = train_cnn(self, architecture, as_clips(clips), targets, known and known[1])
        self.network_, self.history_ = self.net_.module_, self.net_.history
        return self

    def transform(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Embed clips: the activations before the last layer, the mean over a clip's patches.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_dimensions)

        Raises
        ------
        ValueError
            If the network has no method `embed`, so that nothing says what its last layer is.
        """
        check_is_fitted(self)
        if not hasattr(self.network_, "embed"):
            raise ValueError(
                f"{type(self.network_).__name__} has no method `embed`; derive it from "
                "skfewaudio.architectures.Architecture"
            )
        return aggregate(*self._run(self.network_.embed, X))  # type: ignore[arg-type]

    def predict_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the probabilities of the classes, or of each label.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes) or (n_clips, n_labels)
            Aggregated over a clip's patches. Those of classes add up to 1.
        """
        check_is_fitted(self)
        logits, n_patches = self._run(self.network_, X)
        if self.multilabel_:
            return aggregate(expit(logits), n_patches, how=self.aggregation)
        scores = aggregate(softmax(logits, axis=1), n_patches, how=self.aggregation)
        return scores / scores.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the logarithms of the probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes) or (n_clips, n_labels)
        """
        return np.log(np.maximum(self.predict_proba(X), SMALLEST))

    def decision_function(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Give the log-probabilities; with two classes, or for labels, the log-odds.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes) or (n_clips, n_labels), or (n_clips,) with two classes
        """
        check_is_fitted(self)
        if not self.multilabel_:
            return super().decision_function(X)
        return logit(np.clip(self.predict_proba(X), SMALLEST, 1 - SMALLEST))

    def predict(self, X: ArrayLike | Sequence[NDArray]) -> NDArray:
        """Give each clip the class with the highest probability, or the labels that are likelier than not.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips,) or (n_clips, n_labels)
        """
        proba = self.predict_proba(X)
        return (proba > 0.5).astype(int) if self.multilabel_ else self.classes_[proba.argmax(axis=1)]

    def _run(self, network: Callable, X: ArrayLike | Sequence[NDArray]) -> tuple[NDArray, NDArray]:
        """Give what a network makes of all patches, and how many each clip has."""
        clips = as_clips(self._check_clips(X, reset=False))
        data = cut_patches(self, clips, resolve_device(self.device))
        return run_network(network, data.gather, data, self), data.n_patches

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
