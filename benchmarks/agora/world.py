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
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from maieutic.benchmarks.agora.english import VerbPhrase
from maieutic.errors import FileFormatError, InputError

__all__ = ["WORLD_FOLDER", "Derivation", "Property", "Thing", "ThingGroup", "World", "load_world"]

WORLD_FOLDER = Path(__file__).parent / "world"


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
        source: file and line of its row.
    """

    name: str
    groups: tuple[str, ...]
    exceptions: Mapping[str, bool]
    source: tuple[str, int]


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
    relations = {row[0]: VerbPhrase(*row[1:]) for _, row in _rows(folder / "relations.tsv", 3)}
    properties = {
        row[0]: Property(row[0], VerbPhrase(*row[1:])) for _, row in _rows(folder / "properties.tsv", 3)
    }
    groups: dict[str, ThingGroup] = {}
    for line, row in _rows(folder / "groups.tsv", 5):
        where = (str(folder / "groups.tsv"), line)
        group = _group(row, relations, properties, where)
        _once(group.id, groups, where)
        groups[group.id] = group
    things: dict[str, Thing] = {}
    for path in sorted((folder / "things").glob("*.tsv")):
        for line, row in _rows(path, 3):
            thing = _thing(row, groups, properties, (str(path), line))
            _once(thing.name, things, thing.source)
            _check_consistent(thing, groups)
            things[thing.name] = thing
    if not things:
        raise InputError(
            f"{folder / 'things'} has no things; restore the .tsv files", subject=str(folder / "things")
        )
    return World(properties, groups, things)


def _rows(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(path, None, f"cannot be read ({error}); restore it") from None
    for number, line in enumerate(lines[1:], start=2):  # the first line has the column names
        if not line.strip() or line.startswith("#"):
            continue
        row = [cell.strip() for cell in line.split("\t")]
        row += [""] * (columns - len(row))
        if len(row) > columns or not row[0]:
            raise FileFormatError(
                path, number, f"a row has 1 to {columns} tab-separated cells, not {len(row)}"
            )
        yield number, row


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
    if same := [item.id for item in properties.values() if item.verb == verb]:
        raise FileFormatError(*where, f"{verb.one!r} is also the property {same[0]}; reword one of them")
    signs = [(name, True) for name in have.split()] + [(name, False) for name in lack.split()]
    _check_signs(signs, properties, where)
    return ThingGroup(relation, value, verb, members, dict(signs))


def _thing(
    row: list[str],
    groups: Mapping[str, ThingGroup],
    properties: Mapping[str, Property],
    where: tuple[str, int],
) -> Thing:
    name, memberships, exceptions = row
    ids = tuple(" ".join(item.split()) for item in memberships.split(";") if item.strip())
    for item in ids:
        if item not in groups:
            raise FileFormatError(*where, f"{name}: group {item!r} is not in groups.tsv; correct or add it")
    if len(set(ids)) < len(ids):
        raise FileFormatError(*where, f"{name}: a group occurs twice; remove one")
    signs = [(item[1:], item[0] == "+") for item in exceptions.split()]
    if any(item[0] not in "+-" for item in exceptions.split()):
        raise FileFormatError(*where, f"{name}: an exception must begin with + or -, as in -fly")
    _check_signs(signs, properties, where)
    return Thing(name, ids, dict(signs), where)


def _check_signs(
    signs: list[tuple[str, bool]], properties: Mapping[str, Property], where: tuple[str, int]
) -> None:
    for name, _ in signs:
        if name not in properties:
            raise FileFormatError(*where, f"property {name!r} is not in properties.tsv; correct or add it")
    names = [name for name, _ in signs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise FileFormatError(*where, f"property {repeated[0]!r} occurs twice; remove one")


def _once(name: str, known: Mapping[str, object], where: tuple[str, int]) -> None:
    if name in known:
        raise FileFormatError(*where, f"{name!r} is declared twice; remove one")


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
