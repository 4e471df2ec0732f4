"""
Which threshold finds enough events with few false alarms?
==========================================================

Plot precision and recall of a detector against the threshold on the probability of its
events.
"""

# %%
# Train on one recording of each of two sites, and find all events in three recordings
# of a third site, also the improbable ones.

import tempfile

import numpy as np

from skfewaudio.datasets import load_long_recordings
from skfewaudio.detection import (
    EventDetector,
    annotated_clips,
    detect_events,
    event_scores,
)

folder = tempfile.TemporaryDirectory()
classes = ["dog_bark", "siren"]
dataset = load_long_recordings(
    9,
    classes=classes,
    n_folds=3,
    duration=30.0,
    events_per_class=(3, 3),
    snr_db=(0, 15),
    folder=folder.name,
)
train = dataset.subset(np.isin(dataset.groups, ["recording-1", "recording-2"]))
test = dataset.subset(dataset.folds == 3)
clips = annotated_clips(train)
detector = EventDetector(random_state=0).fit(clips.X, clips.y, groups=clips.groups)
found = detect_events(detector, sorted({path for path, *_ in test.X}), threshold=0.0)
print(f"{len(test)} annotated events, {len(found)} found with threshold 0")

# %%
# A higher threshold keeps fewer events: precision rises, and recall falls.

import matplotlib.pyplot as plt

thresholds = np.linspace(0, 0.95, 20)
scores = [
    event_scores(test, found[found["probability"] >= threshold])
    for threshold in thresholds
]
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.plot(
    thresholds,
    [100 * score.precision for score in scores],
    "o-",
    color="#0072B2",
    label="precision",
)
ax.plot(
    thresholds,
    [100 * score.recall for score in scores],
    "s-",
    color="#D55E00",
    label="recall",
)
ax.set(xlabel="Threshold", ylabel="Percent", ylim=(0, 102))
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)

# %%
# Never choose the threshold by the recordings that measure the accuracy. The detector
# has chosen one for each class, by its training recordings alone.
# ``EventDetector(precision=0.9)`` chooses it for a precision.

kept = found[found["probability"] >= found["label"].map(detector.thresholds_)]
own = event_scores(test, kept)
print(f"its own thresholds: precision {own.precision:.0%}, recall {own.recall:.0%}")
folder.cleanup()
