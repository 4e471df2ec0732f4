"""Tests of the page in a headless browser; skipped if no browser is installed."""

import numpy as np
import pandas as pd
import pytest

from skfewaudio.datasets import load_synthetic
from skfewaudio.reporting import write_report

pytestmark = pytest.mark.slow
# Uses the controls of the page, and returns what they did.
ACTIONS = """(async () => {
  const $ = (selector) => document.querySelector(selector);
  const count = (selector) => document.querySelectorAll(selector).length;
  const press = (key) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const seen = {};
  const download = (button) => new Promise((resolve) => {
    URL.createObjectURL = (blob) => { resolve(blob); return "#"; };
    button.click();
  });
  const cells = document.querySelectorAll("#confusion button");
  cells[0].focus();
  press("ArrowDown");
  seen.focused = document.activeElement === cells[1] && cells[1].tabIndex === 0 && cells[0].tabIndex === -1;
  cells[1].click();
  seen.pair = [$("#pair").open, $("#pair-title").textContent, count("#pair-clips audio")];
  $("#pair-close").click();
  seen.closed = !$("#pair").open;
  const select = $("#clips .pipeline");
  select.value = "1";
  select.dispatchEvent(new Event("change", { bubbles: true }));
  seen.perfect = [count("#worst li"), $("#confusion-caption").textContent, $("#classes .pipeline").value];
  const place = $("#plane .dot").getAttribute("transform");
  $("#zoom-in").click();
  seen.zoomed = place !== $("#plane .dot").getAttribute("transform");
  $("#zoom-reset").click();
  seen.reset = place === $("#plane .dot").getAttribute("transform");
  $("#plane .dot").dispatchEvent(new MouseEvent("click", { bubbles: true }));
  seen.clicked = [count("#plane-card audio"), $("#plane-clip").value];
  $("#plane .dot").dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
  seen.tip = $("#plane-tip").hidden ? "" : $("#plane-tip").textContent;
  const clip = $("#plane-clip");
  clip.value = "2";
  clip.dispatchEvent(new Event("change"));
  seen.chosen = $("#plane-card h3").textContent;
  const table = $("#score-table").parentElement.previousElementSibling;
  seen.csv = await (await download(table.querySelector("button"))).text();
  seen.png = (await download($("figure.chart button"))).type;
  return seen;
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    dataset = load_synthetic(4, n_folds=2, duration=1.0)
    methods = {"a method with quite a long name": dataset.target[0], "a perfect method": dataset.target}
    keys = {"n_shots": 5, "repeat": 0, "fold": 1}
    predictions = pd.concat(
        pd.DataFrame(keys | {"pipeline": name, "clip": range(len(dataset)), "predicted": predicted})
        for name, predicted in methods.items()
    )
    times = {"metric": "accuracy", "fit_time": 1.0, "score_time": 1.0}
    results = pd.DataFrame(
        keys | times | {"pipeline": name, "value": value}
        for name, value in zip(methods, (0.5, 0.4), strict=True)
    )
    points = np.random.default_rng(0).normal(size=(len(dataset), 2))
    embedding = pd.DataFrame(points, columns=["x", "y"]).assign(
        label=dataset.target, kind="clip", clip=range(len(dataset)), predicted=dataset.target[0]
    )
    arguments = {"predictions": predictions, "dataset": dataset, "embedding": embedding}
    write_report(folder / "report.html", results, **arguments)
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def seen(shared_chromium, page):
    shared_chromium.open(page)
    return shared_chromium.run(ACTIONS)


def test_script_is_allowed_by_the_policy(shared_chromium, page):
    shared_chromium.open(page)
    assert shared_chromium.run("document.documentElement.className") == "js"


def test_tables_become_sortable(shared_chromium, page):
    shared_chromium.open(page)
    heading = "document.querySelector('th[aria-sort=none] > button[type=button]')"
    assert shared_chromium.run(f"{heading} !== null")


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_page_does_not_scroll_sideways_at_any_width(chromium, page, width):
    chromium.resize(width, 700)
    chromium.open(page)
    root = "document.documentElement"
    assert chromium.run(f"{root}.scrollWidth - {root}.clientWidth") == 0


def test_arrow_keys_move_between_the_cells_of_the_confusion_matrix(seen):
    assert seen["focused"]


def test_cell_of_the_confusion_matrix_opens_a_list_of_clips_with_players(seen):
    classes = sorted(set(load_synthetic(4, n_folds=2, duration=1.0).target))
    assert seen["pair"] == [True, f"{classes[2]} predicted as {classes[0]}", 4]


def test_list_of_clips_can_be_closed(seen):
    assert seen["closed"]


def test_choice_of_a_method_changes_the_clips_and_the_tables(seen):
    assert seen["perfect"][0] == 0
    assert seen["perfect"][1].startswith("a perfect method, 5 per class: 100.0 %")


def test_choices_of_a_method_agree(seen):
    assert seen["perfect"][2] == "1"


def test_embedding_can_be_zoomed(seen):
    assert seen["zoomed"]


def test_whole_embedding_can_be_shown_again(seen):
    assert seen["reset"]


def test_clip_of_the_embedding_can_be_played(seen):
    assert seen["clicked"] == [1, "0"]


def test_name_of_a_clip_is_shown_on_hover(seen):
    assert "clip 0" in seen["tip"]


def test_clip_of_the_embedding_can_be_chosen_from_a_list(seen):
    assert seen["chosen"] == "clip 2"


def test_table_is_downloaded_as_csv(seen):
    lines = seen["csv"].removeprefix("\ufeff").splitlines()
    assert lines[:2] == ['"method","5 clips"', '"a method with quite a long name","50.0"']


def test_chart_is_downloaded_as_png(seen):
    assert seen["png"] == "image/png"
