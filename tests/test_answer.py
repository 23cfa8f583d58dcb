"""The result type: JSON out and in again, and what is read off it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.answer import Answer, Models, Seconds
from maieutic.elicit import Growth
from maieutic.errors import InputError
from maieutic.inference import INFERENCES, BeliefGraph, Literal, Verdict, Vote
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.relate import relate
from maieutic.tree import Discard, GrowthStep, Proposition, Tree, child_id

STEPS = (GrowthStep("root", None, 0, 2), GrowthStep("chain", 1 / 3, 20, 2), GrowthStep("Q", 1.0, 40, 8))

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


def answered(tree: Tree, name: str, seed: int) -> tuple[BeliefGraph, Verdict, Answer]:
    """The belief graph of a tree, its verdict and the answer put together from them."""
    inference = INFERENCES[name]()
    graph = relate([tree], Noise(seed), inference)[0].graph
    verdict = inference.infer(tree, graph)
    seconds = Seconds(0.1, 1e-9, 1 / 3)
    return graph, verdict, Answer(tree, graph, verdict, Models(None, "noise"), seconds, steps=STEPS)


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
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    (answer,) = Maieutic(lm, verifier, inference=Vote()).conclude([Growth(tree, steps=STEPS)])
    return answer


# -- JSON ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inference", INFERENCES)
@settings(deadline=None, max_examples=60)
@given(tree=trees(), seed=st.integers(0, 2**32 - 1))
def test_an_answer_comes_back_from_json_exactly_as_it_was(inference: str, tree: Tree, seed: int) -> None:
    _, _, answer = answered(tree, inference, seed)
    text = answer.to_json()
    assert Answer.from_json(text) == answer
    assert Answer.from_json(text.encode()).to_json() == text
    assert "\n" not in text  # one object a line


def test_the_fields_of_the_json_are_those_of_the_answer() -> None:
    answer = penguin()
    record = json.loads(answer.to_json())
    own = {"tree", "graph", "verdict", "models", "seconds", "usage", "warnings", "steps", "memory"}
    assert set(record) == own
    assert record["steps"][2] == {"what": "Q", "p_true": 1.0, "tokens": 40, "calls": 8}
    assert set(record["verdict"]) == {field.name for field in fields(Verdict)}
    assert record["verdict"]["answer"] is False
    assert record["verdict"]["votes"] == {"QF0": -2}
    assert record["tree"]["nodes"][1]["statement"] == "Penguins are heavy."


def test_optional_fields_may_be_missing_and_unknown_ones_are_ignored() -> None:
    record = json.loads(penguin().to_json())
    del record["verdict"]["votes"], record["seconds"], record["steps"]
    record["note"] = record["verdict"]["note"] = "added by hand"
    answer = Answer.from_json(json.dumps(record))
    verdict = replace(penguin().verdict, votes=None)
    assert answer == replace(penguin(), verdict=verdict, seconds=Seconds(), steps=())


def test_text_outside_ascii_is_written_as_it_is() -> None:
    answer = penguin()
    assert "Grün ¬ 企鹅" in replace(answer, tree=replace(answer.tree, question="Grün ¬ 企鹅")).to_json()


@pytest.mark.parametrize(
    ("place", "value", "subject"),
    [
        (["verdict", "answer"], "true", "verdict.answer"),
        (["verdict", "answer"], 1, "verdict.answer"),
        (["verdict", "margin"], "2", "verdict.margin"),
        (["verdict", "margin_unit"], "points", "verdict.margin_unit"),
        (["verdict", "inference"], 3, "verdict.inference"),
        (["verdict", "labels"], ["Q"], "verdict.labels"),
        (["verdict", "labels", "Q"], None, "verdict.labels.Q"),
        (["verdict", "constraints", 0, "kind"], "rumour", "verdict.constraints[0].kind"),
        (["verdict", "constraints", 0, "source"], {"id": "Q"}, "verdict.constraints[0].source"),
        (["verdict", "violated"], [0.5], "verdict.violated[0]"),
        (["verdict", "votes", "QF0"], "no", "verdict.votes.QF0"),
        (["verdict", "held"], [7], "verdict.held[0]"),
        (["verdict", "p_true"], 1.5, "verdict.p_true"),
        (["graph", "relations", 0, "neutral"], "much", "graph.relations[0].neutral"),
        (["graph", "relations", 0, "target"], "QT9", "QT9"),
        (["models", "verifier"], None, "models.verifier"),
        (["seconds", "solve"], "fast", "seconds.solve"),
        (["steps", 1, "p_true"], 1.5, "steps[1].p_true"),
        (["tree", "nodes", 1, "p_true"], 1.5, "tree.nodes[1].p_true"),
        (["tree", "discarded", 0, "reason"], 7, "tree.discarded[0].reason"),
        # What fits its type but names what is not there.
        (["verdict", "labels", "QT7"], True, "labels"),
        (["verdict", "p_labels"], {"QT7": 0.5}, "p_labels"),
        (["verdict", "strengths"], {"QT7": 0.5}, "strengths"),
        (["verdict", "votes", "¬QT7"], 1, "votes"),
        (["verdict", "held"], ["QT7"], "held"),
        (["verdict", "merged"], [["QF0", "¬QT7"]], "merged"),
        (["verdict", "variables"], ["QF0", "QT7"], "variables"),
        (["verdict", "constraints", 0, "source"], "QT7", "constraints"),
        (["graph"], {"forms": [{"literal": "QT7", "text": ""}]}, "graph"),
        (["verdict", "violated"], [5], "violated"),
        (["verdict", "flip"], [-1], "flip"),
        # What has a constraint is labelled, and is a variable.
        (["verdict", "labels"], {"Q": False}, "labels"),
        (["verdict", "variables"], [], "variables"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_name_of_its_field(
    place: list[str | int], value: object, subject: str
) -> None:
    record: Any = json.loads(penguin().to_json())
    inner = record
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(InputError) as refused:
        Answer.from_json(json.dumps(record))
    assert refused.value.subject == subject


def required(cls: type[Answer | Verdict]) -> list[str]:
    return [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]


@pytest.mark.parametrize(
    "place", [*((name,) for name in required(Answer)), *(("verdict", name) for name in required(Verdict))]
)
def test_a_missing_field_is_refused_by_its_name(place: tuple[str, ...]) -> None:
    record = json.loads(penguin().to_json())
    inner = record
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    with pytest.raises(InputError) as refused:
        Answer.from_json(json.dumps(record))
    assert refused.value.subject == ".".join(place)


def test_a_tree_inside_that_is_no_tree_is_refused_by_its_node() -> None:
    record = json.loads(penguin().to_json())
    record["tree"]["nodes"][1]["parent"] = "QT7"
    with pytest.raises(InputError) as refused:
        Answer.from_json(json.dumps(record))
    assert refused.value.subject == "QF0"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff", '{"question": "half'])
def test_what_is_not_an_object_of_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputError):
        Answer.from_json(text)


# -- what is read off it -------------------------------------------------------------------------------


@pytest.mark.parametrize("inference", INFERENCES)
@settings(deadline=None, max_examples=60)
@given(tree=trees(), seed=st.integers(0, 2**32 - 1))
def test_an_answer_says_what_its_tree_and_verdict_say(inference: str, tree: Tree, seed: int) -> None:
    graph, verdict, answer = answered(tree, inference, seed)
    assert (answer.tree, answer.graph, answer.verdict) == (tree, graph, verdict)
    assert (answer.question, answer.statement) == (tree.question, tree.statement)
    for name in ("answer", "p_true", "confidence", "margin", "labels", "unsure"):
        assert getattr(answer, name) == getattr(verdict, name)
    assert {"Q", *answer.labels} == {node.id for node in answer.propositions} | {"Q"}
    assert answer.seconds.total == pytest.approx(0.1 + 1e-9 + 1 / 3)


@given(reasons=st.lists(REASONS))
def test_discards_are_counted_by_reason_the_most_frequent_first(reasons: list[str]) -> None:
    discarded = tuple(Discard("Q", "explanation", True, "text", reason) for reason in reasons)
    answer = penguin()
    answer = replace(answer, tree=replace(answer.tree, discarded=discarded))
    counts = answer.discard_counts
    assert counts == {reason: reasons.count(reason) for reason in reasons}
    assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_a_joint_answer_without_a_label_of_the_statement_is_refused() -> None:
    answer = penguin()
    verdict = Verdict("joint", answer=False, margin=1.0, margin_unit="nats", labels={})
    with pytest.raises(InputError) as refused:
        replace(answer, verdict=verdict)
    assert refused.value.subject == "labels"


def test_a_verdict_tells_what_its_labels_make_of_a_literal() -> None:
    verdict = penguin().verdict
    assert verdict.labels == {"Q": False, "QF0": True}
    assert [verdict.holds(each) for each in (Literal("Q"), ~Literal("Q"))] == [False, True]
    assert [verdict.holds(each) for each in (Literal("QF0"), ~Literal("QF0"))] == [True, False]
