"""Tables of the clips of a dataset, and its HTML representation in notebooks."""

import base64
import io
from html import escape as escape_html
from typing import Any

import numpy as np
import pandas as pd
import soundfile as sf
import soxr
from numpy.typing import NDArray

from skfewaudio._names import escape
from skfewaudio.audio import load_audio
from skfewaudio.audio.clips import as_sound, is_file_part, is_path, is_sound
from skfewaudio.exceptions import AudioLoadError

N_PLAYERS = 4
MAX_CLASSES, MAX_FOLDS = 30, 12  # rows and columns of the table of classes
PLAYER_RATE = 16000  # Hz
PLAYER_SECONDS = 3.0
MAX_BYTES = 200_000  # of all players of a dataset


def make_frame(dataset: Any) -> pd.DataFrame:
    """Return one row per clip."""
    columns: dict[str, Any] = {}
    first = dataset.X[0]
    if is_file_part(first):
        columns["path"], columns["start"], columns["end"] = zip(*dataset.X, strict=True)
    elif is_path(first):
        columns["path"] = list(map(str, dataset.X))
    if dataset.label_names is None:
        columns["label"] = dataset.target
    else:
        columns |= dict(zip(dataset.label_names, dataset.target.T, strict=True))
    if dataset.folds is not None:
        columns["fold"] = dataset.folds
    if dataset.groups is not None:
        columns["group"] = dataset.groups
    return pd.DataFrame(columns)


def render_html(dataset: Any) -> str:
    """Return the size of a dataset, a table of its classes, and players of some clips, as HTML."""
    parts = [f"<p><strong>{_text(dataset.name)}</strong>: {_text(_describe_size(dataset))}</p>"]
    parts += [_class_table(dataset)]
    parts += [_players(dataset)]
    if dataset.licence:
        parts += [f"<p>{_text(dataset.licence)}</p>"]
    return f"<div>{''.join(parts)}</div>"


def _text(value: Any) -> str:
    return escape_html(escape(value))


def _describe_size(dataset: Any) -> str:
    return repr(dataset).partition(": ")[2].removesuffix(">")


def _class_table(dataset: Any) -> str:
    """Return the numbers of clips by class, and by fold if there are few folds."""
    names = dataset.target_names
    if dataset.label_names is None:
        is_in = dataset.target[:, None] == np.asarray(names)
    else:
        is_in = dataset.target > 0
    counts = pd.DataFrame({"clips": is_in.sum(axis=0)}, index=names)
    folds = [] if dataset.folds is None else np.unique(dataset.folds).tolist()
    for fold in folds if len(folds) <= MAX_FOLDS else []:
        counts[f"fold {fold}"] = is_in[dataset.folds == fold].sum(axis=0)
    heads = "".join(f'<th scope="col">{_text(name)}</th>' for name in ("class", *counts.columns))
    rows = [
        f'<tr><th scope="row">{_text(name)}</th>' + "".join(f"<td>{n:,}</td>" for n in row) + "</tr>"
        for name, row in zip(names[:MAX_CLASSES], counts.to_numpy(), strict=False)
    ]
    more = f"<p>and {len(names) - MAX_CLASSES} more classes</p>" if len(names) > MAX_CLASSES else ""
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}"


def _players(dataset: Any) -> str:
    """Return players of the first clip of some classes, as long as they are small."""
    players, size = [], 0
    for clip, label in _choose_clips(dataset):
        try:
            content = _encode(_read(dataset, clip))
        except (AudioLoadError, ValueError) as error:
            players.append(f"<li>{_text(label)}: {_text(error)}</li>")
            continue
        size += len(content)
        if size > MAX_BYTES:
            break
        source = f"data:audio/mpeg;base64,{base64.b64encode(content).decode('ascii')}"
        sound = f'<audio controls preload="metadata" src="{source}" aria-label="{_text(label)}"></audio>'
        players.append(f"<li>{_text(label)}<br>{sound}</li>")
    return f"<ul>{''.join(players)}</ul>" if players else ""


def _choose_clips(dataset: Any) -> list[tuple[int, str]]:
    """Return the first clip of each of some classes, if the dataset has sound and mp3 can be written."""
    first = dataset.X[0]
    has_sound = is_path(first) or is_file_part(first) or is_sound(first) or np.ndim(first) == 1
    if not has_sound or "MP3" not in sf.available_formats():
        return []
    names = dataset.target_names
    step = max(1, len(names) // N_PLAYERS)
    chosen = []
    for name in names[::step][:N_PLAYERS]:
        is_in = dataset.target[:, names.index(name)] > 0 if dataset.label_names else dataset.target == name
        chosen += [(int(np.argmax(is_in)), name)] if is_in.any() else []
    return chosen


def _read(dataset: Any, clip: int) -> NDArray[np.floating]:
    """Return the first seconds of a clip at `PLAYER_RATE`."""
    source = dataset.X[clip]
    if is_path(source) or is_file_part(source):
        return load_audio(source, sample_rate=PLAYER_RATE)[: int(PLAYER_RATE * PLAYER_SECONDS)]
    sound = as_sound(source if is_sound(source) else (source, dataset.sample_rate), "clip")
    samples = np.asarray(sound.samples, dtype=np.float32)[: int(sound.sample_rate * PLAYER_SECONDS)]
    return soxr.resample(samples, sound.sample_rate, PLAYER_RATE)


def _encode(samples: NDArray[np.floating]) -> bytes:
    """Encode samples as mp3, of about 4 kB a second."""
    buffer = io.BytesIO()
    options = {"compression_level": 0.7, "bitrate_mode": "VARIABLE"}
    with sf.SoundFile(buffer, "w", PLAYER_RATE, 1, format="MP3", **options) as file:
        file.write(np.clip(samples, -1, 1))
    return buffer.getvalue()
