"""Propositions and the trees they grow in: frozen data, one node id scheme, JSON round trip.

Node ids spell the path from the root: ``Q``; ``QT0, QT1, …`` for what the True prompt gave, ``QF0, …``
for the False prompt; ``QT0F0`` is what the False prompt gave for ``QT0``. A tree is one JSON object;
a file of trees has one a line (``.jsonl``, or ``.jsonl.gz``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from annotated_types import Ge, Le

from maieutic.errors import InputError
from maieutic.files.json_text import dump_json, parse_json

__all__ = [
    "INTEGRITY_THRESHOLD",
    "ROOT",
    "Discard",
    "Probability",
    "Proposition",
    "Tree",
    "child_id",
    "is_integral",
    "taking_part",
]

ROOT = "Q"
INTEGRITY_THRESHOLD = 0.45  # Jung et al. 2022, section 3.1 and the reference implementation
Probability = Annotated[float, Ge(0.0), Le(1.0)]  # NaN fits neither bound
_NODE_ID = re.compile(r"Q(?:[TF]\d+)*")


def child_id(parent: str, side: bool, index: int) -> str:
    """The id of the ``index``-th explanation that the True (or False) prompt gave for ``parent``.

    >>> child_id("QT0", side=False, index=2)
    'QT0F2'
    """
    return f"{parent}{'T' if side else 'F'}{index}"


def is_integral(p_true: float | None, p_true_negation: float | None, threshold: float) -> bool:
    """Whether the model does not contradict itself: both beliefs known and further apart than ``threshold``.

    >>> is_integral(0.9, 0.1, 0.45), is_integral(0.9, 0.8, 0.45), is_integral(None, 0.1, 0.45)
    (True, False, False)
    """
    if p_true is None or p_true_negation is None:
        return False
    return abs(p_true - p_true_negation) > threshold


def taking_part(tree: Tree, *, pruned: bool = False) -> tuple[Proposition, ...]:
    """The propositions but the root that inference labels: the tree's, then with ``pruned`` those too."""
    nodes = (*tree.nodes, *(tree.pruned if pruned else ()))
    return tuple(node for node in nodes if node.parent is not None)


@dataclass(frozen=True, slots=True)
class Proposition:
    """A node: a statement, its negation and what the model believes of each.

    Attributes:
        id: place in the tree (see the module's scheme); ``parent`` is None for the root only.
        p_true: P(true | statement) in [0, 1], or None when the model never said true or false.
        p_true_negation: P(true | negation), likewise.
        integral: the model does not contradict itself on it (as recorded when it was grown).
    """

    id: str
    parent: str | None
    statement: str
    negation: str
    p_true: Probability | None = None
    p_true_negation: Probability | None = None
    integral: bool = False

    @property
    def side(self) -> bool | None:
        """True for a child of the True prompt, False for one of the False prompt, None for the root."""
        if self.parent is None:
            return None
        return self.id[len(self.parent)] == "T"

    @property
    def depth(self) -> int:
        """Steps from the root, which has depth 0."""
        return self.id.count("T") + self.id.count("F")


@dataclass(frozen=True, slots=True)
class Discard:
    """A text that the model gave and elicitation did not use.

    Attributes:
        parent: id of the proposition it was meant for.
        kind: "statement", "negation" or "explanation".
        side: of an explanation, the prompt it came from.
        text: the model's output, shortened to a few hundred characters.
        reason: one of the reasons listed in :mod:`maieutic.text`.
    """

    parent: str
    kind: str
    side: bool | None
    text: str
    reason: str


@dataclass(frozen=True)
class Tree:
    """What was grown for one question, pruned to the paths that end in an integral leaf.

    Attributes:
        question: as asked; ``statement`` is its declarative form, ``negation`` the statement's ("" if
            none could be had).
        nodes: the tree, as grown parents before children; empty when nothing was integral.
        answer: the gold answer where one is known.
        discarded: model output that was not used, and why.
        pruned: propositions whose paths end in no integral leaf, the root of an empty tree among them.

    Raises:
        InputError: two nodes share an id, a parent is missing, the parents form a cycle, or an id does
            not fit its parent. The message names the node.
    """

    question: str
    statement: str
    negation: str
    nodes: tuple[Proposition, ...]
    answer: bool | None = None
    discarded: tuple[Discard, ...] = ()
    pruned: tuple[Proposition, ...] = ()

    def __post_init__(self) -> None:
        _check_shape(self)

    @cached_property
    def by_id(self) -> Mapping[str, Proposition]:
        """The nodes by id."""
        return {node.id: node for node in self.nodes}

    @property
    def kind(self) -> str:
        """ "empty" (no node), "one-node" (the root alone) or "grown"."""
        return ("empty", "one-node", "grown")[min(len(self.nodes), 2)]

    @property
    def root(self) -> Proposition:
        """Q itself: from the nodes, else from the pruned ones, else with no belief known."""
        for node in (*self.nodes, *self.pruned):
            if node.parent is None:
                return node
        return Proposition(ROOT, None, self.statement, self.negation)

    def children(self, parent: str) -> Iterator[Proposition]:
        """The children of a node, in the order they were grown."""
        return (node for node in self.nodes if node.parent == parent)

    def to_json(self) -> str:
        """The tree as one line of JSON."""
        return dump_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Tree:
        """The inverse of :meth:`to_json`; ``answer``, ``discarded`` and ``pruned`` may be missing.

        Raises:
            InputError: not JSON, a field missing or of the wrong type, a probability outside [0, 1], or
                nodes that do not form a tree. The message names the field or node.
        """
        return parse_json(cls, text)


def _check_shape(tree: Tree) -> None:
    by_id: dict[str, Proposition] = {}
    for node in (*tree.nodes, *tree.pruned):
        if node.id in by_id:
            raise InputError(f"node {node.id} occurs twice; every node needs an id of its own")
        by_id[node.id] = node
    kept = {node.id for node in tree.nodes}
    for known, nodes in ((kept, tree.nodes), (by_id.keys(), tree.pruned)):
        for node in nodes:
            if node.parent is not None and node.parent not in known:
                raise InputError(f"node {node.id}: its parent {node.parent} is not in the tree")
    reaching: set[str] = set()  # nodes known to reach the root
    for node in by_id.values():
        reaching.update(_path_to_root(node, by_id, reaching))
    for node in by_id.values():
        if not _fits_parent(node):
            raise InputError(
                f"node {node.id}: the id does not fit the parent {node.parent}; "
                "children of X are XT0, XT1, … and XF0, XF1, …, and the root is Q"
            )


def _path_to_root(node: Proposition, by_id: Mapping[str, Proposition], reaching: set[str]) -> list[str]:
    path = {node.id: None}  # a dict for its order
    while (parent := node.parent) is not None and parent not in reaching:
        if parent in path:
            ids = list(path)
            cycle = " → ".join([*ids[ids.index(parent) :], parent])
            raise InputError(f"node {ids[0]}: its parents form a cycle, {cycle}")
        path[parent] = None
        node = by_id[parent]
    return list(path)


def _fits_parent(node: Proposition) -> bool:
    if _NODE_ID.fullmatch(node.id) is None:
        return False
    if node.parent is None:
        return node.id == ROOT
    return re.fullmatch(re.escape(node.parent) + r"[TF]\d+", node.id) is not None
