"""The bundled models in plain PyTorch compute what Transformers computes of the same folders."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
import torch
from torch.testing import assert_close
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DynamicCache,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from maieutic.bundled import BundledModel, bundled_folder
from maieutic.bundled.opening import open_bundled
from maieutic.lm.base import Prompt, SamplingParams, Shot
from maieutic.lm.local.decoding import adjusted
from maieutic.lm.local.model import TransformersLM
from maieutic.nli.local import TransformersVerifier

OPENERS: dict[BundledModel, Any] = {
    "agora-lm": AutoModelForCausalLM,
    "agora-nli": AutoModelForSequenceClassification,
}
DTYPES = [torch.float32, torch.bfloat16]
UNUSED = {"transformers", "huggingface_hub", "scipy", "sympy", "pandas", "networkx", "matplotlib"}
TEXTS = ["Q: Can a penguin fly?\nA: ", "", "  A whale\tswims. ", "Über 9 wales<s>", "</s>[CLS] é"]


@cache
def theirs(name: BundledModel, dtype: torch.dtype) -> Any:
    return OPENERS[name].from_pretrained(bundled_folder(name), dtype=dtype).eval()


@cache
def ours(name: BundledModel, dtype: torch.dtype) -> Any:
    return open_bundled(name, dtype)[0]


def batch(rows: int, tokens: int, *, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Random tokens, and a mask with up to half of each row as padding on one side; the last row has none."""
    draw = torch.Generator().manual_seed(rows * tokens)
    ids = torch.randint(4, 2800, (rows, tokens), generator=draw)
    lengths = torch.randint(tokens // 2, tokens, (rows, 1), generator=draw)
    lengths[-1] = tokens
    places = torch.arange(tokens)
    mask = places >= tokens - lengths if left else places < lengths
    return ids, mask.long()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("rows", "tokens"), [(1, 9), (5, 31)])
def test_logits_of_the_language_model_are_the_same(dtype: torch.dtype, rows: int, tokens: int) -> None:
    ids, mask = batch(rows, tokens, left=True)
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    given = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    with torch.inference_mode():
        assert_close(ours("agora-lm", dtype)(**given).logits, theirs("agora-lm", dtype)(**given).logits)
        for model in (ours, theirs):
            last = model("agora-lm", dtype)(**given, logits_to_keep=2).logits
            assert_close(last, model("agora-lm", dtype)(**given).logits[:, -2:])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_logits_after_a_cache_are_the_same(dtype: torch.dtype) -> None:
    ids, mask = batch(4, 24, left=True)
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    one, other = ours("agora-lm", dtype), theirs("agora-lm", dtype)
    caches = one.new_cache(), DynamicCache(config=other.config)
    rows = torch.arange(4)
    with torch.inference_mode():
        for start, end in ((0, 20), (20, 21), (21, 24)):  # a prompt, a token, several tokens
            part = {
                "input_ids": ids[rows, start:end],
                "attention_mask": mask[rows, :end],
                "position_ids": positions[rows, start:end],
                "use_cache": True,
            }
            logits = [
                model(**part, past_key_values=kept).logits
                for model, kept in zip((one, other), caches, strict=True)
            ]
            assert_close(*logits)
            if end == 21:
                rows = torch.tensor([2, 0, 0])
                for kept in caches:
                    kept.batch_select_indices(rows)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("rows", "tokens"), [(1, 9), (40, 31)])
def test_logits_of_the_verifier_are_the_same(dtype: torch.dtype, rows: int, tokens: int) -> None:
    ids, mask = batch(rows, tokens, left=False)
    with torch.inference_mode():
        logits = [
            model("agora-nli", dtype)(input_ids=ids, attention_mask=mask).logits for model in (ours, theirs)
        ]
    assert_close(*logits)


@pytest.mark.parametrize("name", OPENERS)
def test_the_tokenizer_is_the_same(name: BundledModel) -> None:
    _, mine = open_bundled(name, torch.float32)
    other = AutoTokenizer.from_pretrained(bundled_folder(name))
    assert len(mine) == len(other)
    assert mine.model_max_length == other.model_max_length
    assert (mine.eos_token_id, mine.pad_token_id) == (other.eos_token_id, other.pad_token_id)
    assert set(mine.all_special_ids) == set(other.all_special_ids)
    assert set(mine.added_tokens_decoder) == set(other.added_tokens_decoder)
    assert bool(mine.chat_template) == bool(other.chat_template)
    for special in (True, False):
        rows = mine(TEXTS, add_special_tokens=special)["input_ids"]
        assert rows == other(TEXTS, add_special_tokens=special)["input_ids"]
        assert mine(TEXTS[0], add_special_tokens=special)["input_ids"] == rows[0]
        for row in rows:
            for skip in (True, False):
                assert mine.decode(row, skip_special_tokens=skip) == other.decode(
                    row, skip_special_tokens=skip
                )
    pairs = dict(other(TEXTS, TEXTS[::-1]))
    assert {name: pairs[name] for name in ("input_ids", "attention_mask")} == mine(TEXTS, TEXTS[::-1])


def test_a_model_by_name_answers_like_its_folder() -> None:
    words = ("dog", "cat", "stone", "whale")
    shots = tuple(Shot(f"Q: Is a {word} an animal?", "A: True") for word in words)
    prompts = [
        Prompt("text", "", shots, f"Q: Can a {word} swim?", "A:") for word in ("penguin", "brick", "bird")
    ]
    lms = [TransformersLM.load(name) for name in ("agora", str(bundled_folder("agora-lm")))]
    for params in (SamplingParams(12), SamplingParams(12, temperature=0.8, top_p=0.9, seed=3)):
        texts = [lm.sample(prompts, 2, params) for lm in lms]
        assert texts[0] == texts[1]
    scores = [lm.choose(prompts, [" True", " False"]).probabilities for lm in lms]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    pairs = [("A penguin is a bird.", "A penguin can fly."), ("It rains.", "It does not rain.")]
    rows = [
        TransformersVerifier.load(name).predict(pairs) for name in ("agora", str(bundled_folder("agora-nli")))
    ]
    assert rows[0] == pytest.approx(rows[1], abs=1e-6)


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.7, 0.9), (2.0, 0.01), (1.3, 0.5)])
def test_temperature_and_nucleus_are_those_of_transformers(temperature: float, top_p: float) -> None:
    logits = 3 * torch.randn(20, 50, generator=torch.Generator().manual_seed(1))
    expected = TemperatureLogitsWarper(temperature)(None, logits)
    expected = TopPLogitsWarper(top_p)(None, expected) if top_p < 1 else expected
    assert torch.equal(adjusted(logits, SamplingParams(1, temperature=temperature, top_p=top_p)), expected)


def test_asking_the_bundled_models_imports_no_transformers_and_leaves_random_state_alone() -> None:
    code = """
import json, sys, torch
before = torch.random.get_rng_state()
from maieutic import Maieutic
answer = Maieutic.load().ask("Can a penguin fly?")
assert torch.equal(before, torch.random.get_rng_state())
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "torch" in modules
    assert not modules & UNUSED
