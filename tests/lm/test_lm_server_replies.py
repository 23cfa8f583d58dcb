"""What replies are read as: probabilities of options, in every form of lists, and messages of errors."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.files.json_text import parse_json
from maieutic.lm.server.exchange import Patience
from maieutic.lm.server.replies import (
    RARE,
    TOO_LONG,
    Candidate,
    Reply,
    Shared,
    candidates,
    error_message,
    read_options,
)


def listed(**probabilities: float) -> list[Candidate]:
    """Candidates, likeliest first; an underscore stands for a space."""
    ordered = sorted(probabilities.items(), key=lambda one: -one[1])
    return [Candidate(name.replace("_", " "), p) for name, p in ordered]


def reply(**choice: object) -> Reply:
    return parse_json(Reply, json.dumps({"choices": [choice]}))


def test_a_listed_token_gives_its_probability() -> None:
    assert read_options(listed(_true=0.7, _false=0.2), [" false", " true"]) == [0.2, 0.7]


def test_only_the_exact_text_counts() -> None:
    found = listed(_true=0.5, true=0.2, _True=0.1, _TRUE=0.05, _truer=0.05)
    assert read_options(found, [" true"]) == [0.5]
    assert read_options(found, ["true"]) == [0.2]


def test_the_longest_listed_beginning_stands_for_an_option_of_several_tokens() -> None:
    found = listed(_un=0.4, _true=0.3, _u=0.1, _unk=0.05)
    assert read_options(found, [" unknown", " true"]) == [0.05, 0.3]


def test_options_that_begin_alike_are_to_be_asked_on() -> None:
    found = listed(_not=0.6, _true=0.3)
    assert read_options(found, [" not true", " not false", " true"]) == [Shared(" not", 0.6)] * 2 + [0.3]


def test_an_option_that_begins_another_keeps_its_token() -> None:
    assert read_options(listed(_not=0.6, _so=0.3), [" not", " not so"]) == [0.6, Shared(" not", 0.6)]


def test_a_rare_beginning_of_several_options_is_not_followed() -> None:
    found = [Candidate(" true", 0.98), Candidate(" ", RARE / 2)]
    true, false = read_options(found, [" true", " false"])
    assert (true, false) == (0.98, RARE / 4)


def test_without_any_space_in_the_list_options_are_compared_without_theirs() -> None:
    assert read_options(listed(true=0.7, false=0.2, x=0.05), [" true", " false"]) == [0.7, 0.2]
    kept = read_options(listed(true=0.7, false=0.2, _x=0.07), [" true"])
    assert kept == [pytest.approx(0.015)]


def test_a_space_that_is_shown_by_its_sign_is_a_space() -> None:
    tops = [{"token": token, "logprob": math.log(p)} for token, p in (("Ġtrue", 0.6), ("▁false", 0.3))]
    found = candidates(reply(logprobs={"content": [{"token": "x", "top_logprobs": tops}]}), 20)
    assert read_options(found, [" true", " false"]) == pytest.approx([0.6, 0.3])


def test_ends_of_text_match_no_option() -> None:
    assert read_options([Candidate("", 0.9), Candidate(" a", 0.06)], [" true"]) == [pytest.approx(0.02)]


def test_nothing_listed_is_the_middle_of_everything() -> None:
    assert read_options([], [" true", " false"]) == [0.5, 0.5]


WORDS = [" true", " false", " unknown", " a", " b", " c", " d", "", "."]


@given(
    st.lists(st.floats(0, 1), min_size=len(WORDS), max_size=len(WORDS)).filter(lambda p: sum(p) > 0.01),
    st.integers(1, len(WORDS)),
    st.lists(st.sampled_from(WORDS[:3]), min_size=1, unique=True),
)
def test_what_is_read_is_off_by_at_most_half_of_the_least_listed(
    weights: list[float], top: int, options: list[str]
) -> None:
    """Against the distribution itself, of options that are one token each."""
    true = {word: weight / math.fsum(weights) for word, weight in zip(WORDS, weights, strict=True)}
    ordered = sorted(true.items(), key=lambda one: -one[1])[:top]
    read = read_options([Candidate(word, p) for word, p in ordered], options)
    for option, found in zip(options, read, strict=True):
        assert isinstance(found, float)
        bound = 0.0 if option in dict(ordered) else ordered[-1][1] / 2
        assert abs(found - true[option]) <= bound + 1e-9


TOKENS = ["", " ", " t", " tr", " true", " f", " fal", " false", " u", " un", " x", "t", "true"]


@given(
    st.dictionaries(st.sampled_from(TOKENS), st.floats(0, 1), min_size=1),
    st.lists(st.sampled_from([" true", " false", " unknown", " trivial"]), min_size=1, unique=True),
)
def test_the_options_that_are_listed_get_no_more_than_there_is(
    weights: dict[str, float], options: list[str]
) -> None:
    total = max(1.0, math.fsum(weights.values()))
    found = [Candidate(text, w / total) for text, w in sorted(weights.items(), key=lambda one: -one[1])]
    readings = read_options(found, options)
    shared = {one.beginning: one.probability for one in readings if isinstance(one, Shared)}
    alone = [one for one in readings if not isinstance(one, Shared)]
    assert all(0 <= p <= 1 for p in [*alone, *shared.values()])
    known = [p for p in alone if p in {one.probability for one in found}]
    assert math.fsum([*known, *shared.values()]) <= 1 + 1e-9
    assert all(option.startswith(b) and option != b for b in shared for option in options if option[:2] == b)


@given(st.permutations([" true", " false", " unknown"]))
def test_the_order_of_options_does_not_matter(options: list[str]) -> None:
    found = listed(_true=0.5, _f=0.2, _fal=0.1)
    expected = {" true": 0.5, " false": 0.1, " unknown": pytest.approx(0.05)}
    assert read_options(found, options) == [expected[option] for option in options]


def test_both_forms_of_lists_are_read_likeliest_first() -> None:
    logs = {" b": math.log(0.2), " a": math.log(0.5)}
    expected: list[tuple[str, Any]] = [(" a", pytest.approx(0.5)), (" b", pytest.approx(0.2))]

    def read(**logprobs: Any) -> list[tuple[str, Any]]:
        return [(one.text, one.probability) for one in candidates(reply(logprobs=logprobs), 20)]

    assert read(top_logprobs=[logs, None]) == expected
    tops = [{"token": token, "logprob": log, "bytes": [32], "id": 3} for token, log in logs.items()]
    assert read(content=[{"token": " b", "top_logprobs": tops}]) == expected


def test_a_token_that_was_only_drawn_is_left_out() -> None:
    logs = {" a": math.log(0.5), " b": math.log(0.2), " drawn": math.log(1e-6)}
    found = candidates(reply(logprobs={"top_logprobs": [logs]}), 2)
    assert [one.text for one in found] == [" a", " b"]


@pytest.mark.parametrize(
    "logprobs",
    [None, {}, {"content": []}, {"content": [{"top_logprobs": []}]}, {"top_logprobs": [None]}],
    ids=["none", "empty", "no place", "no tokens", "null"],
)
def test_no_probabilities_are_no_candidates(logprobs: object) -> None:
    assert candidates(reply(logprobs=logprobs), 20) == []
    assert candidates(Reply([]), 20) == []


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
def test_messages_of_errors_are_one_short_line(content: bytes, message: str) -> None:
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
def test_servers_words_for_a_prompt_that_is_too_long_are_known(message: str) -> None:
    assert TOO_LONG.search(message)


@given(st.integers(1, 60), st.none() | st.floats(0, 1e9), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_within_their_limit_and_heed_the_server(
    tried: int, asked_for: float | None, chance: float
) -> None:
    patience = Patience(pause=1.0, longest=60.0)
    pause = patience.before(tried, asked_for, chance)
    assert min(2.0 ** (tried - 1), 60.0) / 2 <= pause <= 60.0
    assert pause >= min(asked_for or 0.0, 60.0)
