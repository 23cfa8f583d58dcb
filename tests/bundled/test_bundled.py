"""The bundled models: complete, small, found by name, refused when damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import get_args

import pytest

from maieutic import bundled
from maieutic.benchmarks.agora.corpus import vocabulary
from maieutic.benchmarks.agora.world import load_everyday
from maieutic.bundled import (
    AGORA,
    CHECKSUMS,
    BundledModel,
    bundled_folder,
    verify,
    words,
    write_checksums,
)
from maieutic.errors import ModelError
from maieutic.lm import load_lm
from maieutic.lm.known_words import words_in
from maieutic.nli import load_verifier

MODELS: tuple[BundledModel, ...] = get_args(BundledModel)
LIMITS = {"agora-lm": 12_000_000, "agora-nli": 8_000_000}  # bytes of weights


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of the models that a test may damage; the package looks for its models here."""
    for model in MODELS:
        shutil.copytree(bundled_folder(model), tmp_path / model)
    monkeypatch.setattr(bundled, "__file__", str(tmp_path / "__init__.py"))
    return tmp_path


@pytest.mark.parametrize("model", MODELS)
def test_a_bundled_model_is_whole_small_and_tells_what_it_is(model: BundledModel) -> None:
    folder = bundled_folder(model)
    listed = {line.split()[1] for line in (folder / CHECKSUMS).read_text().splitlines()}
    assert listed == {path.name for path in folder.iterdir()} - {CHECKSUMS}
    assert (folder / "model.safetensors").stat().st_size < LIMITS[model]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"python -m maieutic.benchmarks.agora.train {model.removeprefix('agora-')}" in card
    for name, value in json.loads((folder / "metrics.json").read_text()).items():
        assert f"| {name} | {value} |" in card


def test_both_load_by_the_name_of_agora() -> None:
    lm = load_lm(AGORA, device="cpu", dtype="float32")
    assert (lm.name, lm.prompts) == (AGORA, "agora")
    verifier = load_verifier(AGORA, device="cpu", dtype="float32")
    (row,) = verifier.predict([("A penguin is a bird.", "A penguin is not a bird.")])
    assert row.argmax() == 0  # contradiction


@pytest.mark.parametrize(("model", "load"), [("agora-lm", load_lm), ("agora-nli", load_verifier)])
def test_truncated_weights_are_one_clear_error(copies: Path, model: str, load: type) -> None:
    weights = copies / model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelError) as caught:
        load(AGORA)
    assert caught.value.subject == str(weights)


@pytest.mark.parametrize(
    ("damage", "file"),
    [
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json"),
        (lambda folder: (folder / CHECKSUMS).unlink(), CHECKSUMS),
        (lambda folder: (folder / CHECKSUMS).write_text("nonsense\n"), CHECKSUMS),
        (lambda folder: (folder / CHECKSUMS).write_bytes(b"\xff"), CHECKSUMS),
        (lambda folder: (folder / "config.json").write_text("{}"), "config.json"),
        (lambda folder: (folder / CHECKSUMS).write_text(f"{'0' * 64}  ../escape\n"), CHECKSUMS),
        (shutil.rmtree, CHECKSUMS),
    ],
    ids=["file gone", "list gone", "no list", "no text", "file changed", "elsewhere", "folder gone"],
)
def test_any_damage_is_named(copies: Path, damage: object, file: str) -> None:
    assert callable(damage)
    damage(copies / "agora-lm")
    with pytest.raises(ModelError) as caught:
        load_lm(AGORA)
    assert caught.value.subject == str(copies / "agora-lm" / file)


def test_checksums_are_those_of_the_sha256sum_command(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"two")
    (tmp_path / "a.txt").write_bytes(b"one")
    (tmp_path / "folder").mkdir()
    for _ in range(2):  # the list does not list itself
        write_checksums(tmp_path)
        digests = [(name, hashlib.sha256(text).hexdigest()) for name, text in (("a", b"one"), ("b", b"two"))]
        expected = "".join(f"{digest}  {name}.txt\n" for name, digest in digests)
        assert (tmp_path / CHECKSUMS).read_text() == expected
    verify(tmp_path)


# -- words ---------------------------------------------------------------------------------------------


def test_the_known_words_are_those_of_the_world() -> None:
    known = words_in(bundled_folder("agora-lm"))
    assert known == frozenset(vocabulary(load_everyday()))
    assert load_lm(AGORA).known_words == known  # type: ignore[attr-defined]
    for name in load_everyday().things:
        assert set(words(name)) <= known
