"""Servers that score given continuations: exact probabilities of whole options."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from maieutic.lm.base import Prompt
from maieutic.lm.server.choice import Position
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy
from maieutic.lm.server.scoring import Continuation, continuation_logprob

Serve = Callable[..., Any]
Body = dict[str, Any]

QUICK = RetryPolicy(connect_timeout=5, request_timeout=10, total_timeout=20, attempts=2, pause=0, max_pause=0)
PROMPTS = [Prompt("text", "", (), "Ice?", "A:"), Prompt("text", "", (), "Snow?", "A:")]
LOGS = {" not": math.log(0.5), " true": math.log(0.25), " false": math.log(0.125)}


def tokens(text: str) -> list[str]:
    """The text in words with the space before them, and line ends."""
    return re.findall(r"\n|\s?[^\s]+", text)


def echoes(body: Body, reply: Body) -> Body:
    """As vLLM, SGLang and llama-cpp-python with ``echo``."""
    if not body.get("echo"):
        return reply
    words = ["<s>", *tokens(body["prompt"])]
    logs: list[float | None] = [None, *(LOGS.get(word, -9.0) for word in words[1:])]
    logprobs = {
        "tokens": [*words, " more"],
        "token_logprobs": [*logs, -1.0],
        "text_offset": [-1] * len(words),
    }
    reply["choices"] = [{"text": body["prompt"] + " more", "logprobs": logprobs}]
    return reply


def prompt_logprobs(body: Body, reply: Body) -> Body:
    """As vLLM without ``echo``."""
    if "prompt_logprobs" in body and "prompt" in body:
        words = tokens(body["prompt"])
        listed = [
            {str(i): {"logprob": LOGS.get(w, -9.0), "rank": 1, "decoded_token": w}}
            for i, w in enumerate(words)
        ]
        reply["choices"][0]["prompt_logprobs"] = [None, *listed]
    return reply


def load(fake: Any) -> ServerLM:
    return ServerLM.load(f"{fake.url}#m", retries=QUICK)


@pytest.mark.parametrize(("reshape", "field"), [(echoes, "echo"), (prompt_logprobs, "prompt_logprobs")])
def test_options_are_scored_token_by_token(serve: Serve, reshape: Callable[..., Any], field: str) -> None:
    fake = serve(reshape=reshape)
    lm = load(fake)
    fake.requests.clear()
    options = [" true", " not true", " not false", " never seen"]
    rows = lm.choose(PROMPTS, options).probabilities.tolist()
    assert rows == [pytest.approx([0.25, 0.125, 0.0625, math.exp(-18)])] * 2
    assert {field in body for body in fake.bodies("/completions")} == {True}
    assert len(fake.requests) == 8


def test_scoring_is_enough_without_top_tokens(serve: Serve) -> None:
    lm = load(serve(reshape=prompt_logprobs, form="", chat=False))
    assert lm.prompts == "paper"
    assert lm.choose(PROMPTS[:1], [" true"]).probabilities.tolist() == [[pytest.approx(0.25)]]


def test_top_tokens_are_read_where_a_prompt_has_no_boundary_before_its_options(serve: Serve) -> None:
    fake = serve(reshape=echoes)
    lm = load(fake)
    joined = Prompt("text", "", (), "Ice?", "A: un")
    rows = lm.choose([PROMPTS[0], joined], ["true", " true"]).probabilities.tolist()
    assert rows[1] == pytest.approx([0.03, 0.6])


def without_spaces(body: Body, reply: Body) -> Body:
    """As servers that decode tokens one by one by a tokenizer that drops the space before a word."""
    logprobs = echoes(body, reply)["choices"][0].get("logprobs")
    if body.get("echo") and logprobs:
        logprobs["tokens"] = [token.lstrip(" ") for token in logprobs["tokens"]]
    return reply


def without_the_first(body: Body, reply: Body) -> Body:
    logprobs = echoes(body, reply)["choices"][0].get("logprobs")
    if body.get("echo") and logprobs:
        logprobs["token_logprobs"] = logprobs["token_logprobs"][1:]
    return reply


def above_zero(body: Body, reply: Body) -> Body:
    logprobs = echoes(body, reply)["choices"][0].get("logprobs")
    if body.get("echo") and logprobs:
        logprobs["token_logprobs"] = [log and -log for log in logprobs["token_logprobs"]]
    return reply


@pytest.mark.parametrize("reshape", [without_spaces, without_the_first, above_zero])
def test_replies_that_do_not_fit_the_prompt_are_no_scores(serve: Serve, reshape: Callable[..., Any]) -> None:
    lm = load(serve(reshape=reshape))
    assert lm.facts["scoring"]["/completions"] == "20 top tokens"
    rows = lm.choose(PROMPTS[:1], [" true", " false"]).probabilities.tolist()
    assert rows == [pytest.approx([0.6, 0.3])]


@pytest.mark.parametrize("field", ["echo", "prompt_logprobs"])
def test_a_server_that_ignores_the_fields_is_not_taken_to_score(serve: Serve, field: str) -> None:
    ways = {"/completions": "20 top tokens", "/chat/completions": "20 top tokens"}
    assert load(serve()).facts["scoring"] == ways
    rule = {"rule": lambda _, body: (400, f"unknown field {field}") if field in body else None}
    assert load(serve(**rule)).facts["scoring"] == ways


def test_a_score_needs_boundaries_and_numbers() -> None:
    def score(*pairs: tuple[str, float | None]) -> Continuation | None:
        return continuation_logprob([Position(token, log, ()) for token, log in pairs], "A:", " true")

    assert score(("A", None), (":", -3.0), (" true", -1.0), ("!", -2.0)) == Continuation(-1.0, 2)
    assert score(("A", None), (": true", -1.0)) is None
    assert score(("A:", None), (" true!", -1.0)) is None
    assert score(("A:", None), (" true", None)) is None
    assert score(("A:", None), (" true", 0.1)) is None
    assert score(("A:", None), (" true", -math.inf)) == Continuation(-math.inf, 1)
    assert score(("A:", None), (" false", -1.0)) is None
    assert score() is None
