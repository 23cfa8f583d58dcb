"""``maieutic models``: what is bundled, what is cached, what is recommended."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maieutic.checkpoints.catalog import gguf_files, recommended_models

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, below an empty home."""
    folder = tmp_path / "hub"
    folder.mkdir()
    import huggingface_hub.utils._cache_manager as manager
    from huggingface_hub import constants

    for module in (manager, constants):
        monkeypatch.setattr(module, "HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("LLAMA_CACHE", raising=False)
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


def test_names_are_whole_where_standard_output_is_no_terminal(
    run: Run, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"me/{'long-' * 30}model"
    cached(cache, name, '{"architectures": ["LlamaForCausalLM"]}')
    monkeypatch.setenv("COLUMNS", "40")
    lines = run("models").stdout.splitlines()
    (line,) = (line for line in lines if name in line.split())
    assert "--lm" in line.split()
    assert not any("…" in line for line in lines)


def test_cached_models_say_what_they_are_good_for(run: Run, cache: Path) -> None:
    cached(cache, "a/talker", '{"architectures": ["LlamaForCausalLM"]}')
    cached(cache, "b/judge", '{"architectures": ["BertForSequenceClassification"]}')
    cached(cache, "c/mystery", '{"architectures": "\\u001b[31m"}')
    cached(cache, "d/broken", "{")
    cached(cache, "e/data", "{}", kind="datasets")
    found = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    options = {row["name"]: row["option"] for row in found if row["source"] == "cached"}
    assert options == {"a/talker": "--lm", "b/judge": "--nli", "c/mystery": "", "d/broken": ""}


def test_gguf_files_of_the_usual_caches_are_listed(run: Run, cache: Path, tmp_path: Path) -> None:
    cached(cache, "a/talker", "{}")
    blob = cache / "models--a--talker" / "blobs" / "weights"
    blob.write_bytes(b"1" * 10)
    for revision in ("0" * 40, "1" * 40):  # two revisions with the same file
        snapshot = cache / "models--a--talker" / "snapshots" / revision
        snapshot.mkdir(exist_ok=True)
        (snapshot / "talker-q4.gguf").symlink_to(os.path.relpath(blob, snapshot))
    studio, llama = tmp_path / ".lmstudio" / "models" / "team", tmp_path / ".cache" / "llama.cpp"
    for folder in (studio, llama):
        folder.mkdir(parents=True)
    for part in (1, 2):
        (studio / f"large-0000{part}-of-00002.gguf").write_bytes(b"1" * 20)
    (studio / "unfinished-00001-of-00002.gguf").write_bytes(b"1")
    (studio / "mmproj-large.gguf").write_bytes(b"1")
    (studio / "nowhere.gguf").symlink_to("missing")
    (llama / "Small.GGUF").write_bytes(b"1" * 5)
    (llama / "notes.txt").write_bytes(b"1")
    (tmp_path / ".cache" / "lm-studio").write_bytes(b"no folder")
    found = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    files = {Path(row["name"]).name: row["size"] for row in found if row["source"] == "gguf"}
    assert files == {"talker-q4.gguf": 10, "large-00001-of-00002.gguf": 40, "Small.GGUF": 5}
    assert all(Path(row["name"]).is_file() for row in found if row["source"] == "gguf")
    assert "GGUF files" in run("models").stdout


def test_a_folder_that_cannot_be_read_is_left_out(cache: Path, tmp_path: Path) -> None:
    (tmp_path / ".cache" / "llama.cpp").mkdir(parents=True)
    closed = tmp_path / ".cache"
    closed.chmod(0)
    try:
        assert gguf_files() == []
    finally:
        closed.chmod(0o700)


def test_json_has_every_model_on_a_line(run: Run, cache: Path) -> None:
    found = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    assert [row["option"] for row in found if row["source"] == "bundled"] == ["--lm", "--nli"]
    assert all(0 < row["size"] < 25_000_000 for row in found if row["source"] == "bundled")
    recommended = [row for row in found if row["source"] == "recommended"]
    assert {row["option"] for row in recommended} == {"--lm", "--nli"}
    assert all(row["licence"] and row["good_for"] and row["size"] > 0 for row in recommended)
