"""Commands and code of the report that make the recommended classifier."""

import ast

import pytest

from skfewaudio.benchmarking._recipes import make_recipes
from skfewaudio.pipelines import PIPELINES


def make_config(dataset, pipelines=("few-shot",), **source):
    return {"pipelines": dict.fromkeys(pipelines, ""), "source": {"dataset": dataset, **source}}


def recipe(*args, pipeline="few-shot", **kwargs):
    return make_recipes(make_config(*args, pipelines=[pipeline], **kwargs))[pipeline]


def test_command_of_a_folder_trains_on_it(tmp_path):
    command = recipe("folder", data_home=str(tmp_path))["command"]
    assert command.splitlines() == [
        f"skfewaudio train {tmp_path} -o sounds.model",
        "skfewaudio predict sounds.model new.wav",
    ]


def test_command_of_a_dataset_has_its_options():
    command = recipe("esc50", subset="esc10", data_home="my data")["command"]
    assert "train --dataset esc50 --subset esc10 --data-home 'my data' -o" in command


def test_command_of_another_pipeline_names_it():
    assert "--pipeline mfcc-1nn" in recipe("synthetic", pipeline="mfcc-1nn")["command"]


def test_code_loads_the_dataset_with_its_own_function():
    assert "X, y = load_esc50(subset='esc10')" in recipe("esc50", subset="esc10")["python"]


@pytest.mark.parametrize("name", [name for name in PIPELINES if name != "random"])
def test_code_is_valid_python(name):
    assert ast.parse(recipe("synthetic", pipeline=name)["python"]).body


def test_code_of_the_recommended_classifier_runs():
    code = recipe("synthetic")["python"].splitlines()
    names = {}
    exec("\n".join(line for line in code if "import" in line), names)
    assert callable(names["make_few_shot_classifier"])
    assert callable(names["load_synthetic"])


def test_random_guesses_have_no_recipe():
    assert make_recipes(make_config("synthetic", ["random"])) == {}


def test_runs_of_earlier_versions_have_no_recipes():
    assert make_recipes({"pipelines": {"few-shot": ""}}) == {}
