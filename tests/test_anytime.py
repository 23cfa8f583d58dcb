"""Anytime growth and rewriting by rule: what is asked, when it stops, and that words are kept."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic import ElicitConfig, Joint, Maieutic, Vote
from maieutic.answer import Answer, Seconds
from maieutic.elicit import Growth, Standing, elicit
from maieutic.errors import InputError
from maieutic.inference.standing import standing
from maieutic.inference.weights import DEFAULT_WEIGHTS, EVERY_TERM, TERMS
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts
from maieutic.relate import relate
from maieutic.sentences import keeps_words, negations
from maieutic.text import DUPLICATE, ECHO, ELSEWHERE
from maieutic.tree import Proposition, Tree

PAPER = load_prompts("paper")
QUESTION = "Ice is cold."
EVERY = Joint(EVERY_TERM)


def model(seed: int = 0, sure: float | None = None) -> ScriptedLanguageModel:
    """Gives reasons of its own for everything; its beliefs are drawn, or P(true) is ``sure``."""

    def reply(prompt: Prompt, index: int) -> str:
        rng = random.Random(repr((seed, prompt.query, prompt.opening, index)))
        if prompt.opening == "A:":
            return f" Fact {rng.randrange(99)} holds. Therefore, the statement is true."
        return f" thing {rng.randrange(10**6)} has part {rng.randrange(99)}."

    def probability(prompt: Prompt, option: str) -> float:
        if option not in PAPER.answers:
            return random.Random(repr((seed, prompt.query, option))).random() / 10
        p = random.Random(repr((seed, prompt.query))).uniform(0.2, 0.8) if sure is None else sure
        return p if option == " true" else 1 - p

    return ScriptedLanguageModel(reply, probability)


def judge(*pair: str) -> str:
    return random.Random(repr(pair)).choice(["entailment", "contradiction", "neutral"])


def maieutic(lm: ScriptedLanguageModel, joint: Joint | Vote = EVERY, **changes: Any) -> Maieutic:
    config = ElicitConfig(**changes)
    return Maieutic(lm, ScriptedVerifier(judge), elicit=config, inference=joint)


def timeless(answer: Answer) -> Answer:
    return replace(answer, seconds=Seconds())


# -- when it stops -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [{"confidence": 0.0}, {"confidence": 0.5}, {"budget": 0}, {"depth": 0}, {"budget": 23}]
)
def test_where_no_step_is_wanted_or_affordable_nothing_is_generated(changes: dict[str, Any]) -> None:
    lm = model()
    answer = maieutic(lm, **changes).ask(QUESTION)
    assert (lm.sample_calls, answer.usage.generated_tokens) == ([], 0)
    assert [node.id for node in answer.tree.nodes] == ["Q"]


@pytest.mark.parametrize(("thought", "counts"), [("Water is cold.", False), ("Ice is frozen water.", True)])
def test_a_thought_that_judges_something_else_is_no_evidence(thought: str, counts: bool) -> None:
    def reply(prompt: Prompt, index: int) -> str:
        return f" {thought} Therefore, the statement is true." if prompt.opening == "A:" else ""

    def probability(prompt: Prompt, option: str) -> float:
        thoughtful = prompt.opening != PAPER.direct("X.").opening
        return (0.99 if thoughtful else 0.5) if option == " true" else (0.01 if thoughtful else 0.5)

    lm = ScriptedLanguageModel(reply, probability)
    answer, unthinking = (maieutic(lm, depth=1, chain=chain).ask(QUESTION) for chain in (True, False))
    assert answer.tree.chain is not None
    assert (answer.tree.chain.p_true is not None) == counts
    assert (answer.p_true != pytest.approx(unthinking.p_true)) == counts
    astray = [(item.text.strip(), item.reason) for item in answer.tree.discarded if item.kind == "belief"]
    assert astray == ([] if counts else [(reply(PAPER.belief(QUESTION), 0).strip(), ELSEWHERE)])


def test_a_question_that_the_model_is_sure_of_costs_what_a_direct_answer_costs() -> None:
    lm = ScriptedLanguageModel(
        model().reply,
        lambda prompt, option: 0.98 if ("not" in prompt.query) == (option == " false") else 0.02,
    )
    answer = maieutic(lm).ask(QUESTION)
    assert lm.sample_calls == []
    assert answer.confidence is not None
    assert answer.confidence >= 0.9


@pytest.mark.parametrize("off", [("chain",), ("integral", "wavering"), TERMS])
def test_what_has_no_weight_is_not_asked_for(off: Sequence[str]) -> None:
    weights = replace(EVERY_TERM, **dict.fromkeys(off, 0.0))
    tree = maieutic(model(), Joint(weights), confidence=1.0).ask(QUESTION).tree
    assert (tree.chain is None) == ("chain" in off)
    assert (len(tree.nodes) == 1) == ({"integral", "wavering"} <= {*off})


def test_an_answer_that_nothing_left_could_turn_is_given() -> None:
    heavy = replace(EVERY_TERM, root=50.0, root_negation=50.0)
    lm = ScriptedLanguageModel(
        model().reply, lambda p, o: 0.9 if ("not" in p.query) == (o == " false") else 0.1
    )
    maieutic(lm, Joint(heavy), confidence=1.0).ask(QUESTION)
    assert lm.sample_calls == []


@pytest.mark.parametrize(
    "changes", [{"confidence": 0.0}, {"budget": 0}, {"budget": 23}, {"chain": False, "budget": 0}]
)
def test_with_explain_q_is_explained_once_wherever_growth_would_stop_without(changes: dict[str, Any]) -> None:
    growth = maieutic(model(), explain=True, **changes).grow([QUESTION])[0]
    assert [step.what for step in growth.steps] == ["root", "Q"]
    assert [node.id for node in growth.tree.nodes] == ["Q", "QT0", "QF0"]


def test_with_explain_a_tree_without_depth_stays_the_direct_answer() -> None:
    assert maieutic(model(), explain=True, depth=0).ask(QUESTION).usage.generated_tokens == 0


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), budget=st.integers(0, 200), confidence=st.sampled_from([0.6, 0.9, 1.0]))
def test_explain_changes_nothing_before_growth_would_stop(seed: int, budget: int, confidence: float) -> None:
    plain, explained = (
        maieutic(model(seed), confidence=confidence, budget=budget, explain=on).grow([QUESTION])[0].steps
        for on in (False, True)
    )
    assert explained[: len(plain)] == plain
    if any(step.what == "Q" for step in plain):
        assert explained == plain
    else:
        assert explained[len(plain)].what == "Q"


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), budget=st.integers(0, 200), depth=st.integers(0, 3))
def test_no_step_is_begun_that_the_budget_does_not_cover(seed: int, budget: int, depth: int) -> None:
    (growth,) = maieutic(model(seed), confidence=1.0, budget=budget, depth=depth).grow([QUESTION])
    spent = 0
    for step in growth.steps[1:]:
        assert spent + 24 * (1 if step.what == "chain" else 2) <= budget
        spent += step.tokens
    assert spent == growth.usage.generated_tokens
    assert sum(step.calls for step in growth.steps) == growth.usage.calls
    assert growth.steps[0].what == "root"
    assert max(node.depth for node in growth.tree.nodes) <= depth


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_company_changes_no_answer(seed: int) -> None:
    texts = [QUESTION, "Can a penguin fly?", "Snow is never warm.", "All fish swim."]
    alone = [timeless(maieutic(model(seed)).ask(text)) for text in texts]
    assert [timeless(answer) for answer in maieutic(model(seed)).ask_many(texts)] == alone


def test_the_last_step_knows_the_probability_of_the_answer() -> None:
    pipeline = maieutic(model(3), confidence=1.0)
    (growth,) = pipeline.grow([QUESTION])
    (answer,) = pipeline.conclude([growth])
    assert growth.steps[-1].p_true == answer.p_true
    assert growth.steps == answer.steps


def test_trees_of_the_paper_have_no_steps() -> None:
    assert maieutic(model(), growth="reference").ask(QUESTION).steps == ()


def test_votes_are_on_pruned_trees() -> None:
    tree = maieutic(model(1), Vote(), confidence=1.0).ask(QUESTION).tree
    leaves = {node.id for node in tree.nodes} - {node.parent for node in tree.nodes}
    assert all(tree.by_id[leaf].integral for leaf in leaves)


# -- what it explains ----------------------------------------------------------------------------------


def grown(swings: dict[str, float], rounds: int) -> Growth:
    """Grows with these swings; the first step is the root's, then ``rounds`` steps follow."""

    def assess(trees: Sequence[Tree]) -> list[Standing]:
        return [Standing(0.0, 0.5, swings, 0.0, 1.0) for _ in trees]

    config = ElicitConfig(confidence=1.0, budget=10_000, widths=(rounds, rounds), depth=2)
    (growth,) = elicit([QUESTION], model(), PAPER, config, assess=assess)
    return growth


