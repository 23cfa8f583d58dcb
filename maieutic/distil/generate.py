"""Generation: a language model writes the tails of heads; replies that are dropped are recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from maieutic.distil.export import csv_text, graphml_text
from maieutic.distil.relations import Relations
from maieutic.distil.stage import StageFolder, Stopped, checksum
from maieutic.distil.triples import Triple, distinct, tail_refusal
from maieutic.errors import InputError
from maieutic.lm.base import LanguageModel, SamplingParams
from maieutic.lm.calls import sample
from maieutic.prompts import load_prompts
from maieutic.text import DUPLICATE, shortened, text_key

__all__ = ["TRIPLES", "Dropped", "Generated", "Generating", "Written", "generate"]

TRIPLES = "triples.jsonl"
RECORDS = "records.jsonl"
MOST_SHOWN = 200  # characters of a dropped reply that a record has


@dataclass(frozen=True, slots=True)
class Generating:
    """How tails are sampled.

    Attributes:
        samples: of each head and relation, ≥ 1.
        batch: heads that are asked about together, ≥ 1; no result depends on it.

    Raises:
        InputError: a number is out of its range; ``subject`` is its name.
    """

    samples: int = 2
    temperature: float = 1.0
    top_p: float = 0.95
    max_new_tokens: int = 24
    seed: int = 0
    batch: int = 16

    def __post_init__(self) -> None:
        for name in ("samples", "batch"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be ≥ 1, not {getattr(self, name)}", subject=name)

    @property
    def params(self) -> SamplingParams:
        """The parameters of a call of the model."""
        return SamplingParams(self.max_new_tokens, self.temperature, self.top_p, self.seed)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A reply that is no triple, with the reason."""

    relation: str
    reply: str
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote about one head: a line of ``records.jsonl``.

    Attributes:
        tokens: that were drawn.
    """

    head: str
    triples: tuple[Triple, ...]
    dropped: tuple[Dropped, ...]
    tokens: int


@dataclass(frozen=True)
class Generated:
    """A corpus, finished or stopped before.

    Attributes:
        records: of the heads that have been asked about, in the order of the heads.
        left: heads that have not been asked about.
    """

    records: tuple[Written, ...]
    left: int

    @cached_property
    def triples(self) -> tuple[Triple, ...]:
        """All triples."""
        return tuple(triple for record in self.records for triple in record.triples)

    @property
    def dropped(self) -> Counter[str]:
        """Reason → number of dropped replies."""
        return Counter(item.reason for record in self.records for item in record.dropped)

    @property
    def tokens(self) -> int:
        """Tokens that were drawn."""
        return sum(record.tokens for record in self.records)


def generate(
    heads: Sequence[str],
    relations: Relations,
    lm: LanguageModel,
    out: Path,
    how: Generating = Generating(),
    stopped: Stopped = lambda: False,
) -> Iterator[Generated]:
    """Write a corpus into a folder, a batch of heads at a time; the state after each batch, and at the end.

    The folder gets ``records.jsonl`` while it is written, and at last ``triples.jsonl``, ``triples.csv`` and
    ``triples.graphml``. Stopped or not, what is in it so far is in these files.

    Raises:
        InputError: no relation applies to any of the heads (``subject`` is "relations"), the folder is of
            another run, or rapidfuzz or filelock is not installed.
        ModelError: the model does not support the prompts.
        ServerError: the model's server fails; what was written stays.
    """
    if not any(relation.suits(head) for relation in relations.relations for head in heads):
        names = ", ".join(relation.id for relation in relations.relations)
        raise InputError(
            f"none of the relations ({names}) applies to any of the heads; name others", subject="relations"
        )
    settings = {
        "heads": checksum(heads),
        "relations": checksum([repr(relations)]),
        "relation_names": [relation.id for relation in relations.relations],
        "lm": lm.name,
        **{name: value for name, value in asdict(how).items() if name != "batch"},
    }
    with StageFolder(out, "generate", settings) as folder:
        file = folder.lines(RECORDS, Written)
        done = {record.head for record in file.read}
        open_heads = [(number, head) for number, head in enumerate(heads, 1) if head not in done]
        try:
            for start in range(0, len(open_heads), how.batch):
                if stopped():
                    break
                file.append(_asked(open_heads[start : start + how.batch], relations, lm, how))
                yield Generated(tuple(file.read), len(heads) - len(file.read))
        finally:
            final = Generated(tuple(file.read), len(heads) - len(file.read))
            folder.write(TRIPLES, "".join(f"{triple.to_json()}\n" for triple in final.triples))
            folder.write("triples.csv", csv_text(final.triples))
            folder.write("triples.graphml", graphml_text(final.triples))
        yield final


def _asked(
    heads: Sequence[tuple[int, str]], relations: Relations, lm: LanguageModel, how: Generating
) -> list[Written]:
    style: Literal["text", "chat"] = load_prompts(lm.prompts).format
    about = [[one for one in relations.relations if one.suits(head)] for _, head in heads]
    asked = [(head, one) for (_, head), own in zip(heads, about, strict=True) for one in own]
    prompts = [relations.prompt(relation, head, style) for head, relation in asked]
    replies = iter(sample(lm, prompts, how.samples, how.params))
    written = []
    for (number, head), own in zip(heads, about, strict=True):
        rows = [next(replies) for _ in own]
        texts = [[one.text for one in row] for row in rows]
        triples, dropped = _usable(
            number, head, replace(relations, relations=tuple(own)), texts, chat=style == "chat"
        )
        tokens = sum(one.completion_tokens for row in rows for one in row)
        sampled = tuple(
            replace(one, source=lm.name, temperature=how.temperature, top_p=how.top_p, seed=how.seed)
            for one in triples
        )
        written.append(Written(head, sampled, dropped, tokens))
    return written


def _usable(
    number: int, head: str, relations: Relations, replies: Sequence[Sequence[str]], *, chat: bool
) -> tuple[list[Triple], tuple[Dropped, ...]]:
    """The triples in the replies to each relation of a head, and what was dropped."""
    triples: list[Triple] = []
    dropped: list[Dropped] = []
    statements: set[str] = set()
    for relation, row in zip(relations.relations, replies, strict=True):
        usable: list[tuple[int, str, str]] = []
        for index, reply in enumerate(row):
            text = relations.tail(relation, head, reply[: 10 * MOST_SHOWN], chat=chat)
            if reason := tail_refusal(text, head):
                dropped.append(Dropped(relation.id, shortened(reply, MOST_SHOWN), reason))
            else:
                usable.append((index, text.removesuffix("."), reply))
        for (index, tail, reply), (_, reason) in zip(
            usable, distinct(tail for _, tail, _ in usable), strict=True
        ):
            statement = relation.statement(head, tail)
            if reason or text_key(statement) in statements:
                dropped.append(Dropped(relation.id, shortened(reply, MOST_SHOWN), DUPLICATE))
                continue
            statements.add(text_key(statement))
            identity = f"{number}.{len(triples) + 1}"
            triples.append(Triple(identity, head, relation.id, tail, statement, sample=index))
    return triples, tuple(dropped)
