"""Train a model on a folder per class and save it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._common import DONE, FOUND_FAULTS, Output, add_command, format_table, terminal_width
from ._data import count_classes, load_recordings
from ._evaluate import score_model
from ._scores import accuracy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skfewaudio.datasets import AudioDataset


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(commands, "train", "train a model on a folder per class, and save it")
    parser.add_argument("folder", metavar="FOLDER", help="folder with one folder of sound files per class")
    parser.add_argument("-o", "--output", metavar="MODEL", required=True, help="file to write")
    parser.add_argument(
        "--pipeline",
        metavar="NAME",
        default="few-shot",
        help="pipeline of the benchmark suite few-data, such as prototypical, sb-cnn or vggish-1nn "
        "(default: few-shot)",
    )
    parser.add_argument(
        "--unlabelled",
        metavar="FOLDER",
        help="use these sound files as unlabelled clips (pipeline few-shot only)",
    )
    evaluation = parser.add_mutually_exclusive_group()
    evaluation.add_argument(
        "--test-folder", metavar="FOLDER", help="score on these clips instead of by cross-validation"
    )
    evaluation.add_argument("--no-evaluate", action="store_true", help="do not score")
    parser.add_argument(
        "--random-state", metavar="N", type=int, default=0, help="seed of all random numbers (default: 0)"
    )
    parser.add_argument("--device", help="torch device, such as cpu or cuda (default: the fastest)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Estimate the accuracy, train the model on all clips, and save it."""
    import numpy as np

    from skfewaudio.datasets import list_audio_files
    from skfewaudio.persistence import save_model

    _check_output(Path(args.output))
    dataset = load_recordings(args.folder)
    test = load_recordings(args.test_folder) if args.test_folder else None
    others = list_audio_files(args.unlabelled) if args.unlabelled else []
    model = build_pipeline(
        args.pipeline,
        random_state=args.random_state,
        device=args.device,
        semi_supervised=bool(args.unlabelled),
    )
    counts = count_classes(dataset)
    out.print(format_table(["class", "clips"], list(counts.items()), width=terminal_width()))
    scores = None
    if not args.no_evaluate and test is None:
        scores = _cross_validate(model, dataset, others, out)
        _print_scores(scores, out)
    also = f" and {len(others)} unlabelled clips" if others else ""
    out.note(f"training on {len(dataset)} clips{also} ...")
    everything = np.arange(len(dataset) + len(others))
    _fit(model, [*dataset.X, *others], everything, dataset)
    status = DONE
    if test is not None:
        scores, status = _score_on(model, test, args.test_folder, out)
        _print_scores(scores, out)
    card = {
        "data_set": {
            "name": dataset.name,
            "n_clips": len(dataset),
            "clips_per_class": counts,
            "n_unlabelled": len(others),
        },
        "pipeline": args.pipeline or "default",
        "scores": scores,
        "random_state": args.random_state,
    }
    save_model(model, args.output, card=card)
    out.print(f"saved {args.output} ({Path(args.output).stat().st_size / 1e6:.1f} MB)")
    return status


def _check_output(path: Path) -> None:
    """Check before the training that the model can be written."""
    if path.is_dir():
        raise ValueError(f"-o {path}: is a folder; expected a file to write")
    if not path.parent.is_dir():
        raise ValueError(f"-o {path}: folder {path.parent} does not exist; create it first")


def build_pipeline(name: str, *, random_state: int, device: str | None, semi_supervised: bool = False) -> Any:
    """Build a pipeline of the benchmark, with one seed for all its steps."""
    from skfewaudio._torch import resolve_device
    from skfewaudio.pipelines import PIPELINES

    resolve_device(device)
    known = PIPELINES
    if name not in known:
        raise ValueError(f"--pipeline {name}: expected one of {', '.join(known)}")
    options = {"device": device, "mixed_precision": None, "vggish_weights": "vggish"}
    model = known[name](**options, semi_supervised=semi_supervised)
    if semi_supervised and not any(key.endswith("semi_supervised") for key in model.get_params()):
        raise ValueError(f"--unlabelled: {name} cannot use unlabelled clips; use --pipeline few-shot")
    seeds = [key for key in model.get_params() if key.rpartition("__")[2] == "random_state"]
    return model.set_params(**dict.fromkeys(seeds, random_state))


def _cross_validate(
    model: Any, dataset: "AudioDataset", others: list[str], out: Output
) -> dict[str, Any] | None:
    """Cross-validate by the dataset's splitter; return None, with a warning, if it has too few clips."""
    import numpy as np
    from sklearn.base import clone
    from sklearn.utils import _safe_indexing

    from skfewaudio.model_selection.shared_features import SharedFeatures

    try:
        cv = dataset.make_cv()
    except ValueError as error:
        out.warn(f"accuracy is not estimated: {error}")
        return None
    splits = list(cv.split(dataset.X, dataset.y, dataset.groups))
    features, rest = SharedFeatures({"model": model}).compute("model", [*dataset.X, *others])
    unlabelled = len(dataset) + np.arange(len(others))
    predicted = dataset.y.astype(object)
    for number, (train, test) in enumerate(splits):
        out.progress("fold", number, len(splits))
        fitted = _fit(clone(rest), features, np.concatenate([train, unlabelled]), dataset)
        predicted[test] = fitted.predict(_safe_indexing(features, test))
    out.progress("fold", len(splits), len(splits))
    kept = "" if dataset.groups is None else ", recordings kept together"
    method = f"{len(splits)}-fold cross-validation{kept}"
    return _scores_for_card(dataset.y.tolist(), predicted.tolist(), method)


def _fit(model: Any, X: Any, rows: "NDArray", dataset: "AudioDataset") -> Any:
    """Fit a model on the given rows of X: the clips of a dataset, followed by unlabelled clips."""
    import numpy as np
    from sklearn.pipeline import Pipeline
    from sklearn.utils import _safe_indexing
    from sklearn.utils.validation import has_fit_parameter

    n_others = len(X) - len(dataset)
    labels = dataset.y
    if n_others:
        labels = np.concatenate([dataset.y.astype(object), np.full(n_others, -1, dtype=object)])
    params = {}
    if dataset.groups is not None and isinstance(model, Pipeline) and has_fit_parameter(model[-1], "groups"):
        recordings = np.unique(dataset.groups, return_inverse=True)[1]
        recordings = np.concatenate([recordings, recordings.max() + 1 + np.arange(n_others)])
        params[f"{model.steps[-1][0]}__groups"] = recordings[rows]
    return model.fit(_safe_indexing(X, rows), labels[rows], **params)


def _score_on(model: Any, test: "AudioDataset", folder: str, out: Output) -> tuple[dict[str, Any], int]:
    """Score the trained model on a test folder."""
    result = score_model(model, test, out)
    for label, count in result.unknown.items():
        out.warn(f"{label}: not a class of the model; {count} clips of {folder} are left out")
    scores = _scores_for_card(result.true, result.predicted, f"tested on {folder}")
    return scores, FOUND_FAULTS if result.unreadable or result.unknown else DONE


def _scores_for_card(true: list[str], predicted: list[str], method: str) -> dict[str, Any]:
    """Return the scores in the form of the model card."""
    score = accuracy(true, predicted)
    return {
        "accuracy": score.value,
        "interval": [score.low, score.high],
        "n_clips": score.n_clips,
        "method": method,
        "text": str(score),
    }


def _print_scores(scores: dict[str, Any] | None, out: Output) -> None:
    if scores is not None:
        out.print(f"\n{scores['text']}\n  {scores['method']}")
