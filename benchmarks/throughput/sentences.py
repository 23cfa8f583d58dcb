"""Made-up statements of varied length, each with its negation. No two are alike."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["Sentence", "sentence"]

_THINGS = (
    "kettle", "ladder", "umbrella", "violin", "suitcase", "candle", "bicycle", "blanket", "telescope",
    "wheelbarrow", "lantern", "typewriter", "basket", "mirror", "compass", "saddle", "bucket", "globe",
)  # fmt: skip
_QUALITIES = (
    "old", "green", "wooden", "broken", "narrow", "polished", "borrowed", "hollow", "painted", "rusty",
    "oversized", "neatly folded", "half-empty", "second-hand", "rather expensive",
)  # fmt: skip
_CLAIMS = (
    ("floats", "does not float"),
    ("is for sale", "is not for sale"),
    ("has a crack", "does not have a crack"),
    ("was stolen twice", "was not stolen twice"),
    ("is heavier than the", "is not heavier than the"),
    ("was made before the", "was not made before the"),
    ("belongs to the owner of the", "does not belong to the owner of the"),
    ("costs more to repair than the", "does not cost more to repair than the"),
)
_PLACES = ("", "", "", "", " in the cellar", " by the harbour", " on the top shelf of the workshop")
_REASONS = (
    *("",) * 12,
    " even in winter",
    " as long as nobody moves it",
    " because it has been kept dry for many years",
    ", which visitors to the market seldom expect",
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A statement and its negation."""

    affirmed: str
    denied: str


def sentence(number: int) -> Sentence:
    """The statement of that number (≥ 0); 6 to 32 words, half of them at most 13.

    >>> sentence(7) == sentence(7), sentence(7) == sentence(8)
    (True, False)
    """
    chance = random.Random(number)  # noqa: S311 - no secret
    quality = chance.choice(("", f"{chance.choice(_QUALITIES)} "))
    claim = chance.choice(_CLAIMS)
    first = f"The {quality}{chance.choice(_THINGS)} of lot {number}{chance.choice(_PLACES)}"
    second = f" {chance.choice(_THINGS)}" if claim[0].endswith("the") else ""
    reason = chance.choice(_REASONS)
    affirmed, denied = (f"{first} {verb}{second}{reason}." for verb in claim)
    return Sentence(affirmed, denied)
