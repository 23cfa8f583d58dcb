"""Joint and vote inference against their definitions, by trying every labelling."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import InputError
from maieutic.inference import Argue, Inference, Joint, Literal, Verdict, Vote
from maieutic.inference.constraints import Constraint
from maieutic.inference.joint import AnswerBy
from maieutic.inference.weights import DEFAULT_WEIGHTS, PRIORS, TERMS, JointWeights
from maieutic.nli.base import Pair, Probabilities, Verifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.relate import relate
from maieutic.tree import INTEGRITY_THRESHOLD, Chain, Proposition, Tree, child_id, is_integral

Row = tuple[float, float, float]  # contradiction, neutral, entailment
Labels = Mapping[str, bool]
WEIGHTS = JointWeights(  # every term counts, each differently
    root=0.9,
    root_negation=0.35,
    chain=0.45,
    integral=1.1,
    wavering=0.3,
    entailment=0.8,
    contradiction=0.7,
    negation=0.4,
    at_root=0.25,
    true_child=0.5,
    false_child=0.6,
    bias=-0.2,
    threshold=0.55,
    clip=math.log(19),
    prior_root=0.25,
    prior_negation=-0.15,
    prior_chain=0.5,
)

NO_PRIORS = dict.fromkeys(PRIORS.values(), 0.0)
SILENT = replace(WEIGHTS, **dict.fromkeys(TERMS, 0.0), **NO_PRIORS)
JOINT, VOTE = Joint(WEIGHTS), Vote()
UNBIASED = Joint(replace(WEIGHTS, bias=0.0, **NO_PRIORS))
BOTH = pytest.mark.parametrize("inference", [JOINT, VOTE], ids=["joint", "vote"])

BELIEFS = st.none() | st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0]) | st.floats(0, 1)
SHARES = st.integers(0, 4) | st.integers(0, 100)  # small ones give ties and certainties
ROWS = st.tuples(SHARES, SHARES, SHARES).filter(any)  # scaled to sum to 1


@dataclass(frozen=True)
class Table:
    """A verifier that looks each pair up."""

    rows: Mapping[Pair, Row]
    name: str = "table"

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        return np.array([self.rows[pair] for pair in pairs], dtype=np.float32)


@dataclass(frozen=True)
class Case:
    """A tree and the verifier's view of every ordered pair of its texts."""

    tree: Tree
    rows: Mapping[Pair, Row]

    def solve(self, inference: Inference) -> Verdict:
        return solve(self.tree, Table(self.rows), inference)


def solve(tree: Tree, verifier: Verifier, inference: Inference) -> Verdict:
    graph = relate([tree], verifier, inference)[0].graph
    return inference.infer(tree, graph)


def proposition(name: str, parent: str | None, p: float | None = None, q: float | None = None) -> Proposition:
    """A proposition with P(true) of its statement and of its negation."""
    integral = is_integral(p, q, INTEGRITY_THRESHOLD)
    return Proposition(name, parent, f"{name} holds.", f"{name} fails.", p, q, integral)


def tree_of(*nodes: Proposition) -> Tree:
    return Tree("Q?", "Q holds.", "Q fails.", nodes)


@st.composite
def cases(draw: st.DrawFn, least: int = 0) -> Case:
    """A tree of ``least`` + 1 to six propositions in any shape, with a random verifier table."""
    nodes = [proposition("Q", None, draw(BELIEFS), draw(BELIEFS))]
    for index in range(draw(st.integers(least, 5))):
        parent = draw(st.sampled_from(nodes)).id
        node_id = child_id(parent, draw(st.booleans()), index)
        nodes.append(proposition(node_id, parent, draw(BELIEFS), draw(BELIEFS)))
    texts = [text for node in nodes for text in (node.statement, node.negation)]
    pairs = list(itertools.permutations(texts, 2))
    some = draw(st.lists(ROWS, min_size=1, max_size=12))
    choice = draw(st.randoms(use_true_random=False))
    return Case(tree_of(*nodes), {pair: scaled(choice.choice(some)) for pair in pairs})


def scaled(shares: tuple[int, int, int]) -> Row:
    """Probabilities as float32 holds them, so that this file and the graph see the same numbers."""
    c, n, e = (float(np.float32(share / sum(shares))) for share in shares)
    return c, n, e


def labellings(names: Sequence[str]) -> Iterator[Labels]:
    for values in itertools.product((False, True), repeat=len(names)):
        yield dict(zip(names, values, strict=True))


