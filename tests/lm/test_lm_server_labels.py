"""Servers that give the probabilities of single tokens after a prompt, as SGLang's /v1/score."""

from __future__ import annotations

import logging
import math
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from maieutic.errors import ServerError
from maieutic.lm.base import Prompt
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy

Serve = Callable[..., Any]
Body = dict[str, Any]
Change = Callable[[Body], Any]

QUICK = RetryPolicy(connect_timeout=5, request_timeout=10, total_timeout=20, attempts=2, pause=0, max_pause=0)
TABLE = {" yes": 0.4, " true": 0.2, " no": 0.1, " maybe": 0.05, " false": 0.02, " rarely": 0.01}
OPTIONS = [" false", " true", " rarely"]
PROMPTS = [Prompt("text", "", (), "Ice?", "A:"), Prompt("text", "", (), "Is snow cold?", "A:")]
BY_TOP_TOKENS = [0.025, 0.2, 0.025]  # where only four tokens are listed
WAYS = "/score, else 4 top tokens"


def server(serve: Serve, **fields: Any) -> Any:
    """A server that lists four tokens, so that two options are known by /score only."""
    return serve(**{"labels": True, "max_top": 4, "chat": False, "first": lambda _: TABLE} | fields)


def load(fake: Any) -> ServerLM:
    lm = ServerLM.load(f"{fake.url}#m", retries=QUICK)
    fake.requests.clear()
    return lm


def rows(lm: ServerLM, options: list[str] = OPTIONS) -> list[list[float]]:
    chosen: list[list[float]] = lm.choose(PROMPTS, options).probabilities.tolist()
    return chosen


def way(lm: ServerLM) -> str:
    ways: str = lm.facts["scoring"]["/completions"]
    return ways


def scored(change: Change) -> Callable[[Body, Body], Any]:
    """Replies of /score with other scores, or with other content."""
    return lambda body, reply: change(reply) if "label_token_ids" in body else reply


def split(change: Change) -> Callable[[Body, Body], Any]:
    """Replies of /tokenize with other content."""
    return lambda body, reply: change(reply) if isinstance(body.get("prompt"), list) else reply


def each(change: Callable[[float], Any]) -> Callable[[Body, Body], Any]:
    return scored(lambda reply: reply | {"scores": [[change(p) for p in row] for row in reply["scores"]]})


def softmax(reply: Body) -> Body:
    return reply | {"scores": [[p / sum(row) for p in row] for row in reply["scores"]]}


FAULTS = {
    "NaN": each(lambda _: math.nan),
    "null": each(lambda _: None),
    "text": each(str),
    "bool": each(bool),
    "huge": each(lambda _: 10**400),
    "above 1": each(lambda p: 1 + p),
    "logs": each(lambda p: math.log(p or 1e-9)),
    "short": scored(lambda reply: reply | {"scores": [reply["scores"][0][1:]]}),
    "long": scored(lambda reply: reply | {"scores": [[*reply["scores"][0], 0.1]]}),
    "flat": scored(lambda reply: reply | {"scores": reply["scores"][0]}),
    "twice": scored(lambda reply: reply | {"scores": reply["scores"] * 2}),
    "empty": scored(lambda _: {}),
    "mass above 1": scored(lambda reply: reply | {"scores": [[0.9] * len(reply["scores"][0])]}),
    "no tokens": split(lambda _: {}),
    "words": split(lambda reply: reply | {"tokens": [["a"] for _ in reply["tokens"]]}),
    "one row": split(lambda reply: reply | {"tokens": reply["tokens"][:1]}),
    "empty rows": split(lambda reply: reply | {"tokens": [[] for _ in reply["tokens"]]}),
    "end token": split(lambda reply: reply | {"tokens": [[*row, 0] for row in reply["tokens"]]}),
}
BROKEN = {
    "no JSON": scored(lambda _: b"{"),
    "list": scored(lambda _: b"[]"),
    "page": scored(lambda _: b"<html>"),
}


def test_the_probabilities_are_those_of_the_model(serve: Serve) -> None:
    draw = random.Random(5)
    words = [f" word{number}" for number in range(30)]

    def table(prompt: str) -> dict[str, float]:
        weights = random.Random(prompt).choices(range(1, 100), k=30)
        return {word: weight / (2 * sum(weights)) for word, weight in zip(words, weights, strict=True)}

    fake = server(serve, first=table)
    lm = load(fake)
    options = draw.sample(words, 5)
    chosen = lm.choose(PROMPTS, options)
    for prompt, row in zip(PROMPTS, chosen.probabilities.tolist(), strict=True):
        assert row == pytest.approx([table(prompt.text())[option] for option in options])
    assert chosen.prompt_tokens == tuple(len(re.findall(r"\n|\s?[^\s]+", one.text())) + 1 for one in PROMPTS)


