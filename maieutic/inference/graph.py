"""The belief graph: which proposition speaks for, or against, which (paper, section 3.3).

Its nodes are *forms*. Every proposition takes part as its statement or, where the model finds that
likelier, as its negation; the root as both; an assumption as its statement. Its edges are *relations*,
the verifier's probabilities for an ordered pair of forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from typing import Literal as OneOf

from maieutic.errors import InputError
from maieutic.tree import ROOT, Probability, Proposition, Tree, taking_part

if TYPE_CHECKING:
    import networkx as nx
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = [
    "CLAIM_ID",
    "NOT_Q",
    "BeliefGraph",
    "Combined",
    "Form",
    "Literal",
    "Q",
    "Relation",
    "claim_of",
    "form_of",
    "forms_of",
    "root_forms",
]

_NOT = "¬"
CLAIM_ID = re.compile("Q|[A-Z][1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Literal:
    """A proposition's statement, or with ``positive`` False its negation. ``~`` gives the opposite.

    The text form, ``QT0`` or ``¬QT0``, is for people and files only.

    >>> ~Literal("QT0"), str(~Literal("QT0")), Literal.parse("¬QT0") == ~Literal("QT0")
    (Literal(id='QT0', positive=False), '¬QT0', True)
    """

    id: str
    positive: bool = True

    def __invert__(self) -> Literal:
        return Literal(self.id, not self.positive)

    def __str__(self) -> str:
        return self.id if self.positive else _NOT + self.id

    def holds(self, label: bool) -> bool:
        """Whether the literal is true when the statement has this label."""
        return label == self.positive

    @classmethod
    def parse(cls, text: str) -> Literal:
        """The inverse of ``str``."""
        return cls(text.removeprefix(_NOT), not text.startswith(_NOT))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Literals are stored as text."""
        from pydantic_core import core_schema  # noqa: PLC0415 - keeps `import maieutic` light

        return core_schema.no_info_after_validator_function(
            cls.parse,
            core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )


Q, NOT_Q = Literal(ROOT), ~Literal(ROOT)


@dataclass(frozen=True, slots=True)
class Form:
    """A proposition as it takes part: its statement, or its negation with the two beliefs swapped.

    Attributes:
        text: the statement or the negation; "" where the model gave no negation.
        belief: P(true | this form) in [0, 1] or None; ``counter`` the same of the other form.
    """

    literal: Literal
    text: str
    belief: Probability | None = None
    counter: Probability | None = None
    integral: bool = False

    @property
    def known(self) -> bool:
        """Whether both beliefs are known."""
        return self.belief is not None and self.counter is not None


@dataclass(frozen=True, slots=True)
class Relation:
    """The verifier's view of an ordered pair of forms; the three probabilities sum to 1."""

    source: Literal
    target: Literal
    contradiction: float
    neutral: float
    entailment: float

    @property
    def kind(self) -> OneOf["contradiction", "neutral", "entailment"]:
        """The likeliest of the three; on a tie contradiction before neutral before entailment."""
        if self.neutral > self.contradiction and self.neutral >= self.entailment:
            return "neutral"
        return "entailment" if self.entailment > self.contradiction else "contradiction"

    @property
    def probability(self) -> float:
        """Of entailment or contradiction, whichever is likelier."""
        return max(self.entailment, self.contradiction)


@dataclass(frozen=True, slots=True)
class Combined:
    """The verifier's view of two forms together, as one premise, and a third; the probabilities sum to 1."""

    source: Literal
    other: Literal
    target: Literal
    contradiction: float
    neutral: float
    entailment: float

    @property
    def relation(self) -> Relation:
        """The same without the second source."""
        return Relation(self.source, self.target, self.contradiction, self.neutral, self.entailment)


