"""Causal language models in Transformers, on the CPU or on CUDA.

Every row of a batch has its own random numbers, derived from the seed, its prompt and its sample index. So a
text does not depend on the other prompts of its batch, except for rounding, which differs with the shape of
the batch. In float32 a draw changes only if it is within about 1e-6 of the boundary between two tokens, which
the tests have not seen; in bfloat16 and float16 a close draw sometimes changes.

The few-shot examples of each kind of prompt are read once (:mod:`maieutic.lm.local.prefixes`), and
:mod:`maieutic.lm.local.decoding` draws texts. Models without a cache of keys and values, or whose positions
cannot be set, use Transformers' own ``generate``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maieutic.checkpoints.loading import LANGUAGE_MODEL, Checkpoint, load_checkpoint
from maieutic.checkpoints.memory import TokenBudget
from maieutic.errors import InputError
from maieutic.lm.base import Completion, FloatArray, OptionScores, Prompt, SamplingParams
from maieutic.lm.known_words import words_in
from maieutic.lm.local.checks import Batches, check_model, check_options, run_batches
from maieutic.lm.local.decoding import Decoder, SampleRow, Stop
from maieutic.lm.local.examples import PrefixGroup, SharedExamples, shared_tokens
from maieutic.lm.local.prefixes import Prefix
from maieutic.lm.local.thinking import Thinker, ThoughtRequest
from maieutic.lm.local.tokens import Tokens, Vocabulary
from maieutic.prompts import builtin_names

__all__ = ["TransformersLM"]

BATCH_TOKENS = {"cpu": 8192, "cuda": 32768}  # of a batch, padding and new tokens included
CHOOSE_PROMPTS = 1024  # prompts tokenised at a time, to bound the memory


@dataclass(frozen=True, slots=True)
class _Continuation:
    """A prompt with an option; the last ``scored`` tokens belong to the option."""

    prompt: Prompt
    tokens: Tokens
    scored: int


class TransformersLM:
    """A language model in this process; see :class:`maieutic.lm.base.LanguageModel`.

    Args:
        checkpoint: the loaded model.
        batch_tokens: maximum number of tokens of a batch, padding and new tokens included; None for a default
            that suits the device. Halved when memory runs out.
        share_prefixes: whether to read shared few-shot examples once, if the model supports it.
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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

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
        """Load a model folder or hub id; see :func:`maieutic.checkpoints.loading.load_checkpoint`.

        Raises:
            InputError: the device or dtype is unknown or unavailable.
            ModelError: the model is missing, damaged or not a causal language model.
        """
        opened = load_checkpoint(name, LANGUAGE_MODEL, device=device, dtype=dtype, download=download)
        return cls(opened, batch_tokens)

    @property
    def name(self) -> str:
        """The folder or hub id, as given."""
        return self._checkpoint.name

    @property
    def prompts(self) -> str:
        """The set that the config names as ``prompt_set``, else "chat" with a chat template, else "paper"."""
        named = getattr(self._model.config, "prompt_set", None)
        if named in builtin_names():
            return str(named)
        return "chat" if self._vocabulary.has_chat_template else "paper"

    @property
    def device(self) -> str:
        """The model's device: "cpu", "cuda" or "cuda:N"."""
        return str(self._checkpoint.device)

    @property
    def dtype(self) -> str:
        """The number format: "float32", "bfloat16" or "float16"."""
        return self._checkpoint.dtype_name

    @cached_property
    def known_words(self) -> frozenset[str] | None:
        """The words that its folder lists as those of its training text; None without a list."""
        return words_in(self._checkpoint.folder)

    @property
    def fingerprint(self) -> str:
        """Identifies the model in a cache."""
        return self._checkpoint.fingerprint

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt; see :meth:`LanguageModel.sample`.

        Raises:
            ContextLengthError: a prompt and ``max_new_tokens`` do not fit the context window.
            ModelError: the model does not support the prompt's format.
        """
        distinct = list(dict.fromkeys(prompts))
        copies = min(n, 1) if params.greedy else n  # greedy texts are all the same
        texts = self._vocabulary.render(distinct)
        completions = self._thinker.complete(
            [
                ThoughtRequest(prompt, text, index)
                for prompt, text in zip(distinct, texts, strict=True)
                for index in range(copies)
            ],
            params,
        )
        samples = {
            prompt: completions[number * copies : (number + 1) * copies]
            for number, prompt in enumerate(distinct)
        }
        return [samples[prompt] if copies == n else samples[prompt] * n for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        """P(option | prompt), the product over its tokens; see :meth:`LanguageModel.choose`.

        A prompt is tokenised together with each option, because the two may share a token. The tokens that
        all these texts and the prompt alone have in common are the condition; the other tokens are scored.
        All options of one token together cost one forward pass per distinct prompt.

        Raises:
            InputError: an option is empty, or adds no token to a prompt.
            ContextLengthError: a prompt and its longest option do not fit the context window.
            ModelError: the model does not support the prompt's format.
        """
        if not all(options):
            raise InputError("an option is empty; every option must have a text", subject="options")
        distinct = list(dict.fromkeys(prompts))
        table: dict[Prompt, list[float]] = {}
        lengths: dict[Prompt, int] = {}
        for start in range(0, len(distinct), CHOOSE_PROMPTS):
            chunk = distinct[start : start + CHOOSE_PROMPTS]
            rendered = self._vocabulary.render(chunk)
            requests = [ThoughtRequest(prompt, text) for prompt, text in zip(chunk, rendered, strict=True)]
            thoughts = self._thinker.think(requests, SamplingParams(1))
            ready = [place for place, thought in enumerate(thoughts) if thought.text is not None]
            texts = [rendered[place] + str(thoughts[place].text) for place in ready]
            able = [chunk[place] for place in ready]
            continuations, counts = self._continuations(able, texts, options)
            scores = self._score(continuations).reshape(len(able), len(options))
            # An answer that never came has no probability.
            table.update(dict.fromkeys(chunk, [-np.inf] * len(options)))
            lengths.update({one: thought.tokens for one, thought in zip(chunk, thoughts, strict=True)})
            table.update(zip(able, scores.tolist(), strict=True))
            lengths.update(zip(able, counts, strict=True))
        logs = np.array([table[prompt] for prompt in prompts], dtype=np.float64)
        probabilities = np.exp(logs).reshape(len(prompts), len(options))
        return OptionScores(probabilities, tuple(lengths[prompt] for prompt in prompts))

    def _draw(
        self, prompts: Sequence[Prompt], rows: Sequence[SampleRow], params: SamplingParams, stop: Stop
    ) -> list[list[int]]:
        """The new tokens of each row, with the token that ended it, if any."""
        new: dict[int, list[int]] = {}
        for group in self._groups([row.tokens for row in rows], prompts, [1] * len(rows)):
            own = [SampleRow(rows[row].tokens[group.start :], rows[row].uniforms) for row in group.rows]

            def work(batch: list[int], group: PrefixGroup = group, own: list[SampleRow] = own) -> None:
                samples = [own[index] for index in batch]
                if self._decoder.can_draw:
                    drawn = self._decoder.draw(samples, params, group.prefix, stop)
                else:
                    from maieutic.lm.local.generate import generate  # noqa: PLC0415 - loads Transformers

                    drawn = generate(self._checkpoint, self._vocabulary, samples, params, stop)
                new.update(zip((group.rows[index] for index in batch), drawn, strict=True))

            self._run([len(row.tokens) + params.max_new_tokens for row in own], work)
        return [new[row] for row in range(len(rows))]

    def _run(self, lengths: Sequence[int], work: Callable[[list[int]], None]) -> None:
        run_batches(self._budget, self._checked[1], lengths, work)

    def _continuations(
        self, prompts: list[Prompt], texts: Sequence[str], options: Sequence[str]
    ) -> tuple[list[_Continuation], list[int]]:
        """Every prompt with every option, prompt by prompt, and the number of tokens of each prompt.

        Args:
            texts: of the prompts, with the model's thoughts.
        """
        joined = [text + option for text in texts for option in ("", *options)]
        owners = [prompt for prompt in prompts for _ in ("", *options)]
        encoded = self._vocabulary.encode(owners, joined)
        continuations: list[_Continuation] = []
        lengths = []
        for row, prompt in enumerate(prompts):
            group = encoded[row * (len(options) + 1) :][: len(options) + 1]
            self._vocabulary.check_window(prompt, max(map(len, group)), 0)
            lengths.append(len(group[0]))
            # A text's first token has no condition, so it is not scored.
            shared = max(1, shared_tokens(group))
            continuations += [_Continuation(prompt, tokens, len(tokens) - shared) for tokens in group[1:]]
        if any(item.scored < 1 for item in continuations):
            problem = f"one of the options {list(options)} adds no token to the prompt; change it"
            raise InputError(problem, subject="options")
        if prompts:
            check_options(self._vocabulary, encoded[0], encoded[1 : len(options) + 1], options)
        return continuations, lengths

    def _score(self, continuations: list[_Continuation]) -> FloatArray:
        """log P (nats) of each continuation's option; float64 (continuations,)."""
        # The last token is predicted and not read, so that options of one token share a row.
        by_row: dict[Tokens, list[int]] = {}
        for index, item in enumerate(continuations):
            by_row.setdefault(item.tokens[:-1], []).append(index)
        rows, owned = list(by_row), list(by_row.values())
        scores = np.zeros(len(continuations))
        prompts = [continuations[indices[0]].prompt for indices in owned]
        own = [max(continuations[index].scored for index in indices) for indices in owned]
        for group in self._groups(rows, prompts, own):

            def work(batch: list[int], group: PrefixGroup = group) -> None:
                chosen = [group.rows[index] for index in batch]
                tokens = [rows[row][group.start :] for row in chosen]
                options = [[continuations[index] for index in owned[row]] for row in chosen]
                scores[[index for row in chosen for index in owned[row]]] = self._option_scores(
                    tokens, options, group.prefix
                )

            self._run([len(rows[row]) - group.start for row in group.rows], work)
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
        self, rows: Sequence[Tokens], prompts: Sequence[Prompt], own: Sequence[int]
    ) -> Iterable[PrefixGroup]:
        """The rows by their shared examples; one group if sharing is switched off."""
        if self._examples is None:
            return [PrefixGroup(None, list(range(len(rows))))] if rows else []
        return self._examples.groups(rows, prompts, own)

    @property
    def _decoder(self) -> Decoder:
        return self._checked[0]

    @cached_property
    def _checked(self) -> tuple[Decoder, Batches]:
        """The decoder, and which prompts may share a batch, tried before the model's first answer."""
        decoder = Decoder(self._checkpoint, self._vocabulary.pad)
        return decoder, check_model(self._checkpoint, self._vocabulary, decoder)

    @cached_property
    def _thinker(self) -> Thinker:
        return Thinker(self.name, self._vocabulary, self._draw)
