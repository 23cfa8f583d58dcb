"""Runs on trees grown elsewhere: answers, accuracy by kind of tree, agreement with another implementation."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.answer import Answer, Models
from maieutic.benchmarks.analysis.metrics import measure
from maieutic.benchmarks.analysis.reference import ReferenceAnswer, agreement, read_reference
from maieutic.benchmarks.analysis.tree_kinds import KINDS, accuracy_by_kind
from maieutic.benchmarks.datasets import load_items
from maieutic.benchmarks.methods import build_method
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import Run, read_run
from maieutic.benchmarks.runs.models import models_of, with_trees
from maieutic.benchmarks.runs.records import Record
from maieutic.benchmarks.runs.runner import run as run_items
from maieutic.errors import FileFormatError, InputError
from maieutic.inference import INFERENCES, BeliefGraph, Verdict
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts
from maieutic.tree import Tree

CliRun = Callable[..., "CompletedProcess[str]"]
SHARED = Path(__file__).parents[4] / "shared"

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
# "grown" is answered false, as its one explanation contradicts Q, unless the model disbelieves it. For argue,
# which reads no relations, a disbelieved attack is still an attack.
EXPECTED = [True, False, True, True, False, True, False]
LINES = ["1", "2", "4", "5", "6", "7", "8"]  # the third is blank


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


def never(*_: Any) -> Any:
    raise AssertionError("a language model was asked")


def answered(path: Path, settings: dict[str, object], batch: int = 32) -> list[Record]:
    """The records of a run on a file of trees, with the scripted verifier and no language model."""
    config = RunConfig("trees", "maieutic", settings, data=str(path), nli="scripted").complete()
    assert (config.lm, config.split) == ("", "all")
    models = LoadedModels(
        ScriptedLanguageModel(never, never, name=""), ScriptedVerifier(judge), load_prompts("paper")
    )
    items = with_trees(load_items("trees", data=path).items, config)
    method = build_method(config.method, config.settings, config.seed)
    return [record for group in run_items(items, method, models, batch) for record in group]


@pytest.mark.parametrize("batch", [1, 2, 64])
@pytest.mark.parametrize("inference", INFERENCES)
def test_every_tree_gets_one_record_in_the_order_of_the_file(
    tree_file: Path, inference: str, batch: int
) -> None:
    records = answered(tree_file, {"inference": inference}, batch)
    assert [record.id for record in records] == LINES
    disbelieved = [*EXPECTED[:5], False, *EXPECTED[6:]]
    assert [record.answer for record in records] == (disbelieved if inference == "argue" else EXPECTED)
    assert [record.gold for record in records] == [gold for _, _, gold in MADE_UP]
    assert all(record.usage.calls == 0 for record in records)
    for record, (kind, _, _) in zip(records, MADE_UP, strict=True):
        assert isinstance(record.reasoning, Answer)
        assert record.reasoning.tree.kind == kind
        assert record.reasoning.models.lm is None


def test_two_trees_for_one_question_are_two_questions(tmp_path: Path) -> None:
    path = tmp_path / "trees.jsonl"
    path.write_text("".join(json.dumps(row(1, "one-node", p, True)) + "\n" for p in (0.9, 0.1)))
    assert [(r.id, r.answer) for r in answered(path, {})] == [("1", True), ("2", False)]


def test_a_method_that_asks_its_model_gets_the_questions_without_their_trees(tree_file: Path) -> None:
    config = RunConfig("trees", "direct", data=str(tree_file)).complete()
    assert config.lm == "agora"
    items = with_trees(load_items("trees", data=tree_file).items, config)
    assert [item.tree for item in items] == [None] * len(MADE_UP)
    assert items[0].text == "Number 1?"


def test_a_language_model_that_is_its_own_verifier_is_loaded(tree_file: Path) -> None:
    config = RunConfig("trees", data=str(tree_file), lm="agora", nli="lm").complete()
    assert config.lm == "agora"
    assert models_of(config).verifier.name


def test_a_tree_without_a_gold_answer_is_answered_and_not_counted(tree_file: Path) -> None:
    metrics = measure(answered(tree_file, {"inference": "vote"}))
    assert (metrics.questions, metrics.scored, metrics.right, metrics.accuracy) == (5, 5, 3, 0.6)
    counts = {kind.kind: (kind.questions, kind.scored, kind.right) for kind in metrics.kinds}
    assert counts == {"one-node": (2, 2, 1), "grown": (2, 2, 1), "empty": (1, 1, 1)}


def with_kind(kind: str, gold: bool, answer: bool | None) -> Record:
    nodes = Tree.from_json(json.dumps(row(1, kind, 0.9, gold))).nodes
    tree = Tree("Q?", "Q holds.", "Q fails.", nodes)
    verdict = Verdict("vote", answer=True, margin=0.0, margin_unit="votes", labels={})
    reasoning = Answer(tree, BeliefGraph(()), verdict, Models(None, "none"))
    return Record("1", "Q?", gold, "", answer, reasoning=reasoning)


RECORDS = st.builds(with_kind, st.sampled_from(KINDS), st.booleans(), st.none() | st.booleans())


@given(st.lists(RECORDS))
def test_every_record_with_a_tree_counts_once_and_with_its_kind(records: list[Record]) -> None:
    rows = {each.kind: each for each in accuracy_by_kind(records)}
    kinds = [record.reasoning.tree.kind for record in records if record.reasoning]
    assert list(rows) == [kind for kind in KINDS if kind in kinds]
    for kind, each in rows.items():
        chosen = [record for record, own in zip(records, kinds, strict=True) if own == kind]
        assert each.questions == len(chosen)
        assert each.scored == sum(record.answer is not None for record in chosen)
        assert each.right == sum(record.answer == record.gold for record in chosen)
        assert each.accuracy == each.right / each.questions


# -- from the command line -----------------------------------------------------------------------------


@pytest.fixture
def run_trees(run: CliRun, monkeypatch: pytest.MonkeyPatch, tree_file: Path, tmp_path: Path) -> CliRun:
    """Run ``bench run trees`` on the file, into the folder ``run``, with the scripted verifier."""
    from maieutic import models
    from maieutic.benchmarks.runs import provenance

    monkeypatch.setattr(
        models, "load_verifier", lambda *_, **__: ScriptedVerifier(judge, fingerprint="judge")
    )
    monkeypatch.setattr(provenance, "_model", lambda *_: {})
    given_options = ("trees", "--data", tree_file, "--nli", "scripted", "--out", tmp_path / "run")
    return lambda *more: run("bench", "run", *given_options, *more)


def test_a_run_goes_on_where_it_stopped_and_its_summary_counts_by_kind(
    run_trees: CliRun, tmp_path: Path
) -> None:
    done = run_trees("--set", "inference=vote")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 of 7 questions have no gold answer" in done.stdout
    assert "1 of 2 with a tree of kind grown, 50.0 %" in done.stdout
    path = tmp_path / "run" / "records.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    again = run_trees("--set", "inference=vote", "--json")
    assert again.returncode == 0
    kinds = {kind["kind"]: kind["right"] for kind in json.loads(again.stdout)["metrics"]["kinds"]}
    assert kinds == {"one-node": 1, "grown": 1, "empty": 1}
    assert [record.id for record in read_run(tmp_path / "run").records] == LINES
    asked = json.loads((tmp_path / "run" / "run.json").read_text())["data"]["asked"]
    assert asked == len(MADE_UP)


def test_a_bad_line_is_named_before_anything_is_written_or_left_out_where_that_is_asked_for(
    run_trees: CliRun, tree_file: Path, tmp_path: Path
) -> None:
    lines = tree_file.read_text().splitlines()
    lines[1] = "{"
    lines[3] = json.dumps(row(3, "empty", 0.5, True) | {"question": " "})
    tree_file.write_text("\n".join(lines))
    with pytest.raises(FileFormatError) as caught:
        load_items("trees", data=tree_file)
    assert (caught.value.path, caught.value.line) == (str(tree_file), 2)
    refused = run_trees()
    assert (refused.returncode, refused.stdout) == (2, "")
    assert not (tmp_path / "run").exists()
    done = run_trees("--keep-going")
    assert done.returncode == 0
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["left out"] * 2
    assert [record.id for record in read_run(tmp_path / "run").records] == ["1", "5", "6", "7", "8"]


def test_trees_without_gold_answers_have_a_summary_without_accuracy(
    run_trees: CliRun, tree_file: Path
) -> None:
    tree_file.write_text(json.dumps(row(1, "grown", 0.9, None)))
    done = run_trees("--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["metrics"] is None


# -- another implementation's answers ------------------------------------------------------------------


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """The expected answers but for the second tree's, of all but the fifth, and one of another file."""
    rows: list[dict[str, object]] = [
        {"row": int(line) - 1, "vote": answer != (line == "2"), "kind": "ignored"}
        for line, answer in zip(LINES, EXPECTED, strict=True)
        if line != "6"
    ]
    path = tmp_path / "reference.jsonl.gz"
    text = "\n".join(map(json.dumps, [*rows, {"row": 98, "vote": True}]))
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_the_reference_is_one_more_run_and_the_questions_that_differ_are_listed(
    run: CliRun, run_trees: CliRun, reference: Path, tmp_path: Path
) -> None:
    assert run_trees("--set", "inference=vote").returncode == 0
    shown = run("bench", "compare", tmp_path / "run", "--reference", reference)
    assert shown.returncode == 0, shown.stderr
    assert "the reference's answer on 5 of 6 questions, 83.33 %" in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("  2: false, margin ")
    found = json.loads(run("bench", "compare", tmp_path / "run", "--reference", reference, "--json").stdout)
    assert found["rows"][0]["label"].startswith("reference")
    (each,) = found["reference"]
    assert (each["compared"], each["differing"]) == (6, ["2"])


