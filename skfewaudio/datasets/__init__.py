"""Datasets of labelled clips; every loader returns an AudioDataset."""

from ._annotations import load_annotations
from ._any_table import list_clips, load_labels
from ._audioset import load_audioset
from ._audioset_embeddings import load_audioset_embeddings
from ._ballroom import load_extended_ballroom
from ._base import AudioDataset
from ._csv import load_csv
from ._embedded.events import load_synthetic, make_sound_events
from ._embedded.long_recordings import load_long_recordings, make_long_recordings
from ._embedded.scenes import load_sound_scenes, make_sound_scenes
from ._esc50 import fetch_esc50, load_esc50
from ._folder import list_audio_files, load_folder
from ._gtzan import load_gtzan
from ._home import get_data_home
from ._readable import drop_unreadable, find_unreadable
from ._save_annotations import save_annotations
from ._tut2017 import fetch_tut2017, load_tut2017
from ._urbansound8k import fetch_urbansound8k, load_urbansound8k

__all__ = [
    "AudioDataset",
    "drop_unreadable",
    "fetch_esc50",
    "fetch_tut2017",
    "fetch_urbansound8k",
    "find_unreadable",
    "get_data_home",
    "list_audio_files",
    "list_clips",
    "load_annotations",
    "load_audioset",
    "load_audioset_embeddings",
    "load_csv",
    "load_esc50",
    "load_extended_ballroom",
    "load_folder",
    "load_gtzan",
    "load_labels",
    "load_long_recordings",
    "load_sound_scenes",
    "load_synthetic",
    "load_tut2017",
    "load_urbansound8k",
    "make_long_recordings",
    "make_sound_events",
    "make_sound_scenes",
    "save_annotations",
]
