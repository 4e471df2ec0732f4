"""Label recordings by listening, on a page that asks for the labels most worth knowing."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._common import DONE, Output, add_command, check_output, escape
from ._models import open_model

if TYPE_CHECKING:
    from skfewaudio.labelling import ActiveLabeller

EXAMPLES = (
    "skfewaudio label recordings -o labels.csv",
    "skfewaudio label recordings -o labels.csv --labels dog rain --export audacity",
    "skfewaudio label night.wav -o labels.csv --window 3 --model sounds.model",
)
EXPORTS = ("audacity", "raven")


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(
        commands,
        "label",
        "label recordings by listening, and train a model from the labels",
        examples=EXAMPLES,
    )
    parser.add_argument(
        "sources",
        metavar="FOLDER_OR_RECORDINGS",
        nargs="+",
        help="folder of sound files, sound file, or table with the column path and, for parts of files, "
        "start and end",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="TABLE",
        type=Path,
        required=True,
        help="table of the labels, written after every answer; answers that it has are taken up again",
    )
    parser.add_argument(
        "--labels", metavar="LABEL", nargs="+", default=[], help="expected classes, for the keys 1 to 9"
    )
    _add_model_options(parser)
    parser.add_argument(
        "--window",
        metavar="SECONDS",
        type=float,
        default=5.0,
        help="cut recordings that last longer than 1.5 windows into windows; 0 cuts none (default: 5)",
    )
    parser.add_argument(
        "--export",
        metavar="FORMAT",
        nargs="+",
        choices=EXPORTS,
        default=[],
        help="at the end, also write annotations of each recording: audacity, raven or both, in the folders "
        "TABLE-audacity and TABLE-raven",
    )
    parser.add_argument(
        "--port", metavar="N", type=int, default=0, help="port of the page (default: any that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")
    parser.add_argument(
        "--random-state", metavar="N", type=int, default=0, help="seed of all random numbers (default: 0)"
    )
    parser.set_defaults(run=run)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="saved model, whose predictions are used until the labels predict each other better",
    )
    parser.add_argument(
        "--trust",
        metavar="TYPE",
        action="append",
        default=[],
        help="allow a type in MODEL that is not known to be safe (may be repeated)",
    )
    parser.add_argument(
        "--save-to",
        metavar="MODEL",
        type=Path,
        help="file that the page saves the model to (default: TABLE with the suffix .model)",
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Serve the page until Ctrl-C, then export the labels."""
    model_path = args.save_to or args.output.with_suffix(".model")
    _check_options(args, model_path)

    from skfewaudio.labelling import ActiveLabeller, LabellingPage, find_clips

    found = find_clips(args.sources, window=args.window or None)
    for problem in found.problems:
        out.warn(problem)
    if not found.parts:
        raise ValueError(f"{', '.join(args.sources)}: there are no sound files that can be used")
    model = open_model(args.model, args.trust) if args.model else None
    labeller = ActiveLabeller(
        found.parts, table=args.output, classes=args.labels, model=model, random_state=args.random_state
    )
    with labeller:
        page = _make_page(LabellingPage, labeller, args, model_path)
        n_before = len(labeller.labelled())
        out.print(f"{len(labeller)} clips, {n_before} labelled already; the page is at\n{page.url}")
        out.print("Ctrl-C stops it; all answers are saved at once.")
        if not args.no_browser:
            _open_browser(page.url)
        page.run()
        _finish(labeller, args, model_path, out)
    return DONE


def _check_options(args: argparse.Namespace, model_path: Path) -> None:
    """Check numbers, and that the files can be written."""
    if args.window < 0:
        raise ValueError(f"--window {args.window:g}: expected seconds above 0, or 0 to cut no recordings")
    if not 0 <= args.port < 65536:
        raise ValueError(f"--port {args.port}: expected a number from 0 to 65535")
    check_output(args.output)
    check_output(model_path)


def _make_page(page: Any, labeller: "ActiveLabeller", args: argparse.Namespace, model_path: Path) -> Any:
    source = Path(args.sources[0])
    folder = source if source.is_dir() else source.parent
    try:
        return page(labeller, model_path=model_path, table=args.output, folder=folder, port=args.port)
    except ImportError as error:
        raise ValueError(str(error)) from error
    except OSError as error:
        raise ValueError(f"--port {args.port}: {error.strerror}; choose another, or leave it out") from error


def _open_browser(url: str) -> None:
    import webbrowser

    webbrowser.open(url)


def _finish(labeller: "ActiveLabeller", args: argparse.Namespace, model_path: Path, out: Output) -> None:
    """Export the labels, and print what there is and how to use it."""
    from skfewaudio.labelling import export_annotations, list_commands

    for name in args.export:
        folder = args.output.with_name(f"{args.output.stem}-{name}")
        files = export_annotations(labeller, folder, format=name)
        out.print(f"{len(files)} files of annotations in {escape(folder)}")
    n_labelled = len(labeller.labelled())
    out.print(f"{n_labelled} labels in {escape(args.output)}")
    if model_path.exists():
        commands = list_commands(model_path, args.output, args.sources[0], has_parts=labeller.has_parts)
        out.print("\n".join(escape(command) for command in commands))
