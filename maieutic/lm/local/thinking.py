"""Lets models that think first finish their thoughts, so that no thought is taken for an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from maieutic.errors import ModelError
from maieutic.lm.base import Completion, Prompt, SamplingParams
from maieutic.lm.local.decoding import SampleRow, Stop, sample_uniforms
from maieutic.lm.local.tokens import Tokens, Vocabulary
from maieutic.lm.thoughts import TAGS, Tags, begun_thought, may_begin_thought

__all__ = ["THOUGHT_TOKENS", "Draw", "Thinker", "Thought", "ThoughtEnd", "ThoughtRequest"]

THOUGHT_TOKENS = 1024  # token limit of a thought; most answers to yes/no questions need fewer

# Draws new tokens after prompts, given with their rows.
Draw = Callable[[Sequence[Prompt], Sequence[SampleRow], SamplingParams, Stop], list[list[int]]]

_TRIAL = Prompt("chat", "", (), "Is ice cold?")
_TAIL = 32  # tokens in which the end of a thought is looked for; tags are shorter
_TRIAL_TOKENS = 12  # enough for the opening tag of a thought
_NOTICE = f"it thinks first; a thought may take {THOUGHT_TOKENS} tokens, and the answer is read after it"


@dataclass(frozen=True, slots=True)
class ThoughtRequest:
    """A prompt, its text, and the index of the sample that is drawn."""

    prompt: Prompt
    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model thought before its answer.

    Attributes:
        text: with its tags and the space after it; "" for no thought, None for one that did not end.
        tokens: drawn for it.
    """

    text: str | None = ""
    tokens: int = 0


class ThoughtEnd:
    """The rule that ends the drawing of a thought: the first word after it, or that there is none.

    Args:
        tags: of the thought that the prompt opened; None where the model opens it itself, if at all.
        ends: tokens that end everything.
        decode: the text of tokens, special ones included.
    """

    def __init__(
        self, tags: Tags | None, ends: frozenset[int], decode: Callable[[Sequence[int]], str]
    ) -> None:
        self._tags, self._ends, self._decode = tags, ends, decode

    def __call__(self, new: Sequence[int]) -> bool:
        if new[-1] in self._ends:
            return True
        if self._tags is None and len(new) <= _TAIL and not may_begin_thought(self._decode(new)):
            return True
        tail = self._decode(new[-_TAIL:])
        closings = [self._tags.closing] if self._tags else [tags.closing for tags in TAGS]
        return any(tail.partition(closing)[2].strip() for closing in closings)

    def thought(self, new: Sequence[int]) -> str | None:
        """The thought in the new tokens, its closing tag and the space after it included.

        Returns:
            "" where the model did not think; None for a thought without an end.
        """
        text = self._decode([token for token in new if token not in self._ends])
        tags = self._tags or begun_thought(text)
        if tags is None:
            return ""
        before, closing, after = text.partition(tags.closing)
        return before + closing + after[: len(after) - len(after.lstrip())] if closing else None