# -- vote: the published algorithm, written out ----------------------------------------------------------


def side_of(node: Proposition) -> bool:
    return node.p_true is None or node.p_true_negation is None or node.p_true > node.p_true_negation


def published_vote(case: Case) -> set[int]:
    """The sums of votes that the best labellings give; each proposition is used as its likelier side."""
    used = [n for n in case.tree.nodes if n.parent is not None]
    text = {n.id: n.statement if side_of(n) else n.negation for n in used}
    names = [n.id for n in used]

    def weight(node: Proposition) -> Fraction:
        if not node.integral or node.p_true is None or node.p_true_negation is None:
            return Fraction(0)
        p, p_negation = sorted([node.p_true, node.p_true_negation], reverse=True)
        return Fraction((p - p_negation) / (p + p_negation))

    def cost(true: Labels) -> Fraction:
        total = sum((weight(n) for n in used if not true[n.id]), Fraction(0))
        for i, j in itertools.permutations(names, 2):
            row = contradiction, _, entailment = case.rows[text[i], text[j]]
            if row.index(max(row)) != 1:
                total += true[i] and true[j] != (entailment > contradiction)
        return total

    def vote(name: str) -> int:
        values = (-1, 0, 1)
        for_q = case.rows[text[name], case.tree.root.statement]
        for_not_q = case.rows[text[name], case.tree.root.negation]
        return values[for_q.index(max(for_q))] - values[for_not_q.index(max(for_not_q))]

    everything = [(cost(true), true) for true in labellings(names)]
    least = min(price for price, _ in everything)
    return {sum(vote(n) for n in names if true[n]) for price, true in everything if price == least}


@settings(deadline=None)
@given(case=cases(least=1))
def test_vote_answers_as_the_published_algorithm_with_one_of_the_best_labellings(case: Case) -> None:
    verdict = case.solve(VOTE)
    signed = verdict.margin if verdict.answer else -verdict.margin
    assert signed in published_vote(case)
    assert verdict.margin_unit == "votes"
    assert verdict.labels["Q"] == verdict.answer
    assert verdict.votes is not None
    assert abs(sum(verdict.votes.values())) == verdict.margin
    assert set(verdict.votes) == {
        Literal(n.id, side_of(n))
        for n in case.tree.nodes
        if n.parent is not None and verdict.labels[n.id] == side_of(n)
    }


