"""An answer for Graphviz: the tree of explanations, and the heaviest of the verifier's relations.

Every text is in a quoted string, with ``"``, the backslash (Graphviz's own escape) and ``&`` (it reads HTML
entities) escaped. No attribute holds a link.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from maieutic.reasoning import Reasoning
from maieutic.render.text import printable
from maieutic.render.view import Bond, bonds, caption, flipped, notes
from maieutic.tree import Proposition

__all__ = ["SHOWN_BONDS", "render_dot"]

SHOWN_BONDS = 24  # more lines across a tree make it unreadable
WRAPPED = 44  # characters of a statement on one line
TRUE, FALSE, UNKNOWN, DIM = "#0b6b75", "#a8431b", "#6b6f76", "#5d6168"

_HEAD = """\
digraph answer {
  graph [rankdir=LR, nodesep=0.25, ranksep=0.9, fontname="Helvetica", fontsize=12, labelloc=t, labeljust=l];
  node [shape=box, fillcolor="#ffffff", fontname="Helvetica", fontsize=11, margin="0.14,0.09"];
  edge [fontname="Helvetica", fontsize=9, color="#9a9da3", fontcolor="#5d6168"];
"""


def render_dot(answer: Reasoning, shown: int = SHOWN_BONDS) -> str:
    """The answer as a DOT digraph with the ``shown`` heaviest relations and their total number."""
    relations = bonds(answer)
    title = [*_wrapped(answer.statement, 2 * WRAPPED), _quoted(caption(answer))]
    if len(relations) > shown:
        title.append(_quoted(f"the {shown} heaviest of {len(relations)} relations"))
    lines = [f'  label="{_joined(title)}";']
    overruled = flipped(answer)
    lines += [_node(answer, node, node.id in overruled) for node in answer.propositions]
    lines += _tree_edges(answer)
    lines += map(_bond, relations[:shown])
    return _HEAD + "\n".join(lines) + "\n}\n"


def _node(answer: Reasoning, node: Proposition, overruled: bool) -> str:
    label = answer.labels.get(node.id)
    word, colour = {True: ("true", TRUE), False: ("false", FALSE), None: ("?", UNKNOWN)}[label]
    head = f"{node.id}  {word}{', flipped' if overruled else ''}"
    text = _joined([_quoted(head), *_wrapped(node.statement), _quoted(notes(answer, node))])
    style = "rounded,filled,dashed" if label is False else "rounded,filled"
    width = 2.2 if node.parent is None else 1.2
    return f'  "{node.id}" [label="{text}", color="{colour}", style="{style}", penwidth={width}];'


def _tree_edges(answer: Reasoning) -> Iterator[str]:
    for node in answer.propositions:
        if node.parent is not None:
            because = f"{node.side}, because"
            yield f'  "{node.parent}" -> "{node.id}" [label="{because}", penwidth=1.2, arrowhead=none];'


def _bond(bond: Bond) -> str:
    word, colour = ("agree", TRUE) if bond.agrees else ("disagree", FALSE)
    overruled = f" ({bond.overruled:.2f} overruled)" if bond.overruled else ""
    return (
        f'  "{bond.one}" -> "{bond.other}" [label="{word} {bond.weight:.2f}{overruled}", color="{colour}", '
        f'fontcolor="{colour}", style={"dotted" if overruled else "dashed"}, dir=none, constraint=false];'
    )


def _wrapped(text: str, width: int = WRAPPED) -> list[str]:
    """Lines of a quoted string; wrapped first and escaped then, so that no escape is split."""
    return [_quoted(line) for line in textwrap.wrap(printable(text), width)]


def _joined(lines: list[str]) -> str:
    return "".join(rf"{line}\l" for line in lines)  # \l ends a line and sets it flush left


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
