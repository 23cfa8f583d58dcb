"""Servers that return the log-probabilities of a chat whose last message is left open, as vLLM."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from maieutic.errors import ContextLengthError, MaieuticError
from maieutic.lm.base import Prompt, Shot
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy

Serve = Callable[..., Any]
Body = dict[str, Any]

QUICK = RetryPolicy(connect_timeout=5, request_timeout=10, total_timeout=20, attempts=2, pause=0, max_pause=0)
FIRST = {"yes": 0.4, "true": 0.2, "no": 0.1, "maybe": 0.05, "false": 0.02, "rarely": 0.01, "A:": 0.001}
LATER = {" true": 0.7, " false": 0.2, " so": 0.05}  # after any word
SHOTS = (Shot("Ice is hot?", "false"),)
PROMPTS = [Prompt("chat", "Judge.", SHOTS, "Ice?"), Prompt("chat", "", (), "Is snow cold?")]
OPTIONS = ["false", "true", "rarely so"]
EXPECTED = [0.02, 0.2, 0.01 * 0.05]
BY_TOP_TOKENS = [0.025, 0.2, 0.025]  # where only four tokens are listed
EXACT = "prompt_logprobs, else 4 top tokens"


def logprobs(body: Body, reply: Body) -> Body:
    """As vLLM: every token of the prompt with its log-probability, beside the choices."""
    if "prompt_logprobs" not in body or "messages" not in body:
        return reply
    assert body["continue_final_message"]
    assert not body["add_generation_prompt"]
    *asked, last = body["messages"]
    before = sum(len(message["content"].split()) + 3 for message in asked) + 3
    words = [f"<{number}>" for number in range(before)] + re.findall(r"\s?[^\s]+", last["content"])
    tables = [dict.fromkeys(words[:before], 0.1)] * before + [FIRST] + [LATER] * len(words)
    listed: list[Body | None] = [
        {str(number): {"logprob": math.log(table.get(word, 1e-9)), "rank": 1, "decoded_token": word}}
        for number, (word, table) in enumerate(zip(words, tables, strict=False))
    ]
    listed[0] = None
    return reply | {
        "prompt_logprobs": listed,
        "usage": {"prompt_tokens": len(words), "completion_tokens": 1},
    }


def answer(change: Callable[[Body], Any]) -> Callable[[Body, Body], Any]:
    """The replies with another entry for the first token of the answer."""

    def changed(body: Body, reply: Body) -> Body:
        if listed := logprobs(body, reply).get("prompt_logprobs"):
            count = len(re.findall(r"\s?[^\s]+", body["messages"][-1]["content"]))
            listed[-count] = change(listed[-count])
            return logprobs(body, reply) | {"prompt_logprobs": listed}
        return reply

    return changed


def log(change: Callable[[float], Any]) -> Callable[[Body, Body], Any]:
    """The replies with another log-probability of the first token of the answer."""
    return answer(lambda entry: {k: one | {"logprob": change(one["logprob"])} for k, one in entry.items()})


def listed(change: Callable[[list[Any]], Any]) -> Callable[[Body, Body], Any]:
    """The replies with another list."""

    def changed(body: Body, reply: Body) -> Body:
        full = logprobs(body, reply)
        return (
            full | {"prompt_logprobs": change(full["prompt_logprobs"])}
            if "prompt_logprobs" in full
            else reply
        )

    return changed


def ignores_the_answer(body: Body, reply: Body) -> Body:
    return logprobs(body | {"messages": [*body["messages"][:-1], {"content": ""}]}, reply)


FAULTS = {
    "NaN": log(lambda _: math.nan),
    "null": log(lambda _: None),
    "text": log(str),
    "huge": log(lambda _: -(10**400)),
    "above 0": log(lambda value: -value),
    "no entry": answer(lambda _: None),
    "two tokens": answer(lambda entry: entry | {"x": {"logprob": -1.0, "decoded_token": "x"}}),
    "no text": answer(lambda _: {"1": {"logprob": -1.0}}),
    "short": listed(lambda rows: rows[1:]),
    "long": listed(lambda rows: [None, *rows]),
    "one": listed(lambda rows: rows[0]),
    "closed": listed(lambda rows: [*rows, {"9": {"logprob": -1.0, "decoded_token": "<end>"}}]),
    "object": listed(lambda rows: {"content": rows}),
    "empty": listed(lambda _: []),
    "ignores": ignores_the_answer,
}
DISAGREEING = {"other model": log(lambda value: value - 1), "certain": log(lambda _: 0.0)}


def server(serve: Serve, **fields: Any) -> Any:
    """A server that lists four tokens, so that two options are known by prompt_logprobs only."""
    known = {"completions": False, "max_top": 4, "first": lambda _: FIRST, "reshape": logprobs}
    return serve(**known | fields)


def load(fake: Any) -> ServerLM:
    lm = ServerLM.load(f"{fake.url}#m", retries=QUICK)
    fake.requests.clear()
    return lm


def rows(lm: ServerLM) -> list[list[float]]:
    chosen: list[list[float]] = lm.choose(PROMPTS, OPTIONS).probabilities.tolist()
    return chosen


def way(lm: ServerLM) -> str:
    ways: str = lm.facts["scoring"]["/chat/completions"]
    return ways


def test_options_are_scored_as_the_beginning_of_the_reply(serve: Serve) -> None:
    fake = server(serve)
    lm = load(fake)
    assert way(lm) == EXACT
    chosen = lm.choose(PROMPTS, OPTIONS)
    assert chosen.probabilities.tolist() == [pytest.approx(EXPECTED)] * 2
    assert chosen.prompt_tokens == (21, 9)
    assert len(fake.requests) == 6
    messages = [PROMPTS[0].messages()] * 3 + [PROMPTS[1].messages()] * 3
    sent = [body["messages"] for body in fake.bodies("/chat/completions")]
    expected = [
        [*asked, {"role": "assistant", "content": option}]
        for asked, option in zip(messages, OPTIONS * 2, strict=True)
    ]
    assert sorted(sent, key=str) == sorted(expected, key=str)


def test_an_opening_precedes_the_option(serve: Serve) -> None:
    fake = server(serve)
    opened = Prompt("chat", "", (), "Ice?", "A:")
    chosen = load(fake).choose([opened], [" true", " false"])
    assert chosen.probabilities.tolist() == [pytest.approx([0.7, 0.2])]
    contents = {body["messages"][-1]["content"] for body in fake.bodies("/chat/completions")}
    assert contents == {"A: true", "A: false"}


def test_an_instruction_is_merged_where_there_is_no_system_role(serve: Serve) -> None:
    fake = server(serve, system=False)
    lm = load(fake)
    assert way(lm) == EXACT
    assert rows(lm) == [pytest.approx(EXPECTED)] * 2
    assert {body["messages"][0]["role"] for body in fake.bodies("/chat/completions")} == {"user"}


@pytest.mark.parametrize("reshape", [*FAULTS.values(), *DISAGREEING.values()], ids=[*FAULTS, *DISAGREEING])
def test_a_server_with_strange_replies_is_not_taken_to_score(serve: Serve, reshape: Any) -> None:
    lm = load(server(serve, reshape=reshape))
    assert way(lm) == "4 top tokens"
    assert rows(lm) == [pytest.approx(BY_TOP_TOKENS)] * 2


@pytest.mark.parametrize("reshape", FAULTS.values(), ids=FAULTS)
def test_a_strange_reply_later_leads_to_the_next_way(serve: Serve, reshape: Any) -> None:
    fake = server(serve)
    lm = load(fake)
    fake.reshape = reshape
    assert rows(lm) == [pytest.approx(BY_TOP_TOKENS)] * 2


@pytest.mark.parametrize("content", [b"{", b"[]", b"<html>", b"{}"])
def test_a_broken_reply_later_is_an_error(serve: Serve, content: bytes) -> None:
    fake = server(serve)
    lm = load(fake)
    fake.reshape = lambda *_: content
    with pytest.raises(MaieuticError):
        rows(lm)


def test_a_header_that_differs_from_that_of_a_new_reply_is_found_out(serve: Serve) -> None:
    longer = listed(lambda rows: [*rows[:1], {"7": {"logprob": -1.0, "decoded_token": "<think>"}}, *rows[1:]])

    def counted(body: Body, reply: Body) -> Body:
        full: Body = longer(body, reply)
        count = len(full.get("prompt_logprobs", []))
        return full | {"usage": {"prompt_tokens": count, "completion_tokens": 1}} if count else full

    assert way(load(server(serve, reshape=counted))) == "4 top tokens"


def test_a_reply_that_begins_with_a_blank_line_is_not_scored(serve: Serve) -> None:
    def blank(body: Body, asked: str) -> str:
        return "\n\ntrue" if body["max_tokens"] > 1 else "\n"

    fake = server(serve, write=blank)
    lm = ServerLM.load(f"{fake.url}#m", retries=QUICK)
    assert way(lm) == "4 top tokens"
    assert [body for body in fake.bodies("/chat/completions") if "prompt_logprobs" in body] == []


@pytest.mark.parametrize("field", ["prompt_logprobs", "continue_final_message"])
def test_a_server_that_refuses_the_fields_is_not_taken_to_score(serve: Serve, field: str) -> None:
    lm = load(server(serve, rule=lambda _, body: (400, f"unknown field {field}") if field in body else None))
    assert way(lm) == "4 top tokens"


def test_a_refused_prompt_alone_is_read_in_the_next_way(serve: Serve) -> None:
    def rule(_: str, body: Body) -> tuple[int, str] | None:
        about = "Ice?" in str(body.get("messages"))
        return (400, "no final message") if about and "prompt_logprobs" in body else None

    fake = server(serve, rule=rule)
    assert rows(load(fake)) == [pytest.approx(BY_TOP_TOKENS), pytest.approx(EXPECTED)]


def test_a_prompt_that_is_too_long_is_an_error(serve: Serve) -> None:
    fake = server(serve)
    lm = load(fake)
    fake.rule = lambda *_: (400, "maximum context length is 100 tokens")
    with pytest.raises(ContextLengthError):
        rows(lm)
