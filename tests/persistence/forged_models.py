"""Small fitted models with every estimator that loads without trust, and inputs to predict."""

import os
import pickle
import warnings

import numpy as np
from sklearn import decomposition, feature_selection, linear_model, naive_bayes, preprocessing
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM

from skfewaudio import (
    MFCC,
    CachedFeatures,
    CalibratedRidgeClassifier,
    ELMClassifier,
    FewShotSplit,
    LogMel,
    PatchClassifier,
    PrototypicalClassifier,
    RandomCNNFeatures,
    SkorchCNN,
    SubsampledClassifier,
    make_few_shot_classifier,
)
from skfewaudio.augmentation import TimeShift
from skfewaudio.classifiers import AugmentedClassifier, BlockClassifier, ELMRegressor
from skfewaudio.detection import EventDetector
from skfewaudio.features import (
    BlockScaler,
    RawWaveform,
    SoundEmbed,
    SpectrogramStatistics,
    TimeNormalizedSpectrogram,
)

RATE = {"sample_rate": 8000}

rng = np.random.default_rng(0)
X = rng.normal(size=(24, 6))
X[:, 0] += np.repeat(range(4), 6)
LETTERS, HALVES = np.repeat(list("abcd"), 6), np.repeat(["no", "yes"], 12)
# Before 1.9, scikit-learn cannot predict strings from nearest neighbours by brute force.
DIGITS = np.repeat(range(4), 6)
NUMBERS = X @ np.arange(6.0)
TAGS = (X[:, :3] > 0).astype(int)
CLIPS = rng.normal(size=(4, 2000)).astype(np.float32)
CLIPS[2:] += np.sin(np.arange(2000))
IMAGES = rng.normal(size=(6, 32, 40)).astype(np.float32)
OF_CLIPS, OF_IMAGES = np.array(list("aabb")), np.array(list("aaabbb"))


def brute(n_neighbors=3, **params):
    return KNeighborsClassifier(n_neighbors, algorithm="brute", **params)


def cnn(architecture="vgg", **params):
    defaults = {"patch_frames": 32, "max_epochs": 1, "random_state": 0}
    small = {"n_filters": 2} if architecture == "vgg" else None
    return SkorchCNN(architecture, architecture_params=small, **(defaults | params))


def prototypes(**params):
    return PrototypicalClassifier(max_epochs=1, patch_frames=32, random_state=0, **params)


def log_mel():
    return LogMel(n_fft=256, hop_length=128, n_mels=32, **RATE)


def few_shot(**params):
    return make_few_shot_classifier(**RATE, **params)


