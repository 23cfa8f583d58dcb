"""Several servers of one model: routing by definition, failures, and what a list may not have."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import InputError, ModelError, ServerError
from maieutic.lm.base import Prompt, SamplingParams, Shot
from maieutic.lm.server.address import server_addresses
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy
from maieutic.lm.server.routing import EXCESS, Router

Serve = Callable[..., Any]

QUICK = RetryPolicy(
    connect_timeout=5.0, request_timeout=30.0, total_timeout=60.0, attempts=3, pause=0.0, max_pause=0.0
)
PROMPTS = [Prompt("text", "", (), f"Question {number}?", "A:") for number in range(24)]


def fleet(*fakes: Any, **options: Any) -> ServerLM:
    name = ",".join(fake.url for fake in fakes) + "#m"
    lm = ServerLM.load(name, retries=options.pop("retries", QUICK), **options)
    for fake in fakes:
        fake.requests.clear()
    return lm


# -- names -----------------------------------------------------------------------------------------------


def test_a_list_of_servers_is_split_and_a_model_may_have_commas() -> None:
    assert server_addresses("http://a/v1#x,y") == (("http://a/v1",), "x,y")
    assert server_addresses("http://a/v1#m,https://b/v1#m") == (("http://a/v1", "https://b/v1"), "m")
    assert server_addresses("http://a/v1,http://b/v1") == (("http://a/v1", "http://b/v1"), "")


@pytest.mark.parametrize(
    "name",
    [
        "http://a/v1#m,http://b/v1#n",
        "http://a/v1,http://a/v1/#m",
        "http://a/v1,ftp://b/v1",
        "http://a/v1,http://",
    ],
)
def test_a_bad_list_is_refused(name: str) -> None:
    with pytest.raises(InputError) as error:
        server_addresses(name)
    assert error.value.subject == "name"


# -- routing ---------------------------------------------------------------------------------------------


@given(st.integers(1, 5), st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_no_server_has_more_than_its_share_and_a_quarter(servers: int, kinds: list[int]) -> None:
    router = Router([str(place) for place in range(servers)], QUICK)
    loads = [0] * servers
    for number, kind in enumerate(kinds, 1):
        ticket = router.take(kind, 0.0)
        assert ticket is not None
        share = math.ceil((1 + EXCESS) * number / servers)
        assert loads[ticket.server] == min(loads) or loads[ticket.server] < share
        loads[ticket.server] += 1


def test_a_kind_stays_where_its_examples_are_while_there_is_room() -> None:
    router = Router(["a", "b"], QUICK)
    for kind in (1, 2, 1, 2, 2, 1):
        ticket = router.take(kind, 0.0)
        assert ticket is not None
        router.answered(ticket)
    first, second = router.take(1, 0.0), router.take(2, 0.0)
    assert first and second
    assert first.server == 0
    router.answered(first)
    router.answered(second)


def test_a_server_that_fails_is_left_out_then_gets_one_request() -> None:
    policy = replace(QUICK, pause=10.0, max_pause=100.0)
    router = Router(["a", "b"], policy)
    tickets = [router.take(None, 0.0) for _ in range(4)]
    for ticket in tickets:
        assert ticket is not None
        if ticket.server == 0:
            router.failed(ticket, "broken", None, 0.0, 0.0)  # several at once are one failure
        else:
            router.answered(ticket)
    assert all((t := router.take(None, 1.0)) is not None and t.server == 1 for _ in range(3))
    trial = router.take(None, 5.0)  # half of 10 s, without jitter
    assert trial is not None
    assert trial.server == 0
    assert all((t := router.take(None, 5.0)) is not None and t.server == 1 for _ in range(3))
    router.answered(trial)
    assert [t.server for _ in range(2) if (t := router.take(None, 5.0))] == [0, 0]
    assert not router.down


def test_all_servers_are_down_after_the_failures_that_the_policy_allows() -> None:
    router = Router(["a", "b"], QUICK)
    for _ in range(2 * QUICK.attempts):
        assert not router.down
        ticket = router.take(None, 0.0)
        assert ticket is not None
        router.failed(ticket, "broken", None, 0.0, 0.0)
    assert router.down
    assert "a: broken; b: broken" in router.problems


# -- with servers ----------------------------------------------------------------------------------------


def test_two_servers_share_the_requests_and_answer_as_one(serve: Serve) -> None:
    one, two = serve(), serve()
    alone = ServerLM.load(f"{one.url}#m", retries=QUICK)
    both = fleet(one, two)
    params = SamplingParams(8, 1.0, seed=3)
    assert both.sample(PROMPTS, 2, params) == alone.sample(PROMPTS, 2, params)
    one.requests.clear()
    two.requests.clear()
    both.sample(PROMPTS, 2, params)
    shares = sorted(len(fake.bodies("/completions")) for fake in (one, two))
    assert sum(shares) == 2 * len(PROMPTS)
    assert shares[0] > 0
    assert both.name == f"{one.url},{two.url}#m"
    assert both.facts["url"] == f"{one.url},{two.url}"


def test_prompts_with_the_same_examples_are_asked_one_after_another_of_one_server(serve: Serve) -> None:
    one, two = serve(), serve()
    lm = fleet(one, two)
    for kind in range(2):
        shots = (Shot(f"Kind {kind}?", "A: yes"),)
        for prompt in PROMPTS[:4]:
            lm.choose([replace(prompt, shots=shots)], [" true", " false"])
    kinds = [{body["prompt"][:7] for body in fake.bodies("/completions")} for fake in (one, two)]
    assert sorted(map(len, kinds)) in ([0, 2], [1, 1])  # no kind is read twice


def test_a_server_that_breaks_costs_no_reply(serve: Serve) -> None:
    one, two = serve(), serve()
    lm = fleet(one, two)
    expected = lm.sample(PROMPTS, 1, SamplingParams(8, 1.0))
    two.faults += [lambda handler, _: handler.drop()] * 1000
    for _ in range(3):
        assert lm.sample(PROMPTS, 1, SamplingParams(8, 1.0)) == expected
    two.faults.clear()
    one.faults += [lambda handler, _: handler.drop()] * 1000
    assert lm.sample(PROMPTS, 1, SamplingParams(8, 1.0)) == expected


def test_all_servers_down_is_one_error_that_names_each(serve: Serve) -> None:
    one, two = serve(), serve()
    lm = fleet(one, two)
    for fake in (one, two):
        fake.faults += [lambda handler, _: handler.refuse(503, "no more")] * 1000
    with pytest.raises(ServerError) as error:
        lm.sample(PROMPTS, 1, SamplingParams(8, 1.0))
    assert one.url in str(error.value)
    assert two.url in str(error.value)
    assert error.value.subject == f"{one.url},{two.url}"


def test_a_prompt_that_is_rejected_is_an_error_of_that_prompt(serve: Serve) -> None:
    one, two = serve(), serve()
    lm = fleet(one, two)
    for fake in (one, two):
        fake.rule = lambda _, body: (400, "bad") if "Question 3?" in body["prompt"] else None
    with pytest.raises(ModelError) as error:
        lm.sample(PROMPTS, 1, SamplingParams(8, 1.0))
    assert "Question 3?" in str(error.value)


def test_a_server_that_is_down_at_first_is_used_when_it_answers(serve: Serve) -> None:
    one, two = serve(), serve()
    two.rule = lambda *_: (503, "loading")
    lm = ServerLM.load(f"{one.url},{two.url}#m", retries=QUICK)
    two.rule = lambda *_: None
    two.requests.clear()
    lm.sample(PROMPTS, 2, SamplingParams(8, 1.0))
    assert [body for body in two.bodies("/completions") if "Question" in str(body["prompt"])]


def test_a_server_that_comes_back_is_tried_by_one_request_at_a_time() -> None:
    router = Router(["a", "b"], QUICK, down={1})
    taken = [router.take(None, 0.0) for _ in range(6)]
    tried = [ticket for ticket in taken if ticket is not None and ticket.server == 1]
    assert len(tried) == 1
    router.answered(tried[0])
    assert {ticket.server for _ in range(8) if (ticket := router.take(None, 0.0))} == {0, 1}


def test_a_server_that_comes_back_needs_no_other(serve: Serve) -> None:
    one, two = serve(), serve()
    two.rule = lambda *_: (503, "loading")
    # While one request tries the second server, the others fail on the first one, the oftener the busier.
    lm = ServerLM.load(f"{one.url},{two.url}#m", retries=replace(QUICK, attempts=20))
    one.rule, two.rule = (lambda *_: (503, "gone")), (lambda *_: None)
    assert len(lm.sample(PROMPTS, 1, SamplingParams(8, 1.0))) == len(PROMPTS)


def test_no_server_at_all_is_one_error(serve: Serve) -> None:
    names = "http://127.0.0.1:9/v1,http://127.0.0.1:10/v1#m"
    with pytest.raises(ModelError) as error:
        ServerLM.load(names, retries=QUICK)
    assert "127.0.0.1:9" in str(error.value)
    assert "127.0.0.1:10" in str(error.value)


@pytest.mark.parametrize(
    "other",
    [
        {"models": [{"id": "n", "owned_by": "vllm"}]},
        {"models": [{"id": "m", "owned_by": "vllm", "max_model_len": 7}]},
        {"first": lambda _: {" true": 0.1, " false": 0.7, " maybe": 0.1}},
        {"max_top": 5},
    ],
    ids=["another name", "another window", "other probabilities", "other terms"],
)
def test_two_different_models_are_refused(serve: Serve, other: dict[str, Any]) -> None:
    one = serve(models=[{"id": "m", "owned_by": "vllm", "max_model_len": 8}])
    two = serve(**{"models": one.models} | other)
    with pytest.raises(InputError):
        ServerLM.load(f"{one.url},{two.url}", retries=QUICK)
