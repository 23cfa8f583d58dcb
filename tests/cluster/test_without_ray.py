"""Options for Ray that are refused before anything is read, and Ray that is not installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maieutic.cluster import answer_dataset
from maieutic.cluster.session import ray_library
from maieutic.errors import InputError


def test_without_ray_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError) as error:
        ray_library()
    assert error.value.subject == "maieutic[ray]"
    done = run("bench", "run", "agora", "--out", tmp_path / "run", "--ray", "local")
    assert done.returncode == 2
    assert "maieutic[ray]" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", [("--workers", "2"), ("--gpus-per-worker", "1"), ("--worker-limit", "5")])
def test_options_of_ray_need_it(option: tuple[str, str], run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("bench", "run", "agora", "--out", tmp_path / "run", *option)
    assert done.returncode == 2
    assert option[0] in done.stderr


@pytest.mark.parametrize("fields", [{"task": "sing"}, {"batch": 0}])
def test_bad_arguments_of_a_dataset_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        answer_dataset([], **fields)
    assert error.value.subject == next(iter(fields))
