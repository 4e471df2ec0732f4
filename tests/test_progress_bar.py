"""The progress bar in a notebook, which is imitated by the modules that tqdm looks for."""

import subprocess
import sys
from pathlib import Path

import skfewaudio

NOTEBOOK = """
import sys, types

class Shell:
    pass

kernel, ipython = types.ModuleType("ipykernel.zmqshell"), types.ModuleType("IPython")
ipython.get_ipython = Shell
sys.modules |= {"ipykernel.zmqshell": kernel, "IPython": ipython, "ipywidgets": None}
"""


def test_notebook_without_ipywidgets_has_the_bar_of_a_terminal():
    code = f"{NOTEBOOK}\nfrom skfewaudio._progress_bar import tqdm\nprint(tqdm.__module__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout.strip(), run.stderr) == ("tqdm.asyncio", "")


def test_only_this_module_chooses_the_bar():
    root = Path(skfewaudio.__file__).parent
    users = [path.name for path in root.rglob("*.py") if "from tqdm" in path.read_text(encoding="utf-8")]
    assert users == ["_progress_bar.py"]