class Thinker:
    """Draws the thoughts of one model.

    Args:
        name: the model's, for messages.
        draw: draws tokens.
    """

    def __init__(self, name: str, vocabulary: Vocabulary, draw: Draw) -> None:
        self._name, self._vocabulary, self._draw = name, vocabulary, draw

    def begins(self, new: Sequence[int]) -> bool:
        """Whether a text of these tokens begins with a thought."""
        return begun_thought(self._vocabulary.decode(new[:_TRIAL_TOKENS])) is not None

    def complete(
        self, requests: Sequence[ThoughtRequest], params: SamplingParams, *, begun: bool = False
    ) -> list[Completion]:
        """The completion of each request after its thought; empty where the thought does not end.

        A thought that comes unexpected is drawn again, to its end.

        Args:
            begun: whether the model is known to begin a thought after each request.

        Raises:
            ContextLengthError: a prompt, its thought and its answer do not fit the context window.
            ModelError: no thought of several prompts came to an end.
        """
        thoughts = self.think(requests, params, begun=begun)
        completions = [Completion("", 0, thought.tokens) for thought in thoughts]
        ready = [place for place, thought in enumerate(thoughts) if thought.text is not None]
        prompts = [requests[place].prompt for place in ready]
        texts = [f"{requests[place].text}{thoughts[place].text}" for place in ready]
        encoded = self._vocabulary.encode(prompts, texts)
        rows = [
            self._row(requests[place], tokens, params) for place, tokens in zip(ready, encoded, strict=True)
        ]
        drawn = self._draw(prompts, rows, params, self._vocabulary.ends_text)
        late = []
        for place, row, new in zip(ready, rows, drawn, strict=True):
            if self.begins(new):
                late.append(place)
                continue
            marks = self._vocabulary.marks(requests[place].prompt)
            text, length = self._vocabulary.text_after(row.tokens, new, marks)
            completions[place] = Completion(text, len(row.tokens), thoughts[place].tokens + length)
        if late and not begun:
            again = self.complete([requests[place] for place in late], params, begun=True)
            for place, completion in zip(late, again, strict=True):
                completions[place] = completion
        return completions

    def _row(self, request: ThoughtRequest, tokens: Tokens, params: SamplingParams) -> SampleRow:
        self._vocabulary.check_window(request.prompt, len(tokens), params.max_new_tokens)
        numbers = None if params.greedy else sample_uniforms(params, request.text, request.index)
        return SampleRow(tokens, numbers)

    def think(
        self, requests: Sequence[ThoughtRequest], params: SamplingParams, *, begun: bool = False
    ) -> list[Thought]:
        """The thought before each answer; an empty one where the model does not think first.

        Args:
            params: of the answers; thoughts are drawn in the same way, with random numbers of their own.
            begun: whether the model is known to begin a thought after each prompt.

        Raises:
            ContextLengthError: a prompt, its thought and its answer do not fit the context window.
            ModelError: no thought of several prompts came to an end.
        """
        thoughts = [Thought()] * len(requests)
        groups: dict[Tags | None, list[int]] = {}
        for place, request in enumerate(requests):
            opened = self._opened(request)
            if begun or opened is not None or self._expects(request.prompt):
                groups.setdefault(opened, []).append(place)
        for tags, places in groups.items():
            self._vocabulary.template.notice(_NOTICE)
            drawn = self._thoughts([requests[place] for place in places], params, tags)
            for place, thought in zip(places, drawn, strict=True):
                thoughts[place] = thought
        if groups and all(thought.text is None for thought in thoughts):
            raise ModelError(
                f"{self._name} thinks first, and no thought ended within {THOUGHT_TOKENS} tokens; use "
                "a model that answers at once, or one whose chat template can switch thinking off",
                subject=self._name,
            )
        return thoughts

    def _thoughts(
        self, requests: Sequence[ThoughtRequest], params: SamplingParams, tags: Tags | None
    ) -> list[Thought]:
        own = replace(params, max_new_tokens=THOUGHT_TOKENS)
        prompts = [request.prompt for request in requests]
        encoded = self._vocabulary.encode(prompts, [request.text for request in requests])
        rows = []
        for request, tokens in zip(requests, encoded, strict=True):
            needed = THOUGHT_TOKENS + params.max_new_tokens
            self._vocabulary.check_window(request.prompt, len(tokens), needed)
            rows.append(self._row(replace(request, text=f"{request.text}\0thought"), tokens, own))
        rule = ThoughtEnd(tags, frozenset(self._vocabulary.eos), self._vocabulary.decode)
        new = self._draw(prompts, rows, own, rule)
        return [Thought(rule.thought(tokens), len(tokens)) for tokens in new]

    def _opened(self, request: ThoughtRequest) -> Tags | None:
        if request.prompt.format == "text":
            return None
        return self._vocabulary.template.opened_thought(request.prompt, request.text)

    def _expects(self, prompt: Prompt) -> bool:
        """Whether the model is likely to begin a thought after a prompt."""
        return prompt.format == "chat" and not prompt.opening and self._begins_by_itself

    @cached_property
    def _begins_by_itself(self) -> bool:
        """Whether the likeliest reply to a trial question begins with a thought."""
        (text,) = self._vocabulary.render([_TRIAL])
        (tokens,) = self._vocabulary.encode([_TRIAL], [text])
        if not self._vocabulary.fits(len(tokens) + _TRIAL_TOKENS):
            return False
        rule = ThoughtEnd(None, frozenset(self._vocabulary.eos), self._vocabulary.decode)
        params = SamplingParams(_TRIAL_TOKENS)
        (new,) = self._draw([_TRIAL], [SampleRow(tokens, None)], params, rule)
        return self.begins(new)
