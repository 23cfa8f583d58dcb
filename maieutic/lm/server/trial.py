"""A trial question to a chat endpoint: does the model hear the instruction, and does it think first?

A thought must never be mistaken for an answer. It is switched off if the server has a switch that works. If
not, it is read past, within a limit of its own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from maieutic.errors import MaieuticError
from maieutic.lm.messages import merge_system
from maieutic.lm.server.choice import Choice
from maieutic.lm.server.endpoint import ANSWER_TOKENS, Endpoint
from maieutic.lm.server.exchange import Connection
from maieutic.lm.server.negotiation import NO_THINKING
from maieutic.lm.server.replies import Reply
from maieutic.lm.server.request import Request, RequestRejected

__all__ = ["THOUGHT_REMEDY", "THOUGHT_TOKENS", "Trial", "trial_messages"]

THOUGHT_TOKENS = 2048  # limit of a thought
THOUGHT_REMEDY = "start the server with thinking switched off, or name another model"
_SWITCHES: tuple[Mapping[str, Any], ...] = (  # of vLLM, SGLang and llama.cpp; Ollama and OpenAI; others
    NO_THINKING,
    {"reasoning_effort": "none"},
    {"think": False},
    {"chat_template_kwargs": {"thinking": False}},
    {"thinking": {"type": "disabled"}},
    {"reasoning": {"enabled": False}},
    {"enable_thinking": False},
)
_INSTRUCTION = "Judge whether the statement is true or false. Reply with one word: true or false."
_QUESTION = "Statement: Snow is cold.\nIs the statement true or false?"
_ANSWER = re.compile(r"\W*(true|false)\b", re.IGNORECASE)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """Trial questions to one model.

    Args:
        name: the model's name in messages.
    """

    connection: Connection
    model: str
    name: str

    def adapt(self, endpoint: Endpoint) -> Endpoint | None:
        """The endpoint, adapted to what its replies are like; None if the model never stops thinking."""
        endpoint = self._with_instruction(endpoint)
        choice = self._ask(endpoint)
        if choice is None or not _may_think(choice):
            return replace(endpoint, blank_start=choice.blank_start) if choice else endpoint
        if not _thinks(choice):  # a template may have opened a thought without a sign
            longer = self._ask(endpoint, THOUGHT_TOKENS // 4)
            if longer is None or not _thinks(longer):
                return endpoint
        has_thought = choice.thinks
        for switch in _SWITCHES:
            switched = replace(endpoint, thinking=switch)
            choice = self._ask(switched)
            if choice is not None and not _may_think(choice):
                how = ", ".join(f"{name}={value}" for name, value in switch.items())
                _log.warning(
                    "%s thinks before it answers; its thoughts are switched off by %s", self.name, how
                )
                return replace(switched, blank_start=choice.blank_start)
        patient = replace(endpoint, thinking={}, thought=THOUGHT_TOKENS)
        choice = self._ask(patient)
        if choice is None or not choice.text.strip():
            seen = has_thought or (choice is not None and choice.thinks)
            return None if seen else endpoint  # without a thought, the model may just write nothing
        _log.warning(
            "%s thinks before it answers, and has no switch for that; up to %d tokens of thought are awaited "
            "before every answer",
            self.name,
            THOUGHT_TOKENS,
        )
        return patient

    def _with_instruction(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint without the system role if the chat template ignores system messages."""
        if not endpoint.system:
            return endpoint
        counts = []
        for system in (True, False):
            variant = replace(endpoint, top=0)
            reply = self._reply(variant, variant.min_tokens, system=system)
            counts.append(None if reply is None else reply.token_count("prompt"))
        ignored = None not in counts and counts[0] == counts[1]
        return replace(endpoint, system=False) if ignored else endpoint

    def _ask(self, endpoint: Endpoint, tokens: int = ANSWER_TOKENS) -> Choice | None:
        """The model's greedy reply; None if the server rejects the request or fails."""
        reply = self._reply(endpoint, tokens, system=endpoint.system)
        return None if reply is None else reply.choice

    def _reply(self, endpoint: Endpoint, tokens: int, *, system: bool) -> Reply | None:
        """The reply; None if the server rejects the request or fails."""
        messages = trial_messages(system=system, merged=not endpoint.system)
        body = endpoint.body(self.model, messages, {}, max_tokens=tokens, temperature=0, top_p=1.0, seed=0)
        try:
            (reply,) = self.connection.send([Request(endpoint.path, body)], opening=True, attempts=1)
        except (RequestRejected, MaieuticError):
            return None
        assert isinstance(reply, Reply)
        return reply


def trial_messages(*, system: bool, merged: bool) -> list[dict[str, str]]:
    """The trial question, with the instruction as system message, merged into the question, or left out."""
    messages = [{"role": "system", "content": _INSTRUCTION}, {"role": "user", "content": _QUESTION}]
    if system:
        return messages
    return merge_system(messages) if merged else messages[1:]


def _thinks(choice: Choice) -> bool:
    """Whether a reply has a thought, or was cut before any text, as if the thought were hidden."""
    return choice.thinks or (choice.cut and not choice.text.strip())


def _may_think(choice: Choice) -> bool:
    """Whether a reply has a thought, or is too long for an answer and may be a thought without a sign."""
    return _thinks(choice) or (choice.cut and _ANSWER.match(choice.text) is None)
