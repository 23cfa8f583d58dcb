"""Questions with options: readers, methods, runs, and the weights of choosing."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maieutic.benchmarks.analysis.intervals import accuracy_interval
from maieutic.benchmarks.calibration.fit import folds_of
from maieutic.benchmarks.choice.evidence import WEIGHTS
from maieutic.benchmarks.choice.items import ChoiceItem, read_choices
from maieutic.benchmarks.choice.learn import (
    WAYS,
    evidence_of_items,
    fit_choices,
    learned_weights,
    out_of_fold,
)
from maieutic.benchmarks.choice.methods import (
    CHOICE_METHODS,
    Continuations,
    Letters,
    MaieuticChoice,
    settled_choice,
)
from maieutic.benchmarks.choice.run import answer_choices, read_choice_records, summary_of
from maieutic.benchmarks.datasets.drawing import draw
from maieutic.errors import FileFormatError, InputError
from maieutic.files.reading import read_toml
from maieutic.inference import Joint
from maieutic.inference.weights import TERMS
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.problem import choosing
from maieutic.problem.choosing import choice_problem, choice_weights
from maieutic.problem.settled import settle
from maieutic.problem.ties import TIE_WEIGHTS, TieConfig
from maieutic.prompts import load_prompts
from tests.inference.random_answers import random_tree
from tests.problem.test_problem import RandomVerifier

SHARED = Path(__file__).parents[4] / "shared" / "data" / "choice"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is missing")

STEM = {"id": "1", "question": {"stem": "What floats?", "choices": [{"text": "cork", "label": "A"}]}}
CORK: dict[str, Any] = {
    "id": "1",
    "question": {
        "stem": "What floats?",
        "choices": [{"text": "cork", "label": "A"}, {"text": "lead", "label": "B"}],
    },
    "answerKey": "A",
}
PIQA = {"goal": "To dry a plate,", "sol1": "use a towel.", "sol2": "use a hose."}
SOCIAL = {
    "context": "Kim fell.",
    "question": "How would Kim feel?",
    "answerA": "hurt",
    "answerB": "proud",
    "answerC": "full",
}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def item(**changes: Any) -> ChoiceItem:
    return replace(ChoiceItem("1", "What floats?", ("cork", "lead"), 0), **changes)


# -- readers -------------------------------------------------------------------------------------------


def test_each_published_form_is_read(tmp_path: Path) -> None:
    (arc,) = read_choices(write(tmp_path / "arc.jsonl", CORK))
    assert (arc.id, arc.options, arc.gold) == ("1", ("cork", "lead"), 0)
    (tmp_path / "valid-labels.lst").write_text("1\n", encoding="utf-8")
    (piqa,) = read_choices(write(tmp_path / "valid.jsonl", PIQA))
    assert (piqa.question, piqa.gold) == ("To dry a plate,", 1)
    (tmp_path / "dev-labels.lst").write_text("1\n", encoding="utf-8")
    (social,) = read_choices(write(tmp_path / "dev.jsonl", SOCIAL))
    assert (social.question, social.gold, len(social.options)) == ("Kim fell. How would Kim feel?", 0, 3)
    (unknown,) = read_choices(write(tmp_path / "test.jsonl", SOCIAL))
    assert unknown.gold is None


@pytest.mark.parametrize(
    "rows",
    [
        ["text"],
        [{"id": "1"}],
        [STEM],
        [CORK, CORK],
        [CORK | {"answerKey": "Z"}],
        [CORK, {"id": "2", "question": {"stem": " ", "choices": CORK["question"]["choices"]}}],
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, rows: list[object]) -> None:
    with pytest.raises(FileFormatError) as error:
        read_choices(write(tmp_path / "bad.jsonl", *rows))
    assert error.value.line == len(rows)


def test_labels_of_another_file_are_refused(tmp_path: Path) -> None:
    for labels in ("0\n1\n", "x\n"):
        (tmp_path / "valid-labels.lst").write_text(labels, encoding="utf-8")
        with pytest.raises(FileFormatError) as error:
            read_choices(write(tmp_path / "valid.jsonl", PIQA))
        assert error.value.path.endswith("valid-labels.lst")


@shared
@pytest.mark.parametrize(
    ("name", "count", "most"),
    [("CommonsenseQA.dev.questions", 1221, 5), ("ARCeasy.dev.questions", 570, 5)],
)
def test_official_rows_are_read(name: str, count: int, most: int) -> None:
    items = read_choices(SHARED / f"{name}.jsonl.gz")
    assert len(items) == count
    assert max(len(each.options) for each in items) == most
    assert all(each.gold is not None for each in items)
    assert len(draw(items, 10, seed=1)) == 10


@shared
def test_grown_trees_are_read_with_their_roots() -> None:
    items = read_choices(SHARED / "arc-easy.dev.palm2.jsonl.gz")
    assert len(items) == 570
    right = 0.0
    for each in items:
        beliefs = [(t.root.p_true or 0.0) - (t.root.p_true_negation or 0.0) for t in each.trees]
        empty = [len(t.nodes) == 1 and t.root.p_true is None for t in each.trees]
        scores = [-9.0 if bare else value for value, bare in zip(beliefs, empty, strict=True)]
        best = [place for place, value in enumerate(scores) if value == max(scores)]
        right += (each.gold in best) / len(best)
    assert right / len(items) == pytest.approx(0.8496, abs=1e-3)  # of roots alone, ties by their share


# -- methods -------------------------------------------------------------------------------------------


def models(probability: Any, reply: Any = lambda *_: "Cork is light.") -> LoadedModels:
    lm = ScriptedLanguageModel(reply, probability)
    return LoadedModels(lm, ScriptedVerifier(lambda *_: "neutral"), load_prompts("paper"))


def test_letters_are_read_after_the_lettered_options() -> None:
    prompts: list[str] = []

    def probability(prompt: Prompt, option: str) -> float:
        prompts.append(prompt.text())
        return {" A": 0.1, " B": 0.3}[option]

    outcome = Letters().run(item(), models(probability))
    assert "A. cork\nB. lead" in prompts[0]
    assert outcome.choice == 1
    assert outcome.p == pytest.approx((0.25, 0.75))


def test_continuations_are_judged_plain_per_character_and_per_token() -> None:
    # ln p of the first is −2, of the second −3; it has 4 characters and 1 word against 15 and 3.
    p = {" cork": np.exp(-2.0), " a big lead ball": np.exp(-3.0)}
    outcome = Continuations().run(
        item(options=("cork", "a big lead ball")), models(lambda _, option: float(p.get(option, 1.0)))
    )
    assert outcome.choice == 0
    assert outcome.others == {"acc_norm": 1, "acc_token": 1}


@pytest.mark.parametrize("name", ["chain-of-thought", "self-consistency"])
def test_thoughts_come_before_the_letters(name: str) -> None:
    seen: list[str] = []

    def probability(prompt: Prompt, option: str) -> float:
        seen.append(prompt.text())
        return 0.9 if option == " B" else 0.1

    outcome = CHOICE_METHODS[name]().run(item(), models(probability))
    assert outcome.choice == 1
    assert all("Thought: Cork is light." in text for text in seen)


def test_more_options_than_letters_are_refused() -> None:
    many = item(options=tuple(f"number {n}" for n in range(27)))
    with pytest.raises(InputError):
        Letters().run(many, models(lambda *_: 0.5))


def test_grown_trees_are_settled_without_a_language_model() -> None:
    trees = tuple(random_tree(seed) for seed in (1, 5))
    outcome = settled_choice(item(trees=trees), RandomVerifier(1), Joint())
    assert outcome.p is not None
    assert sum(outcome.p) == pytest.approx(1.0)
    assert outcome.choice == int(np.argmax(outcome.p))


# -- runs ----------------------------------------------------------------------------------------------


def test_a_run_continues_where_it_was_cut_off(tmp_path: Path) -> None:
    items = [item(id=str(number), gold=number % 2) for number in range(4)]
    opened, file = models(lambda _, option: 0.9 if option == " A" else 0.1), tmp_path / "records.jsonl"
    first = list(answer_choices(items[:2], Letters(), opened, file))
    file.write_text(file.read_text(encoding="utf-8") + '{"id": "cut', encoding="utf-8")
    rest = list(answer_choices(items, Letters(), opened, file))
    assert [record.id for record in (*first, *rest)] == ["0", "1", "2", "3"]
    records = read_choice_records(file)
    summary = summary_of(records)
    assert (summary.questions, summary.accuracy) == (4, {"acc": 0.5})
    assert summary.interval == accuracy_interval([True, True, False, False], [""] * 4, seed=0)
    with pytest.raises(InputError):
        list(answer_choices(items, Continuations(), opened, file))
    with pytest.raises(InputError):
        summary_of([])


def test_the_command_chooses_and_reports(run: Any, tmp_path: Path) -> None:
    tree = {"id": "Q", "parent": None, "statement": "Cork floats.", "negation": "Cork sinks.", "p_true": 0.9}
    other = {"id": "Q", "parent": None, "statement": "Lead floats.", "negation": "Lead sinks.", "p_true": 0.1}
    grown = [
        {"label": "A", "nodes": [tree | {"p_true_negation": 0.1, "integral": True}]},
        {"label": "B", "nodes": [other | {"p_true_negation": 0.9, "integral": True}]},
    ]
    row = {"id": "1", "question": CORK["question"], "answer_key": "A", "choices": grown}
    data = write(tmp_path / "trees.jsonl", row)
    done = run("bench", "choose", data, "--out", tmp_path / "out.jsonl", "--json", "--no-cache")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"] == {"acc": 1.0}
    again = run("bench", "choose", data, "--out", tmp_path / "out.jsonl")
    assert again.stdout.startswith("acc 100.0 %")
    assert run("bench", "choose", data, "--out", tmp_path / "x", "--method", "guess").returncode == 2


# -- weights -------------------------------------------------------------------------------------------


def questions(count: int) -> list[ChoiceItem]:
    """Questions with trees of random beliefs; the right option is the one with the likelier root."""
    found = []
    for number in range(count):
        trees = tuple(random_tree(10 * number + option) for option in range(3))
        beliefs = [(tree.root.p_true or 0.5) for tree in trees]
        gold = int(np.argmax(beliefs))
        found.append(item(id=str(number), options=("ice", "snow", "rain"), gold=gold, trees=trees))
    return found


def test_the_evidence_is_that_of_the_settled_problem() -> None:
    """ln P(option) by the numbers that weights are learned from, and by the problem itself."""
    items = questions(6)
    verifier = RandomVerifier(3)
    evidence = evidence_of_items(items, verifier)
    weights = choice_weights()
    values = torch.tensor(
        [getattr(weights, term) for term in TERMS] + [TieConfig().across, TieConfig().names],
        dtype=torch.float64,
    )
    log_p = evidence.log_p(values)
    for row, each in zip(log_p.tolist(), items, strict=True):
        texts = [node.statement for tree in each.trees for node in tree.nodes]
        if len(set(texts)) < len(texts):
            continue  # equal sentences are one variable in a problem
        config = TieConfig(premises=False)
        settled = settle(choice_problem(each.trees, each.options), verifier, Joint(weights), config)
        p = settled.distribution()
        assert p is not None
        assert np.exp(row[: len(p)]).tolist() == pytest.approx(list(p.values()), abs=1e-6)


def test_weights_learn_what_the_answers_follow() -> None:
    items = questions(40)
    evidence = evidence_of_items(items, ScriptedVerifier(lambda *_: "neutral"))
    everything = torch.ones(len(items), dtype=torch.bool)
    values = fit_choices(evidence, everything, WAYS["one problem"])
    assert values.shape == (len(WEIGHTS),)
    assert float(values[WEIGHTS.index("root")]) > 1.0
    result = out_of_fold(evidence, folds_of([each.id for each in items], 0, 4), WAYS["roots alone"])
    assert result.accuracy > 0.9
    joint, ties = learned_weights(values)
    assert joint.chain == joint.root
    assert ties.keys() == set(TIE_WEIGHTS)
    with pytest.raises(InputError):
        evidence_of_items([item()], RandomVerifier(0))


def test_the_shipped_weights_across_trees_are_the_defaults() -> None:
    table = read_toml(Path(choosing.__file__).with_name("choice.weights.toml"))["ties"]
    assert {name: getattr(TieConfig(), name) for name in TIE_WEIGHTS} == table


@shared
def test_some_questions_of_arc_are_chosen_as_published_figures_say() -> None:
    """The shipped weights on real trees, without relations: at least as good as the roots alone."""
    items = draw(read_choices(SHARED / "arc-easy.dev.palm2.jsonl.gz"), 120, seed=0)
    neutral = ScriptedVerifier(lambda *_: "neutral")
    chosen = [settled_choice(each, neutral, Joint()) for each in items]
    right = sum(outcome.choice == each.gold for outcome, each in zip(chosen, items, strict=True))
    assert right / len(items) > 0.84


def test_an_option_without_a_tree_has_its_statement_by_rule(tmp_path: Path) -> None:
    grown = {"id": "1", "question": CORK["question"], "choices": [{"label": "B", "nodes": []}]}
    (each,) = read_choices(write(tmp_path / "grown.jsonl", grown))
    assert each.gold is None
    assert [tree.statement for tree in each.trees] == ["Cork floats.", "Lead floats."]
    stray = grown | {"choices": [{"label": "Z", "nodes": []}]}
    with pytest.raises(FileFormatError):
        read_choices(write(tmp_path / "stray.jsonl", stray))


def test_gzipped_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "arc.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(CORK).encode()))
    assert len(read_choices(path)) == 1


def test_the_method_maieutic_needs_a_verifier_and_the_others_none() -> None:
    assert MaieuticChoice().uses_verifier
    assert not any(make().uses_verifier for name, make in CHOICE_METHODS.items() if name != "maieutic")
