"""Sound events in recordings of any length: learned from annotations, found in seconds."""

from ._archive import ArchiveDetections, detect_archive
from ._background import annotated_clips
from ._detect import WindowProbabilities, detect_events, iter_detections, window_probabilities
from ._detector import EventDetector
from ._event_scores import EventScores, event_scores
from ._few_shot import few_shot_detection_curve
from ._prototypical_detector import PrototypicalDetector
from ._segment_scores import SegmentScores, segment_scores
from ._template_matching import TemplateMatching

__all__ = [
    "ArchiveDetections",
    "EventDetector",
    "EventScores",
    "PrototypicalDetector",
    "SegmentScores",
    "TemplateMatching",
    "WindowProbabilities",
    "annotated_clips",
    "detect_archive",
    "detect_events",
    "event_scores",
    "few_shot_detection_curve",
    "iter_detections",
    "segment_scores",
    "window_probabilities",
]
