"""What a memory brings to a problem: facts, and propositions of before with what speaks for each.

The propositions are variables like the others. What else the memory holds about them, outside the problem, is
in their log-odds. A proposition with the text of a claim or of an explanation is that one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from maieutic.inference.assumptions import Assumption
from maieutic.inference.constraints import Constraint, Rule, relation_constraints
from maieutic.inference.graph import BeliefGraph, Form, Literal, claim_of
from maieutic.inference.weights import JointWeights
from maieutic.sentences.content import content_words
from maieutic.text import text_key
from maieutic.tree import Probability, Tree, taking_part

__all__ = [
    "NOTHING",
    "Placed",
    "Recalled",
    "RecalledChoice",
    "Recollection",
    "constraint_of",
    "recalled_constraints",
    "recalled_pairs",
]

PLACES = 3  # literals of a clause at most


@dataclass(frozen=True, slots=True)
class Recalled:
    """A proposition of before.

    Attributes:
        id: "M1", "M2", … in one problem.
        odds: log-odds of the statement in nats, by what the language model believes of it.
        outside: the same by what the memory holds true and false outside the problem.
        p_true: P(true | statement) as the language model had it, in [0, 1] or None; ``p_true_negation``: of
            the negation.
    """

    id: str
    statement: str
    negation: str = ""
    odds: float = 0.0
    outside: float = 0.0
    p_true: Probability | None = None
    p_true_negation: Probability | None = None


@dataclass(frozen=True, slots=True)
class RecalledChoice:
    """A question of before with options: literals of which exactly one holds."""

    question: str
    options: tuple[Literal, ...]

    @property
    def rule(self) -> Rule:
        """The hard constraint."""
        return Rule("exactly-one", self.options)


@dataclass(frozen=True)
class Recollection:
    """The part of a memory that has to do with a problem.

    Attributes:
        propositions: of before; ``facts``: certain, with the ids of assumptions.
        constraints: between these, by their ids; ``choices``: hard ones.
        weight: of relations between a proposition of before and those of a tree, as a multiple of what such
            relations weigh inside a tree, by their kind. Those of one proposition of a tree share it.
        each: most propositions of before that one of a tree is related to.
    """

    propositions: tuple[Recalled, ...] = ()
    facts: tuple[Assumption, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    weight: float = 1.0
    each: int = 8
    choices: tuple[RecalledChoice, ...] = ()

    def assuming(self, given: Mapping[str, Literal]) -> Recollection:
        """The same without facts that are assumed anyway.

        Args:
            given: id of such a fact → the literal of the assumption with its text.
        """

        def name(literal: Literal) -> Literal:
            return _renamed(literal, given)

        return replace(
            self,
            facts=tuple(fact for fact in self.facts if fact.id not in given),
            constraints=tuple(
                constraint_of(tuple(map(name, one.clause)), one.weight) for one in self.constraints
            ),
            choices=tuple(replace(one, options=tuple(map(name, one.options))) for one in self.choices),
        )


NOTHING = Recollection()


@dataclass(frozen=True)
class Placed:
    """A recollection in the problem of some trees.

    Attributes:
        propositions, facts: those that are variables of their own.
        held: literals of claims that a fact settles.
        names: id of a proposition or fact that is one of the trees' → the literal that it is.
    """

    propositions: tuple[Recalled, ...] = ()
    facts: tuple[Assumption, ...] = ()
    held: tuple[Literal, ...] = ()
    names: Mapping[str, Literal] = field(default_factory=dict)

    @classmethod
    def of(cls, recollection: Recollection, trees: Mapping[str, Tree], *, pruned: bool = False) -> Placed:
        """Find what has the text of a proposition of the trees, or of its negation.

        Args:
            trees: by the id of their claim, which stands for Q in their ids.
            pruned: whether pruned propositions take part.
        """
        if not recollection.propositions and not recollection.facts:
            return cls()
        roots, inner = _literals(trees, pruned=pruned)
        known = roots | inner
        names: dict[str, Literal] = {}
        own: list[Recalled] = []
        for one in recollection.propositions:
            same = known.get(text_key(one.statement))
            if same is None and one.negation and text_key(one.negation) in known:
                same = ~known[text_key(one.negation)]
            if same is None:
                own.append(one)
            else:
                names[one.id] = same
        facts: list[Assumption] = []
        for fact in recollection.facts:
            same = roots.get(text_key(fact.statement))
            if same is None:
                facts.append(fact)
            else:
                names[fact.id] = same
        held = (_signed(names[f.id], f.holds) for f in recollection.facts if f.id in names)
        return cls(tuple(own), tuple(facts), tuple(dict.fromkeys(held)), names)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the propositions that are variables of their own."""
        return tuple(one.id for one in self.propositions)

    @property
    def forms(self) -> tuple[Form, ...]:
        """Of the same, as their statements."""
        return tuple(
            Form(Literal(one.id), one.statement, one.p_true, one.p_true_negation) for one in self.propositions
        )

    def named_choice(self, choice: RecalledChoice) -> RecalledChoice:
        """A choice in which what is one of the trees' has that name, each option once."""
        options = dict.fromkeys(_renamed(literal, self.names) for literal in choice.options)
        return replace(choice, options=tuple(options))

    def named(self, constraint: Constraint) -> Constraint | None:
        """A constraint in which what is one of the trees' has that name; None if it says nothing then."""
        if not constraint.ids & self.names.keys():
            return constraint
        clause = dict.fromkeys(_renamed(literal, self.names) for literal in constraint.clause)
        if any(~literal in clause for literal in clause):
            return None
        return constraint_of(tuple(clause), constraint.weight)


