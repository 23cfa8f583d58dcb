"""Renders a structured prompt as the text that a tokenizer reads, and checks that nothing is lost."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from maieutic.checkpoints.loading import shortened
from maieutic.errors import ModelError
from maieutic.lm.base import Prompt
from maieutic.lm.local.fixed_date import with_fixed_date
from maieutic.lm.messages import in_parts, merge_system
from maieutic.lm.thoughts import Tags, empty_thought, opened_thought

__all__ = ["ChatTemplate"]

_log = logging.getLogger(__name__)

_Message = dict[str, Any]
_QUESTION, _REPLY, _NEXT = "Is ice colder than steam", "Surely so", "Can stones swim"  # of trial messages
_SWITCHES = {"enable_thinking": False, "thinking": False}
_NAMED_SWITCH = re.compile(r"\b(?=\w*(?:think|thought|reason))(?!strip_|has_)\w+\b", re.IGNORECASE)
_TURNED = ("disable", "no_", "skip", "hide", "without", "off")  # in names of switches that are on to be off


@dataclass(frozen=True, slots=True)
class _Form:
    """The form in which a template gets its messages, and the notice about it."""

    merged: bool
    parts: bool
    notice: str = ""


_MERGED = "its chat template loses or refuses system messages, so instructions open the first user message"
_PARTS = "its chat template loses plain messages, so they are given as lists of parts"
_FORMS = (
    _Form(merged=False, parts=False),
    _Form(merged=True, parts=False, notice=_MERGED),
    _Form(merged=False, parts=True, notice=_PARTS),
    _Form(merged=True, parts=True, notice=f"{_PARTS}; {_MERGED}"),
)


class ChatTemplate:
    """A tokenizer's chat template, as one language model uses it.

    Thinking is switched off where the template knows how. Dates are fixed
    (:mod:`maieutic.lm.local.fixed_date`).

    Args:
        name: the model's, for messages.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:
        self._tokenizer, self._name = tokenizer, name
        self._notices: set[str] = set()

    def write(self, prompt: Prompt) -> str:
        """The text of a chat prompt; its opening begins an unfinished assistant message.

        A template may refuse or drop the system message, or drop messages that are not lists of parts. So the
        rendered text is searched for every part of the prompt; if one is missing, the next form is tried.

        Raises:
            ModelError: there is no template, or it refuses or loses the prompt in every form.
        """
        if not self._tokenizer.chat_template:
            raise ModelError(
                f'{self._name} has no chat template; use the "paper" prompt set, which is plain text',
                subject=self._name,
            )
        problems = []
        for form in _FORMS:
            if form.merged and not prompt.instruction:
                continue
            try:
                text = self._written(_messages(prompt, form), prompt.opening, form)
            except Exception as error:  # a template is a program, and may fail in any way
                problems.append(f"{type(error).__name__}: {shortened(' '.join(str(error).split()))}")
                continue
            lost = _lost(prompt, text)
            if lost is None:
                self.notice(form.notice)
                return text
            problems.append(f'it loses "{shortened(lost)}"')
        raise ModelError(
            f'the chat template of {self._name} refuses the prompt "{shortened(prompt.query)}" '
            f'({problems[0]}); use the "paper" prompt set',
            subject=self._name,
        )

    def notice(self, text: str) -> None:
        """Log what is done about a template or a model, once."""
        if text and text not in self._notices:
            self._notices.add(text)
            _log.warning("%s: %s", self._name, text)

    def opened_thought(self, prompt: Prompt, text: str) -> Tags | None:
        """The tags of the thought that the template opens in a prompt's text."""
        return opened_thought(text.rpartition(prompt.query.strip())[2])

    def after_replies(self) -> list[str]:
        """What the template writes after a reply: at the end, and up to the next user message."""
        tails = []
        for replies in ((_REPLY,), (_REPLY, _NEXT)):
            text = self._trial(*replies, **self._switches) or ""
            reply, tail = text.rpartition(_REPLY)[1:]
            if reply:
                tails.append(tail.partition(_NEXT)[0])
        return tails

    def _trial(self, *replies: str, **options: Any) -> str | None:
        """A trial conversation as the template writes it; None where it refuses or loses the question."""
        for parts in (False, True):
            try:
                text = self._apply(_talk(*replies, parts=parts), **options)
            except Exception:  # noqa: S112 - where it fails on prompts too, :meth:`write` says so
                continue
            if _QUESTION in text:
                return text
        return None

    def _written(self, messages: list[_Message], opening: str, form: _Form) -> str:
        if not opening:
            text = self._apply(messages, add_generation_prompt=True, **self._switches)
            opens, closes = self._own_empty_thought
            return text.removesuffix(opens) + closes if opens and text.endswith(opens) else text
        # A template may trim its messages, so that the opening's trailing space is put back afterwards.
        trimmed = opening.rstrip()
        reply = [{"role": "assistant", "content": trimmed}]
        text = self._apply(
            [*messages, *(in_parts(reply) if form.parts else reply)],
            continue_final_message=True,
            **self._switches,
        )
        return text + opening[len(trimmed) :]

    def _apply(self, messages: list[_Message], **options: Any) -> str:
        written = self._tokenizer.apply_chat_template(
            messages, chat_template=self._text, tokenize=False, **options
        )
        return str(written)

    @cached_property
    def _text(self) -> str:
        return with_fixed_date(self._tokenizer.get_chat_template())

    @cached_property
    def _switches(self) -> Mapping[str, Any]:
        """The template's variables that switch thinking off, as far as they are known."""
        asked = self._reply_start({})
        for switches in (_SWITCHES, _SWITCHES | self._named_switches()):
            start = self._reply_start(switches)
            if start is not None and opened_thought(start) is None:
                if asked is not None and asked != start:
                    self.notice("it can think first; its thinking is switched off")
                return switches
        return _SWITCHES

    def _named_switches(self) -> dict[str, Any]:
        """Values for all names in the template that sound like a switch."""
        switches: dict[str, Any] = {}
        for name in set(_NAMED_SWITCH.findall(self._text)):
            low = name.lower()
            off: Any = "none" if "effort" in low or "level" in low else "off" if "mode" in low else False
            switches[name] = any(word in low for word in _TURNED) or off
        return switches

    def _reply_start(self, switches: Mapping[str, Any]) -> str | None:
        """What the template writes before a reply; None where it refuses the trial."""
        text = self._trial(add_generation_prompt=True, **switches)
        return None if text is None else text.rpartition(_QUESTION)[2]

    @cached_property
    def _own_empty_thought(self) -> tuple[str, str]:
        """How the template opens a thought before a reply, and the empty one that it writes itself.

        Both are "" where it opens none, or writes no empty one.
        """
        opens = self._reply_start(self._switches) or ""
        tags = opened_thought(opens)
        if tags is None:
            return "", ""
        text = self._trial(_REPLY, **self._switches) or ""
        closes = text.rpartition(_QUESTION)[2].partition(_REPLY)[0]
        start = opens[: opens.rfind(tags.opening)]
        if not (closes.startswith(start) and empty_thought(closes)):
            return "", ""
        self.notice("it can think first; its thinking is switched off by the template's empty thought")
        return opens, closes


