"""Between prompts and tokens: encoding, the limit of length, the text that comes back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile

from maieutic.checkpoints.loading import Checkpoint, shortened
from maieutic.errors import ContextLengthError, ModelError
from maieutic.lm.base import Prompt
from maieutic.lm.local.rendering import render

__all__ = ["Tokens", "Vocabulary"]

Tokens = tuple[int, ...]


class Vocabulary:
    """A tokenizer as one language model uses it.

    Attributes:
        size: tokens that the model knows.
        ends: tokens that end a text; may be empty.
        pad: the token that fills short rows; it is always masked.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._name, self._window = checkpoint.name, checkpoint.window
        self._tokenizer = checkpoint.tokenizer
        self.size = int(checkpoint.model.get_input_embeddings().weight.shape[0])
        defaults = checkpoint.model.generation_config
        ends = defaults.eos_token_id
        ends = self._tokenizer.eos_token_id if ends is None else ends
        ends = ends if isinstance(ends, list) else [] if ends is None else [ends]
        if not all(isinstance(end, int) for end in ends):
            raise ModelError(
                f"the eos_token_id of {self._name} is {ends}; give integers in its generation_config.json",
                subject="eos_token_id",
            )
        self.ends: list[int] = [end for end in ends if 0 <= end < self.size]  # others are never drawn
        pads = (defaults.pad_token_id, self._tokenizer.pad_token_id, *self.ends, 0)
        self.pad = next(pad for pad in pads if isinstance(pad, int) and 0 <= pad < self.size)

    @property
    def has_chat_template(self) -> bool:
        """Whether chat prompts can be written out."""
        return bool(self._tokenizer.chat_template)

    @cached_property
    def newlines(self) -> list[int]:
        """The tokens whose text contains a newline."""
        count = min(len(self._tokenizer), self.size)
        texts = self._tokenizer.batch_decode([[token] for token in range(count)])
        return [token for token, text in enumerate(texts) if "\n" in text]

    def render(self, prompts: Sequence[Prompt]) -> list[str]:
        """The text of each prompt; see :func:`maieutic.lm.local.rendering.render`.

        Raises:
            ModelError: the model cannot use a prompt's format.
        """
        return [render(prompt, self._tokenizer, self._name) for prompt in prompts]

    def encode(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each prompt's text; a chat template has written the special ones itself."""
        encoded: list[Tokens] = [()] * len(texts)
        for form in {prompt.format for prompt in prompts}:
            where = [index for index, prompt in enumerate(prompts) if prompt.format == form]
            rows = self._tokenizer(
                [texts[index] for index in where],
                add_special_tokens=form == "text",
                return_attention_mask=False,
                verbose=False,
            )["input_ids"]
            for index, row in zip(where, rows, strict=True):
                # Some tokenizers close every text; what is to be continued must stay open.
                closed = form == "text" and row and row[-1] in self.ends
                encoded[index] = tuple(row[:-1] if closed else row)
        if max(map(max, filter(None, encoded)), default=0) >= self.size:
            raise ModelError(
                f"the tokenizer of {self._name} has tokens that the model does not know; they "
                "belong to different models: save them together again",
                subject=self._name,
            )
        return encoded

    def check_window(self, prompt: Prompt, length: int, new_tokens: int) -> None:
        window = self._window
        if window is not None and length + new_tokens > window:
            more = f" and {new_tokens} new ones were asked for" if new_tokens else " with its option"
            raise ContextLengthError(
                f'the prompt "{shortened(prompt.query)}" has {length} tokens{more}, but the '
                f"context window of {self._name} holds {window}; shorten it, or use a model with a "
                "larger one"
            )

    def text_after(self, prompt: Tokens, new: Sequence[int]) -> tuple[str, int]:
        """The text of new tokens up to the first end or newline, a leading space kept.

        Returns:
            the text, and how many of the tokens make it up: the one that ended it only if it holds some of
            the text.
        """
        kept = list(takewhile(lambda token: token not in self.ends, new))
        # Some tokenizers drop the space of a first word: decode it as a second one.
        before, both = (
            self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            for tokens in (prompt[-1:], [*prompt[-1:], *kept])
        )
        if not both.startswith(before):  # half a character at the seam
            before, both = "", self._tokenizer.decode(kept, skip_special_tokens=True)
        return str(both[len(before) :]).partition("\n")[0], self._length(kept)

    def _length(self, tokens: Sequence[int]) -> int:
        """How many tokens make up the text before the first newline."""
        for place, token in enumerate(tokens):
            if token in self._newline_tokens:
                opens = self._tokenizer.decode([token]).partition("\n")[0]
                return place + bool(opens)
        return len(tokens)

    @cached_property
    def _newline_tokens(self) -> frozenset[int]:
        return frozenset(self.newlines)
