"""Replay of trees grown elsewhere: order, records, tallies, files; agreement with the published answers."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from maieutic.answer import Answer
from maieutic.benchmarks.replay import KINDS, Record, ReferenceAnswer, replay, tally
from maieutic.benchmarks.replay_files import RecordFiles, read_references
from maieutic.cli.main import app
from maieutic.errors import FileFormatError, InputError, ModelError
from maieutic.files.json_lines import read_trees
from maieutic.inference.base import INFERENCES, Inference
from maieutic.nli import load_verifier
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.tree import Tree

SHARED = Path(__file__).parents[2] / "shared"

# kind, what the model believes of Q (and of an explanation of the False prompt), gold answer
MADE_UP: list[tuple[str, float, bool | None]] = [
    ("one-node", 0.9, True),
    ("grown", 0.9, False),
    ("empty", 0.5, True),
    ("one-node", 0.9, False),
    ("grown", 0.9, None),
    ("grown", 0.05, False),
    ("one-node", 0.1, None),
]
# "grown" is answered false, as its one explanation contradicts Q, unless the model disbelieves that.
EXPECTED = [True, False, True, True, False, True, False]


def node(node_id: str, p: float) -> dict[str, Any]:
    parent = None if node_id == "Q" else "Q"
    texts = {"statement": f"{node_id} holds.", "negation": f"{node_id} fails."}
    return {"id": node_id, "parent": parent, **texts, "p_true": p, "p_true_negation": 1 - p, "integral": True}


def row(number: int, kind: str, p: float, gold: bool | None) -> dict[str, Any]:
    nodes = {"empty": [], "one-node": [node("Q", p)], "grown": [node("Q", 0.5), node("QF0", p)]}[kind]
    texts = {"question": f"Number {number}?", "statement": "Q holds.", "negation": "Q fails."}
    return texts | {"nodes": nodes} | ({} if gold is None else {"answer": gold})


@pytest.fixture
def tree_file(tmp_path: Path) -> Path:
    """The made-up trees, one a line, a blank line after the second."""
    lines = [json.dumps(row(number, *made)) for number, made in enumerate(MADE_UP, start=1)]
    path = tmp_path / "trees.jsonl"
    path.write_text("\n".join([*lines[:2], "", *lines[2:]]) + "\n", encoding="utf-8")
    return path


def judge(premise: str, hypothesis: str) -> str:
    """What QF0 says contradicts Q, and its negation entails Q."""
    if hypothesis != "Q holds.":
        return "neutral"
    return {"QF0 holds.": "contradiction", "QF0 fails.": "entailment"}.get(premise, "neutral")


@dataclass
class Watching:
    """A verifier that calls back before it answers."""

    watch: Callable[[], None]
    name: str = "watching"

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        self.watch()
        return ScriptedVerifier(judge).predict(pairs)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# -- replay --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_trees", [1, 2, 64])
@pytest.mark.parametrize("inference", INFERENCES)
def test_every_tree_gets_one_record_in_the_order_of_the_file(
    tree_file: Path, inference: Inference, batch_trees: int
) -> None:
    found = list(replay(read_trees(tree_file), ScriptedVerifier(judge), inference, batch_trees=batch_trees))
    records = [record for record, _ in found]
    assert [record.line for record in records] == [1, 2, 4, 5, 6, 7, 8]  # the third is blank
    assert [record.kind for record in records] == [kind for kind, _, _ in MADE_UP]
    assert [record.gold for record in records] == [gold for _, _, gold in MADE_UP]
    assert [record.answer for record in records] == EXPECTED
    for record, answer in found:
        assert (record.question, record.answer) == (answer.question, answer.answer)
        assert (record.margin, record.margin_unit) == (answer.margin, answer.margin_unit)
        assert answer.models.lm is None


def test_trees_are_read_only_as_their_batch_comes(tree_file: Path) -> None:
    taken: list[int] = []

    def source() -> Iterator[tuple[int, Tree]]:
        for line, tree in read_trees(tree_file):
            taken.append(line)
            yield line, tree

    run = replay(source(), ScriptedVerifier(judge), "vote", batch_trees=3)
    assert taken == []
    next(run)
    assert len(taken) == 3


def test_a_record_is_correct_if_its_answer_is_the_gold_one_and_unscored_without_gold() -> None:
    def record(gold: bool | None, answer: bool) -> Record:
        return Record(1, "Q?", "grown", gold, answer, 1.0, "votes")

    assert [record(True, True).correct, record(False, True).correct] == [True, False]
    assert record(None, True).correct is None


RECORDS = st.builds(
    Record,
    line=st.integers(1, 99),
    question=st.just("Q?"),
    kind=st.sampled_from(KINDS),
    gold=st.none() | st.booleans(),
    answer=st.booleans(),
    margin=st.just(1.0),
    margin_unit=st.just("votes"),
)


@given(records=st.lists(RECORDS))
def test_the_tally_counts_every_record_once_by_kind_and_once_in_all(records: list[Record]) -> None:
    rows = {entry.kind: entry for entry in tally(records)}
    assert list(rows) == [*KINDS, "all"]
    for kind, entry in rows.items():
        chosen = [record for record in records if kind in ("all", record.kind)]
        scored = [record for record in chosen if record.gold is not None]
        right = [record for record in scored if record.gold == record.answer]
        assert (entry.trees, entry.scored, entry.correct) == (len(chosen), len(scored), len(right))
        assert entry.accuracy == (len(right) / len(scored) if scored else None)


def test_an_unscored_tree_is_counted_and_neither_right_nor_wrong(tree_file: Path) -> None:
    records = [record for record, _ in replay(read_trees(tree_file), ScriptedVerifier(judge), "vote")]
    counts = {entry.kind: (entry.trees, entry.scored, entry.correct) for entry in tally(records)}
    assert counts == {"one-node": (3, 2, 1), "grown": (3, 2, 1), "empty": (1, 1, 1), "all": (7, 5, 3)}


# -- files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inference", INFERENCES)
def test_records_are_on_disk_before_the_next_batch_is_answered(
    tree_file: Path, tmp_path: Path, inference: Inference
) -> None:
    folder, on_disk = tmp_path / "out" / "run", []
    trees = [(line, tree) for line, tree in read_trees(tree_file) if tree.kind == "grown"]
    verifier = Watching(lambda: on_disk.append(len(lines_of(folder / "records.jsonl"))))
    with RecordFiles(folder) as files:
        for record, answer in replay(trees, verifier, inference, batch_trees=1):
            files.write(record, answer)
    assert on_disk == [0, 1, 2]
    assert [path.name for path in folder.iterdir()] == ["records.jsonl"]


def test_records_that_were_made_stay_on_disk_when_the_run_breaks_off(tree_file: Path, tmp_path: Path) -> None:
    run = replay(read_trees(tree_file), ScriptedVerifier(judge), "vote")
    with pytest.raises(KeyboardInterrupt), RecordFiles(tmp_path / "out") as files:
        files.write(*next(run))
        raise KeyboardInterrupt
    assert [record["line"] for record in lines_of(tmp_path / "out" / "records.jsonl")] == [1]


def test_a_line_of_the_records_is_a_record_and_a_line_of_the_answers_an_answer(
    tree_file: Path, tmp_path: Path
) -> None:
    found = []
    with RecordFiles(tmp_path / "out", answers=True) as files:
        for record, answer in replay(read_trees(tree_file), ScriptedVerifier(judge), "joint"):
            files.write(record, answer)
            found.append((record, answer))
    assert [Record(**line) for line in lines_of(tmp_path / "out" / "records.jsonl")] == [r for r, _ in found]
    text = (tmp_path / "out" / "answers.jsonl").read_text(encoding="utf-8")
    assert [Answer.from_json(line) for line in text.splitlines()] == [answer for _, answer in found]


@pytest.mark.parametrize(("name", "answers"), [("records.jsonl", False), ("answers.jsonl", True)])
def test_files_of_an_earlier_run_are_refused_and_the_folder_left_as_it_was(
    tmp_path: Path, name: str, answers: bool
) -> None:
    (tmp_path / name).write_text("precious\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"{name} exists already"), RecordFiles(tmp_path, answers=answers):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == "precious\n"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    if os.geteuid() == 0:  # nothing is closed to root; a file is no folder even to root
        closed = tmp_path / "file"
        closed.touch()
    else:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
    with pytest.raises(InputError, match=r"cannot write to .*out .*give --out a folder you may write"):
        RecordFiles(closed / "out").__enter__()


def test_without_a_folder_nothing_is_written_and_answers_are_refused(tree_file: Path) -> None:
    before = set(tree_file.parent.rglob("*"))
    with RecordFiles(None) as files:
        files.write(*next(replay(read_trees(tree_file), ScriptedVerifier(judge), "vote")))
    assert set(tree_file.parent.rglob("*")) == before
    with pytest.raises(InputError, match="--answers needs a folder"):
        RecordFiles(None, answers=True)


def test_references_are_read_by_the_line_of_their_tree(tmp_path: Path) -> None:
    path = tmp_path / "reference.jsonl.gz"
    lines = [{"row": 0, "kind": "grown", "vote": True, "sum": 0}, {"row": 7, "vote": False}]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    assert read_references(path) == {1: True, 8: False}


@pytest.mark.parametrize("line", ['{"row": 1}', '{"row": -1, "vote": true}', '{"row": 1, "vote": 1}', "[]"])
def test_a_reference_that_is_none_is_refused_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "reference.jsonl"
    path.write_text(f'{{"row": 0, "vote": true}}\n{line}\n', encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"reference\.jsonl, line 2: "):
        read_references(path)
    with pytest.raises(InputError):
        ReferenceAnswer.from_json(line)


# -- the command ---------------------------------------------------------------------------------------


def test_the_command_writes_records_and_answers_and_reports_the_tally(
    tree_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maieutic.nli.load_verifier", lambda *_, **__: ScriptedVerifier(judge))
    out = tmp_path / "out"
    command = ["replay", str(tree_file), "--nli", "any", "--out", str(out), "--answers", "--json"]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0
    by_kind = {entry["kind"]: entry for entry in json.loads(result.stdout)["kinds"]}
    assert (by_kind["all"]["trees"], by_kind["all"]["scored"], by_kind["all"]["correct"]) == (7, 5, 3)
    assert len(lines_of(out / "records.jsonl")) == len(lines_of(out / "answers.jsonl")) == len(MADE_UP)


def test_after_a_mistyped_verifier_the_same_folder_can_be_given_again(
    tree_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ["replay", str(tree_file), "--nli", str(tmp_path / "typo"), "--out", str(out)]
    for _ in range(2):
        with pytest.raises(ModelError):
            CliRunner().invoke(app, command, catch_exceptions=False)


# -- real trees ----------------------------------------------------------------------------------------

SAMPLE = {"grown": 50, "one-node": 8, "empty": 2}  # trees of each kind, of each file
MOST_NODES = 5  # keeps the verifier's work to some seconds
AGREEMENT = 0.99  # what another machine rounds differently may turn a tie among the labellings


def sample(trees: Path) -> list[tuple[int, Tree]]:
    everything = list(read_trees(trees))
    rng, chosen = random.Random(0), []
    for kind, count in SAMPLE.items():
        small = [pair for pair in everything if pair[1].kind == kind and len(pair[1].nodes) <= MOST_NODES]
        chosen += rng.sample(small, count)
    return chosen


def test_votes_on_real_trees_agree_with_those_of_the_published_code() -> None:
    folder, nli = SHARED / "data", SHARED / "models" / "minilm-nli"
    files = [
        (folder / "trees" / f"{name}.dev.gpt3.jsonl.gz", folder / "reference" / f"{name}.vote.jsonl.gz")
        for name in ("csqa2", "creak")
    ]
    for path in (nli, *(path for pair in files for path in pair)):
        if not path.exists():
            pytest.skip(f"{path} is missing")
    verifier = load_verifier(str(nli), device="cpu", dtype="float32")
    same: list[bool] = []
    for trees, reference in files:
        expected = read_references(reference)
        found = replay(sample(trees), verifier, "vote")
        same += [record.answer == expected[record.line] for record, _ in found]
    assert len(same) == len(files) * sum(SAMPLE.values())
    assert sum(same) >= AGREEMENT * len(same)
