"""The result type: JSON out and in again, and what is read off it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.answer import Answer, Models, Seconds
from maieutic.errors import InputError
from maieutic.inference.base import DEFAULT_SOLVER, INFERENCES, Inference, infer
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import conclude
from maieutic.relate import relate
from maieutic.solvers import SOLVERS
from maieutic.tree import Discard, Proposition, Tree, child_id

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

# Any text that UTF-8 can hold, line breaks, quotes and terminal codes among it.
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
BELIEFS = st.none() | st.floats(0, 1)
REASONS = st.sampled_from(["empty", "echo", "unfinished"])
DISCARDS = st.builds(
    Discard,
    st.just("Q"),
    st.sampled_from(["negation", "explanation"]),
    st.none() | st.booleans(),
    TEXTS,
    REASONS,
)


@dataclass(frozen=True)
class Noise:
    """A verifier whose view of a pair is random, the same for the same pair."""

    seed: int
    name: str = "noise"

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        rows = np.random.default_rng(self.seed).dirichlet([0.5] * 3, size=len(pairs))
        return rows.astype(np.float32)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Empty, one-node and grown trees of up to five propositions, discards and pruned nodes included."""

    def proposition(node_id: str, parent: str | None) -> Proposition:
        beliefs = draw(BELIEFS), draw(BELIEFS)
        integral = None not in beliefs and beliefs[0] != beliefs[1] and draw(st.booleans())
        return Proposition(node_id, parent, draw(TEXTS), draw(TEXTS), *beliefs, integral)

    nodes = [proposition("Q", None)]
    for index in range(draw(st.integers(0, 4))):
        parent = draw(st.sampled_from(nodes)).id
        nodes.append(proposition(child_id(parent, draw(st.booleans()), index), parent))
    kept, pruned = (nodes, []) if draw(st.integers(0, 4)) else ([], nodes)
    return Tree(
        question=draw(TEXTS),
        statement=nodes[0].statement,
        negation=nodes[0].negation,
        nodes=tuple(kept),
        answer=draw(st.none() | st.booleans()),
        discarded=tuple(draw(st.lists(DISCARDS, max_size=3))),
        pruned=tuple(pruned),
    )


def answered(tree: Tree, inference: Inference, seed: int) -> tuple[BeliefGraph, Answer]:
    """The belief graph of a tree and the answer put together from it."""
    (graph,) = relate([tree], Noise(seed), from_root=inference == "joint")
    verdict = infer(tree, graph, inference, SOLVERS[DEFAULT_SOLVER[inference]]())
    models = Models(None, "noise", DEFAULT_SOLVER[inference])
    return graph, Answer.of(tree, graph, verdict, inference, models, Seconds(0.1, 1e-9, 1 / 3))


def penguin() -> Answer:
    """An answer with something in every field."""
    tree = Tree(
        "Can a penguin fly?",
        "A penguin can fly.",
        "A penguin cannot fly.",
        (
            Proposition("Q", None, "A penguin can fly.", "A penguin cannot fly.", 0.6, 0.5),
            Proposition("QF0", "Q", "Penguins are heavy.", "Penguins are light.", 0.95, 0.02, True),
        ),
        discarded=(Discard("Q", "explanation", True, "because", "unfinished"),),
    )
    verifier = ScriptedVerifier(lambda _, text: "entailment" if "cannot" in text else "contradiction")
    (answer,) = conclude([tree], verifier, SOLVERS["rc2"](), "vote")
    return answer


# -- JSON ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inference", INFERENCES)
@settings(deadline=None, max_examples=60)
@given(tree=trees(), seed=st.integers(0, 2**32 - 1))
def test_an_answer_comes_back_from_json_exactly_as_it_was(
    inference: Inference, tree: Tree, seed: int
) -> None:
    _, answer = answered(tree, inference, seed)
    text = answer.to_json()
    assert Answer.from_json(text) == answer
    assert Answer.from_json(text.encode()).to_json() == text
    assert "\n" not in text  # one object a line


def test_the_fields_of_the_json_are_those_of_the_answer() -> None:
    answer = penguin()
    found = json.loads(answer.to_json())
    assert set(found) == set(Answer.__dataclass_fields__)
    assert found["answer"] is False
    assert found["votes"] == {"QF0": -2}
    assert found["tree"]["nodes"][1]["statement"] == "Penguins are heavy."


