"""Spectrogram and events of a recording, prepared for a plot."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio.audio import audio_info
from skfewaudio.audio.clips import as_file_part, as_sound, is_file_part, is_path
from skfewaudio.detection import event_scores
from skfewaudio.detection.event_tables import as_event_table
from skfewaudio.features import LogMel

MAX_COLUMNS = 2000  # of the spectrogram; more could not be seen
DYNAMIC_DB = 70.0


def describe_recording(recording: Any) -> tuple[str | None, float, int]:
    """Return the path of a recording (None for sound in memory), its start in seconds and its rate in Hz."""
    if is_path(recording) or is_file_part(recording):
        part = as_file_part(recording, "recording")
        return part.path, part.start, audio_info(part.path).sample_rate
    return None, 0.0, as_sound(recording, "recording").sample_rate


def compute_spectrogram(recording: Any, rate: int, n_mels: int) -> tuple[NDArray[np.float32], float]:
    """Compute a mel spectrogram in dB with at most `MAX_COLUMNS` frames, and the duration in seconds."""
    n_fft = 2 ** round(np.log2(0.046 * rate))
    hop_length = n_fft // 4
    transformer = LogMel(
        sample_rate=rate, n_fft=n_fft, hop_length=hop_length, n_mels=n_mels, top_db=DYNAMIC_DB, norm=None
    )
    spectrogram = np.asarray(transformer.transform([recording])[0])
    seconds = max(1, spectrogram.shape[1] - 1) * hop_length / rate
    n_joined = -(-spectrogram.shape[1] // MAX_COLUMNS)
    edges = np.arange(0, spectrogram.shape[1], n_joined)
    # The loudest of the frames that share a column: short events stay visible.
    return np.maximum.reduceat(spectrogram, edges, axis=1), seconds


def classify_events(found: Any, true: Any, path: str | None, min_overlap: float) -> pd.DataFrame:
    """Return the events of a recording with their kinds, annotated events first."""
    detected = _select(found, "found", path)
    if true is None:
        return _tidy([detected.assign(kind="found")])
    annotated = _select(true, "true", path)
    matches = event_scores(annotated, detected, min_overlap=min_overlap).matches
    return _tidy(
        [
            annotated.assign(kind=_name(len(annotated), matches[:, 0], "annotated", "missed")),
            detected.assign(kind=_name(len(detected), matches[:, 1], "found", "false alarm")),
        ]
    )


def _select(events: Any, name: str, path: str | None) -> pd.DataFrame:
    """Return the events of a recording; all events for sound in memory."""
    table = as_event_table(events, name)
    rows = table if path is None else table[table["path"] == path]
    return rows.assign(path="", probability=table.get("probability", np.nan)).reset_index(drop=True)


def _name(n_events: int, matched: NDArray[np.intp], yes: str, no: str) -> NDArray[np.str_]:
    """Return a name for each event that is matched, and another for the rest."""
    return np.where(np.isin(np.arange(n_events), matched), yes, no)


def _tidy(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the columns that a display keeps."""
    columns = ["start", "end", "label", "kind", "probability"]
    return pd.concat([table[columns] for table in tables], ignore_index=True)
