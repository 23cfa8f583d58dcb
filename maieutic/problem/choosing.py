"""Choose: the options of a question as claims of one problem, of which exactly one is true.

Each option becomes a statement, grows a tree where it is unsure, and all are solved together. What is said in
the tree of one option counts for and against the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from maieutic.errors import InputError
from maieutic.inference.weights import JointWeights, read_weights
from maieutic.lm.base import LanguageModel
from maieutic.lm.calls import choose as score_options
from maieutic.memory.notes import MemoryNotes
from maieutic.problem.base import Claim, ExactlyOne, Problem
from maieutic.problem.settled import Settled
from maieutic.prompts import PromptSet
from maieutic.sentences.options import option_statements
from maieutic.text import MAX_QUESTION_CHARS, as_question, text_key
from maieutic.tree import Tree
from maieutic.usage import Usage

__all__ = [
    "MOST_OPTIONS",
    "Choice",
    "Chosen",
    "check_options",
    "choice_of",
    "choice_problem",
    "choice_weights",
    "option_texts",
]

MOST_OPTIONS = 100  # each grows a tree of its own
TIE = 1e-9  # difference of two probabilities that are equal


@dataclass(frozen=True, slots=True)
class Chosen:
    """An option with its place in the answer.

    Attributes:
        text: as given; ``statement``: what says that it is the answer.
        claim: id of its claim in the problem.
        p: P(this option is the true one) in [0, 1]; None where it is not known exactly.
    """

    text: str
    statement: str
    claim: str
    p: float | None


@dataclass(frozen=True)
class Choice:
    """The answer to a question with options.

    Attributes:
        options: in the order given.
        place: of the chosen one.
        margin: P(chosen) − P(second), in [0, 1]; None where they are not known. ``margin_nats``: extra cost
            of the best labelling with another option, 0 where that is the better one.
        unsure: whether the two best are as good, or the chosen one is less probable than was asked for.
        settled: the solved problem.
        usage: of growing and relating; ``seconds``: wall-clock time.
        memory: what a memory did for it; None without one.
    """

    question: str
    options: tuple[Chosen, ...]
    place: int
    margin: float | None
    margin_nats: float
    unsure: bool
    settled: Settled
    usage: Usage = Usage()  # noqa: RUF009 - frozen
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    memory: MemoryNotes | None = None

    def __repr__(self) -> str:
        """One line."""
        chosen = self.chosen
        p = "" if chosen.p is None else f", P {chosen.p:.2f}"
        return (
            f"<Choice {chosen.text!r}{p} of {len(self.options)} options{', unsure' if self.unsure else ''}>"
        )

    @property
    def chosen(self) -> Chosen:
        """The option that is held true."""
        return self.options[self.place]

    @property
    def ranked(self) -> tuple[Chosen, ...]:
        """The options, the likeliest first."""
        return tuple(sorted(self.options, key=lambda one: -(one.p or 0.0)))


def check_options(
    question: str, options: Sequence[str], *, distinct: bool = True
) -> tuple[str, tuple[str, ...]]:
    """The question and its options with whitespace collapsed.

    Args:
        distinct: whether equal options are refused; published data sets have a few.

    Raises:
        InputError: a text is empty or too long, there are fewer than two options or more than
            :data:`MOST_OPTIONS`, or two are equal. ``subject`` is "options" or the option.
    """
    if isinstance(options, str):
        raise InputError("options must be a list of texts, not one text", subject="options")
    asked = as_question(question)
    if not 2 <= len(options) <= MOST_OPTIONS:
        what = (
            "no options" if not options else "one option" if len(options) == 1 else f"{len(options)} options"
        )
        raise InputError(f"{what}: give 2 to {MOST_OPTIONS}", subject="options")
    seen: dict[str, str] = {}
    texts: list[str] = []
    for option in options:
        text = " ".join(option.split())
        if not text:
            raise InputError("an option is empty; remove it", subject="options")
        if len(text) > MAX_QUESTION_CHARS:
            problem = f"the option that begins {text[:40]!r} has {len(text):,} characters"
            raise InputError(f"{problem}; give at most {MAX_QUESTION_CHARS:,}", subject="options")
        key = text_key(text) or text
        if distinct and key in seen:
            raise InputError(f"the options {seen[key]!r} and {text!r} are equal; remove one", subject=text)
        seen[key] = text
        texts.append(text)
    return asked, tuple(texts)


def option_texts(
    question: str, options: Sequence[str], lm: LanguageModel, prompts: PromptSet
) -> tuple[list[str], Usage]:
    """A statement for each option: candidates by rule, of which the model chooses the likeliest.

    Nothing is generated, so the words of question and option are kept.

    Returns:
        The statements, and what choosing cost.
    """
    blank = " " if prompts.format == "text" else ""
    found, usage = [], Usage()
    for option in options:
        *candidates, last_resort = option_statements(question, option)
        if len(candidates) > 1:
            scores = score_options(lm, [prompts.declare(question)], [blank + text for text in candidates])
            usage += scores.usages[0]
            candidates = [candidates[int(scores.probabilities[0].argmax())]]
        found.append(candidates[0] if candidates else last_resort)
    return found, usage


def choice_problem(trees: Sequence[Tree], options: Sequence[str]) -> Problem:
    """The problem of options and their trees: claims C1, C2, … of which exactly one is true."""
    pairs = enumerate(zip(trees, options, strict=True), 1)
    claims = tuple(Claim(f"C{number}", tree, name=option) for number, (tree, option) in pairs)
    return Problem(claims, (ExactlyOne(tuple(claim.id for claim in claims)),))


def choice_of(
    question: str, options: Sequence[str], settled: Settled, *, abstain_below: float = 0.0
) -> Choice:
    """The answer in a solved problem of :func:`choice_problem`.

    Args:
        abstain_below: a less probable choice is unsure, in [0, 1].
    """
    decision = settled.decisions[0]
    p = settled.distribution()
    chosen = tuple(
        Chosen(text, claim.statement, claim.id, None if p is None else p[claim.id])
        for text, claim in zip(options, settled.problem.claims, strict=True)
    )
    margin = None
    if p is not None:
        best = p[settled.problem.claims[decision.chosen].id]
        margin = best - max(one.p or 0.0 for place, one in enumerate(chosen) if place != decision.chosen)
    tie = decision.margin == 0.0 if margin is None else margin <= TIE
    doubtful = margin is not None and (chosen[decision.chosen].p or 0.0) < abstain_below
    nats = decision.margin if math.isfinite(decision.margin) else 0.0
    choice = Choice(question, chosen, decision.chosen, margin, nats, tie or doubtful, settled)
    return replace(choice, usage=settled.usage)


@cache
def choice_weights() -> JointWeights:
    """The weights for choosing, learned from the trees of options (``choice.weights.toml``)."""
    return read_weights(Path(__file__).with_name("choice.weights.toml"))
