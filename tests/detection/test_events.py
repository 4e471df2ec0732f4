"""Regions, the choice among them, thresholds, and levels."""

from itertools import pairwise

import numpy as np
import pytest

from skfewaudio.detection._events import (
    Candidate,
    choose_events,
    combine_probabilities,
    find_runs,
    highest_inside,
    join_pieces,
    merge_runs,
    probabilities_at,
    propose_regions,
    vote,
)
from skfewaudio.detection._finder import Finder
from skfewaudio.detection._scenes import Grid
from skfewaudio.detection._spectra import (
    RANGE,
    activity,
    add_powers,
    background_floor,
    cut_region,
    excess,
    limit_range,
    round_length,
    trim,
)
from skfewaudio.detection._thresholds import choose_threshold
from skfewaudio.detection._variation import vary


def test_runs_of_a_mask_include_its_ends():
    mask = np.array([True, True, False, True, False, False, True])
    assert find_runs(mask) == [(0, 2), (3, 4), (6, 7)]
    assert find_runs(np.zeros(3, dtype=bool)) == []


@pytest.mark.parametrize(
    ("gap", "expected"), [(0, [(0, 2), (3, 4), (6, 7)]), (1, [(0, 4), (6, 7)]), (2, [(0, 7)])]
)
def test_runs_are_merged_over_gaps(gap, expected):
    assert merge_runs([(0, 2), (3, 4), (6, 7)], gap) == expected


def test_long_event_wins_over_more_probable_parts_of_it():
    parts = [Candidate(start, start + 5, 1, 0.95) for start in (0, 40, 80)]
    long = Candidate(0, 100, 0, 0.9)
    assert choose_events([*parts, long], np.full(100, 10.0), window=5) == [long]


def test_two_events_win_over_one_region_around_both():
    active = np.concatenate([np.full(20, 10.0), np.zeros(60), np.full(20, 10.0)])
    two = [Candidate(0, 20, 0, 0.9), Candidate(80, 100, 1, 0.9)]
    assert choose_events([*two, Candidate(0, 100, 0, 0.7)], active, window=5) == two


def test_events_without_a_pause_are_joined_if_one_region_is_nearly_as_probable():
    active = np.full(100, 10.0)
    parts = [Candidate(0, 20, 0, 0.92), Candidate(21, 100, 1, 0.91)]
    whole = Candidate(0, 100, 1, 0.8)
    assert choose_events([*parts, whole], active, window=5) == [whole]
    assert choose_events([*parts, whole._replace(probability=0.7)], active, window=5) == parts


def test_pieces_of_an_event_do_not_win_by_a_small_margin():
    pieces = [Candidate(0, 30, 0, 0.92), Candidate(40, 100, 0, 0.92)]
    whole = Candidate(0, 100, 0, 0.85)
    assert choose_events([*pieces, whole], np.full(100, 10.0), window=20) == [whole]


def test_probable_event_wins_over_an_improbable_region_around_it():
    event = Candidate(30, 60, 0, 0.99)
    assert choose_events([event, Candidate(0, 100, 0, 0.4)], np.full(100, 10.0), window=5) == [event]


def test_faint_event_alone_is_chosen():
    faint = Candidate(40, 50, 0, 0.8)
    assert choose_events([faint], np.full(100, 0.5), window=20) == [faint]


def test_chosen_events_do_not_overlap():
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 900, 200)
    candidates = [
        Candidate(int(s), int(s + rng.integers(4, 100)), int(rng.integers(3)), float(rng.random()))
        for s in starts
    ]
    chosen = choose_events(candidates, rng.random(1000) * 20, window=5)
    assert len(chosen) > 5
    assert all(a.end <= b.start + 1 for a, b in pairwise(chosen))


def test_choice_is_the_best_of_all_choices():
    rng = np.random.default_rng(1)
    active = rng.random(30) * 20
    candidates = [
        Candidate(int(s), int(s + rng.integers(4, 12)), 0, float(rng.uniform(0.3, 1)))
        for s in rng.integers(0, 18, 9)
    ]

    def cost(one):
        return (
            3.5
            * 2
            * any(
                c.start <= one.start + 3
                and c.end >= one.end - 3
                and c.end - c.start >= 1.5 * (one.end - one.start)
                for c in candidates
            )
        )

    def value(chosen):
        return sum(active[c.start : c.end].sum() * (c.probability - 0.1) ** 3 - cost(c) for c in chosen)

    best = 0.0
    for mask in range(1 << len(candidates)):
        some = sorted(c for i, c in enumerate(candidates) if mask >> i & 1)
        if all(a.end <= b.start + 1 for a, b in pairwise(some)):
            best = max(best, value(some))
    assert value(choose_events(candidates, active, window=2)) == pytest.approx(best, rel=1e-4)


