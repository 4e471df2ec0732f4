"""Checks of the clips of a dataset."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ._common import Output
from ._data import Clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from skfewaudio.datasets import AudioDataset
    from skfewaudio.exceptions import AudioLoadError

SILENT_PEAK = 1e-4  # 80 dB below full scale
CLIPPED_LEVEL, CLIPPED_SHARE = 0.999, 0.001  # share of full scale, share of the samples
SHORT_SECONDS = 0.1  # shorter clips have fewer than two frames in most spectrograms
FLOAT_FORMATS = ("float", "double", "pcm_f32", "pcm_f64")  # in the names of formats


class Fault(NamedTuple):
    """Defect of one clip."""

    kind: str
    clip: str
    detail: str


class Leak(NamedTuple):
    """Pair of clips that leaks between the sides of a split or has contradicting labels."""

    kind: str
    first: int
    second: int
    detail: str


class Levels(NamedTuple):
    """Properties of the samples of a clip."""

    n_samples: int
    sample_rate: int
    lowest: float
    highest: float
    n_clipped: int
    is_float: bool = False
    notes: tuple[str, ...] = ()


class Check(NamedTuple):
    """Dataset with its faults; `leaks` is None if the clips were not compared."""

    dataset: "AudioDataset"
    has_labels: bool
    seconds: float
    sample_rates: dict[int, int]  # number of clips of each rate in Hz
    faults: list[Fault]
    unreadable: list[int]
    leaks: list[Leak] | None = None


def check_clips(
    dataset: "AudioDataset", out: Output, *, reading: dict[str, Any], has_labels: bool = True
) -> Check:
    """Read every clip and collect its faults; `reading` are the channel and the use of truncated files."""
    faults: list[Fault] = []
    unreadable: list[int] = []
    rates: Counter[int] = Counter()
    seconds = 0.0
    for number, (name, levels) in enumerate(_measure(dataset, reading)):
        out.progress("clips", number, len(dataset))
        if not isinstance(levels, Levels):
            unreadable.append(number)
            faults.append(Fault("unreadable", name, levels.reason))
            continue
        rates[levels.sample_rate] += 1
        seconds += levels.n_samples / levels.sample_rate
        faults += [Fault(kind, name, detail) for kind, detail in _find_faults(levels)]
    out.progress("clips", len(dataset), len(dataset))
    return Check(dataset, has_labels, seconds, dict(sorted(rates.items())), faults, unreadable)


def _measure(
    dataset: "AudioDataset", reading: dict[str, Any]
) -> "Iterator[tuple[str, Levels | AudioLoadError]]":
    """Yield the name of each clip, and its levels or the error of reading it."""
    from skfewaudio._threads import ThreadPool
    from skfewaudio.audio.io import map_ahead, resolve_threads

    if not isinstance(dataset.X[0], str | tuple):
        rate = int(dataset.sample_rate or 0)
        yield from ((f"clip {i}", _levels_of([clip], rate)) for i, clip in enumerate(dataset.X))
        return
    n_threads = resolve_threads(None)
    with ThreadPool(n_threads) as pool:
        yield from map_ahead(pool, partial(_measure_file, **reading), dataset.X, n_ahead=2 * n_threads)


def _measure_file(
    clip: Clip, *, channel: str | int = "mean", allow_truncated: bool = False
) -> "tuple[str, Levels | AudioLoadError]":
    """Decode a clip in blocks."""
    import numpy as np

    from skfewaudio.audio import audio_info
    from skfewaudio.audio.clips import as_file_part
    from skfewaudio.audio.io import open_blocks
    from skfewaudio.exceptions import AudioLoadError

    part = as_file_part(clip)
    name = part.path if part.is_whole else f"{part.path} from {part.start:g} s"
    notes: list[str] = []
    try:
        with open_blocks(part, channel, allow_truncated, notes) as (blocks, rate):
            levels = _levels_of(blocks, rate)
        if not levels.n_samples:
            raise AudioLoadError(part.path, "holds no samples")
        if not np.isfinite([levels.lowest, levels.highest]).all():
            raise AudioLoadError(part.path, "holds NaN or infinite samples")
        is_float = any(kind in audio_info(part.path).format for kind in FLOAT_FORMATS)
    except AudioLoadError as error:
        return name, error
    return name, levels._replace(
        is_float=is_float, notes=tuple(note.removeprefix(f"{part.path}: ") for note in notes)
    )


def _levels_of(blocks: "Iterable[NDArray[np.floating]]", rate: int) -> Levels:
    """Measure consecutive blocks of samples."""
    import numpy as np

    n_samples = n_clipped = 0
    lowest, highest = np.inf, -np.inf
    for block in blocks:
        if not len(block):
            continue
        n_samples += len(block)
        n_clipped += int(np.count_nonzero(np.abs(block) >= CLIPPED_LEVEL))
        # Unlike Python's, numpy's functions keep NaN.
        lowest, highest = np.minimum(lowest, block.min()), np.maximum(highest, block.max())
    return Levels(n_samples, rate, float(lowest), float(highest), n_clipped)


def _find_faults(levels: Levels) -> Iterator[tuple[str, str]]:
    """Yield the kind and detail of each fault of a readable clip."""
    peak = max(levels.highest, -levels.lowest)
    are_cancelling = [note for note in levels.notes if "channels" in note]
    yield from (("cancelling channels", note) for note in are_cancelling)
    yield from (("truncated", note) for note in levels.notes if note not in are_cancelling)
    if levels.highest - levels.lowest < 2 * SILENT_PEAK and not are_cancelling:
        is_constant = peak >= SILENT_PEAK
        what = f"constant at {levels.lowest:.2g}" if is_constant else f"peak {peak:.1e}"
        yield "silent", f"{what} of full scale"
    # Floating-point files may exceed full scale, which then is not a limit.
    elif levels.n_clipped > CLIPPED_SHARE * levels.n_samples and not (levels.is_float and peak > 1):
        share = 100 * levels.n_clipped / levels.n_samples
        yield "clipped", f"{share:.1f} % of its samples at full scale"
    seconds = levels.n_samples / levels.sample_rate
    if seconds < SHORT_SECONDS:
        yield "very short", f"{1000 * seconds:.0f} ms"


def find_leaks(check: Check, reading: dict[str, Any]) -> Check:
    """Compare the readable clips and add the leaks; `reading` is as for `check_clips`."""
    import numpy as np

    from skfewaudio.exceptions import LeakageWarning
    from skfewaudio.model_selection import check_leakage

    dataset = check.dataset
    readable = np.setdiff1d(np.arange(len(dataset)), check.unreadable).tolist()
    if not readable:
        return check._replace(leaks=[])
    subset = dataset.subset(np.array(readable))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)  # it repeats the table
        found = check_leakage(
            subset.X,
            subset.y if check.has_labels else None,
            folds=subset.folds,
            groups=subset.groups,
            sample_rate=subset.sample_rate,
            **reading,
        )
    columns = (found[name].tolist() for name in Leak._fields)
    leaks = [
        Leak(kind, readable[first], readable[second], detail)
        for kind, first, second, detail in zip(*columns, strict=True)
    ]
    return check._replace(leaks=leaks)
