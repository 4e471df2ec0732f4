"""Tests of the page in a headless browser; skipped if no browser is installed."""

import shutil
import subprocess

import pandas as pd
import pytest

from skfewaudio.datasets import load_synthetic
from skfewaudio.reporting import write_report

pytestmark = pytest.mark.slow
# The title is set to the number of pixels by which the page exceeds a frame as wide as a phone.
FRAME = """<!doctype html>
<iframe id="f" src="report.html" style="width:360px;height:700px;border:0"></iframe>
<script>
f.onload = () => {
  const page = f.contentDocument.documentElement;
  document.title = `over ${page.scrollWidth - page.clientWidth}`;
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
    keys = {"pipeline": "a method with quite a long name", "n_shots": 5, "repeat": 0, "fold": 1}
    predictions = pd.DataFrame(keys | {"clip": range(len(dataset)), "predicted": dataset.target[0]})
    results = pd.DataFrame([keys | {"metric": "accuracy", "value": 0.5, "fit_time": 1.0, "score_time": 1.0}])
    write_report(folder / "report.html", results, predictions=predictions, dataset=dataset)
    (folder / "frame.html").write_text(FRAME)
    return folder


def dump(browser, page):
    """Return the document after its script has run."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"]
    command = [browser, *options, "--virtual-time-budget=5000", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_script_is_allowed_by_the_policy_and_makes_tables_sortable(browser, folder):
    shown = dump(browser, folder / "report.html")
    assert '<html lang="en" class="js">' in shown
    assert 'aria-sort="none"><button type="button">' in shown


def test_page_does_not_scroll_sideways_on_a_phone(browser, folder):
    assert "<title>over 0</title>" in dump(browser, folder / "frame.html")
