"""The user's own facts: what they settle, what they ask for, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.answer import Answer
from maieutic.config import ElicitConfig
from maieutic.errors import InputError
from maieutic.inference import Joint, Literal
from maieutic.inference.assumptions import Assumption, assumptions_of
from maieutic.inference.flips import with_flip
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.base import Pair, Probabilities
from maieutic.pipeline import Maieutic
from maieutic.solvers import load_solver
from maieutic.tree import Proposition, Tree

FLY, NOT_FLY = "A penguin can fly.", "A penguin cannot fly."
WINGS, NO_WINGS = "A penguin has wings.", "A penguin has no wings."
SWIM, NO_SWIM = "A penguin swims.", "A penguin does not swim."
HEAVY = "A penguin is too heavy for its wings."
TREE = Tree(
    "Can a penguin fly?",
    FLY,
    NOT_FLY,
    (
        Proposition("Q", None, FLY, NOT_FLY, 0.6, 0.5),
        Proposition("QT0", "Q", WINGS, NO_WINGS, 0.9, 0.1, True),
        Proposition("QF0", "Q", SWIM, NO_SWIM, 0.8, 0.3, True),
    ),
)
ENTAILS, CONTRADICTS, NEUTRAL = (0.02, 0.03, 0.95), (0.95, 0.03, 0.02), (0.05, 0.9, 0.05)
SILENT = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
RELATIONS = {(HEAVY, FLY): CONTRADICTS, (HEAVY, NOT_FLY): ENTAILS, (NOT_FLY, HEAVY): NEUTRAL}


class Table:
    """A verifier that knows some pairs; all others are neutral."""

    name = "table"

    def __init__(self, rows: dict[Pair, tuple[float, float, float]]) -> None:
        self.rows = rows

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        return np.array([self.rows.get(pair, NEUTRAL) for pair in pairs], dtype=np.float32)


def ask(
    assumptions: tuple[Assumption, ...],
    rows: dict[Pair, tuple[float, float, float]] = RELATIONS,
    tree: Tree = TREE,
) -> Answer:
    inference = Joint(assumptions=assumptions, solver=load_solver("exhaustive"))
    (answer,) = Maieutic(SILENT, Table(rows), inference=inference).conclude([tree])
    return answer


def test_without_assumptions_nothing_is_held() -> None:
    answer = ask(())
    verdict = answer.verdict
    assert (verdict.assumptions, verdict.held, verdict.clashes) == ((), (), ())
    assert answer.answer


def test_a_fact_that_contradicts_the_statement_turns_the_answer() -> None:
    answer = ask(assumptions_of([HEAVY]))
    assert not answer.answer
    assert answer.labels["A1"] is True
    assert answer.verdict.held == (Literal("A1"),)
    (relation,) = (c for c in answer.verdict.constraints if "A1" in c.ids)
    # "Contradicts Q" and "entails ¬Q" ask for the same: counted once, by the verifier's own log-odds.
    assert relation.weight == pytest.approx(np.log(0.95 / 0.05), rel=1e-5)
    assert Answer.from_json(answer.to_json()) == answer


def test_what_follows_from_a_falsehood_is_not_counted() -> None:
    """If it is false that penguins are too heavy, nothing follows from their being so."""
    answer = ask(assumptions_of(false=[HEAVY]))
    assert answer.labels["A1"] is False
    assert not [c for c in answer.verdict.constraints if "A1" in c.ids]
    assert answer.p_true == pytest.approx(ask(()).p_true or 0)


def test_what_entails_a_falsehood_is_doubted() -> None:
    rows = {(WINGS, HEAVY): ENTAILS}
    assert ask(()).labels["QT0"]
    answer = ask(assumptions_of(false=[HEAVY]), rows)
    before, after = ask((), rows).verdict.p_labels, answer.verdict.p_labels
    assert before is not None
    assert after is not None
    assert after["QT0"] < before["QT0"]


@pytest.mark.parametrize(
    ("true", "false", "label"),
    [
        ([WINGS], [], True),
        ([], [WINGS], False),
        ([NO_WINGS], [], False),
        ([], [" a penguin has no WINGS"], True),
    ],
)
def test_an_assumption_with_the_text_of_an_explanation_settles_it(
    true: list[str], false: list[str], label: bool
) -> None:
    answer = ask(assumptions_of(true, false))
    assert answer.labels["QT0"] is label
    assert answer.verdict.p_labels is not None
    assert answer.verdict.p_labels["QT0"] == float(label)
    assert Literal("QT0", label) in answer.verdict.held
    encoding = answer.verdict.encoding
    variable = encoding.variables["QT0"]
    assert (variable if label else -variable,) in encoding.problem.hard


def test_assumptions_that_contradict_each_other_by_the_verifier_are_named_and_kept() -> None:
    facts = assumptions_of([HEAVY, "A penguin is light."])
    answer = ask(facts, RELATIONS | {("A penguin is light.", HEAVY): CONTRADICTS})
    (clash,) = answer.verdict.clashes
    assert (clash.kind, clash.source, clash.target) == ("contradiction", Literal("A2"), Literal("A1"))
    assert answer.labels["A1"]
    assert answer.labels["A2"]


def test_what_would_change_the_mind_leaves_assumptions_alone() -> None:
    answer = with_flip(ask(assumptions_of([HEAVY])))
    verdict = answer.verdict
    assert verdict.flip is not None
    left = [c for index, c in enumerate(verdict.constraints) if index not in verdict.flip]
    assert all(c.kind != "belief" or "A1" not in c.ids for c in left)
    assert verdict.held == (Literal("A1"),)
    assert verdict.flip  # the relation of A1 to Q, or something lighter


def test_an_empty_tree_is_answered_from_assumptions_alone() -> None:
    empty = replace(TREE, nodes=())
    assert not ask(assumptions_of([HEAVY]), tree=empty).answer


@given(texts=st.lists(st.sampled_from(["A b.", "a  b", "A b", "C d."]), max_size=6))
def test_a_fact_given_twice_counts_once(texts: list[str]) -> None:
    assumptions = assumptions_of(texts)
    assert [a.id for a in assumptions] == [f"A{n}" for n in range(1, len(assumptions) + 1)]
    assert len(assumptions) == len({" ".join(t.split()).casefold().strip(".") for t in texts})


@pytest.mark.parametrize(
    ("true", "false", "subject"),
    [
        ([""], [], ""),
        ([HEAVY, "Can it fly?"], [], "Can it fly?"),
        ([WINGS], ["a penguin has wings"], "a penguin has wings"),
    ],
)
def test_what_cannot_be_assumed_is_refused(true: list[str], false: list[str], subject: str) -> None:
    with pytest.raises(InputError) as refused:
        assumptions_of(true, false)
    assert refused.value.subject == subject


@pytest.mark.parametrize("text", [FLY, "a penguin cannot fly"])
def test_the_statement_asked_about_cannot_be_assumed(text: str) -> None:
    with pytest.raises(InputError) as refused:
        ask(assumptions_of([text]))
    assert refused.value.subject == text


def test_opposite_sides_of_one_explanation_cannot_both_be_assumed() -> None:
    with pytest.raises(InputError) as refused:
        ask(assumptions_of([WINGS, NO_WINGS]))
    assert refused.value.subject == NO_WINGS


@pytest.mark.parametrize("name", ["", "Q", "QT0", "A0", "¬A1", "A1\n1 -1 0", 'A1"]; x [URL="u', "\x1b[31mA1"])
def test_an_id_that_could_be_something_else_is_refused(name: str) -> None:
    with pytest.raises(InputError) as refused:
        Assumption(name, HEAVY, True)
    assert refused.value.subject == "id"


def test_two_assumptions_of_one_id_are_refused_in_settings_and_in_saved_answers() -> None:
    twice = assumptions_of([HEAVY]) * 2
    with pytest.raises(InputError) as refused:
        Joint(assumptions=twice)
    assert refused.value.subject == "assumptions"
    answer = ask(assumptions_of([HEAVY]))
    with pytest.raises(InputError) as refused:
        replace(answer, verdict=replace(answer.verdict, assumptions=twice))
    assert refused.value.subject == "assumptions"


def test_an_unknown_negation_of_the_statement_relates_to_nothing() -> None:
    """A verifier may find anything of an empty text."""
    root = replace(TREE.nodes[0], negation="", p_true_negation=None)
    tree = replace(TREE, negation="", nodes=(root, *TREE.nodes[1:]))
    rows = {(HEAVY, ""): ENTAILS, (WINGS, ""): ENTAILS, ("", SWIM): ENTAILS}
    answer = ask(assumptions_of([HEAVY]), rows, tree)
    assert not [c for c in answer.verdict.constraints if c.kind in ("entailment", "contradiction")]


def test_what_one_question_cannot_be_weighed_with_comes_after_the_answers_before_it() -> None:
    lm = ScriptedLanguageModel(lambda *_: " It is not so.", lambda *_: 0.5)
    facts = assumptions_of(["Ice is cold."])
    maieutic = Maieutic(lm, Table({}), elicit=ElicitConfig(depth=0), inference=Joint(assumptions=facts))
    answers = maieutic.ask_many(["Fire is hot.", "Ice is cold.", "Snow is white."])
    assert next(answers).question == "Fire is hot."
    with pytest.raises(InputError) as refused:
        next(answers)
    assert refused.value.subject == "Ice is cold."