@pytest.mark.parametrize(
    "inference", [replace(JOINT, decided=True), replace(VOTE, decided=True)], ids=["joint", "vote"]
)
@settings(deadline=None, max_examples=30)
@given(case=cases(least=1))
def test_decided_explanations_keep_their_likelier_side_and_the_rest_is_the_best_of_what_is_left(
    inference: Joint | Vote, case: Case
) -> None:
    graph = relate([case.tree], Table(case.rows), JOINT)[0].graph
    verdict = inference.infer(case.tree, graph)
    nodes = case.tree.nodes[1:]
    held = {node.id: side_of(node) for node in nodes if None not in (node.p_true, node.p_true_negation)}
    assert held.items() <= verdict.labels.items()
    assert verdict.held == tuple(Literal(name, side) for name, side in held.items())
    if isinstance(inference, Joint):
        left = [
            label for label in labellings([n.id for n in case.tree.nodes]) if held.items() <= label.items()
        ]
        cheapest = {
            answer: min(joint_cost(case, label) for label in left if label["Q"] == answer)
            for answer in (True, False)
        }
        assert verdict.cost == pytest.approx(cheapest[verdict.answer], abs=1e-9)
        extra = cheapest[not verdict.answer] - cheapest[verdict.answer]
        assert verdict.margin == pytest.approx(max(0.0, extra), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(case=cases())
def test_vote_needs_no_pair_that_starts_at_the_root(case: Case) -> None:
    graph = relate([case.tree], Table(case.rows), JOINT)[0].graph
    assert VOTE.infer(case.tree, graph) == case.solve(VOTE)


def test_an_even_vote_is_answered_true() -> None:
    tree = tree_of(
        proposition("Q", None), proposition("QT0", "Q", 0.9, 0.1), proposition("QF0", "Q", 0.9, 0.1)
    )

    def judge(premise: str, hypothesis: str) -> str:
        if not hypothesis.startswith("Q holds"):
            return "neutral"
        return "entailment" if premise.startswith("QT0") else "contradiction"

    verdict = solve(tree, ScriptedVerifier(judge), VOTE)
    votes = {Literal("QT0"): 1, Literal("QF0"): -1}
    assert (verdict.answer, verdict.margin, verdict.votes) == (True, 0.0, votes)


# -- joint: Q is a variable like the others ----------------------------------------------------------------


def clipped(p: float, q: float) -> float:
    """ln(p / q) within ± ln(0.95 / 0.05)."""
    if p == q:
        return 0.0
    odds = math.inf if q <= 0 else p / q
    limit = math.log(19)
    return max(-limit, min(limit, math.log(odds) if 0 < odds < math.inf else math.copysign(limit, p - q)))


def joint_cost(case: Case, label: Labels) -> float:
    """Nats that a labelling of the statements costs."""
    nodes = case.tree.nodes
    costs = [0.2 * label["Q"], root_cost(case.tree, label["Q"])]
    for node in nodes[1:]:
        if node.p_true is not None and node.p_true_negation is not None:
            odds = (1.1 if node.integral else 0.3) * clipped(node.p_true, node.p_true_negation)
            costs.append(max(0.0, -odds if label[node.id] else odds))
        if node.parent is not None and label[node.id] and label[node.parent] != node.side:
            costs.append(0.5 if node.side else 0.6)
    forms = [(nodes[0], True), (nodes[0], False), *((n, side_of(n)) for n in nodes[1:])]
    for (one, side), (other, other_side) in itertools.permutations(forms, 2):
        if one is other or label[one.id] != side:
            continue  # Q and ¬Q are not compared; a form that is false demands nothing
        pair = (one.statement if side else one.negation, other.statement if other_side else other.negation)
        argmax = case.rows[pair].index(max(case.rows[pair]))
        p = case.rows[pair][argmax]
        if argmax != 1 and p >= 0.55 and (label[other.id] == other_side) != (argmax == 2):
            if one.parent is None or other.parent is None:
                scale = 0.25 / (len(nodes) - 1)
            else:
                kinds = 0.8 if argmax == 2 else 0.7
                scale = (kinds if side and other_side else 0.4) / (len(nodes) - 2)
            costs.append(scale * max(0.0, clipped(p, 1 - p)))
    return math.fsum(costs)


def judged(p: float, prior: float) -> float:
    """The log-odds of a judgement without their prior."""
    limit = math.log(19)
    return max(-limit, min(limit, clipped(p, 1 - p) - prior))


def root_cost(tree: Tree, label: bool) -> float:
    """Nats that the label of Q costs against what the model believes of Q."""
    p, p_negation = tree.root.p_true, tree.root.p_true_negation
    odds = 0.0 if p is None else 0.9 * judged(p, 0.25)
    odds -= 0.0 if p_negation is None else 0.35 * judged(p_negation, -0.15)
    return max(0.0, -odds if label else odds)


@settings(deadline=None)
@given(case=cases(), by=st.sampled_from(["probability", "labelling"]))
def test_joint_finds_the_cheapest_labelling_and_what_the_opposite_answer_costs_more(
    case: Case, by: AnswerBy
) -> None:
    verdict = case.solve(replace(JOINT, answer_by=by))
    names = [node.id for node in case.tree.nodes]
    costs = [(label["Q"], joint_cost(case, label)) for label in labellings(names)]
    cheapest = {answer: min(cost for q, cost in costs if q == answer) for answer in (True, False)}
    assert verdict.cost == pytest.approx(cheapest[verdict.answer], abs=1e-9)
    assert verdict.cost == pytest.approx(joint_cost(case, verdict.labels), abs=1e-9)
    extra = cheapest[not verdict.answer] - cheapest[verdict.answer]
    assert verdict.margin == pytest.approx(max(0.0, extra), abs=1e-9)
    assert verdict.margin_unit == "nats"
    assert verdict.labels["Q"] == verdict.answer
    mass = {
        answer: math.fsum(math.exp(-cost) for q, cost in costs if q == answer) for answer in (True, False)
    }
    better = {"probability": mass[True] - mass[False], "labelling": cheapest[False] - cheapest[True]}[by]
    if abs(better) > 1e-9:
        assert verdict.answer == (better > 0)
    elif better == 0:
        assert verdict.answer


@settings(deadline=None, max_examples=50)
@given(case=cases(), low=st.floats(0, 1), high=st.floats(0, 1), counter=st.floats(0, 1))
def test_a_stronger_belief_in_q_never_turns_joint_from_true_to_false(
    case: Case, low: float, high: float, counter: float
) -> None:
    low, high = sorted([low, high])
    root, *others = case.tree.nodes

    def answer(p: float) -> bool:
        tree = tree_of(replace(root, p_true=p, p_true_negation=counter), *others)
        return Case(tree, case.rows).solve(JOINT).answer

    assert answer(low) <= answer(high)


def test_evidence_that_is_as_strong_on_both_sides_is_answered_true_with_no_margin() -> None:
    tree = tree_of(proposition("Q", None, 0.5, 0.5), *(proposition(f"Q{s}0", "Q", 0.9, 0.1) for s in "TF"))
    even = replace(WEIGHTS, bias=0.0, **NO_PRIORS, true_child=0.5, false_child=0.5)
    verdict = solve(tree, ScriptedVerifier(lambda *_: "neutral"), Joint(even))
    assert (verdict.answer, verdict.margin) == (True, 0.0)


@pytest.mark.parametrize("side", [True, False])
def test_an_explanation_that_the_model_believes_speaks_for_the_side_it_was_given_for(side: bool) -> None:
    tree = tree_of(proposition("Q", None, 0.5, 0.5), proposition("QT0" if side else "QF0", "Q", 0.9, 0.1))
    verdict = solve(tree, ScriptedVerifier(lambda *_: "neutral"), UNBIASED)
    assert (verdict.answer, verdict.margin) == (side, 0.5 if side else 0.6)


def test_a_sentence_that_was_given_for_both_sides_speaks_for_neither() -> None:
    given = [replace(proposition(f"Q{side}0", "Q", 0.9, 0.1), statement="It holds.") for side in "TF"]
    other = proposition("QT1", "Q", 0.9, 0.1)
    for nodes, expected in ((given, set()), ([*given, other], {"QT1"}), (given[:1], {"QT0"})):
        tree = tree_of(proposition("Q", None, 0.5, 0.5), *nodes)
        verdict = solve(tree, ScriptedVerifier(lambda *_: "neutral"), UNBIASED)
        edges = [constraint for constraint in verdict.constraints if constraint.kind == "tree"]
        assert {edge.source.id for edge in edges} == expected


@pytest.mark.parametrize(("p", "after"), [(0.9, True), (0.2, False), (None, True)])
def test_a_chain_of_thought_speaks_for_what_it_concludes(p: float | None, after: bool) -> None:
    tree = replace(tree_of(proposition("Q", None, 0.5, 0.5)), chain=Chain("It is so.", p))
    verdict = solve(tree, ScriptedVerifier(lambda *_: "neutral"), Joint(replace(SILENT, chain=2.0)))
    assert verdict.answer == after
    assert verdict.margin == pytest.approx(0.0 if p is None else 2.0 * abs(math.log(p / (1 - p))))
    assert [constraint.kind for constraint in verdict.constraints] == ([] if p is None else ["chain"])


@pytest.mark.parametrize("term", TERMS)
def test_every_term_can_be_switched_off(term: str) -> None:
    nodes = [("Q", None, 0.7, 0.6), ("QT0", "Q", 0.9, 0.1), ("QT1", "Q", 0.8, 0.1), ("QF0", "Q", 0.1, 0.9)]
    nodes += [("QF0T0", "QF0", 0.8, 0.7)]
    tree = replace(tree_of(*(proposition(*node) for node in nodes)), chain=Chain("It is so.", 0.8))

    def judge(premise: str, hypothesis: str) -> str:
        return "entailment" if premise < hypothesis else "contradiction"

    weights = (WEIGHTS, replace(WEIGHTS, **{term: 0.0}), replace(SILENT, **{term: 1.0}))
    on, off, alone = (solve(tree, ScriptedVerifier(judge), Joint(w)).constraints for w in weights)
    assert set(off) != set(on)
    assert alone


@settings(deadline=None, max_examples=50)
@given(case=cases())
def test_probabilities_are_shares_of_the_labellings_weighed_by_what_they_cost(case: Case) -> None:
    verdict = case.solve(JOINT)
    names = [node.id for node in case.tree.nodes]
    weighed = [(math.exp(-joint_cost(case, label)), label) for label in labellings(names)]
    total = math.fsum(weight for weight, _ in weighed)
    assert verdict.p_labels == pytest.approx(
        {name: math.fsum(w for w, label in weighed if label[name]) / total for name in names}, abs=1e-9
    )
    assert verdict.p_labels is not None
    assert verdict.p_true == verdict.p_labels["Q"]


def test_weights_of_zero_leave_nothing_to_decide_by() -> None:
    tree = tree_of(proposition("Q", None, 0.1, 0.9), proposition("QF0", "Q", 0.9, 0.1))
    verdict = solve(tree, ScriptedVerifier(lambda *_: "contradiction"), Joint(SILENT))
    assert (verdict.answer, verdict.margin, verdict.constraints) == (True, 0.0, ())


# -- both --------------------------------------------------------------------------------------------------


def holds(constraint: Constraint, labels: Labels) -> bool:
    def true(literal: Literal) -> bool:
        return labels[literal.id] == literal.positive

    if constraint.target is None:
        return true(constraint.source)
    both = true(constraint.target)
    return not true(constraint.source) or (not both if constraint.kind == "contradiction" else both)


@BOTH
@settings(deadline=None, max_examples=50)
@given(case=cases())
def test_the_violated_constraints_are_those_the_labels_break_and_the_cost_is_their_sum(
    inference: Inference, case: Case
) -> None:
    verdict = case.solve(inference)
    broken = tuple(i for i, c in enumerate(verdict.constraints) if not holds(c, verdict.labels))
    assert verdict.violated == broken
    assert verdict.broken == tuple(verdict.constraints[i] for i in broken)
    assert verdict.encoding.problem.cost([verdict.labels[v] for v in verdict.variables]) == verdict.cost
    assert verdict.cost == math.fsum(verdict.constraints[i].weight for i in broken)
    assert all(constraint.weight > 0 for constraint in verdict.constraints)
    assert verdict.optimal
    assert verdict.lower_bound == verdict.cost
    assert verdict.margin >= 0


@BOTH
@given(p=st.floats(0, 1), p_negation=st.floats(0, 1))
def test_a_tree_of_one_node_is_answered_by_the_belief_in_it(
    inference: Inference, p: float, p_negation: float
) -> None:
    verdict = Case(tree_of(proposition("Q", None, p, p_negation)), {}).solve(inference)
    tree = tree_of(proposition("Q", None, p, p_negation))
    belief = root_cost(tree, False) - root_cost(tree, True) - 0.2 if inference is JOINT else p - p_negation
    assert verdict.answer == (belief >= 0) or abs(belief) < 1e-9
    assert verdict.labels == {"Q": verdict.answer}
    if inference is VOTE:
        assert (verdict.margin, verdict.margin_unit) == (abs(p - p_negation), "probability")
    else:
        assert verdict.margin == pytest.approx(abs(belief), abs=1e-9)


@BOTH
@pytest.mark.parametrize("pruned", [(), (proposition("Q", None), proposition("QT0", "Q", 0.6, 0.5))])
def test_an_empty_tree_of_which_nothing_is_known_is_answered_true_with_no_margin(
    inference: Inference, pruned: tuple[Proposition, ...]
) -> None:
    tree = replace(tree_of(), pruned=pruned)
    verdict = solve(tree, Table({}), UNBIASED if inference is JOINT else inference)
    assert (verdict.answer, verdict.margin, verdict.cost, verdict.violated) == (True, 0.0, 0.0, ())


def test_the_belief_in_q_decides_an_empty_tree_in_joint_but_not_in_vote() -> None:
    tree = replace(tree_of(), pruned=(proposition("Q", None, 0.3, 0.6),))
    assert not Case(tree, {}).solve(JOINT).answer
    odds = 0.9 * judged(0.3, 0.25) - 0.35 * judged(0.6, -0.15)
    assert Case(tree, {}).solve(JOINT).margin == pytest.approx(0.2 - odds)
    assert Case(tree, {}).solve(VOTE).answer


@BOTH
@pytest.mark.parametrize("p", [0.0, 0.5])
def test_a_node_recorded_as_integral_with_equal_beliefs_says_nothing(inference: Inference, p: float) -> None:
    # "integral" is read from the file as it was recorded there; nothing checks it against the beliefs.
    tree = tree_of(proposition("Q", None, 0.5), replace(proposition("QT0", "Q", p, p), integral=True))
    unbiased = UNBIASED if inference is JOINT else inference
    verdict = solve(tree, ScriptedVerifier(lambda *_: "neutral"), unbiased)
    assert verdict.answer
    assert [constraint for constraint in verdict.constraints if constraint.kind == "belief"] == []


def test_a_pruned_root_of_another_name_is_refused_and_no_crash() -> None:
    root = Proposition("X", None, "X holds.", "X fails.", 0.9, 0.1)
    with pytest.raises(InputError) as refused:
        Case(replace(tree_of(), pruned=(root,)), {}).solve(JOINT)
    assert refused.value.subject == "X"


# -- weights and names -------------------------------------------------------------------------------------

PROBABILITIES = st.floats(0, 1) | st.sampled_from([0.0, 5e-324, 1e-300, 0.5, 1.0])
CLIPS = st.floats(0.001, 50)


@given(p=PROBABILITIES, q=PROBABILITIES, clip=CLIPS)
def test_log_odds_are_antisymmetric_and_clipped(p: float, q: float, clip: float) -> None:
    weights = replace(WEIGHTS, clip=clip)
    assert weights.log_odds(p, q) == pytest.approx(-weights.log_odds(q, p), rel=1e-9, abs=1e-12)
    assert abs(weights.log_odds(p, q)) <= clip
    assert weights.log_odds(p, p) == 0.0


@given(p=st.lists(PROBABILITIES, min_size=2, max_size=2).map(sorted), q=PROBABILITIES, clip=CLIPS)
def test_log_odds_grow_with_their_first_and_fall_with_their_second_argument(
    p: list[float], q: float, clip: float
) -> None:
    weights = replace(WEIGHTS, clip=clip)
    assert weights.log_odds(p[0], q) <= weights.log_odds(p[1], q)
    assert weights.log_odds(q, p[0]) >= weights.log_odds(q, p[1])


def test_log_odds_are_the_logarithm_of_the_quotient_up_to_nineteen_to_one() -> None:
    assert WEIGHTS.log_odds(0.6, 0.3) == pytest.approx(math.log(2))
    assert WEIGHTS.log_odds(1.0, 0.0) == pytest.approx(math.log(19))


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["clip", "threshold", "root", "at_root"])
def test_a_weight_that_is_no_finite_number_from_zero_up_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError) as refused:
        replace(WEIGHTS, **{name: value})
    assert refused.value.subject == name