def test_optional_fields_may_be_missing_and_unknown_ones_are_ignored() -> None:
    found = json.loads(penguin().to_json())
    del found["votes"], found["seconds"]
    found["note"] = "added by hand"
    answer = Answer.from_json(json.dumps(found))
    assert answer == replace(penguin(), votes=None, seconds=Seconds())


def test_text_outside_ascii_is_written_as_it_is() -> None:
    assert "Grün ¬ 企鹅" in replace(penguin(), question="Grün ¬ 企鹅").to_json()


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (["answer"], "true", "answer"),
        (["answer"], 1, "answer"),
        (["margin"], "2", "margin"),
        (["margin_unit"], "points", "margin_unit"),
        (["inference"], "guess", "inference"),
        (["labels"], ["Q"], "labels"),
        (["labels", "Q"], None, "labels.Q"),
        (["edges", 0, "relation", "neutral"], "much", r"edges\[0\]\.relation\.neutral"),
        (["constraints", 0, "kind"], "rumour", r"constraints\[0\]\.kind"),
        (["violated"], [0.5], r"violated\[0\]"),
        (["models", "verifier"], None, r"models\.verifier"),
        (["seconds", "solve"], "fast", r"seconds\.solve"),
        (["votes", "QF0"], "no", r"votes\.QF0"),
        (["tree", "nodes", 1, "p_true"], 1.5, r"tree\.nodes\[1\]\.p_true"),
        (["tree", "discarded", 0, "reason"], 7, r"tree\.discarded\[0\]\.reason"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_name_of_its_field(
    place: list[str | int], value: object, named: str
) -> None:
    found: Any = json.loads(penguin().to_json())
    inner = found
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(InputError, match=f"^{named}: "):
        Answer.from_json(json.dumps(found))


OPTIONAL = ("votes", "seconds", "p_true", "p_labels", "unsure", "flip", "assumptions", "held", "merged")
REQUIRED = [name for name in Answer.__dataclass_fields__ if name not in OPTIONAL]


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_refused_by_its_name(name: str) -> None:
    found = json.loads(penguin().to_json())
    del found[name]
    with pytest.raises(InputError, match=f"^{name}: "):
        Answer.from_json(json.dumps(found))


def test_a_tree_inside_that_is_no_tree_is_refused_by_its_node() -> None:
    found = json.loads(penguin().to_json())
    found["tree"]["nodes"][1]["parent"] = "QT7"
    with pytest.raises(InputError, match="node QF0: its parent QT7 is not in the tree"):
        Answer.from_json(json.dumps(found))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff", '{"question": "half'])
def test_what_is_not_an_object_of_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputError):
        Answer.from_json(text)


# -- what is read off it -------------------------------------------------------------------------------


@pytest.mark.parametrize("inference", INFERENCES)
@settings(deadline=None, max_examples=60)
@given(tree=trees(), seed=st.integers(0, 2**32 - 1))
def test_the_graph_of_an_answer_is_the_one_it_was_made_from(
    inference: Inference, tree: Tree, seed: int
) -> None:
    original, answer = answered(tree, inference, seed)
    for one in (answer, Answer.from_json(answer.to_json())):
        assert nx.utils.graphs_equal(one.graph, original)
        assert list(one.graph.edges) == list(original.edges)


def test_the_graph_is_built_once() -> None:
    answer = penguin()
    assert answer.graph is answer.graph


@given(reasons=st.lists(REASONS))
def test_discards_are_counted_by_reason_the_most_frequent_first(reasons: list[str]) -> None:
    discarded = tuple(Discard("Q", "explanation", True, "text", reason) for reason in reasons)
    answer = penguin()
    answer = replace(answer, tree=replace(answer.tree, discarded=discarded))
    counts = answer.discard_counts
    assert answer.discarded == discarded
    assert counts == {reason: reasons.count(reason) for reason in reasons}
    assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_a_joint_answer_without_a_label_of_the_statement_is_refused() -> None:
    found = json.loads(penguin().to_json())
    found |= {
        "labels": {},
        "constraints": [],
        "violated": [],
        "p_labels": None,
        "inference": "joint",
        "flip": None,
    }
    with pytest.raises(InputError, match="labels: Q has none"):
        Answer.from_json(json.dumps(found))