def _messages(prompt: Prompt, form: _Form) -> list[_Message]:
    messages: list[_Message] = list(prompt.messages())
    if form.merged:
        messages = merge_system(messages)
    return in_parts(messages) if form.parts else messages


def _talk(*replies: str, parts: bool) -> list[_Message]:
    """A trial conversation: a question, a reply if there is one, a question if there is another."""
    turns = zip(("user", "assistant", "user"), (_QUESTION, *replies), strict=False)
    messages: list[_Message] = [{"role": role, "content": content} for role, content in turns]
    return in_parts(messages) if parts else messages


def _lost(prompt: Prompt, text: str) -> str | None:
    """The first part of a prompt that its text lacks; the instruction may be anywhere, the rest in order."""
    if prompt.instruction and _find(prompt.instruction, text, 0) is None:
        return prompt.instruction
    exchanges = [part for shot in prompt.shots for part in (shot.query, shot.reply)]
    place = 0
    for part in (*exchanges, prompt.query, prompt.opening):
        end = _find(part, text, place)
        if end is None:
            return part
        place = end
    return None


def _find(part: str, text: str, start: int) -> int | None:
    """Where a part of a prompt ends in a text; templates may trim it, or write it as JSON."""
    trimmed = part.strip()
    for form in (trimmed, json.dumps(trimmed, ensure_ascii=False)[1:-1]):
        place = text.find(form, start)
        if place >= 0:
            return place + len(form)
    return None
