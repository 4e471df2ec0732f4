"""Kills of the program while answers are given over HTTP."""

import csv
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

N_KILLS = 10


class Program:
    """The command in a process of its own."""

    def __init__(self, folder, table, cache):
        command = [sys.executable, "-m", "skfewaudio", "label", str(folder), "-o", str(table), "--no-browser"]
        self.process = subprocess.Popen(
            [*command, "--save-to", str(table.with_suffix(".model"))],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**cache, "OMP_NUM_THREADS": "1"},
        )
        lines = iter(self.process.stdout.readline, "")
        self.url = next(line.strip() for line in lines if line.startswith("http"))
        _, _, self.host, self.token = self.url.rstrip("/").split("/")
        self.wire = http.client.HTTPConnection(self.host, timeout=60)

    def ask(self, path, body=None):
        """Send a request, and return its parsed answer."""
        headers = {"Origin": f"http://{self.host}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body)
        self.wire.request("GET" if body is None else "POST", f"/{self.token}/{path}", content, headers)
        response = self.wire.getresponse()
        found = json.loads(response.read())
        assert response.status == 200, found
        return found

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.wire.close()


def read_labels(table):
    """Return the labels of a table by file, after checking that no file has two."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = [(row["path"].rpartition("/")[2], row["label"]) for row in csv.DictReader(file)]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def answer_until_killed(program, given, pending):
    """Answer questions; `given` holds what was acknowledged, and `pending` what was sent last."""
    try:
        question = program.ask("next")["question"]
        while question is not None:
            label = f"class {random.Random(question['name']).randrange(4)}"
            pending[:] = [(question["name"], label)]
            shown = program.ask("answer", {"action": "label", "clip": question["clip"], "label": label})
            given[question["name"]] = label
            pending.clear()
            question = shown["question"]
    except (OSError, http.client.HTTPException, ValueError):
        pass  # killed


@pytest.fixture
def folder(tmp_path):
    """Folder of 400 short sounds."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "sounds"
    folder.mkdir()
    for i in range(400):
        soundfile.write(folder / f"{i}.wav", 0.1 * rng.normal(size=800), 8000)
    return folder


@pytest.mark.long
def test_no_answer_is_lost_or_doubled_by_kills(folder, tmp_path):
    env = {**os.environ, "SKFEWAUDIO_CACHE": str(tmp_path / "cache")}
    given, pending, table = {}, [], tmp_path / "labels.csv"
    for number in range(N_KILLS + 1):
        program = Program(folder, table, env)
        thread = threading.Thread(target=answer_until_killed, args=(program, given, pending))
        try:
            n_labelled = program.ask("state")["answers"]["label"]
            found = read_labels(table) if table.exists() else {}
            assert n_labelled == len(found)
            assert {name: found.get(name) for name in given} == given
            assert set(found.items()) - set(given.items()) <= set(pending)
            given.update(found)
            thread.start()
            time.sleep(random.Random(number).uniform(0.3, 2.0))
        finally:
            program.kill()
        thread.join()
    assert len(given) > N_KILLS
