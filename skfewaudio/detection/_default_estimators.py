"""Default transformer and classifiers of the detector."""

from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from skfewaudio.features import BlockScaler, LogMel, SoundEmbed, SpectrogramStatistics

# Windows are many and short: slow modulations do not fit in.
WINDOW_BLOCKS = ("filters_share", "filters_max", "filters_std", "bands")
# Inverse penalty. Examples are mixtures of a few clips: with a larger one, the scores of new clips get worse.
INVERSE_PENALTY = 10.0


def default_estimators() -> tuple[LogMel, Pipeline, Pipeline]:
    """Make the recommended transformer, and the classifiers of windows and of regions."""
    windows = SpectrogramStatistics(WINDOW_BLOCKS, n_filters=8, random_state=0)
    # Each description has the same weight: the dot product of two regions is the sum of two cosines. With all
    # layers of the embedding, no more events were found (docs/benchmarks/event-detection.md).
    regions = FeatureUnion(
        [
            ("statistics", make_pipeline(SpectrogramStatistics(random_state=0), BlockScaler())),
            ("embedding", make_pipeline(SoundEmbed((5,)), BlockScaler())),
        ]
    )
    return (
        LogMel.at_rate("auto", n_mels=64),
        make_pipeline(windows, BlockScaler(), _classifier()),
        make_pipeline(regions, _classifier()),
    )


def _classifier() -> Any:
    return LogisticRegression(C=INVERSE_PENALTY, max_iter=300)
