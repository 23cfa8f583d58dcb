"""Tiny models with random weights, saved as folders once per run; they know nothing but run fast."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings

from maieutic.checkpoints.process import prepare_process

# A slow machine is no failure.
settings.register_profile("maieutic", deadline=None)
settings.load_profile("maieutic")

Run = Callable[..., "CompletedProcess[str]"]

# Help pages look the same in every environment: CI services make typer colour them.
for variable in ("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"):
    os.environ.pop(variable, None)
os.environ["COLUMNS"] = "100"

prepare_process()  # as the program does

# Text for the byte-level tokenizers to learn a few merges from.
CORPUS = (
    "Q: The sky is blue?\nA: true\n\nQ: Ice is hot?\nA: false\n\n"
    "Therefore, the statement is true. Therefore, the statement is false.\n"
    "entailment neutral contradiction yes no\n"
)

# The opening turns of a chat, in the style of ChatML; trims as many real templates do.
CHAT_TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

WORDS = ["the", "a", "sky", "is", "blue", "red", "not", "dog", "cat", "sleeps", "animal", "rests"]


def byte_level_tokenizer(chat_template: str | None = None) -> Any:
    """A byte-level BPE tokenizer that opens every text with <s>; newlines are tokens of their own."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([CORPUS], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 0)]
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", model_max_length=10**30
    )
    wrapped.chat_template = chat_template
    return wrapped


def save(folder: Path, model: Any, tokenizer: Any) -> Path:
    """Write a model folder as save_pretrained does."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def save_model() -> Callable[[Path, Any], Path]:
    """Writes a language model with the byte-level tokenizer: ``save_model(folder, model)``."""
    return lambda folder, model: save(folder, model, byte_level_tokenizer())


def llama(seed: int) -> Any:
    """A Llama-shaped model: rotary positions, two query heads to a key head, 96 tokens."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=96,
        bos_token_id=0,
        eos_token_id=1,
        initializer_range=0.3,
    )
    return LlamaForCausalLM(config)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test answers from what was kept before, or leaves anything in the user's cache folder."""
    folder = tmp_path_factory.getbasetemp() / "caches" / uuid4().hex
    with pytest.MonkeyPatch.context() as patch:  # of its own: a test may undo all that it patched
        patch.setenv("MAIEUTIC_CACHE_DIR", str(folder))
        yield


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program in this process: ``run(*arguments, stdin=b"")``; None is a closed standard input."""
    from typer import rich_utils

    from maieutic.cli.main import main

    monkeypatch.setattr(rich_utils, "FORCE_TERMINAL", False)  # typer colours its help where CI runs
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path, stdin: bytes | None = b"") -> CompletedProcess[str]:
        lines = None if stdin is None else io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["maieutic", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", lines)
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return CompletedProcess(sys.argv, ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def model_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's tiny models are kept."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def llama_folder(model_folders: Path) -> Path:
    """A Llama-shaped language model without a chat template."""
    model = llama(seed=1)
    # What a careless checkpoint brings along; none of it may reach a draw.
    model.generation_config.update(do_sample=True, temperature=0.1, repetition_penalty=3.0)
    return save(model_folders / "llama", model, byte_level_tokenizer())


@pytest.fixture(scope="session")
def wide_folder(llama_folder: Path, model_folders: Path) -> Path:
    """The Llama-shaped model with a window that holds the few-shot prompts."""
    folder = shutil.copytree(llama_folder, model_folders / "wide")
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = 4096
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="session")
def chat_folder(model_folders: Path) -> Path:
    """A Llama-shaped language model with a chat template."""
    return save(model_folders / "chat", llama(seed=2), byte_level_tokenizer(CHAT_TEMPLATE))


@pytest.fixture(scope="session")
def gpt2_folder(model_folders: Path) -> Path:
    """A GPT-2-shaped language model: learned positions, tied embeddings, 96 tokens."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(3)
    config = GPT2Config(
        vocab_size=320,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=96,
        bos_token_id=0,
        eos_token_id=1,
        initializer_range=0.3,
    )
    return save(model_folders / "gpt2", GPT2LMHeadModel(config), byte_level_tokenizer())


@pytest.fixture(scope="session", params=["llama", "gpt2"])
def lm_folder(request: pytest.FixtureRequest) -> Path:
    """Each language model in turn."""
    folder: Path = request.getfixturevalue(f"{request.param}_folder")
    return folder


def bert_tokenizer() -> Any:
    """A word-level WordPiece tokenizer for WORDS."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    vocabulary = {word: index for index, word in enumerate(entries)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=48,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def bert(labels: list[str]) -> Any:
    """A BERT-shaped classifier with these labels; the same weights for the same number of labels."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(4)
    config = BertConfig(
        vocab_size=4 + len(WORDS),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=48,
        pad_token_id=0,
        initializer_range=0.3,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    return BertForSequenceClassification(config)


@pytest.fixture(scope="session")
def nli_folder(model_folders: Path) -> Path:
    """A BERT-shaped verifier with the three labels, in an order of its own."""
    labels = ["ENTAILMENT", "Neutral", "contradiction"]
    return save(model_folders / "nli", bert(labels), bert_tokenizer())


@pytest.fixture(scope="session")
def binary_nli_folder(model_folders: Path) -> Path:
    """A BERT-shaped verifier that only knows entailment and its absence."""
    labels = ["entailment", "not_entailment"]
    return save(model_folders / "binary-nli", bert(labels), bert_tokenizer())
