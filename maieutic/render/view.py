"""What every picture of an answer needs: what was flipped, who agrees with whom, and plain data for pages.

Text is passed through :func:`maieutic.render.text.printable` here, once, so that no control character or
change of writing direction reaches a picture; escaping for HTML, DOT or Mermaid is each format's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maieutic.answer import Answer
from maieutic.inference.graph import Literal
from maieutic.render.text import printable
from maieutic.tree import ROOT, Discard, Proposition

__all__ = [
    "Bond",
    "beliefs",
    "bonds",
    "caption",
    "flipped",
    "view_of",
]

KINDS = ("belief", "entailment", "contradiction", "tree", "bias")  # the order that tree_view.js knows
P_DIGITS = 4  # decimals of a probability in the data of a page
WEIGHT_DIGITS = 6  # significant digits of a weight there


@dataclass(frozen=True, slots=True)
class Bond:
    """What the verifier's relations between two propositions come to, whatever their direction and form.

    Attributes:
        one, other: ids of propositions, in the order of the tree.
        agrees: whether it asks for the same label on both, or for different ones.
        weight: of all constraints that ask this; ``overruled`` the part of it that the labels violate.
    """

    one: str
    other: str
    agrees: bool
    weight: float
    overruled: float


def flipped(answer: Answer) -> Mapping[str, float]:
    """Propositions whose label is not what the model believes of them, with the weight of that belief."""
    return {c.source.id: c.weight for c in answer.verdict.broken if c.kind == "belief"}


def bonds(answer: Answer) -> tuple[Bond, ...]:
    """The relations that were weighed, added up for each pair of propositions; the heaviest first."""
    place = {node.id: index for index, node in enumerate(answer.propositions)}
    broken = set(answer.verdict.violated)
    sums: dict[tuple[str, str, bool], tuple[float, float]] = {}
    for index, constraint in enumerate(answer.verdict.constraints):
        source, target = constraint.source, constraint.target
        if constraint.kind not in ("entailment", "contradiction") or target is None:
            continue
        one, other = sorted((source.id, target.id), key=place.__getitem__)
        same_sign = source.positive == target.positive
        key = (one, other, same_sign == (constraint.kind == "entailment"))
        weight, overruled = sums.get(key, (0.0, 0.0))
        sums[key] = (weight + constraint.weight, overruled + constraint.weight * (index in broken))
    found = [Bond(*key, *values) for key, values in sums.items() if key[0] != key[1]]
    return tuple(sorted(found, key=lambda bond: -bond.weight))


def caption(answer: Answer) -> str:
    """The decision in one line: "TRUE, P(true) 0.81, margin 1.47 nats"."""
    p = "" if answer.p_true is None else f" P(true) {answer.p_true:.2f},"
    decision = f"{'UNSURE, rather ' if answer.unsure else ''}{str(answer.answer).upper()}"
    return f"{decision},{p} margin {answer.margin:.2f} {answer.verdict.margin_unit}"


def beliefs(node: Proposition) -> str:
    """What the model believes of a proposition, in the words of the terminal; that an assumption is one."""
    if node.parent is None and node.id != ROOT:
        return "assumed"
    p, p_negation = ("unknown" if p is None else f"{p:.2f}" for p in (node.p_true, node.p_true_negation))
    return f"P(true) {p}, of its negation {p_negation}, {'integral' if node.integral else 'wavers'}"


def view_of(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON data, small enough for a page with thousands, drawn by ``tree_view.js``.

    ``nodes`` begin with the root; a ``parent`` is a place in ``nodes`` followed by ``pruned``. A
    constraint is [kind, source, target, weight, p]: ``kind`` counts belief, entailment, contradiction,
    tree, bias; a form is ± (1 + its place), 0 for none; ``p`` is the verifier's probability of a
    relation. ``broken`` lists the violated ones; of the neutral pairs there is only the number. A node's
    ``weighed`` is its statement's probability in the whole tree, ``strength`` that of argumentation, ``same``
    the form it was merged with. The
    last ``assumed`` nodes are assumptions, and ``clashes`` the relations among these that are denied. What
    is false, unknown or empty is left out.
    """
    tree, verdict = answer.tree, answer.verdict
    nodes = answer.propositions
    pruned = tuple(n for n in tree.pruned if n.parent is not None and n.id not in answer.labels)
    place = {node.id: index for index, node in enumerate((*nodes, *pruned))}
    view: dict[str, Any] = {
        "statement": printable(answer.statement),
        "answer": answer.answer,
        "margin": _rounded(answer.margin),
        "unit": verdict.margin_unit,
        "inference": verdict.inference,
        "kind": tree.kind,
        "nodes": [_kept(answer, node, place) for node in nodes],
        "pruned": [_node(node, place, {}, {}) for node in pruned],
        "constraints": list(_constraints(answer, place)),
        "broken": list(verdict.violated),
        "neutral": sum(relation.kind == "neutral" for relation in answer.graph.relations),
        "cost": _rounded(verdict.cost),
        "bound": _rounded(verdict.lower_bound),
        "optimal": verdict.optimal,
        "models": [printable(answer.models.lm or ""), *_made_by(answer)],
        "seconds": [_rounded(s) for s in _seconds(answer)],
        "discarded": [_discard(item) for item in tree.discarded],
    }
    if answer.question != answer.statement:
        view["question"] = printable(answer.question)
    if tree.answer is not None:
        view["gold"] = tree.answer
    if answer.p_true is not None:
        view["p"] = round(answer.p_true, P_DIGITS)
    if verdict.flip is not None:
        view["flip"] = list(verdict.flip)
    if answer.unsure:
        view["unsure"] = True
    if verdict.assumptions:
        view["assumed"] = len(verdict.assumptions)  # the last of the nodes
    if verdict.clashes:
        view["clashes"] = [verdict.constraints.index(c) for c in verdict.clashes]
    if verdict.votes is not None:
        view["votes"] = [[_number(literal, place), vote] for literal, vote in verdict.votes.items()]
    return view


