from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maieutic.errors import ModelError
from maieutic.lm.base import Prompt, SamplingParams
from maieutic.lm.local.checks import Batches
from maieutic.lm.local.windows import LONGEST_WINDOW, trial_length
from tests.conftest import byte_level_tokenizer, llama, save
from tests.lm.chains import load

PROMPTS = [
    Prompt("text", "", (), query, "A:")
    for query in ("Q: Ice?", "Q: Is a whale that swims near the coast a fish?", "Q: So?")
]
OPTIONS = [" true", " false"]


def test_a_model_that_computes_nan_is_refused(tmp_path: Path) -> None:
    model = llama(seed=5)
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight[3, 4] = torch.nan
    lm = load(save(tmp_path / "weights", model, byte_level_tokenizer()))
    for ask in (lambda: lm.choose(PROMPTS, OPTIONS), lambda: lm.sample(PROMPTS, 1, SamplingParams(2))):
        with pytest.raises(ModelError) as caught:
            ask()
        assert caught.value.subject == lm.name


def test_logits_that_overflow_are_refused(tmp_path: Path) -> None:
    model = llama(seed=5)
    with torch.no_grad():
        model.lm_head.weight.mul_(3e38)  # finite, unlike their sums
    with pytest.raises(ModelError):
        load(save(tmp_path / "model", model, byte_level_tokenizer())).choose(PROMPTS, OPTIONS)


def test_prompts_of_equal_length_share_a_batch_where_padding_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from transformers import AutoModelForCausalLM, RwkvConfig

    torch.manual_seed(3)
    config = RwkvConfig(
        vocab_size=320, hidden_size=32, attention_hidden_size=32, num_hidden_layers=2, context_length=512
    )
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() >= 2:
                weight.normal_(0, 0.3)
    lm = load(save(tmp_path / "model", model, byte_level_tokenizer()))
    together = lm.choose(PROMPTS, OPTIONS).probabilities
    alone = np.concatenate([lm.choose([prompt], OPTIONS).probabilities for prompt in PROMPTS])
    np.testing.assert_allclose(together, alone, rtol=1e-4)
    params = SamplingParams(6, 1.0, seed=2)
    assert [[one.text for one in row] for row in lm.sample(PROMPTS, 2, params)] == [
        [one.text for one in lm.sample([prompt], 2, params)[0]] for prompt in PROMPTS
    ]
    assert lm._checked[1] is Batches.EQUAL
    assert len(caplog.messages) == 1


def test_models_that_mask_padding_share_all_batches(lm_folder: Path) -> None:
    assert load(lm_folder)._checked[1] is Batches.ALL


@pytest.mark.parametrize(("window", "length"), [(8, 24), (100, 108), (LONGEST_WINDOW + 1, 24)])
def test_the_trial_reaches_beyond_sliding_windows(window: int, length: int) -> None:
    model: Any = llama(seed=1)
    assert trial_length(model, None) == 24
    model.model.layers[1].self_attn.window_size = window  # known to the layer alone
    assert trial_length(model, None) == length
    assert trial_length(model, 64) == min(length, 64)
    other = llama(seed=1)
    other.config.sliding_window = window
    assert trial_length(other, None) == length


def test_options_that_the_tokenizer_cannot_write_are_refused(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: place for place, word in enumerate(["[UNK]", "Q:", "A:", "ice", "true"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")
    lm = load(save(tmp_path / "model", llama(seed=5), wrapped))
    prompt = Prompt("text", "", (), "Q: ice", "A:")
    assert lm.choose([prompt], [" true", " ice"]).probabilities.shape == (1, 2)
    for options in ([" true", " false"], [" true", " true "]):
        with pytest.raises(ModelError) as caught:
            lm.choose([prompt], options)
        assert caught.value.subject == lm.name


def hidden_states(lm: Any, prompt: Prompt) -> torch.Tensor:
    """The last hidden state after a prompt, as the output layer gets it; (width,)."""
    (tokens,) = lm._vocabulary.encode([prompt], lm._vocabulary.render([prompt]))
    kept: list[torch.Tensor] = []
    layer = lm._model.get_output_embeddings()
    handle = layer.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    with torch.inference_mode():
        lm._model(input_ids=torch.tensor([tokens]))
    handle.remove()
    return kept[0][0, -1]


@pytest.mark.parametrize("softcap", [None, 5.0])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_output_layer_is_computed_in_float32(dtype: str, softcap: float | None, tmp_path: Path) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(7)
    if softcap is None:
        model: Any = llama(seed=7)
    else:
        model = Gemma2ForCausalLM(
            Gemma2Config(
                vocab_size=320,
                hidden_size=32,
                intermediate_size=48,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                head_dim=8,
                max_position_embeddings=96,
                final_logit_softcapping=softcap,
                initializer_range=0.3,
                bos_token_id=0,
                eos_token_id=1,
                pad_token_id=1,
            )
        )
    lm = load(save(tmp_path / "model", model, byte_level_tokenizer()), dtype)
    prompt = PROMPTS[0]
    hidden = hidden_states(lm, prompt).float()
    logits = lm._model.get_output_embeddings().weight.detach().float() @ hidden
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    options = [chr(code) for code in range(ord("a"), ord("z"))]
    ids = [lm._vocabulary.encode([prompt], [prompt.text() + option])[0][-1] for option in options]
    chosen = lm.choose([prompt], options).probabilities[0]
    exact = logits.log_softmax(-1)[ids].exp().numpy()
    np.testing.assert_allclose(chosen, exact, rtol=1e-5)
    (tokens,) = lm._vocabulary.encode([prompt], [prompt.text()])
    values = lm._decoder.log_probabilities([tokens], 1, None)[0, 0].tolist()
    rounded = logits.to(lm._checkpoint.dtype).tolist()
    assert len(set(values)) > len(set(rounded))  # ties come from rounding


def test_an_output_layer_of_another_kind_is_left_alone(
    llama_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrapped(torch.nn.Module):
        def __init__(self, inner: torch.nn.Module) -> None:
            super().__init__()
            self.inner = inner
            self.weight = inner.weight

        def forward(self, hidden: torch.Tensor) -> Any:
            return self.inner(hidden)

    lm = load(llama_folder, "bfloat16")
    lm._model.set_output_embeddings(Wrapped(lm._model.get_output_embeddings()))
    assert (lm.choose(PROMPTS, OPTIONS).probabilities > 0).all()
    assert len(caplog.messages) == 1


def test_the_bundled_model_passes_in_no_time(caplog: pytest.LogCaptureFixture) -> None:
    lm = load(Path("agora"))
    lm.choose(PROMPTS, [" true", " false"])
    del lm._checked
    start = time.perf_counter()
    assert lm._checked[1] is Batches.ALL
    assert time.perf_counter() - start < 1
    assert not caplog.messages
