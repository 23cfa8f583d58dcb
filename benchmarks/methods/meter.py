"""What answering costs: every call of a language model, charged to the question that it serves.

A :class:`Metered` model belongs to one run over some questions. Prompts that name an owner are charged to
it; equal prompts of two owners may be computed once, and are charged to both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maieutic.benchmarks.methods.base import Outcome, Usage
from maieutic.lm.base import FloatArray, LanguageModel, Prompt
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.pipeline import LoadedModels

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = ["Metered", "charged", "relating"]


class Metered:
    """A language model that passes every call on to another one and adds up what it took.

    A text drawn costs its prompt's tokens, its own (as the tokenizer reads it again, without what ended
    it) and one call; a prompt whose options are scored costs its tokens and one call, however many
    options there are. What a backend saves by sharing a prefix or a row is not subtracted.

    Args:
        lm: the model that answers.
    """

    def __init__(self, lm: LanguageModel) -> None:
        self._lm = lm
        self._usage: defaultdict[str, Usage] = defaultdict(Usage)
        self._counts: dict[Prompt | str, int] = {}

    @property
    def name(self) -> str:
        """The model's name."""
        return self._lm.name

    @property
    def prompts(self) -> str:
        """The prompt set that suits the model."""
        return self._lm.prompts

    def usage(self, owner: str | int) -> Usage:
        """What the prompts of one owner took so far; "" is the owner of those that name none."""
        return self._usage.get(str(owner), Usage())

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
        texts = self._lm.sample(
            prompts, n, max_new_tokens=max_new_tokens, temperature=temperature, top_p=top_p, seed=seed
        )
        self.count_tokens([*prompts, *(text for row in texts for text in row)])  # at once, for speed
        for prompt, row in zip(prompts, texts, strict=True):
            generated = sum(self.count_tokens(row))
            (given,) = self.count_tokens([prompt])
            self._usage[prompt.owner] += Usage(given * len(row), generated, len(row))
        return texts

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> FloatArray:
        chosen = self._lm.choose(prompts, options)
        for prompt, given in zip(prompts, self.count_tokens(prompts), strict=True):
            self._usage[prompt.owner] += Usage(prompt_tokens=given, calls=1)
        return chosen

    def count_tokens(self, texts: Sequence[Prompt | str]) -> list[int]:
        new = [text for text in dict.fromkeys(texts) if text not in self._counts]
        if new:
            self._counts.update(zip(new, self._lm.count_tokens(new), strict=True))
        return [self._counts[text] for text in texts]


def charged(outcomes: Sequence[Outcome], lm: Metered, seconds: float) -> list[Outcome]:
    """The outcomes with what their places' prompts took, and with equal shares of the seconds."""
    each = seconds / max(len(outcomes), 1)
    return [replace(o, usage=lm.usage(place), seconds=each) for place, o in enumerate(outcomes)]


def relating(graph: BeliefGraph, models: LoadedModels, lm: Metered) -> Usage:
    """What it took to score the edges of one question's belief graph.

    A language model that is its own verifier is charged for the prompt of each distinct pair; nothing
    else tells which question a pair belongs to.

    Args:
        lm: counts the tokens.
    """
    forms = graph.nodes
    pairs = [(forms[source]["form"].text, forms[target]["form"].text) for source, target in graph.edges]
    usage = Usage(pairs=len(pairs))
    if isinstance(models.verifier, LanguageModelVerifier):
        asked = [models.prompts.entailment(*pair) for pair in dict.fromkeys(pairs)]
        usage += Usage(prompt_tokens=sum(lm.count_tokens(asked)), calls=len(asked))
    return usage
