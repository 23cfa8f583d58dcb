"""The methods that are compared, on scripted models; the scores of nodes; McNemar's test."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest

from maieutic.benchmarks.agora.claims import split_of
from maieutic.benchmarks.agora.methods import (
    METHODS,
    chain_of_thought,
    check_method,
    direct,
    self_consistency,
)
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.questions import Question, questions
from maieutic.benchmarks.agora.run import BATCH, count_nodes, run
from maieutic.benchmarks.agora.world import World
from maieutic.benchmarks.statistics import mcnemar
from maieutic.errors import InputError
from maieutic.lm.base import Prompt, ScriptedLanguageModel
from maieutic.nli.base import ScriptedVerifier
from maieutic.pipeline import LoadedModels
from maieutic.prompts import PromptSet

TRUE, FALSE = " true", " false"


def verdict(answer: str) -> str:
    return f" So it seems. Therefore, the statement is{answer}."


def model(replies: Sequence[str], p_true: float = 0.5) -> ScriptedLanguageModel:
    """A model whose samples are these, and whose verdict is always the same."""
    return ScriptedLanguageModel(
        lambda _, index: replies[index % len(replies)],
        lambda _, option: p_true if option == TRUE else 1 - p_true,
    )


# -- methods -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "answer"), [(0.9, True), (0.1, False)])
def test_direct_answers_take_one_call_and_no_sampling(prompts: PromptSet, p: float, answer: bool) -> None:
    lm = model([], p)
    assert direct(lm, prompts, ["Ice is cold.", "Ice is hot."]) == [answer, answer]
    assert (lm.sample_calls, lm.choose_calls) == ([], [2])


def test_a_chain_is_read_up_to_its_verdict_which_is_asked_anew(prompts: PromptSet) -> None:
    seen: list[str] = []

    def probability(prompt: Prompt, option: str) -> float:
        seen.append(prompt.text())
        return 0.8 if option == FALSE else 0.2

    lm = ScriptedLanguageModel(lambda *_: verdict(TRUE), probability)
    assert chain_of_thought(lm, prompts, ["Ice is hot."]) == [False]
    assert seen[0].endswith("A: So it seems. Therefore, the statement is")


@pytest.mark.parametrize(
    ("samples", "answer"),
    [
        ([verdict(TRUE)] * 6 + [verdict(FALSE)] * 4, True),
        ([verdict(TRUE)] * 4 + [verdict(FALSE)] * 6, False),
        ([verdict(FALSE)] + [" I would not know."] * 9, False),
        ([verdict(FALSE)] + [verdict(" maybe")] * 9, False),
        ([verdict(TRUE)] * 5 + [verdict(FALSE)] * 5, True),  # a tie
    ],
    ids=["most say true", "most say false", "one verdict", "one that counts", "tie"],
)
def test_the_majority_of_the_verdicts_decides(prompts: PromptSet, samples: list[str], answer: bool) -> None:
    assert self_consistency(model(samples), prompts, ["Ice is hot."]) == [answer]


def test_an_unknown_method_is_refused() -> None:
    assert [check_method(name) for name in METHODS] == list(METHODS)
    with pytest.raises(InputError, match=r"method must be one of direct, cot, .*, not 'oracle'"):
        check_method("oracle")


# -- runs ----------------------------------------------------------------------------------------------


def scripted(world: World, prompts: PromptSet, knows: bool) -> LoadedModels:
    """Models that explain with the gold chain on the right side, and judge as the world, or the reverse."""
    oracle = Oracle(world)
    by_statement = {q.statement: q for q in questions(world, "dev", 1000)}

    def statement(prompt: Prompt) -> str:
        return prompt.query.partition(": ")[2].removesuffix("?").removesuffix(".") + "."

    def reply(prompt: Prompt, _index: int) -> str:
        asked = statement(prompt)
        if prompt.opening.startswith("Negation"):
            return f" {negation(asked)}"
        if prompt.opening == "A:":
            return verdict(TRUE)
        question = by_statement.get(asked)
        if question is None or prompt.opening.startswith("A: True") != question.truth:
            return ""
        return f" {question.chains[0]}"

    def negation(text: str) -> str:
        return text.replace(", and ", ", or ") if ", and " in text else f"It is false that {text}"

    def probability(prompt: Prompt, option: str) -> float:
        if statement(prompt).removeprefix("It is false that ") in by_statement:
            return 0.5
        truth = oracle.truth(statement(prompt)) is True and ", and " in statement(prompt)
        return 0.99 if (option == TRUE) == (truth == knows) else 0.01

    lm = ScriptedLanguageModel(reply, probability, prompts="agora")
    return LoadedModels(lm, ScriptedVerifier(lambda *_: "neutral"), prompts)


def test_every_method_answers_every_question_in_its_order(world: World, prompts: PromptSet) -> None:
    asked = questions(world, "dev", BATCH + 3)
    rows = list(run(asked, METHODS, scripted(world, prompts, knows=True)))
    assert len(rows) == len(asked)
    for question, records in zip(asked, rows, strict=True):
        assert [record.method for record in records] == list(METHODS)
        for record in records:
            assert (record.statement, record.truth) == (question.statement, question.truth)
            assert (record.reasoning is not None) == record.method.startswith("maieutic")
            assert record.right == (record.answer == question.truth)


def test_trees_are_grown_once_for_both_inferences(world: World, prompts: PromptSet) -> None:
    asked = questions(world, "dev", 4)
    models = scripted(world, prompts, knows=True)
    (first, *_) = run(asked, ["maieutic", "maieutic-vote"], models)
    joint, vote = (record.reasoning for record in first)
    assert joint is not None
    assert vote is not None
    assert joint.tree is vote.tree
    assert (joint.inference, vote.inference) == ("joint", "vote")


@pytest.mark.parametrize("knows", [True, False])
def test_nodes_are_scored_by_the_world(world: World, prompts: PromptSet, knows: bool) -> None:
    asked = questions(world, "dev", 30)
    records = [row[0] for row in run(asked, ["maieutic"], scripted(world, prompts, knows))]
    answers = [record.reasoning for record in records if record.reasoning is not None]
    counts = count_nodes(Oracle(world), answers)
    explanations = [node for answer in answers for node in answer.tree.nodes if node.parent is not None]
    assert counts.nodes + counts.unknown == len(explanations)
    assert counts.nodes > 10
    assert counts.true == counts.nodes  # gold chains only
    assert counts.by_belief == (counts.nodes if knows else 0)
    assert counts.integral_by_belief == (counts.integral if knows else 0)


# -- questions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["dev", "test"])
def test_questions_are_balanced_two_step_statements_of_their_split(world: World, split: str) -> None:
    asked = questions(world, "dev" if split == "dev" else "test", 800)
    assert len(asked) >= (800 if split == "test" else 300)
    assert len({question.statement for question in asked}) == len(asked)
    by_property: dict[str, list[Question]] = {}
    for question in asked:
        assert split_of(question.thing) == split
        assert question.chains
        by_property.setdefault(question.property, []).append(question)
    for same in by_property.values():
        assert sum(question.truth for question in same) * 2 == len(same)


def test_gold_chains_are_true_and_most_statements_have_several(world: World) -> None:
    oracle = Oracle(world)
    asked = questions(world, "test", 800)
    assert all(oracle.truth(chain) for question in asked for chain in question.chains)
    assert all(oracle.truth(question.statement) == question.truth for question in asked)
    assert sum(len(question.chains) > 1 for question in asked) > len(asked) / 2


# -- McNemar -------------------------------------------------------------------------------------------


def test_mcnemar_is_the_share_of_sign_patterns_at_least_as_lopsided() -> None:
    """The definition: under the null hypothesis each discordant pair falls to either side like a coin."""
    for gained, lost in product(range(6), range(6)):
        one = [True] * gained + [False] * lost + [True, False]
        other = [False] * gained + [True] * lost + [True, False]
        flips = list(product((1, -1), repeat=gained + lost))
        extreme = sum(abs(sum(signs)) >= abs(gained - lost) for signs in flips)
        assert mcnemar(one, other) == pytest.approx(extreme / len(flips))
        assert mcnemar(other, one) == mcnemar(one, other)
