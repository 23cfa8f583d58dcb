"""``maieutic replay``: what it prints and writes, with a tiny verifier and trees made up here."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

import maieutic.nli
from maieutic.answer import Answer
from maieutic.benchmarks.replay import BATCH_TREES
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.tree import Proposition, Tree

Run = Callable[..., "CompletedProcess[str]"]
KINDS = ["one-node", "grown", "empty", "all"]


@pytest.fixture
def replay(run: Run) -> Run:
    """Run the command in this process: ``replay(*arguments)``."""
    return partial(run, "replay")


@pytest.fixture
def nli(nli_folder: Path) -> tuple[str, ...]:
    """The options that name the tiny verifier."""
    return ("--nli", str(nli_folder), "--device", "cpu", "--dtype", "float32")


def one_node(statement: str, p: float, gold: bool | None) -> Tree:
    root = Proposition("Q", None, statement, f"Not {statement}", p, 1 - p, integral=True)
    return Tree(statement, statement, root.negation, (root,), gold)


def grown(statement: str, gold: bool | None) -> Tree:
    nodes = (
        Proposition("Q", None, statement, f"Not {statement}", 0.6, 0.5),
        Proposition("QT0", "Q", "A dog sleeps.", "A dog is not a cat.", 0.9, 0.1, integral=True),
        Proposition("QF0", "Q", "The animal rests.", "The sky is red.", 0.2, 0.95, integral=True),
    )
    return Tree(statement, statement, nodes[0].negation, nodes, gold)


# One-node trees are answered by the root's own belief, and a tree that says nothing is answered true.
TREES = (
    one_node("The sky is blue.", 0.9, gold=True),
    grown("A cat sleeps.", gold=True),
    one_node("The sky is red.", 0.2, gold=True),
    grown("A dog is a cat.", gold=None),
    Tree("A dog rests.", "A dog rests.", "A dog is red.", (), True),
)


def written(path: Path, trees: Sequence[Tree] = TREES) -> Path:
    path.write_text("".join(tree.to_json() + "\n" for tree in trees), encoding="utf-8")
    return path


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    return written(tmp_path / "trees.jsonl")


def objects(path: Path) -> list[dict[str, Any]]:
    """The records of a file, every line of which must be whole."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n") or not text
    return [json.loads(line) for line in text.splitlines()]


def counts(records: list[dict[str, Any]], kind: str) -> tuple[int, int, int]:
    """How many records of a kind there are, have a gold answer and are right."""
    chosen = [record for record in records if kind in (record["kind"], "all")]
    scored = [record for record in chosen if record["gold"] is not None]
    return len(chosen), len(scored), sum(record["answer"] == record["gold"] for record in scored)


def refusal(done: CompletedProcess[str]) -> str:
    """The one line that says what was wrong with the input."""
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


# -- what is printed and written -----------------------------------------------------------------------


@pytest.mark.parametrize("inference", ["joint", "vote"])
def test_every_tree_gets_a_record_and_the_table_counts_them_by_kind(
    replay: Run, nli: tuple[str, ...], trees: Path, tmp_path: Path, inference: str
) -> None:
    done = replay(trees, *nli, "--out", tmp_path / "new" / "out", "--inference", inference)
    assert (done.returncode, done.stderr) == (0, "")  # no progress bar in a pipe
    records = objects(tmp_path / "new" / "out" / "records.jsonl")
    assert [record["question"] for record in records] == [tree.question for tree in TREES]
    assert [record["line"] for record in records] == [1, 2, 3, 4, 5]
    assert [records[index]["answer"] for index in (0, 2, 4)] == [True, False, True]

    head, *lines = done.stdout.splitlines()
    assert head.startswith(f"trees.jsonl, {inference}, verifier {nli[1]}")
    rows = [line.strip("│ ").split("│") for line in lines if line.startswith("│")]
    table = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    assert list(table) == KINDS
    for kind in KINDS:
        number, scored, correct = counts(records, kind)
        assert table[kind] == [str(number), str(scored), str(correct), f"{100 * correct / scored:.1f} %"]
    assert counts(records, "one-node") == (2, 2, 1)


