"""What a student reads: documents about triples, as tokens, and the batches of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from os.path import commonprefix

import torch

from maieutic.distil.triples import Triple
from maieutic.errors import InputError
from maieutic.lm.base import Prompt
from maieutic.lm.local.tokens import Vocabulary
from maieutic.prompts import PromptSet
from maieutic.prompts.base import small_letter
from maieutic.sentences import negations
from maieutic.training.loop import Batches
from maieutic.training.networks import UNLEARNED

__all__ = ["Lesson", "denial", "documents_of", "lesson_batches", "lessons_of"]

_PARTS = re.compile(r"[.!?;] |, because ")

LEAD = "Fact:"  # before a statement, as in the training text of agora-lm


@dataclass(frozen=True, slots=True)
class Lesson:
    """A document as tokens.

    Attributes:
        unlearned: how many tokens at its beginning, those of its prompt, are read and not learned.
    """

    tokens: tuple[int, ...]
    unlearned: int


def documents_of(
    triples: Sequence[Triple], refuted: Sequence[Triple], prompts: PromptSet
) -> list[tuple[Prompt | None, str]]:
    """What a student learns of triples: prompts that are not learned, None for none, and the texts that are.

    Each triple is a statement, a question whether it holds, one whether its negation does, and a triple; each
    refuted one is the two questions with the other answers. Questions are repeated until true and false are
    as frequent among those with a negation, and among those without: a corpus that has more of one would
    teach that answer.

    >>> from maieutic.prompts import load_prompts
    >>> triple = Triple("1", "a dog", "HasA", "legs", "A dog has legs.")
    >>> for prompt, reply in documents_of([triple], [], load_prompts("agora")):
    ...     print(repr(prompt.query if prompt else ""), repr(reply))
    '' 'Fact: a dog has legs.'
    '' 'a dog | HasA | legs'
    'Q: a dog has legs?' ' true.'
    'Q: a dog does not have legs?' ' false.'
    """
    documents: list[tuple[Prompt | None, str]] = []
    for one in triples:
        documents.append((None, f"{LEAD} {small_letter(one.statement)}"))
        documents.append((None, f"{one.head} | {one.relation} | {one.tail}"))
    judged = [(one.statement, True) for one in triples] + [(one.statement, False) for one in refuted]
    stop = "." if prompts.format == "text" else ""  # a chat's answer is one word
    yes, no = (f"{answer}{stop}" for answer in prompts.answers)
    asked = [(prompts.direct(text), yes if truth else no) for text, truth in _balanced(judged)]
    return [*documents, *asked]


def _balanced(judged: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Statements and their negations with their truth, repeated as :func:`documents_of` says."""
    groups: dict[tuple[bool, bool], list[str]] = {}  # (whether it has a negation, truth) → statements
    for text, truth in judged:
        denied = denial(text)
        negative = denied is not None and len(denied) < len(text)  # a rule took the negation out
        groups.setdefault((negative, truth), []).append(text)
        if denied is not None:
            groups.setdefault((not negative, not truth), []).append(denied)
    for (negative, truth), texts in groups.items():
        most = max(len(texts), len(groups.get((negative, not truth), ())))
        yield from ((text, truth) for text in islice(cycle(texts), most))


def denial(statement: str) -> str | None:
    """The negation of a statement of one clause, by rule; None for several sentences, or with a reason.

    Of these the rules would deny the first part, which with the relations of events is the head.

    >>> denial("A dog has legs."), denial("PersonX eats. As a result, PersonX feels full.")
    ('A dog does not have legs.', None)
    >>> denial("PersonX eats, because PersonX wants to be full.")
    """
    return None if _PARTS.search(statement) else negations(statement)[0]


def lessons_of(documents: Sequence[tuple[Prompt | None, str]], vocabulary: Vocabulary) -> list[Lesson]:
    """The tokens of documents, each with what ends it: a newline, or after a chat the end of the turn.

    Raises:
        ContextLengthError: a document does not fit the context window.
        ModelError: the model cannot use a prompt's format.
    """
    plain = Prompt("text", "", (), "")
    asked = [prompt or plain for prompt, _ in documents]
    before = [vocabulary.render([prompt])[0] if prompt else "" for prompt, _ in documents]
    whole = [
        f"{text}{reply}" if prompt.format == "chat" else f"{text}{reply}\n"
        for prompt, text, (_, reply) in zip(asked, before, documents, strict=True)
    ]
    read = vocabulary.encode(asked, before)
    lessons = []
    for prompt, tokens, start, (given, _) in zip(
        asked, vocabulary.encode(asked, whole), read, documents, strict=True
    ):
        end = vocabulary.turn_end if prompt.format == "chat" else None
        ends = () if end is None else (end,)
        vocabulary.check_window(prompt, len(tokens), len(ends))
        # A token may span prompt and reply.
        condition = len(commonprefix([start, tokens])) if given else 0  # noqa: RUF071 - of tokens
        lessons.append(Lesson((*tokens, *ends), condition))
    return lessons


def lesson_batches(lessons: Sequence[Lesson], rows: int, row_tokens: int, pad: int, seed: int) -> Batches:
    """Batches of shape (rows, row_tokens or the length of the longest lesson), filled with whole lessons.

    Each step takes them in an order of its own, again and again where they do not fill a batch.
    """
    if not lessons:
        raise InputError("there are no lessons; give some", subject="lessons")
    width = max(row_tokens, *(len(one.tokens) for one in lessons))

    def batch(step: int) -> dict[str, torch.Tensor]:
        rng = random.Random(f"{seed} {step}")  # noqa: S311 - no secret
        ids = torch.full((rows, width), pad)
        labels = torch.full((rows, width), UNLEARNED)
        order: list[Lesson] = []
        for row in range(rows):
            place = 0
            while True:
                order = order or rng.sample(lessons, len(lessons))
                one = order[-1]
                if place + len(one.tokens) > width:
                    break
                order.pop()
                end = place + len(one.tokens)
                ids[row, place:end] = torch.tensor(one.tokens)
                labels[row, place + one.unlearned : end] = torch.tensor(one.tokens[one.unlearned :])
                place = end
        return {"input_ids": ids, "labels": labels}

    return batch
