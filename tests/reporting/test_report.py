import base64
import hashlib
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier

from skfewaudio.datasets import AudioDataset
from skfewaudio.model_selection import extrapolate_curve, few_shot_curve
from skfewaudio.reporting import EmbeddingDisplay, write_report
from skfewaudio.reporting._report.media import encode_image, mel_spectrogram_levels

HOSTILE = "<script>alert(1)</script>"
CLASSES = ["bark", HOSTILE, "rain"]
VOID = {"meta", "img", "link", "br", "wbr", "input", "path", "rect", "circle"}


def make_results(pipelines=("1-nn", "prototypes"), **columns):
    rng = np.random.default_rng(0)
    rows = [
        {"pipeline": p, "n_shots": n, "repeat": r, "fold": f, "metric": "accuracy"}
        | {
            "value": 0.4 + 0.1 * k + 0.02 * n + rng.normal(scale=0.01),
            "seed": r,
            "n_train": 3 * n,
            "n_test": 6,
        }
        | {"fit_time": 0.5, "score_time": 0.25, **columns}
        for k, p in enumerate(pipelines)
        for n in (1, 5)
        for r in range(3)
        for f in (1, 2)
    ]
    return pd.DataFrame(rows)


def make_dataset(X=None, **fields):
    waves = np.random.default_rng(1).normal(scale=0.1, size=(12, 8000)).astype(np.float32)
    fields = {"name": "yard", "sample_rate": 8000, "licence": "CC0", "citation": "A. Author, 2020"} | fields
    return AudioDataset(waves if X is None else X, CLASSES * 4, **fields)


def make_predictions(pipelines=("1-nn", "prototypes")):
    """Make predictions in which clip 4 is always misclassified as rain and clip 0 once."""
    labels = np.array(CLASSES * 4)
    return pd.DataFrame(
        {"pipeline": p, "n_shots": n, "repeat": r, "fold": clip % 2, "clip": clip}
        | {"predicted": "rain" if clip == 4 or (clip, r) == (0, 0) else labels[clip]}
        for p in pipelines
        for n in (1, 5)
        for r in range(3)
        for clip in range(12)
    )


def make_embedding():
    points = {"x": [0.0, 1, 2], "y": [0.0, 1, 1], "label": CLASSES}
    return EmbeddingDisplay(
        pd.concat([pd.DataFrame(points | {"kind": kind}) for kind in ("clip", "prototype")]),
        projection="principal component",
    )


def everything(**changes):
    extrapolation = {"pipeline": "prototypes", "n_shots": [20, 50], "mean": [0.8, 0.9]}
    return {
        "predictions": make_predictions(),
        "dataset": make_dataset(),
        "config": {"random_state": 0, "versions": {"torch": "2.9", HOSTILE: HOSTILE}, "n_repeats": 3},
        "leaks": [{"clip": HOSTILE, "twin": "b.wav"}],
        "extrapolation": pd.DataFrame(extrapolation | {"half_width": 0.05}),
        "suggestions": ["field/0031.wav", HOSTILE],
        "embedding": make_embedding(),
    } | changes


