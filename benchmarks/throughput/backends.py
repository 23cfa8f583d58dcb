"""Who does the work of a scripted tree: our engine, or the way of the published reference."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig

from maieutic.benchmarks.throughput.script import Script
from maieutic.benchmarks.throughput.subject import Subject
from maieutic.lm.base import FloatArray, LanguageModel, Prompt
from maieutic.loading import Checkpoint, quiet
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.transformers import label_columns

__all__ = ["Call", "ReferenceLM", "ReferenceVerifier", "Working"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a language model.

    Attributes:
        kind: negate, explain, belief or verdict.
        n: texts drawn for each prompt; 0 where options were scored.
        new_tokens: limit of each text.
    """

    kind: str
    prompts: tuple[Prompt, ...]
    n: int
    new_tokens: int
    seconds: float


class Working:
    """A language model that has every request computed, and then says what the script says.

    Args:
        worker: computes.

    Attributes:
        calls: what was asked, in order.
    """

    def __init__(self, worker: LanguageModel, script: Script, options: Sequence[str]) -> None:
        self._worker, self._script, self._options = worker, script, tuple(options)
        self.calls: list[Call] = []

    @property
    def name(self) -> str:
        return self._worker.name

    @property
    def prompts(self) -> str:
        return self._worker.prompts

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
        start = time.perf_counter()
        drawn = self._worker.sample(
            prompts, n, max_new_tokens=max_new_tokens, temperature=temperature, top_p=top_p, seed=seed
        )
        self._note(prompts, n, max_new_tokens, start)
        assert [len(texts) for texts in drawn] == [n] * len(prompts)
        return [list(self._script.replies[prompt][:n]) for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> FloatArray:
        assert tuple(options) == self._options
        start = time.perf_counter()
        chosen = self._worker.choose(prompts, options)
        self._note(prompts, 0, 0, start)
        assert chosen.shape == (len(prompts), len(options))
        return np.array([self._script.verdicts[prompt] for prompt in prompts])

    def count_tokens(self, texts: Sequence[Prompt | str]) -> list[int]:
        return self._worker.count_tokens(texts)

    def _note(self, prompts: Sequence[Prompt], n: int, new_tokens: int, start: float) -> None:
        kind = self._script.kinds[prompts[0]]
        self.calls.append(Call(kind, tuple(prompts), n, new_tokens, time.perf_counter() - start))


class ReferenceLM:
    """One ``generate`` call for each request, nothing shared between them.

    The samples of one prompt are one call, with as many sequences returned. A verdict is a call for one
    token, whose probabilities are read.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._model = subject.checkpoint.model

    @property
    def name(self) -> str:
        return self._subject.checkpoint.name

    @property
    def prompts(self) -> str:
        return self._subject.prompts.name

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
        drawing: dict[str, Any] = {"do_sample": False}
        if temperature > 0:
            torch.manual_seed(seed)
            drawing = {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
        config = self._config(max_new_tokens, num_return_sequences=n if temperature > 0 else 1, **drawing)
        found = []
        for prompt in prompts:
            asked = self._subject.tokens([prompt])[0]
            rows = self._generate(asked, config)[:, len(asked) :].tolist()
            texts = [self._subject.vocabulary.text_after(asked, row) for row in rows]
            found.append(texts if len(texts) == n else texts * n)
        return found

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> FloatArray:
        config = self._config(1, do_sample=False, output_logits=True, return_dict_in_generate=True)
        rows = []
        for prompt in prompts:
            alone, *joined = self._subject.vocabulary.encode(
                [prompt] * (len(options) + 1),
                [self._subject.texts([prompt])[0] + option for option in ("", *options)],
            )
            logits = self._generate(alone, config).logits[0][0]
            firsts = [tokens[len(alone)] for tokens in joined]
            rows.append(logits.float().softmax(-1)[firsts].tolist())
        return np.array(rows, dtype=np.float64).reshape(len(prompts), len(options))

    def count_tokens(self, texts: Sequence[Prompt | str]) -> list[int]:
        raise NotImplementedError

    def _config(self, new_tokens: int, **others: Any) -> GenerationConfig:
        vocabulary = self._subject.vocabulary
        return GenerationConfig(
            max_new_tokens=new_tokens,
            eos_token_id=self._subject.stops or None,
            pad_token_id=vocabulary.pad,
            **others,
        )

    def _generate(self, tokens: Sequence[int], config: GenerationConfig) -> Any:
        ids = torch.tensor([tokens], device=self._subject.checkpoint.device)
        with torch.inference_mode(), quiet():
            return self._model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config
            )


class ReferenceVerifier:
    """All pairs of a call in one padded batch."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._columns = label_columns(checkpoint.model.config.id2label, checkpoint.name)

    @property
    def name(self) -> str:
        return self._checkpoint.name

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        premises, hypotheses = (list(side) for side in zip(*pairs, strict=True))
        given = self._checkpoint.tokenizer(premises, hypotheses, padding=True, return_tensors="pt")
        with torch.inference_mode(), quiet():
            logits = self._checkpoint.model(**given.to(self._checkpoint.device)).logits.float()
        scores: Probabilities = logits.softmax(dim=-1).cpu().numpy() @ self._columns
        return scores
