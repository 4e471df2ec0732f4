"""Active labelling: questions about the clips that are most worth labelling, and the page that asks them."""

from ._answers import Answer
from ._clip_list import FoundClips, find_clips
from ._estimate import AccuracyEstimate
from ._export import export_annotations
from ._final import list_commands, save_final_model
from ._labeller import ActiveLabeller, Question
from ._outlook import Outlook
from ._page import LabellingPage

__all__ = [
    "AccuracyEstimate",
    "ActiveLabeller",
    "Answer",
    "FoundClips",
    "LabellingPage",
    "Outlook",
    "Question",
    "export_annotations",
    "find_clips",
    "list_commands",
    "save_final_model",
]
