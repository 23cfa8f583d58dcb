"""Any causal language model that Transformers can open, on the processor or on CUDA.

Every row of a batch brings its own random numbers, derived from the seed, its prompt and its sample
index, so that a text is the same whichever prompts share the batch. What remains is rounding, which
differs with a batch's shape: in float32 a draw would have to fall within some 1e-6 of the line between
two tokens to change, which the tests have not seen; in bfloat16 and float16 a close call does now and
then fall the other way.

The few-shot examples of each kind of prompt are read once (:mod:`maieutic.lm.local.prefixes`), and texts are
drawn by :mod:`maieutic.lm.local.decoding`; models that remember otherwise than by keys and values, or whose
positions cannot be set, are left to Transformers' own ``generate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from transformers import GenerationConfig

from maieutic.checkpoints.loading import LANGUAGE_MODEL, Checkpoint, load_checkpoint
from maieutic.checkpoints.memory import TokenBudget
from maieutic.errors import InputError
from maieutic.lm.base import Completion, FloatArray, OptionScores, Prompt, SamplingParams
from maieutic.lm.local.decoding import Decoder, Row
from maieutic.lm.local.examples import Group, SharedExamples, shared_tokens
from maieutic.lm.local.generate import generate
from maieutic.lm.local.prefixes import Prefix
from maieutic.lm.local.sampling import uniforms
from maieutic.lm.local.tokens import Tokens, Vocabulary
from maieutic.prompts import builtin_names

__all__ = ["TransformersLM"]

BATCH_TOKENS = {"cpu": 8192, "cuda": 32768}  # of a batch, padding and new tokens included
CHOOSE_PROMPTS = 1024  # prompts tokenised at a time, so that 100,000 long prompts fit in memory


@dataclass(frozen=True, slots=True)
class _Continuation:
    """A prompt with an option; the last ``scored`` of the tokens are the option's."""

    prompt: Prompt
    tokens: Tokens
    scored: int