def test_a_bias_may_be_negative_and_a_threshold_is_below_one() -> None:
    assert replace(WEIGHTS, bias=-1).bias == -1.0
    with pytest.raises(InputError) as refused:
        replace(WEIGHTS, threshold=1.0)
    assert refused.value.subject == "threshold"


def test_joint_without_weights_of_its_own_takes_the_packages() -> None:
    tree = tree_of(proposition("Q", None, 0.7, 0.6), proposition("QT0", "Q", 0.9, 0.1))
    verifier = ScriptedVerifier(lambda *_: "entailment")
    assert solve(tree, verifier, Joint()) == solve(tree, verifier, Joint(DEFAULT_WEIGHTS))


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
@pytest.mark.parametrize("name", ["pruned", "abstain_below"])
def test_a_share_or_probability_outside_its_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError) as refused:
        Joint(**{name: value})  # type: ignore[arg-type]
    assert refused.value.subject == name


@settings(deadline=None, max_examples=50)
@given(case=cases(), below=st.floats(0, 1))
def test_an_answer_less_probable_than_asked_for_is_unsure_and_nothing_else_changes(
    case: Case, below: float
) -> None:
    verdict = case.solve(replace(JOINT, abstain_below=below))
    assert verdict.confidence is not None
    assert verdict.unsure == (verdict.confidence < below)
    assert replace(verdict, unsure=False) == case.solve(JOINT)


def test_the_confidence_is_the_probability_of_the_answer_even_where_the_opposite_is_likelier() -> None:
    """The best labelling has Q true; most of the others have it false."""
    verdict = solve(tree_of(proposition("Q", None)), Table({}), JOINT)
    assert replace(verdict, answer=True, p_true=0.2).confidence == 0.2
    assert replace(verdict, answer=False, p_true=0.2).confidence == 0.8
    assert replace(verdict, p_true=None).confidence is None


@pytest.mark.parametrize("setting", ["weights", "merge", "pruned", "assumptions", "abstain_below"])
def test_vote_and_argue_have_no_settings_of_joint(setting: str) -> None:
    assert hasattr(JOINT, setting)
    assert not hasattr(VOTE, setting)
    assert not hasattr(Argue(), setting)
