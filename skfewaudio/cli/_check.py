"""Checks of the clips of a dataset."""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ._common import Output

if TYPE_CHECKING:
    import numpy as np

    from skfewaudio.datasets import AudioDataset

SILENT_PEAK = 1e-4  # 80 dB below full scale
CLIPPED_LEVEL, CLIPPED_SHARE = 0.999, 0.001  # share of full scale, share of the samples
SHORT_SECONDS = 0.1  # shorter clips have fewer than two frames in most spectrograms


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


class Check(NamedTuple):
    """Dataset with its faults; `leaks` is None if the clips were not compared."""

    dataset: "AudioDataset"
    seconds: float
    faults: list[Fault]
    leaks: list[Leak] | None = None


def check_clips(dataset: "AudioDataset", out: Output) -> Check:
    """Read every clip and collect its faults."""
    faults: list[Fault] = []
    seconds = 0.0
    for number, (name, clip, rate) in enumerate(_read(dataset)):
        out.progress("clips", number, len(dataset))
        if isinstance(clip, Exception):
            faults.append(Fault("unreadable", name, str(clip).removeprefix(f"{name}: ")))
            continue
        seconds += len(clip) / rate
        faults += [Fault(kind, name, detail) for kind, detail in _find_faults(clip, rate)]
    out.progress("clips", len(dataset), len(dataset))
    return Check(dataset, seconds, faults)


def _read(dataset: "AudioDataset") -> Iterator[tuple[str, Any, int]]:
    """Yield the name, the samples (or the error) and the sample rate of each clip."""
    from concurrent.futures import ThreadPoolExecutor

    import soundfile

    from skfewaudio.audio import load_audio
    from skfewaudio.audio.io import map_ahead, resolve_threads
    from skfewaudio.exceptions import AudioLoadError

    def load(path: str) -> tuple[str, Any, int]:
        try:
            return path, load_audio(path, sample_rate=None), soundfile.info(path).samplerate
        except AudioLoadError as error:
            return path, error, 0

    if not isinstance(dataset.X[0], str):
        rate = int(dataset.sample_rate or 0)
        yield from ((f"clip {number}", clip, rate) for number, clip in enumerate(dataset.X))
        return
    n_threads = resolve_threads(None)
    with ThreadPoolExecutor(n_threads) as pool:
        yield from map_ahead(pool, load, dataset.X, n_ahead=2 * n_threads)


def _find_faults(clip: "np.ndarray", rate: int) -> Iterator[tuple[str, str]]:
    """Yield the kind and detail of each fault of a readable clip."""
    import numpy as np

    level = np.abs(clip)
    peak, seconds = float(level.max()), len(clip) / rate
    clipped = float(np.mean(level >= CLIPPED_LEVEL))
    if peak < SILENT_PEAK:
        yield "silent", f"peak {peak:.1e} of full scale"
    if clipped > CLIPPED_SHARE:
        yield "clipped", f"{100 * clipped:.1f} % of its samples at full scale"
    if seconds < SHORT_SECONDS:
        yield "very short", f"{1000 * seconds:.0f} ms"


def find_leaks(check: Check) -> Check:
    """Compare the readable clips and add the leaks."""
    import numpy as np

    from skfewaudio.exceptions import LeakageWarning
    from skfewaudio.model_selection import check_leakage

    dataset = check.dataset
    unreadable = {fault.clip for fault in check.faults if fault.kind == "unreadable"}
    readable = [i for i, clip in enumerate(dataset.X) if not isinstance(clip, str) or clip not in unreadable]
    if not readable:
        return check._replace(leaks=[])
    subset = dataset.subset(np.array(readable))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)  # it repeats the table
        found = check_leakage(
            subset.X,
            subset.y,
            folds=subset.folds,
            groups=subset.groups,
            sample_rate=subset.sample_rate,
        )
    columns = (found[name].tolist() for name in Leak._fields)
    leaks = [
        Leak(kind, readable[first], readable[second], detail)
        for kind, first, second, detail in zip(*columns, strict=True)
    ]
    return check._replace(leaks=leaks)
