"""Beliefs without probabilities of tokens: estimated from replies, or stated in percent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.config import ElicitConfig
from maieutic.errors import InputError, ModelError
from maieutic.lm.base import Prompt
from maieutic.lm.beliefs import (
    BeliefReader,
    SampledBeliefs,
    StatedBeliefs,
    belief_source_of,
    parse_belief_source,
)
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic

Serve = Callable[..., Any]
Run = Callable[..., Any]

CHAT = Prompt("chat", "Judge.", (), "Is the statement true or false?")
TEXT = Prompt("text", "", (), "Ice?", "A: The statement is")
OPTIONS = (" true", " false")
QUICK = RetryPolicy(connect_timeout=5, request_timeout=10, total_timeout=20, attempts=2, pause=0, max_pause=0)


def unasked(*_: Any) -> float:
    raise AssertionError("the model's probabilities are not asked for")


def says(*replies: str) -> ScriptedLanguageModel:
    return ScriptedLanguageModel(lambda _, index: replies[index], unasked)


def sampled(replies: Sequence[str], options: Sequence[str] = OPTIONS) -> list[float]:
    reader = BeliefReader(says(*replies), SampledBeliefs(len(replies)))
    (row,) = reader.choose([TEXT], options).probabilities.tolist()
    return [float(p) for p in row]


def stated(reply: str, options: Sequence[str] = OPTIONS) -> list[float]:
    (row,) = BeliefReader(says(reply), StatedBeliefs()).choose([CHAT], options).probabilities.tolist()
    return [float(p) for p in row]


def test_estimates_have_one_added_to_every_count() -> None:
    assert sampled([" true", " True.", "**true**", " false because"]) == pytest.approx([4 / 6, 2 / 6])
    assert sampled([" true"]) == pytest.approx([2 / 3, 1 / 3])


def test_replies_beside_the_options_lower_the_sum() -> None:
    assert sampled([" true", " perhaps", " truely", ""]) == pytest.approx([2 / 3 / 4, 1 / 3 / 4])
    assert sampled([" perhaps", " untrue"]) == [0.0, 0.0]


def test_the_longest_option_counts() -> None:
    options = [" not", " not true", " true"]
    assert sampled([" Not true!", " not", " true"], options) == pytest.approx([2 / 6] * 3)


@given(st.lists(st.sampled_from([" true", " false", " hm"]), min_size=1, max_size=20))
def test_a_row_sums_to_the_share_of_replies_that_choose(replies: list[str]) -> None:
    row = sampled(replies)
    share = sum(reply != " hm" for reply in replies) / len(replies)
    assert sum(row) == pytest.approx(share)
    assert all(0 <= p < 1 for p in row)
    assert (row[0] > row[1]) == (replies.count(" true") > replies.count(" false"))


@pytest.mark.parametrize(
    ("reply", "p_true"),
    [("73 %", 0.73), (" 73%.", 0.73), ("12.5 percent", 0.125), ("0 %", 0.0), ("100%", 1.0)],
)
def test_a_percentage_is_read(reply: str, p_true: float) -> None:
    assert stated(reply) == pytest.approx([p_true, 1 - p_true])


@pytest.mark.parametrize(
    "reply", ["", "0.73", "73", "101 %", "about 73 %", "73 % or 80 %", "-3 %", "high", "1e1 %"]
)
def test_anything_else_is_no_number(reply: str) -> None:
    assert stated(reply) == [0.0, 0.0]


def test_three_options_are_asked_about_one_by_one() -> None:
    asked: list[str] = []

    def reply(prompt: Prompt, _: int) -> str:
        asked.append(prompt.query)
        return f"{len(asked)}0 %"

    reader = BeliefReader(ScriptedLanguageModel(reply, unasked), StatedBeliefs())
    chosen = reader.choose([CHAT], ["false", "unknown", "true"])
    np.testing.assert_allclose(chosen.probabilities, [[0.1, 0.2, 0.3]])
    assert [name in query for name, query in zip(("false", "unknown", "true"), asked, strict=True)] == [
        True
    ] * 3
    assert chosen.usages[0].calls == 3


def test_plain_text_cannot_be_asked_for_a_number() -> None:
    with pytest.raises(ModelError):
        BeliefReader(says("73 %"), StatedBeliefs()).choose([TEXT], OPTIONS)


def test_nothing_to_choose_from() -> None:
    for source in (SampledBeliefs(2), StatedBeliefs()):
        reader = BeliefReader(says("true", "true"), source)
        assert reader.choose([], OPTIONS).probabilities.shape == (0, 2)
        assert reader.choose([CHAT], []).probabilities.shape == (1, 0)


def test_the_cost_of_the_replies_is_counted() -> None:
    (usage,) = BeliefReader(says("true", "false it is"), SampledBeliefs(2)).choose([TEXT], OPTIONS).usages
    words = len(TEXT.text().split())
    assert (usage.prompt_tokens, usage.generated_tokens, usage.calls) == (2 * words, 4, 2)


@pytest.mark.parametrize(
    "text", ["", "sampled", "sampled:", "sampled:0", "sampled:-1", "sampled:x", "logits"]
)
def test_an_unknown_source_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_belief_source(text)
    assert error.value.subject == "beliefs"


@pytest.mark.parametrize("text", ["sampled:3", "stated"])
def test_a_source_is_known_by_its_name(text: str) -> None:
    source = parse_belief_source(text)
    assert source is not None
    assert source.name == text
    assert belief_source_of(BeliefReader(says(), source)) == text
    assert belief_source_of(says()) == "probabilities"
    assert parse_belief_source("probabilities") is None


def test_answers_name_the_source() -> None:
    lm = ScriptedLanguageModel(lambda *_: "true", lambda *_: 0.5, prompts="chat")
    verifier = ScriptedVerifier(lambda *_: "neutral")
    growth = ElicitConfig(depth=0, belief="direct")
    for model, name in ((lm, "probabilities"), (BeliefReader(lm, SampledBeliefs(3)), "sampled:3")):
        answer = Maieutic(model, verifier, elicit=growth).ask("Ice is cold.")
        assert answer.belief_source == name
        assert json.loads(answer.to_json())["models"]["belief_source"] == name


# a server that gives no probabilities


def hosted(serve: Serve) -> Any:
    def write(_: dict[str, Any], prompt: str) -> str:
        if "percentage" in prompt:
            return "80 %"
        return "Ice is not cold." if "egation" in prompt else "true"

    return serve(write=write, form="", completions=False)


def test_a_server_without_probabilities_is_refused_unless_a_source_is_given(serve: Serve) -> None:
    fake = hosted(serve)
    with pytest.raises(ModelError) as error:
        ServerLM.load(f"{fake.url}#m", retries=QUICK)
    assert "--beliefs sampled:8" in str(error.value)
    assert "--beliefs stated" in str(error.value)
    lm = ServerLM.load(f"{fake.url}#m", retries=QUICK, probabilities=False)
    assert BeliefReader(lm, SampledBeliefs(4)).choose([CHAT], OPTIONS).probabilities.tolist() == [
        [5 / 6, 1 / 6]
    ]
    assert BeliefReader(lm, StatedBeliefs()).choose([CHAT], OPTIONS).probabilities.tolist() == [
        [0.8, pytest.approx(0.2)]
    ]


@pytest.mark.parametrize(("beliefs", "p_true"), [("sampled:4", 5 / 6), ("stated", 0.8)])
def test_the_commands_know_the_sources(
    serve: Serve, run: Run, tmp_path: Path, beliefs: str, p_true: float
) -> None:
    name = f"{hosted(serve).url}#m"
    command = ("ask", "Ice is cold.", "--lm", name, "--nli", "lm", "--depth", "0", "--belief", "direct")
    refused = run(*command)
    assert refused.returncode == 2
    assert "--beliefs sampled:8" in refused.stderr
    done = run(*command, "--beliefs", beliefs, "--json")
    answer = json.loads(done.stdout)
    assert answer["models"]["belief_source"] == beliefs
    assert answer["tree"]["nodes"] or answer["tree"]["pruned"]

    data = tmp_path / "rows.csv"
    data.write_text("statement,label\nIce is cold.,true\n")
    out = tmp_path / "out"
    bench = ("bench", "run", "file", "--data", data, "--method", "direct", "--lm", name, "--out", out)
    summary = run(*bench, "--beliefs", beliefs, "--no-cache")
    assert summary.returncode == 0, summary.stderr
    assert beliefs in summary.stdout
    record = json.loads((out / "records.jsonl").read_text())
    assert (record["belief_source"], record["p_true"]) == (beliefs, pytest.approx(p_true))
    assert f'beliefs = "{beliefs}"' in (out / "run.toml").read_text()
    facts = json.loads((out / "run.json").read_text())
    assert facts["models"]["lm"]["name"] == name
