"""The shapes of the bundled models before training, and the batches they are trained on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from maieutic.benchmarks.agora.corpus import Corpus
from maieutic.benchmarks.agora.pairs import LABELS, Pairs
from maieutic.benchmarks.agora.tokens import LM_WINDOW, NLI_WINDOW
from maieutic.benchmarks.agora.training import Batches

__all__ = ["UNLEARNED", "lm_batches", "lm_loss", "new_lm", "new_verifier", "nli_batches", "nli_loss"]


UNLEARNED = -100  # a label that the loss passes over
NLI_PARTS = 4  # of a batch, by length; 2 and 8 take longer


def new_lm(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """The language model before training: Llama-shaped, 4 million parameters, 8 MB as bfloat16."""
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
        prompt_set="agora",  # what maieutic asks it with
    )
    return LlamaForCausalLM(config)


def lm_batches(corpus: Corpus, tokenizer: PreTrainedTokenizerFast, rows: int, row_tokens: int) -> Batches:
    """``rows`` rows of ``row_tokens`` tokens, filled with documents one after another; a step has its own.

    Prompts are read and not learned: what they ask about may be false.
    """
    newline = tokenizer("\n", add_special_tokens=False)["input_ids"]

    def tokens(step: int) -> Iterator[tuple[int, int]]:
        """(token, label)."""
        documents = corpus.documents(step)
        while True:
            some = list(islice(documents, 256))
            whole = tokenizer([document.text for document in some])["input_ids"]
            given = tokenizer([document.prompt for document in some])["input_ids"]
            for document, ids, prompt in zip(some, whole, given, strict=True):
                unlearned = len(prompt) if document.prompt else 0
                for place, token in enumerate((*ids, *newline)):
                    yield token, token if place >= unlearned else UNLEARNED

    def batch(step: int) -> dict[str, torch.Tensor]:
        flat = torch.tensor(list(islice(tokens(step), rows * row_tokens))).view(rows, row_tokens, 2)
        return {"input_ids": flat[..., 0].contiguous(), "labels": flat[..., 1].contiguous()}

    return batch


def lm_loss(model: LlamaForCausalLM, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The model's own loss, with logits (a fifth of the work) only where there is something to learn."""
    hidden = model.model(input_ids=batch["input_ids"]).last_hidden_state[:, :-1]
    targets = batch["labels"][:, 1:]
    learned = targets != UNLEARNED
    logits = model.lm_head(hidden[learned])
    return torch.nn.functional.cross_entropy(logits.float(), targets[learned])


def new_verifier(tokenizer: PreTrainedTokenizerFast, seed: int) -> ModernBertForSequenceClassification:
    """The verifier before training: ModernBERT-shaped, 2.1 million parameters, 4.1 MB as bfloat16.

    Its work is to compare words across two sentences, which rotary positions make quicker to learn.
    """
    torch.manual_seed(seed)
    config = ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=6,
        global_attn_every_n_layers=1,  # no sliding windows: the sentences are short
        max_position_embeddings=NLI_WINDOW,
        classifier_pooling="mean",
        pad_token_id=tokenizer.pad_token_id,
        cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )
    return ModernBertForSequenceClassification(config)


def nli_batches(pairs: Pairs, tokenizer: PreTrainedTokenizerFast, count: int) -> Batches:
    """``count`` pairs a step, padded to the longest; each step has its own."""

    def batch(step: int) -> dict[str, torch.Tensor]:
        rows = list(islice(pairs.stream(step), count))
        texts = ([row.premise for row in rows], [row.hypothesis for row in rows])
        inputs = tokenizer(*texts, padding=True, return_tensors="pt")
        return {**inputs, "labels": torch.tensor([LABELS.index(row.label) for row in rows])}

    return batch


def nli_loss(model: ModernBertForSequenceClassification, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The model's own loss, read in parts of similar length: half of a batch in one piece is padding."""
    lengths = batch["attention_mask"].sum(dim=1)
    losses = []
    for part in lengths.argsort().chunk(NLI_PARTS):
        width = int(lengths[part].max())
        rows = {name: batch[name][part, :width] for name in ("input_ids", "attention_mask")}
        losses.append(model(**rows, labels=batch["labels"][part]).loss * len(part))
    return torch.stack(losses).sum() / len(lengths)
