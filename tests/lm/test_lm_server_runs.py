"""Commands with a model on a server: it is named, asked, recorded, and may die on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maieutic.errors import InputError, ServerError
from maieutic.lm.server.exchange import Patience
from maieutic.nli import load_verifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.prompts import load_prompts

Serve = Callable[..., Any]
Run = Callable[..., Any]

KEY = "sk-a-most-secret-key"
STATEMENTS = [f"Thing {number} floats." for number in range(7)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(connect=5.0, answer=30.0, total=60.0, tries=2, pause=0.0, longest=0.0)
    monkeypatch.setattr("maieutic.lm.server.model.Patience", lambda: patience)


def written(body: dict[str, Any], asked: str) -> str:
    """What a model of the prompt set "agora" says."""
    if asked.endswith("Negation:"):
        statement = asked.rpartition("Statement: ")[2].partition("\n")[0]
        return " " + statement.replace("floats", "does not float")
    return " It is light. Therefore, the statement is true."


def config(tmp_path: Path, name: str) -> Path:
    """A run over STATEMENTS, two at a time."""
    rows = [json.dumps({"statement": text, "label": True}) for text in STATEMENTS]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    path = tmp_path / "run.toml"
    path.write_text(
        f'dataset = "file"\nmethod = "direct"\ndata = "{tmp_path}/rows.jsonl"\nlm = "{name}"\n'
        'prompts = "agora"\nbatch = 2\n'
    )
    return path


def records(out: Path) -> list[str]:
    lines = (out / "records.jsonl").read_text().splitlines()
    return [json.loads(line)["text"] for line in lines]


def test_a_run_keeps_what_was_finished_when_the_server_dies_and_goes_on_when_it_is_back(
    serve: Serve, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIEUTIC_API_KEY", KEY)
    fake, out = serve(write=written), tmp_path / "out"

    def dies_after_five(handler: Any, body: dict[str, Any]) -> None:
        asked = [one["prompt"] for one in fake.bodies("/completions") if "Thing" in one["prompt"]]
        if len(set(asked)) > 5:
            handler.drop()
        else:
            handler.answer(body)

    fake.faults = [dies_after_five] * 1000
    command = ("bench", "run", "--config", config(tmp_path, f"{fake.url}#m"), "--out", out)
    done = run(*command)
    assert done.returncode == 1
    assert "/v1/completions: the connection broke" in done.stderr
    assert records(out) == STATEMENTS[:4]  # the third batch was not finished

    fake.faults.clear()
    again = run(*command)
    assert again.returncode == 0
    assert records(out) == STATEMENTS
    assert "4 of 7 questions" in again.stderr
    made_with = json.loads((out / "run.json").read_text())["models"]["lm"]
    assert made_with["name"] == f"{fake.url}#m"
    assert made_with["listed"] == {"id": "m", "owned_by": "vllm"}
    assert not any(KEY in path.read_text() for path in out.iterdir() if path.is_file())
    assert KEY not in done.stderr + done.stdout + again.stderr + again.stdout


def test_a_prompt_that_the_server_refuses_leaves_its_question_unscored(
    serve: Serve, run: Run, tmp_path: Path
) -> None:
    fake, out = serve(write=written), tmp_path / "out"

    def refuses_one(handler: Any, body: dict[str, Any]) -> None:
        if "Thing 3" in str(body.get("prompt")):
            handler.refuse(400, "This model's maximum context length is 3 tokens")
        else:
            handler.answer(body)

    fake.faults = [refuses_one] * 1000
    done = run("bench", "run", "--config", config(tmp_path, f"{fake.url}#m"), "--out", out)
    assert done.returncode == 0
    problems = {
        record["text"]: record["problem"]
        for record in map(json.loads, (out / "records.jsonl").read_text().splitlines())
        if record["problem"]
    }
    assert list(problems) == [STATEMENTS[3]]
    assert "does not fit the context window" in problems[STATEMENTS[3]]


def test_a_name_with_a_password_is_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for command in (
        ("bench", "run", "agora", "--method", "direct", "--out", out),
        ("ask", "Ice is cold."),
        ("ask", "Ice is cold.", "--nli", "lm"),
    ):
        done = run(*command, "--lm", "http://user:secret@host/v1#m")
        assert done.returncode == 2
        assert "must not hold a user or password" in done.stderr
        assert "secret" not in done.stderr
    assert not out.exists()


def test_a_statement_is_judged_by_a_model_on_a_server(serve: Serve, run: Run) -> None:
    fake = serve(write=written)
    command = ("ask", "Ice floats.", "--lm", f"{fake.url}#m", "--nli", "lm", "--prompts", "agora", "--json")
    done = run(*command, "--depth", "0")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["models"]["lm"] == f"{fake.url}#m"
    assert answer["tree"]["negation"] == "Ice does not float."
    kinds = {body["prompt"].partition(":")[0] for body in fake.bodies("/completions")}
    assert kinds == {"1 2 3", "Statement", "Think"}


def test_a_server_needs_a_verifier_named_like_any_other_model(run: Run) -> None:
    done = run("ask", "Ice floats.", "--lm", "http://localhost:1/v1#m")
    assert done.returncode == 2
    assert (
        "--lm http://localhost:1/v1#m needs a verifier: give --nli an NLI model, or --nli lm" in done.stderr
    )


def test_a_verifier_cannot_be_a_server() -> None:
    with pytest.raises(InputError, match="a verifier cannot be on a server; give a model folder"):
        load_verifier("http://localhost:1/v1#m")


def test_answers_before_the_fault_come_first(serve: Serve) -> None:
    from maieutic.lm.server.model import ServerLM

    fake = serve(write=written)
    lm = ServerLM.load(f"{fake.url}#m")

    def dies_at_four(handler: Any, body: dict[str, Any]) -> None:
        if "Thing 4" in body["prompt"]:
            handler.drop()
        else:
            handler.answer(body)

    fake.faults = [dies_at_four] * 10_000
    verifier = ScriptedVerifier(lambda *_: "neutral")
    maieutic = Maieutic(lm, verifier, prompts=load_prompts("agora"))
    answered = []
    with pytest.raises(ServerError, match="the connection broke"):
        for answer in maieutic.ask_many(STATEMENTS, batch_size=2):
            answered.append(answer.statement)
    assert answered == STATEMENTS[:4]
