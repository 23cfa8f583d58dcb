"""Criticism: what is certain by relations, exact sums, thresholds, and runs that are stopped."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rapidfuzz")

from maieutic.config import ElicitConfig
from maieutic.distil.criticise import (
    JUDGED,
    Criticised,
    Criticising,
    Judged,
    criticise,
    p_true_of,
    read_judged,
)
from maieutic.distil.joint import constraints_of, neighbours
from maieutic.distil.relations import Relation, Relations, load_relations
from maieutic.distil.thresholds import RECALLS, levels, precision_at_recall
from maieutic.distil.triples import Triple
from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_text import dump_json
from maieutic.lm.base import Prompt
from maieutic.lm.beliefs import BeliefReader, SampledBeliefs
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.problem.base import AtMostOne, ExactlyOne
from maieutic.prompts.base import Template

BELIEFS = {"can fly": 0.8, "cannot fly": 0.6, "can swim": 0.7, "has wings": 0.55}


def triple(
    number: int, relation: str, tail: str, head: str = "a penguin", label: bool | None = None
) -> Triple:
    statement = load_relations("agora").by_id[relation].statement(head, tail)
    return Triple(f"1.{number}", head, relation, tail, statement, label=label)


TRIPLES = [
    triple(1, "CapableOf", "fly", label=False),
    triple(2, "NotCapableOf", "fly", label=True),
    triple(3, "CapableOf", "swim", label=True),
    triple(4, "HasA", "wings", head="a robin"),
]


def maieutic() -> Maieutic:
    def probability(prompt: Prompt, option: str) -> float:
        said = prompt.query.lower()
        p = next((p for words, p in BELIEFS.items() if words in said), 0.5)
        return 0.9 * (p if option.strip() == "true" else 1.0 - p)

    lm = ScriptedLanguageModel(lambda *_: " it is so.", probability)
    return Maieutic(lm, ScriptedVerifier(lambda *_: "neutral"), elicit=ElicitConfig(depth=0))


def last(out: Path, triples: Sequence[Triple] = TRIPLES, stop_after: int | None = None) -> Criticised:
    calls: list[None] = []

    def stopped() -> bool:
        calls.append(None)
        return stop_after is not None and len(calls) > stop_after

    *_, state = criticise(triples, load_relations("agora"), maieutic(), out, Criticising(heads=1), stopped)
    return state


def test_of_opposites_exactly_one_is_true_and_the_rest_is_untouched(tmp_path: Path) -> None:
    fly, not_fly, swim, _ = last(tmp_path / "out").judged
    assert fly.joint is not None
    assert not_fly.joint is not None
    assert fly.joint + not_fly.joint == pytest.approx(1.0)
    assert fly.tree is not None
    assert not_fly.tree is not None
    odds = [p / (1 - p) for p in (fly.tree, not_fly.tree)]  # alone each; together their odds multiply
    assert fly.joint == pytest.approx(odds[0] / (odds[0] + odds[1]))
    assert swim.joint == pytest.approx(swim.tree)
    assert (fly.conflicts, not_fly.conflicts, swim.conflicts) == (("1.2",), ("1.1",), ())
    assert p_true_of(fly, "direct") == pytest.approx(BELIEFS["can fly"])


def test_at_most_one_value_of_an_exclusive_relation_is_true() -> None:
    template = Template.compile("{head} was born in {tail}.", {"head", "tail"})
    relations = Relations("own", (Relation("Born", template, exclusive=True),))
    rows = {
        f"C{n}": Triple(str(n), "Bach", "Born", town, f"Bach was born in {town}.")
        for n, town in enumerate(("Eisenach", "Leipzig"), 1)
    }
    assert list(constraints_of(rows, relations)) == [AtMostOne(("C1", "C2"))]


def test_opposites_are_those_of_the_same_head_and_tail_only() -> None:
    rows = {f"C{n}": one for n, one in enumerate([*TRIPLES, triple(5, "NotCapableOf", "swim", "a robin")], 1)}
    assert list(constraints_of(rows, load_relations("agora"))) == [ExactlyOne(("C1", "C2"))]


def test_neighbours_are_the_heads_that_tails_name() -> None:
    rows = [triple(1, "Is", "a bird"), triple(2, "Is", "the penguin"), triple(3, "Is", "an animal")]
    assert neighbours(rows, ["a penguin", "birds", "the bird", "an animal"], 1) == ["the bird"]


@pytest.mark.parametrize("stop_after", [0, 1, 2, 3])
def test_a_stopped_run_goes_on_to_the_same_judgements(tmp_path: Path, stop_after: int) -> None:
    state = last(tmp_path / "out", stop_after=stop_after)
    assert state.grown == min(stop_after, 2)
    assert len(read_lines(tmp_path / "out" / JUDGED)) == len(state.judged)
    last(tmp_path / "out")
    last(tmp_path / "whole")
    for name in (JUDGED, "judged.csv", "judged.graphml", "levels.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def read_lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_files_have_what_was_found(tmp_path: Path) -> None:
    state = last(tmp_path / "out")
    assert read_judged(tmp_path / "out" / JUDGED) == list(state.judged)
    graph = nx.read_graphml(tmp_path / "out" / "judged.graphml", force_multigraph=True)
    assert {data["p_true"] for _, _, data in graph.edges(data=True)} == {one.p_true for one in state.judged}
    summary = json.loads((tmp_path / "out" / "levels.json").read_text())
    assert [level["name"] for level in summary["levels"]] == list(RECALLS)


def test_a_triple_of_another_relation_is_refused_by_name(tmp_path: Path) -> None:
    other = Triple("1", "a dog", "Wants", "a bone", "A dog wants a bone.")
    with pytest.raises(InputError) as error:
        last(tmp_path / "out", [other])
    assert error.value.subject == "Wants"


def test_a_file_that_has_no_judged_triples_is_refused(tmp_path: Path) -> None:
    (tmp_path / "judged.jsonl").write_text("")
    with pytest.raises(FileFormatError):
        read_judged(tmp_path / "judged.jsonl")
    one = Judged(TRIPLES[0], 0.5, None, None, 0)
    (tmp_path / "judged.jsonl").write_text(dump_json(one) + "\n")
    assert read_judged(tmp_path / "judged.jsonl") == [one]
    assert one.p_true == 0.5


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=30))
def test_a_level_keeps_its_recall_and_no_higher_threshold_does(p_true: list[float]) -> None:
    for level in levels(p_true):
        kept = [p for p in p_true if p >= level.threshold]
        assert len(kept) == level.size
        assert level.precision == pytest.approx(sum(kept) / len(kept))
        assert sum(kept) >= level.recall * sum(p_true) - 1e-6
        fewer = [p for p in p_true if p > level.threshold]
        assert sum(fewer) < level.recall * sum(p_true) + 1e-6


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), min_size=1, max_size=12),
    st.sampled_from([0.2, 0.5, 0.8, 1.0]),
)
def test_precision_at_recall_is_that_of_its_definition(rows: list[tuple[float, bool]], recall: float) -> None:
    scores, truths = [score for score, _ in rows], [truth for _, truth in rows]
    if not any(truths):
        with pytest.raises(InputError):
            precision_at_recall(scores, truths, recall)
        return
    found = precision_at_recall(scores, truths, recall)
    assert found == pytest.approx(precision_at_recall(scores[::-1], truths[::-1], recall))
    # each statement of equal score is divided into equal parts of all truths: then the order is free
    wanted, size, right = recall * sum(truths), 0.0, 0.0
    for score in (0.9, 0.5, 0.1):
        group = [truth for one, truth in rows if one == score]
        share = min(1.0, (wanted - right) / sum(group)) if sum(group) else float(right < wanted)
        size, right = size + share * len(group), right + share * sum(group)
    assert found == pytest.approx(right / size)


@pytest.mark.parametrize(
    ("tail", "denied"),
    [("never swim", "swim"), ("swim", "not swim"), ("carry a man on a horse", "carry a horse on a man")],
)
def test_tails_that_do_not_say_the_same_are_no_opposites(tail: str, denied: str) -> None:
    rows = {"C1": triple(1, "CapableOf", tail), "C2": triple(2, "NotCapableOf", denied)}
    assert list(constraints_of(rows, load_relations("agora"))) == []


@pytest.mark.parametrize(
    "found", [{"joint": 7.0}, {"tree": -0.1}, {"direct": math.nan}, {"explanations": -1}]
)
def test_what_was_found_is_in_its_range(found: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        replace(Judged(TRIPLES[0], 0.5, 0.5, 0.5, 0), **found)
    assert refused.value.subject in found


def test_a_triple_that_is_judged_twice_is_refused(tmp_path: Path) -> None:
    line = dump_json(Judged(TRIPLES[0], 0.5, 0.5, 0.5, 0)) + "\n"
    (tmp_path / "judged.jsonl").write_text(2 * line)
    with pytest.raises(FileFormatError, match="two triples"):
        read_judged(tmp_path / "judged.jsonl")


def test_other_beliefs_are_other_settings(tmp_path: Path) -> None:
    relations, out = load_relations("agora"), tmp_path / "out"
    last(out, stop_after=1)
    sampled = Maieutic(
        BeliefReader(maieutic().lm, SampledBeliefs(4)), maieutic().verifier, elicit=ElicitConfig(depth=0)
    )
    with pytest.raises(InputError):
        list(criticise(TRIPLES, relations, sampled, out, Criticising(heads=1)))


@pytest.mark.parametrize("changes", [{"id": "a\u0001"}, {"id": "1 2"}, {"relation": ""}, {"head": " "}])
def test_ids_relations_and_heads_are_plain(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        replace(TRIPLES[0], **changes)
    assert refused.value.subject in changes
