"""One example of each kind of prompt that a run asks, for its readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from maieutic.benchmarks.methods.base import Said
from maieutic.benchmarks.methods.chains import Chain
from maieutic.benchmarks.methods.p_true import SELF_EVALUATION, self_evaluation
from maieutic.lm.base import Prompt
from maieutic.prompts import PromptSet

__all__ = ["example_prompts"]

EXPLANATION = "…"  # in the place of what the model will have said

_KINDS: Mapping[str, Callable[[PromptSet, str], Prompt]] = {
    "declare": lambda prompts, text: prompts.declare(text),
    "negate": lambda prompts, text: prompts.negate(text),
    "explain": lambda prompts, text: prompts.explain(text, True),
    "belief": lambda prompts, text: prompts.belief(text),
    "verdict": lambda prompts, text: prompts.verdict(text, EXPLANATION),
    "direct": lambda prompts, text: prompts.direct(text),
    "knowledge": lambda prompts, text: prompts.knowledge(text),
    SELF_EVALUATION: lambda prompts, text: self_evaluation(
        prompts, text, [Chain(0, EXPLANATION, True)], Said(EXPLANATION, vote=True)
    ),
}


def example_prompts(prompts: PromptSet, kinds: Sequence[str], text: str) -> dict[str, str]:
    """Kind → a prompt about the text, as plain text, or as the messages of a chat before a template has them.

    Args:
        kinds: keys of :data:`maieutic.prompts.base.FIELDS`, or the kind of a method's own prompt.
        text: a statement or question.
    """
    return {kind: _written(_KINDS[kind](prompts, text)) for kind in kinds}


def _written(prompt: Prompt) -> str:
    if prompt.format == "text":
        return prompt.text()
    opening = [f"assistant, begun: {prompt.opening}"] if prompt.opening else []
    return "\n\n".join([*(f"{m['role']}: {m['content']}" for m in prompt.messages()), *opening])
