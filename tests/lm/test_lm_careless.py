"""Small checkpoints with careless settings: a right answer or one error, never anything else."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import torch
import transformers
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from maieutic.errors import MaieuticError, ModelError
from maieutic.lm.base import Prompt, SamplingParams, Shot
from maieutic.lm.local.model import TransformersLM

SIZE = 320  # of the vocabulary
SMALL = {"vocab_size": SIZE, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
ROTARY = SMALL | {"intermediate_size": 48, "num_key_value_heads": 2, "max_position_embeddings": 512}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": ROTARY,
    "mistral": ROTARY | {"sliding_window": 16},
    "qwen3": ROTARY | {"head_dim": 8},
    "gemma3_text": ROTARY | {"head_dim": 8, "sliding_window": 16},
    "gpt2": {"vocab_size": SIZE, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512},
    "opt": SMALL | {"ffn_dim": 48, "max_position_embeddings": 512, "word_embed_proj_dim": 32},
    "bloom": {"vocab_size": SIZE, "hidden_size": 32, "n_layer": 2, "n_head": 4},
    "gpt_neox": SMALL | {"intermediate_size": 48, "max_position_embeddings": 512},
    "mamba": {"vocab_size": SIZE, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
    "rwkv": {"vocab_size": SIZE, "hidden_size": 32, "num_hidden_layers": 2, "context_length": 512},
    "openai-gpt": {"vocab_size": SIZE, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512},
}
GOOD = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"
TEMPLATES = [
    None,
    "",
    GOOD,
    "{{ bos_token }}" + GOOD,
    "{{ eos_token + none }}" + GOOD,
    "{{ raise_exception('no') }}",
    "{% for m in messages %}",
    "{{ messages[0]['role'] }}",
    "{{ messages[0]['content'][0]['text'] }}",
]
IDS = [-1, -100, 0, 1, SIZE - 1, SIZE, 10**6, None]
TOKEN_IDS = [*IDS, [], [0, 1], [-1, SIZE], "1", 1.5]
PROMPTS = [
    Prompt("text", "", (), "Q: Is ice cold?", "A:"),
    Prompt("text", "", (), "Q: Is a statement that is longer than it is deep still a statement?", "A:"),
    Prompt("chat", "Be brief.", (Shot("Is snow warm?", "No."),), "Is ice cold?", "It is"),
]
OPTIONS = [" true", " not at all"]

CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "pad_token_id": st.sampled_from(IDS),
        "eos_token_id": st.sampled_from(TOKEN_IDS),
        "bos_token_id": st.sampled_from(IDS),
        "architectures": st.sampled_from([None, [], ["NobodyForCausalLM"]]),
        "prompt_set": st.sampled_from(["paper", "chat", 7]),
        "tie_word_embeddings": st.booleans(),
        "dtype": st.sampled_from(["float16", "float1"]),
    },
)
GENERATION = st.fixed_dictionaries(
    {},
    optional={
        "pad_token_id": st.sampled_from(IDS),
        "eos_token_id": st.sampled_from(TOKEN_IDS),
        "temperature": st.sampled_from([0.0, -1.0, 5.0]),
        "max_length": st.sampled_from([0, 3]),
        "forced_bos_token_id": st.sampled_from(IDS),
    },
)
TOKENIZER = st.fixed_dictionaries(
    {},
    optional={
        "pad_token": st.sampled_from(["<s>", "</s>", "[PAD]", None]),
        "eos_token": st.sampled_from(["</s>", "<end>", None]),
        "bos_token": st.sampled_from(["<s>", "<begin>", None]),
        "padding_side": st.sampled_from(["left", "right"]),
        "model_max_length": st.sampled_from([4, 10**30, -1]),
        "add_bos_token": st.booleans(),
        "add_eos_token": st.booleans(),
        "model_input_names": st.just(["input_ids", "token_type_ids", "attention_mask"]),
        "tokenizer_class": st.sampled_from(["PreTrainedTokenizerFast", "NoSuchTokenizer"]),
    },
)


@pytest.fixture(scope="module")
def bases(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each family that this release of Transformers has."""
    tokenizer = AutoTokenizer.from_pretrained(llama_folder)
    root, folders = tmp_path_factory.mktemp("careless"), {}
    for number, (family, sizes) in enumerate(FAMILIES.items()):
        with suppress(ValueError):  # a family that is not known
            torch.manual_seed(number)
            config = AutoConfig.for_model(family, **sizes, bos_token_id=0, eos_token_id=1, pad_token_id=None)
            AutoModelForCausalLM.from_config(config).save_pretrained(root / family)
            tokenizer.save_pretrained(root / family)
            folders[family] = root / family
    return folders


