"""Tokenizers for models without weights, learned on the spot.

They are learned from the prompts and from sentences like those that are asked about, and stop growing
where English takes as many tokens as with the published tokenizers of the shapes: 1.3 to 1.4 a word. Their
entries are the first ones of the model's vocabulary, which keeps its full size.
"""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from maieutic.benchmarks.throughput.sentences import sentence
from maieutic.prompts import PromptSet

__all__ = ["lm_tokenizer", "nli_tokenizer"]

BOS, EOS = "<s>", "</s>"
ENTRIES = 2048  # at most; the texts hold fewer pairs that occur again
SENTENCES = range(10_000, 10_200)  # none of those that are asked about


def lm_tokenizer(prompts: PromptSet) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer that opens every text with a special token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(prompts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, pad_token=EOS, model_max_length=10**30
    )


def nli_tokenizer(prompts: PromptSet, window: int) -> PreTrainedTokenizerFast:
    """A lower-casing WordPiece tokenizer for pairs, in BERT's layout, without token types.

    Args:
        window: most tokens of a pair.
    """
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - a token of text
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=ENTRIES, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(_texts(prompts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",  # noqa: S106
        unk_token="[UNK]",  # noqa: S106
        cls_token="[CLS]",  # noqa: S106
        sep_token="[SEP]",  # noqa: S106
        model_max_length=window,
        model_input_names=["input_ids", "attention_mask"],
    )


def _texts(prompts: PromptSet) -> Sequence[str]:
    asked = sentence(SENTENCES[0]).affirmed
    forms = (
        prompts.negate(asked),
        prompts.explain(asked, True),
        prompts.belief(asked),
        prompts.verdict(asked, asked),
        prompts.direct(asked),
    )
    told = [text for made in map(sentence, SENTENCES) for text in (made.affirmed, made.denied)]
    return [*(form.text() for form in forms), *told]