def test_pieces_of_a_class_are_joined_over_short_pauses():
    first, second, other = Candidate(0, 10, 0, 0.7), Candidate(13, 40, 0, 0.9), Candidate(41, 50, 1, 0.8)
    assert join_pieces([first, second, other], [3, 3]) == [Candidate(0, 40, 0, 0.9), other]
    assert join_pieces([first, second, other], [2, 3]) == [first, second, other]


def test_sure_vote_changes_an_unsure_class():
    unsure, sure = Candidate(0, 10, 0, 0.5), Candidate(20, 30, 0, 0.97)
    of_regions = np.array([[0.5, 0.45], [0.97, 0.0]])
    first, second = vote([unsure, sure], of_regions, np.array([[0.1, 0.9], [0.4, 0.6]]))
    assert (first.code, second.code) == (1, 0)
    shares = of_regions[0] * np.sqrt([0.101, 0.901])
    assert first.probability == pytest.approx(0.95 * shares[1] / shares.sum())
    assert 0.8 < second.probability < 0.97


def test_vote_for_the_class_of_an_event_makes_it_as_probable_as_an_event():
    (voted,) = vote([Candidate(0, 10, 1, 0.6)], np.array([[0.2, 0.6]]), np.array([[0.001, 0.999]]))
    assert voted.code == 1
    assert 0.78 < voted.probability <= 0.8


def test_vote_counts_the_candidates_with_the_edges_of_an_event():
    candidates = [Candidate(0, 10, 0, 0.5), Candidate(0, 10, 1, 0.4), Candidate(0, 9, 1, 0.8)]
    assert probabilities_at(candidates[:1], candidates, 3).tolist() == [[0.5, 0.4, 0.0]]


class LoudOrNot:
    """Classifier of spectrograms that takes loud ones for events of code 1, and keeps what it has seen."""

    classes_ = np.array([0, 1])

    def __init__(self):
        self.shapes = []

    def predict_proba(self, clips):
        self.shapes += [clip.shape for clip in clips]
        return np.array([[0.02, 0.98] if clip.max() > -20 else [0.98, 0.02] for clip in clips])


def test_probable_events_are_voted_on_as_recorded():
    frames = np.full((4, 100), -60.0, dtype=np.float32)
    frames[:, 40:60] = -10
    grid = Grid(window=8, block=10, context=3, margin=2, least=4)
    voter = LoudOrNot()
    finder = Finder(None, None, grid, np.array([[5, 30], [5, 30]]), 0.02, voter)
    active = np.where(frames[0] > -20, 10.0, 1.0)
    found = [
        *(Candidate(240, 260, 0, 0.5), Candidate(240, 260, 1, 0.4)),
        *(Candidate(205, 215, 1, 0.5), Candidate(205, 215, 0, 0.45), Candidate(275, 290, 1, 0.25)),
    ]
    chosen = finder.choose(found, active, 200, frames)
    assert [(one.start, one.code) for one in chosen] == [(205, 0), (240, 1), (275, 1)]
    assert voter.shapes == [(4, 14), (4, 24)]
    assert [one.code for one in finder.choose(found, active, 200)] == [1, 0, 1]


def test_choice_counts_frames_from_the_first_one():
    one = Candidate(510, 530, 0, 0.8)
    assert choose_events([one], np.full(100, 5.0), window=5, first=500) == [one]


def test_regions_have_the_edges_of_the_sound():
    active = np.zeros(400)
    active[100:140] = 15.0
    centres = np.arange(0, 400, 8)
    inside = (centres >= 100) & (centres < 140)
    regions = propose_regions(
        active, centres, 0.9 * inside[:, None], window=24, frame_seconds=0.02, longest=200
    )
    assert (100, 140) in regions


def test_silence_before_a_loud_event_is_no_region():
    active = np.full(200, 0.2)
    active[100:140] = 40.0
    # Windows of 20 frames that begin to contain the event, and windows on it, of another class.
    centres = np.arange(0, 200, 4)
    probabilities = np.zeros((50, 2))
    probabilities[(centres >= 91) & (centres < 98), 0] = 0.8
    probabilities[(centres >= 98) & (centres < 142), 1] = 0.9
    regions = propose_regions(active, centres, probabilities, window=20, frame_seconds=0.02, longest=150)
    assert (100, 140) in regions
    assert all(end > 100 for _, end in regions)


def test_windows_inside_a_region_have_half_of_their_length_in_it():
    centres = np.arange(0, 100, 10)
    probabilities = np.linspace(0, 0.9, 10, dtype=np.float32)[:, None]
    found = highest_inside([(20, 60), (22, 38), (38, 42)], centres, probabilities, window=16)
    np.testing.assert_allclose(found[:, 0], [0.5, 0.3, 0.4])


def test_region_between_windows_has_the_probability_of_the_nearest_window():
    found = highest_inside([(4, 8)], np.array([0, 20]), np.array([[0.2], [0.9]], np.float32), window=4)
    np.testing.assert_allclose(found, [[0.2]])


