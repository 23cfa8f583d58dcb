"""Converts prompts to tokens and tokens to text: rendering, encoding, the context window, decoding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any

from jinja2 import TemplateError

from maieutic.checkpoints.loading import Checkpoint, shortened
from maieutic.errors import ContextLengthError, ModelError
from maieutic.lm.base import Prompt

__all__ = ["Tokens", "Vocabulary"]

Tokens = tuple[int, ...]


class Vocabulary:
    """The tokenizer of a language model.

    Attributes:
        size: number of tokens that the model has embeddings for.
        ends: tokens that end a text; may be empty.
        pad: the padding token; it is always masked.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._name, self._window = checkpoint.name, checkpoint.window
        self._tokenizer = checkpoint.tokenizer
        self.size = int(checkpoint.model.get_input_embeddings().weight.shape[0])
        defaults = checkpoint.model.generation_config
        ends = defaults.eos_token_id
        ends = self._tokenizer.eos_token_id if ends is None else ends
        self.ends: list[int] = [ends] if isinstance(ends, int) else list(ends or [])
        pads = (defaults.pad_token_id, self._tokenizer.pad_token_id, *self.ends, 0)
        self.pad = next(pad for pad in pads if pad is not None and 0 <= pad < self.size)

    @property
    def has_chat_template(self) -> bool:
        """Whether chat prompts can be rendered."""
        return bool(self._tokenizer.chat_template)

    @cached_property
    def newlines(self) -> list[int]:
        """The tokens whose text contains a newline."""
        count = min(len(self._tokenizer), self.size)
        texts = self._tokenizer.batch_decode([[token] for token in range(count)])
        return [token for token, text in enumerate(texts) if "\n" in text]

    def render(self, prompts: Sequence[Prompt]) -> list[str]:
        """The text of each prompt, which the model continues.

        A chat prompt is rendered with the tokenizer's chat template, without reasoning ("thinking") if the
        template can switch it off; the opening is the beginning of an unfinished assistant message. If the
        template rejects a system message, the instruction moves to the start of the first user message.

        Raises:
            ModelError: the tokenizer has no chat template, or the template rejects a chat prompt.
        """
        return [self._render(prompt) for prompt in prompts]

    def _render(self, prompt: Prompt) -> str:
        if prompt.format == "text":
            return prompt.text()
        if not self.has_chat_template:
            problem = f'{self._name} has no chat template; use the "paper" prompt set, which is plain text'
            raise ModelError(problem, subject=self._name)
        try:
            return _apply_template(prompt, self._tokenizer, prompt.messages())
        except (TemplateError, ValueError) as error:
            try:
                return _apply_template(prompt, self._tokenizer, _without_system(prompt.messages()))
            except (TemplateError, ValueError):
                raise ModelError(
                    f'the chat template of {self._name} rejects the prompt "{shortened(prompt.query)}" '
                    f'({error}); use the "paper" prompt set',
                    subject=self._name,
                ) from error

    def encode(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each prompt's text; a chat template already contains the special tokens.

        Raises:
            ModelError: the tokenizer has tokens that the model lacks.
        """
        encoded: list[Tokens] = [()] * len(texts)
        for kind in {prompt.format for prompt in prompts}:
            indices = [index for index, prompt in enumerate(prompts) if prompt.format == kind]
            rows = self._tokenizer(
                [texts[index] for index in indices],
                add_special_tokens=kind == "text",
                return_attention_mask=False,
                verbose=False,
            )["input_ids"]
            for index, row in zip(indices, rows, strict=True):
                # Some tokenizers append an end token, but the model must continue the text.
                ended = kind == "text" and row and row[-1] in self.ends
                encoded[index] = tuple(row[:-1] if ended else row)
        if max(map(max, filter(None, encoded)), default=0) >= self.size:
            raise ModelError(
                f"the tokenizer of {self._name} has tokens that the model lacks, so it belongs to another "
                "model; save the model with its own tokenizer",
                subject=self._name,
            )
        return encoded

    def check_window(self, prompt: Prompt, length: int, new_tokens: int) -> None:
        """Check that a prompt fits the context window.

        Args:
            length: tokens of the prompt, with its longest option if one is scored.
            new_tokens: tokens to draw; 0 if options are scored.

        Raises:
            ContextLengthError: it does not fit.
        """
        window = self._window
        if window is not None and length + new_tokens > window:
            more = f" and needs {new_tokens} new ones" if new_tokens else " with its option"
            raise ContextLengthError(
                f'the prompt "{shortened(prompt.query)}" has {length} tokens{more}, but the context window '
                f"of {self._name} holds {window}; shorten it, or use a model with a larger window",
                subject=self._name,
            )

    def text_after(self, prompt: Tokens, new: Sequence[int]) -> tuple[str, int]:
        """The text of new tokens up to the first end token or newline, with its leading space.

        Returns:
            the text, and its number of tokens. The token that ended the text counts only if it contains some
            of the text.
        """
        text_tokens = list(takewhile(lambda token: token not in self.ends, new))
        # Some tokenizers drop the space before a first word, so decode the last token of the prompt with it.
        before, both = (
            self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            for tokens in (prompt[-1:], [*prompt[-1:], *text_tokens])
        )
        if not both.startswith(before):  # a character is split between prompt and text
            before, both = "", self._tokenizer.decode(text_tokens, skip_special_tokens=True)
        return str(both[len(before) :]).partition("\n")[0], self._length(text_tokens)

    def _length(self, tokens: Sequence[int]) -> int:
        """The number of tokens of the text before the first newline."""
        for index, token in enumerate(tokens):
            if token in self._newline_tokens:
                start = self._tokenizer.decode([token]).partition("\n")[0]
                return index + bool(start)
        return len(tokens)

    @cached_property
    def _newline_tokens(self) -> frozenset[int]:
        return frozenset(self.newlines)


def _apply_template(prompt: Prompt, tokenizer: Any, messages: list[dict[str, str]]) -> str:
    if not prompt.opening:
        return str(
            tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        )
    # A template may trim its messages, so the opening's trailing space is appended afterwards.
    opening = prompt.opening.rstrip()
    text = tokenizer.apply_chat_template(
        [*messages, {"role": "assistant", "content": opening}],
        tokenize=False,
        continue_final_message=True,
        enable_thinking=False,
    )
    return str(text) + prompt.opening[len(opening) :]


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    if messages[0]["role"] != "system":
        return messages
    instruction, first, *others = messages
    merged = {"role": "user", "content": f"{instruction['content']}\n\n{first['content']}"}
    return [merged, *others]