def made(records: Sequence[Record], folder: Path) -> Run:
    return Run("maieutic", folder, RunConfig("trees", data="x", nli="x").complete(), tuple(records))


@pytest.mark.parametrize("line", ['{"row": 1}', '{"row": -1, "vote": true}', '{"row": 1, "vote": 1}', "[]"])
def test_a_line_that_is_no_answer_is_refused_by_its_place(tmp_path: Path, line: str) -> None:
    path = tmp_path / "reference.jsonl"
    path.write_text(f'{{"row": 0, "vote": true}}\n{line}\n', encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        read_reference(path, made([Record("1", "Q?", True, "", True)], tmp_path))
    assert (caught.value.path, caught.value.line) == (str(path), 2)
    with pytest.raises(InputError):
        ReferenceAnswer.from_json(line)


def test_a_reference_of_other_data_or_with_two_answers_to_one_question_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reference.jsonl"
    path.write_text('{"row": 4, "vote": true}\n{"row": 4, "vote": false}\n', encoding="utf-8")
    for record in (Record("5", "Q?", True, "", True), Record("1", "Q?", True, "", True)):
        with pytest.raises(FileFormatError) as caught:
            read_reference(path, made([record], tmp_path))
        assert caught.value.subject == str(path)
        path.write_text('{"row": 4, "vote": true}\n', encoding="utf-8")


# -- real trees ----------------------------------------------------------------------------------------

SAMPLE = {"grown": 50, "one-node": 8, "empty": 2}  # trees of each kind, of each file
MOST_NODES = 5  # keeps the verifier's work to some seconds
AGREEMENT = 0.99  # what another machine rounds differently may turn a tie among the labellings


def sample(trees: Path, path: Path) -> None:
    """Write some of the trees, each on the line that it has in its file."""
    lines = gzip.decompress(trees.read_bytes()).splitlines()
    everything = [(line, Tree.from_json(text)) for line, text in enumerate(lines)]
    rng, chosen = random.Random(0), set()
    for kind, count in SAMPLE.items():
        small = [pair for pair in everything if pair[1].kind == kind and len(pair[1].nodes) <= MOST_NODES]
        chosen |= {line for line, _ in rng.sample(small, count)}
    path.write_bytes(b"\n".join(text if line in chosen else b"" for line, text in enumerate(lines)))


def test_votes_on_real_trees_agree_with_those_of_the_published_code(run: CliRun, tmp_path: Path) -> None:
    nli, names = SHARED / "models" / "minilm-nli", ("csqa2", "creak")
    trees = {name: SHARED / "data" / "trees" / f"{name}.dev.gpt3.jsonl.gz" for name in names}
    references = {name: SHARED / "data" / "reference" / f"{name}.vote.jsonl.gz" for name in names}
    for path in (nli, *trees.values(), *references.values()):
        if not path.exists():
            pytest.skip(f"{path} is missing")
    compared = same = 0
    for name in names:
        sample(trees[name], tmp_path / f"{name}.jsonl")
        options = ("--nli", nli, "--set", "inference=vote", "--device", "cpu", "--dtype", "float32")
        out = tmp_path / name
        data = tmp_path / f"{name}.jsonl"
        assert run("bench", "run", "trees", "--data", data, *options, "--out", out).returncode == 0
        found = read_run(out)
        agreed = agreement(name, found.records, read_reference(references[name], found))
        compared, same = compared + agreed.compared, same + agreed.same
    assert compared == len(names) * sum(SAMPLE.values())
    assert same >= AGREEMENT * compared
