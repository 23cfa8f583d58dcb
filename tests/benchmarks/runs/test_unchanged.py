"""A run goes on only with the models, weights and data with which it was begun."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from maieutic.benchmarks.runs.benchmark import Benchmark
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import PROVENANCE, RunFolder
from maieutic.errors import InputError

CONFIG = RunConfig("agora", limit=4, settings={"depth": 0, "weights": "agora"}).complete()


def go_on(folder: Path) -> int:
    with RunFolder(folder, CONFIG) as opened:
        return sum(map(len, Benchmark.load(CONFIG).run(opened)))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "begun"
    assert go_on(folder) == 4
    return folder


@pytest.fixture
def copy(begun: Path, tmp_path: Path) -> Path:
    """The run without its last record."""
    folder = tmp_path / "copy"
    shutil.copytree(begun, folder)
    records = folder / "records.jsonl"
    records.write_text("".join(records.read_text().splitlines(keepends=True)[:-1]))
    return folder


def changed(folder: Path, *path: str | int) -> None:
    """Set the checksum at a path of ``run.json`` to that of another file."""
    facts: Any = json.loads((folder / PROVENANCE).read_text())
    place = facts
    for step in path[:-1]:
        place = place[step]
    assert isinstance(place[path[-1]], str)
    place[path[-1]] = "0" * 64
    (folder / PROVENANCE).write_text(json.dumps(facts))


def test_the_same_files_go_on(copy: Path) -> None:
    assert go_on(copy) == 1
    assert go_on(copy) == 0


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (("models", "lm", "sha256", "model.safetensors"), "agora/model.safetensors (--lm)"),
        (("models", "nli", "sha256", "tokenizer.json"), "agora/tokenizer.json (--nli)"),
        (("weights", "sha256"), "weights"),
        (("data", "sha256"), "data"),
    ],
)
def test_another_file_is_named_also_where_every_question_has_been_answered(
    path: tuple[str, ...], named: str, copy: Path, begun: Path, tmp_path: Path
) -> None:
    finished = tmp_path / "finished"
    shutil.copytree(begun, finished)
    for folder in (copy, finished):
        changed(folder, *path)
        with pytest.raises(InputError) as refused:
            go_on(folder)
        assert refused.value.subject == named


def test_what_only_describes_a_model_may_change(copy: Path) -> None:
    changed(copy, "models", "lm", "sha256", "README.md")
    assert go_on(copy) == 1


@pytest.mark.parametrize("damaged", ["", "[]", '{"models": 1}', "{}"])
def test_what_a_damaged_description_does_not_say_is_not_compared(damaged: str, copy: Path) -> None:
    (copy / PROVENANCE).write_text(damaged)
    assert go_on(copy) == 1
