"""Sequence classifiers for natural-language inference (NLI) in Transformers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from maieutic.checkpoints.batching import padded
from maieutic.checkpoints.loading import CLASSIFIER, Checkpoint, load_checkpoint, shortened
from maieutic.checkpoints.memory import TokenBudget
from maieutic.errors import ContextLengthError, ModelError
from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Pair, Probabilities

__all__ = ["TransformersVerifier", "label_columns"]

# Names of the three relations in checkpoints, in lower case with underscores.
LABELS = {
    "contradiction": CONTRADICTION,
    "contradict": CONTRADICTION,
    "contradicts": CONTRADICTION,
    "contradictory": CONTRADICTION,
    "neutral": NEUTRAL,
    "neither": NEUTRAL,
    "unknown": NEUTRAL,
    "entailment": ENTAILMENT,
    "entail": ENTAILMENT,
    "entails": ENTAILMENT,
    "entailed": ENTAILMENT,
}
NOT_ENTAILED = {"not_entailment", "not_entailed", "non_entailment", "no_entailment"}

BATCH_TOKENS = {
    "cpu": 2048,
    "cuda": 65536,
}  # with padding; larger ones are no faster on two EPYC cores
CHUNK = 4096  # pairs tokenised at a time, to bound the memory


def label_columns(labels: Mapping[int, str], name: str) -> NDArray[np.float32]:
    """Map a model's labels to the verifier's columns, by their names and never by their order.

    A model with the two labels entailment and not_entailment cannot tell a contradiction from a neutral
    pair: not_entailment counts as neutral, and P(contradiction) is always 0.

    Args:
        labels: the config's id2label.
        name: the model's name in messages.

    Returns:
        float32 (labels, 3) of zeros and ones, a single one in each row; P(label) times this matrix is
        P(contradiction), P(neutral), P(entailment).

    Raises:
        ModelError: the labels are not those of an NLI model; ``subject`` is the model's name.

    >>> label_columns({0: "ENTAILMENT", 1: "not_entailment"}, "model").tolist()
    [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    words = [re.sub(r"\W+", "_", labels[index].strip().lower()) for index in sorted(labels)]
    if len(words) == 2:
        columns = [NEUTRAL if word in NOT_ENTAILED else LABELS.get(word) for word in words]
        expected = {NEUTRAL, ENTAILMENT} if NOT_ENTAILED.intersection(words) else set()
    else:
        columns = [LABELS.get(word) for word in words]
        expected = {CONTRADICTION, NEUTRAL, ENTAILMENT} if len(words) == 3 else set()
    if set(columns) != expected:
        raise ModelError(
            f"the labels of {name} are {', '.join(map(repr, labels.values()))}, but must be contradiction, "
            "neutral and entailment (or entailment and not_entailment); use an NLI model, or correct "
            "id2label in its config.json",
            subject=name,
        )
    table = np.zeros((len(words), 3), dtype=np.float32)
    for row, column in enumerate(columns):
        table[row, column] = 1.0
    return table


class TransformersVerifier:
    """A verifier in this process; see :class:`maieutic.nli.base.Verifier`.

    Args:
        checkpoint: the loaded model.
        batch_tokens: maximum number of tokens of a batch, padding included; None for a default that suits
            the device. Halved when memory runs out.

    Raises:
        ModelError: the model's labels are not those of an NLI model.
    """

    def __init__(self, checkpoint: Checkpoint, batch_tokens: int | None = None) -> None:
        self._checkpoint = checkpoint
        self._model, self._tokenizer = checkpoint.model, checkpoint.tokenizer
        if batch_tokens is None:
            self._budget = TokenBudget.fitting(BATCH_TOKENS[checkpoint.device.type], checkpoint)
        else:
            self._budget = TokenBudget(batch_tokens, checkpoint.name, checkpoint.device)
        config = self._model.config
        self._columns = label_columns(config.id2label, checkpoint.name)
        pads = (self._tokenizer.pad_token_id, config.pad_token_id, self._tokenizer.eos_token_id, 0)
        self._size = int(self._model.get_input_embeddings().weight.shape[0])
        self._pad = next(pad for pad in pads if pad is not None and 0 <= pad < self._size)
        self._accepted = inspect.signature(self._model.forward).parameters
        config.pad_token_id = self._pad  # classifiers on decoders look for a row's end with it

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @classmethod
    def load(
        cls,
        name: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch_tokens: int | None = None,
        download: bool = False,
    ) -> TransformersVerifier:
        """Load a model folder or hub id; see :func:`maieutic.checkpoints.loading.load_checkpoint`.

        Raises:
            InputError: the device or dtype is unknown or unavailable.
            ModelError: the model is missing, damaged or not an NLI classifier.
        """
        opened = load_checkpoint(name, CLASSIFIER, device=device, dtype=dtype, download=download)
        return cls(opened, batch_tokens)

    @property
    def name(self) -> str:
        """The folder or hub id, as given."""
        return self._checkpoint.name

    @property
    def device(self) -> str:
        """The model's device: "cpu", "cuda" or "cuda:N"."""
        return str(self._checkpoint.device)

    @property
    def dtype(self) -> str:
        """The number format: "float32", "bfloat16" or "float16"."""
        return self._checkpoint.dtype_name

    @property
    def fingerprint(self) -> str:
        """Identifies the verifier in a cache."""
        return self._checkpoint.fingerprint

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered pairs, each distinct one once; see :class:`maieutic.nli.base.Verifier`.

        Raises:
            ContextLengthError: a pair does not fit the context window; pairs are never truncated.
        """
        places = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
        # Longest pairs first, by characters, since their tokens are not counted yet.
        distinct = sorted(places, key=lambda pair: -len(pair[0]) - len(pair[1]))
        scores = np.zeros((len(distinct), 3), dtype=np.float32)
        for start in range(0, len(distinct), CHUNK):
            chunk = distinct[start : start + CHUNK]
            scores[[places[pair] for pair in chunk]] = self._predict_chunk(chunk)
        return scores[[places[pair] for pair in pairs]]

    def _predict_chunk(self, pairs: list[Pair]) -> Probabilities:
        premises, hypotheses = (list(side) for side in zip(*pairs, strict=True))
        encoded = dict(self._tokenizer(premises, hypotheses, truncation=False, verbose=False))
        encoded = {field: rows for field, rows in encoded.items() if field in self._accepted}
        lengths = [len(row) for row in encoded["input_ids"]]
        if max(map(max, filter(None, encoded["input_ids"])), default=0) >= self._size:
            raise ModelError(
                f"the tokenizer of {self.name} has tokens that the model does not know; they belong to "
                "different models: save them together again",
                subject=self.name,
            )
        self._check_window(pairs, lengths)
        scores = np.zeros((len(pairs), 3), dtype=np.float32)

        def work(batch: list[int]) -> None:
            tensors = {
                field: self._tensor([rows[index] for index in batch], field)
                for field, rows in encoded.items()
            }
            with torch.inference_mode():
                logits = self._model(**tensors).logits.float()
            self._checkpoint.check_logits(logits)
            scores[batch] = logits.softmax(dim=-1).cpu().numpy() @ self._columns

        self._budget.run(lengths, work)
        return scores

    def _tensor(self, rows: Sequence[Sequence[int]], field: str) -> torch.Tensor:
        """A field of the tokenizer's output for a batch, padded on the right; int64 (rows, longest row)."""
        fill = self._pad if field == "input_ids" else 0
        table = torch.from_numpy(padded(rows, fill, "right"))
        return table.to(self._checkpoint.device)

    def _check_window(self, pairs: list[Pair], lengths: list[int]) -> None:
        window = self._checkpoint.window
        longest = max(lengths)
        if window is not None and longest > window:
            premise, hypothesis = (shortened(text) for text in pairs[lengths.index(longest)])
            raise ContextLengthError(
                f'the pair "{premise}" / "{hypothesis}" has {longest} tokens, but the context window of '
                f"{self.name} holds {window}; shorten it, or use a verifier with a larger window",
                subject=self.name,
            )
