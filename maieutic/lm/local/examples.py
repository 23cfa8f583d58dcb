"""Which prompts begin with the same few-shot examples, and the tokens of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from maieutic.checkpoints.loading import Checkpoint
from maieutic.lm.base import Prompt
from maieutic.lm.local.prefixes import Prefix, Prefixes
from maieutic.lm.local.tokens import Tokens, Vocabulary

__all__ = ["Group", "SharedExamples", "shared_tokens"]

MIN_TOKENS = 16  # shorter ones cost more to share than to read again


@dataclass(frozen=True, slots=True)
class Group:
    """Rows (by their places) that begin with the same prefix, or that share none."""

    prefix: Prefix | None
    places: list[int]

    @property
    def start(self) -> int:
        """Tokens of a row that the prefix covers."""
        return len(self.prefix.tokens) if self.prefix else 0


class SharedExamples:
    """The few-shot parts of the prompts that one model is given."""

    def __init__(self, checkpoint: Checkpoint, vocabulary: Vocabulary) -> None:
        self._checkpoint = checkpoint
        self._vocabulary = vocabulary
        self._known: dict[tuple[Any, ...], Tokens] = {}

    def groups(
        self, rows: Sequence[Tokens], prompts: Sequence[Prompt], last: Sequence[int]
    ) -> Iterator[Group]:
        """The rows by the examples that they begin with.

        Args:
            rows: tokens of prompts, perhaps with the beginning of a reply.
            prompts: whose they are.
            last: tokens at the end of each row that must be its own; at least 1.
        """
        found: dict[Tokens, list[int]] = {}
        for place, (row, prompt, own) in enumerate(zip(rows, prompts, last, strict=True)):
            start = self._examples(prompt)
            begins = len(row) >= len(start) + own and row[: len(start)] == start
            found.setdefault(start if begins else (), []).append(place)
        for start, places in found.items():
            yield Group(self._prefixes.get(start) if start and self._prefixes else None, places)

    def _examples(self, prompt: Prompt) -> Tokens:
        """The tokens before the query, as far as they do not hang on it; none for too few to share."""
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
    """How many tokens at the start all rows have in common."""
    pairs = enumerate(zip(*rows, strict=False))  # up to the shortest
    return next((place for place, column in pairs if len(set(column)) > 1), min(map(len, rows)))
