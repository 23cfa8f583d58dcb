"""``maieutic models``: what is bundled, what is cached, what is recommended."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.checkpoints.catalog import recommended_models

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache."""
    folder = tmp_path / "hub"
    folder.mkdir()
    import huggingface_hub.utils._cache_manager as manager

    monkeypatch.setattr(manager, "HF_HUB_CACHE", str(folder))
    return folder


def cached(cache: Path, name: str, config: str, kind: str = "models") -> None:
    """Put a repository in the cache, laid out as the hub client does."""
    folder = cache / f"{kind}--{name.replace('/', '--')}"
    snapshot, blobs = folder / "snapshots" / ("0" * 40), folder / "blobs"
    for path in (snapshot, blobs, folder / "refs"):
        path.mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    (blobs / "config").write_text(config)
    (snapshot / "config.json").symlink_to(os.path.relpath(blobs / "config", snapshot))


def test_people_get_a_table_with_the_three_kinds(run: Run, cache: Path) -> None:
    done = run("models")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.strip() for line in lines if line.strip() in ("bundled", "cached", "recommended")] == [
        "bundled",
        "recommended",
    ]
    assert sum("agora" in line.split() for line in lines) == 2
    for model in recommended_models():
        (line,) = (line for line in lines if model.name in line.split())
        assert model.option in line
        assert model.licence in line
    assert "no models in the hub cache yet" in done.stdout


def test_cached_models_say_what_they_are_good_for(run: Run, cache: Path) -> None:
    cached(cache, "a/talker", '{"architectures": ["LlamaForCausalLM"]}')
    cached(cache, "b/judge", '{"architectures": ["BertForSequenceClassification"]}')
    cached(cache, "c/mystery", '{"architectures": "\\u001b[31m"}')
    cached(cache, "d/broken", "{")
    cached(cache, "e/data", "{}", kind="datasets")
    found = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    options = {row["name"]: row["option"] for row in found if row["source"] == "cached"}
    assert options == {"a/talker": "--lm", "b/judge": "--nli", "c/mystery": "", "d/broken": ""}


def test_json_has_every_model_on_a_line(run: Run, cache: Path) -> None:
    found = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    assert [row["option"] for row in found if row["source"] == "bundled"] == ["--lm", "--nli"]
    assert all(0 < row["size"] < 25_000_000 for row in found if row["source"] == "bundled")
    recommended = [row for row in found if row["source"] == "recommended"]
    assert {row["option"] for row in recommended} == {"--lm", "--nli"}
    assert all(row["licence"] and row["good_for"] and row["size"] > 0 for row in recommended)
