"""The server backend against a scripted server: what it asks, what it reads, what it refuses."""

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
from maieutic.lm.server.exchange import Patience
from maieutic.lm.server.model import ServerLM
from maieutic.pipeline import load_models

Serve = Callable[..., Any]

QUICK = Patience(connect=5.0, answer=5.0, total=20.0, tries=3, pause=0.0, longest=0.0)
SHOTS = (Shot("Ice is hot?", "false"),)


def text(query: str, opening: str = "A:") -> Prompt:
    return Prompt("text", "", (), query, opening)


def chat(query: str, opening: str = "", instruction: str = "Judge.") -> Prompt:
    return Prompt("chat", instruction, SHOTS, query, opening)


def load(fake: Any, model: str = "m", **options: Any) -> ServerLM:
    lm = ServerLM.load(f"{fake.url}#{model}", patience=QUICK, **options)
    fake.asked.clear()
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
    ((path, body, _),) = fake.asked
    assert (body["max_tokens"], body["temperature"], body["top_p"]) == (1, 1.0, 1.0)
    if prompt.format == "text":
        assert (path, body["prompt"], body["logprobs"]) == ("/v1/completions", "Ice?\nA:", 20)
    else:
        assert (path, body["messages"]) == ("/v1/chat/completions", prompt.messages())
        assert (body["logprobs"], body["top_logprobs"]) == (True, 20)


