"""The stages of ``maieutic distill`` one after the other, with the bundled models, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("rapidfuzz")

from tests.conftest import Run


def test_from_heads_to_a_student_that_can_be_asked(run: Run, tmp_path: Path) -> None:
    seeds, corpus, judged, student = (
        tmp_path / name for name in ("seeds.txt", "corpus", "judged", "student")
    )
    seeds.write_text("a penguin\na spoon\n")
    done = run(
        "distill",
        "generate",
        "--seeds",
        seeds,
        "--only",
        "CapableOf",
        "--only",
        "NotCapableOf",
        "--out",
        corpus,
    )
    assert done.returncode == 0, done.stderr
    count = len((corpus / "triples.jsonl").read_text().splitlines())
    assert f"{count} triples about 2 heads" in done.stdout
    page = tmp_path / "graph.html"
    done = run("distill", "criticise", corpus / "triples.jsonl", "--out", judged, "--html", page, "--json")
    assert done.returncode == 0, done.stderr
    *named, counts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["name"] for each in named] == ["low", "medium", "high"]
    assert set(counts) == {"unsummed", "unjudged", "left_out"}
    assert "a penguin" in page.read_text()
    options = ("--keep", "all", "--steps", "2", "--rows", "1")
    done = run("distill", "train", judged / "judged.jsonl", "--out", student, *options)
    assert done.returncode == 0, done.stderr
    adapted = tmp_path / "adapted"
    more = ("--from", "agora", "--lora", "2", "--rate", "0.001")
    done = run("distill", "train", judged / "judged.jsonl", "--out", adapted, *options, *more)
    assert done.returncode == 0, done.stderr
    assert (adapted / "SHA256SUMS").exists()
    done = run("distill", "evaluate", student, "--limit", "2", "--corpus", corpus / "triples.jsonl")
    assert done.returncode == 0, done.stderr
    assert f"{count} triples about 2 heads" in done.stdout
    assert str(student) in done.stdout


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", ()),
        ("a cat\na cat\n", ()),
        ("a cat\n", ("--only", "Wants")),
        ("a cat\n", ("--relations", "nowhere.toml")),
    ],
)
def test_heads_and_relations_that_cannot_be_used_end_with_code_2(
    run: Run, tmp_path: Path, text: str, options: tuple[str, ...]
) -> None:
    (tmp_path / "seeds.txt").write_text(text)
    done = run("distill", "generate", "--seeds", tmp_path / "seeds.txt", "--out", tmp_path / "out", *options)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "out").exists()


def test_too_few_survivors_and_no_labels_end_with_code_2(run: Run, tmp_path: Path) -> None:
    triple = {"id": "1", "head": "a cat", "relation": "Is", "tail": "a pet", "statement": "A cat is a pet."}
    judged = {"triple": triple, "direct": 0.5, "tree": 0.5, "joint": 0.5, "explanations": 0}
    (tmp_path / "judged.jsonl").write_text(json.dumps(judged) + "\n")
    (tmp_path / "triples.jsonl").write_text(json.dumps(triple) + "\n")
    for command, file in (("train", "judged.jsonl"), ("train-critic", "triples.jsonl")):
        done = run("distill", command, tmp_path / file, "--out", tmp_path / "out")
        assert done.returncode == 2, done.stderr
    assert run("distill", "evaluate").returncode == 2
    done = run("distill", "train", tmp_path / "judged.jsonl", "--out", tmp_path / "out", "--lora", "2")
    assert done.returncode == 2
    assert "--from" in done.stderr
