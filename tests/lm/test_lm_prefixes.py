"""Shared few-shot examples, batches and memory: what the engine saves must not change what it says."""

from __future__ import annotations

import builtins
import logging
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maieutic.checkpoints import internals
from maieutic.errors import ModelError
from maieutic.lm.base import Prompt, SamplingParams, Shot
from maieutic.lm.local.model import TransformersLM
from maieutic.lm.local.prefixes import Prefixes

SHOTS = (Shot("Q: Is ice warm?", "A: false"), Shot("Q: Is tea warm?", "A: true"))
QUERIES = ["Q: Is the sky blue?", "Q: Ice?", "Q: Is a whale that swims near the coast of Norway a fish?", "x"]
PROMPTS = [Prompt("text", "Judge.", SHOTS, query, "A:") for query in QUERIES]
OPTIONS = [" true", " false", " not at all"]

SIZES = {"vocab_size": 320, "bos_token_id": 0, "eos_token_id": 1}
SHAPE = SIZES | {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
}


def llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**SHAPE))


def mistral() -> Any:
    """Every layer looks back 24 tokens only, fewer than the examples have."""
    from transformers import MistralConfig, MistralForCausalLM

    return MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=24))


def gemma3() -> Any:
    """Layers with a window and without one, norms on queries and keys."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    return Gemma3ForCausalLM(Gemma3TextConfig(**SHAPE, head_dim=8, sliding_window=24, layer_types=kinds))


def qwen3() -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(Qwen3Config(**SHAPE, head_dim=16))


def gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512, "initializer_range": 0.3}
    return GPT2LMHeadModel(GPT2Config(**SIZES, **sizes))


def opt() -> Any:
    from transformers import OPTConfig, OPTForCausalLM

    sizes = {"hidden_size": 32, "word_embed_proj_dim": 32, "ffn_dim": 48, "max_position_embeddings": 512}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 4, "init_std": 0.3}
    return OPTForCausalLM(OPTConfig(**SIZES, **sizes, **layers))


def bloom() -> Any:
    """Positions are a bias on attention, by code of its own."""
    from transformers import BloomConfig, BloomForCausalLM

    return BloomForCausalLM(BloomConfig(**SIZES, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.3))


def gemma2() -> Any:
    """Attention scores are bounded by a tanh."""
    from transformers import Gemma2Config, Gemma2ForCausalLM

    return Gemma2ForCausalLM(Gemma2Config(**SHAPE, head_dim=8, sliding_window=24))


def mamba() -> Any:
    """A state instead of keys and values."""
    from transformers import MambaConfig, MambaForCausalLM

    sizes = {"hidden_size": 32, "state_size": 4, "num_hidden_layers": 2, "initializer_range": 0.3}
    return MambaForCausalLM(MambaConfig(**SIZES, **sizes))


SHARING = [llama, mistral, gemma3, qwen3, gpt2, opt]
NOT_SHARING = [bloom, gemma2, mamba]


Folders = Callable[[Callable[[], Any]], str]


@pytest.fixture(scope="session")
def folder_of(model_folders: Path, save_model: Callable[[Path, Any], Path]) -> Folders:
    """The folder of a model, made when it is first asked for."""
    made: dict[str, Path] = {}

    def folder(build: Callable[[], Any]) -> str:
        name = build.__name__
        if name not in made:
            torch.manual_seed(5)
            made[name] = save_model(model_folders / f"shared-{name}", build())
        return str(made[name])

    return folder


def pair(folder: str, dtype: str = "float32", **options: Any) -> tuple[TransformersLM, TransformersLM]:
    """The model that shares and the one that does not."""
    shares, reads = (TransformersLM.load(folder, device="cpu", dtype=dtype) for _ in range(2))
    return (
        TransformersLM(shares._checkpoint, **options),
        TransformersLM(reads._checkpoint, share_prefixes=False, **options),
    )


def draw(lm: TransformersLM, prompts: list[Prompt] = PROMPTS, **changes: Any) -> list[list[str]]:
    settings: dict[str, Any] = {"max_new_tokens": 24, "temperature": 1.0, "top_p": 1.0, "seed": 7} | changes
    n = settings.pop("n", 3)
    return [[one.text for one in row] for row in lm.sample(prompts, n, SamplingParams(**settings))]


class TokenMeter:
    """Counts the tokens that a model reads, padding included."""

    def __init__(self, lm: TransformersLM, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tokens = 0
        self.rows: list[int] = []
        forward = lm._checkpoint.model.forward

        def counted(*args: Any, input_ids: torch.Tensor, **others: Any) -> Any:
            self.tokens += input_ids.numel()
            self.rows.append(len(input_ids))
            return forward(*args, input_ids=input_ids, **others)

        counted.__wrapped__ = forward  # type: ignore[attr-defined]  # its signature is looked at
        monkeypatch.setattr(lm._checkpoint.model, "forward", counted)

    def taken(self) -> int:
        tokens, self.tokens = self.tokens, 0
        return tokens


@pytest.mark.parametrize("build", SHARING)
def test_shared_examples_change_no_probability_and_no_sample(folder_of: Folders, build: Any) -> None:
    shares, reads = pair(folder_of(build))
    np.testing.assert_allclose(
        shares.choose(PROMPTS, OPTIONS).probabilities, reads.choose(PROMPTS, OPTIONS).probabilities, atol=1e-5
    )
    assert draw(shares) == draw(reads)
    assert draw(shares, temperature=0.0, n=1) == draw(reads, temperature=0.0, n=1)
    assert shares._examples is not None
    assert shares._examples._prefixes is not None


@pytest.mark.parametrize("build", SHARING)
def test_shared_examples_in_half_precision_are_within_rounding(folder_of: Folders, build: Any) -> None:
    shares, reads = pair(folder_of(build), "bfloat16")
    np.testing.assert_allclose(
        shares.choose(PROMPTS, OPTIONS).probabilities, reads.choose(PROMPTS, OPTIONS).probabilities, atol=0.05
    )


@pytest.mark.parametrize("build", NOT_SHARING)
def test_a_model_that_cannot_share_warns_once(
    folder_of: Folders, build: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shares, reads = pair(folder_of(build))
    with caplog.at_level(logging.WARNING):
        first = draw(shares), draw(shares, temperature=0.0), shares.choose(PROMPTS, OPTIONS).probabilities
    (record,) = caplog.records
    assert (record.name, shares.name in record.getMessage()) == ("maieutic.lm.local.prefixes", True)
    assert first[:2] == (draw(reads), draw(reads, temperature=0.0))
    np.testing.assert_allclose(first[2], reads.choose(PROMPTS, OPTIONS).probabilities, atol=1e-5)


@pytest.mark.parametrize("module", ["masking_utils", "integrations.sdpa_attention", "cache_utils"])
def test_without_the_names_of_transformers_a_model_answers_the_same_and_says_once_that_it_does_not_share(
    module: str, folder_of: Folders, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A release of Transformers that has renamed what :mod:`maieutic.checkpoints.internals` imports."""
    _, reads = pair(folder_of(llama))
    expected = draw(reads), draw(reads, temperature=0.0), reads.choose(PROMPTS, OPTIONS)
    plain = builtins.__import__

    def renamed(name: str, context: Any = None, *others: Any) -> Any:
        if name == f"transformers.{module}" and (context or {}).get("__name__") == internals.__name__:
            raise ImportError(f"cannot import name from {name!r}")
        return plain(name, context, *others)

    monkeypatch.setattr(builtins, "__import__", renamed)
    shares, _ = pair(folder_of(llama))
    with caplog.at_level(logging.WARNING):
        answers = draw(shares), draw(shares, temperature=0.0), shares.choose(PROMPTS, OPTIONS)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("maieutic.lm.local.prefixes", logging.WARNING)
    assert answers[:2] == expected[:2]
    np.testing.assert_allclose(answers[2].probabilities, expected[2].probabilities, atol=1e-5)


