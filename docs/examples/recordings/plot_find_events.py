"""
Where in the recording is the sound?
====================================

Train a detector on annotated recordings of two sites, and find the events in a
recording of a third site.
"""

# %%
# Recordings of 30 seconds contain barks and sirens at known times. All events are
# annotated, so that the parts between them are background, which
# :func:`~skfewaudio.detection.annotated_clips` adds.

import tempfile

from skfewaudio.datasets import load_long_recordings
from skfewaudio.detection import EventDetector, annotated_clips, detect_events

folder = tempfile.TemporaryDirectory()
classes = ["dog_bark", "siren"]
dataset = load_long_recordings(
    3,
    classes=classes,
    n_folds=3,
    duration=30.0,
    events_per_class=(3, 3),
    folder=folder.name,
)
train, test = dataset.subset(dataset.folds != 3), dataset.subset(dataset.folds == 3)
clips = annotated_clips(train)
detector = EventDetector(random_state=0).fit(clips.X, clips.y, groups=clips.groups)

# %%
# The spectrogram of the third recording, above the annotated events (grey) and the
# found ones.

from skfewaudio.reporting import DetectionDisplay

path = test.X[0][0]
found = detect_events(detector, path)
display = DetectionDisplay.from_predictions(path, found, true=test)
display = display.plot(title="Events in a recording of another site")

# %%
# The found events are a table. :func:`~skfewaudio.datasets.save_annotations` writes it
# for Audacity or Raven. :func:`~skfewaudio.datasets.load_annotations` loads your own
# annotated recordings.

folder.cleanup()
found.drop(columns="path").round(2)
