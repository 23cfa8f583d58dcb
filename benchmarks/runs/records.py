"""The outcome of one question: one line of a run's ``records.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maieutic.answer import Answer
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Outcome, Said, Usage
from maieutic.files.json_text import dump_json, parse_json

__all__ = ["Record", "TreeFacts"]


@dataclass(frozen=True, slots=True)
class TreeFacts:
    """What is counted about a tree.

    Attributes:
        kind: of :attr:`maieutic.tree.Tree.kind`.
        explanations: its propositions but the root, pruned ones included.
        discarded: the kind and the reason of each rejected text of the model.
        judged: see :attr:`maieutic.tree.Tree.judged`.
    """

    kind: str
    explanations: int
    discarded: tuple[tuple[str, str], ...]
    judged: bool


@dataclass(frozen=True, slots=True)
class Record:
    """An item and its outcome; see :class:`Item` and :class:`Outcome` for the fields.

    Attributes:
        requests: its equal share of its batch's requests to the response cache (see
            :class:`maieutic.cache.store.Tally`); 0 without a cache.
        cached: how many of these the cache answered; if any, ``seconds`` are not those of an uncached run.
        belief_source: see :class:`maieutic.answer.Answer`; None for a tree from a file.
    """

    id: str
    text: str
    gold: bool | None
    pair: str
    answer: bool | None
    p_true: float | None = None
    margin: float | None = None
    margin_unit: str | None = None
    usage: Usage = field(default=Usage())
    seconds: float = 0.0
    problem: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    reasoning: Answer | None = None
    said: tuple[Said, ...] = ()
    requests: int = 0
    cached: int = 0
    belief_source: str | None = None

    @classmethod
    def of(cls, item: Item, outcome: Outcome) -> Record:
        """The record of an item and its outcome."""
        fields = {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}
        return cls(item.id, item.text, item.gold, item.pair, **fields)

    @property
    def scored(self) -> bool:
        """Whether the method gave an answer."""
        return self.answer is not None

    @property
    def right(self) -> bool:
        """Whether the answer is correct; False if the answer or the gold answer is missing."""
        return self.answer is not None and self.answer == self.gold

    @property
    def p_right(self) -> float | None:
        """The method's confidence, P(its answer is correct), usually in [0.5, 1]; None without P(true)."""
        if self.p_true is None or self.answer is None:
            return None
        return self.p_true if self.answer else 1.0 - self.p_true

    @property
    def tree_facts(self) -> TreeFacts | None:
        """What is counted about the tree; None for a method without trees, or a question without one."""
        if self.reasoning is None:
            return None
        tree = self.reasoning.tree
        explanations = sum(node.parent is not None for node in (*tree.nodes, *tree.pruned))
        discarded = tuple((item.kind, item.reason) for item in tree.discarded)
        return TreeFacts(tree.kind, explanations, discarded, tree.judged)

    def to_json(self) -> str:
        """The record as one line of JSON."""
        return dump_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """The inverse of :meth:`to_json`.

        Raises:
            InputError: the text is not a record; the message names the field.
        """
        return parse_json(cls, text)
