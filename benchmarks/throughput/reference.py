"""The calls of the reference implementation: an unbatched one for each request, nothing shared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig

from maieutic.benchmarks.throughput.workbench import Subject
from maieutic.lm.base import Completion, OptionScores, Prompt, SamplingParams
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

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        drawing: dict[str, Any] = {"do_sample": False}
        if not params.greedy:
            torch.manual_seed(params.seed)
            drawing = {
                "do_sample": True,
                "temperature": params.temperature,
                "top_p": params.top_p,
                "top_k": 0,
            }
        sequences = 1 if params.greedy else n
        config = self._config(params.max_new_tokens, num_return_sequences=sequences, **drawing)
        completions = []
        for prompt in prompts:
            given = self._subject.tokens([prompt])[0]
            rows = self._generate(given, config)[:, len(given) :].tolist()
            texts = [self._words.text_after(given, row) for row in rows]
            drawn = [Completion(text, len(given), length) for text, length in texts]
            completions.append(drawn * (n // sequences))
        return completions

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        config = self._config(1, do_sample=False, output_logits=True, return_dict_in_generate=True)
        rows, lengths = [], []
        for prompt in prompts:
            (text,) = self._words.render([prompt])
            texts = [text + option for option in ("", *options)]
            alone, *joined = self._words.encode([prompt] * len(texts), texts)
            logits = self._generate(alone, config).logits[0][0]
            firsts = [tokens[len(alone)] for tokens in joined]
            rows.append(logits.float().softmax(-1)[firsts].tolist())
            lengths.append(len(alone))
        probabilities = np.array(rows, dtype=np.float64).reshape(len(prompts), len(options))
        return OptionScores(probabilities, tuple(lengths))

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
