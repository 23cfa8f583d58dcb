"""A language model whose answers are kept and not asked for again.

What an answer belongs to: the model's fingerprint, the prompt without its owner, and for a text that is drawn
the sampling parameters, the seed and its index, so that several samples stay different, and five samples are
the first three and two more. Texts decoded greedily depend on neither seed nor index and are one entry.
Probabilities are kept bit by bit, a row for each prompt and list of options: P(option) may depend on the
other options, since a prompt is tokenised together with each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import numpy as np

from maieutic.cache.store import KnownModel, ResponseStore, digest
from maieutic.checkpoints.fingerprints import fingerprint_of
from maieutic.lm.base import FloatArray, LanguageModel, Prompt

__all__ = ["CachedLanguageModel"]

FORMAT = 1  # to be raised when prompts are written out, or texts drawn or cut, otherwise than before

_Keys = Mapping[Prompt, Sequence[bytes]]
_Text = TypeVar("_Text", Prompt, str, Prompt | str)


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
        """Draw ``n`` continuations of every prompt; see :meth:`maieutic.lm.base.LanguageModel.sample`.

        A prompt that lacks samples is asked for all up to the last one that is missing, in one call with
        the prompts that lack as many; samples that were kept stay what they were.
        """
        greedy = temperature == 0
        drawn = min(n, 1) if greedy else n
        copies = n if greedy else 1
        request = ["sample", int(max_new_tokens), float(temperature), float(top_p)]
        request += [] if greedy else [int(seed)]
        keys = {
            prompt: [digest(about, request, index) for index in range(drawn)]
            for prompt, about in self._distinct(prompts).items()
        }
        found = self._store.get(key for row in keys.values() for key in row)
        texts = {key: value.decode("utf-8", "surrogatepass") for key, value in found.items()}
        self._count(prompts, keys, texts, copies)
        for number, group in _lacking(keys, texts).items():
            replies = self.inner.sample(
                group, number, max_new_tokens=max_new_tokens, temperature=temperature, top_p=top_p, seed=seed
            )
            new = {
                key: text
                for prompt, row in zip(group, replies, strict=True)
                for key, text in zip(keys[prompt][:number], row, strict=True)
                if key not in texts
            }
            self._store.put(
                self._known, {k: text.encode("utf-8", "surrogatepass") for k, text in new.items()}
            )
            texts |= new
        return [[texts[key] for key in keys[prompt]] * copies for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> FloatArray:
        """P(option | prompt); see :meth:`maieutic.lm.base.LanguageModel.choose`."""
        request = ["choose", list(options)]
        keys = {prompt: [digest(about, request)] for prompt, about in self._distinct(prompts).items()}
        found = self._store.get(key for (key,) in keys.values())
        rows = {key: np.frombuffer(value, "<f8") for key, value in found.items()}
        self._count(prompts, keys, rows)
        for group in _lacking(keys, rows).values():
            chosen = np.asarray(self.inner.choose(group, options), "<f8").reshape(len(group), len(options))
            new = {keys[prompt][0]: row for prompt, row in zip(group, chosen, strict=True)}
            self._store.put(self._known, {key: row.tobytes() for key, row in new.items()})
            rows |= new
        table = np.array([rows[keys[prompt][0]] for prompt in prompts], dtype=np.float64)
        return table.reshape(len(prompts), len(options))

    def count_tokens(self, texts: Sequence[Prompt | str]) -> list[int]:
        """The tokens of each; see :meth:`maieutic.lm.base.LanguageModel.count_tokens`.

        Numbers are kept too, since a server tells some of them only with the answer. They are no requests.
        """
        keys = {text: digest(about, "tokens") for text, about in self._distinct(texts).items()}
        counts = {key: int(value) for key, value in self._store.get(keys.values()).items()}
        missing = [text for text, key in keys.items() if key not in counts]
        if missing:
            new = {keys[text]: n for text, n in zip(missing, self.inner.count_tokens(missing), strict=True)}
            self._store.put(self._known, {key: b"%d" % number for key, number in new.items()})
            counts |= new
        return [counts[keys[text]] for text in texts]

    def _distinct(self, texts: Sequence[_Text]) -> dict[_Text, str]:
        """Each prompt or plain text once, with what tells it and the model apart from others."""
        model = ("lm", FORMAT, self._known.fingerprint)
        return {text: digest(*model, *_parts(text)).hex() for text in dict.fromkeys(texts)}

    def _count(
        self, prompts: Sequence[Prompt], keys: _Keys, kept: Collection[bytes], copies: int = 1
    ) -> None:
        hits = [key in kept for prompt in prompts for key in keys[prompt]]
        self._store.count(len(hits) * copies, sum(hits) * copies)


def _parts(text: Prompt | str) -> list[object]:
    """All that a model is told."""
    if isinstance(text, str):
        return [text]
    shots = [[shot.query, shot.reply] for shot in text.shots]
    return [text.format, text.instruction, shots, text.query, text.opening]


def _lacking(keys: _Keys, kept: Collection[bytes]) -> dict[int, list[Prompt]]:
    """The prompts with a key that is not kept, by the place of their last such key, counted from 1."""
    groups: dict[int, list[Prompt]] = {}
    for prompt, row in keys.items():
        last = max((place for place, key in enumerate(row, start=1) if key not in kept), default=0)
        if last:
            groups.setdefault(last, []).append(prompt)
    return groups
