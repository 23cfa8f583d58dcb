"""Parsing of replies: probabilities of options, in every format of lists, and error messages."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.files.json_text import parse_json
from maieutic.lm.server.replies import (
    MIN_SHARED,
    TOO_LONG,
    FirstToken,
    Reply,
    SharedStart,
    error_message,
    first_tokens,
    option_probabilities,
)
from maieutic.lm.server.retries import RetryPolicy


def listed(**probabilities: float) -> list[FirstToken]:
    """First tokens, likeliest first; an underscore stands for a space."""
    ordered = sorted(probabilities.items(), key=lambda pair: -pair[1])
    return [FirstToken(name.replace("_", " "), p) for name, p in ordered]


def reply(**choice: object) -> Reply:
    return parse_json(Reply, json.dumps({"choices": [choice]}))


def test_a_listed_token_gives_its_probability() -> None:
    assert option_probabilities(listed(_true=0.7, _false=0.2), [" false", " true"]) == [0.2, 0.7]


def test_only_the_exact_text_counts() -> None:
    tokens = listed(_true=0.5, true=0.2, _True=0.1, _TRUE=0.05, _truer=0.05)
    assert option_probabilities(tokens, [" true"]) == [0.5]
    assert option_probabilities(tokens, ["true"]) == [0.2]


def test_the_longest_listed_start_stands_for_an_option_of_several_tokens() -> None:
    tokens = listed(_un=0.4, _true=0.3, _u=0.1, _unk=0.05)
    assert option_probabilities(tokens, [" unknown", " true"]) == [0.05, 0.3]


def test_options_that_start_alike_share_their_start() -> None:
    tokens = listed(_not=0.6, _true=0.3)
    assert option_probabilities(tokens, [" not true", " not false", " true"]) == [
        SharedStart(" not", 0.6)
    ] * 2 + [0.3]


def test_an_option_that_is_the_start_of_another_keeps_its_token() -> None:
    assert option_probabilities(listed(_not=0.6, _so=0.3), [" not", " not so"]) == [
        0.6,
        SharedStart(" not", 0.6),
    ]


def test_a_rare_shared_start_is_not_extended() -> None:
    tokens = [FirstToken(" true", 0.98), FirstToken(" ", MIN_SHARED / 2)]
    true, false = option_probabilities(tokens, [" true", " false"])
    assert (true, false) == (0.98, MIN_SHARED / 4)


def test_without_any_space_in_the_list_options_are_compared_without_theirs() -> None:
    assert option_probabilities(listed(true=0.7, false=0.2, x=0.05), [" true", " false"]) == [0.7, 0.2]
    kept = option_probabilities(listed(true=0.7, false=0.2, _x=0.07), [" true"])
    assert kept == [pytest.approx(0.015)]


def test_a_space_that_is_shown_by_its_sign_is_a_space() -> None:
    tops = [{"token": token, "logprob": math.log(p)} for token, p in (("Ġtrue", 0.6), ("▁false", 0.3))]
    tokens = first_tokens(reply(logprobs={"content": [{"token": "x", "top_logprobs": tops}]}), 20)
    assert option_probabilities(tokens, [" true", " false"]) == pytest.approx([0.6, 0.3])


def test_ends_of_text_match_no_option() -> None:
    assert option_probabilities([FirstToken("", 0.9), FirstToken(" a", 0.06)], [" true"]) == [
        pytest.approx(0.02)
    ]


def test_an_empty_list_gives_one_half() -> None:
    assert option_probabilities([], [" true", " false"]) == [0.5, 0.5]


WORDS = [" true", " false", " unknown", " a", " b", " c", " d", "", "."]


@given(
    st.lists(st.floats(0, 1), min_size=len(WORDS), max_size=len(WORDS)).filter(lambda p: sum(p) > 0.01),
    st.integers(1, len(WORDS)),
    st.lists(st.sampled_from(WORDS[:3]), min_size=1, unique=True),
)
def test_the_error_is_at_most_half_of_the_least_listed_probability(
    weights: list[float], top: int, options: list[str]
) -> None:
    """Against the distribution itself, of options that are one token each."""
    true = {word: weight / math.fsum(weights) for word, weight in zip(WORDS, weights, strict=True)}
    ordered = sorted(true.items(), key=lambda pair: -pair[1])[:top]
    results = option_probabilities([FirstToken(word, p) for word, p in ordered], options)
    for option, result in zip(options, results, strict=True):
        assert isinstance(result, float)
        bound = 0.0 if option in dict(ordered) else ordered[-1][1] / 2
        assert abs(result - true[option]) <= bound + 1e-9


TOKENS = ["", " ", " t", " tr", " true", " f", " fal", " false", " u", " un", " x", "t", "true"]


@given(
    st.dictionaries(st.sampled_from(TOKENS), st.floats(0, 1), min_size=1),
    st.lists(st.sampled_from([" true", " false", " unknown", " trivial"]), min_size=1, unique=True),
)
def test_listed_options_get_at_most_the_listed_probability(
    weights: dict[str, float], options: list[str]
) -> None:
    total = max(1.0, math.fsum(weights.values()))
    tokens = [FirstToken(text, w / total) for text, w in sorted(weights.items(), key=lambda pair: -pair[1])]
    results = option_probabilities(tokens, options)
    shared = {one.text: one.probability for one in results if isinstance(one, SharedStart)}
    alone = [one for one in results if not isinstance(one, SharedStart)]
    assert all(0 <= p <= 1 for p in [*alone, *shared.values()])
    known = [p for p in alone if p in {one.probability for one in tokens}]
    assert math.fsum([*known, *shared.values()]) <= 1 + 1e-9
    assert all(option.startswith(b) and option != b for b in shared for option in options if option[:2] == b)


@given(st.permutations([" true", " false", " unknown"]))
def test_the_order_of_options_does_not_matter(options: list[str]) -> None:
    tokens = listed(_true=0.5, _f=0.2, _fal=0.1)
    expected = {" true": 0.5, " false": 0.1, " unknown": pytest.approx(0.05)}
    assert option_probabilities(tokens, options) == [expected[option] for option in options]


def test_both_formats_are_parsed_likeliest_first() -> None:
    logs = {" b": math.log(0.2), " a": math.log(0.5)}
    expected: list[tuple[str, Any]] = [(" a", pytest.approx(0.5)), (" b", pytest.approx(0.2))]

    def read(**logprobs: Any) -> list[tuple[str, Any]]:
        return [(one.text, one.probability) for one in first_tokens(reply(logprobs=logprobs), 20)]

    assert read(top_logprobs=[logs, None]) == expected
    tops = [{"token": token, "logprob": log, "bytes": [32], "id": 3} for token, log in logs.items()]
    assert read(content=[{"token": " b", "top_logprobs": tops}]) == expected


def test_an_extra_drawn_token_is_left_out() -> None:
    logs = {" a": math.log(0.5), " b": math.log(0.2), " drawn": math.log(1e-6)}
    tokens = first_tokens(reply(logprobs={"top_logprobs": [logs]}), 2)
    assert [one.text for one in tokens] == [" a", " b"]


@pytest.mark.parametrize(
    "logprobs",
    [None, {}, {"content": []}, {"content": [{"top_logprobs": []}]}, {"top_logprobs": [None]}],
    ids=["none", "empty", "no position", "no tokens", "null"],
)
def test_without_probabilities_there_are_no_first_tokens(logprobs: object) -> None:
    assert first_tokens(reply(logprobs=logprobs), 20) == []
    assert first_tokens(Reply([]), 20) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"error": {"message": "no", "code": 3}}', "no"),
        (b'{"error": "no"}', "no"),
        (b'{"object": "error", "message": "no"}', "no"),
        (b'{"detail": [{"msg": "top_k"}]}', "[{'msg': 'top_k'}]"),
        (b"plain\n text", "plain text"),
        (b"[" * 100_000, "[" * 199 + "…"),
        (b"\xff\xfe", "��"),
        (b"", ""),
    ],
)
def test_an_error_message_is_one_short_line(content: bytes, message: str) -> None:
    assert error_message(content) == message


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "request (1802 tokens) exceeds the available context size (256 tokens), try increasing it",
        "exceed_context_size_error",
        "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
        "Requested tokens (600) exceed context window of 512",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
    ],
)
def test_messages_about_long_prompts_are_recognised(message: str) -> None:
    assert TOO_LONG.search(message)


@given(st.integers(1, 60), st.none() | st.floats(0, 1e9), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_up_to_their_limit_and_respect_the_servers_request(
    attempts: int, requested: float | None, jitter: float
) -> None:
    pause = RetryPolicy(pause=1.0, max_pause=60.0).delay(attempts, requested, jitter)
    assert min(2.0 ** (attempts - 1), 60.0) / 2 <= pause <= 60.0
    assert pause >= min(requested or 0.0, 60.0)
