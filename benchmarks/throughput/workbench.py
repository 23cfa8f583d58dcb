"""The work of every section: the models, the prompts and their sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from transformers import GenerationConfig

from maieutic.benchmarks.throughput.clock import Clock
from maieutic.benchmarks.throughput.script import Script, write_script
from maieutic.checkpoints.loading import Checkpoint
from maieutic.config import REFERENCE, ElicitConfig
from maieutic.elicit import elicit
from maieutic.inference import Joint
from maieutic.inference.weights import EVERY_TERM
from maieutic.lm.base import Prompt
from maieutic.lm.local.model import TransformersLM
from maieutic.lm.local.tokens import Tokens, Vocabulary
from maieutic.nli.base import Pair
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts
from maieutic.relate import relate
from maieutic.tree import Tree

__all__ = ["PAIRS", "PROMPTS", "TEXTS", "Subject", "Workbench"]

# Per question, in the sections that measure them: prompts scored, texts drawn, pairs scored.
PROMPTS, TEXTS, PAIRS = {"cpu": 1, "cuda": 8}, {"cpu": 2, "cuda": 4}, 32


class Subject:
    """The language model that is measured, with its prompts, as each side needs it.

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
        """Maieutic's backend as after loading: it has not read the examples yet."""
        model = self.checkpoint.model
        self._use(self._attention)
        model.generation_config = deepcopy(self._generation)
        return TransformersLM(self.checkpoint)

    @contextmanager
    def plain(self) -> Iterator[None]:
        """The model as Transformers loads it, for other implementations."""
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
        """Makes every text reach its limit."""
        with self._biased(dict.fromkeys(self.stops, -math.inf)):
            yield

    @contextmanager
    def ending(self, mean: int) -> Iterator[None]:
        """Makes sampled texts end after ``mean`` tokens on average, at any token with equal probability.

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
        """Changes the logits themselves, so that every side sees the same model."""
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


@dataclass(frozen=True)
class Workbench:
    """The models, the sizes of the work, and the clock.

    Attributes:
        verifier: the opened checkpoint.
        questions: answered together, at least 2; the work of the other sections is proportional.
        new_tokens: of every text.
    """

    subject: Subject
    verifier: Checkpoint
    clock: Clock
    questions: int
    new_tokens: int

    @property
    def config(self) -> ElicitConfig:
        """The paper's, with a fixed length of texts."""
        return replace(REFERENCE, max_new_tokens=self.new_tokens)

    @cached_property
    def script(self) -> Script:
        """The scripted questions and replies."""
        return write_script(self.questions, self.subject.prompts, self.config)

    @cached_property
    def trees(self) -> list[Tree]:
        """The trees of the script, grown without a model."""
        prompts = self.subject.prompts
        grown = elicit(self.script.questions, self.script.model(prompts), prompts, self.config)
        return [growth.tree for growth in grown]

    def prompts(self, kind: str, count: int) -> list[Prompt]:
        """Different prompts of one kind from the script."""
        prompts = [prompt for prompt, known in self.script.kinds.items() if known == kind]
        assert len(prompts) >= count
        return prompts[:count]

    def pairs(self, count: int) -> list[Pair]:
        """Different pairs of the trees that inference has scored."""
        recorder = ScriptedVerifier(lambda _premise, _hypothesis: "neutral")
        relate(self.trees, recorder, Joint(EVERY_TERM))
        pairs = list(dict.fromkeys(recorder.pairs))
        assert len(pairs) >= count
        return pairs[:count]