@dataclass(frozen=True)
class BeliefGraph:
    """Forms and the relations between them.

    Attributes:
        forms: Q, ¬Q, the explanations in the order of the tree, the pruned ones where they take part, the
            assumptions.
        relations: at most one for each ordered pair, by source in the order of the forms.
        combined: relations of two forms together.

    Raises:
        InputError: two forms or relations are the same, or a relation names a form that is not there.
    """

    forms: tuple[Form, ...]
    relations: tuple[Relation, ...] = ()
    combined: tuple[Combined, ...] = ()

    def __post_init__(self) -> None:
        literals = {form.literal for form in self.forms}
        if len(literals) < len(self.forms):
            raise InputError("two forms have the same literal; each needs its own", subject="forms")
        pairs = {(relation.source, relation.target) for relation in self.relations}
        if len(pairs) < len(self.relations):
            raise InputError("two relations have the same source and target", subject="relations")
        triples = {(each.source, each.other, each.target) for each in self.combined}
        if stray := next((end for ends in (*pairs, *triples) for end in ends if end not in literals), None):
            raise InputError(f"a relation names {stray}, which is no form of the graph", subject=str(stray))

    def __repr__(self) -> str:
        """One line, without the forms."""
        return f"<BeliefGraph {len(self.forms)} forms, {len(self.relations)} relations>"

    @cached_property
    def by_pair(self) -> dict[tuple[Literal, Literal], Relation]:
        """Source and target → relation."""
        return {(relation.source, relation.target): relation for relation in self.relations}

    @cached_property
    def by_triple(self) -> dict[tuple[Literal, Literal, Literal], Relation]:
        """Both sources and target → relation."""
        return {(each.source, each.other, each.target): each.relation for each in self.combined}

    def relation(self, source: Literal, other: Literal | None, target: Literal) -> Relation | None:
        """Of one source or of two with the target; None where the verifier was not asked."""
        if other is None:
            return self.by_pair.get((source, target))
        return self.by_triple.get((source, other, target))

    def with_relations(self, relations: Iterable[Relation], combined: Iterable[Combined] = ()) -> BeliefGraph:
        """The same forms with these relations, put in order."""
        place = {form.literal: index for index, form in enumerate(self.forms)}
        ordered = sorted(relations, key=lambda relation: place.get(relation.source, 0))
        return BeliefGraph(self.forms, tuple(ordered), tuple(combined))

    def to_networkx(self) -> nx.DiGraph[str]:
        """The graph for networkx: nodes are named by literal and carry ``form``; edges carry ``relation``."""
        import networkx as nx  # noqa: PLC0415 - keeps `import maieutic` light

        graph: nx.DiGraph[str] = nx.DiGraph()
        for form in self.forms:
            graph.add_node(str(form.literal), form=form)
        for relation in self.relations:
            graph.add_edge(str(relation.source), str(relation.target), relation=relation)
        return graph


def claim_of(node_id: str) -> str:
    """The id of the claim that a node of a problem belongs to.

    >>> claim_of("C12T0F1"), claim_of("QT0"), claim_of("F1")
    ('C12', 'Q', 'F1')
    """
    match = CLAIM_ID.match(node_id)
    assert match is not None
    return match.group()


def form_of(node: Proposition, *, positive: bool) -> Form:
    """The node's statement (``positive``) or its negation, as a form."""
    literal = Literal(node.id, positive)
    if positive:
        return Form(literal, node.statement, node.p_true, node.p_true_negation, node.integral)
    return Form(literal, node.negation, node.p_true_negation, node.p_true, node.integral)


def root_forms(tree: Tree) -> tuple[Form, Form]:
    """Q and its negation."""
    return form_of(tree.root, positive=True), form_of(tree.root, positive=False)


def forms_of(tree: Tree, *, pruned: bool = False) -> tuple[Form, ...]:
    """The forms of all propositions but the root: the tree's, then with ``pruned`` those too.

    A proposition takes part as its statement if a belief is unknown or P(true | E) > P(true | ¬E).
    """
    forms = []
    for node in taking_part(tree, pruned=pruned):
        p, p_negation = node.p_true, node.p_true_negation
        forms.append(form_of(node, positive=p is None or p_negation is None or p > p_negation))
    return tuple(forms)
