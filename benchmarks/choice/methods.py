"""Ways to choose among options with a language model.

``letters`` reads P(A), P(B), … after the question with lettered options. ``continuations`` reads the
probability of each option as the continuation of the question, as lm-evaluation-harness does, and chooses by
it (acc), by it per character (acc_norm) and, with text prompts, per token (acc_token). ``chain-of-thought``
thinks greedily before it reads the letters, ``self-consistency`` takes the majority of sampled thoughts.
``maieutic`` settles all options as one problem; on questions with grown trees it asks no language model.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from maieutic.benchmarks.choice.items import ChoiceItem
from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.lm.base import LanguageModel, Prompt, SamplingParams
from maieutic.lm.calls import choose as score_options
from maieutic.lm.calls import sample
from maieutic.models import LoadedModels
from maieutic.nli.base import Verifier
from maieutic.pipeline import Maieutic
from maieutic.problem.asking import for_choosing
from maieutic.problem.choosing import Choice, choice_of, choice_problem
from maieutic.problem.settled import settle
from maieutic.usage import Usage

__all__ = [
    "CHOICE_METHODS",
    "ChainOfThoughtChoice",
    "ChoiceMethod",
    "ChoiceOutcome",
    "Continuations",
    "Letters",
    "MaieuticChoice",
    "SelfConsistencyChoice",
    "settled_choice",
]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
INSTRUCTION = "Choose the right option. Reply with its letter only."
THINK = "Think about which option is right, in one sentence, without naming its letter."


@dataclass(frozen=True, slots=True)
class ChoiceOutcome:
    """A method's choice.

    Attributes:
        choice: place of the option; None without one, and ``problem`` says why.
        p: probability of each option, where the method gives one.
        others: choices by other scores of the same replies, by their names.
        seconds: wall clock.
    """

    choice: int | None
    p: tuple[float, ...] | None = None
    others: Mapping[str, int] = field(default_factory=dict)
    usage: Usage = field(default=Usage())
    seconds: float = 0.0
    problem: str | None = None


class ChoiceMethod(Protocol):
    """Chooses among the options of a question."""

    @property
    def uses_verifier(self) -> bool:
        """Whether a verifier must be loaded."""
        ...

    def run(self, item: ChoiceItem, models: LoadedModels) -> ChoiceOutcome:
        """Choose.

        Raises:
            MaieuticError: the model or the verifier failed.
        """
        ...


@dataclass(frozen=True)
class _WithoutVerifier:
    @property
    def uses_verifier(self) -> bool:
        return False


@dataclass(frozen=True)
class Letters(_WithoutVerifier):
    """The likeliest letter after the question with lettered options."""

    def run(self, item: ChoiceItem, models: LoadedModels) -> ChoiceOutcome:
        """See :class:`ChoiceMethod`."""
        start = time.perf_counter()
        p, usage = _letters(item, models, "")
        return _timed(_likeliest(p, usage), start)


@dataclass(frozen=True)
class Continuations(_WithoutVerifier):
    """The likeliest option as the continuation of the question: acc; also acc_norm and acc_token."""

    def run(self, item: ChoiceItem, models: LoadedModels) -> ChoiceOutcome:
        """See :class:`ChoiceMethod`."""
        start = time.perf_counter()
        prompt = _prompt(models, "", f"Question: {item.question}", "Answer:")
        blank = " " if prompt.format == "text" else ""
        scores = score_options(models.lm, [prompt], [blank + option for option in item.options])
        logs = [math.log(p) if p > 0.0 else -math.inf for p in scores.probabilities[0].tolist()]
        others = {"acc_norm": _best([log / len(o) for log, o in zip(logs, item.options, strict=True)])}
        usage = scores.usages[0]
        if prompt.format == "text":
            counts, cost = _token_counts(models.lm, prompt, item.options, scores.prompt_tokens[0])
            usage += cost
            others["acc_token"] = _best([log / count for log, count in zip(logs, counts, strict=True)])
        total = sum(scores.probabilities[0].tolist())
        p = tuple(value / total for value in scores.probabilities[0].tolist()) if total > 0.0 else None
        return _timed(ChoiceOutcome(_best(logs), p, others, usage), start)


@dataclass(frozen=True)
class ChainOfThoughtChoice(_WithoutVerifier):
    """Thinks greedily about the options, then reads the letters.

    Attributes:
        max_new_tokens: limit of the thought, ≥ 1.
    """

    max_new_tokens: int = 96

    def run(self, item: ChoiceItem, models: LoadedModels) -> ChoiceOutcome:
        """See :class:`ChoiceMethod`."""
        start = time.perf_counter()
        ((reply,),) = sample(models.lm, [_thinking(item, models)], 1, SamplingParams(self.max_new_tokens))
        p, usage = _letters(item, models, " ".join(reply.text.split()))
        return _timed(_likeliest(p, usage + reply.usage), start)


@dataclass(frozen=True)
class SelfConsistencyChoice(_WithoutVerifier):
    """The majority of sampled thoughts; the mean probability of the letters breaks a tie.

    Attributes:
        samples: thoughts for each question, ≥ 1.
        temperature, max_new_tokens, seed: of their sampling.
    """

    samples: int = 10
    temperature: float = 1.0
    max_new_tokens: int = 96
    seed: int = 0

    def run(self, item: ChoiceItem, models: LoadedModels) -> ChoiceOutcome:
        """See :class:`ChoiceMethod`."""
        start = time.perf_counter()
        params = SamplingParams(self.max_new_tokens, self.temperature, seed=self.seed)
        (replies,) = sample(models.lm, [_thinking(item, models)], self.samples, params)
        votes, mean, usage = [0.0] * len(item.options), [0.0] * len(item.options), Usage()
        for reply in replies:
            p, cost = _letters(item, models, " ".join(reply.text.split()))
            usage += cost + reply.usage
            votes[_best(p)] += 1.0 / self.samples
            mean = [one + value / self.samples for one, value in zip(mean, p, strict=True)]
        most = max(votes)
        ranked = [value if vote == most else -1.0 for vote, value in zip(votes, mean, strict=True)]
        return _timed(ChoiceOutcome(_best(ranked), tuple(votes), usage=usage), start)


@dataclass(frozen=True)
class MaieuticChoice:
    """All options in one problem; grown trees are settled as they are."""

    joint: Joint = field(default_factory=Joint)

    @property
    def uses_verifier(self) -> bool:
        return self.joint.uses_verifier

    def run(self, item: ChoiceItem, models: LoadedModels) -> ChoiceOutcome:
        """See :class:`ChoiceMethod`."""
        start = time.perf_counter()
        if item.trees:
            return _timed(settled_choice(item, models.verifier, self.joint), start)
        maieutic = Maieutic.of(models, inference=self.joint)
        return _timed(_outcome(maieutic.choose(item.question, item.options)), start)


def settled_choice(item: ChoiceItem, verifier: Verifier, joint: Joint) -> ChoiceOutcome:
    """The choice in the grown trees of a question.

    Raises:
        MaieuticError: the verifier or the solver failed.
    """
    settled = settle(choice_problem(item.trees, item.options), verifier, for_choosing(joint))
    return _outcome(choice_of(item.question, item.options, settled))


def _outcome(choice: Choice) -> ChoiceOutcome:
    p = None if choice.chosen.p is None else tuple(one.p or 0.0 for one in choice.options)
    return ChoiceOutcome(choice.place, p, usage=choice.usage)


CHOICE_METHODS: Mapping[str, Callable[[], ChoiceMethod]] = {
    "letters": Letters,
    "continuations": Continuations,
    "chain-of-thought": ChainOfThoughtChoice,
    "self-consistency": SelfConsistencyChoice,
    "maieutic": MaieuticChoice,
}


def _listed(item: ChoiceItem) -> str:
    if len(item.options) > len(LETTERS):
        problem = f"{len(item.options)} options have no letters"
        raise InputError(f"{problem}; use continuations or maieutic", subject="options")
    pairs = zip(LETTERS, item.options, strict=False)
    return "\n".join([f"Question: {item.question}", *(f"{letter}. {option}" for letter, option in pairs)])


def _prompt(models: LoadedModels, instruction: str, query: str, opening: str) -> Prompt:
    """A prompt without examples; a chat cannot begin the reply."""
    text = models.prompts.format == "text"
    return Prompt(models.prompts.format, instruction, (), query, opening if text else "")


def _letters(item: ChoiceItem, models: LoadedModels, thought: str) -> tuple[list[float], Usage]:
    """P(letter) of each option as a share of all, and what reading them cost."""
    query = _listed(item) + (f"\nThought: {thought}" if thought else "")
    prompt = _prompt(models, INSTRUCTION, query, "Answer:")
    blank = " " if prompt.format == "text" else ""
    letters = [blank + letter for letter in LETTERS[: len(item.options)]]
    scores = score_options(models.lm, [prompt], letters)
    row = scores.probabilities[0].tolist()
    total = sum(row)
    return [value / total if total > 0.0 else 1.0 / len(row) for value in row], scores.usages[0]


def _thinking(item: ChoiceItem, models: LoadedModels) -> Prompt:
    return _prompt(models, THINK, _listed(item), "Thought:")


def _likeliest(p: Sequence[float], usage: Usage) -> ChoiceOutcome:
    return ChoiceOutcome(_best(p), tuple(p), usage=usage)


def _best(scores: Sequence[float]) -> int:
    """The place of the highest score, the first of equal ones."""
    return max(range(len(scores)), key=lambda place: scores[place])


def _token_counts(
    lm: LanguageModel, prompt: Prompt, options: Sequence[str], before: int
) -> tuple[list[int], Usage]:
    """The tokens of each option behind a text prompt: those that the prompt has more with it."""
    longer = [replace(prompt, opening=f"{prompt.opening} {option}") for option in options]
    scores = score_options(lm, longer, ["."])
    return [max(1, count - before) for count in scores.prompt_tokens], sum(scores.usages, Usage())


def _timed(outcome: ChoiceOutcome, start: float) -> ChoiceOutcome:
    return replace(outcome, seconds=time.perf_counter() - start)
