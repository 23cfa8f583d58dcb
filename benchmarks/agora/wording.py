"""How people word a claim: plural things, other words for a property, and carelessly written subjects."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from maieutic.benchmarks.agora.claims import Claim
from maieutic.benchmarks.agora.english import VerbPhrase
from maieutic.benchmarks.agora.tables import rows
from maieutic.benchmarks.agora.world import EVERYDAY, WORLD_FOLDER, World

__all__ = [
    "SUBJECTS",
    "careless",
    "in_someones_words",
    "other_wordings",
    "plural",
    "pluralized",
    "singular_nouns",
]

PAIR = "a pair of "

# Careless ways to write a subject "a dog": "the dog", "dog", "an dog".
SUBJECTS = ("the", "bare", "article")


@cache
def other_wordings(folder: Path = WORLD_FOLDER) -> Mapping[str, Sequence[VerbPhrase]]:
    """Property id → other verb phrases for it, from ``everyday/wordings.tsv``.

    Raises:
        FileFormatError: a line is malformed.
    """
    wordings: dict[str, list[VerbPhrase]] = {}
    for _, (name, one, many) in rows(folder / EVERYDAY / "wordings.tsv", 3):
        wordings.setdefault(name, []).append(VerbPhrase(one, many))
    return wordings


@cache
def _irregular() -> Mapping[str, str]:
    return {one: many for _, (one, many) in rows(WORLD_FOLDER / EVERYDAY / "plurals.tsv", 2)}


def plural(name: str) -> str | None:
    """The plural of the name of a thing; None for a substance, for one of a kind and for "a cup of tea".

    >>> [plural(name) for name in ("a berry", "a pair of jeans", "milk", "the moon", "a cup of tea")]
    ['berries', 'jeans', None, None, None]
    """
    if name.startswith(PAIR):
        return name.removeprefix(PAIR)
    if not name.startswith(("a ", "an ")) or " of " in name:
        return None
    before, _, noun = name.partition(" ")[2].rpartition(" ")
    return f"{before} {_plural_noun(noun)}".strip()


def _plural_noun(noun: str) -> str:
    if noun in _irregular():
        return _irregular()[noun]
    if noun.endswith(("s", "x", "ch", "sh", "z")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def singular_nouns(world: World) -> dict[str, str]:
    """Plural → singular of the last nouns of the names of things; no noun that is its own plural."""
    pairs = ((plural(name), name) for name in world.things)
    nouns = {many.split()[-1]: name.split()[-1] for many, name in pairs if many}
    return {many: one for many, one in nouns.items() if many != one}


def pluralized(claim: Claim) -> Claim:
    """The claim about all things of a kind, "dogs have legs"; the same claim where there is no plural."""
    many = plural(claim.subject)
    return claim if many is None or claim.many else replace(claim, subject=many, many=True)


def careless(claim: Claim, way: str) -> Claim:
    """The claim with its subject written in one of the ways of :data:`SUBJECTS`.

    >>> verb = VerbPhrase("floats", "float")
    >>> [careless(Claim("an egg", False, verb, True, True), way).subject for way in SUBJECTS]
    ['the egg', 'egg', 'a egg']
    """
    article, _, noun = claim.subject.partition(" ")
    if claim.many or article not in ("a", "an") or claim.subject.startswith(PAIR):
        return claim
    new = {"the": f"the {noun}", "bare": noun, "article": f"{'an' if article == 'a' else 'a'} {noun}"}
    return replace(claim, subject=new[way])


def in_someones_words(claim: Claim, property_id: str | None, rng: random.Random) -> Claim:
    """The claim as somebody might put it: in the plural, in other words, with another article."""
    others = other_wordings().get(property_id or "", ())
    if others and rng.random() < 0.5:
        claim = replace(claim, verb=rng.choice(others))
    chance = rng.random()
    if chance < 0.3:
        return pluralized(claim)
    return careless(claim, rng.choice(SUBJECTS)) if chance < 0.42 else claim
