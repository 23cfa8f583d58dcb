"""What all pictures of an answer share: flipped beliefs, sums of relations, and plain data for pages.

Text passes through :func:`maieutic.render.text.printable` here, once, so that no control character or change
of writing direction reaches a picture. Each format escapes the text for HTML, DOT or Mermaid itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maieutic.config import PROBABILITIES
from maieutic.inference.constraints import Constraint
from maieutic.inference.graph import Literal
from maieutic.reasoning import NO_VERIFIER, Reasoning
from maieutic.render.memory import memory_lines
from maieutic.render.text import beliefs, growth, printable, priors_line
from maieutic.render.whatif import whatif_of
from maieutic.tree import Discard, Proposition

__all__ = [
    "Bond",
    "bonds",
    "caption",
    "flipped",
    "notes",
    "view_of",
]

KINDS = (
    "belief",
    "entailment",
    "contradiction",
    "tree",
    "chain",
    "bias",
    "claim",
    "names",
    "memory",
)  # as in tree_data.js
P_DIGITS = 4  # decimals of a probability in the data of a page
WEIGHT_DIGITS = 12  # significant digits of a weight there: the page computes with them


@dataclass(frozen=True, slots=True)
class Bond:
    """The sum of the verifier's relations between two propositions, over both directions and all forms.

    Attributes:
        one, other: ids of propositions, in the order of the tree.
        agrees: whether the relations ask for the same label on both, or for different ones.
        weight: of all these constraints; ``overruled`` is the part of it that the labels violate.
    """

    one: str
    other: str
    agrees: bool
    weight: float
    overruled: float


def flipped(answer: Reasoning) -> Mapping[str, float]:
    """Ids of propositions with a label against the model's belief → the weight of that belief."""
    return {c.source.id: c.weight for c in answer.verdict.broken if c.kind == "belief"}


def bonds(answer: Reasoning) -> tuple[Bond, ...]:
    """The weighted relations, added up for each pair of propositions; the heaviest first."""
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
    pairs = [Bond(*key, *values) for key, values in sums.items() if key[0] != key[1]]
    return tuple(sorted(pairs, key=lambda bond: -bond.weight))


def caption(answer: Reasoning) -> str:
    """The decision in one line: "TRUE, after reasoning 0.81, margin 1.47 nats"."""
    p = "" if answer.p_true is None else f" after reasoning {answer.p_true:.2f},"
    decision = f"{'UNSURE, rather ' if answer.unsure else ''}{str(answer.answer).upper()}"
    return f"{decision},{p} margin {answer.margin:.2f} {answer.verdict.margin_unit}"


def notes(answer: Reasoning, node: Proposition) -> str:
    """The model's beliefs in a proposition, and its strength where inference gives one."""
    strength = (answer.verdict.strengths or {}).get(node.id)
    return beliefs(node) + ("" if strength is None else f"; strength {strength:.2f}")


def view_of(answer: Reasoning) -> dict[str, Any]:
    """The answer as plain JSON data that ``tree_view.js`` draws, small enough for a page with thousands.

    ``nodes`` begin with the root; a ``parent`` is an index in ``nodes`` followed by ``pruned``. A constraint
    is [kind, source, target, weight, p, other]: ``kind`` is an index in :data:`KINDS`; a form is ± (1 + the
    index of its node), 0 for none; ``p`` is the verifier's probability of the relation; ``other`` is a second
    source. ``broken`` are indices of the
    violated constraints, ``clashes`` of those between assumptions; ``neutral`` counts the neutral pairs. A
    node's ``weighed`` is P(its statement is true) in the whole tree, ``strength`` its strength in
    argumentation, ``same`` the form that it was merged with. The last ``assumed`` nodes are assumptions, the
    ``recalled`` nodes before them those of a memory.
    ``whatif`` is what :mod:`maieutic.render.whatif` says.
    Values that are false, unknown or empty are left out.
    """
    tree, verdict, seconds = answer.tree, answer.verdict, answer.seconds
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
        "nodes": [_inferred(answer, node, place) for node in nodes],
        "pruned": [_node(node, place, {}, {}) for node in pruned],
        "constraints": list(_constraints(answer, place)),
        "broken": list(verdict.violated),
        "neutral": sum(relation.kind == "neutral" for relation in answer.graph.relations),
        "cost": _rounded(verdict.cost),
        "bound": _rounded(verdict.lower_bound),
        "optimal": verdict.optimal,
        "models": _models(answer),
        "seconds": [_rounded(s) for s in (seconds.elicit, seconds.relate, seconds.solve)],
        "discarded": [_discard(item) for item in tree.discarded],
        "whatif": whatif_of(answer),
    }
    if answer.question != answer.statement:
        view["question"] = printable(answer.question)
    if tree.answer is not None:
        view["gold"] = tree.answer
    if answer.p_true is not None:
        view["p"] = round(answer.p_true, P_DIGITS)
    if verdict.flip is not None:
        view["flip"] = list(verdict.flip)
    if tree.chain is not None and tree.chain.text:
        view["chain"] = {"text": printable(tree.chain.text), "p": tree.chain.p_true}
    if steps := growth(answer):
        view["growth"] = steps
    said = {"warnings": list(answer.warnings), "memory": list(memory_lines(answer.memory))}
    view |= {name: lines for name, lines in said.items() if lines}
    if answer.unsure:
        view["unsure"] = True
    for name, brought in (("assumed", verdict.assumptions), ("recalled", verdict.recalled)):
        if brought:
            view[name] = len(brought)  # the last of the nodes, and those before
    if verdict.clashes:
        view["clashes"] = [verdict.constraints.index(c) for c in verdict.clashes]
    if verdict.votes is not None:
        view["votes"] = [[_number(literal, place), vote] for literal, vote in verdict.votes.items()]
    return view


