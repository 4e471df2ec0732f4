"""Default transformer and classifiers of the detector."""

from typing import Any

from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from skfewaudio.classifiers import AugmentedClassifier, CalibratedRidgeClassifier
from skfewaudio.features import BlockScaler, LogMel, SoundEmbed, SpectrogramStatistics
from skfewaudio.pipelines import make_few_shot_classifier

# Windows are many and short: slow modulations do not fit in.
WINDOW_BLOCKS = ("filters_share", "filters_max", "filters_std", "bands")
# Inverse penalty. Examples are mixtures of a few clips: with a larger one, the scores of new clips get worse.
INVERSE_PENALTY = 10.0


def default_estimators() -> tuple[LogMel, Pipeline, Pipeline, AugmentedClassifier]:
    """Make the recommended transformer, and the classifiers of windows, of regions and of events."""
    windows = SpectrogramStatistics(WINDOW_BLOCKS, n_filters=8, random_state=0)
    embed = SoundEmbed((4, 5))
    # Each description has the same weight: the dot product of two regions is the sum of two cosines.
    regions = FeatureUnion(
        [
            ("statistics", make_pipeline(SpectrogramStatistics(random_state=0), BlockScaler())),
            ("embedding", make_pipeline(embed, BlockScaler(embed.block_sizes()))),
        ]
    )
    # Logistic regression finds more events in noise, and ridge regression confuses fewer classes and takes
    # less background for events.
    vote = VotingClassifier(
        [("logistic", _logistic()), ("ridge", CalibratedRidgeClassifier())], voting="soft"
    )
    return (
        LogMel.at_rate("auto", n_mels=64),
        make_pipeline(windows, BlockScaler(), _logistic()),
        make_pipeline(regions, vote),
        make_few_shot_classifier()[-1],
    )


def _logistic() -> Any:
    return LogisticRegression(C=INVERSE_PENALTY, max_iter=300)
