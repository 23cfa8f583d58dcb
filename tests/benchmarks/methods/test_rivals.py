"""Methods of others, each against a second, plain implementation of its published rule."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.methods import build_method
from maieutic.benchmarks.methods.base import Outcome, in_shares
from maieutic.benchmarks.methods.chain_of_thought import ChainOfThought
from maieutic.benchmarks.methods.chains import Chain
from maieutic.benchmarks.methods.concord import CLIP, Concord, answers_problem
from maieutic.benchmarks.methods.direct import NO_READING, Direct
from maieutic.benchmarks.methods.p_true import INSTRUCTION, PTrue
from maieutic.benchmarks.methods.self_check import NOTHING_SAID, SelfCheck, contradicted
from maieutic.benchmarks.methods.self_consistency import SelfConsistency
from maieutic.benchmarks.methods.semantic_entropy import UNIT, Meanings, SemanticEntropy, entropy
from maieutic.errors import InputError
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Pair, Probabilities
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts
from maieutic.usage import Usage

PAPER, CHAT, AGORA = load_prompts("paper"), load_prompts("chat"), load_prompts("agora")
SETS = {"paper": PAPER, "chat": CHAT, "agora": AGORA}
QUICK = settings(deadline=None, max_examples=25)


class RandomVerifier:
    """Three probabilities for every pair, the same each time; it keeps what it was asked."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pairs: list[Pair] = []

    def row(self, pair: Pair) -> list[float]:
        rng = random.Random(repr((self.seed, pair)))
        weights = [rng.random() ** 3 + 1e-3 for _ in range(3)]
        return [weight / sum(weights) for weight in weights]

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        self.pairs += pairs
        return np.array([self.row(pair) for pair in pairs], dtype=np.float32).reshape(-1, 3)


def models_of(seed: int, prompts: str = "paper", reasons: int = 4) -> LoadedModels:
    """A model that says one of a few reasons, with a verdict in sets with a marker, or nothing at all."""
    chosen = SETS[prompts]

    def reply(prompt: Prompt, index: int) -> str:
        rng = random.Random(repr((seed, prompt.query, index)))
        reason = rng.choice([*(f"Reason {n} holds." for n in range(reasons)), ""])
        verdict = f" {chosen.marker}{rng.choice(chosen.answers)}." if chosen.marker else ""
        return f" {reason}{verdict}"

    def probability(prompt: Prompt, option: str) -> float:
        rng = random.Random(repr((seed, prompt.instruction, prompt.query, prompt.opening)))
        true = rng.random()
        return 0.9 * (true if option.strip() == "true" else 1.0 - true)

    lm = ScriptedLanguageModel(reply, probability, prompts=prompts)
    return LoadedModels(lm, RandomVerifier(seed), chosen)


TEXTS = ["Ice is cold.", "Can a penguin fly?", "A whale is a fish."]

# -- semantic entropy ----------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_the_entropy_is_that_of_the_shares(sizes: list[int]) -> None:
    shares = np.array(sizes) / sum(sizes)
    assert entropy(sizes) == pytest.approx(float(-(shares * np.log(shares)).sum()), abs=1e-12)
    assert -1e-12 <= entropy(sizes) <= math.log(len(sizes)) + 1e-12
    assert entropy([*sizes, 0]) == entropy(sizes)


def reference_clusters(answers: Sequence[tuple[str, bool | None]], verifier: RandomVerifier) -> list[int]:
    """Kuhn et al. 2023, algorithm 1, over answers as (reason, verdict): the number of each one's cluster."""

    def entails(premise: str, hypothesis: str) -> bool:
        row = verifier.row((premise, hypothesis))
        return row.index(max(row)) == ENTAILMENT

    firsts: list[tuple[str, bool | None]] = []
    numbers = []
    for reason, vote in answers:
        for number, (other, other_vote) in enumerate(firsts):
            if vote != other_vote:
                continue
            if reason == other or (reason and other and entails(reason, other) and entails(other, reason)):
                numbers.append(number)
                break
        else:
            numbers.append(len(firsts))
            firsts.append((reason, vote))
    return numbers


