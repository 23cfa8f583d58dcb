"""The training batches of the bundled models, and the tokenizer and untrained network of the verifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from maieutic.benchmarks.agora.corpus import Corpus
from maieutic.benchmarks.agora.pairs import LABELS, Pairs
from maieutic.training.loop import Batches
from maieutic.training.networks import packed_batches

__all__ = [
    "continue_lm",
    "lm_batches",
    "new_verifier",
    "nli_batches",
    "nli_loss",
    "nli_tokenizer",
]

NLI_VOCABULARY = 3072
NLI_WINDOW = 128
NLI_PARTS = 4  # parts of a batch by length; 2 and 8 were slower


def nli_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Train a lower-casing WordPiece tokenizer for pairs of sentences in the format of BERT."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=NLI_VOCABULARY, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=NLI_WINDOW,
        model_input_names=["input_ids", "attention_mask"],
    )


def continue_lm(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path, singulars: Mapping[str, str]
) -> None:
    """Give a new language model the weights of another of the same shape, which may have other tokens.

    A token that only the new tokenizer has begins as the mean of the old tokens that spell it; a plural
    (plural → singular in ``singulars``) as its singular.
    """
    old = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    spelling = PreTrainedTokenizerFast.from_pretrained(folder)
    known, table = spelling.get_vocab(), old.get_input_embeddings().weight.detach()
    rows = model.get_input_embeddings().weight.detach().clone()
    for token, place in tokenizer.get_vocab().items():
        text = tokenizer.decode([place])
        if token in known:
            ids = [known[token]]
        else:
            word = singulars.get(text.strip())
            ids = spelling.encode(text if word is None else f" {word}", add_special_tokens=False)
        rows[place] = table[ids].mean(dim=0)
    weights = {name: value for name, value in old.state_dict().items() if "embed" not in name}
    weights.pop("lm_head.weight", None)  # tied
    model.load_state_dict(weights, strict=False)
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(rows)


def lm_batches(corpus: Corpus, tokenizer: PreTrainedTokenizerFast, rows: int, row_tokens: int) -> Batches:
    """Batches of shape (rows, row_tokens) of the corpus; each step has its own stream of documents."""

    def documents(step: int) -> Iterator[tuple[str, str]]:
        return ((document.prompt, document.reply) for document in corpus.documents(step))

    return packed_batches(documents, tokenizer, rows, row_tokens)


def new_verifier(tokenizer: PreTrainedTokenizerFast, seed: int) -> ModernBertForSequenceClassification:
    """The untrained verifier: ModernBERT architecture, 2.1 million parameters, 4.1 MB in bfloat16.

    The task is to compare words across two sentences, which is learned faster with rotary positions.
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
    """Batches of ``count`` pairs, padded to the longest; each step has its own stream."""

    def batch(step: int) -> dict[str, torch.Tensor]:
        rows = list(islice(pairs.stream(step), count))
        texts = ([row.premise for row in rows], [row.hypothesis for row in rows])
        inputs = tokenizer(*texts, padding=True, return_tensors="pt")
        return {**inputs, "labels": torch.tensor([LABELS.index(row.label) for row in rows])}

    return batch


def nli_loss(model: ModernBertForSequenceClassification, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The model's own loss, computed in parts of similar length, since half of a whole batch is padding."""
    lengths = batch["attention_mask"].sum(dim=1)
    losses = []
    for part in lengths.argsort().chunk(NLI_PARTS):
        width = int(lengths[part].max())
        rows = {name: batch[name][part, :width] for name in ("input_ids", "attention_mask")}
        losses.append(model(**rows, labels=batch["labels"][part]).loss * len(part))
    return torch.stack(losses).sum() / len(lengths)
