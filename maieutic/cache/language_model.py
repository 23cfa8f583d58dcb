"""A language model with a cache of its replies.

The key of a reply consists of the model's fingerprint and the prompt and, for a sampled text, the sampling
parameters, the seed and the text's index. So samples of one prompt stay different, and five samples are the
first three and two more. Greedy texts depend on neither seed nor index and have one entry. Probabilities are
stored exactly, one row for each prompt and list of options: P(option) may depend on the other options, since
a prompt is tokenised together with each of them. Token counts are stored with every reply.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from struct import Struct

import numpy as np

from maieutic.cache.store import KnownModel, ResponseStore, digest
from maieutic.checkpoints.fingerprints import fingerprint_of
from maieutic.lm.base import Completion, FloatArray, LanguageModel, OptionScores, Prompt, SamplingParams
from maieutic.lm.calls import choose, sample
from maieutic.lm.known_words import known_words_of

__all__ = ["CachedLanguageModel"]

FORMAT = 3  # increase it whenever the rendering of prompts or the sampled texts change
COUNTS = Struct("<II")  # before a text: tokens of the prompt, tokens of the text
COUNT = Struct("<I")  # before probabilities: tokens of the prompt

_Keys = Mapping[Prompt, Sequence[bytes]]


class CachedLanguageModel:
    """Takes replies from a store and calls the model for missing ones.

    Args:
        lm: has a ``fingerprint``; see :class:`maieutic.checkpoints.fingerprints.Fingerprinted`.
        store: holds the replies; several models may share it.

    Raises:
        InputError: the model has no fingerprint.
    """

    def __init__(self, lm: LanguageModel, store: ResponseStore) -> None:
        self.inner = lm
        self._store = store
        self._known = KnownModel(fingerprint_of(lm), lm.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def name(self) -> str:
        """The model's name."""
        return self.inner.name

    @property
    def prompts(self) -> str:
        """The prompt set that suits the model."""
        return self.inner.prompts

    @property
    def known_words(self) -> frozenset[str] | None:
        """The words that the model was trained on; None where it does not say."""
        return known_words_of(self.inner)

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt; see :meth:`maieutic.lm.base.LanguageModel.sample`.

        If a prompt lacks samples, the model draws all samples up to the last missing one, in one call for
        all prompts that need as many. Stored samples take precedence over drawn ones.
        """
        distinct = min(n, 1) if params.greedy else n
        copies = n if params.greedy else 1
        request = ["sample", int(params.max_new_tokens), float(params.temperature), float(params.top_p)]
        request += [] if params.greedy else [int(params.seed)]
        keys = {
            prompt: [digest(about, request, index) for index in range(distinct)]
            for prompt, about in self._distinct(prompts).items()
        }
        stored = self._store.get(key for row in keys.values() for key in row)
        completions = {key: _completion(value) for key, value in stored.items()}
        self._count(prompts, keys, completions, copies)
        for count, group in _incomplete(keys, completions).items():
            replies = sample(self.inner, group, count, params)
            new = {
                key: completion
                for prompt, row in zip(group, replies, strict=True)
                for key, completion in zip(keys[prompt][:count], row, strict=True)
                if key not in completions
            }
            self._store.put(self._known, {key: _completion_bytes(value) for key, value in new.items()})
            completions |= new
        return [[completions[key] for key in keys[prompt]] * copies for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        """P(option | prompt); see :meth:`maieutic.lm.base.LanguageModel.choose`."""
        request = ["choose", list(options)]
        keys = {prompt: [digest(about, request)] for prompt, about in self._distinct(prompts).items()}
        stored = self._store.get(key for (key,) in keys.values())
        rows = {key: _row(value) for key, value in stored.items()}
        self._count(prompts, keys, rows)
        for group in _incomplete(keys, rows).values():
            scores = choose(self.inner, group, options)
            table = scores.probabilities.reshape(len(group), len(options))
            new = {
                keys[prompt][0]: (row, tokens)
                for prompt, row, tokens in zip(group, table, scores.prompt_tokens, strict=True)
            }
            self._store.put(self._known, {key: _row_bytes(*value) for key, value in new.items()})
            rows |= new
        replies = [rows[keys[prompt][0]] for prompt in prompts]
        table = np.array([row for row, _ in replies], dtype=np.float64).reshape(len(prompts), len(options))
        return OptionScores(table, tuple(tokens for _, tokens in replies))

    def _distinct(self, prompts: Sequence[Prompt]) -> dict[Prompt, str]:
        """A digest of the model and the prompt for each distinct prompt."""
        model = ("lm", FORMAT, self._known.fingerprint)
        return {prompt: digest(*model, *_parts(prompt)).hex() for prompt in dict.fromkeys(prompts)}

    def _count(
        self, prompts: Sequence[Prompt], keys: _Keys, stored: Collection[bytes], copies: int = 1
    ) -> None:
        hits = [key in stored for prompt in prompts for key in keys[prompt]]
        self._store.count(len(hits) * copies, sum(hits) * copies)


def _parts(prompt: Prompt) -> list[object]:
    """All fields of a prompt."""
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


def _incomplete(keys: _Keys, stored: Collection[bytes]) -> dict[int, list[Prompt]]:
    """The prompts with missing keys, by the position of their last missing key, counted from 1."""
    groups: dict[int, list[Prompt]] = {}
    for prompt, row in keys.items():
        last = max((position for position, key in enumerate(row, 1) if key not in stored), default=0)
        if last:
            groups.setdefault(last, []).append(prompt)
    return groups
