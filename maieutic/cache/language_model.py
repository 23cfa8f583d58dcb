"""A language model whose answers are kept and not asked for again.

What an answer belongs to: the model's fingerprint, the prompt, and for a text that is drawn
the sampling parameters, the seed and its index, so that several samples stay different, and five samples are
the first three and two more. Texts decoded greedily depend on neither seed nor index and are one entry.
Probabilities are kept bit by bit, a row for each prompt and list of options: P(option) may depend on the
other options, since a prompt is tokenised together with each of them. With every answer its token counts
are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from struct import Struct

import numpy as np

from maieutic.cache.store import KnownModel, ResponseStore, digest
from maieutic.checkpoints.fingerprints import fingerprint_of
from maieutic.lm.base import Completion, FloatArray, LanguageModel, Prompt, SamplingParams, Scores

__all__ = ["CachedLanguageModel"]

FORMAT = 2  # to be raised when prompts are written out, or texts drawn or cut, otherwise than before
COUNTS = Struct("<II")  # before a text: tokens of its prompt, its own
COUNT = Struct("<I")  # before probabilities: tokens of the prompt

_Keys = Mapping[Prompt, Sequence[bytes]]


class CachedLanguageModel:
    """Answers from a store what it can, and asks the model for the rest.

    Args:
        lm: a model with a ``fingerprint``; see :class:`maieutic.checkpoints.fingerprints.Fingerprinted`.
        store: where answers are kept; several models may share it.

    Raises:
        InputError: the model has no fingerprint, or none can be had.
    """

    def __init__(self, lm: LanguageModel, store: ResponseStore) -> None:
        self.inner = lm
        self._store = store
        self._known = KnownModel(fingerprint_of(lm), lm.name)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.inner.name

    @property
    def prompts(self) -> str:
        """The prompt set that suits the model."""
        return self.inner.prompts

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt; see :meth:`maieutic.lm.base.LanguageModel.sample`.

        A prompt that lacks samples is asked for all up to the last one that is missing, in one call with
        the prompts that lack as many; samples that were kept stay what they were.
        """
        drawn = min(n, 1) if params.greedy else n
        copies = n if params.greedy else 1
        request = ["sample", int(params.max_new_tokens), float(params.temperature), float(params.top_p)]
        request += [] if params.greedy else [int(params.seed)]
        keys = {
            prompt: [digest(about, request, index) for index in range(drawn)]
            for prompt, about in self._distinct(prompts).items()
        }
        stored = self._store.get(key for row in keys.values() for key in row)
        completions = {key: _completion(value) for key, value in stored.items()}
        self._count(prompts, keys, completions, copies)
        for number, group in _lacking(keys, completions).items():
            replies = self.inner.sample(group, number, params)
            new = {
                key: completion
                for prompt, row in zip(group, replies, strict=True)
                for key, completion in zip(keys[prompt][:number], row, strict=True)
                if key not in completions
            }
            self._store.put(self._known, {key: _completion_bytes(value) for key, value in new.items()})
            completions |= new
        return [[completions[key] for key in keys[prompt]] * copies for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Scores:
        """P(option | prompt); see :meth:`maieutic.lm.base.LanguageModel.choose`."""
        request = ["choose", list(options)]
        keys = {prompt: [digest(about, request)] for prompt, about in self._distinct(prompts).items()}
        stored = self._store.get(key for (key,) in keys.values())
        rows = {key: _row(value) for key, value in stored.items()}
        self._count(prompts, keys, rows)
        for group in _lacking(keys, rows).values():
            scores = self.inner.choose(group, options)
            table = scores.probabilities.reshape(len(group), len(options))
            new = {
                keys[prompt][0]: (row, tokens)
                for prompt, row, tokens in zip(group, table, scores.prompt_tokens, strict=True)
            }
            self._store.put(self._known, {key: _row_bytes(*value) for key, value in new.items()})
            rows |= new
        found = [rows[keys[prompt][0]] for prompt in prompts]
        table = np.array([row for row, _ in found], dtype=np.float64).reshape(len(prompts), len(options))
        return Scores(table, tuple(tokens for _, tokens in found))

    def _distinct(self, prompts: Sequence[Prompt]) -> dict[Prompt, str]:
        """Each prompt once, with what tells it and the model apart from others."""
        model = ("lm", FORMAT, self._known.fingerprint)
        return {prompt: digest(*model, *_parts(prompt)).hex() for prompt in dict.fromkeys(prompts)}

    def _count(
        self, prompts: Sequence[Prompt], keys: _Keys, kept: Collection[bytes], copies: int = 1
    ) -> None:
        hits = [key in kept for prompt in prompts for key in keys[prompt]]
        self._store.count(len(hits) * copies, sum(hits) * copies)


def _parts(prompt: Prompt) -> list[object]:
    """All that a model is told."""
    shots = [[shot.query, shot.reply] for shot in prompt.shots]
    return [prompt.format, prompt.instruction, shots, prompt.query, prompt.opening]


def _completion_bytes(completion: Completion) -> bytes:
    counts = COUNTS.pack(completion.prompt_tokens, completion.completion_tokens)
    return counts + completion.text.encode("utf-8", "surrogatepass")


def _completion(value: bytes) -> Completion:
    return Completion(value[COUNTS.size :].decode("utf-8", "surrogatepass"), *COUNTS.unpack_from(value))


def _row_bytes(row: FloatArray, prompt_tokens: int) -> bytes:
    return COUNT.pack(prompt_tokens) + row.astype("<f8").tobytes()


def _row(value: bytes) -> tuple[FloatArray, int]:
    (prompt_tokens,) = COUNT.unpack_from(value)
    return np.frombuffer(value, "<f8", offset=COUNT.size), prompt_tokens


def _lacking(keys: _Keys, kept: Collection[bytes]) -> dict[int, list[Prompt]]:
    """The prompts with a key that is not kept, by the place of their last such key, counted from 1."""
    groups: dict[int, list[Prompt]] = {}
    for prompt, row in keys.items():
        last = max((place for place, key in enumerate(row, start=1) if key not in kept), default=0)
        if last:
            groups.setdefault(last, []).append(prompt)
    return groups
