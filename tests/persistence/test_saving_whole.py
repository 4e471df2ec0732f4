"""A model file is written whole or not at all, wherever its path leads."""

import os
import random
import subprocess
import sys
import time

import pytest

from skfewaudio import load_model, save_model
from skfewaudio.exceptions import ModelSaveError


def test_full_disk_keeps_the_existing_file(neighbours, saved, monkeypatch):
    before = saved.read_bytes()

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=rf"No space left on device: '{saved}'"):
        save_model(neighbours, saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_target_of_a_link_is_replaced(neighbours, saved, tmp_path):
    link = tmp_path / "link.model"
    link.symlink_to(saved)
    before = saved.read_bytes()
    save_model(neighbours, link)
    assert link.is_symlink()
    assert saved.read_bytes() != before
    load_model(link)


def test_device_is_not_replaced(neighbours):
    with pytest.raises(ModelSaveError, match="/dev/null is not a regular file"):
        save_model(neighbours, "/dev/null")


def test_folder_is_not_replaced(neighbours, tmp_path):
    with pytest.raises(ModelSaveError, match="is not a regular file"):
        save_model(neighbours, tmp_path)


WRITE_FOREVER = """
import sys
from pathlib import Path
from skfewaudio.persistence._container import write_members
content = Path(sys.argv[1]).read_bytes()
print("ready", flush=True)
while True:
    members = {"card.json": bytes(10), "estimator.skops": bytes(2**22), "t": content[:10]}
    write_members(Path(sys.argv[1]), members)
    Path(sys.argv[1]).write_bytes(content) if len(sys.argv) > 2 else None
"""


@pytest.mark.slow
def test_killed_process_leaves_the_old_or_the_new_file(saved):
    import zipfile

    rng = random.Random(0)
    for _ in range(20):
        process = subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, saved], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.2))
        process.kill()
        process.communicate()
        with zipfile.ZipFile(saved) as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == 3
