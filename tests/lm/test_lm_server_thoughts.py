"""Models on servers that think first: no thought is taken for an answer."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from typing import Any

import pytest

from maieutic.errors import ModelError
from maieutic.lm.base import Prompt, SamplingParams
from maieutic.lm.server.choice import Choice
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy

Serve = Callable[..., Any]
Body = dict[str, Any]
Style = Callable[[str, str, bool], Body]

QUICK = RetryPolicy(connect_timeout=5, request_timeout=10, total_timeout=20, attempts=3, pause=0, max_pause=0)
CHAT = Prompt("chat", "Judge.", (), "Ice?")
THOUGHT = "Okay, the user asks.\nSo is it true?"
ONLY_CHAT = {"completions": False}


def apart(thought: str, answer: str, done: bool) -> Body:
    return {"content": answer if done else "", "reasoning_content": thought}


def apart_as_reasoning(thought: str, answer: str, done: bool) -> Body:
    return {"content": answer if done else None, "reasoning": thought}


def apart_as_thinking(thought: str, answer: str, done: bool) -> Body:
    return {"content": answer if done else "", "thinking": thought}


def in_parts(thought: str, answer: str, done: bool) -> Body:
    parts: list[Body] = [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}]
    return {"content": parts + [{"type": "text", "text": answer}] * done}


def in_tags(thought: str, answer: str, done: bool) -> Body:
    return {"content": f"<think>\n{thought}" + f"\n</think>\n\n{answer}" * done}


def in_brackets(thought: str, answer: str, done: bool) -> Body:
    return {"content": f"[THINK]{thought}" + f"[/THINK]{answer}" * done}


def opened_by_the_template(thought: str, answer: str, done: bool) -> Body:
    return {"content": thought + f"\n</think>\n\n{answer}" * done}


STYLES: list[Style] = [
    apart,
    apart_as_reasoning,
    apart_as_thinking,
    in_parts,
    in_tags,
    in_brackets,
    opened_by_the_template,
]


def thinker(style: Style, switch: Body | None = None, needed: int = 100) -> Callable[[Body, Body], Body]:
    """Replies of a model that thinks for ``needed`` tokens unless a request has the fields of ``switch``."""

    def reshape(body: Body, reply: Body) -> Body:
        choice = reply["choices"][0]
        off = switch is not None and switch.items() <= body.items()
        probabilities = choice.pop("logprobs", None)
        if off:
            choice |= {"logprobs": probabilities} if probabilities else {}
            choice["message"]["content"] = "true" if body["max_tokens"] <= 16 else "Ice is cold."
            return reply
        done = body["max_tokens"] > needed
        choice["finish_reason"] = "stop" if done else "length"
        choice["message"] = {"role": "assistant", **style(THOUGHT, "true", done)}
        if probabilities:
            thought = [
                {"token": one + " ", "logprob": -0.1, "top_logprobs": []} for one in THOUGHT.split(" ")
            ]
            thought[0]["top_logprobs"] = [
                {"token": "Okay", "logprob": -0.1},
                {"token": "true", "logprob": -9},
            ]
            said = [{"token": "</think>", "logprob": 0.0, "top_logprobs": []}]
            said += [{"token": "\n\n", "logprob": math.log(0.9), "top_logprobs": []}]
            said += [{**probabilities["content"][0], "token": "true"}]
            choice["logprobs"] = {"content": thought + said * done}
        return reply

    return reshape


def load(fake: Any) -> ServerLM:
    return ServerLM.load(f"{fake.url}#m", retries=QUICK)


SWITCHES: list[Body] = [
    {"chat_template_kwargs": {"enable_thinking": False}},
    {"reasoning_effort": "none"},
    {"think": False},
    {"thinking": {"type": "disabled"}},
]


@pytest.mark.parametrize("switch", SWITCHES, ids=[next(iter(switch)) for switch in SWITCHES])
@pytest.mark.parametrize("style", STYLES)
def test_thoughts_are_switched_off_by_what_the_server_understands(
    serve: Serve, style: Style, switch: Body, caplog: pytest.LogCaptureFixture
) -> None:
    fake = serve(reshape=thinker(style, switch), **ONLY_CHAT)
    lm = load(fake)
    notices = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(notices) == (switch != SWITCHES[0])
    assert lm.choose([CHAT], [" true", " false"]).probabilities.tolist() == [pytest.approx([0.6, 0.3])]
    ((text,),) = lm.sample([CHAT], 1, SamplingParams(24))
    assert text.text == "Ice is cold."
    assert switch.items() <= fake.requests[-1][1].items()


@pytest.mark.parametrize("style", STYLES)
def test_a_thought_that_cannot_be_switched_off_is_read_past(
    serve: Serve, style: Style, caplog: pytest.LogCaptureFixture
) -> None:
    fake = serve(reshape=thinker(style), **ONLY_CHAT)
    lm = load(fake)
    (notice,) = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert "thinks" in notice
    chosen = lm.choose([CHAT], [" true", " false"]).probabilities[0]
    assert chosen.tolist() == pytest.approx([0.6 * 0.9, 0.3 * 0.9])  # the blank line has 0.9
    ((text,),) = lm.sample([CHAT], 1, SamplingParams(24))
    assert text.text == "true"


@pytest.mark.parametrize("style", STYLES[:-1])
def test_a_thought_without_end_is_refused_at_opening(serve: Serve, style: Style) -> None:
    with pytest.raises(ModelError) as error:
        load(serve(reshape=thinker(style, needed=10**9), **ONLY_CHAT))
    assert "think" in str(error.value)


def test_a_hidden_thought_is_noticed(serve: Serve) -> None:
    """The server sends nothing of it, not even its probabilities."""

    def reshape(body: Body, reply: Body) -> Body:
        if body.get("reasoning_effort") != "none":
            reply["choices"][0] |= {"message": {"content": ""}, "finish_reason": "length", "logprobs": None}
        return reply

    lm = load(serve(reshape=reshape, form="new", **ONLY_CHAT))
    assert lm.choose([CHAT], [" true"]).probabilities.tolist() == [[pytest.approx(0.6)]]


def test_a_server_that_continues_plain_text_is_used_where_chats_never_stop_thinking(serve: Serve) -> None:
    def reshape(body: Body, reply: Body) -> Body:
        return thinker(apart, needed=10**9)(body, reply) if "messages" in body else reply

    lm = load(serve(reshape=reshape))
    assert lm.prompts == "paper"
    with pytest.raises(ModelError):
        lm.sample([CHAT], 1, SamplingParams(24))


def test_one_thought_too_long_costs_one_text(serve: Serve) -> None:
    def reshape(body: Body, reply: Body) -> Body:
        return thinker(apart)(body, reply) if "Snow?" in str(body["messages"]) else reply

    lm = load(serve(reshape=reshape, **ONLY_CHAT))
    snow = Prompt("chat", "Judge.", (), "Snow?")
    (ice,), (lost,) = lm.sample([CHAT, snow], 1, SamplingParams(24))
    assert ice.text
    assert lost.text == ""
    assert lm.choose([CHAT, snow], [" true"]).probabilities.tolist() == [[pytest.approx(0.6)], [0.0]]
    for ask in (lambda: lm.sample([snow], 1, SamplingParams(24)), lambda: lm.choose([snow], [" true"])):
        with pytest.raises(ModelError):
            ask()


def test_a_wordy_model_is_not_taken_for_one_that_thinks(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def reshape(body: Body, reply: Body) -> Body:
        reply["choices"][0] |= {"finish_reason": "length"}
        reply["choices"][0]["message"]["content"] = "Snow is a form of water that"
        return reply

    lm = load(serve(reshape=reshape, **ONLY_CHAT))
    assert not caplog.records
    assert lm.choose([CHAT], [" true"]).probabilities.tolist() == [[pytest.approx(0.6)]]


@pytest.mark.parametrize(
    ("content", "text", "thinks"),
    [
        ("<think>\nhm\n</think>\n\ntrue", "true", True),
        ("<think>hm", "", True),
        ("hm</think>true", "true", True),
        ("<THINKING>hm</THINKING> true", " true", True),
        ("◁think▷hm◁/think▷true", "true", True),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>true",
            "true",
            True,
        ),
        ("true", "true", False),
        ("\n\n true\nmore", " true\nmore", False),
        ("I think so", "I think so", False),
    ],
)
def test_thoughts_in_the_text(content: str, text: str, thinks: bool) -> None:
    for raw in ({"message": {"content": content}}, {"text": content}):
        choice = Choice.read(json.loads(json.dumps(raw)))
        assert (choice.text, choice.thinks) == (text, thinks)


def test_completions_never_return_a_thought(serve: Serve) -> None:
    fake = serve(write=lambda _, prompt: "<think> So is it true?" if "Ice" in prompt else " 4")
    lm = load(fake)
    with pytest.raises(ModelError):
        lm.sample([Prompt("text", "", (), "Ice?", "A:")], 1, SamplingParams(24))
