"""The language model that is measured, as each side needs it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from transformers import GenerationConfig

from maieutic.checkpoints.loading import Checkpoint
from maieutic.lm.base import Prompt
from maieutic.lm.local.model import TransformersLM
from maieutic.lm.local.tokens import Tokens, Vocabulary
from maieutic.prompts import load_prompts

__all__ = ["Subject"]


class Subject:
    """A language model and the prompts it is asked with.

    Args:
        prompts: a prompt set's name or file, or "auto" for the one that suits the model.
        random: whether its weights are random.

    Raises:
        InputError: the prompt set cannot be used.
    """

    def __init__(self, checkpoint: Checkpoint, prompts: str, *, random: bool) -> None:
        self.checkpoint, self.random = checkpoint, random
        self.vocabulary = Vocabulary(checkpoint)
        self._attention = str(checkpoint.model.config._attn_implementation)
        self._generation = deepcopy(checkpoint.model.generation_config)
        self.prompts = load_prompts(self.fresh().prompts if prompts == "auto" else prompts)

    @property
    def stops(self) -> list[int]:
        """The tokens that end a text, newlines among them."""
        return sorted({*self.vocabulary.ends, *self.vocabulary.newlines})

    def fresh(self) -> TransformersLM:
        """Our backend as it is after loading: it has read no examples yet."""
        model = self.checkpoint.model
        self._use(self._attention)
        model.generation_config = deepcopy(self._generation)
        return TransformersLM(self.checkpoint)

    @contextmanager
    def plain(self) -> Iterator[None]:
        """The model as Transformers loads it, for other people's code."""
        model = self.checkpoint.model
        ours = model.config._attn_implementation, model.generation_config
        self._use(self._attention)
        model.generation_config = GenerationConfig()
        try:
            yield
        finally:
            self._use(ours[0])
            model.generation_config = ours[1]

    def tokens(self, prompts: Sequence[Prompt]) -> list[Tokens]:
        """The prompts' tokens."""
        return self.vocabulary.encode(prompts, self.vocabulary.render(prompts))

    @contextmanager
    def endless(self) -> Iterator[None]:
        """No text ends before its limit."""
        with self._biased(dict.fromkeys(self.stops, -math.inf)):
            yield

    @contextmanager
    def ending(self, mean: int) -> Iterator[None]:
        """Sampled texts end at any token with about the same probability, after some ``mean`` tokens.

        Only for random weights, whose next tokens are all about equally likely.
        """
        newline = self.vocabulary.newlines[0]
        chance = torch.Generator().manual_seed(0)
        row = torch.randint(self.vocabulary.size, (1, 64), generator=chance).to(self.checkpoint.device)
        with self.plain(), torch.inference_mode():
            logits = self.checkpoint.model(input_ids=row).logits[0].float()
        lacking = float((logits.logsumexp(-1) - logits[:, newline]).mean()) - math.log(mean - 1)
        with self._biased(dict.fromkeys(self.stops, -math.inf) | {newline: lacking}):
            yield

    @contextmanager
    def _biased(self, bias: dict[int, float]) -> Iterator[None]:
        """Every side sees the same model, so the logits themselves are changed."""
        device = self.checkpoint.device
        places = torch.tensor(list(bias), device=device)
        added = torch.tensor(list(bias.values()), device=device, dtype=self.checkpoint.dtype)

        def add(_module: Any, _given: Any, logits: torch.Tensor) -> torch.Tensor:
            logits[..., places] += added
            return logits

        handle = self.checkpoint.model.get_output_embeddings().register_forward_hook(add)
        try:
            yield
        finally:
            handle.remove()

    def _use(self, attention: str) -> None:
        if self.checkpoint.model.config._attn_implementation != attention:
            self.checkpoint.model.set_attn_implementation(attention)
