"""The way of the published reference: one unbatched call for each request, nothing shared between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig

from maieutic.benchmarks.throughput.subject import Subject
from maieutic.lm.base import FloatArray, Prompt
from maieutic.lm.local.model import TransformersLM

__all__ = ["ReferenceLM"]


class ReferenceLM(TransformersLM):
    """One of Transformers' ``generate`` calls for each request.

    The samples of one prompt are one call, with as many sequences returned. A verdict is a call for one
    token, whose probabilities are read; the options must differ in their first tokens.
    """

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject.checkpoint, share_prefixes=False)
        self._subject, self._words = subject, subject.vocabulary

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
        sequences = n if temperature > 0 else 1
        config = self._config(max_new_tokens, num_return_sequences=sequences, **drawing)
        found = []
        for prompt in prompts:
            asked = self._subject.tokens([prompt])[0]
            rows = self._generate(asked, config)[:, len(asked) :].tolist()
            texts = [self._words.text_after(asked, row) for row in rows]
            found.append(texts * (n // sequences))
        return found

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> FloatArray:
        config = self._config(1, do_sample=False, output_logits=True, return_dict_in_generate=True)
        rows = []
        for prompt in prompts:
            (text,) = self._words.render([prompt])
            texts = [text + option for option in ("", *options)]
            alone, *joined = self._words.encode([prompt] * len(texts), texts)
            logits = self._generate(alone, config).logits[0][0]
            firsts = [tokens[len(alone)] for tokens in joined]
            rows.append(logits.float().softmax(-1)[firsts].tolist())
        return np.array(rows, dtype=np.float64).reshape(len(prompts), len(options))

    def _config(self, new_tokens: int, **others: Any) -> GenerationConfig:
        return GenerationConfig(
            max_new_tokens=new_tokens,
            eos_token_id=self._subject.stops or None,
            pad_token_id=self._words.pad,
            **others,
        )

    def _generate(self, tokens: Sequence[int], config: GenerationConfig) -> Any:
        ids = torch.tensor([tokens], device=self._subject.checkpoint.device)
        with torch.inference_mode():
            return self._model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config
            )