def test_a_prompt_that_is_asked_twice_is_sent_once(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    prompts = [text("a"), text("b"), text("a")]
    chosen = lm.choose(prompts, [" true", " true"]).probabilities
    assert chosen.tolist() == pytest.approx(np.full((3, 2), 0.6))
    assert len(fake.asked) == 2
    assert draw(lm, prompts)[0] == draw(lm, prompts)[2]
    assert len(fake.asked) == 2 + 2 * 4


def test_nothing_to_ask_is_not_asked(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    assert lm.choose([], [" true"]).probabilities.shape == (0, 1)
    assert lm.choose([text("a")], []).probabilities.shape == (1, 0)
    assert draw(lm, []) == []
    assert draw(lm, [text("a")], n=0) == [[]]
    assert fake.asked == []


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


def test_greedy_texts_are_asked_for_once(serve: Serve) -> None:
    fake = serve()
    texts = draw(load(fake), [text("a"), text("b")], n=3, temperature=0.0)
    assert texts == [[" text 0"] * 3] * 2
    assert [body["temperature"] for body in fake.bodies("/completions")] == [0.0, 0.0]


@pytest.mark.parametrize("stops", [True, False], ids=["stops", "goes on"])
def test_texts_end_before_a_newline(serve: Serve, stops: bool) -> None:
    fake = serve(stops=stops, write=lambda *_: " A text.\nQ: More?\nA: no")
    lm = load(fake)
    assert draw(lm, [text("a"), chat("a")], n=1) == [[" A text."], [" A text."]]
    assert {tuple(body["stop"]) for _, body, _ in fake.asked} == {("\n",)}
    assert fake.asked[0][1]["max_tokens"] == 24


def test_the_only_model_needs_no_name(serve: Serve) -> None:
    fake = serve()
    assert ServerLM.load(fake.url, patience=QUICK).name == f"{fake.url}#m"
    assert ServerLM.load(f"{fake.url}/", patience=QUICK).name == f"{fake.url}#m"


def test_one_of_several_models_must_be_named(serve: Serve) -> None:
    fake = serve(models=[{"id": "one"}, {"id": "two", "aliases": ["zwei", 2]}])
    with pytest.raises(InputError, match=r"name a model after #, as in http.*#NAME; there are one, two$"):
        ServerLM.load(fake.url, patience=QUICK)
    assert load(fake, "two").name.endswith("/v1#two")


def test_a_model_that_is_not_there_is_answered_with_those_that_are(serve: Serve) -> None:
    with pytest.raises(ModelError, match=r"/v1 has no model 'three'; it has one, two$"):
        load(serve(models=[{"id": "one"}, {"id": "two"}]), "three")
    with pytest.raises(ModelError, match=r"it has m0, m1, .* and 5 more$"):
        load(serve(models=[{"id": f"m{number}"} for number in range(25)]), "three")


def test_a_server_without_a_list_is_asked_for_any_model(serve: Serve) -> None:
    fake = serve(models=None)
    assert load(fake, "any/model:7b").choose([text("a")], [" true"]).probabilities == pytest.approx(0.6)
    assert fake.asked[0][1]["model"] == "any/model:7b"
    with pytest.raises(InputError, match=r"lists no models \(404: a web page\); name one after #"):
        ServerLM.load(fake.url, patience=QUICK)


def test_an_address_without_v1_is_asked_about(serve: Serve) -> None:
    fake = serve()
    with pytest.raises(ModelError, match=r"is the address right\? Most end in /v1"):
        ServerLM.load(f"{fake.url.removesuffix('/v1')}#m", patience=QUICK)


def test_paper_prompts_suit_where_text_can_be_continued(serve: Serve) -> None:
    assert load(serve()).prompts == "paper"
    assert load(serve(completions=False)).prompts == "chat"


def test_a_prompt_in_a_format_that_the_server_lacks_is_refused(serve: Serve) -> None:
    with pytest.raises(ModelError, match='cannot continue plain text; use the "chat" prompt set'):
        load(serve(completions=False)).choose([text("a")], [" true"])
    with pytest.raises(ModelError, match='cannot chat; use the "paper" prompt set'):
        draw(load(serve(chat=False)), [chat("a")])
    with pytest.raises(ModelError, match=r"does not answer prompts .*/completions 404: Not Found"):
        load(serve(chat=False, completions=False))


@pytest.mark.parametrize(
    ("owner", "remedy"),
    [
        ("vllm", "start vLLM with --max-logprobs 20$"),
        ("me", "start llama-cpp-python with --logits_all true$"),
        ("library", "Ollama gives them since version 0.12.11$"),
        ("nobody", "start vLLM with --max-logprobs 20, llama-cpp-python with"),
    ],
)
def test_a_server_without_probabilities_is_refused_with_the_flag_it_needs(
    serve: Serve, owner: str, remedy: str
) -> None:
    with pytest.raises(ModelError, match=rf"gives no probabilities of tokens \(logprobs\); {remedy}"):
        load(serve(form="", models=[{"id": "m", "owned_by": owner}]))


def test_a_server_that_fails_for_want_of_probabilities_is_asked_once(serve: Serve) -> None:
    """As llama-cpp-python does without its flag."""

    def fault(handler: Any, _: Any) -> None:
        handler.refuse(500, "logprobs is not supported for models created with logits_all=False")

    fake = serve(faults=[fault] * 4, form="", models=[{"id": "m", "owned_by": "me"}])
    with pytest.raises(ModelError, match="--logits_all true"):
        load(fake)
    assert len(fake.asked) <= 8


def test_as_many_top_tokens_are_asked_for_as_the_server_allows(serve: Serve) -> None:
    fake = serve(most=5)
    lm = load(fake)
    assert lm.choose([text("a")], [" true"]).probabilities == pytest.approx(0.6)
    assert fake.asked[-1][1]["logprobs"] == 5
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
def test_truncation_is_switched_off_where_the_server_lets_it(
    serve: Serve, fields: set[str] | None, settings: dict[str, Any]
) -> None:
    fake = serve(fields=fields)
    lm = load(fake)
    draw(lm, [text("a")], n=1)
    assert {k: v for k, v in fake.asked[-1][1].items() if k not in KNOWN} == settings
    draw(lm, [chat("a")], n=1)
    thinking = {"chat_template_kwargs": {"enable_thinking": False}} if settings else {}
    assert {k: v for k, v in fake.asked[-1][1].items() if k not in KNOWN} == settings | thinking


def test_a_chat_without_system_messages_gets_the_instruction_with_the_first_question(serve: Serve) -> None:
    fake = serve(system=False)
    assert load(fake).choose([chat("Ice?")], ["true"]).probabilities == pytest.approx(0.03)
    messages = fake.asked[0][1]["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant", "user"]
    assert messages[0]["content"] == "Judge.\n\nIce is hot?"


@pytest.mark.parametrize("repeats", [False, True], ids=["goes on", "repeats it"])
def test_the_opening_of_a_chat_reply_is_its_beginning(serve: Serve, repeats: bool) -> None:
    fake = serve(goes_on=True, repeats=repeats, write=lambda *_: " it is cold.")
    lm = load(fake)
    assert draw(lm, [chat("Ice?", "True, because")], n=1) == [[" it is cold."]]
    body = fake.asked[-1][1]
    assert body["messages"][-1] == {"role": "assistant", "content": "True, because"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert len(fake.asked) == 3
    draw(lm, [chat("Snow?", "True, because")], n=1)
    assert len(fake.asked) == 4  # what the server can do is known now


def test_an_opening_that_cannot_be_given_is_asked_for(serve: Serve) -> None:
    fake = serve(write=lambda *_: "True, because it is cold.")
    lm = load(fake)
    assert draw(lm, [chat("Ice?", "True, because")], n=1) == [[" it is cold."]]
    messages = fake.asked[-1][1]["messages"]
    assert messages[-1]["role"] == "user"
    assert messages[-1]["content"].startswith("Ice?\n\n")
    assert messages[-1]["content"].endswith("\nTrue, because")


def test_options_that_begin_with_one_token_are_asked_on(serve: Serve) -> None:
    tables = {
        "A:": {" not": 0.5, " is": 0.3, " ": 0.001},
        "A: not": {" true": 0.25, " false": 0.75},
    }
    fake = serve(first=lambda asked: tables[asked.rpartition("\n")[2]] if "A:" in asked else {" 4": 1.0})
    chosen = load(fake).choose([text("a")], [" not true", " not false", " is"]).probabilities
    np.testing.assert_allclose(chosen, [[0.125, 0.375, 0.3]])
    assert [body["prompt"] for body in fake.bodies("/completions")] == ["a\nA:", "a\nA: not"]


def test_chats_ask_on_only_where_a_reply_can_be_gone_on_from(serve: Serve) -> None:
    tables = {"Ice?": {"not": 0.5, "so": 0.3}, "not": {" true": 0.25, " false": 0.75}}

    def first(asked: str) -> dict[str, float]:
        return tables.get(asked.rpartition("\n")[2], {"x": 1.0})

    chosen = (
        load(serve(first=first, goes_on=True)).choose([chat("Ice?")], ["not true", "not false"]).probabilities
    )
    np.testing.assert_allclose(chosen, [[0.125, 0.375]])
    with pytest.raises(InputError, match="'not true' and 'not false' begin with the same token 'not'"):
        load(serve(first=first)).choose([chat("Ice?")], ["not true", "not false"])


def test_no_probabilities_for_one_prompt_are_told_with_the_prompt(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    fake.form = ""
    with pytest.raises(ModelError, match=r'gave no probabilities for the prompt "Ice\? .*"'):
        lm.choose([text("Ice?  \n  " + "long " * 40)], [" true"])


def test_probabilities_that_are_missing_are_asked_for_at_the_likeliest_token(serve: Serve) -> None:
    """As llama.cpp leaves them out if it draws a part of a character."""
    fake = serve()
    lm = load(fake, limit=1)

    def without(handler: Any, body: dict[str, Any]) -> None:
        fake.form = "old" if body["temperature"] == 0 or "Ice" not in body["prompt"] else ""
        handler.answer(body)

    fake.faults += [without] * 3
    assert lm.choose([text("Ice?"), text("Snow?")], [" true"]).probabilities.tolist() == [[0.6], [0.6]]
    assert sorted(body["temperature"] for body in fake.bodies("/completions")) == [0.0, 1.0, 1.0]


def test_a_model_that_only_thinks_is_refused(serve: Serve) -> None:
    def think(handler: Any, _: Any) -> None:
        message = {"role": "assistant", "content": None, "reasoning_content": "Well,"}
        handler.tell(200, {"choices": [{"message": message, "finish_reason": "length"}]})

    fake = serve()
    lm = load(fake)
    fake.faults.append(think)
    with pytest.raises(ModelError, match="start the server with thinking switched off"):
        draw(lm, [chat("a")], n=1)


def test_a_prompt_that_does_not_fit_is_named(serve: Serve) -> None:
    def refuse(handler: Any, _: Any) -> None:
        handler.refuse(400, "This model's maximum context length is 100 tokens")

    fake = serve()
    lm = load(fake, limit=1)
    fake.faults += [lambda handler, body: handler.answer(body), refuse]
    with pytest.raises(ContextLengthError, match=r'"Ice\?" does not fit the context window of http.*100 tok'):
        draw(lm, [text("Snow?"), text("Ice?")], n=1)


def test_what_the_server_refuses_of_a_prompt_is_told(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    fake.faults.append(lambda handler, _: handler.refuse(422, "bad words"))
    with pytest.raises(ModelError, match=r'#m refuses the prompt "Ice\?" \(422: bad words\)'):
        draw(lm, [text("Ice?")], n=1)


def test_an_empty_option_is_refused(serve: Serve) -> None:
    with pytest.raises(InputError, match="an option to choose from is empty"):
        load(serve()).choose([text("a")], [" true", ""])


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


def test_where_options_are_asked_on_the_prompt_is_counted_without_them(serve: Serve) -> None:
    tables = {"A:": {" not": 0.5, " is": 0.3}, "A: not": {" true": 0.25, " false": 0.75}}
    fake = serve(first=lambda asked: tables.get(asked.rpartition("\n")[2], {" 4": 1.0}))
    assert load(fake).choose([text("a")], [" not true", " not false"]).prompt_tokens == (3,)


def test_a_server_that_charges_nothing_has_its_tokenizer_asked(serve: Serve) -> None:
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


def test_no_more_requests_are_under_way_than_allowed(serve: Serve) -> None:
    together = threading.Barrier(3)

    def wait(handler: Any, body: Any) -> None:
        together.wait(30)
        handler.answer(body)

    fake = serve()
    lm = load(fake, limit=3)
    fake.faults += [wait] * 3
    lm.choose([text(str(number)) for number in range(40)], [" true"])
    assert fake.most_under_way == 3
    assert len(fake.asked) == 40


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
    for device, dtype in (("cpu", "auto"), ("auto", "float32")):
        with pytest.raises(InputError, match="is for models in this process; leave it out for a server"):
            load_lm(f"{fake.url}#m", device=device, dtype=dtype)


def test_the_device_is_the_verifiers_when_the_model_is_on_a_server(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr("maieutic.pipeline.load_verifier", lambda _, **options: given.append(options))
    fake = serve()
    models = load_models(f"{fake.url}#m", "nli", device="cpu", dtype="float32", download=True)
    assert models.prompts.name == "paper"
    assert given == [{"device": "cpu", "dtype": "float32", "download": True}]
    with pytest.raises(InputError, match="device cpu is for models in this process"):
        load_models(f"{fake.url}#m", "lm", device="cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ftp://host/v1#m", "cannot begin with ftp://; http:// and https:// are known"),
        ("://host", "cannot begin with ://"),
        ("http:///v1#m", "lacks a host"),
        ("http://host:port/v1#m", "is no address"),
        ("http://[::1/v1", "is no address"),
        ("http://ho st/v1", "lacks a host, or holds a space"),
        ("http://user:secret@host/v1#m", "must not hold a user or password; a key belongs in"),
        ("http://secret@host/v1#m", "must not hold a user or password"),
        ("https://host/v1?key=secret#m", "must not hold a query"),
        ("ftp://user:secret@host/v1", "cannot begin with ftp://"),
        ("http://user:secret/x@host/v1", "is no address"),
    ],
)
def test_what_is_no_address_is_refused_and_secrets_are_not_repeated(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        load_lm(name)
    assert "secret" not in str(refused.value)


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("httpx2", "anyio"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(InputError, match=r"servers need maieutic\[server\]; pip install"):
                load_lm("http://localhost:1/v1#m")
