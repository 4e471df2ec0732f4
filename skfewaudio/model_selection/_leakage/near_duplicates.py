"""Pairs of clips that are alike: sequences at their best lag, and plain vectors, block by block."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

BLOCK_BYTES = 2**26  # of the cross-spectra of two blocks of clips
BLOCK_CLIPS = 128
# Copies share at least half of the shorter one, and half of what happens in one of them lies in that part.
MIN_OVERLAP = 0.5
MIN_SHARES = (0.5, 0.05)
# All pairs are first held against each other without regard to how far they overlap, which takes a part of
# the similarity from copies. Those below this share of what is asked for are not looked at closely.
FIRST_PASS = 0.4

Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]
Wanted = Callable[[Indices, Indices], Mask]


class Pair(NamedTuple):
    """Two clips that are alike; the second starts `lag` frames later in the first."""

    first: int
    second: int
    similarity: float
    lag: int = 0


def alike_sequences(sequences: Sequence[NDArray], wanted: Wanted, min_similarity: float) -> list[Pair]:
    """Find pairs that correlate at some lag.

    Parameters
    ----------
    sequences : sequence of arrays of shape (n_bands, n_frames)
        One a clip, each of mean near zero.
    wanted : callable
        Takes positions of shape (a,) and (b,) and tells, as (a, b), which pairs are of interest.
    min_similarity : float
        Least correlation over the frames that two clips share.

    Returns
    -------
    list of Pair
        In ascending order of positions.
    """
    found = []
    for i, j in _candidates(sequences, wanted, FIRST_PASS * min_similarity):
        similarity, lag = align(sequences[i], sequences[j])
        if similarity >= min_similarity:
            found.append(Pair(i, j, similarity, lag))
    return sorted(found)


def align(a: NDArray, b: NDArray) -> tuple[float, int]:
    """Give the highest correlation of two clips over what they share, and where in `a` `b` then starts."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    n_a, n_b = a.shape[1], b.shape[1]
    size = next_fast_len(n_a + n_b, real=True)
    products = irfft((rfft(a, size) * rfft(b, size).conj()).sum(axis=0), size)
    lags = np.arange(1 - n_b, n_a)
    start, stop = np.maximum(lags, 0), np.minimum(n_a, lags + n_b)
    shared_a, total_a = _energy_between(a, start, stop)
    shared_b, total_b = _energy_between(b, start - lags, stop - lags)
    if not (total_a and total_b):
        return 0.0, 0
    shares = np.sort([shared_a / total_a, shared_b / total_b], axis=0)
    enough = (stop - start >= MIN_OVERLAP * min(n_a, n_b)) & (shares[1] >= MIN_SHARES[0])
    enough &= shares[0] >= MIN_SHARES[1]
    correlation = np.full(len(lags), -1.0)
    np.divide(products[lags], np.sqrt(shared_a * shared_b), out=correlation, where=enough)
    best = int(correlation.argmax())
    return min(float(correlation[best]), 1.0), int(lags[best])


def _energy_between(x: NDArray, start: Indices, stop: Indices) -> tuple[NDArray, float]:
    """Give the energies of the frames from each start to each stop, and that of all."""
    sums = np.concatenate([[0.0], np.cumsum((x**2).sum(axis=0))])
    return sums[stop] - sums[start], float(sums[-1])


def _candidates(sequences: Sequence[NDArray], wanted: Wanted, threshold: float) -> Iterator[tuple[int, int]]:
    """Give the pairs, smaller position first, that pass the first pass."""
    n_frames = np.array([x.shape[1] for x in sequences])
    # Neighbours of like length need no padding to that of the longest clip of all.
    order = np.argsort(n_frames, kind="stable")
    blocks = _blocks(n_frames[order])
    for k, (start, stop) in enumerate(blocks):
        rows, spectra, size = order[start:stop], None, 0
        for other_start, other_stop in blocks[k:]:
            columns = order[other_start:other_stop]
            needed = next_fast_len(n_frames[rows[-1]] + n_frames[columns[-1]], real=True)
            if needed != size or spectra is None:
                spectra, size = _spectra([sequences[i] for i in rows], needed), needed
            mask = wanted(rows, columns) & (
                np.arange(start, stop)[:, None] < np.arange(other_start, other_stop)
            )
            if mask.any():
                peaks = _peaks(spectra, _spectra([sequences[i] for i in columns], size), size)
                # A short clip can at best share its own part of a long one's energy.
                peaks *= np.sqrt(n_frames[columns] / n_frames[rows][:, None])
                for i, j in np.argwhere(mask & (peaks >= threshold)):
                    yield min(rows[i], columns[j]), max(rows[i], columns[j])


def _blocks(n_frames: Indices) -> list[tuple[int, int]]:
    """Part clips of ascending length into runs whose cross-spectra fit into memory."""
    runs, start = [], 0
    while start < len(n_frames):
        n_clips = BLOCK_CLIPS
        while (
            n_clips > 1 and n_clips**2 * 8 * n_frames[min(start + n_clips, len(n_frames)) - 1] > BLOCK_BYTES
        ):
            n_clips //= 2
        runs.append((start, min(start + n_clips, len(n_frames))))
        start = runs[-1][1]
    return runs


def _spectra(sequences: list[NDArray], size: int) -> NDArray[np.complex64]:
    """Give spectra over frames, (n_frequencies, n_clips, n_bands), of clips brought to unit energy."""
    spectra = []
    for x in sequences:
        x = x.astype(np.float32)
        norm = np.linalg.norm(x)
        spectra.append(rfft(x / norm if norm else x, size))
    return np.ascontiguousarray(np.stack(spectra).transpose(2, 0, 1))


def _peaks(a: NDArray[np.complex64], b: NDArray[np.complex64], size: int) -> NDArray[np.float32]:
    """Give the highest correlation over all lags of each clip of one block with each of another."""
    cross = a @ b.conj().transpose(0, 2, 1)
    return irfft(cross.transpose(1, 2, 0), size).max(axis=2)


def alike_vectors(X: NDArray, wanted: Wanted, min_similarity: float) -> list[Pair]:
    """Find pairs of rows in nearly the same direction, of columns brought to mean 0 and deviation 1.

    Parameters
    ----------
    X : ndarray of shape (n_clips, n_features)
        One row a clip.
    wanted, min_similarity : callable, float
        As for `alike_sequences`; the similarity is the cosine.

    Returns
    -------
    list of Pair
    """
    spread = X.std(axis=0)
    rows = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(norms > 0, norms, 1)
    found = []
    for start in range(0, len(rows), BLOCK_CLIPS):
        here, later = np.arange(start, min(start + BLOCK_CLIPS, len(rows))), np.arange(start, len(rows))
        cosines = rows[here] @ rows[later].T
        close = wanted(here, later) & (here[:, None] < later) & (cosines >= min_similarity)
        found += [Pair(start + i, start + j, min(float(cosines[i, j]), 1.0)) for i, j in np.argwhere(close)]
    return found
