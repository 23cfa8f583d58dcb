"""The world as data: things, their groups, and the properties of groups.

There are three tables and a folder of tables, tab-separated, in which ``#`` starts a comment line:

``relations.tsv``   id, singular, plural: ``made_of``, "is made of", "are made of"
``properties.tsv``  id, singular, plural: ``float``, "floats in water", "float in water"
``groups.tsv``      relation, value, members, have, lack: the properties of "things made of wood"
``things/*.tsv``    thing, groups (``is_a:a bird; eats:fish``), exceptions (``-fly``)

A *fact* is a membership of a thing ("a spoon is made of steel") or a property of a group ("things made of
steel sink in water"). A *derived* statement follows from one of each: a spoon sinks in water, because it is
made of steel, and things made of steel sink in water. If the groups of a thing disagree on a property, the
thing must declare an exception, which overrides them.

The folder ``everyday`` has further tables of the same form, and two more:

``more.tsv``        groups, have, lack: further properties of groups
``exceptions.tsv``  things, exceptions: further exceptions of things

The benchmark's questions come from the world without them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from maieutic.benchmarks.agora.english import VerbPhrase
from maieutic.benchmarks.agora.tables import check_new, check_signs, exceptions_of, listed, rows, signs_of
from maieutic.errors import FileFormatError, InputError

__all__ = [
    "EVERYDAY",
    "IS_A",
    "WORLD_FOLDER",
    "Derivation",
    "Property",
    "Thing",
    "ThingGroup",
    "World",
    "load_everyday",
    "load_world",
]

WORLD_FOLDER = Path(__file__).parent / "world"
IS_A = "is_a"  # the relation whose values are kinds
EVERYDAY = "everyday"  # subfolder of further tables


@dataclass(frozen=True, slots=True)
class Property:
    """A property that a thing has or lacks.

    Attributes:
        verb: as in "floats in water", "float in water".
    """

    id: str
    verb: VerbPhrase


@dataclass(frozen=True, slots=True)
class ThingGroup:
    """All things that have one relation to one value, and their properties.

    Attributes:
        verb: the membership of one thing, "is made of steel".
        members: "things made of steel".
        properties: property id → whether the members have it.
    """

    relation: str
    value: str
    verb: VerbPhrase
    members: str
    properties: Mapping[str, bool]

    @property
    def id(self) -> str:
        """``relation:value``."""
        return f"{self.relation}:{self.value}"


@dataclass(frozen=True, slots=True)
class Thing:
    """An everyday thing.

    Attributes:
        name: with its article, "a spoon", or without one for a substance, "milk".
        groups: ids of its groups.
        exceptions: property id → truth value that overrides the groups.
        added: exceptions that are not in the thing's own row. Training states them of trained things only.
        source: file and line of its row.
        everyday: whether its row is in the everyday tables, so that no question of the benchmark is about it.
    """

    name: str
    groups: tuple[str, ...]
    exceptions: Mapping[str, bool]
    source: tuple[str, int]
    added: frozenset[str] = frozenset()
    everyday: bool = False


@dataclass(frozen=True, slots=True)
class Derivation:
    """A proof that a thing has or lacks a property, through one of its groups."""

    thing: str
    group: str
    property: str
    truth: bool


@dataclass(frozen=True)
class World:
    """Properties and groups by id, and things by name."""

    properties: Mapping[str, Property]
    groups: Mapping[str, ThingGroup]
    things: Mapping[str, Thing]

    @cached_property
    def derivations(self) -> Mapping[tuple[str, str], tuple[Derivation, ...]]:
        """(thing, property) → all its derivations; pairs with an exception have none."""
        derivations: dict[tuple[str, str], list[Derivation]] = {}
        for thing in self.things.values():
            for derivation in _derive(thing, self.groups):
                derivations.setdefault((thing.name, derivation.property), []).append(derivation)
        return {pair: tuple(ways) for pair, ways in derivations.items()}

    @cached_property
    def derived_of(self) -> Mapping[str, frozenset[tuple[str, bool]]]:
        """Thing → the (property, truth) pairs that follow from its groups."""
        derived: dict[str, set[tuple[str, bool]]] = {name: set() for name in self.things}
        for (thing, name), ways in self.derivations.items():
            derived[thing].add((name, ways[0].truth))
        return {thing: frozenset(pairs) for thing, pairs in derived.items()}

    @cached_property
    def opposites(self) -> Mapping[str, frozenset[tuple[str, bool]]]:
        """Group → the (property, truth) pairs that contradict it."""
        return {
            name: frozenset((item, not truth) for item, truth in group.properties.items())
            for name, group in self.groups.items()
        }

    def truth(self, thing: str, property_id: str) -> bool | None:
        """Whether a thing has a property; None if unknown."""
        exceptions = self.things[thing].exceptions
        if property_id in exceptions:
            return exceptions[property_id]
        ways = self.derivations.get((thing, property_id))
        return ways[0].truth if ways else None


def load_world(folder: Path = WORLD_FOLDER) -> World:
    """Read and check the tables.

    Raises:
        FileFormatError: a line is malformed, uses an undeclared name, repeats an entry, or contradicts
            another line. It has the file and the line.
        InputError: there are no things; ``subject`` is their folder.
    """
    return _load([folder])


@cache
def load_everyday(folder: Path = WORLD_FOLDER) -> World:
    """The world with the everyday tables: more things, and more properties of all things.

    Raises:
        FileFormatError, InputError: as for :func:`load_world`.
    """
    return _load([folder, folder / EVERYDAY])


def _load(folders: Sequence[Path]) -> World:
    relations = {
        row[0]: VerbPhrase(*row[1:]) for each in folders for _, row in rows(each / "relations.tsv", 3)
    }
    properties = {
        row[0]: Property(row[0], VerbPhrase(*row[1:]))
        for each in folders
        for _, row in rows(each / "properties.tsv", 3)
    }
    groups: dict[str, ThingGroup] = {}
    for each in folders:
        for line, row in rows(each / "groups.tsv", 5):
            where = (str(each / "groups.tsv"), line)
            group = _group(row, relations, properties, where)
            check_new(group.id, groups, where)
            groups[group.id] = group
    for each in folders[1:]:
        _extend_groups(each / "more.tsv", groups, properties)
    things: dict[str, Thing] = {}
    for each in folders:
        for path in sorted((each / "things").glob("*.tsv")):
            for line, row in rows(path, 3):
                thing = _thing(row, groups, properties, (str(path), line))
                thing = replace(thing, everyday=each.name == EVERYDAY)
                check_new(thing.name, things, thing.source)
                things[thing.name] = thing
    for each in folders[1:]:
        _extend_things(each / "exceptions.tsv", things, properties)
    for thing in things.values():
        _check_consistent(thing, groups)
    if not things:
        folder = folders[0] / "things"
        raise InputError(f"{folder} has no things; restore the .tsv files", subject=str(folder))
    return World(properties, groups, things)


def _extend_groups(path: Path, groups: dict[str, ThingGroup], properties: Mapping[str, Property]) -> None:
    """Add properties to groups; what a group has already must not be contradicted."""
    for line, row in rows(path, 3):
        signs = signs_of(row[1], row[2])
        check_signs(signs, properties, (str(path), line))
        for name in listed(row[0]):
            if name not in groups:
                raise FileFormatError(path, line, f"group {name!r} is not in groups.tsv; correct or add it")
            known = groups[name].properties
            if wrong := [item for item, sign in signs if known.get(item, sign) != sign]:
                raise FileFormatError(path, line, f"{name}: {wrong[0]} contradicts groups.tsv; correct one")
            groups[name] = replace(groups[name], properties={**known, **dict(signs)})


def _extend_things(path: Path, things: dict[str, Thing], properties: Mapping[str, Property]) -> None:
    """Add exceptions to things."""
    for line, (names, exceptions) in rows(path, 2):
        for name in listed(names):
            if name not in things:
                raise FileFormatError(path, line, f"thing {name!r} is in no table; correct or add it")
            more = exceptions_of(exceptions, name, properties, (str(path), line))
            thing = things[name]
            added = thing.added | (set(more) - set(thing.exceptions))
            things[name] = replace(thing, exceptions={**thing.exceptions, **more}, added=added)


def _group(
    row: list[str],
    relations: Mapping[str, VerbPhrase],
    properties: Mapping[str, Property],
    where: tuple[str, int],
) -> ThingGroup:
    relation, value, members, have, lack = row
    if relation not in relations:
        raise FileFormatError(*where, f"relation {relation!r} is not in relations.tsv; add it there")
    verb = relations[relation].with_object(value)
    if relation == IS_A:  # "is a bird", "are birds"
        verb = VerbPhrase(verb.one, f"are {members}")
    if same := [item.id for item in properties.values() if item.verb.one == verb.one]:
        raise FileFormatError(*where, f"{verb.one!r} is also the property {same[0]}; reword one of them")
    signs = signs_of(have, lack)
    check_signs(signs, properties, where)
    return ThingGroup(relation, value, verb, members, dict(signs))


def _thing(
    row: list[str],
    groups: Mapping[str, ThingGroup],
    properties: Mapping[str, Property],
    where: tuple[str, int],
) -> Thing:
    name, memberships, exceptions = row
    ids = tuple(listed(memberships))
    for item in ids:
        if item not in groups:
            raise FileFormatError(*where, f"{name}: group {item!r} is not in groups.tsv; correct or add it")
    if len(set(ids)) < len(ids):
        raise FileFormatError(*where, f"{name}: a group occurs twice; remove one")
    return Thing(name, ids, exceptions_of(exceptions, name, properties, where), where)


def _derive(thing: Thing, groups: Mapping[str, ThingGroup]) -> Iterator[Derivation]:
    for group_id in thing.groups:
        for property_id, truth in groups[group_id].properties.items():
            if property_id not in thing.exceptions:
                yield Derivation(thing.name, group_id, property_id, truth)


def _check_consistent(thing: Thing, groups: Mapping[str, ThingGroup]) -> None:
    """Check that the groups of a thing agree on every property without an exception."""
    seen: dict[str, Derivation] = {}
    for derivation in _derive(thing, groups):
        other = seen.setdefault(derivation.property, derivation)
        if other.truth != derivation.truth:
            yes, no = (other, derivation) if other.truth else (derivation, other)
            raise FileFormatError(
                *thing.source,
                f"{thing.name}: {yes.group} has {yes.property} and {no.group} lacks it; "
                f"declare the exception +{yes.property} or -{yes.property}, or correct a membership",
            )
