"""The tokenizer, the untrained network and the loss of small language models of agora-lm's shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from maieutic.training.loop import Batches

__all__ = ["LM_WINDOW", "UNLEARNED", "causal_loss", "lm_loss", "lm_tokenizer", "new_lm", "packed_batches"]

BOS, EOS = "<s>", "</s>"
LM_VOCABULARY = 4352
LM_WINDOW = 256
ANSWER_WEIGHT = 5.0
UNLEARNED = -100  # label that the loss ignores


def lm_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer, which covers all characters and begins every text with ``<s>``."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=LM_VOCABULARY,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, pad_token=EOS, model_max_length=LM_WINDOW
    )


def new_lm(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """The untrained language model: Llama architecture, 4 million parameters, 8 MB in bfloat16."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=704,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=LM_WINDOW,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        prompt_set="agora",  # the prompt set that maieutic uses for it
    )
    return LlamaForCausalLM(config)


def lm_loss(
    model: LlamaForCausalLM, batch: dict[str, torch.Tensor], answers: Sequence[int] = ()
) -> torch.Tensor:
    """The cross-entropy loss, with logits (a fifth of the work) only for labelled tokens.

    Args:
        answers: the tokens of verdicts, which count ``ANSWER_WEIGHT`` times: a direct answer is one token.
    """
    hidden = model.model(input_ids=batch["input_ids"]).last_hidden_state[:, :-1]
    targets = batch["labels"][:, 1:]
    learned = targets != UNLEARNED
    return _weighed_loss(model.lm_head(hidden[learned]), targets[learned], answers)


def causal_loss(model: Any, batch: dict[str, torch.Tensor], answers: Sequence[int] = ()) -> torch.Tensor:
    """The same of any causal language model of Transformers, which computes the logits of all tokens."""
    targets = batch["labels"][:, 1:]
    learned = targets != UNLEARNED
    logits = model(input_ids=batch["input_ids"]).logits[:, :-1]
    return _weighed_loss(logits[learned], targets[learned], answers)


def _weighed_loss(logits: torch.Tensor, targets: torch.Tensor, answers: Sequence[int]) -> torch.Tensor:
    """The mean cross-entropy over (tokens, classes), in which tokens of verdicts count more.

    The logits are those of labelled tokens only.
    """
    losses = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")
    verdicts = torch.isin(targets, torch.tensor(answers, device=targets.device))
    weights = 1.0 + (ANSWER_WEIGHT - 1.0) * verdicts
    return (losses * weights).sum() / weights.sum()


def packed_batches(
    documents: Callable[[int], Iterator[tuple[str, str]]],
    tokenizer: PreTrainedTokenizerFast,
    rows: int,
    row_tokens: int,
) -> Batches:
    """Batches of shape (rows, row_tokens), filled with consecutive documents.

    The labels cover replies only: a prompt may contain a false statement, which must not be learned.

    Args:
        documents: step → an endless stream of prompts, "" for none, with their replies.
    """
    newline = tokenizer("\n", add_special_tokens=False)["input_ids"]

    def tokens(step: int) -> Iterator[tuple[int, int]]:
        """Yield (token, label)."""
        stream = documents(step)
        while True:
            some = list(islice(stream, 256))
            whole = tokenizer([f"{prompt} {reply}".strip() for prompt, reply in some])["input_ids"]
            prompts = tokenizer([prompt for prompt, _ in some])["input_ids"]
            for (prompt, _), ids, read in zip(some, whole, prompts, strict=True):
                unlearned = len(read) if prompt else 0
                for place, token in enumerate((*ids, *newline)):
                    yield token, token if place >= unlearned else UNLEARNED

    def batch(step: int) -> dict[str, torch.Tensor]:
        flat = torch.tensor(list(islice(tokens(step), rows * row_tokens))).view(rows, row_tokens, 2)
        return {"input_ids": flat[..., 0].contiguous(), "labels": flat[..., 1].contiguous()}

    return batch
