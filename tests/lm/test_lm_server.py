"""The server backend against a scripted server: its requests, its results and its errors."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from maieutic.errors import ContextLengthError, InputError, ModelError
from maieutic.lm import load_lm
from maieutic.lm.base import Completion, Prompt, SamplingParams, Shot
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy
from maieutic.models import load_models

Serve = Callable[..., Any]

QUICK = RetryPolicy(
    connect_timeout=5.0, request_timeout=5.0, total_timeout=20.0, attempts=3, pause=0.0, max_pause=0.0
)
SHOTS = (Shot("Ice is hot?", "false"),)


def text(query: str, opening: str = "A:") -> Prompt:
    return Prompt("text", "", (), query, opening)


def chat(query: str, opening: str = "", instruction: str = "Judge.") -> Prompt:
    return Prompt("chat", instruction, SHOTS, query, opening)


def load(fake: Any, model: str = "m", **options: Any) -> ServerLM:
    lm = ServerLM.load(f"{fake.url}#{model}", retries=QUICK, **options)
    fake.requests.clear()
    return lm


def draw(lm: ServerLM, prompts: list[Prompt], n: int = 2, **changes: Any) -> list[list[str]]:
    settings: dict[str, Any] = {"max_new_tokens": 24, "temperature": 1.0, "top_p": 1.0, "seed": 7} | changes
    return [[one.text for one in row] for row in lm.sample(prompts, n, SamplingParams(**settings))]


@pytest.mark.parametrize("form", ["old", "new"])
@pytest.mark.parametrize("prompt", [text("Ice?"), chat("Ice?")], ids=["text", "chat"])
def test_probabilities_are_read_from_the_first_tokens(serve: Serve, form: str, prompt: Prompt) -> None:
    fake = serve(form=form)
    chosen = load(fake).choose([prompt], [" true", " false", " unlikely"]).probabilities
    np.testing.assert_allclose(chosen, [[0.6, 0.3, 0.01]])
    assert chosen.dtype == np.float64
    ((path, body, _),) = fake.requests
    assert (body["max_tokens"], body["temperature"], body["top_p"]) == (1, 1.0, 1.0)
    if prompt.format == "text":
        assert (path, body["prompt"], body["logprobs"]) == ("/v1/completions", "Ice?\nA:", 20)
    else:
        assert (path, body["messages"]) == ("/v1/chat/completions", prompt.messages())
        assert (body["logprobs"], body["top_logprobs"]) == (True, 20)


def test_equal_prompts_are_sent_once(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    prompts = [text("a"), text("b"), text("a")]
    chosen = lm.choose(prompts, [" true", " true"]).probabilities
    assert chosen.tolist() == pytest.approx(np.full((3, 2), 0.6))
    assert len(fake.requests) == 2
    assert draw(lm, prompts)[0] == draw(lm, prompts)[2]
    assert len(fake.requests) == 2 + 2 * 4


def test_empty_batches_send_no_request(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    assert lm.choose([], [" true"]).probabilities.shape == (0, 1)
    assert lm.choose([text("a")], []).probabilities.shape == (1, 0)
    assert draw(lm, []) == []
    assert draw(lm, [text("a")], n=0) == [[]]
    assert fake.requests == []


def test_a_text_depends_on_its_prompt_its_index_and_the_seed_only(serve: Serve) -> None:
    lm = load(serve(write=lambda body, asked: f" {asked[:1]} {body['seed']}"))
    prompts = [text("a"), text("b"), text("c")]
    texts = draw(lm, prompts, n=3)
    assert len({one for row in texts for one in row}) == 9
    assert [draw(lm, [prompt], n=3)[0] for prompt in prompts] == texts
    assert [row[:1] for row in texts] == draw(lm, prompts, n=1)
    assert draw(lm, prompts[::-1], n=3) == texts[::-1]
    assert draw(lm, prompts, n=3, seed=8) != texts


def test_seeds_fit_in_31_bits(serve: Serve) -> None:
    fake = serve()
    draw(load(fake), [text(str(number)) for number in range(20)], n=2, seed=2**80)
    assert all(0 <= body["seed"] < 2**31 for body in fake.bodies("/completions"))


def test_greedy_texts_are_requested_once(serve: Serve) -> None:
    fake = serve()
    texts = draw(load(fake), [text("a"), text("b")], n=3, temperature=0.0)
    assert texts == [[" text 0"] * 3] * 2
    assert [body["temperature"] for body in fake.bodies("/completions")] == [0.0, 0.0]


@pytest.mark.parametrize("stops", [True, False], ids=["stops", "continues"])
def test_texts_end_before_a_newline(serve: Serve, stops: bool) -> None:
    fake = serve(stops=stops, write=lambda *_: " A text.\nQ: More?\nA: no")
    lm = load(fake)
    assert draw(lm, [text("a"), chat("a")], n=1) == [[" A text."], [" A text."]]
    assert {tuple(body["stop"]) for _, body, _ in fake.requests} == {("\n",)}
    assert fake.requests[0][1]["max_tokens"] == 24


def test_the_only_model_needs_no_name(serve: Serve) -> None:
    fake = serve()
    assert ServerLM.load(fake.url, retries=QUICK).name == f"{fake.url}#m"
    assert ServerLM.load(f"{fake.url}/", retries=QUICK).name == f"{fake.url}#m"


def test_one_of_several_models_must_be_named(serve: Serve) -> None:
    fake = serve(models=[{"id": "one"}, {"id": "two", "aliases": ["zwei", 2]}])
    with pytest.raises(InputError) as error:
        ServerLM.load(fake.url, retries=QUICK)
    assert error.value.subject == fake.url
    assert load(fake, "two").name.endswith("/v1#two")


@pytest.mark.parametrize("count", [2, 25])
def test_an_unknown_model_is_rejected(serve: Serve, count: int) -> None:
    with pytest.raises(ModelError) as error:
        load(serve(models=[{"id": f"m{number}"} for number in range(count)]), "three")
    assert error.value.subject == "three"


def test_a_server_without_a_list_accepts_any_model(serve: Serve) -> None:
    fake = serve(models=None)
    assert load(fake, "any/model:7b").choose([text("a")], [" true"]).probabilities == pytest.approx(0.6)
    assert fake.requests[0][1]["model"] == "any/model:7b"
    with pytest.raises(InputError) as error:
        ServerLM.load(fake.url, retries=QUICK)
    assert error.value.subject == fake.url


def test_an_address_without_v1_is_rejected(serve: Serve) -> None:
    url = serve().url.removesuffix("/v1")
    with pytest.raises(ModelError) as error:
        ServerLM.load(f"{url}#m", retries=QUICK)
    assert error.value.subject == url


def test_paper_prompts_suit_where_text_can_be_continued(serve: Serve) -> None:
    assert load(serve()).prompts == "paper"
    assert load(serve(completions=False)).prompts == "chat"


def test_a_prompt_format_that_the_server_lacks_is_rejected(serve: Serve) -> None:
    lm = load(serve(completions=False))
    with pytest.raises(ModelError) as error:
        lm.choose([text("a")], [" true"])
    assert error.value.subject == lm.name
    lm = load(serve(chat=False))
    with pytest.raises(ModelError) as error:
        draw(lm, [chat("a")])
    assert error.value.subject == lm.name
    fake = serve(chat=False, completions=False)
    with pytest.raises(ModelError) as error:
        load(fake)
    assert error.value.subject == fake.url


@pytest.mark.parametrize("owner", ["vllm", "me", "library", "llamacpp", "nobody"])
def test_a_server_without_probabilities_is_rejected(serve: Serve, owner: str) -> None:
    fake = serve(form="", models=[{"id": "m", "owned_by": owner}])
    with pytest.raises(ModelError) as error:
        load(fake)
    assert error.value.subject == fake.url


def test_a_failure_for_lack_of_probabilities_is_not_retried(serve: Serve) -> None:
    """As llama-cpp-python does without its flag."""

    def fault(handler: Any, _: Any) -> None:
        handler.refuse(500, "logprobs is not supported for models created with logits_all=False")

    fake = serve(faults=[fault] * 4, form="", models=[{"id": "m", "owned_by": "me"}])
    with pytest.raises(ModelError) as error:
        load(fake)
    assert error.value.subject == fake.url
    assert len(fake.requests) <= 20


def test_the_largest_number_of_top_tokens_that_the_server_allows_is_requested(serve: Serve) -> None:
    fake = serve(max_top=5)
    lm = load(fake)
    assert lm.choose([text("a")], [" true"]).probabilities == pytest.approx(0.6)
    assert fake.requests[-1][1]["logprobs"] == 5
    assert lm.facts["top_tokens"] == {"/completions": 5, "/chat/completions": 5}


KNOWN = {"model", "prompt", "messages", "max_tokens", "temperature", "top_p", "stop", "seed"}
KNOWN |= {"logprobs", "top_logprobs"}


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        (KNOWN, {}),
        (None, {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0, "repeat_penalty": 1.0}),
    ],
    ids=["strict", "lenient"],
)
def test_truncation_is_switched_off_if_the_server_allows_it(
    serve: Serve, fields: set[str] | None, settings: dict[str, Any]
) -> None:
    fake = serve(fields=fields)
    lm = load(fake)
    draw(lm, [text("a")], n=1)
    assert {k: v for k, v in fake.requests[-1][1].items() if k not in KNOWN} == settings
    draw(lm, [chat("a")], n=1)
    thinking = {"chat_template_kwargs": {"enable_thinking": False}} if settings else {}
    assert {k: v for k, v in fake.requests[-1][1].items() if k not in KNOWN} == settings | thinking


def test_a_chat_without_system_messages_gets_the_instruction_with_the_first_question(serve: Serve) -> None:
    fake = serve(system=False)
    assert load(fake).choose([chat("Ice?")], ["true"]).probabilities == pytest.approx(0.03)
    messages = fake.requests[0][1]["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant", "user"]
    assert messages[0]["content"] == "Judge.\n\nIce is hot?"


@pytest.mark.parametrize("repeats", [False, True], ids=["continues", "repeats"])
def test_the_opening_of_a_chat_reply_is_its_beginning(serve: Serve, repeats: bool) -> None:
    fake = serve(prefill=True, repeats=repeats, write=lambda *_: " it is cold.")
    lm = load(fake)
    assert draw(lm, [chat("Ice?", "True, because")], n=1) == [[" it is cold."]]
    body = fake.requests[-1][1]
    assert body["messages"][-1] == {"role": "assistant", "content": "True, because"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert len(fake.requests) == 3
    draw(lm, [chat("Snow?", "True, because")], n=1)
    assert len(fake.requests) == 4  # the server's ability is known now


def test_without_prefill_the_prompt_asks_for_what_follows_the_opening(serve: Serve) -> None:
    fake = serve(write=lambda *_: "True, because it is cold.")
    lm = load(fake)
    assert draw(lm, [chat("Ice?", "True, because")], n=1) == [[" it is cold."]]
    messages = fake.requests[-1][1]["messages"]
    assert messages[-1]["role"] == "user"
    assert messages[-1]["content"].startswith("Ice?\n\n")
    assert messages[-1]["content"].endswith("\nTrue, because")


def test_options_with_the_same_first_token_are_extended(serve: Serve) -> None:
    tables = {
        "A:": {" not": 0.5, " is": 0.3, " ": 0.001},
        "A: not": {" true": 0.25, " false": 0.75},
    }
    fake = serve(first=lambda asked: tables[asked.rpartition("\n")[2]] if "A:" in asked else {" 4": 1.0})
    chosen = load(fake).choose([text("a")], [" not true", " not false", " is"]).probabilities
    np.testing.assert_allclose(chosen, [[0.125, 0.375, 0.3]])
    assert [body["prompt"] for body in fake.bodies("/completions")] == ["a\nA:", "a\nA: not"]


def test_chats_extend_options_only_with_prefill(serve: Serve) -> None:
    tables = {"Ice?": {"not": 0.5, "so": 0.3}, "not": {" true": 0.25, " false": 0.75}}

    def first(asked: str) -> dict[str, float]:
        return tables.get(asked.rpartition("\n")[2], {"x": 1.0})

    chosen = (
        load(serve(first=first, prefill=True)).choose([chat("Ice?")], ["not true", "not false"]).probabilities
    )
    np.testing.assert_allclose(chosen, [[0.125, 0.375]])
    with pytest.raises(InputError) as error:
        load(serve(first=first)).choose([chat("Ice?")], ["not true", "not false"])
    assert error.value.subject == "options"


def test_missing_probabilities_for_one_prompt_are_an_error(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    fake.form = ""
    with pytest.raises(ModelError) as error:
        lm.choose([text("Ice?  \n  " + "long " * 40)], [" true"])
    assert error.value.subject == lm.name


def test_missing_probabilities_are_requested_again_at_temperature_0(serve: Serve) -> None:
    """As llama.cpp leaves them out if it draws a part of a character."""
    fake = serve()
    lm = load(fake, limit=1)

    def without(handler: Any, body: dict[str, Any]) -> None:
        fake.form = "old" if body["temperature"] == 0 or "Ice" not in body["prompt"] else ""
        handler.answer(body)

    fake.faults += [without] * 3
    assert lm.choose([text("Ice?"), text("Snow?")], [" true"]).probabilities.tolist() == [[0.6], [0.6]]
    assert sorted(body["temperature"] for body in fake.bodies("/completions")) == [0.0, 1.0, 1.0]


def test_a_reply_with_reasoning_only_is_an_error(serve: Serve) -> None:
    def think(handler: Any, _: Any) -> None:
        message = {"role": "assistant", "content": None, "reasoning_content": "Well,"}
        handler.reply(200, {"choices": [{"message": message, "finish_reason": "length"}]})

    fake = serve()
    lm = load(fake)
    fake.faults.append(think)
    with pytest.raises(ModelError) as error:
        draw(lm, [chat("a")], n=1)
    assert error.value.subject == lm.name


def test_a_prompt_that_does_not_fit_is_an_error(serve: Serve) -> None:
    def refuse(handler: Any, _: Any) -> None:
        handler.refuse(400, "This model's maximum context length is 100 tokens")

    fake = serve()
    lm = load(fake, limit=1)
    fake.faults += [lambda handler, body: handler.answer(body), refuse]
    with pytest.raises(ContextLengthError) as error:
        draw(lm, [text("Snow?"), text("Ice?")], n=1)
    assert error.value.subject == lm.name


def test_a_rejected_prompt_is_an_error(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    fake.faults.append(lambda handler, _: handler.refuse(422, "bad words"))
    with pytest.raises(ModelError) as error:
        draw(lm, [text("Ice?")], n=1)
    assert error.value.subject == lm.name


def test_an_empty_option_is_rejected(serve: Serve) -> None:
    with pytest.raises(InputError) as error:
        load(serve()).choose([text("a")], [" true", ""])
    assert error.value.subject == "options"


@pytest.mark.parametrize("tokenizer", [False, True])
def test_tokens_are_those_that_the_server_charged(serve: Serve, tokenizer: bool) -> None:
    fake = serve(tokenizer=tokenizer, write=lambda *_: " four words of text")
    lm = load(fake)
    prompts = [text("Is ice cold?"), chat("Is ice hot or not?")]
    rows = lm.sample(prompts, 2, SamplingParams(24, 1.0))
    expected = [Completion(" four words of text", 5, 5), Completion(" four words of text", 25, 5)]
    assert rows == [[one, one] for one in expected]  # with the token that ended the text
    assert lm.choose(prompts[::-1], [" true"]).prompt_tokens == (25, 5)
    assert fake.bodies("/tokenize") == []
    assert lm.facts["token_counts"] == f"as charged, else {'by the server' if tokenizer else 'estimated'}"


def test_extended_options_do_not_count_as_prompt_tokens(serve: Serve) -> None:
    tables = {"A:": {" not": 0.5, " is": 0.3}, "A: not": {" true": 0.25, " false": 0.75}}
    fake = serve(first=lambda asked: tables.get(asked.rpartition("\n")[2], {" 4": 1.0}))
    assert load(fake).choose([text("a")], [" not true", " not false"]).prompt_tokens == (3,)


def test_without_counts_in_replies_the_tokenizer_counts(serve: Serve) -> None:
    fake = serve(tokenizer=True, counts=False, write=lambda *_: " four words of text")
    lm = load(fake)
    ((drawn,),) = lm.sample([text("Is ice cold?")], 1, SamplingParams(24))
    assert drawn == Completion(" four words of text", 5, 4)
    assert lm.choose([text("Is ice hot or not?")], [" true"]).prompt_tokens == (7,)


def test_without_a_tokenizer_four_bytes_are_a_token(serve: Serve) -> None:
    lm = load(serve(counts=False, write=lambda *_: " nine byte"))
    ((drawn,), (other,)) = lm.sample([text("Is ice cold?"), chat("Snow?", "A:")], 1, SamplingParams(24))
    assert drawn == Completion(" nine byte", 4, 3)
    assert other.prompt_tokens == -(-len("Judge.\nIce is hot?\nfalse\nSnow?\nA:") // 4)


def test_the_number_of_concurrent_requests_is_limited(serve: Serve) -> None:
    together = threading.Barrier(3)

    def wait(handler: Any, body: Any) -> None:
        together.wait(30)
        handler.answer(body)

    fake = serve()
    lm = load(fake, limit=3)
    fake.faults += [wait] * 3
    lm.choose([text(str(number)) for number in range(40)], [" true"])
    assert fake.most_running == 3
    assert len(fake.requests) == 40


def test_it_works_where_an_event_loop_is_running(serve: Serve) -> None:
    lm = load(serve())

    async def notebook() -> np.ndarray[Any, Any]:
        return lm.choose([text("a")], [" true"]).probabilities

    assert asyncio.run(notebook()) == pytest.approx(0.6)


def test_the_fingerprint_tells_models_and_servers_apart(serve: Serve) -> None:
    fake = serve(models=[{"id": "m", "meta": {"n_params": 4}, "created": 1}, {"id": "n"}])
    first = load(fake)
    assert {key for key in ("127.0.0.1", '"m"', "n_params") if key in first.fingerprint}
    assert load(fake, "n").fingerprint != first.fingerprint
    assert fake.models is not None
    fake.models[0]["created"] = 2
    assert load(fake).fingerprint == first.fingerprint
    fake.models[0]["meta"] = {"n_params": 5}
    assert load(fake).fingerprint != first.fingerprint


def test_the_facts_are_json_with_what_the_server_lists(serve: Serve) -> None:
    fake = serve()
    facts = json.loads(json.dumps(load(fake).facts))
    assert facts["name"] == f"{fake.url}#m"
    assert facts["listed"] == {"id": "m", "owned_by": "vllm"}


def test_a_server_is_loaded_by_its_name(serve: Serve) -> None:
    fake = serve()
    assert load_lm(f"{fake.url}#m").name == f"{fake.url}#m"
    with pytest.raises(InputError) as error:
        load_lm(f"{fake.url}#m", device="cpu")
    assert error.value.subject == "device"
    with pytest.raises(InputError) as error:
        load_lm(f"{fake.url}#m", dtype="float32")
    assert error.value.subject == "dtype"


def test_the_device_is_the_verifiers_when_the_model_is_on_a_server(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr("maieutic.models.load_verifier", lambda _, **options: given.append(options))
    fake = serve()
    models = load_models(f"{fake.url}#m", "nli", device="cpu", dtype="float32", download=True)
    assert models.prompts.name == "paper"
    assert given == [{"device": "cpu", "dtype": "float32", "download": True}]
    with pytest.raises(InputError) as error:
        load_models(f"{fake.url}#m", "lm", device="cpu")
    assert error.value.subject == "device"


@pytest.mark.parametrize(
    "name",
    [
        "ftp://host/v1#m",
        "://host",
        "http:///v1#m",
        "http://host:port/v1#m",
        "http://[::1/v1",
        "http://ho st/v1",
        "http://user:secret@host/v1#m",
        "http://secret@host/v1#m",
        "https://host/v1?key=secret#m",
        "ftp://user:secret@host/v1",
        "http://user:secret/x@host/v1",
    ],
)
def test_an_invalid_address_is_rejected_without_repeating_secrets(name: str) -> None:
    with pytest.raises(InputError) as error:
        load_lm(name)
    assert error.value.subject == "name"
    assert "secret" not in str(error.value)


def test_a_server_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("httpx2", "anyio"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(InputError) as error:
                load_lm("http://localhost:1/v1#m")
            assert error.value.subject == "maieutic[server]"
