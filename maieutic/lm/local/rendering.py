"""A structured prompt written out as the text that a tokenizer reads."""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError

from maieutic.checkpoints.loading import shortened
from maieutic.errors import ModelError
from maieutic.lm.base import Prompt

__all__ = ["render"]


def render(prompt: Prompt, tokenizer: Any, name: str) -> str:
    """The text that the model continues.

    A chat prompt goes through the tokenizer's chat template, thinking switched off where the
    template knows how; the reply's opening is the beginning of an unfinished assistant message.
    Templates that refuse a system message get the instruction at the head of the first user
    message instead.

    Args:
        name: the model's, for messages.

    Raises:
        ModelError: a chat prompt for a tokenizer without a template, or one its template refuses.
    """
    if prompt.format == "text":
        return prompt.text()
    if not tokenizer.chat_template:
        raise ModelError(f'{name} has no chat template; use the "paper" prompt set, which is plain text')
    try:
        return _templated(prompt, tokenizer, prompt.messages())
    except (TemplateError, ValueError) as refused:
        try:
            return _templated(prompt, tokenizer, _without_system(prompt.messages()))
        except (TemplateError, ValueError):
            raise ModelError(
                f'the chat template of {name} refuses the prompt "{shortened(prompt.query)}" '
                f'({refused}); use the "paper" prompt set'
            ) from refused


def _templated(prompt: Prompt, tokenizer: Any, messages: list[dict[str, str]]) -> str:
    if not prompt.opening:
        return str(
            tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        )
    # A template may trim its messages, so that the opening's trailing space is put back afterwards.
    opening = prompt.opening.rstrip()
    text = tokenizer.apply_chat_template(
        [*messages, {"role": "assistant", "content": opening}],
        tokenize=False,
        continue_final_message=True,
        enable_thinking=False,
    )
    return str(text) + prompt.opening[len(opening) :]


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    if messages[0]["role"] != "system":
        return messages
    instruction, first, *others = messages
    merged = {"role": "user", "content": f"{instruction['content']}\n\n{first['content']}"}
    return [merged, *others]
