"""What the report contains for its controls: recommendation, embedding, players, calibration, provenance."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from skfewaudio.datasets import AudioDataset
from skfewaudio.reporting import EmbeddingDisplay, write_report
from skfewaudio.reporting._report.build import build_report
from skfewaudio.reporting._report.calibration import build_calibration
from skfewaudio.reporting._report.classes import build_classes
from skfewaudio.reporting._report.plane import build_embedding
from skfewaudio.reporting._report.predictions import Predictions, precision_recall_table
from skfewaudio.reporting._report.provenance import provenance_table
from skfewaudio.reporting._report.recommendation import recommend
from skfewaudio.reporting._report.scores import MetricScores

TRUE = ["a", "b", "a", "b"]
# Of "good", only clip 1 is misclassified; "bad" predicts a for every clip.
GUESSES = {"good": ["a", "a", "a", "b"], "bad": ["a", "a", "a", "a"]}
RECIPE = {"command": "skfewaudio train clips -o m", "python": "model = make().fit(X, y)"}


def make_results(n_repeats=3, **columns):
    values = {"good": 0.75, "bad": 0.5}
    rows = [
        {"pipeline": p, "n_shots": n, "repeat": r, "fold": 0, "metric": "accuracy"}
        | {"value": v + 0.01 * (r % 2) + 0.01 * n}
        | columns
        for p, v in values.items()
        for n in (1, 5)
        for r in range(n_repeats)
    ]
    return pd.DataFrame(rows)


def make_predictions(**columns):
    rows = [
        {
            "pipeline": p,
            "n_shots": n,
            "repeat": 0,
            "fold": 0,
            "clip": clip,
            "true": TRUE[clip],
            "predicted": label,
        }
        for p, labels in GUESSES.items()
        for n in (1, 5)
        for clip, label in enumerate(labels)
    ]
    return pd.DataFrame(rows).assign(**columns)


def make_scores():
    return MetricScores.from_results(make_results(), "accuracy")


def make_classes(**columns):
    return build_classes(Predictions.check(make_predictions(**columns), None), make_scores(), None, 12)


def make_points(**columns):
    return pd.DataFrame({"x": [0.0, 1, 2, 3], "y": 0.0, "label": TRUE, "kind": "clip"}).assign(**columns)


def build(**arguments):
    names = ("predictions", "dataset", "config", "leaks", "extrapolation", "suggestions", "embedding")
    names += ("detections", "annotations", "recipes", "metric", "title")
    numbers = {"n_events": 20, "n_clips": 12, "n_players": 100, "with_media": False}
    return build_report(make_results(), **(dict.fromkeys(names) | numbers | arguments))


def test_best_pipeline_is_recommended_with_its_recipe():
    found = recommend(make_scores(), {"good": RECIPE})
    assert (found.pipeline, found.command, found.python) == ("good", *RECIPE.values())


def test_recommendation_says_that_it_is_best_everywhere():
    assert recommend(make_scores(), None).reasons[-1] == "It is also best with every smaller number of clips."


def test_recommendation_names_methods_that_may_be_as_good():
    results = make_results()
    close = (results["pipeline"] == "bad") & (results["n_shots"] == 5)
    results.loc[close, "value"] = [0.7, 0.9, 0.75]
    reasons = recommend(MetricScores.from_results(results, "accuracy"), None).reasons
    assert "The draws do not distinguish it from bad." in reasons


def test_recommendation_names_better_methods_with_fewer_clips():
    results = make_results()
    few = (results["pipeline"] == "bad") & (results["n_shots"] == 1)
    results.loc[few, "value"] = 0.9
    scores = MetricScores.from_results(results, "accuracy")
    assert "With 1 per class, bad scores higher." in recommend(scores, None).reasons


def test_unknown_keys_of_a_recipe_are_rejected():
    with pytest.raises(ValueError, match=r"recipes\['good'\] must be a mapping with the keys command and"):
        recommend(make_scores(), {"good": {"code": "x"}})


@pytest.mark.parametrize("format", ["html", "markdown"])
def test_report_contains_the_command_of_the_recommended_classifier(tmp_path, format):
    path = write_report(tmp_path / "report", make_results(), recipes={"good": RECIPE}, format=format)
    assert RECIPE["command"] in path.read_text()


def test_precision_and_recall_are_by_class():
    predictions = Predictions.check(make_predictions(), None)
    rows = precision_recall_table(predictions, "good", 5).rows
    # Of three predictions as a, two are right; of two clips of b, one is found.
    assert [[cell.text for cell in row] for row in rows] == [
        ["a", "67", "100", "80", "2"],
        ["b", "100", "50", "67", "2"],
    ]


def test_calibration_compares_probability_and_accuracy():
    predictions = Predictions.check(make_predictions(probability=0.95), None)
    calibration = build_calibration(predictions, "good", 5)
    assert calibration.caption == "good, 5 per class: expected calibration error 20.0 %"
    assert [cell.text for cell in calibration.table.rows[9]] == ["90 to 100 %", "75", "95", "4"]


def test_classifiers_without_probabilities_have_no_calibration():
    assert build_calibration(Predictions.check(make_predictions(), None), "good", 5) is None


def test_errors_of_every_method_are_listed():
    errors = make_classes().choices["errors"]
    # Clip, predicted class, number of times, number of predictions.
    assert errors[0][1] == [[1, 0, 1, 1]]
    assert errors[1][1] == [[1, 0, 1, 1], [3, 0, 1, 1]]


def test_clips_that_any_method_misclassifies_get_a_player():
    assert sorted(build(predictions=make_predictions()).media) == [1, 3]


def test_number_of_players_is_limited():
    assert list(build(predictions=make_predictions(), n_players=1).media) == [1]


def test_embedded_clips_get_a_player():
    assert sorted(build(embedding=make_points(clip=range(4))).media) == [0, 1, 2, 3]


def test_caption_of_the_embedding_is_the_description_of_the_display():
    display = EmbeddingDisplay(make_points(), description="Features of good.")
    assert build_embedding(display, None).caption == "Features of good."


def test_misclassified_clips_of_the_embedding_are_counted():
    assert build_embedding(make_points(predicted=["a", "a", "a", ""]), None).n_wrong == 1


def test_classes_without_prototypes_are_named_in_the_chart():
    assert sorted(label.text for label in build_embedding(make_points(), None).wide.labels) == ["a", "b"]


def test_embedding_of_another_dataset_is_rejected():
    dataset = AudioDataset(np.zeros((2, 10)), ["a", "b"], name="toy", sample_rate=8000)
    with pytest.raises(ValueError, match="embedding contains clip 3, but the dataset has 2 clips"):
        build_embedding(make_points(clip=range(4)), dataset)


def test_suggested_files_have_players(tmp_path):
    soundfile.write(tmp_path / "new.wav", np.zeros(8000), 8000)
    paths = [str(tmp_path / "new.wav"), str(tmp_path / "missing.wav")]
    text = write_report(tmp_path / "r.html", make_results(), suggestions=paths).read_text()
    assert 'aria-label="Play new.wav"' in text
    assert 'aria-label="Play missing.wav"' not in text


def test_sound_of_a_clip_is_in_the_page_once(tmp_path):
    dataset = AudioDataset(np.zeros((4, 8000)), TRUE, name="toy", sample_rate=8000)
    path = write_report(
        tmp_path / "r.html",
        make_results(),
        dataset=dataset,
        predictions=make_predictions(),
        embedding=make_points(clip=range(4)),
    )
    text = path.read_text()
    data = json.loads(text.partition('id="numbers">')[2].partition("</script>")[0])
    assert sorted(map(int, data["media"])) == [0, 2, 3]
    assert 'data-clip="1"' in text


def test_every_line_and_class_has_a_colour_of_its_own(tmp_path):
    labels = [f"class {k}" for k in range(30)]
    points = pd.DataFrame({"x": range(30), "y": range(30), "label": labels, "kind": "clip"})
    text = write_report(tmp_path / "r.html", make_results(), embedding=points).read_text()
    rules = {line.partition("{")[2] for line in text.splitlines() if line.startswith(".c") and "--c:" in line}
    assert len(rules) == 30


def test_provenance_lists_command_code_and_machine_of_the_run():
    config = {
        "date": "2026-01-02",
        "command": "skfewaudio benchmark",
        "commit": "skfewaudio 1",
        "machine": "CPU",
    }
    facts = {row[0].text: row[1].text for row in provenance_table(make_results(), None, config).rows}
    assert [facts[name] for name in ("results computed", "command", "code", "machine")] == list(
        config.values()
    )


def test_date_of_the_report_can_be_fixed(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    facts = {row[0].text: row[1].text for row in provenance_table(make_results(), None, {}).rows}
    assert facts["report written"].startswith("1970-01-02, skfewaudio ")
