"""Commands and code that make the pipelines of a run, for its report."""

import shlex
from typing import Any

from skfewaudio.pipelines import PIPELINES

from ._options import is_file_source

MODEL = "sounds.model"
NO_MODEL = ("random",)  # a baseline, of which no model is wanted


def make_recipes(config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the command and the Python code that train each pipeline of a run on all its clips.

    Parameters
    ----------
    config : dict
        Settings of a run, as written by `write_config`.

    Returns
    -------
    dict of str to dict
        The keys command and python, by the name of the pipeline, as `write_report` expects them.
    """
    source = config.get("source")
    if source is None:
        return {}
    names = [name for name in config["pipelines"] if name in PIPELINES and name not in NO_MODEL]
    embedding = config.get("embedding") or []
    return {
        name: {
            "command": _make_command(name, source, embedding if name == "few-shot" else []),
            "python": _make_code(name, source, embedding if name == "few-shot" else []),
        }
        for name in names
    }


def _folder_of(source: dict[str, Any]) -> str | None:
    """Return the folder or table of a dataset, or None for a dataset with a name."""
    if source["dataset"] == "folder":
        return str(source["data_home"])
    return str(source["dataset"]) if is_file_source(source["dataset"]) else None


def _make_command(name: str, source: dict[str, Any], embedding: list[str]) -> str:
    """Return the commands that train the pipeline and classify a recording."""
    folder = _folder_of(source)
    words = ["skfewaudio", "train"]
    if folder is not None:
        words += [folder]
    else:
        words += ["--dataset", source["dataset"]]
        for option in ("subset", "data_home"):
            words += [f"--{option.replace('_', '-')}", str(source[option])] if source.get(option) else []
    for option in ("audio_root", "path_column", "label_column"):
        words += [f"--{option.replace('_', '-')}", str(source[option])] if source.get(option) else []
    words += [] if name == "few-shot" else ["--pipeline", name]
    words += [word for model in embedding for word in ("--embedding", model)]
    return f"{shlex.join([*words, '-o', MODEL])}\nskfewaudio predict {MODEL} new.wav"


def _make_code(name: str, source: dict[str, Any], embedding: list[str]) -> str:
    """Return the code that loads the clips, fits the pipeline and classifies a recording."""
    imports, load = _loading_code(source)
    if name == "few-shot":
        options = f"embedding={embedding!r}" if embedding else ""
        imports = [*imports, "from skfewaudio import make_few_shot_classifier"]
        make = f"make_few_shot_classifier({options})"
    else:
        imports = [*imports, "from skfewaudio.pipelines import PIPELINES"]
        make = f'PIPELINES["{name}"](device="cpu", mixed_precision=None, vggish_weights="vggish")'
    lines = [
        *sorted(imports),
        "",
        f"X, y = {load}",
        f"model = {make}.fit(X, y)",
        'model.predict(["new.wav"])',
    ]
    return "\n".join(lines)


def _loading_code(source: dict[str, Any]) -> tuple[list[str], str]:
    """Return the import and the call that load the clips."""
    from skfewaudio.plugins import DATASETS

    folder = _folder_of(source)
    if folder is not None:
        return ["from skfewaudio.datasets import load_labels"], f"load_labels({folder!r})"
    options = {name: source.get(name) for name in ("data_home", "subset")}
    given = ", ".join(f"{name}={str(value)!r}" for name, value in options.items() if value)
    load = DATASETS.get(source["dataset"])
    if load.__module__.startswith("skfewaudio.datasets"):
        return [f"from skfewaudio.datasets import {load.__name__}"], f"{load.__name__}({given})"
    return ["from skfewaudio.plugins import DATASETS"], f'DATASETS.get("{source["dataset"]}")({given})'