def recalled_pairs(forms: Sequence[Form], recalled: Sequence[Form], each: int) -> Iterator[tuple[Form, Form]]:
    """Both orders of the pairs of a tree's forms with forms of before that share content words.

    Args:
        each: most for one form of the tree: those that share most words come first.
    """
    if not recalled:
        return
    words = [content_words(form.text).keys() for form in recalled]
    for form in forms:
        own = content_words(form.text).keys()
        shared = [(-len(own & one), place) for place, one in enumerate(words) if own & one]
        for _, place in sorted(shared)[:each]:
            yield form, recalled[place]
            yield recalled[place], form


def recalled_constraints(
    graph: BeliefGraph, recollection: Recollection, placed: Placed, weights: JointWeights
) -> Iterator[Constraint]:
    """What the memory says: the odds of its propositions, and the relations between them and with a tree.

    A clause that a fact satisfies says nothing and is left out. Of several relations with the same clause
    only the likeliest counts.

    Args:
        graph: of the trees, in which the memory's propositions have their own ids.
    """
    certain = {fact.literal for fact in placed.facts} | {*placed.held}
    for one in recollection.propositions:
        literal = placed.names.get(one.id, Literal(one.id))
        if one.odds != 0.0 and one.id not in placed.names:
            yield Constraint("belief", _signed(literal, one.odds > 0), None, abs(one.odds))
        if one.outside != 0.0 and not {literal, ~literal} & certain:
            yield Constraint("memory", _signed(literal, one.outside > 0), None, abs(one.outside))
    # What is related anew, since all of it is in the trees, counts as it is there.
    older = (one for one in recollection.constraints if not one.ids <= placed.names.keys())
    stored = map(placed.named, older)
    ids = {one.id for one in recollection.propositions}
    found = _across(graph, ids, recollection.weight, weights)
    across = (placed.named(each) for each in found)
    best: dict[frozenset[Literal], Constraint] = {}
    for constraint in (*stored, *across):
        if constraint is None or certain & {*constraint.clause}:
            continue
        clause = frozenset(constraint.clause)
        if clause not in best or best[clause].weight < constraint.weight:
            best[clause] = constraint
    yield from best.values()


def _across(
    graph: BeliefGraph, ids: Iterable[str], weight: float, weights: JointWeights
) -> Iterator[Constraint]:
    """The relations of one proposition of before with one of a tree; those of the latter share the weight."""
    before = frozenset(ids)
    found = [c for c in relation_constraints(graph, weights.strength) if len(c.ids & before) == 1]
    ends = [next(iter(constraint.ids - before)) for constraint in found]
    count = Counter(ends)
    for constraint, end in zip(found, ends, strict=True):
        scale = weight * _inner_weight(constraint, end, weights) / count[end]
        if scale > 0.0:
            yield replace(constraint, weight=scale * constraint.weight)


def _inner_weight(constraint: Constraint, end: str, weights: JointWeights) -> float:
    """What a relation of the kind weighs inside a tree.

    Args:
        end: id of the tree's proposition.
    """
    if claim_of(end) == end:
        return weights.at_root
    if not all(one.positive for one in (constraint.source, constraint.target) if one is not None):
        return weights.negation
    return weights.entailment if constraint.kind == "entailment" else weights.contradiction


def constraint_of(clause: Sequence[Literal], weight: float) -> Constraint:
    """The constraint that is a clause of one, two or three literals.

    >>> constraint_of((Literal("M1", False), Literal("Q")), 2.0)  # doctest: +ELLIPSIS
    Constraint(kind='entailment', source=Literal(id='M1', positive=True), target=Literal(id='Q', ...
    """
    assert 1 <= len(clause) <= PLACES
    first, *rest = clause
    if not rest:
        return Constraint("belief", first, None, weight)
    *second, last = rest
    other = ~second[0] if second else None
    if not (first.positive or last.positive):
        return Constraint("contradiction", ~first, ~last, weight, other)
    source, target = (last, first) if first.positive and not last.positive else (first, last)
    return Constraint("entailment", ~source, target, weight, other)


def _literals(trees: Mapping[str, Tree], *, pruned: bool) -> tuple[dict[str, Literal], dict[str, Literal]]:
    """Key of a text → the literal with it: of the claims, and of the explanations."""
    roots: dict[str, Literal] = {}
    inner: dict[str, Literal] = {}
    for claim, tree in trees.items():
        for text, positive in ((tree.statement, True), (tree.negation, False)):
            if text:
                roots.setdefault(text_key(text), Literal(claim, positive))
        for node in taking_part(tree, pruned=pruned):
            literal = Literal(claim + node.id[1:])
            inner.setdefault(text_key(node.statement), literal)
            if node.negation:
                inner.setdefault(text_key(node.negation), ~literal)
    return roots, inner


def _renamed(literal: Literal, names: Mapping[str, Literal]) -> Literal:
    same = names.get(literal.id)
    return literal if same is None else _signed(same, literal.positive)


def _signed(literal: Literal, positive: bool) -> Literal:
    return literal if positive else ~literal