def test_the_attention_is_registered_when_a_model_is_opened_and_not_before() -> None:
    code = (
        "import maieutic.lm.local.model, transformers; "
        "print('shared_prefix' in transformers.AttentionInterface().valid_keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_attention_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AttentionInterface, AttentionMaskInterface

    for registry in (AttentionInterface, AttentionMaskInterface):
        monkeypatch.setattr(registry, "_global_mapping", dict(registry._global_mapping))
    before = dict(AttentionInterface._global_mapping)
    functions = [lambda plain, number=number: (plain, number) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda function: internals.register_attention("ours", function), functions))
    registered = AttentionInterface._global_mapping["ours"]
    internals.register_attention("ours", functions[0])
    assert AttentionInterface._global_mapping["ours"] is registered
    assert "ours" in AttentionMaskInterface().valid_keys()
    assert {name: AttentionInterface._global_mapping[name] for name in before} == before


def test_examples_are_read_once(folder_of: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    shares, reads = pair(folder_of(llama))
    examples, alone = len("Judge.") + 60, TokenMeter(reads, monkeypatch)
    draw(shares, PROMPTS[:1], max_new_tokens=1)  # the trial and the examples
    read = TokenMeter(shares, monkeypatch)
    for ask in (
        lambda lm: lm.choose(PROMPTS, OPTIONS[:2]),
        lambda lm: draw(lm, max_new_tokens=1, n=1),
    ):
        ask(shares)
        ask(reads)
        assert alone.taken() - read.taken() >= len(PROMPTS) * examples * 0.5


def test_many_samples_of_a_prompt_read_it_once(folder_of: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    shares, _ = pair(folder_of(llama))
    draw(shares, PROMPTS[:1], max_new_tokens=1)
    read = TokenMeter(shares, monkeypatch)
    draw(shares, PROMPTS[:1], n=1, max_new_tokens=1)
    once = read.taken()
    draw(shares, [*PROMPTS[:1], *PROMPTS[:1]], n=20, max_new_tokens=1)
    assert read.taken() == once


def test_finished_texts_leave_the_batch(folder_of: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    shares, _ = pair(folder_of(llama))
    draw(shares, PROMPTS[:1], max_new_tokens=1)
    read = TokenMeter(shares, monkeypatch)
    texts = draw(shares, n=16, max_new_tokens=40)
    assert len({len(text) for row in texts for text in row}) > 1
    assert read.rows[1] == 16 * len(PROMPTS)
    assert read.rows == [read.rows[0], *sorted(read.rows[1:], reverse=True)]
    assert read.rows[-1] < read.rows[1]


def test_the_store_of_examples_is_bounded_and_the_oldest_go_first(folder_of: Folders) -> None:
    checkpoint = TransformersLM.load(folder_of(llama), device="cpu", dtype="float32")._checkpoint
    store = Prefixes.open(checkpoint)
    assert store is not None
    size = store.get((2, 3, 4)).bytes
    store = Prefixes(checkpoint, most_bytes=2 * size)
    first, second = store.get((2, 3, 4)), store.get((5, 6, 7))
    assert store.get((2, 3, 4)) is first
    store.get((8, 9, 10))  # 5, 6, 7 was used longest ago
    assert store.get((2, 3, 4)) is first
    assert store.get((5, 6, 7)) is not second
    assert store.get(tuple(range(2, 100))).bytes > 2 * size  # kept alone
    assert store.get((2, 3, 4)) is not first


def exhausted_above(lm: TransformersLM, rows: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the model's memory hold a number of rows; returns the rows of the calls that it refused."""
    refused: list[int] = []
    forward = lm._checkpoint.model.forward

    def limited(*args: Any, input_ids: torch.Tensor, **others: Any) -> Any:
        if len(input_ids) > rows:
            refused.append(len(input_ids))
            raise torch.OutOfMemoryError("17 GiB")
        return forward(*args, input_ids=input_ids, **others)

    limited.__wrapped__ = forward  # type: ignore[attr-defined]
    monkeypatch.setattr(lm._checkpoint.model, "forward", limited)
    return refused


def test_exhausted_memory_halves_the_batches_and_loses_nothing(
    folder_of: Folders, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lm, other = pair(folder_of(llama))
    expected = draw(other, n=8), other.choose(PROMPTS, OPTIONS).probabilities
    draw(lm, PROMPTS[:1], max_new_tokens=1)
    refused = exhausted_above(lm, 3, monkeypatch)
    assert draw(lm, n=8) == expected[0]
    count = len(refused)
    assert count > 0
    assert {record.name for record in caplog.records} == {"maieutic.checkpoints.memory"}
    assert all(lm.name in message for message in caplog.messages)
    np.testing.assert_allclose(lm.choose(PROMPTS, OPTIONS).probabilities, expected[1], atol=1e-5)
    assert draw(lm, n=8) == expected[0]
    assert len(refused) <= count + 1  # the smaller budget is kept


def test_one_text_that_exhausts_the_memory_is_an_error(
    folder_of: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm, _ = pair(folder_of(llama))
    draw(lm, PROMPTS[:1], max_new_tokens=1)
    exhausted_above(lm, 0, monkeypatch)
    with pytest.raises(ModelError) as error:
        draw(lm)
    assert error.value.subject == lm.name
    with pytest.raises(ModelError) as error:
        lm.choose(PROMPTS, OPTIONS)
    assert error.value.subject == lm.name


def test_an_empty_query_shares_no_more_than_leaves_something_to_read(folder_of: Folders) -> None:
    shares, reads = pair(folder_of(llama))
    bare = [Prompt("text", "Judge.", SHOTS, "", "")]
    np.testing.assert_allclose(
        shares.choose(bare, OPTIONS).probabilities, reads.choose(bare, OPTIONS).probabilities, atol=1e-5
    )
    assert draw(shares, bare) == draw(reads, bare)