def test_one_request_scores_all_options_of_a_prompt(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    fake = server(serve)
    with caplog.at_level(logging.INFO, "maieutic"):
        lm = load(fake)
    assert way(lm) == WAYS
    assert [WAYS in record.getMessage() for record in caplog.records].count(True) == 1
    assert rows(lm) == [pytest.approx([TABLE[option] for option in OPTIONS])] * 2
    assert [path for path, _, _ in fake.requests] == ["/tokenize"] * 2 + ["/v1/score"] * 2
    assert {(body["apply_softmax"], body["item_first"]) for body in fake.bodies("/score")} == {(False, False)}


def test_options_of_several_tokens_are_read_in_the_next_way(serve: Serve) -> None:
    fake = server(serve)
    assert rows(load(fake), [" no wonder", " true"]) == [pytest.approx([0.1, 0.2])] * 2
    assert fake.bodies("/score") == []
    assert len(fake.bodies("/completions")) == 2


def echoes(body: Body, reply: Body) -> Body:
    """As SGLang: without log-probabilities of the prompt where ``logprobs`` is 0, and without offsets."""
    if not body.get("echo") or not body.get("logprobs"):
        return reply
    words = ["<s>", *re.findall(r"\n|\s?[^\s]+", body["prompt"]), " so"]
    logs = [None, *(math.log(TABLE.get(word, 0.001)) for word in words[1:])]
    tops = [None, *({word: log} for word, log in zip(words[1:], logs[1:], strict=True))]
    probabilities = {"tokens": words, "token_logprobs": logs, "text_offset": [-1] * len(words)}
    choice = {"text": body["prompt"] + " so", "logprobs": probabilities | {"top_logprobs": tops}}
    return reply | {"choices": [choice]}


def test_echo_scores_options_of_several_tokens(serve: Serve) -> None:
    fake = server(serve, reshape=echoes)
    lm = load(fake)
    assert way(lm) == "/score, else echo, else 4 top tokens"
    assert rows(lm, [" false", " true"]) == [pytest.approx([0.02, 0.2])] * 2
    assert fake.bodies("/completions") == []
    options = [" no maybe", " false", " true"]
    assert rows(lm, options) == [pytest.approx([0.1 * 0.05, 0.02, 0.2])] * 2
    assert {body["echo"] for body in fake.bodies("/completions")} == {True}
    assert len(fake.bodies("/score")) == 2


def test_options_without_a_boundary_before_them_are_read_in_the_next_way(serve: Serve) -> None:
    fake = server(serve)
    assert rows(load(fake), ["thing", " true"]) == [pytest.approx([0.025, 0.2])] * 2
    assert fake.bodies("/score") == []


@pytest.mark.parametrize("reshape", [*FAULTS.values(), *BROKEN.values()], ids=[*FAULTS, *BROKEN])
def test_a_server_with_strange_replies_is_not_taken_to_score(serve: Serve, reshape: Any) -> None:
    fake = server(serve, reshape=reshape)
    lm = load(fake)
    assert way(lm) == "4 top tokens"
    assert rows(lm) == [pytest.approx(BY_TOP_TOKENS)] * 2
    assert {path for path, _, _ in fake.requests} == {"/v1/completions"}


@pytest.mark.parametrize(
    "table",
    [TABLE, {" 1": 0.26, " 2": 0.25, " 3": 0.25, " 4": 0.24}, {" 1": 1 - 3e-9, " 2": 2e-9, " 3": 1e-9}],
)
def test_a_softmax_over_the_labels_is_found_out(serve: Serve, table: dict[str, float]) -> None:
    assert way(load(server(serve, reshape=scored(softmax), first=lambda _: table))) == "4 top tokens"


def test_a_delimiter_that_the_server_adds_is_found_out(serve: Serve) -> None:
    other = dict(zip(TABLE, reversed(TABLE.values()), strict=True))

    def delimited(_: Body) -> Body:
        return {"scores": [[other[" no"], other[" maybe"]]]}

    assert way(load(server(serve, reshape=scored(delimited)))) == "4 top tokens"


@pytest.mark.parametrize("path", ["/tokenize", "/v1/score"])
@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_server_that_refuses_is_not_taken_to_score(serve: Serve, path: str, status: int) -> None:
    lm = load(server(serve, rule=lambda asked, _: (status, "no") if asked == path else None))
    assert way(lm) == "4 top tokens"
    assert rows(lm) == [pytest.approx(BY_TOP_TOKENS)] * 2


def test_spaces_that_the_server_strips_from_tokens_are_put_back(serve: Serve) -> None:
    def stripped(body: Body, reply: Body) -> Body:
        for choice in reply.get("choices", []):
            if tops := (choice.get("logprobs") or {}).get("top_logprobs"):
                choice["logprobs"]["top_logprobs"] = [{k.strip(): p for k, p in one.items()} for one in tops]
        return reply

    lm = load(server(serve, reshape=stripped))
    assert way(lm) == WAYS
    assert rows(lm) == [pytest.approx([TABLE[option] for option in OPTIONS])] * 2


@pytest.mark.parametrize("reshape", FAULTS.values(), ids=FAULTS)
def test_a_strange_reply_later_leads_to_the_next_way(serve: Serve, reshape: Any) -> None:
    fake = server(serve)
    lm = load(fake)
    fake.reshape = reshape
    assert rows(lm) == [pytest.approx(BY_TOP_TOKENS)] * 2


@pytest.mark.parametrize("reshape", BROKEN.values(), ids=BROKEN)
def test_a_broken_reply_later_is_an_error_of_the_server(serve: Serve, reshape: Any) -> None:
    fake = server(serve)
    lm = load(fake)
    fake.reshape = reshape
    with pytest.raises(ServerError):
        rows(lm)


@pytest.mark.parametrize("path", ["/tokenize", "/v1/score"])
def test_a_refused_prompt_alone_is_read_in_the_next_way(serve: Serve, path: str) -> None:
    fake = server(serve)
    lm = load(fake)
    first = fake.ids(PROMPTS[0].text())
    about = {"/tokenize": lambda body: body["prompt"][0] == PROMPTS[0].text()}
    about["/v1/score"] = lambda body: body["query"] == first
    fake.rule = lambda asked, body: (
        (400, "out of vocabulary") if asked == path and about[path](body) else None
    )
    expected = [TABLE[option] for option in OPTIONS]
    assert rows(lm) == [pytest.approx(BY_TOP_TOKENS), pytest.approx(expected)]
