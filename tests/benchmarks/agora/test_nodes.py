"""Questions about the world, and the scores of explanations in trees that scripted models grow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maieutic.benchmarks.agora.claims import split_of
from maieutic.benchmarks.agora.nodes import count_nodes
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.questions import Question, questions
from maieutic.benchmarks.agora.world import World
from maieutic.config import REFERENCE
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.prompts import PromptSet
from maieutic.text import as_sentence

TRUE, FALSE = " true", " false"
ONE_WAVE = replace(REFERENCE, belief="direct", depth=1)


def verdict(answer: str) -> str:
    return f" So it seems. Therefore, the statement is{answer}."


def scripted(world: World, prompts: PromptSet, knows: bool) -> LoadedModels:
    """Models that explain with gold chains on the correct side, and judge like the world or the opposite."""
    oracle = Oracle(world)
    by_statement = {q.statement: q for q in questions(world, "dev", 1000)}

    def statement(prompt: Prompt) -> str:
        return as_sentence(prompt.query.partition(": ")[2].removesuffix("?").removesuffix(".") + ".")

    def reply(prompt: Prompt, _index: int) -> str:
        text = statement(prompt)
        if prompt.opening.startswith("Negation"):
            return f" {negation(text)}"
        if prompt.opening == "A:":
            return verdict(TRUE)
        question = by_statement.get(text)
        if question is None or prompt.opening.startswith("A: True") != question.truth:
            return ""
        return f" {question.chains[0]}"

    def negation(text: str) -> str:
        return text.replace(", and ", ", or ") if ", and " in text else f"It is false that {text}"

    def probability(prompt: Prompt, option: str) -> float:
        if option in (TRUE, FALSE) and statement(prompt).removeprefix("It is false that ") in by_statement:
            return 0.5
        truth = oracle.truth(statement(prompt)) is True and ", and " in statement(prompt)
        if option not in (TRUE, FALSE):
            return 0.0
        return 0.99 if (option == TRUE) == (truth == knows) else 0.01

    lm = ScriptedLanguageModel(reply, probability, prompts="agora")
    return LoadedModels(lm, ScriptedVerifier(lambda *_: "neutral"), prompts)


@pytest.mark.parametrize("knows", [True, False])
def test_nodes_are_scored_by_the_world(world: World, prompts: PromptSet, knows: bool) -> None:
    sample = questions(world, "dev", 30)
    models = scripted(world, prompts, knows)
    maieutic = Maieutic(models.lm, models.verifier, prompts=prompts, elicit=ONE_WAVE)
    answers = list(maieutic.ask_many(q.statement for q in sample))
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
    sample = questions(world, "dev" if split == "dev" else "test", 800)
    assert len(sample) >= (800 if split == "test" else 300)
    assert len({question.statement for question in sample}) == len(sample)
    by_property: dict[str, list[Question]] = {}
    for question in sample:
        assert split_of(question.thing) == split
        assert question.chains
        by_property.setdefault(question.property, []).append(question)
    for same in by_property.values():
        assert sum(question.truth for question in same) * 2 == len(same)


def test_gold_chains_are_true_and_most_statements_have_several(world: World) -> None:
    oracle = Oracle(world)
    sample = questions(world, "test", 800)
    assert all(oracle.truth(chain) for question in sample for chain in question.chains)
    assert all(oracle.truth(question.statement) == question.truth for question in sample)
    assert sum(len(question.chains) > 1 for question in sample) > len(sample) / 2
