"""Tests of the page in a headless browser; skipped if no browser is installed."""

import html
import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from skfewaudio.datasets import load_synthetic
from skfewaudio.reporting import write_report

pytestmark = pytest.mark.slow
WIDTHS = (360, 768, 1600)
# The title is set to the numbers of pixels by which the page exceeds frames of several widths.
FRAMES = """<!doctype html>
<body></body>
<script>
const over = [];
for (const width of WIDTHS) {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:700px;border:0`;
  frame.src = "report.html";
  frame.onload = () => {
    const page = frame.contentDocument.documentElement;
    over.push(page.scrollWidth - page.clientWidth);
    document.title = `over ${over.join(" ")}`;
  };
  document.body.append(frame);
}
</script>
""".replace("WIDTHS", str(list(WIDTHS)))
# The title is set to what the controls of the page did.
ACTIONS = """<!doctype html>
<iframe id="f" src="report.html" style="width:1200px;height:900px;border:0"></iframe>
<script>
f.onload = async () => {
  const [window_, page, seen] = [f.contentWindow, f.contentDocument, {}];
  const $ = (selector) => page.querySelector(selector);
  const count = (selector) => page.querySelectorAll(selector).length;
  const press = (key) => page.activeElement.dispatchEvent(
    new window_.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const blobs = [];
  window_.URL.createObjectURL = (blob) => { blobs.push(blob); return "#"; };
  const wait = () => new Promise((resolve) => setTimeout(resolve, 300));
  try {
    const cells = page.querySelectorAll("#confusion button");
    cells[0].focus();
    press("ArrowDown");
    seen.focused = page.activeElement === cells[1] && cells[1].tabIndex === 0 && cells[0].tabIndex === -1;
    cells[1].click();
    seen.pair = [$("#pair").open, $("#pair-title").textContent, count("#pair-clips audio")];
    $("#pair-close").click();
    seen.closed = !$("#pair").open;
    const select = $("#clips .pipeline");
    select.value = "1";
    select.dispatchEvent(new window_.Event("change", { bubbles: true }));
    seen.perfect = [count("#worst li"), $("#confusion-caption").textContent, $("#classes .pipeline").value];
    const place = $("#plane .dot").getAttribute("transform");
    $("#zoom-in").click();
    seen.zoomed = place !== $("#plane .dot").getAttribute("transform");
    $("#zoom-reset").click();
    seen.reset = place === $("#plane .dot").getAttribute("transform");
    $("#plane .dot").dispatchEvent(new window_.MouseEvent("click", { bubbles: true }));
    seen.clicked = [count("#plane-card audio"), $("#plane-clip").value];
    $("#plane .dot").dispatchEvent(new window_.PointerEvent("pointermove", { bubbles: true }));
    seen.tip = $("#plane-tip").hidden ? "" : $("#plane-tip").textContent;
    const clip = $("#plane-clip");
    clip.value = "2";
    clip.dispatchEvent(new window_.Event("change"));
    seen.chosen = $("#plane-card h3").textContent;
    $("#score-table").parentElement.previousElementSibling.querySelector("button").click();
    seen.csv = await blobs.pop().text();
    $("figure.chart button").click();
    await wait();
    seen.png = blobs.pop().type;
  } catch (error) {
    seen.error = String(error);
  }
  document.title = JSON.stringify(seen);
};
</script>
"""


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium found")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
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
    (folder / "frames.html").write_text(FRAMES)
    (folder / "actions.html").write_text(ACTIONS)
    return folder


def dump(browser, page):
    """Return the document after its script has run."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"]
    command = [browser, *options, "--virtual-time-budget=8000", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture(scope="module")
def seen(browser, folder):
    title = re.search("<title>(.*?)</title>", dump(browser, folder / "actions.html"))
    found = json.loads(html.unescape(title[1]))
    assert "error" not in found, found
    return found


def test_script_is_allowed_by_the_policy_and_makes_tables_sortable(browser, folder):
    shown = dump(browser, folder / "report.html")
    assert '<html lang="en" class="js">' in shown
    assert 'aria-sort="none"><button type="button">' in shown


def test_page_does_not_scroll_sideways_at_any_width(browser, folder):
    assert "<title>over 0 0 0</title>" in dump(browser, folder / "frames.html")


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
