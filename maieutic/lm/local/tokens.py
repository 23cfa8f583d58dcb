"""Converts prompts to tokens and tokens to text: rendering, encoding, the context window, decoding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from os.path import commonprefix
from typing import Any

from maieutic.checkpoints.loading import Checkpoint, shortened
from maieutic.errors import ContextLengthError, ModelError
from maieutic.lm.base import Prompt
from maieutic.lm.local.chat_template import ChatTemplate

__all__ = ["Tokens", "Vocabulary"]

Tokens = tuple[int, ...]


class Vocabulary:
    """The tokenizer of a language model.

    Attributes:
        name: the model's name.
        size: number of tokens that the model has embeddings for.
        template: the tokenizer's chat template.
        eos: tokens that end everything, as the configurations and the tokenizer name them; may be empty.
        pad: the padding token; it is always masked.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.name, self._window = checkpoint.name, checkpoint.window
        self._tokenizer = checkpoint.tokenizer
        self.size = int(checkpoint.model.get_input_embeddings().weight.shape[0])
        self.template = ChatTemplate(self._tokenizer, self.name)
        defaults = checkpoint.model.generation_config
        named = (
            defaults,
            checkpoint.model.config,
            checkpoint.model.config.get_text_config(),
            self._tokenizer,
        )
        self.eos: list[int] = self._known(*(getattr(source, "eos_token_id", None) for source in named))
        pads = (defaults.pad_token_id, self._tokenizer.pad_token_id, *self.eos, 0)
        self.pad = next(pad for pad in pads if isinstance(pad, int) and 0 <= pad < self.size)

    def _known(self, *named: Any) -> list[int]:
        """The tokens among some ids and lists of ids that the model knows, each once."""
        lists = (one if isinstance(one, list | tuple) else [one] for one in named)
        ids = (one for ids in lists for one in ids if isinstance(one, int) and 0 <= one < self.size)
        return list(dict.fromkeys(ids))

    @property
    def has_chat_template(self) -> bool:
        """Whether chat prompts can be rendered."""
        return bool(self._tokenizer.chat_template)

    @cached_property
    def ends(self) -> list[int]:
        """The tokens that end a text: ``eos``, and those by which the chat template ends a turn."""
        return list(dict.fromkeys([*self.eos, *self._turn_ends[0]]))

    @property
    def turn_end(self) -> int | None:
        """The token that ends a reply in a chat; the first of ``eos`` where the template has none for it."""
        return next(iter([*self._turn_ends[0], *self.eos]), None)

    @cached_property
    def _turn_ends(self) -> tuple[list[int], list[str]]:
        """The tokens by which the chat template ends a turn, and its texts where it has no tokens for it."""
        tokens: list[int] = []
        marks: list[str] = []
        for tail in self.template.after_replies() if self.has_chat_template else ():
            ids = self._tokenizer(tail.lstrip(), add_special_tokens=False)["input_ids"]
            if ids and ids[0] in self._special:
                tokens += self._known(ids[0])
            elif tail.strip() and not tail.lstrip(" ").startswith("\n"):
                marks.append(tail.strip().partition("\n")[0])
        return tokens, marks

    @cached_property
    def _special(self) -> frozenset[int]:
        return frozenset({*self._tokenizer.all_special_ids, *self._tokenizer.added_tokens_decoder})

    @cached_property
    def _texts(self) -> list[str]:
        count = min(len(self._tokenizer), self.size)
        return list(self._tokenizer.batch_decode([[token] for token in range(count)]))

    @cached_property
    def newlines(self) -> list[int]:
        """The tokens whose text contains a newline."""
        return [token for token, text in enumerate(self._texts) if "\n" in text]

    @cached_property
    def _blank(self) -> frozenset[int]:
        """The tokens that add no word to a text: white space and special ones."""
        blank = {token for token, text in enumerate(self._texts) if not text.strip()}
        return frozenset(blank | set(self._tokenizer.all_special_ids))

    @cached_property
    def keeps_newlines(self) -> bool:
        """Whether a newline of a prompt reaches the model."""
        return "\n" in self.decode(self._tokenizer("Q: a\nA: b", add_special_tokens=False)["input_ids"])

    def marks(self, prompt: Prompt) -> list[str]:
        """The texts at which a text after a prompt ends, where no token ends it there.

        They are the chat template's end of a turn, or without newlines the beginning of the next example.
        """
        if prompt.format == "chat":
            return self._turn_ends[1]
        queries = [shot.query for shot in prompt.shots]
        if self.keeps_newlines or len(queries) < 2:
            return []
        start = commonprefix(queries).strip()  # noqa: RUF071 - of texts, not paths
        return [start] if start else []

    def ends_text(self, new: Sequence[int]) -> bool:
        """Whether the last of the new tokens ends a text: an end, or a newline that is not at its start."""
        return new[-1] in self._end_tokens or (new[-1] in self._newline_tokens and not self._leading(new))

    def _leading(self, new: Sequence[int]) -> bool:
        """Whether all newlines in the tokens stand before the text's first word."""
        before = self._texts[new[-1]].partition("\n")[0]
        return not before.strip() and all(token in self._blank for token in new[:-1])

    @cached_property
    def _end_tokens(self) -> frozenset[int]:
        return frozenset(self.ends)

    def render(self, prompts: Sequence[Prompt]) -> list[str]:
        """The text of each prompt; see :meth:`maieutic.lm.local.chat_template.ChatTemplate.write`.

        Raises:
            ModelError: the model cannot use a prompt's format.
        """
        return [
            prompt.text() if prompt.format == "text" else self.template.write(prompt) for prompt in prompts
        ]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones included."""
        return str(self._tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))

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
                ended = kind == "text" and row and row[-1] in self._end_tokens
                encoded[index] = tuple(row[:-1] if ended else row)
        if max(map(max, filter(None, encoded)), default=0) >= self.size:
            raise ModelError(
                f"the tokenizer of {self.name} has tokens that the model lacks, so it belongs to another "
                "model; save the model with its own tokenizer",
                subject=self.name,
            )
        return encoded

    def fits(self, tokens: int) -> bool:
        """Whether the context window holds a number of tokens."""
        return self._window is None or tokens <= self._window

    def check_window(self, prompt: Prompt, length: int, new_tokens: int) -> None:
        """Check that a prompt fits the context window.

        Args:
            length: tokens of the prompt, with its longest option if one is scored.
            new_tokens: tokens to draw; 0 if options are scored.

        Raises:
            ContextLengthError: it does not fit.
        """
        window = self._window
        if not self.fits(length + new_tokens):
            more = f" and needs {new_tokens} new ones" if new_tokens else " with its option"
            raise ContextLengthError(
                f'the prompt "{shortened(prompt.query)}" has {length} tokens{more}, but the context window '
                f"of {self.name} holds {window}; shorten it, or use a model with a larger window",
                subject=self.name,
            )

    def text_after(self, prompt: Tokens, new: Sequence[int], marks: Sequence[str] = ()) -> tuple[str, int]:
        """The text of new tokens up to the first end, or newline after a word, a leading space kept.

        Args:
            marks: texts that end it too; see :meth:`marks`.

        Returns:
            the text, and how many of the tokens were drawn for it: the one that ended it only if it holds
            some of the text.
        """
        text_tokens = list(takewhile(lambda token: token not in self._end_tokens, new))
        # Some tokenizers drop the space before a first word, so decode the last token of the prompt with it.
        before, both = (
            self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            for tokens in (prompt[-1:], [*prompt[-1:], *text_tokens])
        )
        if not both.startswith(before):  # a character is split between prompt and text
            before, both = "", self._tokenizer.decode(text_tokens, skip_special_tokens=True)
        lines = str(both[len(before) :]).split("\n")
        text = next((line for line in lines if line.strip()), lines[0])
        for mark in marks:
            text = text.partition(mark)[0]
        return text, self._length(text_tokens)

    def _length(self, tokens: Sequence[int]) -> int:
        """How many tokens were drawn for the text that ends at the first newline after a word."""
        for place, token in enumerate(tokens):
            if token in self._newline_tokens and not self._leading(tokens[: place + 1]):
                return place + bool(self._texts[token].partition("\n")[0])
        return len(tokens)

    @cached_property
    def _newline_tokens(self) -> frozenset[int]:
        return frozenset(self.newlines)
