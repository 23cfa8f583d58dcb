"""Any causal language model that Transformers can open, on the processor or on CUDA.

The decoding loop is Transformers' own; what is ours is the draw. Every row of a batch brings its
own random numbers, derived from the seed, its prompt and its sample index, so that a text is the
same whichever prompts share the batch. What remains is rounding, which differs with a batch's shape:
in float32 a draw would have to fall within some 1e-6 of the line between two tokens to change, which
the tests have not seen; in bfloat16 and float16 a close call does now and then fall the other way.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from maieutic.batching import batches_by_length, padded
from maieutic.errors import InputError
from maieutic.lm.base import FloatArray, Prompt
from maieutic.lm.sampling import EndsWith, InverseTransform, Sampling
from maieutic.lm.tokens import Tokens, Vocabulary
from maieutic.loading import LANGUAGE_MODEL, Checkpoint, load_checkpoint, memory_guard, quiet
from maieutic.prompts import builtin_names

__all__ = ["TransformersLM"]

# Tokens of a batch, padding and room for new tokens included. More keeps a GPU busier and takes
# more memory for the attention cache: 32768 tokens are 4 GiB for an 8-billion model with grouped
# queries.
BATCH_TOKENS = {"cpu": 4096, "cuda": 32768}
CHOOSE_PROMPTS = 1024  # prompts tokenised at a time, so that 100,000 long prompts fit in memory
PLAIN = Prompt("chat", "", (), "")  # its format stands for text that gets no special tokens


@dataclass(frozen=True, slots=True)
class _Row:
    """One text to draw: the prompt's tokens and its random numbers (None for greedy decoding)."""

    tokens: Tokens
    uniforms: FloatArray | None


@dataclass(frozen=True, slots=True)
class _Continuation:
    """The tokens of a prompt and an option; the last ``scored`` of them are the option's."""

    tokens: Tokens
    scored: int


