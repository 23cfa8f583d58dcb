"""The truth of a sentence about the world, read back from its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from maieutic.benchmarks.agora.claims import FRAMES, refuted
from maieutic.benchmarks.agora.english import VerbPhrase
from maieutic.benchmarks.agora.world import World

__all__ = ["Oracle"]


@dataclass(frozen=True)
class Oracle:
    """Knows whether what a model said is so.

    It understands the claims of :mod:`maieutic.benchmarks.agora.claims` in every frame, and their
    conjunctions and disjunctions; of any other sentence, and of what the world is silent about, it says
    None.
    """

    world: World

    def truth(self, text: str) -> bool | None:
        """Whether a sentence is true in the world; None where it cannot be known."""
        clause = text.strip().removesuffix(".")
        for separator, decided_by in ((", and ", False), (", or ", True)):
            if separator in clause:
                parts = [self._clause(part) for part in clause.split(separator)]
                if decided_by in parts:
                    return decided_by
                return None if None in parts else not decided_by
        return self._clause(clause)

    def _clause(self, clause: str) -> bool | None:
        clause = clause[:1].lower() + clause[1:]
        for frame in FRAMES[1:]:
            clause = clause.removeprefix(frame.removesuffix("{}"))
        for end in range(len(clause), 0, -1):  # the longest subject first: "a glass of milk" before "a glass"
            if end < len(clause) and clause[end] != " ":
                continue
            subject, said = clause[:end], clause[end + 1 :]
            if subject in self.world.things and said in self._of_one:
                return self._of_thing(subject, *self._of_one[said])
            if subject in self._members and said in self._of_many:
                return self._of_group(subject, *self._of_many[said])
        return None

    def _of_thing(self, thing: str, kind: str, name: str, affirmed: bool) -> bool | None:
        if kind == "property":
            known = self.world.truth(thing, name)
            return None if known is None else known == affirmed
        if name in self.world.things[thing].groups:
            return affirmed
        return (not affirmed) if refuted(self.world, thing, name) else None

    def _of_group(self, members: str, name: str, affirmed: bool) -> bool | None:
        """As the table says; where it is silent, what a member is known to break is not so in general."""
        group = self._members[members]
        known = self.world.groups[group].properties.get(name)
        if known is not None:
            return known == affirmed
        return False if (not affirmed) in self._found[group].get(name, ()) else None

    @cached_property
    def _found(self) -> Mapping[str, Mapping[str, set[bool | None]]]:
        """Group → property → the truth values that members have."""
        found: dict[str, dict[str, set[bool | None]]] = {group: {} for group in self.world.groups}
        for name, thing in self.world.things.items():
            for item in {*thing.exceptions, *(item for item, _ in self.world.derived_of[name])}:
                truth = self.world.truth(name, item)
                for group in thing.groups if truth is not None else ():
                    found[group].setdefault(item, set()).add(truth)
        return found

    @cached_property
    def _members(self) -> Mapping[str, str]:
        return {group.members: group.id for group in self.world.groups.values()}

    @cached_property
    def _of_one(self) -> Mapping[str, tuple[str, str, bool]]:
        """Verb phrase of one subject → kind, id, whether it affirms."""
        verbs: list[tuple[str, str, VerbPhrase]] = [
            *(("property", name, item.verb) for name, item in self.world.properties.items()),
            *(("group", name, item.verb) for name, item in self.world.groups.items()),
        ]
        return {verb.said(sign): (kind, name, sign) for kind, name, verb in verbs for sign in (True, False)}

    @cached_property
    def _of_many(self) -> Mapping[str, tuple[str, bool]]:
        return {
            item.verb.said(sign, many=True): (name, sign)
            for name, item in self.world.properties.items()
            for sign in (True, False)
        }