def _kept(answer: Answer, node: Proposition, place: Mapping[str, int]) -> dict[str, Any]:
    found = _node(node, place, answer.labels, answer.verdict.p_labels or {})
    strengths = answer.verdict.strengths or {}
    if node.id in strengths:
        found["strength"] = round(strengths[node.id], P_DIGITS)
    if node.parent is not None and node.id not in answer.tree.by_id:
        found["pruned"] = True
    if twin := answer.verdict.twin(node.id):
        found["same"] = str(twin)
    return found


def _node(
    node: Proposition, place: Mapping[str, int], labels: Mapping[str, bool], weighed: Mapping[str, float]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": node.id,
        "text": printable(node.statement),
        "not": printable(node.negation),
        "p": [None if p is None else round(p, P_DIGITS) for p in (node.p_true, node.p_true_negation)],
    }
    if node.parent is not None:
        found |= {"parent": place[node.parent], "side": node.side}
    if node.integral:
        found["integral"] = True
    if node.id in labels:
        found["label"] = labels[node.id]
    if node.id in weighed and node.parent is not None:
        found["weighed"] = round(weighed[node.id], P_DIGITS)
    return found


def _constraints(answer: Answer, place: Mapping[str, int]) -> Iterator[list[float | None]]:
    for c in answer.verdict.constraints:
        target = 0 if c.target is None else _number(c.target, place)
        row = [KINDS.index(c.kind), _number(c.source, place), target, _rounded(c.weight)]
        relation = None if c.target is None else answer.graph.by_pair.get((c.source, c.target))
        if relation is not None and c.kind in ("entailment", "contradiction"):
            p = relation.entailment if c.kind == "entailment" else relation.contradiction
            row.append(round(p, P_DIGITS))
        yield row


def _number(literal: Literal, place: Mapping[str, int]) -> int:
    number = 1 + place[literal.id]
    return number if literal.positive else -number


def _made_by(answer: Answer) -> tuple[str, str]:
    return printable(answer.models.verifier), printable(answer.verdict.solver)


def _seconds(answer: Answer) -> tuple[float, float, float]:
    return answer.seconds.elicit, answer.seconds.relate, answer.seconds.solve


def _discard(item: Discard) -> list[str | bool | None]:
    side = item.side
    return [printable(item.parent), printable(item.kind), side, printable(item.text), printable(item.reason)]


def _rounded(value: float) -> float | None:
    """Few digits, since a page holds very many numbers; JSON has no word for infinity."""
    return float(f"{value:.{WEIGHT_DIGITS}g}") if math.isfinite(value) else None
