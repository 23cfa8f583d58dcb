"""The language-model seam: structured prompts, the two calls the method needs, a scripted fake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "LanguageModel", "Prompt", "ScriptedLanguageModel", "Shot"]

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
        owner: whose question it serves. For accounting only: never rendered, and prompts that differ in
            nothing else are equal.
    """

    format: Literal["text", "chat"]
    instruction: str
    shots: tuple[Shot, ...]
    query: str
    opening: str = ""
    owner: str = field(default="", compare=False)

    def owned_by(self, owner: str) -> Prompt:
        """The same prompt, charged to ``owner``."""
        return replace(self, owner=owner)

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

    def sample(
        self,
        prompts: Sequence[Prompt],
        n: int,
        *,
        max_new_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
    ) -> list[list[str]]:
        """Draw ``n`` continuations of every prompt, each ended by a newline, the end of the text or
        ``max_new_tokens``; the newline and special tokens are not part of the text.

        ``temperature`` 0 is greedy decoding. A text depends on its prompt, its index among the n, the
        sampling parameters and ``seed`` only, never on the other prompts of the call.

        Raises:
            ContextLengthError: a prompt and ``max_new_tokens`` do not fit the model's window.
            ModelError: the model cannot use the prompt's format.
        """
        ...

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> FloatArray:
        """P(option | prompt) of each option's text as the continuation of each prompt.

        Returns:
            float64 array of shape (prompts, options), values in [0, 1]; a row need not sum to 1.

        Raises:
            ContextLengthError: a prompt and its longest option do not fit the model's window.
            ModelError: the model cannot use the prompt's format.
        """
        ...

    def count_tokens(self, texts: Sequence[Prompt | str]) -> list[int]:
        """The tokens of each prompt as the model reads it, examples included, or of each plain text.

        A plain text is counted on its own, without the special tokens that open or close a text.

        Raises:
            ModelError: the model cannot use a prompt's format.
        """
        ...


@dataclass(slots=True)
class ScriptedLanguageModel:
    """A fake that answers from two functions and counts its calls; its tokens are words.

    Args:
        reply: (prompt, index among the n samples) → continuation.
        probability: (prompt, option) → P(option | prompt) in [0, 1].
        fingerprint: what a cache knows its answers by; "" keeps it out of caches.
    """

    reply: Callable[[Prompt, int], str]
    probability: Callable[[Prompt, str], float]
    name: str = "scripted"
    prompts: str = "paper"
    sample_calls: list[int] = field(default_factory=list)  # prompts per call
    choose_calls: list[int] = field(default_factory=list)
    fingerprint: str = ""

    def sample(
        self,
        prompts: Sequence[Prompt],
        n: int,
        *,
        max_new_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
    ) -> list[list[str]]:
        self.sample_calls.append(len(prompts))
        return [[self.reply(prompt, index) for index in range(n)] for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> FloatArray:
        self.choose_calls.append(len(prompts))
        table = [[self.probability(prompt, option) for option in options] for prompt in prompts]
        return np.array(table, dtype=np.float64).reshape(len(prompts), len(options))

    def count_tokens(self, texts: Sequence[Prompt | str]) -> list[int]:
        written = (item.text() if isinstance(item, Prompt) else item for item in texts)
        return [len(text.split()) for text in written]
