"""Two of llama.cpp's servers as one fleet, one of which is killed while questions are answered.

Skipped without the group ``server-tests``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from maieutic.benchmarks.throughput.to_gguf import write_gguf
from maieutic.errors import ServerError
from maieutic.lm.base import SamplingParams
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.retries import RetryPolicy
from maieutic.nli import load_verifier
from maieutic.pipeline import Maieutic
from maieutic.prompts import load_prompts

for package in ("gguf", "xllamacpp"):
    pytest.importorskip(package, reason=f"{package} is not installed; pip install --group server-tests")

pytestmark = pytest.mark.slow

SERVER = Path(__file__).with_name("llama_server.py")
POLICY = RetryPolicy(attempts=4, pause=0.2, max_pause=1.0)
QUESTIONS = [f"A {thing} can fly." for thing in ("penguin", "spoon", "crow", "stone", "pillow", "bottle")]


@contextmanager
def llama(file: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server, with its address."""
    command = [sys.executable, str(SERVER), str(file), "256"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield f"{server.stdout.readline().strip()}/v1", server
        finally:
            server.kill()


def test_a_server_that_is_killed_during_a_run_costs_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "agora.gguf"
    write_gguf("agora", file)
    with ExitStack() as stack:
        (one, first), (two, second) = (stack.enter_context(llama(file)) for _ in range(2))
        lm = ServerLM.load(f"{one},{two}", retries=POLICY, limit=2)
        maieutic = Maieutic(lm, load_verifier("agora"), prompts=load_prompts("agora"))
        answers = []
        for answer in maieutic.ask_many(QUESTIONS, batch_size=2):
            answers.append(answer)
            if len(answers) == 2:
                first.kill()
        assert [answer.statement for answer in answers] == QUESTIONS
        second.kill()
        with pytest.raises(ServerError) as error:
            lm.sample([load_prompts("agora").direct("Ice is cold.")], 1, SamplingParams(4))
        assert one in str(error.value)
        assert two in str(error.value)
