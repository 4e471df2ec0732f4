"""Settings of a run, and the check that a folder has no results of other clips, settings or parameters."""

import argparse
import json
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skfewaudio._describe import describe, digest, find_changed_parameters
from skfewaudio._files import read_regular, write_file
from skfewaudio._json import parse_json, to_json_value
from skfewaudio._machine import describe_code, describe_machine

from ._run_clips import COLUMNS, Record, digest_columns, find_changed_clips, list_clips, read_clips
from ._run_files import CLIPS, CONFIG, DERIVED, RESULTS, open_results

if TYPE_CHECKING:
    import numpy as np

    from skfewaudio.datasets import AudioDataset

# Options that are needed to load the dataset again.
DATASET_OPTIONS = (
    *("suite", "dataset", "data_home", "subset", "scale"),
    *("audio_root", "path_column", "label_column", "check_layout", "unreadable"),
)
PACKAGES = ("numpy", "scikit-learn", "torch", "skorch", "librosa")
SETTINGS = ("dataset", "random_state", "device", "skfewaudio")  # besides the clips and the parameters
MAX_CHANGES = 3  # parameters of a pipeline that a message names


def read_config(output: Path) -> dict[str, Any]:
    """Load the settings of a run; raise ValueError if they are damaged."""
    path = output / CONFIG
    try:
        config = parse_json(read_regular(path))
        if not isinstance(config, dict):
            raise ValueError(f"is not an object of settings but a {type(config).__name__}")
    except ValueError as error:
        raise ValueError(
            f"{path} {error}. Restore it from a copy, or run the benchmark again with another --output or "
            "with --overwrite"
        ) from error
    return config


def write_config(
    args: argparse.Namespace,
    dataset: "AudioDataset",
    pipelines: dict[str, Any],
    *,
    device: str,
    folds: "np.ndarray",
) -> dict[str, str]:
    """Write the settings of a run and what its results belong to, unless the folder has other results.

    Parameters
    ----------
    args : Namespace
        Options of the run.
    dataset : AudioDataset
        Dataset of the run.
    pipelines : dict of name -> estimator or study
        Pipelines of the run.
    device : str
        Device of the run.
    folds : array of shape (n_clips,)
        All folds of the dataset.

    Returns
    -------
    dict of str to str
        Columns for every row: ``run``, a key of ``runs`` in the settings, and ``versions``.

    Raises
    ------
    ValueError
        If the folder has results of other clips, settings or parameters, which the message names.
    """
    if args.output.exists() and not args.output.is_dir():
        raise ValueError(f"--output {args.output} is a file; expected a folder")
    clips = list_clips(dataset, folds, args.cache_dir)
    identity = _identify(args, dataset, clips, pipelines, device)
    environment: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    run = digest([identity, environment])
    origin = _describe_origin(args)
    runs = {run: {"pipelines": list(pipelines), **environment, **origin}}
    names = {name: _shorten_repr(pipeline) for name, pipeline in pipelines.items()}
    if args.overwrite or not (args.output / RESULTS).exists():
        _remove_results(args)
    else:
        before = _check_same(identity, clips, args.output)
        names = {**before["pipelines"], **names}
        identity["parameters"] = {**before["parameters"], **identity["parameters"]}
        # A run that is resumed or repeated keeps its date and its command.
        origin = {**origin, **{k: v for k, v in before["runs"].get(run, {}).items() if k in origin}}
        runs = {**before["runs"], run: {**runs[run], **origin}}
    notes = {
        "licence": dataset.licence,
        "citation": dataset.citation,
        "n_shots": args.n_shots,
        "n_repeats": args.n_repeats,
        "folds": args.folds,
        "embedding": getattr(args, "embedding", None),
        **origin,
        **environment,
        "source": {name: _to_json_value(getattr(args, name)) for name in DATASET_OPTIONS},
    }
    args.output.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(to_json_value(record), default=str) for record in clips)
    _write_if_changed(args.output / CLIPS, "".join(f"{line}\n" for line in lines).encode())
    text = json.dumps(
        to_json_value({**identity, "pipelines": names, **notes, "runs": runs}), indent=2, ensure_ascii=False
    )
    # A folder whose name is not UTF-8 is written with JSON's escapes.
    _write_if_changed(args.output / CONFIG, f"{text}\n".encode(errors="backslashreplace"))
    versions = {
        "skfewaudio": identity["skfewaudio"],
        "python": environment["python"],
        **environment["versions"],
    }
    return {"run": run, "versions": ", ".join(f"{name} {number}" for name, number in versions.items())}


def _describe_origin(args: argparse.Namespace) -> dict[str, Any]:
    """Return when, by which command and code, and on which machine a run is computed."""
    now = datetime.now(UTC)
    return {
        "date": now.strftime("%Y-%m-%d %H:%M UTC"),
        "command": getattr(args, "same_command", None),
        "commit": describe_code(),
        "machine": describe_machine(),
    }


