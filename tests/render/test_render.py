"""Answers on a terminal: all data are shown, and no text can control the terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from maieutic.answer import Answer, Models
from maieutic.errors import InputError
from maieutic.inference import Argue, Inference, Joint, Literal, Vote
from maieutic.inference.constraints import Constraint
from maieutic.inference.flips import with_flip
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.render.text import printable, show
from maieutic.solvers import load_solver
from maieutic.tree import Discard, GrowthStep, Proposition, Tree
from tests.inference.weights import TELLING

HOSTILE = {
    "a colour": "\x1b[31mred",
    "a title": "\x1b]0;owned\x07",
    "one-byte codes": "\x9b2J",
    "markup": "[red]x[/red]",
    "unclosed markup": "[/]",
    "a link": "[link=http://example.org]y[/link]",
    "an emoji name": ":smile:",
    "line breaks": "a\nb\r\nc\u2028d\x85e",
    "a tab and a backspace": "a\tb\x08c",
    "right to left": "\u202egnp.exe\u202c",
    "isolates": "\u2066x\u2069",
    "no width": "x\u200by\ufeff",
    "null": "\x00",
}
FLY = "Can a penguin fly?", "A penguin can fly.", "A penguin cannot fly."


def judge(premise: str, hypothesis: str) -> str:
    """What is heavy does not fly; having wings says that one can."""
    if "heavy" in premise and "fly" in hypothesis:
        return "entailment" if "cannot" in hypothesis else "contradiction"
    return "entailment" if "wings" in premise and hypothesis == FLY[1] else "neutral"


def grown(question: str = FLY[0], light: str = "Penguins are light.") -> Tree:
    return Tree(
        question,
        *FLY[1:],
        (
            Proposition("Q", None, *FLY[1:], 0.61, 0.52),
            Proposition("QT0", "Q", "Penguins have wings.", "Penguins have no wings.", 0.9, 0.3, True),
            Proposition("QF0", "Q", light, "Penguins are heavy.", 0.02, 0.95, True),
            Proposition("QT0F0", "QT0", "Wings are small.", "Wings are large.", None, 0.97),
        ),
    )


def one_node() -> Tree:
    return Tree(*FLY, (Proposition("Q", None, *FLY[1:], 0.08, 0.93, True),))


def empty() -> Tree:
    return Tree(*FLY, (), pruned=(Proposition("Q", None, *FLY[1:], 0.5, 0.5),))


TREES = {"grown": grown(), "one-node": one_node(), "empty": empty()}
ALL = pytest.mark.parametrize("tree", list(TREES.values()), ids=list(TREES))
EXHAUSTIVE = load_solver("exhaustive")
INFERENCES: dict[str, Inference] = {
    "joint": Joint(TELLING, solver=EXHAUSTIVE),
    "vote": Vote(solver=EXHAUSTIVE),
    "argue": Argue(),
}
JOINT = INFERENCES["joint"]
EACH = pytest.mark.parametrize("inference", INFERENCES.values(), ids=INFERENCES)


def answered(tree: Tree, inference: Inference = JOINT, name: str = "scripted") -> Answer:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    (answer,) = Maieutic(lm, ScriptedVerifier(judge, name=name), inference=inference).conclude([tree])
    return answer


def shown(answer: Answer, *, terminal: bool = False, width: int = 80) -> str:
    """What is printed; by default into a pipe."""
    colours = "truecolor" if terminal else "auto"
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        color_system=colours,  # type: ignore[arg-type]  # a Literal that the line above spells out
        _environ={},
    )
    show(answer, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def flat(text: str) -> str:
    """The text without the tree's lines and the line breaks that the width made."""
    return " ".join(re.sub("[│├└─]", " ", text).split())


# -- what is shown -------------------------------------------------------------------------------------


@ALL
@EACH
def test_no_line_is_wider_than_eighty_columns(tree: Tree, inference: Inference) -> None:
    lines = shown(answered(tree, inference)).splitlines()
    assert max(cell_len(line) for line in lines) <= 80