class TransformersLM:
    """A language model in this process; see :class:`maieutic.lm.base.LanguageModel`.

    Args:
        checkpoint: the opened model.
        batch_tokens: most tokens of a batch, padding and new tokens included; None for a value that
            suits the device. Halved when memory runs out.
        share_prefixes: read the few-shot part of prompts once, where the model can.
    """

    def __init__(
        self, checkpoint: Checkpoint, batch_tokens: int | None = None, *, share_prefixes: bool = True
    ) -> None:
        self._checkpoint = checkpoint
        self._model = checkpoint.model
        if batch_tokens is None:
            self._budget = TokenBudget.fitting(BATCH_TOKENS[checkpoint.device.type], checkpoint)
        else:
            self._budget = TokenBudget(batch_tokens, checkpoint.name, checkpoint.device)
        self._vocabulary = Vocabulary(checkpoint)
        self._examples = SharedExamples(checkpoint, self._vocabulary) if share_prefixes else None
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
        """Open a model folder or hub id; see :func:`maieutic.checkpoints.loading.load_checkpoint`.

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

    @property
    def fingerprint(self) -> str:
        """What a cache knows its answers by."""
        return self._checkpoint.fingerprint

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt; see :meth:`LanguageModel.sample`.

        Raises:
            ContextLengthError: a prompt and ``max_new_tokens`` do not fit the model's window.
            ModelError: the model cannot use the prompt's format.
        """
        distinct = list(dict.fromkeys(prompts))
        copies = min(n, 1) if params.greedy else n  # greedy texts are all the same
        rows = self._rows(distinct, copies, params)
        owners = [prompt for prompt in distinct for _ in range(copies)]
        drawn: dict[int, Completion] = {}  # by the row's place
        for group in self._groups([row.tokens for row in rows], owners, [1] * len(rows)):
            self._draw(group, rows, params, drawn)
        groups = {
            prompt: [drawn[place * copies + index] for index in range(copies)]
            for place, prompt in enumerate(distinct)
        }
        return [groups[prompt] if copies == n else groups[prompt] * n for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
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
        lengths: dict[Prompt, int] = {}
        for start in range(0, len(distinct), CHOOSE_PROMPTS):
            chunk = distinct[start : start + CHOOSE_PROMPTS]
            continuations, counts = self._continuations(chunk, options)
            scores = self._score(continuations).reshape(len(chunk), len(options))
            table.update(zip(chunk, scores.tolist(), strict=True))
            lengths.update(zip(chunk, counts, strict=True))
        chosen = np.array([table[prompt] for prompt in prompts], dtype=np.float64)
        probabilities = np.exp(chosen).reshape(len(prompts), len(options))
        return OptionScores(probabilities, tuple(lengths[prompt] for prompt in prompts))

    def _rows(self, prompts: list[Prompt], copies: int, params: SamplingParams) -> list[Row]:
        """``copies`` rows for each prompt, prompt by prompt."""
        texts = self._vocabulary.render(prompts)
        rows: list[Row] = []
        for prompt, text, tokens in zip(prompts, texts, self._vocabulary.encode(prompts, texts), strict=True):
            self._vocabulary.check_window(prompt, len(tokens), params.max_new_tokens)
            for index in range(copies):
                drawn = None if params.greedy else uniforms(params, text, index)
                rows.append(Row(tokens, drawn))
        return rows

    def _draw(
        self, group: Group, rows: list[Row], params: SamplingParams, drawn: dict[int, Completion]
    ) -> None:
        """Fill in the completions of a group's rows."""
        own = [Row(rows[place].tokens[group.start :], rows[place].uniforms) for place in group.places]

        def work(batch: list[int]) -> None:
            asked = [own[index] for index in batch]
            if self._decoder.draws:
                new = self._decoder.draw(asked, params, group.prefix)
            else:
                new = generate(self._checkpoint, self._vocabulary, asked, params)
            for index, tokens in zip(batch, new, strict=True):
                place = group.places[index]
                read = rows[place].tokens
                text, length = self._vocabulary.text_after(read, tokens)
                drawn[place] = Completion(text, len(read), length)

        self._budget.run([len(row.tokens) + params.max_new_tokens for row in own], work)

    def _continuations(
        self, prompts: list[Prompt], options: Sequence[str]
    ) -> tuple[list[_Continuation], list[int]]:
        """Every prompt with every option, prompt by prompt; and the number of tokens of each prompt."""
        texts = self._vocabulary.render(prompts)
        joined = [text + option for text in texts for option in ("", *options)]
        owners = [prompt for prompt in prompts for _ in ("", *options)]
        encoded = self._vocabulary.encode(owners, joined)
        continuations: list[_Continuation] = []
        lengths = []
        for row, prompt in enumerate(prompts):
            group = encoded[row * (len(options) + 1) :][: len(options) + 1]
            self._vocabulary.check_window(prompt, max(map(len, group)), 0)
            lengths.append(len(group[0]))
            # A text's first token has no condition and goes unscored.
            shared = max(1, shared_tokens(group))
            continuations += [_Continuation(prompt, tokens, len(tokens) - shared) for tokens in group[1:]]
        if any(item.scored < 1 for item in continuations):
            raise InputError(f"an option among {list(options)} adds no token to the prompt; change it")
        return continuations, lengths

    def _score(self, continuations: list[_Continuation]) -> FloatArray:
        """log P (nats) of each continuation's option; float64 (continuations,)."""
        # A last token is predicted, not read, so that options of one token share one row.
        asked: dict[Tokens, list[int]] = {}
        for index, item in enumerate(continuations):
            asked.setdefault(item.tokens[:-1], []).append(index)
        rows, owned = list(asked), list(asked.values())
        scores = np.zeros(len(continuations))
        prompts = [continuations[indices[0]].prompt for indices in owned]
        last = [max(continuations[index].scored for index in indices) for indices in owned]
        for group in self._groups(rows, prompts, last):

            def work(batch: list[int], group: Group = group) -> None:
                places = [group.places[index] for index in batch]
                own = [rows[place][group.start :] for place in places]
                options = [[continuations[index] for index in owned[place]] for place in places]
                scores[[index for place in places for index in owned[place]]] = self._option_scores(
                    own, options, group.prefix
                )

            self._budget.run([len(rows[place]) - group.start for place in group.places], work)
        return scores

    def _option_scores(
        self, rows: list[Tokens], options: list[list[_Continuation]], prefix: Prefix | None
    ) -> FloatArray:
        """log P (nats) of the options of each row, row by row; one forward pass."""
        flat = [(line, item) for line, items in enumerate(options) for item in items]
        lines = [line for line, item in flat for _ in range(item.scored)]
        steps = [step for _, item in flat for step in range(-item.scored, 0)]  # from the right edge
        targets = [token for _, item in flat for token in item.tokens[-item.scored :]]
        owners = [number for number, (_, item) in enumerate(flat) for _ in range(item.scored)]
        logs = self._decoder.log_probabilities(rows, -min(steps), prefix)
        scored = logs[lines, steps, targets].double().cpu().numpy()
        return np.asarray(np.bincount(owners, scored), dtype=np.float64)

    def _groups(
        self, rows: Sequence[Tokens], prompts: Sequence[Prompt], last: Sequence[int]
    ) -> Iterable[Group]:
        """The rows by what they share; all in one group where nothing is shared."""
        if self._examples is None:
            return [Group(None, list(range(len(rows))))] if rows else []
        return self._examples.groups(rows, prompts, last)

    @cached_property
    def _decoder(self) -> Decoder:
        stops = [*self._vocabulary.ends, *self._vocabulary.newlines]
        return Decoder(self._checkpoint, self._vocabulary.pad, stops)
