"""Scripted replies to scripted questions, so that every backend grows the same trees.

Random weights never produce usable sentences. The benchmark therefore computes every request in full,
discards the texts, and continues with those of a script. Of every two questions one ends at its root. The
other gets three explanations on each side, half of which waver and get one more on each side. The trees
have 1 and 13 propositions, with the depth and the widths of the paper.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from maieutic.config import ElicitConfig
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.prompts import PromptSet

__all__ = ["Script", "Sentence", "sentence", "write_script"]

# -- made-up statements -----------------------------------------------------------------------------------


_THINGS = (
    "kettle", "ladder", "umbrella", "violin", "suitcase", "candle", "bicycle", "blanket", "telescope",
    "wheelbarrow", "lantern", "typewriter", "basket", "mirror", "compass", "saddle", "bucket", "globe",
)  # fmt: skip
_QUALITIES = (
    "old", "green", "wooden", "broken", "narrow", "polished", "borrowed", "hollow", "painted", "rusty",
    "oversized", "neatly folded", "half-empty", "second-hand", "rather expensive",
)  # fmt: skip
_CLAIMS = (
    ("floats", "does not float"),
    ("is for sale", "is not for sale"),
    ("has a crack", "does not have a crack"),
    ("was stolen twice", "was not stolen twice"),
    ("is heavier than the", "is not heavier than the"),
    ("was made before the", "was not made before the"),
    ("belongs to the owner of the", "does not belong to the owner of the"),
    ("costs more to repair than the", "does not cost more to repair than the"),
)
_PLACES = ("", "", "", "", " in the cellar", " by the harbour", " on the top shelf of the workshop")
_REASONS = (
    *("",) * 12,
    " even in winter",
    " as long as nobody moves it",
    " because it has been kept dry for many years",
    ", which visitors to the market seldom expect",
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A statement and its negation."""

    affirmed: str
    denied: str


def sentence(number: int) -> Sentence:
    """The statement of that number (≥ 0); 6 to 32 words, half of them at most 13.

    >>> sentence(7) == sentence(7), sentence(7) == sentence(8)
    (True, False)
    """
    chance = random.Random(number)  # noqa: S311 - no secret
    quality = chance.choice(("", f"{chance.choice(_QUALITIES)} "))
    claim = chance.choice(_CLAIMS)
    first = f"The {quality}{chance.choice(_THINGS)} of lot {number}{chance.choice(_PLACES)}"
    second = f" {chance.choice(_THINGS)}" if claim[0].endswith("the") else ""
    reason = chance.choice(_REASONS)
    affirmed, denied = (f"{first} {verb}{second}{reason}." for verb in claim)
    return Sentence(affirmed, denied)


# -- the script ---------------------------------------------------------------------------------------


SURE, WAVERING = 0.9, 0.6  # P(true | statement); the negation gets 0.1 and 0.5


@dataclass(frozen=True, slots=True)
class Script:
    """Answers by prompt.

    Attributes:
        questions: statements to judge.
        replies: the texts drawn after a prompt, in the order of their index.
        verdicts: P(true), P(false).
        kinds: the purpose of a prompt: negate, explain, belief or verdict.
    """

    questions: tuple[str, ...]
    replies: Mapping[Prompt, tuple[str, ...]]
    verdicts: Mapping[Prompt, tuple[float, float]]
    kinds: Mapping[Prompt, str]

    def model(self, prompts: PromptSet) -> ScriptedLanguageModel:
        """A language model that gives these replies and computes nothing."""
        return ScriptedLanguageModel(
            lambda prompt, index: self.replies[prompt][index],
            lambda prompt, option: self.verdicts[prompt][prompts.answers.index(option)],
        )


def write_script(questions: int, prompts: PromptSet, config: ElicitConfig) -> Script:
    """The script for this number of questions."""
    writer = _Writer(prompts, config)
    statements = [writer.next_sentence() for _ in range(questions)]
    for place, statement in enumerate(statements):
        writer.write(statement, wavers=place % 2 == 1, depth=0)
    return Script(
        tuple(statement.affirmed for statement in statements), writer.replies, writer.verdicts, writer.kinds
    )


class _Writer:
    def __init__(self, prompts: PromptSet, config: ElicitConfig) -> None:
        self._prompts, self._config = prompts, config
        self._numbers = count()
        self.replies: dict[Prompt, tuple[str, ...]] = {}
        self.verdicts: dict[Prompt, tuple[float, float]] = {}
        self.kinds: dict[Prompt, str] = {}

    def next_sentence(self) -> Sentence:
        return sentence(next(self._numbers))

    def write(self, sentence: Sentence, *, wavers: bool, depth: int) -> None:
        """The replies to all requests about a proposition and its explanations."""
        self._reply("negate", self._prompts.negate(sentence.affirmed), [sentence.denied])
        likely = WAVERING if wavers else SURE
        self._believe(sentence.affirmed, likely)
        self._believe(sentence.denied, 0.5 if wavers else 1 - likely)
        if not wavers or depth == self._config.depth:
            return
        for side in (True, False):
            children = [self.next_sentence() for _ in range(self._config.width(depth + 1))]
            texts = [child.affirmed for child in children]
            self._reply("explain", self._prompts.explain(sentence.affirmed, side), texts)
            for index, child in enumerate(children):
                self.write(child, wavers=index % 2 == int(side), depth=depth + 1)

    def _believe(self, text: str, likely: float) -> None:
        explanation = self.next_sentence().affirmed
        marker = self._prompts.marker
        reply = f"{explanation} {marker} true." if marker else explanation
        self._reply("belief", self._prompts.belief(text), [reply])
        p_true = likely + random.Random(text).uniform(-0.02, 0.02)  # noqa: S311 - no secret
        verdict = self._prompts.verdict(text, explanation)
        self.verdicts[verdict] = (p_true, 1 - p_true)
        self.kinds[verdict] = "verdict"

    def _reply(self, kind: str, prompt: Prompt, texts: Sequence[str]) -> None:
        self.replies[prompt] = tuple(f" {text}" for text in texts)
        self.kinds[prompt] = kind
