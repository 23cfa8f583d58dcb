"""An answer as a Mermaid flowchart: the tree of explanations, and the heaviest of the verifier's relations.

In Mermaid text a quote, a backtick, ``%%{init}`` or a Markdown list can change what a diagram does. Letters,
digits, spaces and a little punctuation stay as they are; every other character becomes ``#NNN;``, Mermaid's
character reference. Mermaid interprets a few sequences even then; a zero-width space separates their
characters. The diagram has no ``click``, ``href`` or ``style`` line.
"""

from __future__ import annotations

import re

from maieutic.reasoning import Reasoning
from maieutic.render.text import printable
from maieutic.render.view import Bond, bonds, caption, flipped, notes
from maieutic.tree import Proposition

__all__ = ["SHOWN_BONDS", "render_mermaid"]

SHOWN_BONDS = 12  # Mermaid lays out relations like edges of the tree; more of them would distort it
# A line break, a formula, an icon, and Mermaid's own mark of an escaped character (seen in 11.17).
_MEANT = re.compile(r"\\(?=n)|\$(?=\$)|:(?=fa-)|ﬂ(?=°)|¶(?=ß)")
_PLAIN = " ,.()"
_CLASSES = """\
  classDef default fill:#ffffff,color:#1d1f23,stroke-width:2px,text-align:left
  classDef held stroke:#0b6b75
  classDef rejected stroke:#a8431b,stroke-dasharray:6 3
  classDef unknown stroke:#6b6f76
"""


def render_mermaid(answer: Reasoning, shown: int = SHOWN_BONDS) -> str:
    """The answer as Mermaid text with the ``shown`` heaviest relations and their total number."""
    relations = bonds(answer)
    nodes = answer.propositions
    names = {node.id: node.id if node.id.isascii() else f"n{place}" for place, node in enumerate(nodes)}
    overruled = flipped(answer)
    lines = [f"  {names[node.id]}{_node(answer, node, node.id in overruled)}" for node in nodes]
    lines += [
        f'  {names[node.parent]} ---|"{node.side}, because"| {names[node.id]}'
        for node in nodes
        if node.parent is not None
    ]
    lines += [f'  {names[bond.one]} -.-|"{_bond(bond)}"| {names[bond.other]}' for bond in relations[:shown]]
    head = f"flowchart LR\n  %% {caption(answer)}\n"
    if len(relations) > shown:
        head += f"  %% the {shown} heaviest of {len(relations)} relations\n"
    return head + _CLASSES + "\n".join(lines) + "\n"


def _node(answer: Reasoning, node: Proposition, overruled: bool) -> str:
    label = answer.labels.get(node.id)
    word, kind = {True: ("true", "held"), False: ("false", "rejected"), None: ("?", "unknown")}[label]
    head = f"{node.id} {word}{', flipped' if overruled else ''}"
    parts = "<br/>".join(map(_escaped, (head, printable(node.statement), notes(answer, node))))
    return f'["{parts}"]:::{kind}'


def _bond(bond: Bond) -> str:
    word = "agree" if bond.agrees else "disagree"
    overruled = f" ({bond.overruled:.2f} overruled)" if bond.overruled else ""
    return _escaped(f"{word} {bond.weight:.2f}{overruled}")


def _escaped(text: str) -> str:
    """The text with every character that Mermaid, or Markdown in it, could interpret as #NNN;.

    >>> _escaped('He said "3. `ice`".')
    'He said #34;3#46; #96;ice#96;#34;.'
    """
    parted = _MEANT.sub("\\g<0>\u200b", text)
    spelled = "".join(c if c in _PLAIN or (c.isalnum() and c not in "ﬂß") else f"#{ord(c)};" for c in parted)
    return re.sub(r"(?<=\d)[.)](?!\d)", lambda match: f"#{ord(match[0])};", spelled)  # "3. " begins a list
