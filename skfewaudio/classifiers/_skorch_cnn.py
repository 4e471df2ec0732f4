"""Classification with neural networks trained on few clips."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, softmax
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
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

MIN_PROBA = 1e-12  # smaller probabilities are clipped before the logarithm


class SkorchCNN(
    SpectrogramClassifierMixin,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Classify clips with a small regularised network, trained on a few clips without a validation set.

    In every epoch, one patch is cut from each clip at a random position. The probabilities of a clip are
    aggregated over patches that slide over the clip.

    Parameters
    ----------
    architecture : str, class, callable or fitted estimator, default="auto"
        Name of a registered architecture; a class or function that builds a network from ``n_outputs``,
        ``n_mels`` and ``n_frames``; or a fitted `SkorchCNN` or `PrototypicalClassifier`, whose network is
        fine-tuned with a new output layer. ``"auto"`` is ``"vgg"`` for spectrograms and
        ``"linear_probe"`` for feature vectors.
    architecture_params : dict, default=None
        Further arguments of the architecture.
    weights : str or path-like, default=None
        Initial weights of all layers except the output layer: a file (``.pth``, ``.safetensors``), or the
        name of published weights, such as ``"vggish"``. None keeps the initial weights of the architecture.
    patch_frames : int, default=None
        Number of frames of a patch. None uses the patch length of the architecture, or else the length of the
        longest training clip, up to 256 frames.
    hop_frames : int, default=None
        Number of frames from one patch of a clip to the next during prediction. None is half a patch.
    pad_mode : {"repeat", "zero"}, default="repeat"
        Padding of clips that are shorter than a patch.
    aggregation : {"mean", "max", "vote"}, default="mean"
        How the probabilities of a clip are computed from the probabilities of its patches.
    recalibrate : bool, default=True
        Whether to recompute the batch-norm statistics on the training clips after training, instead of
        keeping their running averages.
    optimizer : class, default=torch.optim.SGD
        Torch optimizer.
    learning_rate : float, default=0.1
        Learning rate of the optimizer.
    backbone_learning_rate : float, default=None
        Learning rate of all layers except the output layer. None uses `learning_rate`; 0 freezes these
        layers.
    weight_decay : float, default=0.001
        L2 penalty on kernels, but not on biases and scales.
    gradient_clip : float, default=5
        Maximum norm of the gradient; larger gradients are scaled down to it. None disables clipping.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, by label. For a multi-label `y`, weights by column: the weight of a clip with
        the label relative to a clip without it. ``"balanced"`` gives all classes, or clips with and without a
        label, the same total weight. None gives all clips the same weight.
    augmentation : Augmentation, callable or list of these, default=None
        Random changes of every batch of training patches, such as ``MixUp()`` or ``[TimeShift(), MixUp()]``
        from :mod:`skfewaudio.augmentation`. Several augmentations are applied in order. A function receives
        spectrograms of shape (n_patches, n_mels, n_frames), targets of shape (n_patches, n_classes) or
        (n_patches, n_labels), and a torch generator, and returns changed spectrograms and targets. Feature
        vectors can only be mixed. Prediction, validation and batch-norm recalibration use unchanged clips.
        None disables augmentation.
    max_epochs : int, default=200
        Maximum number of epochs.
    patience : int, default=None
        Number of epochs without improvement of the training loss, or with `validation_split` of the
        validation loss, after which training stops. None disables early stopping.
    validation_split : float, splitter or None, default=None
        Clips held out to monitor the validation loss: a share of the clips, or a scikit-learn splitter whose
        first split is used. None holds out no clips, which suits small datasets.
    warm_start : bool, default=False
        Whether `fit` continues training the network of the previous `fit`, on the same classes.
    callbacks : list of skorch callbacks, default=None
        Callbacks that are called during training. A callback may stop the training early.
    batch_size : int, default=256
        Maximum number of patches in a batch.
    mixed_precision : bool, default=None
        Whether to compute matrix products in bfloat16. None does so only on a GPU. Some CPUs are also twice
        as fast with it.
    accelerator : callable, default=None
        Callable that returns an ``accelerate.Accelerator``, such as that class. Processes started by
        ``accelerate launch`` or ``torchrun`` then train one network together, on the devices and in the
        precision of the accelerator. None trains in this process only.
    device : str, default=None
        Torch device. None uses CUDA if available.
    n_threads : int, default=1
        Number of threads that train the network on a CPU. With another number, sums are rounded differently
        and another network is trained. The default gives the same network in every process, whatever the
        number of cores that it may use.
    random_state : int, RandomState instance or None, default=None
        Controls the initial weights, the patches, their augmentation and dropout.
    verbose : int, default=0
        1 prints one line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, or the column indices of a multi-label `y`.
    multilabel_ : bool
        Whether `y` was an indicator matrix.
    n_features_in_ : int
        Number of mel bands of the spectrograms, or of features.
    net_ : skorch.NeuralNet or None
        Net that trained the network; None in a model loaded from a file.
    network_ : torch.nn.Module
        Trained network.
    history_ : skorch.history.History
        Training history, with one entry per epoch.
    patch_frames_ : int or None
        Number of frames of a patch; None for feature vectors.
    max_silence_ : float or None
        Largest share of silent frames at the end of a training clip; None for feature vectors. New clips with
        far more silence at their ends issue a warning.

    See Also
    --------
    PrototypicalClassifier : Network with class prototypes instead of an output layer.
    PatchClassifier : Any scikit-learn classifier on patches of clips.

    Notes
    -----
    The defaults follow the training of [1]_ with two exceptions. The hop during prediction is longer, and the
    batch-norm statistics are recomputed, because after a few hundred updates, running averages still contain
    a part of their initial values. :meth:`from_preset` restores both.

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
        "validation_split": [Interval(Real, 0, 1, closed="neither"), HasMethods(["split"]), None],
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
        n_threads: int = 1,
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
        self.n_threads = n_threads
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Create a classifier with the settings of a paper.

        Parameters
        ----------
        name : {"few-data", "few-data-transfer"}
            ``"few-data"`` is the training of arXiv:1810.10274, for ``LogMel.from_preset("few-data")``; pass
            `architecture` for another of its networks. ``"few-data-transfer"`` is VGGish fine-tuned with a
            new output layer, for ``LogMel.from_preset("vggish")``.
        **overrides
            Parameters that replace parameters of the preset.

        Returns
        -------
        SkorchCNN

        Raises
        ------
        ValueError
            If the preset is unknown.
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
            Class labels, or an indicator matrix for several labels per clip.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid, or if the training diverges.
        WeightsNotFoundError
            If `weights` cannot be found.
        """
        known: Any = (self.classes_, self.network_) if self.warm_start and hasattr(self, "network_") else None
        clips, y = self._check_clips(X, reset=True), self._check_labels(X, y, multilabel=True)
        self.multilabel_ = y.ndim == 2
        if self.multilabel_ and self.aggregation == "vote":
            raise ValueError("aggregation='vote' needs one label per clip; with several, use 'mean' or 'max'")
        if self.multilabel_:
            self.classes_, targets = np.arange(y.shape[1]), y.astype(np.int64)
        else:
            self.classes_, targets = np.unique(y, return_inverse=True)
        if known is not None and not np.array_equal(known[0], self.classes_):
            raise ValueError(
                f"warm_start continues with the classes {known[0].tolist()}, and y has "
                f"{self.classes_.tolist()}; pass clips of every class, or fit a new estimator with "
                "architecture=<this estimator>"
            )
        architecture = self.architecture
        if isinstance(architecture, str) and architecture == "auto":
            architecture = "vgg" if isinstance(clips, list) else "linear_probe"
        self.patch_frames_: Any = None
        if isinstance(clips, list):
            self.patch_frames_ = resolve_patch_frames(self._spec(), architecture, clips)
        self.net_ = train_cnn(self._spec(), architecture, as_clips(clips), targets, known and known[1])
        self.network_, self.history_ = self.net_.module_, self.net_.history
        return self

    def transform(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Compute embeddings: the activations before the output layer, averaged over the patches of a clip.

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
            If the network has no method `embed`, so that its output layer is unknown.
        """
        check_is_fitted(self)
        clips = self._check_clips(X, reset=False)
        if not hasattr(self.network_, "embed"):
            raise ValueError(
                f"{type(self.network_).__name__} has no method `embed`; derive it from "
                "skfewaudio.architectures.Architecture"
            )
        return self._embed(clips)

    @property
    def _n_features_out(self) -> int:
        """Number of columns of `transform`, for get_feature_names_out."""
        silence = np.zeros((self.n_features_in_, self.patch_frames_ or 1), dtype=np.float32)
        return self._embed([silence] if self.patch_frames_ else silence.T).shape[1]

    def _embed(self, clips: NDArray | list[NDArray]) -> NDArray[np.floating]:
        """Compute the embeddings of checked clips."""
        return aggregate(*self._run(self.network_.embed, clips))  # type: ignore[arg-type]

    def predict_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Predict the probabilities of the classes, or of each label.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes) or (n_clips, n_labels)
            Probabilities aggregated over the patches of a clip. Class probabilities sum to 1.
        """
        check_is_fitted(self)
        logits, n_patches = self._run(self.network_, self._check_clips(X, reset=False))
        if self.multilabel_:
            return aggregate(expit(logits), n_patches, how=self.aggregation)
        scores = aggregate(softmax(logits, axis=1), n_patches, how=self.aggregation)
        return scores / scores.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Predict the logarithms of the probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes) or (n_clips, n_labels)
        """
        return np.log(np.maximum(self.predict_proba(X), MIN_PROBA))

    def decision_function(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Return the log-probabilities of the classes; with two classes, or several labels, the log-odds.

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
        return logit(np.clip(self.predict_proba(X), MIN_PROBA, 1 - MIN_PROBA))

    def predict(self, X: ArrayLike | Sequence[NDArray]) -> NDArray:
        """Predict the class with the highest probability, or all labels with a probability above 0.5.

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

    def _run(self, network: Callable, clips: NDArray | list[NDArray]) -> tuple[NDArray, NDArray]:
        """Compute the outputs for all patches, and return the number of patches of each clip."""
        spec = self._spec()
        data = cut_patches(spec, as_clips(clips), resolve_device(self.device))
        return run_network(network, data.gather, data, spec), data.n_patches

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
