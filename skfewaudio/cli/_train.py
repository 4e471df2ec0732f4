"""Train a model on labelled recordings and save it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skfewaudio._option_types import add_embedding, add_reading_options, add_table_options, reading_of
from skfewaudio.pipelines import PIPELINES

from ._common import (
    FOUND_FAULTS,
    Output,
    add_command,
    check_output,
    escape,
    format_table,
    terminal_width,
)
from ._data import (
    SOURCE_HELP,
    Clip,
    add_data_home,
    check_single_label,
    count_classes,
    load_named,
    load_recordings,
    sound_clips,
)
from ._evaluate import score_model
from ._train_detector import add_detector_options, is_detector, train_detector
from ._training import PIPELINE_OPTIONS, build_pipeline, cross_validate, fit, scores_for_card, set_options
from ._unreadable import UnreadableFiles

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

EXAMPLES = (
    "skfewaudio train recordings -o sounds.model",
    "skfewaudio train recordings -o sounds.model --test-folder other-recordings",
    "skfewaudio train labels.csv -o calls.model --audio-root recordings --sample-rate 384000",
    "skfewaudio train --dataset esc50 --subset esc10 --data-home ESC-50-master -o esc10.model",
    "skfewaudio train recordings -o sounds.model --embedding birdnet-2.4",
    "skfewaudio train recordings -o sounds.model --class-weight balanced --false-rejection-rate 0.05",
)


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(
        commands, "train", "train a model on labelled recordings, and save it", examples=EXAMPLES
    )
    parser.add_argument(
        "source",
        metavar="FOLDER_OR_TABLE",
        nargs="*",
        help=f"{SOURCE_HELP}, or several such files. Annotated recordings give a detector of events",
    )
    parser.add_argument("-o", "--output", metavar="MODEL", required=True, help="file to write")
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help="train on a dataset by its name instead (see skfewaudio datasets list)",
    )
    parser.add_argument("--subset", metavar="NAME", help="part of the dataset, such as esc10 of esc50")
    add_data_home(parser)
    _add_model_options(parser)
    add_detector_options(parser)
    parser.add_argument(
        "--unlabelled",
        metavar="FOLDER",
        help="use these sound files as unlabelled clips (pipeline few-shot only)",
    )
    evaluation = parser.add_mutually_exclusive_group()
    evaluation.add_argument(
        "--test-folder",
        metavar="FOLDER_OR_TABLE",
        help="score on these clips instead of by cross-validation",
    )
    evaluation.add_argument("--no-evaluate", action="store_true", help="do not score")
    add_reading_options(parser, sample_rate="auto for few-shot, fixed for others")
    add_table_options(parser)
    parser.add_argument(
        "--n-jobs",
        metavar="N",
        type=int,
        default=1,
        help="number of parallel fits in the cross-validation; -1 is one per core (default: 1)",
    )
    parser.add_argument(
        "--random-state", metavar="N", type=int, default=0, help="seed of all random numbers (default: 0)"
    )
    parser.add_argument("--device", help="torch device, such as cpu or cuda (default: the fastest)")
    parser.set_defaults(run=run)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the pipeline."""
    parser.add_argument(
        "--pipeline",
        metavar="NAME",
        default="few-shot",
        help=f"one of {', '.join(PIPELINES)} (default: few-shot)",
    )
    add_embedding(parser)
    parser.add_argument(
        "--class-weight",
        choices=("balanced",),
        help="balanced: give all classes the same weight, whatever their numbers of clips",
    )
    parser.add_argument(
        "--false-rejection-rate",
        metavar="P",
        type=float,
        help="reject unfamiliar clips as unknown, and with them the share P of clips of known classes "
        "(default: reject none)",
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Estimate the accuracy, train the model on all clips, and save it."""
    _check_options(args)
    model = build_pipeline(
        args.pipeline,
        random_state=args.random_state,
        device=args.device,
        semi_supervised=bool(args.unlabelled),
        embedding=args.embedding,
    )
    set_options(model, args)
    dataset = _load(args)
    has_events = is_detector(args, dataset, model, out)
    test = load_recordings(args.test_folder, args) if args.test_folder else None
    with UnreadableFiles(out, reading_of(args)) as bad:
        if has_events:
            _save(*train_detector(model, dataset, args, out, bad), args, out)
            return bad.status
        status = _train(model, dataset, test, args, out, bad)
    return status or bad.status


def _train(
    model: Any,
    dataset: "AudioDataset",
    test: "AudioDataset | None",
    args: argparse.Namespace,
    out: Output,
    unreadable: UnreadableFiles,
) -> int:
    """Train and save the model on the readable clips."""
    import numpy as np

    from skfewaudio.datasets import list_audio_files

    dataset = unreadable.drop_from(dataset)
    others: list[Clip] = [*list_audio_files(args.unlabelled)] if args.unlabelled else []
    unreadable.count(others)
    others = unreadable.drop(others)
    counts = count_classes(dataset)
    out.print(format_table(["class", "clips"], list(counts.items()), width=terminal_width()))
    if test is not None and not set(counts).intersection(test.target_names):
        raise ValueError(f"{args.test_folder} has none of the classes {', '.join(counts)}")
    X = [*sound_clips(dataset), *others]
    scores, status = None, 0
    if not args.no_evaluate and test is None:
        scores = cross_validate(model, X, dataset, args.n_jobs, out)
        _print_scores(scores, out)
    also = f" and {len(others)} unlabelled clips" if others else ""
    out.note(f"training on {len(dataset)} clips{also} ...")
    fit(model, X, np.arange(len(X)), dataset)
    if test is not None:
        scores, status = _score_on(model, test, args.test_folder, out, unreadable)
        _print_scores(scores, out)
    data = {
        "name": dataset.name,
        "n_clips": len(dataset),
        "clips_per_class": counts,
        "n_unlabelled": len(others),
        "n_unreadable": len(unreadable.paths),
    }
    _save(model, _make_card(args, data, scores), args, out)
    return status


def _save(model: Any, card: dict[str, Any], args: argparse.Namespace, out: Output) -> None:
    """Save a model, and say so."""
    from skfewaudio.persistence import save_model

    save_model(model, args.output, card=card)
    out.print(f"saved {escape(args.output)} ({Path(args.output).stat().st_size / 1e6:.1f} MB)")


def _make_card(
    args: argparse.Namespace, data: dict[str, Any], scores: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the entries of the model card."""
    options = {name: getattr(args, name) for name in PIPELINE_OPTIONS}
    return {
        "data_set": data,
        "pipeline": args.pipeline,
        "embedding": args.embedding,
        "options": {name: value for name, value in options.items() if value is not None},
        "scores": scores,
        "random_state": args.random_state,
    }


def _check_options(args: argparse.Namespace) -> None:
    """Check the source, numbers, and that the model can be written, before anything is loaded."""
    if (not args.source) == (args.dataset is None):
        given = "both are given" if args.source else "none is given"
        raise ValueError(f"expected either FOLDER_OR_TABLE or --dataset NAME; {given}")
    if args.dataset is None and (args.subset or args.data_home):
        raise ValueError("--subset and --data-home belong to --dataset NAME")
    rate = args.false_rejection_rate
    if rate is not None and not 0 < rate < 1:
        raise ValueError(f"--false-rejection-rate {rate:g}: expected a share between 0 and 1, such as 0.05")
    check_output(Path(args.output))


def _load(args: argparse.Namespace) -> "AudioDataset":
    """Load the clips to train on."""
    if args.dataset is None:
        dataset = load_recordings(args.source, args)
    else:
        dataset = load_named(args.dataset, args.data_home, subset=args.subset)
    check_single_label(dataset, "train")
    return dataset


def _score_on(
    model: Any, test: "AudioDataset", source: str, out: Output, unreadable: UnreadableFiles
) -> tuple[dict[str, Any], int]:
    """Score the trained model on other clips."""
    result = score_model(model, test, out, unreadable)
    for label, count in result.unknown.items():
        out.warn(f"{escape(label)}: not a class of the model; {count} clips of {source} are left out")
    scores = scores_for_card(result.true, result.predicted, f"tested on {source}", model)
    return scores, FOUND_FAULTS if result.unknown else 0


def _print_scores(scores: dict[str, Any] | None, out: Output) -> None:
    if scores is None:
        return
    out.print(f"\n{scores['text']}\n  {escape(scores['method'])}")
    if "n_rejected" in scores:
        out.print(f"  {scores['n_rejected']} clips rejected as unknown")
