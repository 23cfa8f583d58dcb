"""The initial batch size by free memory; the tests of the models cover running out of memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, LlamaConfig, MambaConfig

from maieutic.checkpoints import memory
from maieutic.checkpoints.memory import LEAST_TOKENS, SHARE, bytes_per_token, fitting_tokens, free_memory
from maieutic.lm.local.model import BATCH_TOKENS, TransformersLM


@given(most=st.integers(1, 10**6), each=st.integers(0, 10**7), free=st.integers(0, 10**12))
def test_a_batch_takes_no_more_than_its_share_and_no_less_than_an_attempt(
    most: int, each: int, free: int
) -> None:
    tokens = fitting_tokens(most, each, free)
    assert min(most, LEAST_TOKENS) <= tokens <= most
    if tokens > LEAST_TOKENS:
        assert tokens * each <= SHARE * free
    assert fitting_tokens(most, each, None) == most


def test_keys_and_values_of_every_layer_are_counted() -> None:
    config = LlamaConfig(
        hidden_size=64,
        intermediate_size=100,
        num_hidden_layers=3,
        num_attention_heads=8,
        num_key_value_heads=2,
        head_dim=16,
    )
    cached, working = 2 * 3 * 2 * 16, 8 * 64 + 3 * 100
    assert bytes_per_token(config, torch.bfloat16) == 2 * (cached + working)
    assert bytes_per_token(config, torch.float32) == 4 * (cached + working)


@pytest.mark.parametrize("config", [BertConfig(), MambaConfig()])
def test_a_model_of_another_kind_counts_for_something(config: object) -> None:
    assert bytes_per_token(config, torch.float32) > 0


def test_what_is_free_is_read_from_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:  100 kB\nMemAvailable:   40 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", file)
    assert free_memory(torch.device("cpu")) == 40 * 1024
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "none")
    assert free_memory(torch.device("cpu")) is None


def test_a_model_with_little_room_takes_small_batches_unless_told(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = TransformersLM.load(str(llama_folder))
    assert roomy._budget.tokens == BATCH_TOKENS["cpu"]
    monkeypatch.setattr(memory, "free_memory", lambda _: 1)
    tight = TransformersLM.load(str(llama_folder))
    assert tight._budget.tokens == LEAST_TOKENS
    assert TransformersLM(tight._checkpoint, batch_tokens=4096)._budget.tokens == 4096
