"""Groups prompts by the few-shot examples that they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from maieutic.checkpoints.loading import Checkpoint
from maieutic.lm.base import Prompt
from maieutic.lm.local.prefixes import Prefix, Prefixes
from maieutic.lm.local.tokens import Tokens, Vocabulary

__all__ = ["PrefixGroup", "SharedExamples", "shared_tokens"]

MIN_TOKENS = 16  # reading shorter examples again is cheaper than sharing them


@dataclass(frozen=True, slots=True)
class PrefixGroup:
    """Rows that begin with the same prefix, or that share none (``prefix`` is None).

    Attributes:
        rows: their indices.
    """

    prefix: Prefix | None
    rows: list[int]

    @property
    def start(self) -> int:
        """Number of tokens of a row that the prefix covers."""
        return len(self.prefix.tokens) if self.prefix else 0


class SharedExamples:
    """Finds the few-shot examples at the start of one model's prompts."""

    def __init__(self, checkpoint: Checkpoint, vocabulary: Vocabulary) -> None:
        self._checkpoint = checkpoint
        self._vocabulary = vocabulary
        self._known: dict[tuple[Any, ...], Tokens] = {}

    def groups(
        self, rows: Sequence[Tokens], prompts: Sequence[Prompt], own: Sequence[int]
    ) -> Iterator[PrefixGroup]:
        """Group rows by the examples at their start.

        Args:
            rows: tokens of prompts, which may include part of a reply.
            prompts: the prompt of each row.
            own: number of tokens at the end of each row that must not be shared; ≥ 1.
        """
        groups: dict[Tokens, list[int]] = {}
        for index, (row, prompt, unshared) in enumerate(zip(rows, prompts, own, strict=True)):
            start = self._examples(prompt)
            begins = len(row) >= len(start) + unshared and row[: len(start)] == start
            groups.setdefault(start if begins else (), []).append(index)
        for start, indices in groups.items():
            yield PrefixGroup(self._prefixes.get(start) if start and self._prefixes else None, indices)

    def _examples(self, prompt: Prompt) -> Tokens:
        """The tokens before the query that do not depend on it; empty if there are too few to share."""
        kind = (prompt.format, prompt.instruction, prompt.shots)
        if kind not in self._known:
            pair = [replace(prompt, query=query, opening="") for query in ("A", "0")]
            encoded = self._vocabulary.encode(pair, self._vocabulary.render(pair))
            tokens = encoded[0][: shared_tokens(encoded)]
            self._known[kind] = tokens if len(tokens) >= MIN_TOKENS else ()
        return self._known[kind]

    @cached_property
    def _prefixes(self) -> Prefixes | None:
        return Prefixes.open(self._checkpoint)


def shared_tokens(rows: Sequence[Tokens]) -> int:
    """The number of tokens at the start that all rows have in common."""
    pairs = enumerate(zip(*rows, strict=False))  # up to the shortest
    return next((index for index, column in pairs if len(set(column)) > 1), min(map(len, rows)))
