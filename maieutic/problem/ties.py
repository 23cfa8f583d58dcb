"""What connects the claims of a problem: relations across trees, only where they can matter.

A claim's statement is related to the statements of the other claims, and to the explanations in their trees,
where the two share content words; BM25 says which come first, and a budget how many. Pairs of statements that
share terms are joined into one premise against a third (:mod:`maieutic.inference.premises`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from maieutic.errors import InputError
from maieutic.inference.base import PairPlan
from maieutic.inference.constraints import Constraint, relation_constraints
from maieutic.inference.graph import BeliefGraph, Form, Literal, claim_of, forms_of
from maieutic.inference.posing import Ties, namer
from maieutic.inference.premises import MOST_TRIPLES, combined_constraints, triples
from maieutic.inference.weights import JointWeights
from maieutic.problem.base import AtMostOne, ExactlyOne, Fact, Problem
from maieutic.problem.retrieval import related_texts
from maieutic.sentences.content import content_words

__all__ = ["TIE_WEIGHTS", "TieConfig", "TiePlan", "plan_ties", "tie_terms", "ties_of"]


TIE_WEIGHTS = ("across", "names")
"""The weights of ties that are learned."""


@dataclass(frozen=True, slots=True)
class TieConfig:
    """How claims are related with each other.

    Attributes:
        across: weight of a relation of an explanation to the statement of another claim; it is divided by the
            number of explanations in the tree, like the weight ``at_root`` inside it.
        names: weight of an explanation of one claim that names another of the same group, by words that the
            others lack: whoever argues about an option by naming another one thinks of that one. It is
            divided likewise. Both were learned on the trees of ARC-Easy (docs/problems.md).
        statements: weight of a relation between the statements of two claims. With a fact it is 1: a user's
            facts are neither overconfident nor repetitive.
        each: most texts that the statement of a claim is related to.
        budget: most pairs and triples in all; the rest are left out, and the solution says how many.
        premises: whether two statements together are related to a third.

    Raises:
        InputError: a number is below 0; ``subject`` is its name.
    """

    across: float = 0.61
    names: float = 1.56
    statements: float = 1.0
    each: int = 48
    budget: int = 20_000
    premises: bool = True

    def __post_init__(self) -> None:
        for name in ("across", "names", "statements", "each", "budget"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be ≥ 0, not {getattr(self, name)!r}", subject=name)


@dataclass(frozen=True, slots=True)
class TiePlan:
    """The pairs and triples across claims.

    Attributes:
        left_out: how many more share content words but exceed the budget.
    """

    plan: PairPlan
    left_out: int = 0


def plan_ties(problem: Problem, config: TieConfig) -> TiePlan:
    """What the verifier is asked across the claims of a problem."""
    forms = _forms(problem, explanations=config.across > 0.0 or config.names > 0.0)
    everything = [form for one in forms.values() for form in one]
    graph = BeliefGraph(tuple(everything))
    judged = [claim.id for claim in problem.claims if not claim.premise]
    if len(problem.claims) < 2 or not judged:
        return TiePlan(PairPlan(graph))
    owner = [claim for claim, one in forms.items() for _ in one]
    exclusive = _exclusive(problem)
    own = max(len(one) for one in forms.values()) + max(map(len, exclusive.values()))  # found, but no use
    statements = [problem.statements[claim] for claim in judged]
    found = related_texts([form.text for form in everything], statements, config.each + own)
    ranked: list[tuple[float, Form, Form]] = []
    left_out = 0
    for claim, (row, count) in zip(judged, found, strict=True):
        target = forms[claim][0]
        usable = [
            (score, everything[place])
            for place, score in row
            if owner[place] != claim
            and not (everything[place] is forms[owner[place]][0] and owner[place] in exclusive[claim])
        ]
        left_out += max(0, len(usable) - config.each, count - own - config.each)
        ranked += ((score, source, target) for score, source in usable[: config.each])
    ranked.sort(key=lambda item: -item[0])
    pairs = [(source, target) for _, source, target in ranked]
    roots = {form.literal for form in (one[0] for one in forms.values())}
    known = set(map(_key, pairs))
    back = [(t, s) for s, t in pairs if s.literal in roots and _key((t, s)) not in known]
    pairs += back
    three = _triples(problem, forms) if config.premises else []
    left_out += max(0, len(pairs) + len(three) - config.budget)
    pairs = pairs[: config.budget]
    three = three[: config.budget - len(pairs)]
    return TiePlan(PairPlan(graph, tuple(pairs), tuple(three)), left_out)


def ties_of(problem: Problem, graph: BeliefGraph, weights: JointWeights, config: TieConfig) -> Ties:
    """The constraints that connect the claims, from the relations across them.

    A clause that a fact satisfies says nothing and is left out.

    Args:
        graph: of the plan of :func:`plan_ties`, related.
    """
    certain = {Literal(claim, holds) for claim, holds in problem.facts.items()}
    related = (*_related(problem, graph, weights, config), *combined_constraints(graph, weights))
    soft = [*_asserted(problem), *(one for one in related if not certain & {*one.clause})]
    held = tuple(Literal(claim, holds) for claim, holds in problem.facts.items())
    rules = tuple(one.rule for one in problem.constraints if not isinstance(one, Fact))
    return Ties(tuple(soft), held, rules)


def _asserted(problem: Problem) -> Iterator[Constraint]:
    for claim in problem.claims:
        if claim.asserted != 0.0 and claim.id not in problem.facts:
            yield Constraint("claim", Literal(claim.id, claim.asserted > 0), None, abs(claim.asserted))


def tie_terms(
    problem: Problem, graph: BeliefGraph, weights: JointWeights
) -> Iterator[tuple[str, Constraint]]:
    """The relations across claims as (name of the weight, clause with its strength before that weight).

    Args:
        graph: of the plan of :func:`plan_ties`, related.

    The names of the weights are those of :class:`TieConfig`, and "fact" for a relation with a fact, whose
    weight is 1.
    """
    count = {claim.id: max(1, len(claim.tree.nodes) - 1) for claim in problem.claims}
    for constraint in relation_constraints(graph, weights.strength):
        source = constraint.source.id
        assert constraint.target is not None
        if source in problem.facts or constraint.target.id in problem.facts:
            yield "fact", constraint
        elif source in count:
            yield "statements", constraint
        else:
            yield "across", replace(constraint, weight=constraint.weight / count[claim_of(source)])
    for source_form, named in _named(problem, graph):
        share = count[claim_of(source_form.id)]
        yield "names", Constraint("names", source_form, Literal(named), 1.0 / share)


def _named(problem: Problem, graph: BeliefGraph) -> Iterator[tuple[Literal, str]]:
    """Explanations of claims of a group, each with another claim of the group that it names.

    An explanation names a claim if it has all words of the claim's name that not all statements of the group
    have.
    """
    names = {claim.id: claim.name for claim in problem.claims if claim.name}
    words = {form.literal: content_words(form.text).keys() for form in graph.forms if names}
    for group in problem.groups:
        common = (
            frozenset.intersection(*(frozenset(words[Literal(claim)]) for claim in group.claims))
            if names
            else ()
        )
        for claim in group.claims:
            own = content_words(names.get(claim, "")).keys() - set(common)
            for literal, said in words.items():
                source = claim_of(literal.id)
                explains = literal.id not in problem.statements and source in group.claims
                if own and explains and source != claim and own <= said:
                    yield literal, claim


def _related(
    problem: Problem, graph: BeliefGraph, weights: JointWeights, config: TieConfig
) -> Iterator[Constraint]:
    """The relations across claims, weighed; of several with the same clause only the heaviest counts."""
    scales = {"fact": 1.0, **{name: getattr(config, name) for name in ("statements", *TIE_WEIGHTS)}}
    best: dict[frozenset[Literal], Constraint] = {}
    for term, constraint in tie_terms(problem, graph, weights):
        weight = scales[term] * constraint.weight
        clause = frozenset(constraint.clause)
        if weight > 0.0 and (clause not in best or best[clause].weight < weight):
            best[clause] = replace(constraint, weight=weight)
    yield from best.values()


def _forms(problem: Problem, *, explanations: bool) -> dict[str, list[Form]]:
    """The forms of each claim by its id, its statement first, as they are named in the problem."""
    forms = {}
    for claim in problem.claims:
        name = namer(claim.id)
        inner = forms_of(claim.tree) if explanations else ()
        named = [replace(form, literal=name(form.literal)) for form in inner if form.text]
        forms[claim.id] = [Form(Literal(claim.id), claim.statement), *named]
    return forms


def _triples(problem: Problem, forms: Mapping[str, Sequence[Form]]) -> list[tuple[Form, Form, Form]]:
    """Pairs of statements that are facts, or that a text claims, with a third that is judged."""
    premises = [
        forms[claim.id][0]
        for claim in problem.claims
        if problem.facts.get(claim.id, claim.asserted > 0.0) and (claim.id in problem.facts or claim.asserted)
    ]
    judged = [forms[claim.id][0] for claim in problem.claims if not claim.premise]
    return triples(premises, judged, MOST_TRIPLES)


def _exclusive(problem: Problem) -> dict[str, set[str]]:
    """Claim → the others of its groups: that they exclude each other is certain already."""
    found: dict[str, set[str]] = {claim.id: set() for claim in problem.claims}
    for one in problem.constraints:
        if isinstance(one, ExactlyOne | AtMostOne):
            for claim in one.claims:
                found[claim] |= {*one.claims} - {claim}
    return found


def _key(pair: tuple[Form, Form]) -> tuple[Literal, Literal]:
    return pair[0].literal, pair[1].literal
