"""Search for similar pairs of clips: sequences at their best lag, or vectors, block by block."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from ..draws import Indices

BLOCK_BYTES = 2**26  # size of the cross-spectra of two blocks of clips
BLOCK_CLIPS = 128
# Near-duplicates overlap by at least half of the shorter clip. The overlap contains at least half of the
# energy of one clip and 5 % of the energy of the other.
MIN_OVERLAP = 0.5
MIN_SHARES = (0.5, 0.05)
# A fast first pass correlates all pairs without normalising by the overlap, which lowers the similarity.
# Pairs below this share of min_similarity are not compared exactly.
FIRST_PASS_SHARE = 0.4

Mask = NDArray[np.bool_]
PairFilter = Callable[[Indices, Indices], Mask]


class Pair(NamedTuple):
    """Two similar clips; the second one starts `lag` frames into the first one."""

    first: int
    second: int
    similarity: float
    lag: int = 0


def find_similar_sequences(
    sequences: Sequence[NDArray], pair_filter: PairFilter, min_similarity: float
) -> list[Pair]:
    """Find pairs of sequences that are correlated at some lag.

    Parameters
    ----------
    sequences : sequence of arrays of shape (n_bands, n_frames)
        One array per clip, with a mean near zero.
    pair_filter : callable
        Returns, for clip indices of shape (a,) and (b,), a mask of shape (a, b) of the pairs to compare.
    min_similarity : float
        Minimum correlation over the overlapping frames.

    Returns
    -------
    list of Pair
        Sorted by clip indices.
    """
    found = []
    for i, j in _candidates(sequences, pair_filter, FIRST_PASS_SHARE * min_similarity):
        similarity, lag = align(sequences[i], sequences[j])
        if similarity >= min_similarity:
            found.append(Pair(i, j, similarity, lag))
    return sorted(found)


def align(a: NDArray, b: NDArray) -> tuple[float, int]:
    """Return the highest correlation over the overlap of two clips, and its lag (start of `b` in `a`)."""
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
    """Return the energies of the frames from each start to each stop, and the total energy."""
    sums = np.concatenate([[0.0], np.cumsum((x**2).sum(axis=0))])
    return sums[stop] - sums[start], float(sums[-1])


def _candidates(
    sequences: Sequence[NDArray], pair_filter: PairFilter, threshold: float
) -> Iterator[tuple[int, int]]:
    """Yield the pairs above the threshold of the first pass, smaller index first."""
    n_frames = np.array([x.shape[1] for x in sequences])
    # Blocks of similar length avoid padding all clips to the longest one.
    order = np.argsort(n_frames, kind="stable")
    blocks = _blocks(n_frames[order])
    for k, (start, stop) in enumerate(blocks):
        rows, spectra, size = order[start:stop], None, 0
        for other_start, other_stop in blocks[k:]:
            columns = order[other_start:other_stop]
            needed = next_fast_len(n_frames[rows[-1]] + n_frames[columns[-1]], real=True)
            if needed != size or spectra is None:
                spectra, size = _spectra([sequences[i] for i in rows], needed), needed
            mask = pair_filter(rows, columns) & (
                np.arange(start, stop)[:, None] < np.arange(other_start, other_stop)
            )
            if mask.any():
                peaks = _peaks(spectra, _spectra([sequences[i] for i in columns], size), size)
                # A short clip overlaps only a part of a long one, which limits their correlation.
                peaks *= np.sqrt(n_frames[columns] / n_frames[rows][:, None])
                for i, j in np.argwhere(mask & (peaks >= threshold)):
                    yield min(rows[i], columns[j]), max(rows[i], columns[j])


def _blocks(n_frames: Indices) -> list[tuple[int, int]]:
    """Split clips sorted by length into blocks whose cross-spectra fit into BLOCK_BYTES."""
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
    """Compute spectra along frames of clips scaled to unit energy, (n_frequencies, n_clips, n_bands)."""
    spectra = []
    for x in sequences:
        x = x.astype(np.float32)
        norm = np.linalg.norm(x)
        spectra.append(rfft(x / norm if norm else x, size))
    return np.ascontiguousarray(np.stack(spectra).transpose(2, 0, 1))


def _peaks(a: NDArray[np.complex64], b: NDArray[np.complex64], size: int) -> NDArray[np.float32]:
    """Return the maximum over lags of the correlation between all clips of two blocks."""
    cross = a @ b.conj().transpose(0, 2, 1)
    return irfft(cross.transpose(1, 2, 0), size).max(axis=2)


def find_similar_vectors(X: NDArray, pair_filter: PairFilter, min_similarity: float) -> list[Pair]:
    """Find pairs of rows with a high cosine similarity after standardising the columns.

    Parameters
    ----------
    X : ndarray of shape (n_clips, n_features)
        One row per clip.
    pair_filter, min_similarity : callable, float
        As in `find_similar_sequences`; the similarity is the cosine.

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
        close = pair_filter(here, later) & (here[:, None] < later) & (cosines >= min_similarity)
        found += [Pair(start + i, start + j, min(float(cosines[i, j]), 1.0)) for i, j in np.argwhere(close)]
    return found