def test_the_proposition_that_matters_most_is_explained_next() -> None:
    steps = [step.what for step in grown({"Q": 0.5, "QT0": 0.4, "QF0": 0.1}, 2).steps]
    # Q counts 0.5, then 0.25 once it has been explained; QT0 0.4, then 0.2; QF0 0.1.
    assert steps[:5] == ["root", "Q", "QT0", "Q", "QT0"]


def test_the_same_reason_is_not_taken_twice_and_the_statement_is_no_reason() -> None:
    def reply(prompt: Prompt, _index: int) -> str:
        return " the ice is not cold." if "False" in prompt.opening else " frost bites."

    lm = ScriptedLanguageModel(reply, model().probability)
    (growth,) = maieutic(lm, Joint(replace(EVERY_TERM, chain=0.0)), confidence=1.0, budget=500).grow(
        [QUESTION]
    )
    of_root = [node.statement for node in growth.tree.children("Q")]
    assert of_root == ["Frost bites."]
    assert {item.reason for item in growth.tree.discarded if item.parent == "Q"} == {DUPLICATE, ECHO}


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_a_swing_is_how_far_the_answer_moves_once_a_proposition_is_settled(seed: int) -> None:
    pipeline = maieutic(model(seed), confidence=1.0)
    (growth,) = pipeline.grow([QUESTION])
    tree, joint = growth.tree, Joint(EVERY_TERM)
    (related,) = relate([tree], ScriptedVerifier(judge), joint)
    now = standing(joint, tree, related.graph)
    problem = joint.posed(tree, related.graph).encoding.problem
    weighed = [
        (math.exp(-problem.cost(labels)), labels)
        for labels in itertools.product([False, True], repeat=problem.variables)
    ]

    def p(*conditions: tuple[int, bool]) -> float:
        return math.fsum(w for w, labels in weighed if all(labels[i] == value for i, value in conditions))

    for place, node in enumerate(tree.nodes):
        p_node = p((place, True)) / p()
        given_true, given_false = (p((place, v), (0, True)) / p((place, v)) for v in (True, False))
        moved = 2 * p_node * (1 - p_node) * abs(given_true - given_false)
        assert now.swings[node.id] == pytest.approx(moved, abs=1e-9)
    assert now.p_true == pytest.approx(p((0, True)) / p())