def update(path: Path, changes: dict[str, Any]) -> None:
    fields = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(fields | changes))


@pytest.fixture(scope="module")
def counts() -> Iterator[Counter[str]]:
    tally: Counter[str] = Counter()
    yield tally
    print(f"\ncareless checkpoints: {dict(tally)}")  # noqa: T201 - shown by pytest -s


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    family=st.sampled_from(sorted(FAMILIES)),
    config=CONFIG,
    generation=GENERATION,
    tokenizer=TOKENIZER,
    template=st.sampled_from(TEMPLATES),
    prompts=st.lists(st.sampled_from(PROMPTS), min_size=1, max_size=3, unique=True),
)
def test_a_careless_checkpoint_gives_an_answer_or_one_error(
    bases: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    counts: Counter[str],
    family: str,
    config: dict[str, Any],
    generation: dict[str, Any],
    tokenizer: dict[str, Any],
    template: str | None,
    prompts: list[Prompt],
) -> None:
    if family not in bases:
        return
    folder = shutil.copytree(bases[family], tmp_path_factory.getbasetemp() / uuid4().hex)
    try:
        update(folder / "config.json", config)
        update(folder / "generation_config.json", generation)
        update(folder / "tokenizer_config.json", tokenizer)
        if template is not None:
            (folder / "chat_template.jinja").write_text(template)
        counts["built"] += 1
        try:
            answer(folder, prompts)
        except MaieuticError as error:
            assert (error.exit_code, "\n" in str(error)) == (2, False)
            counts["refused"] += 1
            event("refused")
        else:
            counts["answered"] += 1
            event("answered")
    finally:
        shutil.rmtree(folder)


def answer(folder: Path, prompts: list[Prompt]) -> None:
    """One ``choose`` and one ``sample``: numbers in range, the same for a prompt alone and in company."""
    lm = TransformersLM.load(str(folder), device="cpu", dtype="float32")
    chosen = lm.choose(prompts, OPTIONS).probabilities
    assert np.isfinite(chosen).all()
    assert ((chosen >= 0) & (chosen <= 1)).all()
    alone = np.concatenate([lm.choose([prompt], OPTIONS).probabilities for prompt in prompts])
    np.testing.assert_allclose(chosen, alone, rtol=1e-3)
    params = SamplingParams(5, 1.0, 0.9, seed=3)
    texts = [[one.text for one in row] for row in lm.sample(prompts, 2, params)]
    assert texts == [[one.text for one in lm.sample([prompt], 2, params)[0]] for prompt in prompts]


@pytest.mark.parametrize("family", ["gpt2", "bloom"])
def test_weights_that_are_no_numbers_are_one_error(
    bases: dict[str, Path], tmp_path: Path, family: str
) -> None:
    model = AutoModelForCausalLM.from_pretrained(bases[family])
    with torch.no_grad():
        model.get_input_embeddings().weight.fill_(torch.nan)
    folder = shutil.copytree(bases[family], tmp_path / "model")
    model.save_pretrained(folder)
    lm = TransformersLM.load(str(folder), device="cpu", dtype="float32")
    for greedy in (0.0, 1.0):
        with pytest.raises(ModelError) as drawn:
            lm.sample(PROMPTS[:1], 1, SamplingParams(3, greedy))
        assert drawn.value.subject == str(folder)
    with pytest.raises(ModelError) as chosen:
        lm.choose(PROMPTS[:1], OPTIONS)
    assert chosen.value.subject == str(folder)


@pytest.mark.parametrize("ends", [-1, [SIZE, -1], 10**6])
def test_an_end_beyond_the_vocabulary_is_never_drawn(
    bases: dict[str, Path], tmp_path: Path, ends: Any
) -> None:
    folder = shutil.copytree(bases["llama"], tmp_path / "model")
    update(folder / "generation_config.json", {"eos_token_id": ends})
    lm = TransformersLM.load(str(folder), device="cpu", dtype="float32")
    assert all(0 <= end < lm._vocabulary.size for end in lm._vocabulary.ends)
    assert lm.sample(PROMPTS[:2], 1, SamplingParams(8))


def test_families_of_every_kind_are_there(bases: dict[str, Path]) -> None:
    assert len(bases) >= 8, transformers.__version__