@pytest.mark.parametrize("prompts", SETS)
@QUICK
@given(seed=st.integers(0, 10**6), samples=st.integers(1, 8))
def test_semantic_entropy_is_that_of_a_plain_implementation(prompts: str, seed: int, samples: int) -> None:
    models = models_of(seed, prompts)
    assert isinstance(models.verifier, RandomVerifier)
    greedy = ChainOfThought().run(TEXTS, models)
    for outcome, alone in zip(SemanticEntropy(samples=samples).run(TEXTS, models), greedy, strict=True):
        first, *drawn = outcome.said
        numbers = reference_clusters([(one.text, one.vote) for one in drawn], models.verifier)
        expected = -sum(
            share * math.log(share) for share in (numbers.count(number) / samples for number in set(numbers))
        )
        assert outcome.details["entropy"] == pytest.approx(expected, abs=1e-9)
        assert outcome.details["clusters"] == len(set(numbers))
        assert outcome.details["vote_entropy"] <= outcome.details["entropy"] + 1e-9, "clusters split votes"
        assert (outcome.answer, outcome.p_true, first) == (alone.answer, None, *alone.said)
        assert outcome.margin == pytest.approx(math.log(samples) - expected, abs=1e-9)
        assert outcome.margin_unit == UNIT
    assert len(models.verifier.pairs) == len(set(models.verifier.pairs))


def test_a_meaning_that_all_answers_share_is_sure_and_needs_no_verifier() -> None:
    meanings = Meanings()
    for _ in range(3):
        chain = Chain(0, "Ice has frozen.", True)
        assert meanings.pairs(chain) == []
        meanings.place(chain)
    assert (meanings.sizes, meanings.usage) == ([3], Usage())
    other = Chain(0, "Ice has frozen.", False)
    assert meanings.pairs(other) == [], "true and false differ, whatever the reasons say"
    meanings.place(other)
    assert meanings.sizes == [3, 1]


# -- SelfCheckGPT --------------------------------------------------------------------------------------

ROWS = st.lists(
    st.tuples(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1)).map(
        lambda row: tuple(value / sum(row) for value in row)
    ),
    min_size=1,
    max_size=9,
)


@given(ROWS)
def test_neutral_does_not_count_in_the_score_of_a_sentence(rows: list[tuple[float, float, float]]) -> None:
    score = contradicted(rows)
    assert 0.0 <= score <= 1.0
    logits = [(math.log(row[CONTRADICTION]), math.log(row[ENTAILMENT])) for row in rows]
    softmax = [math.exp(c) / (math.exp(c) + math.exp(e)) for c, e in logits]
    assert score == pytest.approx(sum(softmax) / len(rows))
    swapped = [(row[ENTAILMENT], row[NEUTRAL], row[CONTRADICTION]) for row in rows]
    assert contradicted(swapped) == pytest.approx(1.0 - score)
    assert contradicted([(0.0, 1.0, 0.0)]) == 0.5


@pytest.mark.parametrize("prompts", SETS)
@QUICK
@given(seed=st.integers(0, 10**6), samples=st.integers(1, 6))
def test_a_statement_is_true_unless_samples_contradict_it(prompts: str, seed: int, samples: int) -> None:
    models = models_of(seed, prompts)
    verifier = models.verifier
    assert isinstance(verifier, RandomVerifier)
    stated = ["Ice is cold.", "A penguin can fly.", "A whale is a fish."]
    for outcome, statement in zip(SelfCheck(samples=samples).run(TEXTS, models), stated, strict=True):
        reasons = [one.text for one in outcome.said]
        assert len(reasons) == samples
        shares = []
        for reason in filter(None, reasons):
            c, _, e = verifier.row((reason, statement))
            shares.append(c / (c + e))
        if not shares:
            assert (outcome.answer, outcome.problem) == (None, NOTHING_SAID)
            continue
        assert outcome.p_true == pytest.approx(1.0 - sum(shares) / len(shares), abs=1e-6)
        assert outcome.answer == (outcome.p_true is not None and outcome.p_true >= 0.5)
        assert outcome.usage.pairs == len(set(filter(None, reasons)))


