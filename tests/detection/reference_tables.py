"""Random tables of annotated and found events, and reference scores made from them.

Run as a script, it writes golden_scores.json with the scores of sed_eval 0.2.1 and mir_eval 0.8.2.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

LABELS = ("cat", "dog", "owl")
TOLERANCES = {"onset_tolerance": 0.2, "offset_tolerance": 0.2, "offset_share": 0.5}
GOLDEN = Path(__file__).with_name("golden_scores.json")
N_GOLDEN = 20


def random_events(rng, n_events, n_paths=3):
    """Draw events of up to 4 s in recordings of a minute."""
    start = rng.uniform(0, 56, n_events)
    return pd.DataFrame(
        {
            "path": rng.choice([f"{number}.wav" for number in range(n_paths)], n_events),
            "start": start,
            "end": start + rng.uniform(0.05, 4, n_events),
            "label": rng.choice(LABELS, n_events),
        }
    )


def random_tables(seed):
    """Draw annotated events, and found events of which some are annotated events moved a little."""
    rng = np.random.default_rng(seed)
    true = random_events(rng, int(rng.integers(1, 60)))
    kept = true[rng.random(len(true)) < rng.uniform(0.2, 1.0)]
    jitter = rng.normal(0, rng.uniform(0.02, 0.4), (2, len(kept)))
    start = np.maximum(kept["start"] + jitter[0], 0)
    moved = kept.assign(start=start, end=np.maximum(kept["end"] + jitter[1], start + 0.01))
    found = pd.concat([moved, random_events(rng, int(rng.integers(1, 30)))])
    return true, found.sample(frac=1.0, random_state=seed, ignore_index=True)


def as_dicts(table, path):
    """Return the events of one recording as sed_eval takes them."""
    rows = table[table["path"] == path]
    return [
        {"file": path, "event_onset": row.start, "event_offset": row.end, "event_label": row.label}
        for row in rows.itertuples()
    ]


def sed_eval_metrics(true, found, metrics):
    """Evaluate each recording with an object of sed_eval."""
    import dcase_util

    for path in sorted({*true["path"], *found["path"]}):
        metrics.evaluate(
            *(dcase_util.containers.MetaDataContainer(as_dicts(table, path)) for table in (true, found))
        )
    return metrics


def sed_eval_scores(true, found):
    """Return the event-based and segment-based scores of sed_eval."""
    from sed_eval.sound_event import EventBasedMetrics, SegmentBasedMetrics

    labels = list(LABELS)
    events = EventBasedMetrics(labels, t_collar=0.2, percentage_of_length=0.5, event_matching_type="optimal")
    segments = SegmentBasedMetrics(labels, time_resolution=1.0)
    scores = {}
    for name, metrics in (("event", events), ("segment", segments)):
        results = sed_eval_metrics(true, found, metrics).results()
        scores[name] = {
            "f_score": results["overall"]["f_measure"]["f_measure"],
            "precision": results["overall"]["f_measure"]["precision"],
            "recall": results["overall"]["f_measure"]["recall"],
            "error_rate": results["overall"]["error_rate"]["error_rate"],
            "classes": {
                label: [values["f_measure"][key] for key in ("precision", "recall", "f_measure")]
                for label, values in results["class_wise"].items()
            },
        }
    return scores


def mir_eval_scores(true, found):
    """Return the F-scores of mir_eval for one recording and label, of onsets, and of onsets and offsets."""
    from mir_eval import onset, transcription, util

    times = [table[["start", "end"]].to_numpy() for table in (true, found)]
    starts = [np.sort(one[:, 0]) for one in times]
    pitches = [np.full(len(one), 440.0) for one in times]
    onsets = onset.f_measure(*starts, window=0.2)[0]
    matching = transcription.match_notes(
        times[0],
        pitches[0],
        times[1],
        pitches[1],
        onset_tolerance=0.2,
        offset_ratio=0.5,
        offset_min_tolerance=0.2,
    )
    return {"onsets": onsets, "events": util.f_measure(*(len(matching) / len(one) for one in times))}


def mir_eval_overlap_matches(true, found, min_overlap):
    """Return the size of mir_eval's matching of the pairs with an intersection over union."""
    from mir_eval.util import _bipartite_match

    graph = {}
    for j, b in enumerate(found.itertuples()):
        for i, a in enumerate(true.itertuples()):
            shared = min(a.end, b.end) - max(a.start, b.start)
            if a.path == b.path and a.label == b.label and shared > 0:
                union = max(a.end, b.end) - min(a.start, b.start)
                if shared / union >= min_overlap:
                    graph.setdefault(j, []).append(i)
    return len(_bipartite_match(graph))


def one_of(table):
    """Return the events of the first recording, as one label."""
    return table[table["path"] == "0.wav"].assign(label="owl")


def make_golden(n_tables=N_GOLDEN):
    """Return the reference scores of some random tables."""
    golden = []
    for seed in range(n_tables):
        true, found = random_tables(seed)
        scores = sed_eval_scores(true, found)
        scores["n_overlapping"] = mir_eval_overlap_matches(true, found, 0.3)
        if len(one_of(true)) and len(one_of(found)):
            scores["mir_eval"] = mir_eval_scores(one_of(true), one_of(found))
        golden.append(scores)
    return golden


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(make_golden()), encoding="ascii")
    sys.stdout.write(f"{GOLDEN}\n")