def _inferred(answer: Reasoning, node: Proposition, place: Mapping[str, int]) -> dict[str, Any]:
    """A node that took part in inference."""
    row = _node(node, place, answer.labels, answer.verdict.p_labels or {})
    strengths = answer.verdict.strengths or {}
    if node.id in strengths:
        row["strength"] = round(strengths[node.id], P_DIGITS)
    if node.parent is not None and node.id not in answer.tree.by_id:
        row["pruned"] = True
    if twin := answer.verdict.twin(node.id):
        row["same"] = str(twin)
    return row


def _node(
    node: Proposition, place: Mapping[str, int], labels: Mapping[str, bool], weighed: Mapping[str, float]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": node.id,
        "text": printable(node.statement),
        "not": printable(node.negation),
        "p": [None if p is None else round(p, P_DIGITS) for p in (node.p_true, node.p_true_negation)],
    }
    if node.parent is not None:
        row |= {"parent": place[node.parent], "side": node.side}
    if node.integral:
        row["integral"] = True
    if node.id in labels:
        row["label"] = labels[node.id]
    if node.id in weighed and node.parent is not None:
        row["weighed"] = round(weighed[node.id], P_DIGITS)
    return row


def _constraints(answer: Reasoning, place: Mapping[str, int]) -> Iterator[list[float | None]]:
    for c in answer.verdict.constraints:
        target = 0 if c.target is None else _number(c.target, place)
        row = [KINDS.index(c.kind), _number(c.source, place), target, _rounded(c.weight)]
        p = _probability(answer, c)
        if p is not None or c.other is not None:
            row.append(p)
        if c.other is not None:
            row.append(_number(c.other, place))
        yield row


def _probability(answer: Reasoning, constraint: Constraint) -> float | None:
    """The verifier's probability of a relation; None for a constraint of another kind."""
    if constraint.kind not in ("entailment", "contradiction") or constraint.target is None:
        return None
    relation = answer.graph.relation(constraint.source, constraint.other, constraint.target)
    if relation is None:
        return None
    return round(relation.entailment if constraint.kind == "entailment" else relation.contradiction, P_DIGITS)


def _number(literal: Literal, place: Mapping[str, int]) -> int:
    number = 1 + place[literal.id]
    return number if literal.positive else -number


def _models(answer: Reasoning) -> list[str]:
    """Language model, verifier and solver; "" for one that was not used or is not known."""
    verifier = "" if answer.models.verifier == NO_VERIFIER else answer.models.verifier
    lm = answer.models.lm or ""
    if answer.belief_source not in (None, PROBABILITIES):
        lm += f" (beliefs: {answer.belief_source})"
    if answer.models.priors is not None:
        lm += f" ({priors_line(answer.models.priors)})"
    return list(map(printable, (lm, verifier, answer.verdict.solver)))


def _discard(item: Discard) -> list[str | bool | None]:
    side = item.side
    return [printable(item.parent), printable(item.kind), side, printable(item.text), printable(item.reason)]


def _rounded(value: float) -> float | None:
    """Not all digits, since a page holds many numbers; None for infinity and NaN, which JSON lacks."""
    return float(f"{value:.{WEIGHT_DIGITS}g}") if math.isfinite(value) else None
