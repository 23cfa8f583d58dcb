"""Chat messages in the forms that templates and servers differ on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["in_parts", "merge_system"]

Message = dict[str, Any]


def merge_system(messages: Sequence[Message]) -> list[Message]:
    """The messages with the system message, the first one, at the head of the user message that follows it.

    >>> merge_system([{"role": "system", "content": "Judge."}, {"role": "user", "content": "Ice is hot."}])
    [{'role': 'user', 'content': 'Judge.\\n\\nIce is hot.'}]
    """
    instruction, first, *others = messages
    return [{"role": "user", "content": f"{instruction['content']}\n\n{first['content']}"}, *others]


def in_parts(messages: Sequence[Message]) -> list[Message]:
    """The messages with their content as a list of one text part.

    >>> in_parts([{"role": "user", "content": "Ice is hot."}])
    [{'role': 'user', 'content': [{'type': 'text', 'text': 'Ice is hot.'}]}]
    """
    return [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in messages]