# -- one sentence, one proposition ---------------------------------------------------------------------


def proposition(node_id: str, statement: str, negation: str, p: float = 0.9) -> Proposition:
    parent = None if node_id == "Q" else node_id.rstrip("0123456789")[:-1]
    return Proposition(node_id, parent, statement, negation, p, 1 - p)


def test_the_same_sentence_on_both_sides_is_one_proposition() -> None:
    root = proposition("Q", QUESTION, "Ice is not cold.", 0.5)
    same = [proposition(i, "Frost bites.", "Frost does not bite.") for i in ("QT0", "QF0")]
    other = proposition("QF1", "Frost does not bite.", "Frost bites.", 0.2)
    tree = Tree(QUESTION, QUESTION, "Ice is not cold.", (root, *same, other))
    verdict = next(maieutic(model()).conclude([tree])).verdict
    assert verdict.labels["QT0"] == verdict.labels["QF0"] != verdict.labels["QF1"]
    assert [[str(literal) for literal in group] for group in verdict.merged] == [["QT0", "QF0", "¬QF1"]]


# -- rewriting by rule ---------------------------------------------------------------------------------

STATEMENTS = st.builds(
    lambda who, verb, what: f"{who} {verb} {what}.",
    st.sampled_from(["A dog", "Some birds", "Most people in Rome", "No fish", "The car that Ann drives"]),
    st.sampled_from(["can see", "eats", "will never find", "is near", "did not take"]),
    st.sampled_from(["stones", "a red house", "what it needs"]),
)


