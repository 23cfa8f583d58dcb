"""Propositions and maieutic trees as frozen dataclasses, their node ids and their JSON form.

A node id spells the path from the root: ``Q`` is the root, ``QT0, QT1, …`` are its explanations from the
True prompt, ``QF0, …`` those from the False prompt, and ``QT0F0`` is an explanation of ``QT0`` from the
False prompt. A tree is one JSON object; a file of trees has one per line (``.jsonl`` or ``.jsonl.gz``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

from annotated_types import Ge, Le

from maieutic.errors import InputError
from maieutic.files.json_text import dump_json, parse_json
from maieutic.text import NO_VERDICT, shortened

__all__ = [
    "INTEGRITY_THRESHOLD",
    "ROOT",
    "Chain",
    "Discard",
    "GrowthStep",
    "Probability",
    "Proposition",
    "Tree",
    "child_id",
    "is_integral",
    "pruned",
    "taking_part",
]

ROOT = "Q"
INTEGRITY_THRESHOLD = 0.45  # Jung et al. 2022, section 3.1 and the reference implementation
Probability = Annotated[float, Ge(0.0), Le(1.0)]  # the bounds exclude NaN
_NODE_ID = re.compile(r"Q(?:[TF]\d+)*")


def child_id(parent: str, side: bool, index: int) -> str:
    """The id of explanation ``index`` of ``parent`` from the True prompt (``side``) or the False prompt.

    >>> child_id("QT0", side=False, index=2)
    'QT0F2'
    """
    return f"{parent}{'T' if side else 'F'}{index}"


def is_integral(p_true: float | None, p_true_negation: float | None, threshold: float) -> bool:
    """Whether both beliefs are known and differ by more than ``threshold`` (Jung et al. 2022, section 3.1).

    >>> is_integral(0.9, 0.1, 0.45), is_integral(0.9, 0.8, 0.45), is_integral(None, 0.1, 0.45)
    (True, False, False)
    """
    if p_true is None or p_true_negation is None:
        return False
    return abs(p_true - p_true_negation) > threshold


def taking_part(tree: Tree, *, pruned: bool = False) -> tuple[Proposition, ...]:
    """The explanations that inference labels: those in the tree and, with ``pruned``, the pruned ones."""
    nodes = (*tree.nodes, *(tree.pruned if pruned else ()))
    return tuple(node for node in nodes if node.parent is not None)


@dataclass(frozen=True, slots=True)
class Proposition:
    """A node: a statement, its negation and the model's belief in each.

    Attributes:
        id: position in the tree (see the module docstring).
        parent: id of the parent; None for the root only.
        p_true: P(true | statement) in [0, 1], or None if the model gave no verdict.
        p_true_negation: P(true | negation), likewise.
        integral: whether the beliefs were integral (:func:`is_integral`) when the tree was grown.
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
        """Number of edges from the root, which has depth 0."""
        return self.id.count("T") + self.id.count("F")