class TransformersLM:
    """A language model in this process; see :class:`maieutic.lm.base.LanguageModel`.

    Args:
        checkpoint: the opened model.
        batch_tokens: most tokens of a batch, padding and new tokens included; None for a value that
            suits the device.
    """

    def __init__(self, checkpoint: Checkpoint, batch_tokens: int | None = None) -> None:
        self._checkpoint = checkpoint
        self._model = checkpoint.model
        self._batch_tokens = batch_tokens or BATCH_TOKENS[checkpoint.device.type]
        self._accepted = inspect.signature(self._model.forward).parameters
        self._vocabulary = Vocabulary(checkpoint)
        # The model's own defaults (temperature, penalties, forced tokens …) must not leak into a
        # draw.
        self._model.generation_config = GenerationConfig()

    @classmethod
    def load(
        cls,
        name: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch_tokens: int | None = None,
        download: bool = False,
    ) -> TransformersLM:
        """Open a model folder or hub id; see :func:`maieutic.loading.load_checkpoint`.

        Raises:
            InputError: the device or the dtype is unknown or not there.
            ModelError: there is no such model, it is damaged, or it is of another kind.
        """
        opened = load_checkpoint(name, LANGUAGE_MODEL, device=device, dtype=dtype, download=download)
        return cls(opened, batch_tokens)

    @property
    def name(self) -> str:
        """The folder or hub id, as given."""
        return self._checkpoint.name

    @property
    def prompts(self) -> str:
        """The built-in set that the model's config names, else "chat" with a chat template, or "paper"."""
        named = getattr(self._model.config, "prompt_set", None)
        if named in builtin_names():
            return str(named)
        return "chat" if self._vocabulary.has_chat_template else "paper"

    @property
    def device(self) -> str:
        """Where the model is: "cpu", "cuda" or "cuda:N"."""
        return str(self._checkpoint.device)

    @property
    def dtype(self) -> str:
        """The number format in use: "float32", "bfloat16" or "float16"."""
        return self._checkpoint.dtype_name

    def sample(
        self,
        prompts: Sequence[Prompt],
        n: int,
        *,
        max_new_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
    ) -> list[list[str]]:
        """Draw ``n`` continuations of every prompt; see :meth:`LanguageModel.sample`.

        Raises:
            InputError: a sampling parameter is out of its range.
            ContextLengthError: a prompt and ``max_new_tokens`` do not fit the model's window.
            ModelError: the model cannot use the prompt's format.
        """
        sampling = Sampling(max_new_tokens, temperature, top_p, seed)
        distinct = list(dict.fromkeys(prompts))
        copies = n if temperature > 0 else min(n, 1)  # greedy texts are all the same
        rows = self._rows(distinct, copies, sampling)
        drawn = [""] * len(rows)
        lengths = [len(row.tokens) + max_new_tokens for row in rows]
        for batch in batches_by_length(lengths, self._batch_tokens):
            texts = self._generate([rows[index] for index in batch], sampling)
            for index, text in zip(batch, texts, strict=True):
                drawn[index] = text
        groups = {
            prompt: drawn[place * copies : (place + 1) * copies] for place, prompt in enumerate(distinct)
        }
        return [groups[prompt] if copies == n else groups[prompt] * n for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> FloatArray:
        """P(option | prompt), the product of its tokens'; see :meth:`LanguageModel.choose`.

        A prompt is tokenised together with each option, because the two may share a token. The
        tokens that all of these and the prompt alone have in common are the condition, the others
        are scored. Options of one token cost one forward pass per distinct prompt, all together.

        Raises:
            InputError: an option is empty.
            ContextLengthError: a prompt and its longest option do not fit the model's window.
            ModelError: the model cannot use the prompt's format.
        """
        if not all(options):
            raise InputError("an option to choose from is empty; give every option a text")
        distinct = list(dict.fromkeys(prompts))
        table: dict[Prompt, list[float]] = {}
        for start in range(0, len(distinct), CHOOSE_PROMPTS):
            chunk = distinct[start : start + CHOOSE_PROMPTS]
            scores = self._score(self._continuations(chunk, options)) if options else np.empty(0)
            table.update(zip(chunk, scores.reshape(len(chunk), len(options)).tolist(), strict=True))
        chosen = np.array([table[prompt] for prompt in prompts], dtype=np.float64)
        return np.exp(chosen).reshape(len(prompts), len(options))

    def count_tokens(self, texts: Sequence[Prompt | str]) -> list[int]:
        """Tokens by the model's own tokenizer; see :meth:`LanguageModel.count_tokens`."""
        prompts = [item if isinstance(item, Prompt) else PLAIN for item in texts]
        written = [self._vocabulary.render([item])[0] if isinstance(item, Prompt) else item for item in texts]
        return list(map(len, self._vocabulary.encode(prompts, written)))

    def _rows(self, prompts: list[Prompt], copies: int, sampling: Sampling) -> list[_Row]:
        """``copies`` rows for each prompt, prompt by prompt."""
        texts = self._vocabulary.render(prompts)
        rows: list[_Row] = []
        for prompt, text, tokens in zip(prompts, texts, self._vocabulary.encode(prompts, texts), strict=True):
            self._vocabulary.check_window(prompt, len(tokens), sampling.max_new_tokens)
            for index in range(copies):
                drawn = sampling.uniforms(text, index) if sampling.temperature > 0 else None
                rows.append(_Row(tokens, drawn))
        return rows

    def _generate(self, rows: list[_Row], sampling: Sampling) -> list[str]:
        """The continuation of each row, computed as one left-padded batch."""
        ids, mask = self._left_padded([row.tokens for row in rows])
        processors: list[Any] = []
        if sampling.temperature > 0:
            uniforms = np.stack([row.uniforms for row in rows if row.uniforms is not None])
            processors.append(TemperatureLogitsWarper(float(sampling.temperature)))
            processors += [TopPLogitsWarper(float(sampling.top_p))] if sampling.top_p < 1 else []
            on_device = torch.from_numpy(uniforms).to(ids.device)
            processors.append(InverseTransform(on_device, ids.shape[1]))
        newlines = torch.tensor(self._vocabulary.newlines, dtype=torch.long, device=ids.device)
        with torch.inference_mode(), quiet(), memory_guard(self._checkpoint, self._batch_tokens):
            sequences = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=GenerationConfig(
                    max_new_tokens=sampling.max_new_tokens,
                    do_sample=False,  # the processors leave one token to pick
                    eos_token_id=self._vocabulary.ends or None,
                    pad_token_id=self._vocabulary.pad,
                ),
                logits_processor=LogitsProcessorList(processors),
                stopping_criteria=StoppingCriteriaList([EndsWith(newlines)]),
            )
        new = sequences[:, ids.shape[1] :].tolist()
        return [
            self._vocabulary.text_after(row.tokens, tokens) for row, tokens in zip(rows, new, strict=True)
        ]

    def _continuations(self, prompts: list[Prompt], options: Sequence[str]) -> list[_Continuation]:
        """Every prompt with every option, prompt by prompt."""
        texts = self._vocabulary.render(prompts)
        joined = [text + option for text in texts for option in ("", *options)]
        owners = [prompt for prompt in prompts for _ in ("", *options)]
        encoded = self._vocabulary.encode(owners, joined)
        found = []
        for row, prompt in enumerate(prompts):
            group = encoded[row * (len(options) + 1) :][: len(options) + 1]
            self._vocabulary.check_window(prompt, max(map(len, group)), 0)
            # A text's first token has no condition and goes unscored.
            shared = max(1, _shared_prefix(group))
            found += [_Continuation(tokens, len(tokens) - shared) for tokens in group[1:]]
        if any(item.scored < 1 for item in found):
            raise InputError(f"an option among {list(options)} adds no token to the prompt; change it")
        return found

    def _score(self, continuations: list[_Continuation]) -> FloatArray:
        """log P (nats) of each continuation's option; float64 (continuations,)."""
        # A last token is predicted, not read, so that options of one token share one row.
        asked: dict[Tokens, list[int]] = {}
        for index, item in enumerate(continuations):
            asked.setdefault(item.tokens[:-1], []).append(index)
        inputs = list(asked)
        scores = np.zeros(len(continuations))
        for batch in batches_by_length(list(map(len, inputs)), self._batch_tokens):
            owners: list[int] = []
            lines: list[int] = []
            places: list[int] = []
            targets: list[int] = []
            for line, index in ((line, i) for line, b in enumerate(batch) for i in asked[inputs[b]]):
                scored = continuations[index].scored
                owners += [index] * scored
                lines += [line] * scored
                places += range(-scored, 0)  # counted from the right edge, where all rows end
                targets += continuations[index].tokens[-scored:]
            logs = self._log_probabilities([inputs[index] for index in batch], -min(places))
            np.add.at(scores, owners, logs[lines, places, targets].double().cpu().numpy())
        return scores

    def _log_probabilities(self, rows: list[Tokens], width: int) -> torch.Tensor:
        """log P (nats) of every next token at the last ``width`` positions of left-padded rows.

        Returns:
            float32 (rows, width, vocabulary).
        """
        ids, mask = self._left_padded(rows)
        extras: dict[str, Any] = {}
        if "position_ids" in self._accepted:
            extras["position_ids"] = (mask.cumsum(dim=1) - 1).clamp(min=0)
        if "logits_to_keep" in self._accepted:
            extras["logits_to_keep"] = width
        with torch.inference_mode(), quiet(), memory_guard(self._checkpoint, self._batch_tokens):
            output = self._model(input_ids=ids, attention_mask=mask, use_cache=False, **extras)
            logits: torch.Tensor = output.logits[:, -width:]
            return logits.float().log_softmax(dim=-1)

    def _left_padded(self, rows: list[Tokens]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and attention mask of a batch, both int64 (rows, longest row)."""
        ids = torch.from_numpy(padded(rows, self._vocabulary.pad, "left"))
        mask = torch.from_numpy(padded([[1] * len(row) for row in rows], 0, "left"))
        return ids.to(self._checkpoint.device), mask.to(self._checkpoint.device)


def _shared_prefix(rows: Sequence[Tokens]) -> int:
    """How many tokens at the start all rows have in common."""
    pairs = enumerate(zip(*rows, strict=False))  # up to the shortest
    return next((place for place, column in pairs if len(set(column)) > 1), min(map(len, rows)))
