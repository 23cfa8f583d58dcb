"""A structured prompt written out as the text that a tokenizer reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maieutic.checkpoints.loading import shortened
from maieutic.errors import ModelError
from maieutic.lm.base import Prompt

__all__ = ["render"]


def render(prompt: Prompt, tokenizer: Any, name: str) -> str:
    """The text that the model continues.

    A chat prompt goes through the tokenizer's chat template, thinking switched off where the
    template knows how; the reply's opening is the beginning of an unfinished assistant message.
    A template that refuses or drops the system message gets the instruction at the head of the first
    user message instead. One that iterates over a message's content gets it as a list of parts.

    Args:
        name: the model's, for messages.

    Raises:
        ModelError: a chat prompt for a tokenizer without a template, or one that its template refuses or
            drops a part of. ``subject`` is the model.
    """
    if prompt.format == "text":
        return prompt.text()
    if not tokenizer.chat_template:
        raise ModelError(
            f'{name} has no chat template; use the "paper" prompt set, which is plain text', subject=name
        )
    messages = prompt.messages()
    merged = _without_system(messages)
    problem, cause = "", None
    for form in (messages, merged, _in_parts(messages), _in_parts(merged)):
        try:
            text = _templated(prompt, tokenizer, form)
        except Exception as error:  # a template is a program and raises errors of any type
            problem, cause = problem or f"refuses the prompt ({_first_line(error)})", cause or error
        else:
            if _holds(text, [message["content"] for message in messages]):
                return text
            problem = problem or "drops a part of the prompt"
    raise ModelError(
        f'the chat template of {name} {problem}: "{shortened(prompt.query)}"; use the "paper" prompt set',
        subject=name,
    ) from cause


def _first_line(error: Exception) -> str:
    return shortened(str(error) or type(error).__name__)


def _holds(text: str, contents: list[str]) -> bool:
    """Whether the text has all contents, whatever a template does to spaces and punctuation."""
    written = _letters(text)
    return all(_letters(content) in written for content in contents)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _templated(prompt: Prompt, tokenizer: Any, messages: Sequence[Mapping[str, Any]]) -> str:
    if not prompt.opening:
        return str(
            tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        )
    # A template may trim its messages, so that the opening's trailing space is put back afterwards.
    opening = prompt.opening.rstrip()
    last = {"role": "assistant", "content": opening}
    parts = not isinstance(messages[0]["content"], str)
    text = tokenizer.apply_chat_template(
        [*messages, *(_in_parts([last]) if parts else [last])],
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


def _in_parts(messages: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The messages as templates of models of text and images expect them."""
    return [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in messages]
