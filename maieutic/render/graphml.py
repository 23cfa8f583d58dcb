"""An answer as GraphML, for networkx, Gephi or Cytoscape: all of it, with typed attributes.

Nodes are the propositions, pruned ones included. Edges are of two kinds: "tree", from a child to its parent,
and the verifier's relations, one for each scored ordered pair of forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maieutic.reasoning import Reasoning
from maieutic.render.text import printable
from maieutic.render.view import flipped
from maieutic.tree import Proposition

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.MultiDiGraph[str]

__all__ = ["graph_of", "render_graphml"]


def render_graphml(answer: Reasoning) -> str:
    """The graph of :func:`graph_of` as GraphML, which ``networkx.read_graphml`` reads back."""
    import networkx as nx  # noqa: PLC0415 - keeps `import maieutic` light

    return "\n".join(nx.generate_graphml(graph_of(answer), named_key_ids=True)) + "\n"


def graph_of(answer: Reasoning) -> Graph:
    """The answer as a networkx multigraph of propositions; unknown values have no attribute."""
    import networkx as nx  # noqa: PLC0415

    graph: Graph = nx.MultiDiGraph(**_attributes(answer))
    if answer.p_true is not None:
        graph.graph["p_true"] = float(answer.p_true)
    overruled, verdict = flipped(answer), answer.verdict
    pruned = {node.id for node in answer.tree.pruned if node.parent is not None}
    for node in answer.propositions:
        label: dict[str, Any] = {"label": answer.labels[node.id]} if node.id in answer.labels else {}
        for name, values in (("weighed", verdict.p_labels), ("strength", verdict.strengths)):
            if node.id in (values or {}):
                label[name] = float((values or {})[node.id])
        graph.add_node(
            node.id, **_node(node), **label, flipped=node.id in overruled, pruned=node.id in pruned
        )
    for node in answer.tree.pruned:
        if node.parent is not None and node.id not in graph:
            graph.add_node(node.id, **_node(node), flipped=False, pruned=True)
    _add_tree(graph, answer)
    _add_relations(graph, answer)
    return graph


def _attributes(answer: Reasoning) -> dict[str, Any]:
    models, verdict = answer.models, answer.verdict
    return {
        "question": printable(answer.question),
        "statement": printable(answer.statement),
        "answer": answer.answer,
        "margin": float(answer.margin),
        "unsure": answer.unsure,
        "margin_unit": verdict.margin_unit,
        "inference": verdict.inference,
        "cost": float(verdict.cost),
        "lower_bound": float(verdict.lower_bound),
        "optimal": verdict.optimal,
        "lm": printable(models.lm or ""),
        "verifier": printable(models.verifier),
        "solver": printable(verdict.solver),
        "seconds": float(answer.seconds.total),
    }


def _node(node: Proposition) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "text": printable(node.statement),
        "negation": printable(node.negation),
        "depth": node.depth,
        "integral": node.integral,
        "assumed": node.parent is None and node.id.startswith("A"),
        "remembered": node.parent is None and node.id.startswith("M"),
    }
    for name, p in (("p_true", node.p_true), ("p_true_negation", node.p_true_negation)):
        if p is not None:
            attributes[name] = float(p)
    return attributes


def _add_tree(graph: Graph, answer: Reasoning) -> None:
    weights = {c.source.id: c.weight for c in answer.verdict.constraints if c.kind == "tree"}
    broken = {c.source.id for c in answer.verdict.broken if c.kind == "tree"}
    for node in (*answer.tree.nodes, *answer.tree.pruned):
        if node.parent is not None:
            graph.add_edge(
                node.id,
                node.parent,
                key=f"tree:{node.id}",
                kind="tree",
                prompt=f"{node.side}, because",
                weight=float(weights.get(node.id, 0.0)),
                overruled=node.id in broken,
            )


def _add_relations(graph: Graph, answer: Reasoning) -> None:
    """``source_form`` and ``target_form`` tell a statement (QT0) from its negation (¬QT0)."""
    weighed = {
        (c.source, c.target): (float(c.weight), index)
        for index, c in enumerate(answer.verdict.constraints)
        if c.kind in ("entailment", "contradiction")
    }
    broken = set(answer.verdict.violated)
    for relation in answer.graph.relations:
        source, target = relation.source, relation.target
        weight, index = weighed.get((source, target), (0.0, -1))
        graph.add_edge(
            source.id,
            target.id,
            key=f"relation:{source}:{target}",
            kind=relation.kind,
            source_form=str(source),
            target_form=str(target),
            entailment=float(relation.entailment),
            neutral=float(relation.neutral),
            contradiction=float(relation.contradiction),
            weight=weight,
            overruled=index in broken,
        )