@settings(deadline=None, max_examples=50)
@given(words=st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=3), width=st.integers(40, 120))
def test_text_of_any_kind_and_length_stays_within_the_width(words: list[str], width: int) -> None:
    text = shown(answered(grown(" ".join(words), "".join(words))), width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width


@ALL
@EACH
def test_the_question_the_decision_and_the_margin_come_first(tree: Tree, inference: Inference) -> None:
    answer = answered(tree, inference)
    question, decision, margin = shown(answer).splitlines()[:3]
    assert question.strip() == FLY[0]
    assert decision.split() == [str(answer.answer).upper(), *FLY[1].split()]
    assert margin.startswith(f"margin {answer.margin:.2f} {answer.verdict.margin_unit}: ")


def test_a_statement_that_is_its_own_question_is_not_repeated_above_the_decision() -> None:
    assert shown(answered(replace(one_node(), question=FLY[1]))).startswith("FALSE  A penguin can fly.\n")


@ALL
@EACH
def test_every_proposition_is_shown_with_its_label_beliefs_and_integrity(
    tree: Tree, inference: Inference
) -> None:
    answer = answered(tree, inference)
    text = flat(shown(answer))
    sides = {None: "", True: "True, because: ", False: "False, because: "}
    for node in tree.nodes:
        p, p_negation = ("unknown" if b is None else f"{b:.2f}" for b in (node.p_true, node.p_true_negation))
        label = str(answer.labels[node.id]).lower()
        integral = "integral" if node.integral else "wavers"
        assert f"{node.id} {label} {sides[node.side]}{node.statement}" in text
        assert f"{node.statement} the model believes {p}, its negation {p_negation}, {integral}" in text


def test_children_stand_below_their_parents_and_further_in() -> None:
    lines = shown(answered(grown())).splitlines()
    matches = [
        (row, match[1], match.start(1))
        for row, line in enumerate(lines)
        if (match := re.search(r"(Q[TF0]*) (?:true|false)  ", line))
    ]
    assert [name for _, name, _ in matches] == ["Q", "QT0", "QT0F0", "QF0"]
    indents = {name: indent for _, name, indent in matches}
    assert indents["Q"] < indents["QT0"] == indents["QF0"] < indents["QT0F0"]


def test_a_tree_whose_children_precede_their_parents_is_shown_all_the_same() -> None:
    # The order of the nodes is not among the things that reading a tree refuses.
    tree = replace(grown(), nodes=grown().nodes[::-1])
    assert all(node.statement in flat(shown(answered(tree))) for node in tree.nodes)


@EACH
def test_an_empty_tree_and_a_coin_toss_are_named(inference: Inference) -> None:
    text = flat(shown(answered(empty(), inference)))
    assert "empty tree" in text
    assert "coin toss" in text


def broken(answer: Answer, labels: Mapping[str, bool]) -> set[int]:
    """Indices of the constraints that the labels break."""

    def true(literal: Literal) -> bool:
        return labels[literal.id] == literal.positive

    def holds(c: Constraint) -> bool:
        if c.target is None:
            return true(c.source)
        return not true(c.source) or true(c.target) != (c.kind == "contradiction")

    return {index for index, constraint in enumerate(answer.verdict.constraints) if not holds(constraint)}


def test_the_reasons_are_what_flipping_q_alone_would_break_or_mend() -> None:
    answer = answered(grown())
    now, flipped = broken(answer, answer.labels), broken(answer, {**answer.labels, "Q": not answer.answer})
    support, _, overruled = shown(answer).partition("What was overruled")
    for listed, indices in ((support, flipped - now), (overruled, now - flipped)):
        weights = sorted(f"{answer.verdict.constraints[index].weight:.2f}" for index in indices)
        assert weights
        assert sorted(re.findall(r"^ +(\d+\.\d\d)  ", listed, re.MULTILINE)) == weights


def test_a_reason_names_its_source_its_kind_and_its_target() -> None:
    support, _, overruled = shown(answered(grown())).partition("What was overruled")
    for phrase in ("QT0 .* reason .* Q", "QT0 entails Q", ".* believes Q"):
        assert re.search(rf"\d\.\d\d  {phrase}\n", support)
    for phrase in ("¬QF0 contradicts Q", "¬QF0 entails ¬Q"):
        assert re.search(rf"\d\.\d\d  {phrase}\n", overruled)


def test_of_many_reasons_the_heaviest_are_shown_and_the_others_counted() -> None:
    explanations = [
        Proposition(f"QF{i}", "Q", f"Stone {i} is heavy.", f"Stone {i} is light.", 0.95, 0.02, True)
        for i in range(6)
    ]
    answer = answered(replace(one_node(), nodes=(one_node().nodes[0], *explanations)))
    listed = shown(answer).partition("What speaks for it\n")[2].partition("\n\n")[0].splitlines()
    weights = [float(line.split()[0]) for line in listed[:-1]]
    every = [c.weight for c in answer.verdict.constraints if "Q" in c.ids]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == pytest.approx(max(every), abs=0.005)
    assert len(weights) < 3 * len(explanations)
    assert re.fullmatch(r"  … and \d+ .*", listed[-1].rstrip())


def test_the_votes_of_the_explanations_labelled_true_are_listed() -> None:
    answer = answered(grown(), INFERENCES["vote"])
    assert answer.verdict.votes == {Literal("QT0"): 1, ~Literal("QF0"): -2}
    ballots = shown(answer).partition("Votes on Q")[2].splitlines()[1:3]
    assert [line.split() for line in ballots] == [["+1", "QT0"], ["-2", "¬QF0"]]


def test_the_arguments_about_q_are_listed_with_their_strengths() -> None:
    answer = answered(grown(), Argue())
    strengths = answer.verdict.strengths
    assert strengths is not None
    text = shown(answer)
    for node in answer.tree.nodes:
        assert re.search(rf"{node.id} .*strength {strengths[node.id]:.2f}", flat(text))
    rows = [line.split() for line in text.partition("Arguments about Q")[2].splitlines()[1:3]]
    assert rows == [
        [f"{strengths['QT0']:.2f}", "QT0", "supports", "Q"],
        [f"{strengths['QF0']:.2f}", "QF0", "attacks", "Q"],
    ]


@EACH
def test_the_last_lines_name_the_models_the_inference_and_the_discarded_texts(inference: Inference) -> None:
    discarded = tuple(Discard("Q", "explanation", True, "x", reason) for reason in ("echo", "empty", "echo"))
    answer = answered(replace(grown(), discarded=discarded), inference, "some-nli")
    foot = flat(shown(answer)).partition("discarded: ")[2]
    assert foot.startswith("2 echo, 1 empty ")
    assert f"({inference.name} inference)" in foot
    for name in ("some-nli", "exhaustive"):  # argue uses neither
        assert (name in foot) == inference.uses_verifier
    assert "none" not in foot
    assert "some-lm" in shown(replace(answer, models=replace(answer.models, lm="some-lm")))


def test_the_steps_of_growth_are_one_line_with_their_cost() -> None:
    answer = answered(grown())
    assert "growth" not in shown(answer)
    steps = (GrowthStep("root", 0.549, 0, 4), GrowthStep("chain", None, 21, 2), GrowthStep("Q", 0.72, 40, 8))
    line = "growth: root 0.55 → chain unknown → Q 0.72, 61 generated tokens, 14 calls"
    assert line in flat(shown(replace(answer, steps=steps)))
    evil = (GrowthStep("\x1b]0;owned\x07", 0.5, 0, 4),)
    assert "\x1b" not in shown(replace(answer, steps=evil))


# -- hostile text --------------------------------------------------------------------------------------


def tree_saying(text: str) -> Tree:
    """A tree with the text in every field that a model or a file can fill."""
    root, *others = grown().nodes
    nodes = (replace(root, statement=text, negation=text), *(replace(n, statement=text) for n in others))
    return Tree(text, f"{text}.", text, nodes, discarded=(Discard("Q", "belief", None, text, text),))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("terminal", [True, False])
@EACH
def test_hostile_text_is_inert_and_visible(inference: Inference, terminal: bool, text: str) -> None:
    output = shown(answered(tree_saying(text), inference, name=text), terminal=terminal)
    if terminal:  # colours of our own; nothing else may remain
        output = re.sub(r"\x1b\[[\d;]*m", "", output)
    assert all(c.isprintable() for c in output.replace("\n", ""))
    assert output.count(printable(text)) >= 3 + inference.uses_verifier + len(grown().nodes)


@EACH
def test_hostile_names_of_models_come_out_inert(inference: Inference) -> None:
    evil = "\x1b]0;owned\x07"
    answer = answered(grown(), inference)
    verdict = replace(answer.verdict, solver=evil)
    output = shown(replace(answer, models=Models(evil, evil), verdict=verdict))
    assert "\x1b" not in output
    assert output.count(printable(evil)) == 3


@EACH
def test_hostile_names_of_propositions_cannot_enter_an_answer(inference: Inference) -> None:
    answer, evil = answered(grown(), inference), Literal("\x1b]0;owned\x07")
    hostile: dict[str, Any] = {
        "constraints": (Constraint("entailment", Literal("Q"), evil, 1.0),),
        "votes": {evil: 1},
        "strengths": {evil.id: 0.5},
    }
    for field, value in hostile.items():
        with pytest.raises(InputError) as caught:
            replace(answer, verdict=replace(answer.verdict, **{field: value}))
        assert caught.value.subject == field


@ALL
@EACH
def test_colours_go_to_terminals_only(tree: Tree, inference: Inference) -> None:
    assert "\x1b" not in shown(answered(tree, inference))
    assert "\x1b[" in shown(answered(tree, inference), terminal=True)


@given(text=st.text())
def test_printable_text_is_kept_and_all_other_characters_are_escaped(text: str) -> None:
    escaped = printable(text)
    assert escaped.isprintable()
    assert printable(escaped) == escaped
    if text.isprintable():
        assert escaped == text


def test_the_constraints_of_a_flip_are_listed() -> None:
    answer = with_flip(answered(grown()))
    flip = answer.verdict.flip
    assert flip
    listed = shown(answer).partition("What would change its mind: false")[2].partition("\n\n")[0]
    weights = [answer.verdict.constraints[index].weight for index in flip]
    assert re.findall(r"^ +(\d\.\d\d)  ", listed, re.MULTILINE) == [f"{weight:.2f}" for weight in weights]
    assert sum(weights) >= answer.margin - 1e-6
    assert Answer.from_json(answer.to_json()) == answer


def test_an_answer_below_the_threshold_is_unsure() -> None:
    answer = answered(grown(), Joint(TELLING, abstain_below=0.95, solver=EXHAUSTIVE))
    assert answer.unsure
    assert answer.confidence == pytest.approx(max(answer.p_true or 0, 1 - (answer.p_true or 0)))
    assert shown(answer).splitlines()[1].startswith("UNSURE, rather true")
