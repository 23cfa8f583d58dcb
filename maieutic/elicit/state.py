"""A tree while it grows, and the finished one with what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from maieutic.text import well_formed
from maieutic.tree import Chain, Discard, GrowthStep, Proposition, Tree
from maieutic.usage import Usage

__all__ = ["Draft", "Growing", "Growth"]

KEPT_CHARS = 300  # length limit of a discarded text in the tree


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree, and the cost of growing it.

    Attributes:
        seconds: wall-clock time; trees that grow together share the time of a step equally.
        lm: name of the model that grew the tree; None if it is not known.
        belief_source: where the model's beliefs come from; None if it is not known.
        steps: of anytime growth, in their order.
        warnings: what makes an answer from the tree doubtful, one sentence each.
    """

    tree: Tree
    usage: Usage = Usage()  # noqa: RUF009 - frozen
    seconds: float = 0.0
    lm: str | None = None
    belief_source: str | None = None
    steps: tuple[GrowthStep, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Growing:
    """A tree that is growing; :class:`Growth` holds the finished tree."""

    question: str
    statement: str
    negation: str = ""
    nodes: list[Proposition] = field(default_factory=list)
    discarded: list[Discard] = field(default_factory=list)
    chain: Chain | None = None
    usage: Usage = field(default=Usage())
    steps: list[GrowthStep] = field(default_factory=list)

    def discard(self, parent: str, kind: str, text: str, reason: str, side: bool | None = None) -> None:
        """Note a text that was rejected."""
        self.discarded.append(Discard(parent, kind, side, well_formed(text[:KEPT_CHARS]), reason))

    def children(self, parent: str, side: bool) -> list[str]:
        """The statements of one side of a proposition."""
        start = f"{parent}{'T' if side else 'F'}"
        return [n.statement for n in self.nodes if n.parent == parent and n.id.startswith(start)]

    def tree(self) -> Tree:
        """The tree as it is, without pruning."""
        return Tree(
            self.question,
            self.statement,
            self.negation,
            tuple(self.nodes),
            discarded=tuple(self.discarded),
            chain=self.chain,
        )

    def note(self, what: str, p_true: float | None) -> None:
        """Note a step that has just ended; it took what no earlier step took."""
        tokens = self.usage.generated_tokens - sum(step.tokens for step in self.steps)
        calls = self.usage.calls - sum(step.calls for step in self.steps)
        self.steps.append(GrowthStep(what, p_true, tokens, calls))


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposition before its belief is known."""

    tree: Growing
    id: str
    parent: str | None
    statement: str
    negation: str = ""


def count_trees(trees: Sequence[Growing]) -> int:
    """How many different trees these are."""
    return len({id(tree) for tree in trees})
