"""GGUF files: how they are named and refused, and (slow) llama.cpp in a process of its own.

The slow tests are skipped without the group ``server-tests``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maieutic.errors import ContextLengthError, InputError, ModelError, ServerError
from maieutic.lm import is_served, load_lm
from maieutic.lm.base import Prompt, SamplingParams
from maieutic.lm.gguf import GgufLM, is_gguf
from maieutic.lm.server.exchange import Connection
from maieutic.models import load_models
from maieutic.nli import load_verifier
from maieutic.prompts import load_prompts

Run = Callable[..., "subprocess.CompletedProcess[str]"]

HEADER = b"GGUF\x03\0\0\0" + b"\0" * 16  # of a file without tensors and fields
AGORA = load_prompts("agora")


def test_a_gguf_file_is_known_by_its_ending(tmp_path: Path) -> None:
    folder = tmp_path / "model.gguf"
    assert is_gguf(str(folder))
    assert is_gguf("MODEL.GGUF")
    folder.mkdir()
    assert not is_gguf(str(folder))
    for name in ("http://localhost/model.gguf", "team/model-GGUF", "agora"):
        assert not is_gguf(name)
    assert is_served("a.gguf")
    assert is_served("http://localhost/v1")
    assert not is_served("agora")


def test_a_missing_file_and_one_of_another_kind_are_refused(tmp_path: Path, run: Run) -> None:
    missing, other = tmp_path / "missing.gguf", tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04")
    for path in (missing, other):
        with pytest.raises(ModelError) as error:
            load_lm(str(path))
        assert error.value.subject == str(path)
        done = run("ask", "Ice is cold.", "--lm", path, "--nli", "lm")
        assert done.returncode == 2
        assert str(path) in done.stderr


def test_device_and_dtype_are_refused_as_for_servers(tmp_path: Path) -> None:
    for option, value in (("device", "cpu"), ("dtype", "float32")):
        options: dict[str, Any] = {option: value}
        with pytest.raises(InputError) as error:
            load_lm(str(tmp_path / "a.gguf"), **options)
        assert error.value.subject == option


def test_the_device_is_the_verifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr("maieutic.models.load_verifier", lambda _, **options: given.append(options))
    monkeypatch.setattr("maieutic.models.load_lm", lambda _, **options: given.append(options))
    load_models("a.gguf", "nli", prompts="chat", device="cpu")
    assert given == [{"probabilities": True}, {"device": "cpu"}]


def test_a_verifier_cannot_be_a_gguf_file() -> None:
    with pytest.raises(InputError) as error:
        load_verifier("a.gguf")
    assert error.value.subject == "name"


def test_a_gguf_file_needs_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(HEADER)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "xllamacpp" else found(name, *rest)
    )
    with pytest.raises(InputError) as error:
        load_lm(str(path))
    assert error.value.subject == "maieutic[gguf]"


# -- with llama.cpp ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled language model as a GGUF file."""
    for package in ("gguf", "xllamacpp"):
        pytest.importorskip(package, reason=f"{package} is not installed; pip install --group server-tests")
    from maieutic.benchmarks.throughput.to_gguf import write_gguf

    path = tmp_path_factory.mktemp("gguf") / "agora.gguf"
    write_gguf("agora", path)
    return path


@pytest.fixture(scope="module")
def lm(file: Path) -> Iterator[GgufLM]:
    model = GgufLM.load(str(file), slots=2)
    yield model
    model.close()


@pytest.mark.slow
def test_a_gguf_file_is_a_language_model(lm: GgufLM, file: Path) -> None:
    assert (lm.name, lm.prompts) == (str(file), "paper")
    chosen = lm.choose([AGORA.direct("A penguin can fly."), AGORA.direct("A crow can fly.")], AGORA.answers)
    assert chosen.probabilities.sum(axis=1).min() > 0.99
    ((text,),) = lm.sample([AGORA.negate("A crow can fly.")], 1, SamplingParams(16))
    assert text.text == " A crow cannot fly."
    with pytest.raises(ContextLengthError) as error:
        lm.choose([Prompt("text", "", (), "word " * 300, "A:")], [" true"])
    assert error.value.subject == str(file)


@pytest.mark.slow
def test_facts_and_fingerprint_are_those_of_the_file(lm: GgufLM, file: Path, tmp_path: Path) -> None:
    facts = json.loads(json.dumps(lm.facts))
    assert (facts["name"], facts["architecture"]) == (str(file), "llama")
    assert "127.0.0.1" not in json.dumps(facts) + lm.fingerprint
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(file.read_bytes())
    other = GgufLM.load(str(copy), slots=1)
    other.close()
    assert other.fingerprint == lm.fingerprint


@pytest.mark.slow
def test_only_the_owner_is_answered(lm: GgufLM) -> None:
    assert isinstance(lm._served._connection, Connection)
    host = lm._served._connection.host
    assert host.url.startswith("http://127.0.0.1:")
    body = json.dumps({"model": "m", "prompt": "A:", "max_tokens": 1}).encode()
    for headers in ({}, {"Authorization": "Bearer guess"}):
        for path, content in (("/completions", body), ("/models", None)):
            request = urllib.request.Request(host.url + path, content, headers)
            with pytest.raises(urllib.error.HTTPError) as error:
                urllib.request.urlopen(request, timeout=30)
            with error.value as reply:
                assert reply.code == 401
    assert host.key
    assert host.key not in " ".join(map(str, lm._process.args))  # type: ignore[arg-type]
    assert host.key not in f"{lm!r} {vars(lm)} {lm.facts}"


OWNER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from maieutic.lm.gguf import GgufLM
lm = GgufLM.load(sys.argv[1], slots=1)
print(lm._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("sent", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_the_process_ends_with_its_owner(file: Path, sent: str) -> None:
    command = [sys.executable, "-c", OWNER, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as owner:
        assert owner.stdout
        child = int(owner.stdout.readline())
        assert running(child)
        owner.send_signal(getattr(signal, sent))
        owner.wait(60)
    deadline = time.monotonic() + 30
    while running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")  # an orphan that has ended may wait to be collected
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
def test_a_process_that_ends_is_an_error_that_names_the_file(file: Path) -> None:
    lm = GgufLM.load(str(file), slots=1)
    lm._process.kill()
    lm._process.wait()
    with pytest.raises(ServerError) as error:
        lm.choose([AGORA.direct("A crow can fly.")], AGORA.answers)
    assert error.value.subject == str(file)


@pytest.mark.slow
def test_a_file_that_llama_cpp_cannot_open_is_refused_with_its_reason(file: Path, tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished.gguf"
    unfinished.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ModelError, match="not within the file bounds") as error:
        load_lm(str(unfinished))
    assert error.value.subject == str(unfinished)


@pytest.mark.slow
def test_the_command_asks_it(file: Path, run: Run) -> None:
    command = ("ask", "Can a penguin fly?", "--lm", file, "--nli", "agora", "--prompts", "agora")
    done = run(*command, "--device", "cpu", "--cache", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["models"]["lm"] == str(file)


@pytest.mark.slow
def test_a_run_records_it(file: Path, run: Run, tmp_path: Path) -> None:
    pytest.importorskip("tomli_w")
    out = tmp_path / "out"
    command = ("bench", "run", "agora", "--method", "direct", "--limit", "4", "--prompts", "agora")
    done = run(*command, "--lm", file, "--out", out)
    assert done.returncode == 0
    made_with = json.loads((out / "run.json").read_text())["models"]["lm"]
    assert (made_with["name"], made_with["architecture"]) == (str(file), "llama")
