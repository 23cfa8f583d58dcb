"""The language-model seam: structured prompts, and the two calls that the method needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from maieutic.errors import InputError
from maieutic.usage import Usage

__all__ = ["Completion", "FloatArray", "LanguageModel", "Prompt", "SamplingParams", "Scores", "Shot"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shot:
    """One worked example of a few-shot prompt."""

    query: str
    reply: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A structured request, so that a backend can share the few-shot prefix or use a chat template.

    Attributes:
        format: "text" for models that continue plain text, "chat" for models with a chat template.
        instruction: what to do, before the examples (the system message of a chat); may be empty.
        shots: worked examples.
        query: the question at hand.
        opening: how the reply begins; the model continues right after it. Empty for none.
    """

    format: Literal["text", "chat"]
    instruction: str
    shots: tuple[Shot, ...]
    query: str
    opening: str = ""

    def text(self) -> str:
        """The prompt as plain text: blocks with a blank line between, the opening last.

        >>> Prompt("text", "Judge.", (Shot("Q: Ice is hot?", "A: false"),), "Q: Ice is cold?", "A:").text()
        'Judge.\\n\\nQ: Ice is hot?\\nA: false\\n\\nQ: Ice is cold?\\nA:'
        """
        blocks = [self.instruction] if self.instruction else []
        blocks += [f"{shot.query}\n{shot.reply}" for shot in self.shots]
        blocks.append(f"{self.query}\n{self.opening}")
        return "\n\n".join(blocks)

    def messages(self) -> list[dict[str, str]]:
        """The prompt as chat messages (role, content); the opening is not among them."""
        messages = [{"role": "system", "content": self.instruction}] if self.instruction else []
        for shot in self.shots:
            messages.append({"role": "user", "content": shot.query})
            messages.append({"role": "assistant", "content": shot.reply})
        messages.append({"role": "user", "content": self.query})
        return messages


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How to draw texts.

    Attributes:
        max_new_tokens: most tokens of a text, ≥ 1.
        temperature: the logits are divided by it; finite, ≥ 0; 0 for greedy decoding.
        top_p: only the likeliest tokens that together reach this probability are drawn; in (0, 1].
        seed: of the random numbers, ≥ 0; greedy decoding uses none.

    Raises:
        InputError: a value is out of its range; ``subject`` is the name of the parameter.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        rules = {
            "max_new_tokens": (self.max_new_tokens >= 1, "≥ 1"),
            "temperature": (0 <= self.temperature < math.inf, "a finite number ≥ 0 (0 is greedy decoding)"),
            "top_p": (0 < self.top_p <= 1, "in (0, 1]"),
            "seed": (self.seed >= 0, "≥ 0"),
        }
        for name, (holds, rule) in rules.items():
            if not holds:
                raise InputError(f"{name} must be {rule}, not {getattr(self, name)!r}", subject=name)

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0


@dataclass(frozen=True, slots=True)
class Completion:
    """A continuation of a prompt, with what it cost.

    Attributes:
        text: what follows the prompt.
        prompt_tokens: of the prompt as the model reads it, examples included.
        completion_tokens: drawn for the text. What ended it (a newline, the end of the text) is not among
            them, unless that token holds some of the text too. A server's own count may include it.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int

    @property
    def usage(self) -> Usage:
        """What drawing the text cost."""
        return Usage(self.prompt_tokens, self.completion_tokens, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The probabilities of some options after each of some prompts, with what they cost.

    Attributes:
        probabilities: P(option | prompt), float64 (prompts, options), in [0, 1]; a row need not sum to 1.
        prompt_tokens: of each prompt as the model reads it, examples included.
    """

    probabilities: FloatArray
    prompt_tokens: tuple[int, ...]

    @property
    def usages(self) -> list[Usage]:
        """What scoring each prompt cost."""
        return [Usage(tokens, calls=1) for tokens in self.prompt_tokens]


class LanguageModel(Protocol):
    """What the method asks of a language model. Batch-first and synchronous."""

    @property
    def name(self) -> str:
        """How results and records call this model."""
        ...

    @property
    def prompts(self) -> str:
        """The built-in prompt set that suits it: "paper" (base models), "chat" or "agora"."""
        ...

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt.

        A continuation ends at a newline, at the end of the text or after ``params.max_new_tokens``; the
        newline and special tokens are not part of its text. It depends on its prompt, its index among the n
        and ``params`` only, never on the other prompts of the call.

        Raises:
            ContextLengthError: a prompt and ``max_new_tokens`` do not fit the model's window.
            ModelError: the model cannot use the prompt's format.
        """
        ...

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Scores:
        """P(option | prompt) of each option's text as the continuation of each prompt.

        Raises:
            ContextLengthError: a prompt and its longest option do not fit the model's window.
            ModelError: the model cannot use the prompt's format.
        """
        ...
