"""llama.cpp's server with models that this package wrote as GGUF, against the same models in this process.

The tests are skipped without the group ``server-tests``. Measured differences, in float32 with a float32
cache: below 1e-5 in probability.
"""

from __future__ import annotations

import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from maieutic.benchmarks.throughput.to_gguf import write_gguf
from maieutic.errors import ContextLengthError
from maieutic.lm.base import Prompt, SamplingParams
from maieutic.lm.local.model import TransformersLM
from maieutic.lm.server.model import ServerLM
from maieutic.prompts import load_prompts

for package in ("gguf", "xllamacpp"):
    pytest.importorskip(package, reason=f"{package} is not installed; pip install --group server-tests")

pytestmark = pytest.mark.slow

TOLERANCE = 1e-3
LEFT_OUT = (
    0.03  # probability of tokens that stand for no text, which llama.cpp leaves out; of any prompt here
)
SERVER = Path(__file__).with_name("llama_server.py")
AGORA = load_prompts("agora")
THINGS = ("penguin", "spoon", "crow", "stone", "glass bottle")


class Pair(NamedTuple):
    """One model, behind a server and in this process."""

    served: ServerLM
    here: TransformersLM


@pytest.fixture(scope="module")
def random_folder(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights in which two query heads share a key head.

    The likeliest token is never a part of a character, for which llama.cpp gives no probabilities.
    """
    from safetensors.numpy import load_file, save_file
    from tokenizers import Tokenizer

    folder = shutil.copytree(llama_folder, tmp_path_factory.mktemp("random") / "model")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    weights = load_file(folder / "model.safetensors")
    for token in range(tokenizer.get_vocab_size()):
        if not tokenizer.decode([token]).isascii():
            weights["lm_head.weight"][token] = 0.0
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="module", params=["agora", "random"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The bundled model, and one with random weights."""
    name = "agora" if request.param == "agora" else str(request.getfixturevalue("random_folder"))
    file = tmp_path_factory.mktemp("gguf") / f"{request.param}.gguf"
    write_gguf(name, file)
    window = {"agora": "256", "random": "96"}[request.param]
    command = [sys.executable, str(SERVER), str(file), window]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin and server.stdout
        address = server.stdout.readline().strip()
        try:
            here = TransformersLM.load(name, device="cpu", dtype="float32")
            yield Pair(ServerLM.load(f"{address}/v1", limit=2), here)
        finally:
            server.stdin.close()
            server.wait(30)


def texts() -> list[Prompt]:
    direct = [AGORA.direct(f"A {thing} can fly.") for thing in THINGS]
    asked = [AGORA.belief(f"A {thing} floats in water.") for thing in THINGS]
    return [*direct, *asked, Prompt("text", "", (), "Q: Ice?", "A:")]


def test_the_likeliest_options_have_the_same_probabilities(pair: Pair) -> None:
    options = [" true", " false", " A", *string.ascii_letters, *string.digits, *string.punctuation]
    served, here = (lm.choose(texts(), options).probabilities for lm in pair)
    listed = here > 0.05  # certain to be among the 20 that the server lists
    assert listed.any(axis=1).sum() >= 2
    for row in np.flatnonzero(listed.any(axis=1)):
        # What is left out makes all others likelier alike.
        factors = served[row, listed[row]] / here[row, listed[row]]
        assert np.ptp(factors) < TOLERANCE
        assert ((factors > 1 - TOLERANCE) & (factors < 1 / (1 - LEFT_OUT))).all()


def test_greedy_texts_are_the_same(pair: Pair) -> None:
    served, here = ([one.text for (one,) in lm.sample(texts(), 1, SamplingParams(32))] for lm in pair)
    assert served == here
    assert len(set(served)) > 3


def test_prompts_and_texts_have_as_many_tokens(pair: Pair) -> None:
    served, here = (lm.choose(texts(), [" true"]).prompt_tokens for lm in pair)
    assert served == here
    params = SamplingParams(32)
    for (one,), (other,) in zip(*(lm.sample(texts(), 1, params) for lm in pair), strict=True):
        assert one.prompt_tokens == other.prompt_tokens
        # The server counts the token that ended the text.
        assert one.completion_tokens - other.completion_tokens in (0, 1)
    strange = [Prompt("text", "", (), text) for text in ("Don't, 3 times: 12345!", "naïve — 世界 🦙", "5%.")]
    assert pair.served._counter.count(strange) == list(pair.here.choose(strange, [" true"]).prompt_tokens)


def test_a_drawn_text_is_the_same_when_it_is_drawn_again_alone(pair: Pair) -> None:
    params = SamplingParams(16, 1.0, seed=3)
    (prompt,) = texts()[:1]
    drawn = pair.served.sample([prompt], 3, params)
    again = [pair.served.sample([prompt], n, params)[0] for n in (1, 2, 3)]
    assert again == [drawn[0][:n] for n in (1, 2, 3)]


def test_a_prompt_that_does_not_fit_is_an_error(pair: Pair) -> None:
    with pytest.raises(ContextLengthError) as error:
        pair.served.choose([Prompt("text", "", (), "word " * 300, "A:")], [" true"])
    assert error.value.subject == pair.served.name


def test_the_opening_of_a_chat_reply_is_continued(pair: Pair) -> None:
    prompt = Prompt("chat", "", (), "Does ice float?", "Ice")
    chosen = pair.served.choose([prompt], ["Ice", " is"]).probabilities
    ((reply,),) = pair.served.sample([prompt], 1, SamplingParams(8))
    assert chosen.shape == (1, 2)
    assert not reply.text.startswith("Ice")
