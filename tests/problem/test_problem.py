"""Problems against their definition: every labelling of small ones."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver as SatSolver

from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.inference.constraints import Constraint, Encoding, Rule
from maieutic.inference.graph import Literal
from maieutic.inference.weights import EVERY_TERM
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.problem.base import (
    AtMostOne,
    Claim,
    ClaimConstraint,
    Equivalent,
    ExactlyOne,
    Fact,
    Implies,
    Problem,
    bare_tree,
)
from maieutic.problem.conflicts import conflicts, smallest_contradiction
from maieutic.problem.reasons import claim_reasons
from maieutic.problem.settled import Settled, settle, verify
from maieutic.problem.ties import TieConfig, plan_ties
from maieutic.solvers import load_solver
from tests.inference.random_answers import random_tree


class RandomVerifier:
    """Rows that depend on the pair and the seed only."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        rows = []
        for pair in pairs:
            drawn = [random.Random(f"{self.seed}{pair}{i}").random() ** 3 for i in range(3)]
            rows.append([one / sum(drawn) for one in drawn])
        return np.array(rows, dtype=np.float32).reshape(len(rows), 3)


def holds(constraint: ClaimConstraint, labels: Mapping[str, bool]) -> bool:
    """What a constraint means."""
    values = [labels[claim] for claim in constraint.ids]
    match constraint:
        case Fact():
            return values[0] == constraint.holds
        case ExactlyOne():
            return sum(values) == 1
        case AtMostOne():
            return sum(values) <= 1
        case Implies():
            return not values[0] or values[1]
        case Equivalent():
            return values[0] == values[1]


@st.composite
def constraints(draw: st.DrawFn, claims: Sequence[str], most: int = 4) -> tuple[ClaimConstraint, ...]:
    some = st.lists(st.sampled_from(claims), min_size=1, max_size=len(claims), unique=True).map(tuple)
    two = st.lists(st.sampled_from(claims), min_size=2, max_size=2, unique=True)
    kinds: list[st.SearchStrategy[ClaimConstraint]] = [
        st.builds(Fact, st.sampled_from(claims), st.booleans()),
        some.map(ExactlyOne),
        some.map(AtMostOne),
    ]
    if len(claims) > 1:
        kinds += [two.map(lambda both: Implies(*both)), two.map(lambda both: Equivalent(*both))]
    return tuple(draw(st.lists(st.one_of(kinds), max_size=most)))


def labellings(ids: Sequence[str]) -> Iterator[dict[str, bool]]:
    return (dict(zip(ids, one, strict=True)) for one in itertools.product((True, False), repeat=len(ids)))


def random_problem(seed: int, constraints: Sequence[ClaimConstraint], count: int) -> Problem:
    trees = [random_tree(seed + number) for number in range(count)]
    small = [tree if len(tree.nodes) <= 3 else bare_tree(tree.statement) for tree in trees]
    claims = [Claim(f"C{n}", tree, random.Random(seed + n).uniform(-1, 2)) for n, tree in enumerate(small, 1)]
    return Problem(tuple(claims), tuple(constraints))


@settings(deadline=None, max_examples=25)
@given(size=st.integers(1, 8), kind=st.sampled_from(["at-most-one", "exactly-one"]), signs=st.randoms())
def test_a_rule_means_what_it_says_whatever_its_size(size: int, kind: str, signs: random.Random) -> None:
    literals = tuple(Literal(f"C{n}", signs.random() < 0.7) for n in range(size))
    rule = Rule("at-most-one" if kind == "at-most-one" else "exactly-one", literals)
    ids = [literal.id for literal in literals]
    encoding = Encoding.of(ids, [Constraint("belief", Literal(ids[0]), None, 1.0)], rules=[rule])
    for labels in labellings(ids):
        fixed = [encoding.variables[i] if label else -encoding.variables[i] for i, label in labels.items()]
        true = sum(literal.holds(labels[literal.id]) for literal in literals)
        expected = true <= 1 if kind == "at-most-one" else true == 1
        with SatSolver("cadical195", bootstrap_with=encoding.problem.hard) as sat:
            assert sat.solve(assumptions=fixed) == expected


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), data=st.data(), count=st.integers(1, 4))
def test_a_settled_problem_is_that_of_all_labellings(seed: int, data: st.DataObject, count: int) -> None:
    ids = [f"C{n}" for n in range(1, count + 1)]
    rules = data.draw(constraints(ids))
    problem = random_problem(seed, rules, count)
    joint = Joint(EVERY_TERM, solver=load_solver("rc2-stratified"))
    if not any(all(holds(rule, labels) for rule in rules) for labels in labellings(ids)):
        with pytest.raises(InputError):
            settle(problem, RandomVerifier(seed), joint)
        return
    settled = settle(problem, RandomVerifier(seed), joint)
    p, best = by_definition(problem, settled)
    assert settled.exact
    assert {claim: settled.p_true[claim] for claim in ids} == pytest.approx(p, abs=1e-9)
    assert all(holds(rule, settled.labels) for rule in rules)
    assert settled.solution.cost >= best - 1e-9
    if not settled.decisions:
        assert settled.solution.cost == pytest.approx(best, abs=1e-9)
    for number, group in enumerate(problem.groups):
        distribution = settled.distribution(number)
        assert distribution is not None
        assert sum(distribution.values()) == pytest.approx(1.0)
        if number == 0:
            assert distribution[group.claims[settled.decisions[0].chosen]] == max(distribution.values())
    assert verify(problem, settled).holds