def test_json_is_one_object_with_the_same_counts_and_nothing_else(
    replay: Run, nli: tuple[str, ...], trees: Path, tmp_path: Path
) -> None:
    done = replay(trees, *nli, "--json", "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert (summary["trees"], summary["inference"], summary["verifier"]) == (str(trees), "joint", nli[1])
    records = objects(tmp_path / "out" / "records.jsonl")
    for kind, row in zip(KINDS, summary["kinds"], strict=True):
        number, scored, correct = counts(records, kind)
        expected = {"kind": kind, "trees": number, "scored": scored, "correct": correct}
        assert row == expected | {"accuracy": correct / scored}


def test_a_kind_without_gold_answers_has_no_accuracy(
    replay: Run, nli: tuple[str, ...], tmp_path: Path
) -> None:
    path = written(tmp_path / "trees.jsonl", [one_node("The sky is blue.", 0.9, gold=None)])
    rows = json.loads(replay(path, *nli, "--json").stdout)["kinds"]
    assert [row["accuracy"] for row in rows] == [None] * 4


def test_answers_are_written_beside_the_records(
    replay: Run, nli: tuple[str, ...], trees: Path, tmp_path: Path
) -> None:
    assert replay(trees, *nli, "--out", tmp_path, "--answers").returncode == 0
    lines = (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [Answer.from_json(line) for line in lines]
    assert [answer.tree for answer in answers] == list(TREES)
    for answer, record in zip(answers, objects(tmp_path / "records.jsonl"), strict=True):
        assert (answer.answer, answer.margin) == (record["answer"], record["margin"])
        assert (answer.models.lm, answer.models.verifier) == (None, nli[1])


def test_answers_that_differ_from_the_reference_are_counted_and_listed(
    replay: Run, nli: tuple[str, ...], trees: Path, tmp_path: Path
) -> None:
    replay(trees, *nli, "--out", tmp_path)
    found = {record["line"]: record["answer"] for record in objects(tmp_path / "records.jsonl")}
    # Line 2 differs, line 4 is not known to the reference, and the file has no line 9.
    rows = [{"row": line - 1, "vote": found[line] != (line == 2)} for line in (5, 3, 2, 1)]
    rows.append({"row": 8, "vote": True, "note": "ignored"})
    reference = tmp_path / "reference.jsonl"
    reference.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    shown = replay(trees, *nli, "--reference", reference).stdout
    assert "same answer as the reference: 3 of 4 (75.00 %)" in shown
    listed = shown.partition("%)\n")[2].splitlines()
    assert [line.strip().partition(",")[0] for line in listed] == [f"line 2: {found[2]}"]
    assert listed[0].endswith(TREES[1].question)
    summary = json.loads(replay(trees, *nli, "--reference", reference, "--json").stdout)["reference"]
    assert summary["compared"] == 4
    assert [record["line"] for record in summary["differing"]] == [2]


def test_what_a_file_says_is_shown_as_plain_text(replay: Run, nli: tuple[str, ...], tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07\x1b[31m [red]:cat:[/red] \u202eeulb"
    path = written(tmp_path / "[red] :cat: \x1b[31m.jsonl", [one_node(hostile, 0.9, gold=None)])
    reference = tmp_path / "reference.jsonl"
    reference.write_text('{"row": 0, "vote": false}')
    shown = replay(path, *nli, "--reference", reference).stdout
    assert not {"\x1b", "\x07", "\u202e"}.intersection(shown)
    assert r"\x1b]0;owned\x07\x1b[31m [red]:cat:[/red] \u202eeulb" in shown
    assert shown.startswith(r"[red] :cat: \x1b[31m.jsonl, ")


def test_progress_is_shown_on_a_terminal_and_not_among_the_results(
    replay: Run, nli: tuple[str, ...], trees: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    done = replay(trees, *nli, "--json")
    assert "replay (joint)" in done.stderr
    assert json.loads(done.stdout)["kinds"][-1]["trees"] == len(TREES)


# -- files that cannot be used -------------------------------------------------------------------------


def without_parent() -> str:
    """A tree whose second node hangs in the air."""
    found = json.loads(TREES[1].to_json())
    found["nodes"][1]["parent"] = "QF7"
    return json.dumps(found)


def with_cycle() -> str:
    """A tree in which two nodes are each other's parents."""
    found = json.loads(TREES[1].to_json())
    found["nodes"][1]["parent"], found["nodes"][2]["parent"] = "QF0", "QT0"
    return json.dumps(found)


BROKEN = {
    "no JSON": (b"{", "JSON"),
    "half a tree": (b'{"question": "Is it?"}', "statement"),
    "not UTF-8": (TREES[0].to_json().encode("utf-16"), "JSON"),
    "a missing parent": (without_parent().encode(), "its parent QF7 is not in the tree"),
    "a cycle": (with_cycle().encode(), "cycle, QT0 → QF0 → QT0"),
    "no probability": (TREES[0].to_json().replace("0.9", "1.5").encode(), "nodes[0].p_true"),
}


@pytest.mark.parametrize(("line", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_named_before_anything_is_done_or_left_out_where_told_to_keep_going(
    replay: Run, nli: tuple[str, ...], trees: Path, tmp_path: Path, line: bytes, problem: str
) -> None:
    lines = trees.read_bytes().splitlines()
    lines[2] = line.replace(b"\n", b" ")
    trees.write_bytes(b"\n".join(lines))
    options = (*nli, "--out", tmp_path / "out")
    message = refusal(replay(trees, *options))
    assert f"{trees}, line 3: " in message
    assert problem in message
    assert not (tmp_path / "out").exists()

    done = replay(trees, *options, "--keep-going")
    assert done.returncode == 0
    assert done.stderr == message.replace("error: ", "left out: ") + "\n"
    assert [record["line"] for record in objects(tmp_path / "out" / "records.jsonl")] == [1, 2, 4, 5]


@pytest.mark.parametrize("option", [(), ("--keep-going",)])
def test_a_message_about_a_hostile_line_cannot_command_the_terminal(
    replay: Run, tmp_path: Path, option: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = json.loads(TREES[1].to_json())
    found["nodes"][1]["id"] = "\x1b]0;owned\x07"
    path = tmp_path / "trees.jsonl"
    path.write_text(json.dumps(found), encoding="utf-8")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    message = replay(path, "--nli", tmp_path / "absent", *option).stderr
    assert "owned" in message
    assert not {"\x1b", "\x07"}.intersection(message)


def test_options_and_files_that_cannot_be_used_are_refused_in_a_line(
    replay: Run, nli: tuple[str, ...], trees: Path, tmp_path: Path
) -> None:
    absent = tmp_path / "absent"
    assert str(absent) in refusal(replay(absent, *nli))
    assert str(absent) in refusal(replay(trees, *nli, "--reference", absent))
    assert "--out" in refusal(replay(trees, *nli, "--answers"))
    assert "joint, vote" in refusal(replay(trees, *nli, "--inference", "sum"))
    reference = tmp_path / "reference.jsonl"
    reference.write_text('{"row": 0, "vote": true}\n{"row": -1, "vote": true}\n')
    assert f"{reference}, line 2: row" in refusal(replay(trees, *nli, "--reference", reference))


def test_records_of_an_earlier_run_are_kept_and_the_new_run_refused(
    replay: Run, nli: tuple[str, ...], trees: Path, tmp_path: Path
) -> None:
    assert replay(trees, *nli, "--out", tmp_path / "out").returncode == 0
    before = (tmp_path / "out" / "records.jsonl").read_bytes()
    line = refusal(replay(trees, *nli, "--out", tmp_path / "out", "--answers"))
    assert str(tmp_path / "out" / "records.jsonl") in line
    assert (tmp_path / "out" / "records.jsonl").read_bytes() == before
    assert not (tmp_path / "out" / "answers.jsonl").exists()


@pytest.mark.parametrize("wrong", ["absent", "language model"])
def test_a_mistyped_verifier_does_not_spoil_the_folder_for_the_next_run(
    replay: Run, nli: tuple[str, ...], llama_folder: Path, trees: Path, tmp_path: Path, wrong: str
) -> None:
    name = llama_folder if wrong == "language model" else tmp_path / "absent"
    assert str(name) in refusal(replay(trees, "--nli", name, "--out", tmp_path / "out"))
    assert replay(trees, *nli, "--out", tmp_path / "out").returncode == 0


# -- Ctrl-C --------------------------------------------------------------------------------------------


class Interrupted(ScriptedVerifier):
    """A verifier that is interrupted in its second batch."""

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        if self.asked:
            raise KeyboardInterrupt
        return super().predict(pairs)


def test_an_interruption_ends_with_130_and_leaves_whole_records_and_their_report(
    replay: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = Interrupted(lambda *_: "neutral")
    monkeypatch.setattr(maieutic.nli, "load_verifier", lambda *_, **__: verifier)
    tree = grown("A cat sleeps.", gold=True)
    questions = [f"Question {index}" for index in range(BATCH_TREES + 6)]
    path = written(tmp_path / "t.jsonl", [replace(tree, question=question) for question in questions])
    done = replay(path, "--nli", "x", "--out", tmp_path, "--answers", "--json")
    assert done.returncode == 130
    assert done.stderr == f"interrupted after {BATCH_TREES} of {BATCH_TREES + 6} trees\n"
    for name in ("records.jsonl", "answers.jsonl"):
        assert [record["question"] for record in objects(tmp_path / name)] == questions[:BATCH_TREES]
    assert json.loads(done.stdout)["kinds"][-1]["trees"] == BATCH_TREES
