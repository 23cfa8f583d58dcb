"""Tree + verifier → belief graph: which proposition speaks for, or against, which (paper, section 3.3).

The graph is a ``networkx.DiGraph``. Its nodes are the *forms* in which propositions take part: every
proposition but the root as its statement, or, when the model finds the negation likelier, as its
negation (named ``¬QT0``); the root as both, ``Q`` and ``¬Q``; what the user assumes as its statement
(``A1``). Each node carries a :class:`Form` under "form"; each edge the verifier's :class:`Relation` of the
ordered pair under "relation", and what that took of a language model under "usage".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, permutations
from typing import TYPE_CHECKING, Literal

from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Pair, Verifier
from maieutic.nli.lm import score_pairs
from maieutic.tree import Proposition, Tree, taking_part
from maieutic.usage import Usage

if TYPE_CHECKING:
    import networkx as nx

    from maieutic.inference.assumptions import Assumption

    BeliefGraph = nx.DiGraph[str]

__all__ = ["Form", "Relation", "bare_graph", "form_of", "forms_of", "opposite", "relate", "relating_usage"]


@dataclass(frozen=True, slots=True)
class Form:
    """A proposition as it takes part: its statement, or its negation with the two beliefs swapped.

    Attributes:
        proposition: id in the tree; ``positive`` is False for the negation.
        belief: P(true | this form) in [0, 1] or None; ``counter`` the same of the other form.
    """

    proposition: str
    positive: bool
    text: str
    belief: float | None
    counter: float | None
    integral: bool

    @property
    def name(self) -> str:
        """The node's name in the graph."""
        return self.proposition if self.positive else f"¬{self.proposition}"

    @property
    def known(self) -> bool:
        """Whether both beliefs are known."""
        return self.belief is not None and self.counter is not None


@dataclass(frozen=True, slots=True)
class Relation:
    """The verifier's view of an ordered pair; the three probabilities sum to 1."""

    contradiction: float
    neutral: float
    entailment: float

    @property
    def kind(self) -> Literal["contradiction", "neutral", "entailment"]:
        """The likeliest of the three; on a tie contradiction before neutral before entailment."""
        if self.neutral > self.contradiction and self.neutral >= self.entailment:
            return "neutral"
        return "entailment" if self.entailment > self.contradiction else "contradiction"


def opposite(name: str) -> str:
    """The name of the other form.

    >>> opposite("QT0"), opposite("¬QT0")
    ('¬QT0', 'QT0')
    """
    return name[1:] if name.startswith("¬") else f"¬{name}"


def form_of(node: Proposition, *, positive: bool) -> Form:
    """The node's statement (``positive``) or its negation, as a form."""
    if positive:
        belief, counter, text = node.p_true, node.p_true_negation, node.statement
    else:
        belief, counter, text = node.p_true_negation, node.p_true, node.negation
    return Form(node.id, positive, text, belief, counter, node.integral)


def forms_of(tree: Tree, *, pruned: bool = False) -> tuple[Form, ...]:
    """The forms of all propositions but the root, in the order of the tree's nodes, then of the pruned ones.

    A proposition takes part as its statement if a belief is unknown or P(true | E) > P(true | ¬E).
    """
    forms = []
    for node in taking_part(tree, pruned=pruned):
        p, p_negation = node.p_true, node.p_true_negation
        forms.append(form_of(node, positive=p is None or p_negation is None or p > p_negation))
    return tuple(forms)


def relate(
    trees: Sequence[Tree],
    verifier: Verifier,
    *,
    from_root: bool = True,
    among: bool = True,
    pruned: bool = False,
    assumptions: Sequence[Assumption] = (),
) -> list[BeliefGraph]:
    """Score the pairs of every tree in one call of the verifier.

    The pairs are all ordered pairs of :func:`forms_of` (not without ``among``) and, for each form, those
    to ``Q`` and ``¬Q``; with ``from_root`` (which "vote" inference does not need) also those from ``Q``
    and ``¬Q``. Trees of fewer than two nodes have no pairs. With ``pruned`` the pruned propositions take part
    like the others. Assumptions are paired with every form and with one another, both ways. A negation that
    could not be had is in no pair, but for "vote", which does as the reference.
    """
    graphs = [bare_graph(tree, pruned=pruned, assumptions=assumptions) for tree in trees]
    asked = [
        (graph, source, target)
        for tree, graph in zip(trees, graphs, strict=True)
        for source, target in chain(
            _pairs(tree, forms_of(tree, pruned=pruned), from_root=from_root, among=among),
            _assumed_pairs(graph, assumptions),
        )
        if not from_root or (source.text and target.text)
    ]
    if not asked:
        return graphs
    scores = score_pairs(verifier, [(source.text, target.text) for _, source, target in asked])
    rows = zip(asked, scores.probabilities.tolist(), scores.usages, strict=True)
    for (graph, source, target), row, usage in rows:
        relation = Relation(row[CONTRADICTION], row[NEUTRAL], row[ENTAILMENT])
        graph.add_edge(source.name, target.name, relation=relation, usage=usage)
    return graphs


def relating_usage(graph: BeliefGraph) -> Usage:
    """What it took to score the edges of a graph that :func:`relate` made.

    Every edge is a pair of the verifier. A language model that is its own verifier is charged for the
    prompt of each distinct pair of texts.
    """
    texts = {name: data["form"].text for name, data in graph.nodes(data=True)}
    usages: dict[Pair, Usage] = {
        (texts[source], texts[target]): data["usage"] for source, target, data in graph.edges(data=True)
    }
    return sum(usages.values(), Usage(pairs=len(graph.edges)))


def bare_graph(tree: Tree, *, pruned: bool = False, assumptions: Sequence[Assumption] = ()) -> BeliefGraph:
    """The belief graph of a tree before the verifier has spoken: its forms, no edges."""
    import networkx as nx  # noqa: PLC0415 - keeps `import maieutic` light

    graph: BeliefGraph = nx.DiGraph()
    assumed = (Form(a.id, True, a.statement, None, None, False) for a in assumptions)
    for form in (*_root_forms(tree), *forms_of(tree, pruned=pruned), *assumed):
        graph.add_node(form.name, form=form)
    return graph


def _root_forms(tree: Tree) -> tuple[Form, Form]:
    return form_of(tree.root, positive=True), form_of(tree.root, positive=False)


def _pairs(tree: Tree, forms: Sequence[Form], *, from_root: bool, among: bool) -> Iterator[tuple[Form, Form]]:
    if among:
        yield from permutations(forms, 2)
    for root in _root_forms(tree):
        for form in forms:
            yield form, root
            if from_root:
                yield root, form


def _assumed_pairs(graph: BeliefGraph, assumptions: Sequence[Assumption]) -> Iterator[tuple[Form, Form]]:
    if not assumptions:
        return
    ids = {assumption.id for assumption in assumptions}
    forms = [data["form"] for _, data in graph.nodes(data=True)]
    for one, other in permutations(forms, 2):
        if ids & {one.proposition, other.proposition}:
            yield one, other
