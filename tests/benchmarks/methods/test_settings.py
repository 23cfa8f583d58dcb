"""Settings of nested dataclasses and of one dataclass among several, by dotted name."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from maieutic.benchmarks.methods.settings import FLAT, build, documented, plain
from maieutic.errors import InputError


@dataclass(frozen=True)
class ByVote:
    """Votes."""


@dataclass(frozen=True)
class BySolving:
    """Solves.

    Attributes:
        merge: makes one of two.
        least: ≥ 0.
    """

    merge: bool = False
    least: float = 0.0
    cost: float = field(default=1.0, metadata={"setting": False})

    def __post_init__(self) -> None:
        if self.least < 0:
            raise InputError(f"least must be ≥ 0, not {self.least}", subject="least")


@dataclass(frozen=True)
class Growing:
    """Grows.

    Attributes:
        widths: of each wave.
        way: solving or vote.
    """

    widths: tuple[int, ...] = (3, 1)
    way: BySolving | ByVote = field(
        default=BySolving(), metadata={"choices": {"solving": BySolving, "vote": ByVote}}
    )
    seed: int = 0


@dataclass(frozen=True)
class Method:
    name: str = ""
    tree: Growing = field(default=Growing(widths=(5,)))


@dataclass(frozen=True)
class Flat:
    """Grows as it is told.

    Attributes:
        name: of nothing.
    """

    growing: Growing = field(default=Growing(), metadata=FLAT)
    name: str = ""


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, Growing((5,), BySolving(), 4)),
        ({"tree.way": "vote"}, Growing((5,), ByVote(), 4)),
        ({"tree.way": "solving", "tree.way.merge": "true"}, Growing((5,), BySolving(merge=True), 4)),
        ({"tree.way.least": 2, "tree.widths": "1,2"}, Growing((1, 2), BySolving(least=2.0), 4)),
    ],
)
def test_a_class_is_chosen_by_name_and_its_settings_follow(
    settings: dict[str, object], expected: Growing
) -> None:
    method = build(Method(), settings, seed=4)
    assert method.tree == expected
    assert build(Method(), plain(method), seed=4) == method
    assert build(method, {}, seed=4) == method


@pytest.mark.parametrize(
    ("settings", "subject"),
    [
        ({"tree.way": "guess"}, "tree.way"),
        ({"tree.way": 3}, "tree.way"),
        ({"tree.way": "vote", "tree.way.merge": "true"}, "tree.way.merge"),
        ({"tree.way.least": "-1"}, "tree.way.least"),
        ({"tree.way.merge": 1}, "tree.way.merge"),
        ({"tree.way.cost": 2.0}, "tree.way.cost"),
        ({"tree.seed": 2}, "tree.seed"),
        ({"tree.widths": "1,x"}, "tree.widths"),
        ({"tree.widths": [1, "2"]}, "tree.widths"),
        ({"tree.widths": "1_0"}, "tree.widths"),
    ],
)
def test_what_does_not_fit_is_named_with_its_dots(settings: dict[str, object], subject: str) -> None:
    with pytest.raises(InputError) as caught:
        build(Method(), settings, seed=0)
    assert caught.value.subject == subject


@pytest.mark.parametrize("text", ["5", "true", "", "a=b.toml", "[x]", "null"])
def test_a_text_stays_a_text(text: str) -> None:
    assert build(Method(), {"name": text}, seed=0).name == text


def test_every_setting_is_listed_with_its_meaning() -> None:
    assert list(documented(Growing())) == [
        ("widths", [3, 1], "of each wave."),
        ("way", "solving", "solving or vote."),
        ("way.merge", False, "makes one of two."),
        ("way.least", 0.0, "≥ 0."),
    ]


def test_the_settings_of_a_flat_field_stand_among_those_around_it() -> None:
    assert [name for name, _, _ in documented(Flat())] == ["widths", "way", "way.merge", "way.least", "name"]
    method = build(Flat(), {"widths": "2", "way.merge": "true", "name": "it"}, seed=4)
    assert method == Flat(Growing((2,), BySolving(merge=True), 4), "it")
    assert build(Flat(), plain(method), seed=4) == method
    voting = build(Flat(), {"way": "vote"}, seed=0)
    assert build(Flat(), plain(voting), seed=0) == voting
    assert build(voting, {"way": "solving", "way.merge": "true"}, seed=0).growing.way == BySolving(merge=True)


@pytest.mark.parametrize("name", ["growing", "growing.widths", "seed", "way.cost", "tree.widths"])
def test_a_flat_field_takes_no_other_names(name: str) -> None:
    with pytest.raises(InputError) as caught:
        build(Flat(), {name: "2"}, seed=0)
    assert caught.value.subject == name