class Page(HTMLParser):
    """Elements of a page with their direct text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1][2].append(data)

    def all(self, *tags):
        return [(attrs, "".join(text)) for tag, attrs, text in self.elements if tag in tags]

    @property
    def headings(self):
        return [text for _, text in self.all("h2")]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("report") / "full.html", make_results(), **everything())


@pytest.fixture(scope="module")
def page(full):
    return Page(full.read_text(encoding="utf-8"))


def test_page_is_well_formed(page):
    assert page.open == []


def test_page_contains_all_sections(page):
    assert page.headings == [
        "Summary",
        "Scores",
        "Classes",
        "Embedding",
        "Misclassified clips",
        "Time",
        "More clips",
        "Leakage",
        "Provenance",
    ]


def test_sections_without_data_are_omitted(tmp_path):
    results = make_results().drop(columns=["fit_time", "score_time", "seed", "n_train", "n_test"])
    path = write_report(tmp_path / "report.html", results)
    assert Page(path.read_text()).headings == ["Summary", "Scores", "Provenance"]


def test_links_of_the_page_refer_to_its_sections(page):
    ids = {attrs["id"] for _, attrs, _ in page.elements if "id" in attrs}
    links = [attrs["href"] for attrs, _ in page.all("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= ids


def test_ids_are_unique(page):
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_page_has_no_external_addresses(page):
    addresses = [
        attrs[name]
        for _, attrs, _ in page.elements
        for name in ("src", "href", "srcset", "action")
        if name in attrs
    ]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert all("url(" not in text and "@import" not in text for _, text in page.all("style"))


def test_policy_forbids_requests_and_other_scripts(page):
    policy = next(
        a["content"] for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"
    )
    script = next(text for attrs, text in page.all("script") if "type" not in attrs)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}'" in policy


def test_user_strings_are_escaped(page):
    assert len(page.all("script")) == 2
    assert not any("alert" in text for attrs, text in page.all("script") if "type" not in attrs)
    assert HOSTILE in [text for _, text in page.all("th")]
    assert HOSTILE in [text for _, text in page.all("td")]


def test_title_is_escaped(tmp_path):
    path = write_report(tmp_path / "report.html", make_results(), title=HOSTILE)
    page = Page(path.read_text())
    assert [page.all(tag)[0][1] for tag in ("title", "h1")] == [HOSTILE] * 2


def test_every_image_has_an_alternative_text(page):
    assert all(attrs.get("aria-hidden") or attrs["aria-label"] for attrs, _ in page.all("svg"))
    assert all(attrs["alt"] for attrs, _ in page.all("img"))
    assert all(attrs["aria-label"] for attrs, _ in page.all("audio"))


def test_every_table_header_has_a_scope(page):
    assert {attrs.get("scope") for attrs, _ in page.all("th")} == {"col", "row"}


def test_misclassified_clips_have_audio_and_spectrogram(page):
    assert [attrs["src"].split(",")[0] for attrs, _ in page.all("audio")] == ["data:audio/mpeg;base64"] * 2
    assert [attrs["src"].split(",")[0] for attrs, _ in page.all("img")] == ["data:image/png;base64"] * 2


def test_number_of_misclassified_clips_is_limited(tmp_path):
    path = write_report(tmp_path / "report.html", make_results(), **everything(n_clips=1))
    assert len(Page(path.read_text()).all("audio")) == 1


def test_unreadable_clip_is_reported(tmp_path):
    paths = [str(tmp_path / f"{k}.wav") for k in range(12)]
    soundfile.write(paths[0], np.zeros(8000), 8000)
    path = write_report(tmp_path / "report.html", make_results(), **everything(dataset=make_dataset(paths)))
    problems = [text for attrs, text in Page(path.read_text()).all("p") if attrs.get("class") == "problem"]
    assert any(text.startswith("No sound: the file cannot be opened") for text in problems)
    assert len(Page(path.read_text()).all("audio")) == 1


def test_same_input_gives_the_same_page(tmp_path, full):
    again = write_report(tmp_path / "again.html", make_results(), **everything())
    assert again.read_bytes() == full.read_bytes()


def test_directory_is_created(tmp_path):
    assert write_report(tmp_path / "new" / "report.html", make_results()).exists()


def test_empty_leakage_check_is_reported(tmp_path):
    path = write_report(tmp_path / "report.md", make_results(), leaks=[], format="markdown")
    assert "## Leakage\n\nThe leakage check found nothing." in path.read_text()


def test_leaks_contain_the_file_names_of_the_dataset(tmp_path):
    leaks = pd.DataFrame({"kind": ["duplicate"], "first": [0], "second": [2], "first_fold": pd.array([None])})
    dataset = make_dataset([f"/data/{k}.wav" for k in range(12)])
    path = write_report(tmp_path / "r.md", make_results(), leaks=leaks, dataset=dataset, format="markdown")
    text = path.read_text()
    assert "| duplicate | 0.wav |  2.wav |          - |" in text
    assert "The leakage check has 1 finding: scores may be too good." in text


def test_predictions_with_true_classes_need_no_dataset(tmp_path):
    predictions = make_predictions().assign(true=lambda rows: [(CLASSES * 4)[c] for c in rows["clip"]])
    path = write_report(tmp_path / "report.html", make_results(), predictions=predictions)
    page = Page(path.read_text())
    assert "clip 4" in [text for _, text in page.all("h3")]
    assert page.all("audio") == []


def test_accepts_the_output_of_few_shot_curve(tmp_path):
    X, y = load_iris(return_X_y=True)
    kept = []
    results = few_shot_curve(
        {"1-nn": KNeighborsClassifier(1)}, X, y, n_shots=[1, 2, 5], n_repeats=2, on_predictions=kept.append
    )
    page = write_report(
        tmp_path / "report.html",
        results,
        predictions=pd.concat([pd.DataFrame(record) for record in kept], ignore_index=True),
        extrapolation=extrapolate_curve(results),
    )
    assert {"Classes", "More clips"} <= set(Page(page.read_text()).headings)


def test_markdown_has_the_same_tables(tmp_path):
    path = write_report(tmp_path / "report.md", make_results(), **everything(), format="markdown")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## Scores",
        "## Classes",
        "## Misclassified clips",
        "## Embedding",
        "## Time",
        "## More clips",
        "## Leakage",
        "## Provenance",
    ]
    assert any(line.startswith("| clip 4 ") and "3 of 3" in line for line in lines)


def test_markdown_escapes_bars_and_tags(tmp_path):
    results = make_results(pipelines=["a|b<i>"])
    text = write_report(tmp_path / "report.md", results, format="markdown").read_text()
    assert r"a\|b\<i\>" in text
    assert "a|b" not in text


def test_multi_label_dataset_is_rejected_with_predictions(tmp_path):
    tagged = AudioDataset(["a.wav"], [[1, 0]], name="tags", label_names=["rain", "wind"])
    with pytest.raises(ValueError, match="several labels"):
        write_report(tmp_path / "r.html", make_results(), predictions=make_predictions(), dataset=tagged)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "pdf"}, "html, markdown; got 'pdf'"),
        ({"metric": "auc"}, "no metric 'auc'"),
        ({"predictions": make_predictions()}, "pass the dataset"),
        ({"extrapolation": pd.DataFrame({"pipeline": ["a"]})}, "lacks the columns n_shots, mean"),
        ({"embedding": pd.DataFrame({"x": [1.0]})}, "lacks the columns y, label, kind"),
    ],
)
def test_invalid_arguments_raise_a_clear_error(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write_report(tmp_path / "report.html", make_results(), **arguments)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (make_results().iloc[:0], "results are empty"),
        (make_results().drop(columns="fold"), "lack the columns fold"),
        (make_results().assign(n_shots=None), "without n_shots"),
        (make_results().assign(dataset=["a", "b"] * 12), r"2 datasets \(a, b\)"),
    ],
)
def test_unusable_results_raise_a_clear_error(tmp_path, results, message):
    with pytest.raises(ValueError, match=message):
        write_report(tmp_path / "report.html", results)


def test_needs_no_matplotlib(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    encode_image(mel_spectrogram_levels(np.ones(4000, np.float32))[0])
    write_report(tmp_path / "report.html", make_results())
    assert (tmp_path / "report.html").exists()