def by_definition(problem: Problem, settled: Settled) -> tuple[dict[str, float], float]:
    """P(true) of the claims and the least cost, over all labellings of all propositions."""
    groups = settled.posed.merged
    ids = list(settled.posed.encoding.variables)
    total, true, least = 0.0, dict.fromkeys(problem.statements, 0.0), math.inf
    for labels in labellings(ids):
        alike = all(len({one.holds(labels[one.id]) for one in group}) == 1 for group in groups)
        if not alike or not all(holds(rule, labels) for rule in problem.constraints):
            continue
        cost = sum(
            c.weight
            for c in settled.posed.constraints
            if not any(literal.holds(labels[literal.id]) for literal in c.clause)
        )
        least = min(least, cost)
        total += math.exp(-cost)
        for claim in true:
            true[claim] += math.exp(-cost) * labels[claim]
    return {claim: share / total for claim, share in true.items()}, least


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_a_reason_moves_a_claim_by_what_it_would_be_under_the_other_label(seed: int) -> None:
    problem = random_problem(seed, [], 3)
    settled = settle(problem, RandomVerifier(seed), Joint(EVERY_TERM))
    ids = list(settled.posed.encoding.variables)
    worlds = []
    for labels in labellings(ids):
        if all(len({one.holds(labels[one.id]) for one in group}) == 1 for group in settled.posed.merged):
            broken = (
                c for c in settled.posed.constraints if not any(x.holds(labels[x.id]) for x in c.clause)
            )
            worlds.append((labels, math.exp(-sum(c.weight for c in broken))))
    reasons = claim_reasons(settled, "C1", most=20)
    assert [abs(one.moves) for one in reasons] == sorted((abs(one.moves) for one in reasons), reverse=True)
    for one in reasons:
        other = [(labels, share) for labels, share in worlds if labels[one.id] != one.held]
        p = sum(share for labels, share in other if labels["C1"]) / sum(share for _, share in other)
        assert one.moves == pytest.approx(settled.p_true["C1"] - p, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_a_question_is_the_problem_with_one_claim(seed: int) -> None:
    tree, joint = random_tree(seed), Joint(EVERY_TERM)
    verifier = RandomVerifier(seed)
    from maieutic.relate import relate

    (related,) = relate([tree], verifier, joint)
    verdict = joint.infer(tree, related.graph)
    settled = settle(Problem((Claim("Q", tree),)), verifier, joint)
    assert settled.posed == joint.posed(tree, related.graph)
    assert settled.labels == verdict.labels
    assert settled.p_true == {"Q": verdict.p_true}
    assert settled.decisions[0].margin == verdict.margin


@settings(deadline=None, max_examples=60)
@given(data=st.data(), count=st.integers(2, 5))
def test_the_smallest_contradiction_is_one_and_the_smallest(data: st.DataObject, count: int) -> None:
    ids = [f"C{n}" for n in range(1, count + 1)]
    rules = data.draw(constraints(ids, most=6))
    problem = Problem.of([f"Thing {n} is here." for n in ids], rules)

    def consistent(some: Sequence[ClaimConstraint]) -> bool:
        return any(all(holds(rule, labels) for rule in some) for labels in labellings(ids))

    found = smallest_contradiction(problem)
    if consistent(rules):
        assert found == ()
        return
    sizes = (
        size
        for size in range(1, len(rules) + 1)
        for some in itertools.combinations(rules, size)
        if not consistent(some)
    )
    assert not consistent(found)
    assert len(found) == next(sizes)


def random_relations(rng: random.Random, ids: Sequence[str], most: int) -> list[Constraint]:
    """Relations between two or three of some propositions, of different weights."""
    found = []
    for number in range(rng.randint(0, most)):
        one, other, third = (Literal(name, rng.random() < 0.7) for name in rng.sample(ids, 3))
        second = third if rng.random() < 0.3 else None
        weight = rng.choice((1.0, 2.0, 3.0)) + number / 100
        if rng.random() < 0.5:
            found.append(Constraint("entailment", one, other, weight, second))
        else:
            found.append(Constraint("contradiction", one, other, weight, second))
    return found


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 100_000), count=st.integers(2, 4), others=st.integers(0, 3))
def test_conflicts_are_the_minimal_ones_and_the_repair_is_the_cheapest(
    seed: int, count: int, others: int
) -> None:
    """Claims conflict where no truth values of the other propositions fit the relations."""
    rng = random.Random(seed)
    held = [Literal(f"C{n}", rng.random() < 0.8) for n in range(count)]
    weights = {literal: rng.randint(1, 9) / 2 for literal in held}
    ids = [*(literal.id for literal in held), *(f"C0T{n}" for n in range(others))]
    relations = random_relations(rng, ids, 16) if len(ids) > 2 else []

    def possible(some: Sequence[Literal], known: Sequence[Constraint]) -> bool:
        return any(
            all(one.holds(labels[one.id]) for one in some)
            and all(any(x.holds(labels[x.id]) for x in c.clause) for c in known)
            for labels in labellings(ids)
        )

    sure: list[Constraint] = []
    for relation in sorted(relations, key=lambda one: -one.weight):
        if possible([], [*sure, relation]):
            sure.append(relation)

    def minimal(some: Sequence[Literal]) -> bool:
        return not possible(some, sure) and all(possible([x for x in some if x != one], sure) for one in some)

    subsets = [some for size in range(1, count + 1) for some in itertools.combinations(held, size)]
    found = conflicts(weights, relations)
    assert {frozenset(one) for one in found.sets} == {frozenset(one) for one in subsets if minimal(one)}
    assert [len(one) for one in found.sets] == sorted(len(one) for one in found.sets)
    assert found.ignored == len(relations) - len(sure)
    kept = [one for one in held if one not in found.given_up]
    assert possible(kept, sure)
    lost = min(
        sum(weights[one] for one in held if one not in some)
        for some in [(), *subsets]
        if possible(some, sure)
    )
    assert found.weight == pytest.approx(lost)
    for each, through in zip(found.sets, found.through, strict=True):
        within = {one.id for one in each} | {*through}
        assert not possible(each, [one for one in sure if one.ids <= within])


