"""Language models whose next token depends on the last one only, so that what they say is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from maieutic.lm.local.model import TransformersLM

SPECIAL = ["<s>", "</s>", "<|user|>", "<|assistant|>", "<|eot|>", "<think>", "</think>"]
TURNS = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}{% elif m.role == 'user' %}"
    "<|user|>{{ m.content }}{% else %}<|assistant|>{{ m.content }}</s>{% endif %}{% endfor %}"
)
OPEN = "{% if add_generation_prompt %}<|assistant|>{% endif %}"
THINKING = TURNS + "{% if add_generation_prompt %}<|assistant|><think>{% endif %}"


def tokenizer_of(template: str, special: Sequence[str] = SPECIAL) -> Any:
    """A tokenizer of bytes and special tokens, with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + len(special),
        special_tokens=list(special),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator([""], trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    wrapped.chat_template = template or None
    return wrapped


def save_chain(folder: Path, tokenizer: Any, said: str, window: int = 4096, **settings: Any) -> Path:
    """Write a model that goes through the tokens of ``said``, each of which occurs once.

    Its embeddings are the unit vectors and its one layer adds nothing.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    size = -(-len(tokenizer) // 4) * 4  # rotary positions need heads of even width
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=size,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=window,
        bos_token_id=0,
        **{"eos_token_id": 1, "tie_word_embeddings": False} | settings,
    )
    model = LlamaForCausalLM(config)
    tokens = tokenizer(said, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        model.model.layers[0].self_attn.o_proj.weight.zero_()
        model.model.layers[0].mlp.down_proj.weight.zero_()
        model.lm_head.weight.zero_()
        for last, following in pairwise(tokens):
            model.lm_head.weight[following, last] = 1.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def load(folder: Path, dtype: str = "float32", **options: Any) -> TransformersLM:
    return TransformersLM.load(str(folder), device="cpu", dtype=dtype, **options)
