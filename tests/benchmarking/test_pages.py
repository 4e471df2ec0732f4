import importlib.util
import shutil
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "pages.py"


@pytest.fixture(scope="module")
def pages():
    spec = importlib.util.spec_from_file_location("pages", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_in_the_documentation_match_the_stored_rows(pages, capsys):
    assert pages.main(["--check"]) == 0, capsys.readouterr().out


def test_changed_number_is_detected_and_restored(pages, tmp_path, capsys):
    page = tmp_path / "few-shot-esc10.md"
    shutil.copy(pages.PAGES / page.name, page)
    genuine = page.read_text()
    assert "52.0 ± 2.5" in genuine
    page.write_text(genuine.replace("52.0 ± 2.5", "99.0 ± 0.1"))
    assert pages.main(["--check", "--pages", str(tmp_path)]) == 1
    assert page.name in capsys.readouterr().out
    assert pages.main(["--pages", str(tmp_path)]) == 0
    assert page.read_text() == genuine


def test_every_table_is_on_a_page(pages):
    text = "".join(path.read_text() for path in pages.PAGES.glob("*.md"))
    for name in pages.TABLES:
        assert f"<!-- table: {name} -->" in text