# By name: the model, its input and its targets.
MODELS = {
    # Classifiers
    "logistic": (LogisticRegression(), X, LETTERS),
    "logistic cv": (linear_model.LogisticRegressionCV(Cs=3, cv=2), X, LETTERS),
    "logistic two classes": (LogisticRegression(), X, HALVES),
    "ridge classifier": (RidgeClassifier(), X, LETTERS),
    "ridge classifier two classes": (RidgeClassifier(), X, HALVES),
    "ridge classifier cv": (linear_model.RidgeClassifierCV(), X, LETTERS),
    "ridge tags": (RidgeClassifier(), X, TAGS),
    "linear svc": (LinearSVC(), X, LETTERS),
    "svc": (SVC(), X, LETTERS),
    "svc linear": (SVC(kernel="linear", decision_function_shape="ovo"), X, LETTERS),
    "svc polynomial": (SVC(kernel="poly", break_ties=True), X, LETTERS),
    "svc probability": (SVC(probability=True, random_state=0), X, HALVES),
    "nu svc": (NuSVC(nu=0.3), X, LETTERS),
    "neighbours": (brute(), X, LETTERS),
    "neighbours manhattan": (brute(metric="manhattan"), X, DIGITS),
    "neighbours distance": (brute(weights="distance", p=3), X, LETTERS),
    "neighbours cosine": (KNeighborsClassifier(1, metric="cosine"), X, LETTERS),
    "neighbours outputs": (brute(), X, np.c_[LETTERS, HALVES]),
    "nearest centroid": (NearestCentroid(), X, LETTERS),
    "gaussian nb": (GaussianNB(), X, LETTERS),
    "bernoulli nb": (naive_bayes.BernoulliNB(), X, LETTERS),
    "multinomial nb": (naive_bayes.MultinomialNB(), abs(X), LETTERS),
    "complement nb": (naive_bayes.ComplementNB(), abs(X), LETTERS),
    "lda": (LinearDiscriminantAnalysis(), X, LETTERS),
    "lda eigen": (LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1), X, LETTERS),
    "qda": (QuadraticDiscriminantAnalysis(reg_param=0.1), X, LETTERS),
    "dummy": (DummyClassifier(strategy="uniform", random_state=np.random.RandomState(0)), X, LETTERS),
    "dummy stratified": (DummyClassifier(strategy="stratified", random_state=0), X, LETTERS),
    # Combinations
    "one vs rest": (OneVsRestClassifier(LogisticRegression()), X, LETTERS),
    "one vs rest two classes": (OneVsRestClassifier(SVC()), X, HALVES),
    "one vs rest tags": (OneVsRestClassifier(LogisticRegression()), X, TAGS),
    "one vs one": (OneVsOneClassifier(LinearSVC()), X, LETTERS),
    "vote": (
        VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft", weights=[1, 2]),
        *(X, LETTERS),
    ),
    "vote hard": (VotingClassifier([("a", LogisticRegression()), ("b", SVC())]), X, LETTERS),
    "calibrated": (CalibratedClassifierCV(LinearSVC(), cv=2), X, LETTERS),
    "calibrated isotonic": (CalibratedClassifierCV(GaussianNB(), cv=2, method="isotonic"), X, LETTERS),
    "frozen": (CalibratedClassifierCV(FrozenEstimator(brute().fit(X, LETTERS))), X, LETTERS),
    "search": (GridSearchCV(brute(), {"n_neighbors": [1, 2]}, cv=2), X, LETTERS),
    "search scored": (
        RandomizedSearchCV(SVC(), {"C": [1, 2]}, n_iter=1, cv=2, scoring="balanced_accuracy"),
        *(X, LETTERS),
    ),
    "search of splits": (
        GridSearchCV(brute(1), {"p": [1]}, cv=FewShotSplit(1, n_repeats=1, cv=2)),
        *(X, DIGITS),
    ),
    "outputs": (MultiOutputClassifier(GaussianNB()), X, np.c_[LETTERS, HALVES]),
    # Pipelines
    "pipeline": (make_pipeline(StandardScaler(), decomposition.PCA(3), brute()), X, LETTERS),
    "scalers": (
        make_pipeline(
            preprocessing.MinMaxScaler(clip=True),
            preprocessing.MaxAbsScaler(),
            preprocessing.RobustScaler(),
            preprocessing.Normalizer(),
            SVC(),
        ),
        *(X, LETTERS),
    ),
    "quantiles": (
        make_pipeline(
            preprocessing.QuantileTransformer(n_quantiles=10), preprocessing.PowerTransformer(), GaussianNB()
        ),
        *(X, LETTERS),
    ),
    "selection": (
        make_pipeline(
            feature_selection.SelectKBest(k=5),
            feature_selection.SelectPercentile(percentile=80),
            feature_selection.VarianceThreshold(),
            SVC(),
        ),
        *(X, LETTERS),
    ),
    "model selection": (
        make_pipeline(feature_selection.SelectFromModel(LogisticRegression()), LogisticRegression()),
        *(X, LETTERS),
    ),
    "decompositions": (
        make_pipeline(
            decomposition.IncrementalPCA(5),
            decomposition.FastICA(4, random_state=0),
            decomposition.TruncatedSVD(3),
            GaussianNB(),
        ),
        *(X, LETTERS),
    ),
    "kernels": (
        make_pipeline(Nystroem(n_components=5), RBFSampler(n_components=7), RidgeClassifier()),
        *(X, LETTERS),
    ),
    "union": (
        make_pipeline(make_union(decomposition.PCA(2), StandardScaler(), "passthrough"), brute()),
        *(X, LETTERS),
    ),
    "weighted union": (
        make_pipeline(FeatureUnion([("a", StandardScaler())], transformer_weights={"a": 2.0}), brute()),
        *(X, LETTERS),
    ),
    "columns": (
        make_pipeline(
            ColumnTransformer(
                [("a", StandardScaler(), [0, 1]), ("b", decomposition.PCA(2), slice(2, 5))],
                remainder="passthrough",
            ),
            brute(),
        ),
        *(X, LETTERS),
    ),
    "function": (
        make_pipeline(
            preprocessing.FunctionTransformer(np.tanh), preprocessing.Binarizer(), LogisticRegression()
        ),
        *(X, LETTERS),
    ),
    # Regression and encoders
    "ridge": (Ridge(), X, NUMBERS),
    "ridge outputs": (Ridge(), X, np.c_[NUMBERS, -NUMBERS]),
    "ridge cv": (linear_model.RidgeCV(), X, NUMBERS),
    "linear": (linear_model.LinearRegression(), X, NUMBERS),
    "lasso": (linear_model.Lasso(), X, NUMBERS),
    "lasso cv": (linear_model.LassoCV(cv=2), X, NUMBERS),
    "elastic net": (linear_model.ElasticNet(), X, NUMBERS),
    "elastic net cv": (linear_model.ElasticNetCV(cv=2), X, NUMBERS),
    "linear svr": (LinearSVR(), X, NUMBERS),
    "svr": (SVR(), X, NUMBERS),
    "nu svr": (NuSVR(), X, NUMBERS),
    "one class": (OneClassSVM(), X, NUMBERS),
    "neighbours regression": (KNeighborsRegressor(2, algorithm="brute"), X, NUMBERS),
    "dummy regression": (DummyRegressor(), X, NUMBERS),
    "isotonic": (IsotonicRegression(out_of_bounds="clip"), X[:, 0], NUMBERS),
    "transformed": (TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), X, NUMBERS),
    "label encoder": (preprocessing.LabelEncoder(), LETTERS, None),
    "label binarizer": (preprocessing.LabelBinarizer(), LETTERS, None),
    # This package's classifiers of vectors
    "elm": (ELMClassifier(5, random_state=0), X, LETTERS),
    "elm radial": (ELMClassifier(5, alpha=0.5, direct_links=True, activation="tanh"), X, LETTERS),
    "elm tags": (ELMClassifier(5, random_state=0), X, TAGS),
    "elm regression": (ELMRegressor(5, random_state=0), X, NUMBERS),
    "calibrated ridge": (CalibratedRidgeClassifier(), X, LETTERS),
    "calibrated ridge rejecting": (CalibratedRidgeClassifier(false_rejection_rate=0.2), X, LETTERS),
    "blocks": (make_pipeline(BlockScaler([2, 4]), CalibratedRidgeClassifier()), X, LETTERS),
    "vectors": (PrototypicalClassifier(distance="cosine"), X, LETTERS),
    "vector network": (SkorchCNN(max_epochs=1, random_state=0), X, LETTERS),
    "subsampled": (SubsampledClassifier(make_pipeline(StandardScaler(), brute()), n_shots=2), X, LETTERS),
    "patches of vectors": (PatchClassifier(SVC(), aggregation="vote"), X, LETTERS),
    # Spectrograms and waveforms
    "prototypes": (prototypes(), IMAGES, OF_IMAGES),
    "prototypes untrained": (prototypes(architecture=None), IMAGES, OF_IMAGES),
    "cnn": (cnn(), IMAGES, OF_IMAGES),
    "cnn tags": (cnn(), IMAGES, TAGS[:6]),
    "musically motivated": (cnn("musically_motivated"), IMAGES, OF_IMAGES),
    "patches": (
        PatchClassifier(make_pipeline(StandardScaler(), SVC()), patch_frames=4, aggregation="vote"),
        *(IMAGES, OF_IMAGES),
    ),
    "augmented": (
        AugmentedClassifier(PatchClassifier(brute()), augmentation=TimeShift(), random_state=0),
        *(IMAGES, OF_IMAGES),
    ),
    "statistics": (
        make_pipeline(SpectrogramStatistics(n_filters=2), brute(1)),
        *(IMAGES, OF_IMAGES),
    ),
    "raw waveform": (
        make_pipeline(RawWaveform(**RATE), PatchClassifier(GaussianNB(), patch_frames=50)),
        CLIPS,
        OF_CLIPS,
    ),
    "embedding": (make_pipeline(SoundEmbed(), brute(1)), IMAGES, OF_IMAGES),
    "order": (make_pipeline(TimeNormalizedSpectrogram(n_steps=4), brute(1)), IMAGES, OF_IMAGES),
    "block classifier": (
        BlockClassifier(
            [("order", TimeNormalizedSpectrogram(n_steps=4)), ("embedding", SoundEmbed())],
            CalibratedRidgeClassifier(),
            scaler=BlockScaler(),
        ),
        *(IMAGES, OF_IMAGES),
    ),
    "block classifier with clips": (
        AugmentedClassifier(
            BlockClassifier(
                [("order", TimeNormalizedSpectrogram(n_steps=4)), ("embedding", SoundEmbed())],
                CalibratedRidgeClassifier(),
                scaler=BlockScaler(),
                incremental=True,
            ),
            augmentation=TimeShift(),
            random_state=0,
        ),
        *(IMAGES, OF_IMAGES),
    ),
    "mfcc": (make_pipeline(MFCC(**RATE), StandardScaler(), brute()), CLIPS, OF_CLIPS),
    "log-mel cnn": (make_pipeline(log_mel(), cnn(patch_frames=32)), CLIPS, OF_CLIPS),
    "few-shot": (few_shot(), CLIPS, OF_CLIPS),
    "few-shot rejecting": (few_shot(augmentation=None, false_rejection_rate=0.3), CLIPS, OF_CLIPS),
    "few-shot embedding": (few_shot(augmentation=None, embedding=MFCC(**RATE)), CLIPS, OF_CLIPS),
    "detector": (
        EventDetector(make_pipeline(log_mel(), SpectrogramStatistics(("bands",)), brute(1))),
        *(CLIPS, OF_CLIPS),
    ),
    "random cnn": (
        make_pipeline(RandomCNNFeatures("single_layer", n_filters=4, **RATE), LogisticRegression()),
        *(CLIPS, OF_CLIPS),
    ),
    "cached": (
        make_pipeline(CachedFeatures(MFCC(**RATE), location=os.environ.get("CACHE", False)), brute()),
        *(CLIPS, OF_CLIPS),
    ),
}


def fit_models(names=None):
    """Return fitted models, as pickles, and their inputs, by name."""
    fitted = {}
    for name, (model, inputs, targets) in MODELS.items():
        if names is None or name in names:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(inputs) if targets is None else model.fit(inputs, targets)
            fitted[name] = pickle.dumps(model), inputs
    return fitted
