"""The truth value of a sentence about the world, found by parsing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from maieutic.benchmarks.agora.claims import FRAMES, refuted
from maieutic.benchmarks.agora.english import VerbPhrase
from maieutic.benchmarks.agora.wording import plural
from maieutic.benchmarks.agora.world import World

__all__ = ["Oracle"]


@dataclass(frozen=True)
class Oracle:
    """Decides whether sentences are true in a world.

    It parses the claims of :mod:`maieutic.benchmarks.agora.claims` in every frame, about a thing or, in the
    plural, about all things of its name, and conjunctions and disjunctions of them. Any other sentence, and
    any claim that the world does not decide, is unknown.
    """

    world: World

    def truth(self, text: str) -> bool | None:
        """Whether a sentence is true in the world; None if unknown."""
        clause = text.strip().removesuffix(".")
        for separator, dominant in ((", and ", False), (", or ", True)):
            if separator in clause:
                parts = [self._clause(part) for part in clause.split(separator)]
                if dominant in parts:
                    return dominant
                return None if None in parts else not dominant
        return self._clause(clause)

    def _clause(self, clause: str) -> bool | None:
        clause = clause[:1].lower() + clause[1:]
        for frame in FRAMES[1:]:
            clause = clause.removeprefix(frame.removesuffix("{}"))
        for end in range(len(clause), 0, -1):  # longest subject first: "a glass of milk" before "a glass"
            if end < len(clause) and clause[end] != " ":
                continue
            subject, predicate = clause[:end], clause[end + 1 :]
            if subject in self.world.things and predicate in self._singular:
                return self._of_thing(subject, *self._singular[predicate])
            if predicate not in self._plural:
                continue
            kind, name, affirmed = self._plural[predicate]
            if subject in self._members and kind == "property":
                return self._of_group(subject, name, affirmed)
            if subject in self._plural_things:
                return self._of_thing(self._plural_things[subject], kind, name, affirmed)
        return None

    def _of_thing(self, thing: str, kind: str, name: str, affirmed: bool) -> bool | None:
        if kind == "property":
            truth = self.world.truth(thing, name)
            return None if truth is None else truth == affirmed
        if name in self.world.things[thing].groups:
            return affirmed
        return (not affirmed) if refuted(self.world, thing, name) else None

    def _of_group(self, members: str, name: str, affirmed: bool) -> bool | None:
        """By the table, else false if a member is known to be a counterexample, else unknown."""
        group = self._members[members]
        truth = self.world.groups[group].properties.get(name)
        if truth is not None:
            return truth == affirmed
        return False if (not affirmed) in self._member_truths[group].get(name, ()) else None

    @cached_property
    def _member_truths(self) -> Mapping[str, Mapping[str, set[bool | None]]]:
        """Group → property → the truth values among the members."""
        truths: dict[str, dict[str, set[bool | None]]] = {group: {} for group in self.world.groups}
        for name, thing in self.world.things.items():
            for item in {*thing.exceptions, *(item for item, _ in self.world.derived_of[name])}:
                truth = self.world.truth(name, item)
                for group in thing.groups if truth is not None else ():
                    truths[group].setdefault(item, set()).add(truth)
        return truths

    @cached_property
    def _members(self) -> Mapping[str, str]:
        return {group.members: group.id for group in self.world.groups.values()}

    @cached_property
    def _plural_things(self) -> Mapping[str, str]:
        return {many: name for name in self.world.things if (many := plural(name)) is not None}

    @cached_property
    def _singular(self) -> Mapping[str, tuple[str, str, bool]]:
        return self._predicates(many=False)

    @cached_property
    def _plural(self) -> Mapping[str, tuple[str, str, bool]]:
        return self._predicates(many=True)

    def _predicates(self, *, many: bool) -> Mapping[str, tuple[str, str, bool]]:
        """Predicate → kind, id, whether it is affirmed."""
        verbs: list[tuple[str, str, VerbPhrase]] = [
            *(("group", name, item.verb) for name, item in self.world.groups.items()),
            *(("property", name, item.verb) for name, item in self.world.properties.items()),
        ]
        return {
            verb.phrase(sign, many=many): (kind, name, sign)
            for kind, name, verb in verbs
            for sign in (True, False)
        }
