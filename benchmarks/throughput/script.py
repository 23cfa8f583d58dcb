"""What the models would say, fixed in advance, so that every backend grows the same trees.

Random weights never write a sentence that can be used. The benchmark therefore has every request
computed in full, throws the texts away, and goes on with those of a script. Of every two questions one is
settled at its root; the other gets three explanations on each side, half of which waver and get one more
on each side: 1 and 13 propositions, the depth and the widths of the paper.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from maieutic.benchmarks.throughput.sentences import Sentence, sentence
from maieutic.config import ElicitConfig
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.prompts import PromptSet

__all__ = ["Script", "write_script"]

SURE, WAVERING = 0.9, 0.6  # P(true | statement); the negation gets 0.1 and 0.5


@dataclass(frozen=True, slots=True)
class Script:
    """Answers by prompt.

    Attributes:
        questions: statements to judge.
        replies: the texts drawn after a prompt, in the order of their index.
        verdicts: P(true), P(false).
        kinds: what a prompt is for: negate, explain, belief or verdict.
    """

    questions: tuple[str, ...]
    replies: Mapping[Prompt, tuple[str, ...]]
    verdicts: Mapping[Prompt, tuple[float, float]]
    kinds: Mapping[Prompt, str]

    def model(self, prompts: PromptSet) -> ScriptedLanguageModel:
        """A language model that says this and computes nothing."""
        return ScriptedLanguageModel(
            lambda prompt, index: self.replies[prompt][index],
            lambda prompt, option: self.verdicts[prompt][prompts.answers.index(option)],
        )


def write_script(questions: int, prompts: PromptSet, config: ElicitConfig) -> Script:
    """The script of so many questions."""
    writer = _Writer(prompts, config)
    statements = [writer.next_sentence() for _ in range(questions)]
    for place, statement in enumerate(statements):
        writer.tell(statement, wavers=place % 2 == 1, depth=0)
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

    def tell(self, told: Sentence, *, wavers: bool, depth: int) -> None:
        """All that will be asked about a proposition and about those that explain it."""
        self._reply("negate", self._prompts.negate(told.affirmed), [told.denied])
        likely = WAVERING if wavers else SURE
        self._believe(told.affirmed, likely)
        self._believe(told.denied, 0.5 if wavers else 1 - likely)
        if not wavers or depth == self._config.depth:
            return
        for side in (True, False):
            children = [self.next_sentence() for _ in range(self._config.width(depth + 1))]
            texts = [child.affirmed for child in children]
            self._reply("explain", self._prompts.explain(told.affirmed, side), texts)
            for index, child in enumerate(children):
                self.tell(child, wavers=index % 2 == int(side), depth=depth + 1)

    def _believe(self, text: str, likely: float) -> None:
        explanation = self.next_sentence().affirmed
        marker = self._prompts.marker
        told = f"{explanation} {marker} true." if marker else explanation
        self._reply("belief", self._prompts.belief(text), [told])
        p_true = likely + random.Random(text).uniform(-0.02, 0.02)  # noqa: S311 - no secret
        verdict = self._prompts.verdict(text, explanation)
        self.verdicts[verdict] = (p_true, 1 - p_true)
        self.kinds[verdict] = "verdict"

    def _reply(self, kind: str, prompt: Prompt, texts: Sequence[str]) -> None:
        self.replies[prompt] = tuple(f" {text}" for text in texts)
        self.kinds[prompt] = kind
