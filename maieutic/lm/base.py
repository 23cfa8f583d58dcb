"""The language-model protocol: structured prompts, and the two calls that the method needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from maieutic.errors import InputError
from maieutic.usage import Usage

__all__ = ["Completion", "FloatArray", "LanguageModel", "OptionScores", "Prompt", "SamplingParams", "Shot"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shot:
    """One worked example of a few-shot prompt."""

    query: str
    reply: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A structured prompt: a backend can share its few-shot prefix or render it with a chat template.

    Attributes:
        format: "text" for plain text, "chat" for a chat template.
        instruction: the task description before the examples (the system message of a chat); may be empty.
        shots: worked examples.
        query: the question to answer.
        opening: the beginning of the reply, which the model continues; empty for none.
    """

    format: Literal["text", "chat"]
    instruction: str
    shots: tuple[Shot, ...]
    query: str
    opening: str = ""

    def text(self) -> str:
        """The prompt as plain text: blocks separated by blank lines, with the opening at the end.

        >>> Prompt("text", "Judge.", (Shot("Q: Ice is hot?", "A: false"),), "Q: Ice is cold?", "A:").text()
        'Judge.\\n\\nQ: Ice is hot?\\nA: false\\n\\nQ: Ice is cold?\\nA:'
        """
        blocks = [self.instruction] if self.instruction else []
        blocks += [f"{shot.query}\n{shot.reply}" for shot in self.shots]
        blocks.append(f"{self.query}\n{self.opening}")
        return "\n\n".join(blocks)

    @property
    def kind(self) -> int:
        """Equal for prompts that begin with the same instruction and examples."""
        return hash((self.format, self.instruction, self.shots))

    def messages(self) -> list[dict[str, str]]:
        """The prompt as chat messages (role, content), without the opening."""
        messages = [{"role": "system", "content": self.instruction}] if self.instruction else []
        for shot in self.shots:
            messages.append({"role": "user", "content": shot.query})
            messages.append({"role": "assistant", "content": shot.reply})
        messages.append({"role": "user", "content": self.query})
        return messages


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How texts are sampled.

    Attributes:
        max_new_tokens: maximum number of tokens of a text, ≥ 1.
        temperature: divisor of the logits; finite, ≥ 0; 0 means greedy decoding.
        top_p: nucleus sampling: the probability of the likeliest tokens that may be drawn; in (0, 1].
        seed: of the random numbers, ≥ 0; greedy decoding does not use it.

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
        """Whether decoding is greedy: the likeliest token is always taken."""
        return self.temperature == 0


@dataclass(frozen=True, slots=True)
class Completion:
    """A continuation of a prompt, with its token counts.

    Attributes:
        text: the text after the prompt.
        prompt_tokens: tokens of the prompt as the model reads it, examples included.
        completion_tokens: tokens of the text. The token that ended it (with a newline, or the end of the
            text) counts only if it contains some of the text. A server's own count may include it.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int

    @property
    def usage(self) -> Usage:
        """The cost of drawing the text."""
        return Usage(self.prompt_tokens, self.completion_tokens, 1)


@dataclass(frozen=True, slots=True, eq=False)
class OptionScores:
    """The probabilities of options after each prompt, with the prompts' token counts.

    Attributes:
        probabilities: P(option | prompt), float64 (prompts, options), in [0, 1]; a row need not sum to 1.
        prompt_tokens: tokens of each prompt as the model reads it, examples included.
        completion_tokens: tokens drawn for each prompt, if the probabilities come from replies; else empty.
        calls: of the model for each prompt.
    """

    probabilities: FloatArray
    prompt_tokens: tuple[int, ...]
    completion_tokens: tuple[int, ...] = ()
    calls: int = 1

    @property
    def usages(self) -> list[Usage]:
        """The cost of scoring each prompt."""
        drawn = self.completion_tokens or (0,) * len(self.prompt_tokens)
        counts = zip(self.prompt_tokens, drawn, strict=True)
        return [Usage(prompt, completion, self.calls) for prompt, completion in counts]


class LanguageModel(Protocol):
    """A language model; its calls are synchronous and take batches."""

    @property
    def name(self) -> str:
        """The model's name in results and records."""
        ...

    @property
    def prompts(self) -> str:
        """The built-in prompt set that suits the model: "paper" (base models), "chat" or "agora"."""
        ...

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt.

        A continuation ends at a newline, at the end of the text or after ``params.max_new_tokens``; its text
        contains neither the newline nor special tokens. It depends only on its prompt, its index among the
        ``n`` and ``params``, never on the other prompts of the call.

        Raises:
            ContextLengthError: a prompt and ``max_new_tokens`` do not fit the context window.
            ModelError: the model does not support the prompt's format.
        """
        ...

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        """P(option | prompt): the probability that each option's text continues each prompt.

        Raises:
            ContextLengthError: a prompt and its longest option do not fit the context window.
            ModelError: the model does not support the prompt's format.
        """
        ...