@dataclass(frozen=True, slots=True)
class Discard:
    """A model output that elicitation rejected.

    Attributes:
        parent: id of the proposition that the prompt was about; for an explanation, the one to explain.
        kind: "statement", "negation", "explanation" or "belief".
        side: for an explanation, True or False for the prompt that it answers; else None.
        text: the output, cut after 300 characters; "" where no text was generated.
        reason: one of the rejection constants of :mod:`maieutic.text`, such as ``UNFINISHED``.
    """

    parent: str
    kind: str
    side: bool | None
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of thought about Q.

    Attributes:
        text: what the model said before its verdict; "" if nothing.
        p_true: P(true) after the text, in [0, 1]; None if the model gave no verdict.
    """

    text: str
    p_true: Probability | None = None


@dataclass(frozen=True, slots=True)
class GrowthStep:
    """What one step of growing a tree cost and changed.

    Attributes:
        what: "root", "chain", or the id of the proposition that was explained.
        p_true: P(Q is true) after the step, in [0, 1]; None if it is not known.
        tokens: generated in the step; ``calls`` of the language model.
    """

    what: str
    p_true: Probability | None
    tokens: int
    calls: int

    @property
    def confidence(self) -> float:
        """P of the likelier answer after the step, in [0.5, 1]; 0 where it is not known."""
        return 0.0 if self.p_true is None else max(self.p_true, 1.0 - self.p_true)


@dataclass(frozen=True)
class Tree:
    """The tree of one question, whole or pruned to the paths that end in an integral leaf.

    Attributes:
        question: as the user asked it.
        statement: its declarative form.
        negation: the negation of the statement; "" if the model gave no usable one.
        nodes: the propositions that were kept; elicitation puts parents before children. Empty if no
            leaf is integral.
        answer: the gold answer, if known.
        discarded: the model outputs that elicitation rejected, with reasons.
        pruned: the propositions on no path to an integral leaf, including the root of an empty tree.
        chain: a chain of thought about Q, if there is one.

    Raises:
        InputError: two nodes share an id, a parent is missing, the parents form a cycle, or an id does
            not match its parent. ``subject`` is the id of the node.
    """

    question: str
    statement: str
    negation: str
    nodes: tuple[Proposition, ...]
    answer: bool | None = None
    discarded: tuple[Discard, ...] = ()
    pruned: tuple[Proposition, ...] = ()
    chain: Chain | None = None

    def __post_init__(self) -> None:
        _check_shape(self)

    def __repr__(self) -> str:
        """One line, without the nodes."""
        counts = f"{len(self.nodes)} nodes, {len(self.pruned)} pruned, {len(self.discarded)} discarded"
        return f"<Tree {counts}: {shortened(self.statement)}>"

    @cached_property
    def by_id(self) -> Mapping[str, Proposition]:
        """The nodes by id, without the pruned ones."""
        return {node.id: node for node in self.nodes}

    @property
    def kind(self) -> str:
        """ "empty" (no node), "one-node" (the root only) or "grown"."""
        return ("empty", "one-node", "grown")[min(len(self.nodes), 2)]

    @property
    def judged(self) -> bool:
        """False if the model was asked for its beliefs and gave none, neither in Q nor in an explanation."""
        if any(node.p_true is not None for node in (*self.nodes, *self.pruned)):
            return True
        return not any(item.reason == NO_VERDICT for item in self.discarded)

    @property
    def root(self) -> Proposition:
        """The root: from the nodes, else from the pruned nodes, else built with unknown beliefs."""
        for node in (*self.nodes, *self.pruned):
            if node.parent is None:
                return node
        return Proposition(ROOT, None, self.statement, self.negation)

    def children(self, parent: str) -> Iterator[Proposition]:
        """The children of a node, in the order of ``nodes``."""
        return (node for node in self.nodes if node.parent == parent)

    def to_json(self) -> str:
        """The tree as one line of JSON."""
        return dump_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Tree:
        """The inverse of :meth:`to_json`; ``answer``, ``discarded`` and ``pruned`` may be missing.

        Raises:
            InputError: the text is not JSON, a field is missing or has the wrong type, a probability is
                outside [0, 1], or the nodes do not form a tree. ``subject`` is the field or node id.
        """
        return parse_json(cls, text)


def pruned(tree: Tree) -> Tree:
    """The tree with the paths to integral leaves as nodes (paper, section 3.2); the rest is ``pruned``."""
    parents = {node.parent for node in tree.nodes}
    kept: set[str] = set()
    for leaf in tree.nodes:
        if leaf.id in parents or not leaf.integral:
            continue
        node: Proposition | None = leaf
        while node is not None and node.id not in kept:
            kept.add(node.id)
            node = tree.by_id[node.parent] if node.parent is not None else None
    return replace(
        tree,
        nodes=tuple(node for node in tree.nodes if node.id in kept),
        pruned=(*tree.pruned, *(node for node in tree.nodes if node.id not in kept)),
    )


def _check_shape(tree: Tree) -> None:
    by_id: dict[str, Proposition] = {}
    for node in (*tree.nodes, *tree.pruned):
        if node.id in by_id:
            raise InputError(f"node {node.id} occurs twice; give each node a unique id", subject=node.id)
        by_id[node.id] = node
    node_ids = {node.id for node in tree.nodes}
    for parent_ids, nodes in ((node_ids, tree.nodes), (by_id.keys(), tree.pruned)):
        for node in nodes:
            if node.parent is not None and node.parent not in parent_ids:
                raise InputError(
                    f"node {node.id}: its parent {node.parent} is not in the tree; add it or remove the node",
                    subject=node.id,
                )
    connected: set[str] = set()  # ids of nodes whose path to the root was followed
    for node in by_id.values():
        connected.update(_path_to_root(node, by_id, connected))
    for node in by_id.values():
        if not _id_matches_parent(node):
            raise InputError(
                f"node {node.id}: the id does not match the parent {node.parent}; name the root Q and "
                "the children of X XT0, XT1, … and XF0, XF1, …",
                subject=node.id,
            )


def _path_to_root(node: Proposition, by_id: Mapping[str, Proposition], connected: set[str]) -> list[str]:
    path = {node.id: None}  # an ordered set
    while (parent := node.parent) is not None and parent not in connected:
        if parent in path:
            ids = list(path)
            cycle = " → ".join([*ids[ids.index(parent) :], parent])
            raise InputError(
                f"node {ids[0]}: its parents form a cycle, {cycle}; correct a parent", subject=ids[0]
            )
        path[parent] = None
        node = by_id[parent]
    return list(path)


def _id_matches_parent(node: Proposition) -> bool:
    if _NODE_ID.fullmatch(node.id) is None:
        return False
    if node.parent is None:
        return node.id == ROOT
    return re.fullmatch(re.escape(node.parent) + r"[TF]\d+", node.id) is not None
