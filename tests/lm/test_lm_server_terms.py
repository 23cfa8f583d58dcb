"""Servers that accept less than others, or answer in other formats: they are asked in another way."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from maieutic.errors import InputError, ModelError
from maieutic.lm.base import Prompt, SamplingParams, Shot
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy

Serve = Callable[..., Any]
Rule = Callable[[str, dict[str, Any]], tuple[int, str] | None]

QUICK = RetryPolicy(connect_timeout=5, request_timeout=10, total_timeout=20, attempts=3, pause=0, max_pause=0)
TEXT = Prompt("text", "", (), "Ice?", "A:")
CHAT = Prompt("chat", "Judge.", (Shot("Ice is hot?", "false"),), "Ice?", "")
ONLY_CHAT = {"completions": False}


def load(fake: Any, model: str = "m") -> ServerLM:
    return ServerLM.load(f"{fake.url}#{model}", retries=QUICK)


def used(fake: Any, prompt: Prompt = CHAT, temperature: float = 0.0) -> dict[str, Any]:
    """The body of a request for a text, after asking for probabilities as well."""
    lm = load(fake)
    fake.requests.clear()
    assert lm.choose([prompt], ["true"]).probabilities.sum() > 0
    lm.sample([prompt], 1, SamplingParams(24, temperature))
    body: dict[str, Any] = fake.requests[-1][1]
    return body


@pytest.mark.parametrize(
    "listing",
    [
        [{"id": "m"}, {"id": "n"}],
        ["m", "n"],
        {"data": ["m"]},
        {"models": [{"name": "m"}, {"name": "n", "size": 3}]},
        {"object": "list", "data": [{"id": None}, {"model": "m"}, 7]},
        {"data": [{"id": "m:latest"}]},
        {"data": [{"id": "*"}]},
        {"data": [{"id": "m*", "aliases": 3}]},
        {"data": []},
        {"data": None},
        {},
        "none",
    ],
)
def test_lists_of_models_in_other_formats(serve: Serve, listing: Any) -> None:
    assert load(serve(listing=listing)).name.endswith("#m")


def test_the_only_model_of_a_bare_list_needs_no_name(serve: Serve) -> None:
    assert load(serve(listing=[{"id": "m"}]), "").name.endswith("#m")
    with pytest.raises(InputError):
        load(serve(listing=[{"id": "m"}, {"id": "n"}]), "")


def test_a_model_that_a_list_lacks_is_refused(serve: Serve) -> None:
    with pytest.raises(ModelError) as error:
        load(serve(listing=["n", "other/*"]))
    assert error.value.subject == "m"


def test_latest_may_be_named(serve: Serve) -> None:
    assert load(serve(listing=["m"]), "m:latest").name.endswith("#m:latest")


def refuse(condition: Callable[[dict[str, Any]], bool], message: str, status: int = 400) -> Rule:
    return lambda _, body: (status, message) if condition(body) else None


def test_another_name_of_the_token_limit(serve: Serve) -> None:
    rule = refuse(lambda body: "max_tokens" in body, "'max_tokens' is not supported with this model")
    body = used(serve(rule=rule, **ONLY_CHAT))
    assert (body["max_completion_tokens"], "max_tokens" in body) == (24, False)


def test_a_token_limit_that_is_too_small(serve: Serve) -> None:
    rule = refuse(lambda body: body.get("max_tokens", 20) < 16, "max_tokens must be at least 16")
    assert used(serve(rule=rule, **ONLY_CHAT))["max_tokens"] == 24


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_top_p_below_1_where_1_is_refused(serve: Serve, status: int) -> None:
    rule = refuse(lambda body: body.get("top_p") == 1, "`top_p` must be > 0.0 and < 1.0", status)
    assert 0.999 < used(serve(rule=rule))["top_p"] < 1


def test_a_top_p_that_is_refused_altogether_is_left_out(serve: Serve) -> None:
    rule = refuse(lambda body: "top_p" in body, "Unsupported parameter: top_p")
    assert "top_p" not in used(serve(rule=rule))


def test_a_small_temperature_where_0_is_refused(serve: Serve) -> None:
    rule = refuse(lambda body: body.get("temperature") == 0, "`temperature` must be strictly positive")
    fake = serve(rule=rule)
    assert 0 < used(fake)["temperature"] <= 0.01
    assert used(fake, temperature=0.7)["temperature"] == 0.7


def test_no_temperature_where_it_cannot_be_set(serve: Serve) -> None:
    rule = refuse(lambda body: "temperature" in body, "temperature cannot be changed for this model")
    assert "temperature" not in used(serve(rule=rule))


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "System role not supported"), (500, "Conversation roles must alternate"), (500, "TemplateError")],
)
def test_a_refused_system_role(serve: Serve, status: int, message: str) -> None:
    rule = refuse(lambda body: body["messages"][0]["role"] == "system", message, status)
    fake = serve(rule=rule, **ONLY_CHAT)
    body = used(fake)
    assert body["messages"][0] == {"role": "user", "content": "Judge.\n\nIce is hot?"}
    assert body["top_k"] == -1  # whatever was not at fault is restored


def test_a_system_message_that_the_template_ignores(serve: Serve) -> None:
    """The server charges as many tokens with it as without it."""

    def charge(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        words = [one["content"] for one in body["messages"] if one["role"] != "system"]
        return reply | {"usage": {"prompt_tokens": len(" ".join(words).split()) + 5}}

    assert used(serve(reshape=charge, **ONLY_CHAT))["messages"][0]["role"] == "user"


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (5, "`top_n_tokens` must be >= 0 and <= 5. Given: 20"),
        (8, "logprobs: at most 8 tokens"),
        (5, "top_logprobs is too large"),
        (3, "n_probs is out of range"),
        (5, "Bad Request"),
    ],
)
def test_fewer_top_tokens(serve: Serve, limit: int, message: str) -> None:
    def top(body: dict[str, Any]) -> int:
        return int(body.get("top_logprobs", 0) if "messages" in body else body.get("logprobs", 0))

    lm = load(serve(rule=refuse(lambda body: top(body) > limit, message, 422)))
    assert 2 <= lm.facts["top_tokens"]["/completions"] <= limit
    assert lm.choose([TEXT], [" true", " false"]).probabilities.tolist() == [pytest.approx([0.6, 0.3])]


def test_too_many_top_tokens_may_be_ignored(serve: Serve) -> None:
    def ignore(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        if (body.get("top_logprobs") or body.get("logprobs") or 0) > 5:
            reply["choices"][0]["logprobs"] = None
        return reply

    assert load(serve(reshape=ignore)).facts["top_tokens"] == {"/completions": 5, "/chat/completions": 5}


@pytest.mark.parametrize("field", ["stop", "seed", "top_k", "repeat_penalty", "chat_template_kwargs"])
def test_a_field_that_is_refused_is_left_out(serve: Serve, field: str) -> None:
    rule = refuse(lambda body: field in body, f"[{{'loc': ['body', '{field}'], 'msg': 'extra fields'}}]", 422)
    body = used(serve(rule=rule))
    assert field not in body or body[field] == 0


def test_content_as_a_list_of_parts(serve: Serve) -> None:
    rule = refuse(
        lambda body: isinstance(body["messages"][0]["content"], str), "content: Input should be a valid list"
    )
    fake = serve(rule=rule, **ONLY_CHAT)
    assert used(fake)["messages"][-1]["content"] == [{"type": "text", "text": "Ice?"}]


def test_a_server_that_refuses_without_a_reason(serve: Serve) -> None:
    rule = refuse(lambda body: "seed" in body, "")
    body = used(serve(rule=rule))
    assert "seed" not in body
    assert (body["temperature"], body["top_p"], body["stop"]) == (0.0, 1.0, ["\n"])


@pytest.mark.parametrize("broken", ["/v1/completions", "/v1/chat/completions"])
@pytest.mark.parametrize("status", [400, 404, 422, 500, 502, 503])
def test_one_endpoint_may_be_broken(serve: Serve, broken: str, status: int) -> None:
    fake = serve(rule=lambda path, _: (status, "no") if path == broken else None)
    lm = load(fake)
    assert lm.prompts == ("chat" if broken == "/v1/completions" else "paper")
    prompt = CHAT if lm.prompts == "chat" else TEXT
    assert lm.choose([prompt], [" true"]).probabilities.tolist() == [[pytest.approx(0.6)]]


def test_a_broken_list_of_models_does_not_matter(serve: Serve) -> None:
    fake = serve(models=None)
    assert load(fake).choose([TEXT], [" true"]).probabilities.tolist() == [[pytest.approx(0.6)]]


# replies in other formats


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_compressed_replies(serve: Serve, compress: Callable[[bytes], bytes]) -> None:
    fake = serve(reshape=lambda _, reply: compress(json.dumps(reply).encode()))
    assert load(fake).choose([TEXT], [" true"]).probabilities.tolist() == [[pytest.approx(0.6)]]


def drawn(fake: Any, prompt: Prompt = CHAT) -> list[str]:
    lm = load(fake)
    (row,) = lm.sample([prompt], 2, SamplingParams(24, 1.0))
    return [one.text for one in row]


def with_content(content: Any) -> Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]:
    def reshape(_: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        reply["choices"][0]["message"]["content"] = content
        return reply

    return reshape


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "Ice "}, {"type": "text", "text": "is cold."}], "Ice is cold."),
        (["Ice ", "is cold."], "Ice is cold."),
        ([{"type": "text", "text": None}, 7, {"type": "text", "content": "Ice."}], "Ice."),
        ("\n\nIce is cold.\nmore", "Ice is cold."),
        (7, ""),
        (None, ""),
    ],
)
def test_content_in_other_formats(serve: Serve, content: Any, text: str) -> None:
    assert drawn(serve(reshape=with_content(content), **ONLY_CHAT)) == [text, text]


def test_lone_surrogates_and_broken_bytes(serve: Serve) -> None:
    def cut(_: dict[str, Any], reply: dict[str, Any]) -> bytes:
        reply["choices"][0]["message"]["content"] = "so \ud83d"
        return json.dumps(reply).encode()

    assert drawn(serve(reshape=cut, **ONLY_CHAT)) == ["so ?"] * 2
    broken = serve(
        reshape=lambda _, reply: json.dumps(reply).encode().replace(b" text", b" \xf0\x9f"), **ONLY_CHAT
    )
    assert all("\ufffd" in text for text in drawn(broken))


def test_a_prompt_with_a_lone_surrogate_is_sent(serve: Serve) -> None:
    fake = serve()
    load(fake).choose([Prompt("text", "", (), "Ice \ud83d?", "A:")], [" true"])


BAD_FIELDS: dict[str, Any] = {
    "no choices": {"choices": []},
    "choices of another type": {"choices": "x"},
    "a choice of another type": {"choices": [7]},
    "a message of another type": {"choices": [{"message": "x"}]},
    "null probabilities": {"choices": [{"message": {"content": "x"}, "logprobs": None}]},
    "null top tokens": {"choices": [{"logprobs": {"content": [{"token": "x", "top_logprobs": None}]}}]},
    "a null log-probability": {
        "choices": [{"logprobs": {"content": [{"top_logprobs": [{"token": "true", "logprob": None}]}]}}]
    },
    "usage of another type": {"choices": [], "usage": "none"},
}


@pytest.mark.parametrize("bad", BAD_FIELDS)
def test_a_bad_field_costs_one_reply(serve: Serve, bad: str) -> None:
    def reshape(body: dict[str, Any], reply: dict[str, Any]) -> Any:
        return BAD_FIELDS[bad] if "Snow?" in str(body["messages"]) else reply

    lm = load(serve(reshape=reshape, **ONLY_CHAT))
    prompts = [CHAT, Prompt("chat", "Judge.", (), "Snow?")]
    assert lm.choose(prompts, [" true", " false"]).probabilities.tolist() == [
        [0.6, pytest.approx(0.3)],
        [0, 0],
    ]
    (good,), (lost,) = lm.sample(prompts, 1, SamplingParams(24))
    assert good.text.strip().startswith("text")
    assert lost.text in ("", "x")


def test_a_null_among_the_top_tokens_is_passed_over(serve: Serve) -> None:
    def spoil(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        top = (reply["choices"][0].get("logprobs") or {"content": [{"top_logprobs": []}]})["content"][0]
        top["top_logprobs"] += [{"token": "x", "logprob": None}, {"token": None, "logprob": -1}, None]
        return reply

    chosen = load(serve(reshape=spoil, **ONLY_CHAT)).choose([CHAT], [" true", " false"])
    assert chosen.probabilities.tolist() == [pytest.approx([0.6, 0.3])]


# replies that begin with a newline


def newline_first(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
    choice = reply["choices"][0]
    choice["message"]["content"] = "" if "stop" in body else "\n\nIce is cold.\nmore"
    if body.get("top_logprobs") and body["max_tokens"] > 1:
        first = {"token": "\n\n", "logprob": -0.1, "top_logprobs": [{"token": "\n\n", "logprob": -0.1}]}
        choice["logprobs"]["content"].insert(0, first)
    return reply


def test_a_reply_that_begins_with_a_newline_is_not_empty(serve: Serve) -> None:
    fake = serve(reshape=newline_first, **ONLY_CHAT)
    assert drawn(fake) == ["Ice is cold."] * 2
    chosen = load(fake).choose([CHAT], [" true", " false"]).probabilities[0]
    assert chosen.tolist() == pytest.approx([0.6 * 0.9048, 0.3 * 0.9048], rel=1e-3)


def test_single_replies_that_begin_with_a_newline_are_drawn_again(serve: Serve) -> None:
    def sometimes(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        return newline_first(body, reply) if "Ice?" in str(body["messages"]) else reply

    fake = serve(reshape=sometimes, **ONLY_CHAT)
    assert drawn(fake) == ["Ice is cold."] * 2
    assert sum("stop" not in body for body in fake.bodies("/chat/completions")[-4:]) == 2