# -- P(True) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompts", SETS)
@QUICK
@given(seed=st.integers(0, 10**6), samples=st.integers(1, 5))
def test_p_true_is_the_models_own_verdict_on_its_greedy_answer(prompts: str, seed: int, samples: int) -> None:
    models = models_of(seed, prompts)
    inner = models.lm
    assert isinstance(inner, ScriptedLanguageModel)
    greedy = ChainOfThought().run(TEXTS, models)
    sampled = SelfConsistency(samples=samples).run(TEXTS, models)
    asked: list[Prompt] = []

    def probability(prompt: Prompt, option: str) -> float:
        asked.append(prompt)
        return inner.probability(prompt, option)

    watched = replace(models, lm=ScriptedLanguageModel(inner.reply, probability, prompts=prompts))
    outcomes = PTrue(samples=samples).run(TEXTS, watched)
    last = asked[-2 * len(TEXTS) :: 2]
    for outcome, alone, chains, prompt in zip(outcomes, greedy, sampled, last, strict=True):
        assert outcome.answer == alone.answer, "the answer stays"
        assert outcome.said[0] == alone.said[0]
        shown = [(one.text, one.vote) for one in chains.said]
        assert [(one.text, one.vote) for one in outcome.said[1:]] == shown
        true, false = (inner.probability(prompt, option) for option in SETS[prompts].answers)
        share = true / (true + false)
        confidence = outcome.p_true if outcome.answer else 1.0 - (outcome.p_true or 0.0)
        own = prompts == "agora"
        assert (outcome.p_true if own else confidence) == pytest.approx(share)
        assert (prompt.instruction == INSTRUCTION) == (not own)
        for text, _ in shown:
            assert text in prompt.query + prompt.opening
        if not own:
            assert f"Answer given: {alone.said[0].text}".strip() in prompt.query
            assert str(alone.answer).lower() in prompt.query.splitlines()[-2]


def test_a_model_that_says_neither_gives_no_p_true() -> None:
    def probability(prompt: Prompt, option: str) -> float:
        return 0.1 if prompt.instruction == INSTRUCTION else 0.45

    models = replace(models_of(0), lm=ScriptedLanguageModel(lambda *_: " So.", probability))
    (outcome,) = PTrue(samples=1).run(["Ice is cold."], models)
    assert (outcome.answer, outcome.problem) == (None, NO_READING)


# -- ConCoRD -------------------------------------------------------------------------------------------


def best_labellings(
    texts: Sequence[tuple[str, str]], p_true: Sequence[float], row: RandomVerifier, method: Concord
) -> tuple[set[tuple[bool, ...]], list[float]]:
    """The labellings of least cost, and P(true) of each question, by trying all of them.

    Args:
        texts: what the answers true and false to each question say.
    """
    answers = [(place, side) for place in range(len(texts)) for side in (True, False)]

    def relation(one: tuple[int, bool], other: tuple[int, bool]) -> tuple[int, float]:
        pair = (texts[one[0]][not one[1]], texts[other[0]][not other[1]])
        scores = row.row(pair)
        kind = scores.index(max(scores))
        return kind, scores[kind]

    costs: dict[tuple[bool, ...], float] = {}
    for labels in product([True, False], repeat=len(texts)):
        cost = 0.0
        for p, label in zip(p_true, labels, strict=True):
            odds = math.log(p / (1 - p))
            cost += 2 * method.beta * (max(0.0, -odds) if label else max(0.0, odds))
        clauses: dict[frozenset[tuple[tuple[int, bool], bool]], float] = {}
        for one, other in product(answers, repeat=2):
            if one[0] == other[0]:
                continue
            kind, p = relation(one, other)
            if kind == NEUTRAL or p < max(method.threshold, 0.5):
                continue
            weight = (1 - method.beta) * min(CLIP, math.log(p / (1 - p)))
            clause = frozenset([(one, False), (other, kind == ENTAILMENT)])
            clauses[clause] = max(weight, clauses.get(clause, 0.0))
        for clause, weight in clauses.items():
            held = any((labels[place] == side) == positive for (place, side), positive in clause)
            cost += 0.0 if held else weight
        costs[labels] = cost
    least = min(costs.values())
    total = sum(math.exp(least - cost) for cost in costs.values())
    chances = [
        sum(math.exp(least - cost) for labels, cost in costs.items() if labels[place]) / total
        for place in range(len(texts))
    ]
    return {labels for labels, cost in costs.items() if cost <= least + 1e-6}, chances