def _write_if_changed(path: Path, content: bytes) -> None:
    """Write a file whole, unless it is the same: a finished run can be repeated on a full disk."""
    if not path.exists() or read_regular(path) != content:
        write_file(path, content)


def _identify(
    args: argparse.Namespace,
    dataset: "AudioDataset",
    clips: list[Record],
    pipelines: dict[str, Any],
    device: str,
) -> dict[str, Any]:
    """Return everything that results depend on besides the versions of other packages, as JSON values."""
    return {
        "dataset": dataset.name,
        "n_clips": len(dataset),
        "classes": dataset.target_names,
        "random_state": args.random_state,
        "device": device,
        "skfewaudio": version("skfewaudio"),
        "data": digest_columns(clips),
        "parameters": {name: describe(pipeline) for name, pipeline in pipelines.items()},
    }


def _shorten_repr(pipeline: Any) -> str:
    """Return a pipeline as text; addresses of functions are removed, because they change from run to run."""
    return re.sub(r" at 0x\w+", "", repr(pipeline))


def _remove_results(args: argparse.Namespace) -> None:
    """Remove the files of an earlier run, if the folder is the output of one."""
    if args.overwrite or (args.output / CONFIG).exists():
        for name in DERIVED:
            (args.output / name).unlink(missing_ok=True)


def _check_same(identity: dict[str, Any], clips: list[Record], output: Path) -> dict[str, Any]:
    """Return the settings of earlier results; raise ValueError if these belong to something else."""
    remedy = "choose another --output, or use --overwrite to start again"
    if not (output / CONFIG).exists():
        raise ValueError(
            f"{output} has results without {CONFIG}, so that nothing says what they are: {remedy}"
        )
    before = read_config(output)
    if not all(isinstance(before.get(name), dict) for name in ("pipelines", "data", "parameters", "runs")):
        raise ValueError(
            f"{output} has results of an earlier version of skfewaudio, which did not record their clips, "
            f"labels and parameters: {remedy}"
        )
    changes = [
        f"{name} differs ({identity[name]} instead of {before.get(name)})"
        for name in SETTINGS
        if identity[name] != before.get(name)
    ]
    changes += _name_changed_clips(identity["data"], before["data"], clips, output)
    for name, parameters in before["parameters"].items():
        changed = find_changed_parameters(parameters, identity["parameters"].get(name, parameters))
        more = f" and {len(changed) - MAX_CHANGES} more" if len(changed) > MAX_CHANGES else ""
        changes += [f"{name} has {', '.join(changed[:MAX_CHANGES])}{more}"] if changed else []
    if changes:
        raise ValueError(
            f"{output} has results with other clips or settings: {'; '.join(changes)}. {remedy.capitalize()}"
        )
    _check_rows(output, before["runs"])
    return before


def _name_changed_clips(
    now: dict[str, str], before: dict[str, str], clips: list[Record], output: Path
) -> list[str]:
    """Describe how the clips differ from those of earlier results, with the names of some of them."""
    if now == before:
        return []
    stored = _read_stored_clips(output)
    if stored is not None and digest_columns(stored) == before:
        return find_changed_clips(stored, clips)
    return [f"the {what} differ" for name, what in COLUMNS.items() if now[name] != before.get(name)]


def _read_stored_clips(output: Path) -> list[Record] | None:
    """Return the clips of earlier results, or None if they are missing or damaged."""
    path = output / CLIPS
    return read_clips(read_regular(path)) if path.is_file() else None


def check_unchanged(dataset: "AudioDataset", output: Path) -> None:
    """Raise ValueError if a dataset no longer has the clips and labels of stored results."""
    import numpy as np

    stored = _read_stored_clips(output)
    if stored is None:  # of an earlier version
        return
    folds = np.resize([record["fold"] for record in stored], len(dataset))
    changes = find_changed_clips(stored, list_clips(dataset, folds, None))
    if changes:
        raise ValueError(f"{dataset.name} has changed since the run: {'; '.join(changes)}")


def _check_rows(output: Path, runs: dict[str, Any]) -> None:
    """Raise ValueError if result rows come from elsewhere."""
    rows = open_results(output).frame()
    n_foreign = len(rows) if "run" not in rows else int((~rows["run"].isin(list(runs))).sum())
    if n_foreign:
        raise ValueError(
            f"{output / RESULTS} has {n_foreign} rows of runs that {CONFIG} does not list: remove these "
            "rows, choose another --output, or use --overwrite to start again"
        )


def _to_json_value(value: Any) -> Any:
    """Convert a path to a string."""
    return str(value.resolve()) if isinstance(value, Path) else value