def test_windows_lower_and_raise_the_probability_of_a_region():
    regions = np.array([[0.8, 0.8, 0.5, 1.0]], dtype=np.float32)
    windows = np.array([[0.1, 0.99, 0.5, 0.0]], dtype=np.float32)
    lowered, raised, same, contradicted = combine_probabilities(regions, windows)[0]
    assert 0.5 < lowered < 0.8 < raised < 0.99
    assert same == pytest.approx(0.5)
    assert 0.9 < contradicted < 1


def test_no_region_without_probable_windows():
    centres = np.arange(0, 400, 8)
    found = propose_regions(
        np.ones(400), centres, np.full((50, 2), 0.05), window=24, frame_seconds=0.02, longest=200
    )
    assert found == []


def test_floor_ignores_events_that_fill_less_than_half():
    frames = np.full((4, 200), -60.0, dtype=np.float32)
    frames[:, 50:120] = -20
    floor = background_floor(frames, block=20, context=100)
    np.testing.assert_allclose(floor, -60)


def test_floor_follows_slow_changes():
    frames = np.repeat(np.linspace(-60, -20, 40), 20)[None].astype(np.float32)
    floor = background_floor(frames, block=20, context=5)
    assert floor.shape == frames.shape
    assert np.abs(floor - frames).max() < 3


def test_powers_add():
    total = add_powers(np.zeros((1, 2), np.float32), np.array([[0.0, -200.0]], np.float32))
    np.testing.assert_allclose(total, [[3.0103, 0.0]], atol=1e-3)


def test_activity_is_high_where_some_bands_stand_out():
    above = excess(np.zeros((40, 100), np.float32), np.float32(0))
    above[5:15, 30:40] = 20
    active = activity(above)
    assert active[33:37].min() == pytest.approx(17)
    assert active[60:].max() == 0


def test_trim_finds_the_edges():
    active = np.zeros(100)
    active[30:50] = 10
    assert trim(active, 10, 90, 0.25) == (30, 50)
    assert trim(active, 98, 100, 0.25) == (98, 100)


def test_cut_region_is_filled_beyond_the_ends():
    above = np.ones((3, 10), dtype=np.float32)
    region = cut_region(above, 6, 12, margin=2, least=4)
    assert region.shape == (3, 10)
    np.testing.assert_array_equal(region[0], [1, 1, 1, 1, 1, 1, 0, 0, 0, 0])


def test_range_of_a_region_is_limited():
    region = limit_range(np.array([[0.0, 90.0, 40.0]], dtype=np.float32))
    np.testing.assert_allclose(region, [[0.0, RANGE, 10.0]])


@pytest.mark.parametrize("n_frames", [1, 5, 12, 17, 100, 1000])
def test_rounded_lengths_are_a_seventh_longer_at_most(n_frames):
    length = round_length(n_frames)
    assert n_frames <= length <= max(n_frames + 1, n_frames * 8 / 7 + 1)
    assert round_length(length) == length


def test_threshold_separates_right_from_wrong():
    chosen = choose_threshold([0.9, 0.8, 0.85, 0.7], [0.4, 0.43, 0.35])
    assert 0.43 < chosen.threshold < 0.7
    assert chosen.precision == chosen.recall == pytest.approx(5 / 6)


def test_wanted_precision_raises_and_wanted_recall_lowers_the_threshold():
    found, false = np.linspace(0.4, 0.9, 20), np.linspace(0.31, 0.8, 20)
    precise = choose_threshold(found, false, precision=0.8)
    complete = choose_threshold(found, false, recall=0.9)
    assert precise.precision >= 0.8
    assert complete.recall >= 0.9
    assert precise.threshold > complete.threshold


def test_threshold_of_few_events_promises_less_than_one():
    chosen = choose_threshold([0.9], [])
    assert chosen.precision == chosen.recall == pytest.approx(2 / 3)


def test_both_precision_and_recall_are_an_error():
    with pytest.raises(ValueError, match="expected one of them"):
        choose_threshold([0.9], [], precision=0.9, recall=0.9)


def test_precision_and_recall_of_the_default_threshold_are_measured():
    assert choose_threshold([0.9, 0.8, 0.3], [0.4, 0.7]) == (0.45, 3 / 5, 3 / 5)


def test_variations_keep_the_sound_and_change_its_pitch_and_tempo():
    event = np.full((40, 50), -60, dtype=np.float32)
    event[20] = 0.0
    rng = np.random.default_rng(0)
    variants = [vary(event, rng) for _ in range(50)]
    lengths = np.array([variant.shape[1] for variant in variants])
    loudest = np.array([variant.mean(axis=1).argmax() for variant in variants])
    assert lengths.min() >= 50 / 1.2 - 1
    assert lengths.max() <= 50 * 1.2 + 1
    assert len(set(lengths)) > 5
    assert set(loudest) == {18, 19, 20, 21, 22}