@settings(deadline=None, max_examples=40)
@given(statement=STATEMENTS, seed=st.integers(0, 99))
def test_a_negation_keeps_the_words_and_costs_no_generated_token(statement: str, seed: int) -> None:
    lm = model(seed)
    tree = maieutic(lm, depth=0).ask(statement).tree
    assert keeps_words(tree.negation, statement)
    assert tree.negation != statement
    assert lm.sample_calls == []


def test_the_verifier_confirms_a_negation_or_the_model_chooses() -> None:
    statement = "People who can swim can dive."
    asked: list[str] = []

    def probability(prompt: Prompt, option: str) -> float:
        if option not in PAPER.answers:
            asked.append(option)
            return 0.9 if "who cannot" in option else 0.1
        return 0.5

    lm = ScriptedLanguageModel(model().reply, probability)
    config = ElicitConfig(depth=0)
    silent = Maieutic(lm, ScriptedVerifier(lambda *_: "neutral"), elicit=config).ask(statement)
    assert silent.tree.negation == "People who cannot swim can dive."
    assert len(asked) > 1  # nothing is confirmed, so the model chooses

    asked.clear()
    confirmed = Maieutic(lm, ScriptedVerifier(lambda *_: "contradiction"), elicit=config).ask(statement)
    assert confirmed.tree.negation == negations(statement)[0]
    assert asked == []  # rule and verifier agree

    def only_dive(_: str, hypothesis: str) -> str:
        return "contradiction" if "cannot dive" in hypothesis else "neutral"

    asked.clear()
    narrowed = Maieutic(lm, ScriptedVerifier(only_dive), elicit=config).ask(statement)
    assert narrowed.tree.negation == "People who can swim cannot dive."
    assert asked == []  # one candidate is left
    assert narrowed.usage.pairs > 0


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Is a whale a fish?", "A whale is a fish."),
        ("Do butterflies fly with three wings?", "Butterflies fly with three wings."),
        ("Can't penguins swim?", "Penguins cannot swim."),
        ("is ice cold", "Ice is cold."),
    ],
)
def test_a_question_becomes_a_statement_with_its_own_words(question: str, statement: str) -> None:
    lm = model()
    assert maieutic(lm, depth=0).ask(question).tree.statement == statement
    assert lm.sample_calls == []


@pytest.mark.parametrize("question", ["What is the capital of France?", "Why is the sky blue?"])
def test_a_question_without_an_answer_yes_or_no_is_refused_with_a_hint(question: str) -> None:
    with pytest.raises(InputError) as refused:
        maieutic(model()).ask(question)
    assert refused.value.subject == "text"


def test_a_text_without_a_verb_is_negated_by_the_model_if_that_keeps_the_words() -> None:
    def reply(prompt: Prompt, _: int) -> str:
        return (
            {" kept": " Not pure gold.", " changed": " Silver is shiny."}[mode]
            if "Neg" in prompt.opening
            else ""
        )

    for mode, negation in ((" kept", "Not pure gold."), (" changed", "It is not the case that pure gold.")):  # noqa: B007
        lm = ScriptedLanguageModel(reply, model().probability)
        tree = maieutic(lm, depth=0).ask("Pure gold.").tree
        assert tree.negation == negation


def test_the_weights_of_the_package_grow_no_pairs_that_have_no_weight() -> None:
    verifier = ScriptedVerifier(judge)
    none_among = replace(DEFAULT_WEIGHTS, entailment=0.0, contradiction=0.0, negation=0.0, at_root=1.0)
    config = ElicitConfig(confidence=1.0, budget=300)
    answer = Maieutic(model(), verifier, elicit=config, inference=Joint(none_among)).ask(QUESTION)
    roots = {QUESTION, answer.tree.negation}
    assert len(answer.tree.nodes) > 2
    assert all({premise, hypothesis} & roots for premise, hypothesis in verifier.pairs)
