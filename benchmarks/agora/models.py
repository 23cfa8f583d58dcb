"""The tokenizers and untrained networks of the bundled models, and their training batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from maieutic.benchmarks.agora.corpus import Corpus
from maieutic.benchmarks.agora.pairs import LABELS, Pairs
from maieutic.benchmarks.agora.training import Batches

__all__ = [
    "UNLEARNED",
    "continue_lm",
    "lm_batches",
    "lm_loss",
    "lm_tokenizer",
    "new_lm",
    "new_verifier",
    "nli_batches",
    "nli_loss",
    "nli_tokenizer",
]

BOS, EOS = "<s>", "</s>"
LM_VOCABULARY, NLI_VOCABULARY = 4352, 3072
LM_WINDOW, NLI_WINDOW = 256, 128
ANSWER_WEIGHT = 5.0
UNLEARNED = -100  # label that the loss ignores
NLI_PARTS = 4  # parts of a batch by length; 2 and 8 were slower


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
    """Batches of shape (rows, row_tokens), filled with consecutive documents; each step has its own stream.

    The labels cover replies only: a prompt may contain a false statement, which must not be learned.
    """
    newline = tokenizer("\n", add_special_tokens=False)["input_ids"]

    def tokens(step: int) -> Iterator[tuple[int, int]]:
        """Yield (token, label)."""
        documents = corpus.documents(step)
        while True:
            some = list(islice(documents, 256))
            whole = tokenizer([document.text for document in some])["input_ids"]
            prompts = tokenizer([document.prompt for document in some])["input_ids"]
            for document, ids, prompt in zip(some, whole, prompts, strict=True):
                unlearned = len(prompt) if document.prompt else 0
                for place, token in enumerate((*ids, *newline)):
                    yield token, token if place >= unlearned else UNLEARNED

    def batch(step: int) -> dict[str, torch.Tensor]:
        flat = torch.tensor(list(islice(tokens(step), rows * row_tokens))).view(rows, row_tokens, 2)
        return {"input_ids": flat[..., 0].contiguous(), "labels": flat[..., 1].contiguous()}

    return batch


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
    logits = model.lm_head(hidden[learned])
    losses = torch.nn.functional.cross_entropy(logits.float(), targets[learned], reduction="none")
    verdicts = torch.isin(targets[learned], torch.tensor(answers, device=targets.device))
    weights = 1.0 + (ANSWER_WEIGHT - 1.0) * verdicts
    return (losses * weights).sum() / weights.sum()


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
