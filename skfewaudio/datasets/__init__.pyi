from ._annotations import load_annotations as load_annotations
from ._any_table import list_clips as list_clips
from ._any_table import load_labels as load_labels
from ._audio_files import list_audio_files as list_audio_files
from ._audioset import load_audioset as load_audioset
from ._audioset_embeddings import load_audioset_embeddings as load_audioset_embeddings
from ._ballroom import load_extended_ballroom as load_extended_ballroom
from ._base import AudioDataset as AudioDataset
from ._csv import load_csv as load_csv
from ._embedded.events import load_synthetic as load_synthetic
from ._embedded.events import make_sound_events as make_sound_events
from ._embedded.long_recordings import (
    load_long_recordings as load_long_recordings,
)
from ._embedded.long_recordings import (
    make_long_recordings as make_long_recordings,
)
from ._embedded.scenes import (
    load_sound_scenes as load_sound_scenes,
)
from ._embedded.scenes import (
    make_sound_scenes as make_sound_scenes,
)
from ._esc50 import fetch_esc50 as fetch_esc50
from ._esc50 import load_esc50 as load_esc50
from ._folder import load_folder as load_folder
from ._gtzan import load_gtzan as load_gtzan
from ._home import get_data_home as get_data_home
from ._readable import drop_unreadable as drop_unreadable
from ._readable import find_unreadable as find_unreadable
from ._save_annotations import save_annotations as save_annotations
from ._tut2017 import fetch_tut2017 as fetch_tut2017
from ._tut2017 import load_tut2017 as load_tut2017
from ._urbansound8k import (
    fetch_urbansound8k as fetch_urbansound8k,
)
from ._urbansound8k import (
    load_urbansound8k as load_urbansound8k,
)