def test_two_premises_count_together_where_neither_does_alone() -> None:
    class Syllogism:
        name = "syllogism"

        def predict(self, pairs: Sequence[Pair]) -> Probabilities:
            rows = [[0.98, 0.01, 0.01] if ", and " in one else [0.01, 0.98, 0.01] for one, _ in pairs]
            return np.array(rows, dtype=np.float32).reshape(len(rows), 3)

    texts = ["A dog is a bird.", "Birds are not mammals.", "A dog is a mammal."]
    problem = Problem.of(texts, [Fact("C1"), Fact("C2")])
    settled = settle(problem, Syllogism(), Joint())
    assert settled.labels["C3"] is False
    assert settled.p_true["C3"] < 0.1
    alone = settle(problem, Syllogism(), Joint(), TieConfig(premises=False))
    assert alone.p_true["C3"] == pytest.approx(0.5)


def test_pairs_across_claims_share_words_and_keep_to_the_budget() -> None:
    texts = [f"Whale number {n} swims." for n in range(30)] + ["Ice is cold."]
    problem = Problem.of(texts, asserted=1.0)
    planned = plan_ties(problem, TieConfig(each=5, budget=40, premises=False))
    assert len(planned.plan.pairs) == 40
    assert planned.left_out > 0
    assert not any("Ice" in form.text for pair in planned.plan.pairs for form in pair)
    group = Problem.of(texts[:4], [ExactlyOne(("C1", "C2", "C3", "C4"))])
    assert plan_ties(group, TieConfig()).plan.pairs == ()


@pytest.mark.parametrize(
    ("claims", "rules", "subject"),
    [
        ([], [], "claims"),
        (["A."], [Fact("C2")], "C2"),
        (["A.", "B."], [ExactlyOne(())], "claims"),
        (["A.", "B."], [ExactlyOne(("C1", "C1"))], "C1"),
        (["A."], [Fact("C1"), Fact("C1", False)], "C1"),
        ([""], [], "text"),
    ],
)
def test_what_is_no_problem_is_refused(claims: list[str], rules: list[ClaimConstraint], subject: str) -> None:
    with pytest.raises(InputError) as error:
        settle(Problem.of(claims, rules), RandomVerifier(0), Joint())
    assert error.value.subject == subject


def test_what_is_too_dense_to_sum_has_margins_and_says_so() -> None:
    """Twenty-four claims that all contradict each other: a table of 2²³ cells is beyond the width."""
    texts = [f"The whale weighs {n} tons." for n in range(24)]
    claims = tuple(Claim(f"C{n}", bare_tree(text), 1.0 + n / 100) for n, text in enumerate(texts, 1))
    verifier = ScriptedVerifier(lambda *_: "contradiction", confidence=0.98)
    problem = Problem((*claims, Claim("C99", bare_tree("Ice is cold."), 1.0)))
    settled = settle(problem, verifier, Joint(), TieConfig(premises=False))
    assert not settled.exact
    assert settled.p_true.keys() == {"C99"}
    assert settled.margins.keys() == {claim.id for claim in claims}
    assert [claim for claim in problem.statements if settled.labels[claim]] == ["C24", "C99"]
    assert settled.margins["C24"] == pytest.approx(0.01)  # to C23
    assert settled.margins["C1"] == pytest.approx(0.23)  # from C24


def test_a_group_of_a_hundred_is_exact() -> None:
    texts = [f"The answer is number {n}." for n in range(100)]
    problem = Problem.of(texts, [ExactlyOne(tuple(f"C{n}" for n in range(1, 101)))])
    distribution = settle(problem, None, Joint(use_verifier=False)).distribution()
    assert distribution is not None
    assert list(distribution.values()) == pytest.approx([0.01] * 100)
