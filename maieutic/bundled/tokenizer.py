"""The tokenizer of a bundled model: the ``tokenizers`` package's, with the names of Transformers' class."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

__all__ = ["BundledTokenizer"]


class BundledTokenizer:
    """Texts to tokens and back.

    Attributes:
        chat_template: None, since agora reads plain text.
        model_max_length: largest number of tokens in a sequence.
    """

    chat_template = None

    def __init__(self, folder: Path) -> None:
        self._backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._backend.no_padding()
        self._backend.no_truncation()
        settings: dict[str, Any] = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        self.model_max_length = int(settings["model_max_length"])
        self._named = {name: token for name, token in settings.items() if name.endswith("_token")}

    def __len__(self) -> int:
        return int(self._backend.get_vocab_size())

    @property
    def eos_token_id(self) -> int | None:
        """The token that ends a text; None if there is none."""
        return self._id("eos_token")

    @property
    def pad_token_id(self) -> int | None:
        """The token that fills rows; None if there is none."""
        return self._id("pad_token")

    def _id(self, name: str) -> int | None:
        found: int | None = self._backend.token_to_id(self._named[name]) if name in self._named else None
        return found

    @cached_property
    def all_special_ids(self) -> list[int]:
        """The tokens that the configuration names."""
        ids = (self._backend.token_to_id(token) for token in self._named.values())
        return list(dict.fromkeys(token for token in ids if token is not None))

    @property
    def added_tokens_decoder(self) -> dict[int, Any]:
        """The tokens that stand outside of the vocabulary of pieces, by number."""
        return dict(self._backend.get_added_tokens_decoder())

    def __call__(
        self,
        texts: str | Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        add_special_tokens: bool = True,
        **_: Any,
    ) -> dict[str, Any]:
        """The tokens of one text, or of each of several, alone or before the second text of its pair."""
        if isinstance(texts, str):
            one = self._backend.encode(texts, add_special_tokens=add_special_tokens)
            return {"input_ids": one.ids, "attention_mask": one.attention_mask}
        inputs: Iterable[Any] = texts if pairs is None else zip(texts, pairs, strict=True)
        encoded = self._backend.encode_batch(list(inputs), add_special_tokens=add_special_tokens)
        return {
            "input_ids": [row.ids for row in encoded],
            "attention_mask": [row.attention_mask for row in encoded],
        }

    def decode(self, tokens: Iterable[int], *, skip_special_tokens: bool = False, **_: Any) -> str:
        """The text of tokens."""
        return str(self._backend.decode(list(tokens), skip_special_tokens=skip_special_tokens))

    def batch_decode(self, rows: Iterable[Iterable[int]]) -> list[str]:
        """The text of each row of tokens, special ones included."""
        return [self.decode(row) for row in rows]