CLAIMS = ["A whale is a fish.", "A whale is a mammal.", "A whale is an animal.", "A whale is a plant."]
NEGATED = [claim.replace(" is ", " is not ") for claim in CLAIMS]


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 4),
    beta=st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]),
    threshold=st.sampled_from([0.0, 0.5, 0.8]),
)
def test_answers_are_those_of_the_best_labelling_of_all_questions(
    seed: int, count: int, beta: float, threshold: float
) -> None:
    models = models_of(seed)
    verifier = models.verifier
    assert isinstance(verifier, RandomVerifier)
    method = Concord(beta=beta, threshold=threshold)
    direct = Direct().run(CLAIMS[:count], models)
    p_true = [outcome.p_true or 0.0 for outcome in direct]
    outcomes = method.run(CLAIMS[:count], models)
    texts = list(zip(CLAIMS, NEGATED, strict=True))[:count]
    best, chances = best_labellings(texts, p_true, verifier, method)
    assert tuple(outcome.answer for outcome in outcomes) in best
    assert [outcome.p_true for outcome in outcomes] == pytest.approx(chances, abs=1e-6)
    assert [outcome.details["direct"] for outcome in outcomes] == p_true
    spent = sum((outcome.usage for outcome in outcomes), Usage())
    assert spent.pairs == len(set(verifier.pairs)) == len(verifier.pairs)


def test_answers_alone_or_with_all_the_weight_are_the_direct_ones() -> None:
    models = models_of(7)
    direct = Direct().run(CLAIMS, models)
    trusting = Concord(beta=1.0).run(CLAIMS, models)
    assert [o.answer for o in trusting] == [o.answer for o in direct]
    for claim, expected in zip(CLAIMS, direct, strict=True):
        (alone,) = Concord().run([claim], models)
        assert (alone.answer, alone.usage.pairs) == (expected.answer, 0)


def test_an_answer_gives_way_to_what_contradicts_it() -> None:
    chances = {"fish": 0.6, "mammal": 0.95}

    def probability(prompt: Prompt, option: str) -> float:
        p = next(value for word, value in chances.items() if word in prompt.query)
        return p if option == PAPER.answers[0] else 1.0 - p

    def judge(premise: str, hypothesis: str) -> str:
        both = "not" not in premise and "not" not in hypothesis
        return "contradiction" if both else "neutral"

    lm = ScriptedLanguageModel(lambda *_: "", probability)
    models = LoadedModels(lm, ScriptedVerifier(judge), PAPER)
    fish, mammal = Concord().run(CLAIMS[:2], models)
    assert (fish.answer, mammal.answer) == (False, True)
    assert fish.details["questions"] == 2.0


def test_a_question_is_the_statement_and_its_negation_of_which_one_holds() -> None:
    problem = answers_problem(["Can a penguin fly?"], [0.8], beta=0.5)
    assert list(problem.statements.values()) == ["A penguin can fly.", "A penguin cannot fly."]
    (group,) = problem.groups
    assert group.ids == ("T1", "F1")
    odds = 0.5 * math.log(4.0)
    assert [claim.asserted for claim in problem.claims] == pytest.approx([odds, -odds])
    assert [claim.asserted for claim in answers_problem(["It is so."], [None], 0.5).claims] == [0.0, 0.0]


@pytest.mark.parametrize(("name", "value"), [("beta", -0.1), ("beta", 1.1), ("threshold", 1.0), ("each", -1)])
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError) as caught:
        build_method("concord", {name: value}, seed=0)
    assert caught.value.subject == name


@given(st.integers(0, 10**6), st.integers(1, 50))
def test_shares_are_equal_but_for_one_and_add_up(number: int, parts: int) -> None:
    shares = in_shares(number, parts)
    assert (len(shares), sum(shares)) == (parts, number)
    assert max(shares) - min(shares) <= 1


def test_no_text_is_no_outcome() -> None:
    for name in ("concord", "p-true", "self-check", "semantic-entropy"):
        outcomes: list[Outcome] = build_method(name, {}, seed=0).run([], models_of(0))
        assert outcomes == []
