"""``maieutic cache``, and what ``ask`` keeps in it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NoReturn

import pytest

from maieutic.answer import Answer
from maieutic.cache.store import KnownModel, ResponseStore
from maieutic.lm.local.model import TransformersLM
from maieutic.nli.local import TransformersVerifier

Run = Callable[..., "CompletedProcess[str]"]

ASK = ("ask", "Can a penguin fly?", "--depth", "1", "--json", "--cache")


def never(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("a model was asked")


def keep(entries: int, name: str = "a model") -> Path:
    """Put answers in the user's cache."""
    store = ResponseStore()
    store.put(KnownModel(name, name), {f"{name} {k}".encode(): b"answer" for k in range(entries)})
    store.close()
    return store.path


def test_an_empty_cache_says_where_it_would_be_and_is_not_made(run: Run) -> None:
    done = run("cache", "info")
    path = Path(os.environ["MAIEUTIC_CACHE_DIR"]) / "responses.sqlite3"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: 0 entries, 0 bytes of at most 1.1 GB\n"
    assert not path.parent.exists()


def test_info_tells_what_each_model_has(run: Run) -> None:
    path = keep(1200, "a/talker")
    keep(3, "b/judge\x1b[2J")
    done = run("cache", "info")
    head, names, first, second = done.stdout.splitlines()
    assert head == f"{path}: 1,203 entries, 168.4 kB of at most 1.1 GB"
    assert names.split() == ["model", "entries", "size"]
    assert (first.split()[0], first.split()[2:]) == ("a/talker", ["1,200", "168.0", "kB"])
    assert "b/judge\\x1b[2J" in second
    assert "\x1b" not in done.stdout


def test_info_as_json_is_one_object(run: Run) -> None:
    path = keep(2)
    found = json.loads(run("cache", "info", "--json").stdout)
    assert (found["path"], found["entries"], found["limit"]) == (str(path), 2, 1 << 30)
    (model,) = found["models"]
    assert (model["model"], model["entries"], model["bytes"]) == ("a model", 2, found["bytes"])
    assert found["on_disk"] >= found["bytes"]
    assert found["set_aside"] == []


def test_clear_says_what_it_removed(run: Run) -> None:
    path = keep(7)
    (path.parent / "datasets").mkdir()
    done = run("cache", "clear")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("removed 7 entries, ")
    assert done.stdout.endswith(f"B: {path}\n")
    assert [file.name for file in path.parent.iterdir()] == ["datasets"]
    assert run("cache", "clear").stdout == f"{path} is already empty\n"


def test_a_damaged_cache_is_moved_aside_in_one_line_and_the_answer_comes(run: Run) -> None:
    path = keep(1)
    path.write_bytes(b"\x1b[2J garbage" * 500)
    done = run(*ASK)
    assert done.returncode == 0
    assert Answer.from_json(done.stdout).statement == "A penguin can fly."
    _, warning = done.stderr.splitlines()  # after the notice on the bundled model
    assert warning.startswith("warning: ")
    assert all(
        text in warning for text in (str(path), "file is not a database", "responses.sqlite3.corrupt-1")
    )
    info = run("cache", "info").stdout
    assert f"damaged and set aside: {path}.corrupt-1" in info
    assert "1 damaged" in run("cache", "clear").stdout
    assert list(path.parent.iterdir()) == []


def test_ask_keeps_answers_only_when_told_and_needs_no_model_the_second_time(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(*ASK[:-1]).returncode == 0
    assert ": 0 entries, " in run("cache", "info").stdout
    first = run(*ASK)
    for model, method in (
        (TransformersLM, "sample"),
        (TransformersLM, "choose"),
        (TransformersVerifier, "predict"),
    ):
        monkeypatch.setattr(model, method, never)
    second = run(*ASK)
    assert (second.returncode, second.stderr) == (0, first.stderr)
    one, other = (Answer.from_json(done.stdout) for done in (first, second))
    assert (one.tree, one.margin, one.answer) == (other.tree, other.margin, other.answer)


def test_where_nothing_can_be_written_the_answer_comes_with_one_warning(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MAIEUTIC_CACHE_DIR", str(tmp_path / "file"))
    done = run(*ASK)
    assert done.returncode == 0
    assert Answer.from_json(done.stdout).question == "Can a penguin fly?"
    _, warning = done.stderr.splitlines()
    assert warning.startswith(
        f"warning: the response cache {tmp_path / 'file' / 'responses.sqlite3'} cannot be"
    )
    assert run("cache", "info").returncode == 0
