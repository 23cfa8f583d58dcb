"""Commands with a model on a server, including one that fails during a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maieutic.errors import InputError, ServerError
from maieutic.lm.server.retries import RetryPolicy
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
    policy = RetryPolicy(
        connect_timeout=5.0, request_timeout=30.0, total_timeout=60.0, attempts=2, pause=0.0, max_pause=0.0
    )
    monkeypatch.setattr("maieutic.lm.server.model.RetryPolicy", lambda: policy)


def written(body: dict[str, Any], asked: str) -> str:
    """The reply of a model for the prompt set "agora"."""
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


def test_a_run_resumes_after_a_failure_of_the_server(
    serve: Serve, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIEUTIC_API_KEY", KEY)
    fake, out = serve(write=written), tmp_path / "out"

    def dies_after_five(handler: Any, body: dict[str, Any]) -> None:
        asked = [one["prompt"] for one in fake.bodies("/completions") if "thing" in one["prompt"].lower()]
        if len(set(asked)) > 5:
            handler.drop()
        else:
            handler.answer(body)

    fake.faults = [dies_after_five] * 1000
    command = ("bench", "run", "--config", config(tmp_path, f"{fake.url}#m"), "--out", out)
    done = run(*command)
    assert done.returncode == 1
    assert f"{fake.url}/completions" in done.stderr
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
        if "thing 3" in str(body.get("prompt")).lower():
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
    assert f"{fake.url}#m" in problems[STATEMENTS[3]]


def test_a_name_with_a_password_is_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for command in (
        ("bench", "run", "agora", "--method", "direct", "--out", out),
        ("ask", "Ice is cold."),
        ("ask", "Ice is cold.", "--nli", "lm"),
    ):
        done = run(*command, "--lm", "http://user:secret@host/v1#m")
        assert done.returncode == 2
        assert "secret" not in done.stderr
    assert not out.exists()


def test_a_statement_is_judged_by_a_model_on_a_server(serve: Serve, run: Run) -> None:
    fake = serve(write=written)
    command = ("ask", "Ice floats.", "--lm", f"{fake.url}#m", "--nli", "lm", "--prompts", "agora", "--json")
    done = run(*command, "--depth", "0", "--no-priors")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["models"]["lm"] == f"{fake.url}#m"
    assert answer["tree"]["negation"] == "Ice does not float."
    kinds = {body["prompt"].partition(":")[0] for body in fake.bodies("/completions")}
    assert kinds == {"1 2 3", "1 2 3 4", "Q"}  # a trial, then the direct answer


def test_a_server_needs_a_named_verifier(run: Run) -> None:
    done = run("ask", "Ice floats.", "--lm", "http://localhost:1/v1#m")
    assert done.returncode == 2
    assert (
        "--lm http://localhost:1/v1#m needs a verifier: give --nli an NLI model, or --nli lm" in done.stderr
    )


def test_a_verifier_cannot_be_a_server() -> None:
    with pytest.raises(InputError) as error:
        load_verifier("http://localhost:1/v1#m")
    assert error.value.subject == "name"


def test_answers_before_a_failure_are_yielded(serve: Serve) -> None:
    from maieutic.lm.server.model import ServerLM

    fake = serve(write=written)
    lm = ServerLM.load(f"{fake.url}#m")

    def dies_at_four(handler: Any, body: dict[str, Any]) -> None:
        if "thing 4" in body["prompt"].lower():
            handler.drop()
        else:
            handler.answer(body)

    fake.faults = [dies_at_four] * 10_000
    verifier = ScriptedVerifier(lambda *_: "neutral")
    maieutic = Maieutic(lm, verifier, prompts=load_prompts("agora"))
    answered = []
    with pytest.raises(ServerError):
        for answer in maieutic.ask_many(STATEMENTS, batch_size=2):
            answered.append(answer.statement)
    assert answered == STATEMENTS[:4]
