"""Everyday questions about the world: a claim in one of the forms in which people type it, with its answer.

A question is *held out* if its thing is outside the training split and training never asks what it asks. It
follows from the groups of the thing, or is a membership of a thing of the everyday tables, which is only
stated.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.agora.claims import Claim, Split, derived, membership, refuted, things_of
from maieutic.benchmarks.agora.tables import rows
from maieutic.benchmarks.agora.wording import careless, other_wordings, plural, pluralized
from maieutic.benchmarks.agora.world import EVERYDAY, IS_A, WORLD_FOLDER, World
from maieutic.errors import InputError

__all__ = ["FORMS", "KINDS", "EverydayQuestion", "everyday_questions", "kind_of", "plain_questions"]

# How people type a claim. A form that a claim does not have ("milks") leaves it as it is.
FORMS: Mapping[str, Callable[[Claim], str]] = {
    "question": lambda claim: claim.question,
    "typed": lambda claim: claim.question.lower().removesuffix("?"),
    "plural": lambda claim: pluralized(claim).question,
    "typed plural": lambda claim: pluralized(claim).question.lower().removesuffix("?"),
    "statement": lambda claim: claim.text,
    "denial": lambda claim: claim.negated().text,
    "the": lambda claim: careless(claim, "the").question,
    "no article": lambda claim: careless(claim, "bare").question,
    "wrong article": lambda claim: careless(claim, "article").question,
}

# Kinds of questions, by the beginning of the verb phrase. The first that fits counts.
KINDS: Mapping[str, tuple[str, ...]] = {
    "is a": ("is a ", "is an ", "is food", "is clothing", "is furniture"),
    "has": ("has ", "contains "),
    "can": ("can ", "floats ", "lays ", "sleeps", "grows", "breathes", "burns "),
    "needs": ("needs ",),
    "is made of": ("is made of", "is covered in"),
    "is used for": ("is used ", "is worn ", "is made for"),
    "where": ("lives in ", "is found ", "is kept in ", "grows on ", "grows in ", "works in "),
    "other": ("",),
}


MOST_REPEATS = 2_000  # draws of questions that were drawn before, until there seem to be no more


@dataclass(frozen=True, slots=True)
class EverydayQuestion:
    """A question or statement as typed.

    Attributes:
        kind: a key of :data:`KINDS`; "plain" for a question written by hand.
        form: a key of :data:`FORMS`, or "other words".
        answer: whether what is asked or stated is true.
        thing: what it is about, and ``clause``, the affirmed claim in its plain form.
    """

    text: str
    answer: bool
    kind: str
    form: str
    thing: str = ""
    clause: str = ""


def kind_of(claim: Claim) -> str:
    """The kind of question that a claim answers."""
    return next(kind for kind, starts in KINDS.items() if claim.verb.one.startswith(starts))


def plain_questions() -> list[EverydayQuestion]:
    """Some seventy questions that a newcomer might type, written by hand (``everyday/questions.tsv``)."""
    table = rows(WORLD_FOLDER / EVERYDAY / "questions.tsv", 2)
    return [EverydayQuestion(text, answer == "yes", "plain", "question") for _, (text, answer) in table]


def everyday_questions(world: World, split: Split, count: int, seed: int = 0) -> list[EverydayQuestion]:
    """Questions about things whose names are one noun: all kinds, forms and both answers alike.

    For splits other than "train" they are held out.

    Raises:
        InputError: there are fewer; ``subject`` is "count".
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    pools: dict[tuple[str, bool], dict[str, list[tuple[Claim, str | None]]]] = {}
    for thing in things_of(world, split):
        if len(thing.split()) > 2 or (split != "train" and _is_group(world, thing)):
            continue
        for claim, name in _claims(world, thing, asked=split == "train"):
            pool = pools.setdefault((kind_of(claim), claim.holds), {})
            pool.setdefault(claim.verb.one, []).append((claim, name))
    sides = [(kind, holds) for kind in KINDS for holds in (True, False) if (kind, holds) in pools]
    chosen: dict[tuple[str, str], EverydayQuestion] = {}
    forms = [*FORMS, "other words"]
    repeats = 0
    while len(chosen) < count:
        side = sides[len(chosen) % len(sides)]
        claim, name = rng.choice(rng.choice(list(pools[side].values())))
        question = _asked(claim, name, forms[(len(chosen) // len(sides)) % len(forms)], rng)
        repeats = repeats + 1 if (question.text, question.form) in chosen else 0
        if repeats == MOST_REPEATS:
            problem = (
                f"the split {split} has some {len(chosen):,} balanced questions; ask for fewer than {count:,}"
            )
            raise InputError(problem, subject="count")
        chosen.setdefault((question.text, question.form), question)
    return list(chosen.values())


def _claims(world: World, thing: str, *, asked: bool) -> Sequence[tuple[Claim, str | None]]:
    """The affirmed claims about a thing, true and false, with their properties; memberships have none."""
    own = world.things[thing]
    names = [name for name in world.properties if world.truth(thing, name) is not None]
    stated = [] if asked else [name for name in own.exceptions if name not in own.added]
    claims: list[tuple[Claim, str | None]] = [
        (derived(world, thing, name), name) for name in names if name not in stated
    ]
    if asked or own.everyday:
        claims += [(membership(world, thing, group, True), None) for group in own.groups]
        outside = [group for group in world.groups if refuted(world, thing, group)]
        claims += [(membership(world, thing, group, False), None) for group in outside]
    return claims


def _is_group(world: World, thing: str) -> bool:
    """Whether things of this name are a group, of which training states the properties in the plural."""
    return (
        plural(thing) in {group.members for group in world.groups.values()}
        or f"{IS_A}:{thing}" in world.groups
    )


def _asked(claim: Claim, name: str | None, form: str, rng: random.Random) -> EverydayQuestion:
    others = other_wordings().get(name or "", ())
    if form == "other words" and others:
        text = replace(claim, verb=rng.choice(others)).question
    else:
        form = "question" if form == "other words" else form
        text = FORMS[form](claim)
    answer = claim.holds != (form == "denial")
    return EverydayQuestion(text, answer, kind_of(claim), form, claim.subject, claim.clause)
