"""The tables of the world: large, well formed and consistent; invalid edits are refused."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from maieutic.benchmarks.agora.claims import derived, group_fact, membership, refuted
from maieutic.benchmarks.agora.world import WORLD_FOLDER, World, load_world
from maieutic.errors import FileFormatError, InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped tables that a test may damage."""
    return shutil.copytree(WORLD_FOLDER, tmp_path / "world")


def test_the_world_is_as_large_as_it_is_meant_to_be(world: World) -> None:
    assert len(world.things) >= 500
    assert len({group.relation for group in world.groups.values()}) >= 25
    kinds = {group.value for group in world.groups.values() if group.relation == "is_a"}
    assert len(kinds) >= 40
    assert kinds == {
        world.groups[name].value
        for thing in world.things.values()
        for name in thing.groups
        if name.startswith("is_a:")
    }, "every kind has things"


def test_most_derived_claims_have_several_derivations(world: World) -> None:
    ways = [len(derivations) for derivations in world.derivations.values()]
    assert sum(number > 1 for number in ways) > len(ways) / 2


def test_every_derivation_of_a_pair_says_the_same(world: World) -> None:
    for (thing, name), ways in world.derivations.items():
        assert {way.truth for way in ways} == {world.truth(thing, name)}
        for way in ways:
            assert way.group in world.things[thing].groups
            assert world.groups[way.group].properties[name] == way.truth


def test_an_exception_overrides_the_groups(world: World) -> None:
    overridden = 0
    for thing in world.things.values():
        for name, truth in thing.exceptions.items():
            assert world.truth(thing.name, name) == truth
            assert (thing.name, name) not in world.derivations
            overridden += any(
                world.groups[group].properties.get(name, truth) != truth for group in thing.groups
            )
    assert overridden >= 20


@pytest.mark.parametrize("thing", ["a penguin", "an ostrich"])
def test_birds_that_cannot_fly_are_exceptions(world: World, thing: str) -> None:
    assert "is_a:a bird" in world.things[thing].groups
    assert world.groups["is_a:a bird"].properties["fly"]
    assert world.truth(thing, "fly") is False
    assert derived(world, thing, "fly").correct().clause == f"{thing} cannot fly"


def test_no_membership_of_a_thing_is_refuted(world: World) -> None:
    for thing in world.things.values():
        assert not any(refuted(world, thing.name, group) for group in thing.groups)


def test_names_read_well_in_a_sentence(world: World) -> None:
    for thing in world.things.values():
        article, _, noun = thing.name.rpartition(" ") if " " not in thing.name else thing.name.partition(" ")
        assert re.fullmatch(r"[a-z][a-z' -]*", thing.name), thing.name
        if article in ("a", "an"):
            sounds_like_a = noun.startswith(("u", "eu", "one")) and not noun.startswith(
                ("um", "un", "up", "ur")
            )
            assert (article == "an") == (noun[0] in "aeiou" and not sounds_like_a) or noun[0] == "h", (
                thing.name
            )


def test_no_membership_and_no_property_are_said_alike(world: World) -> None:
    phrases = [item.verb.one for item in world.properties.values()]
    phrases += [item.verb.one for item in world.groups.values()]
    assert len(set(phrases)) == len(phrases)
    members = [group.members for group in world.groups.values()]
    assert len(set(members)) == len(members)


def test_sentences_about_things_and_groups(world: World) -> None:
    assert membership(world, "a spoon", "made_of:steel", True).text == "A spoon is made of steel."
    fact = group_fact(world, "made_of:steel", "float").correct()
    assert fact.text == "Things made of steel do not float in water."
    claim = derived(world, "a penguin", "feathers")
    assert (claim.text, claim.question) == ("A penguin has feathers.", "Does a penguin have feathers?")
    assert claim.negated().text == "A penguin does not have feathers."


def append(line: str) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")

    return edit


@pytest.mark.parametrize(
    "line",
    [
        "a unicorn\tis_a:a dragon\t",
        "a unicorn\tis_a:a mammal\t-magic",
        "a unicorn\tis_a:a mammal\tfly",
        "a unicorn\tis_a:a mammal; is_a:a mammal\t",
        "a unicorn\tis_a:a mammal\t-fly -fly",
        "a unicorn\tis_a:a mammal\t\t\t",
        "a unicorn\tis_a:a mammal; is_a:a bird\t",
        "a penguin\tis_a:a bird\t-fly",
    ],
)
def test_an_edit_that_breaks_the_world_is_named(folder: Path, line: str) -> None:
    path = folder / "things" / "zoo.tsv"
    path.write_text("thing\tgroups\texceptions\n# a comment\n\n", encoding="utf-8")
    append(line)(path)
    with pytest.raises(FileFormatError) as caught:
        load_world(folder)
    assert (Path(caught.value.path).name, caught.value.line) == ("zoo.tsv", 4)


@pytest.mark.parametrize(
    "line",
    [
        "dreams_of\tsheep\tdreamers\talive\t",
        "eats\tstones\tanimals that eat stones\thungry\t",
        "eats\tgrass\tgrazers\talive\t",
        "is_a\talive\tliving things\t\t",
        "eats\tstones\tanimals that eat stones\talive\talive",
    ],
)
def test_a_group_that_breaks_the_world_is_named(folder: Path, line: str) -> None:
    path = folder / "groups.tsv"
    append(line)(path)
    with pytest.raises(FileFormatError) as caught:
        load_world(folder)
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert (Path(caught.value.path).name, caught.value.line) == ("groups.tsv", lines)


def test_a_missing_or_unreadable_table_is_named(folder: Path) -> None:
    (folder / "properties.tsv").write_bytes(b"\xff\xfe")
    with pytest.raises(FileFormatError) as unreadable:
        load_world(folder)
    assert unreadable.value.path == str(folder / "properties.tsv")
    (folder / "relations.tsv").unlink()
    with pytest.raises(FileFormatError) as missing:
        load_world(folder)
    assert missing.value.path == str(folder / "relations.tsv")


def test_a_world_without_things_is_refused(folder: Path) -> None:
    shutil.rmtree(folder / "things")
    with pytest.raises(InputError) as caught:
        load_world(folder)
    assert caught.value.subject == str(folder / "things")
