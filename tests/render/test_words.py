"""Answers in plain words: the decision, its percentage, every reason once, nothing that needs a manual."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from maieutic.answer import NOTHING_JUDGED, Answer
from maieutic.inference import Inference, Joint
from maieutic.inference.assumptions import assumptions_of
from maieutic.inference.flips import with_flip
from maieutic.inference.reasons import reasons_of
from maieutic.inference.weights import EVERY_TERM
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.priors import Priors
from maieutic.render.phrases import SHOWN_FOR, Phrases, percent
from maieutic.render.terms import glossary_table, meaning, terms
from maieutic.render.text import printable
from maieutic.render.words import SHOWN_AGAINST, tell
from maieutic.tree import Chain, Proposition, Tree
from tests.inference.random_answers import INFERENCES, random_answer

SEEDS = st.integers(0, 60)
EACH = pytest.mark.parametrize("name", INFERENCES)
JOINT = INFERENCES["joint"]
JARGON = re.compile(
    r"nats|integral|¬|rc2|clause|marginal|labelling|constraint|entail|margin|\bcost|swing|lemma|MaxSAT"
    r"|\bQ\b|Q[TF]\d|log-odds|vote|logit|None|neutral",
    re.IGNORECASE,
)
HOSTILE = ("\x1b[31mred", "\x1b]0;owned\x07", "[red]x[/red]", "[/]", "a\nb\u2028c", "\u202egnp", ":smile:")


def told(answer: Answer, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, _environ={})
    tell(answer, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def root(p: float | None = 0.3, p_negation: float | None = 0.6) -> Proposition:
    return Proposition("Q", None, "Penguins fly.", "Penguins do not fly.", p, p_negation)


def tree(*nodes: Proposition, question: str = "Do penguins fly?", chain: Chain | None = None) -> Tree:
    first = nodes[0] if nodes else root()
    return Tree(question, first.statement, first.negation, nodes, chain=chain)


def concluded(grown: Tree, inference: Inference = JOINT) -> Answer:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    pipeline = Maieutic(lm, ScriptedVerifier(lambda *_: "neutral"), inference=inference)
    (answer,) = pipeline.conclude([grown])
    return answer


# -- the decision --------------------------------------------------------------------------------------


@EACH
@settings(max_examples=20)
@given(seed=SEEDS)
def test_the_first_line_is_the_decision_what_is_held_and_how_sure(name: str, seed: int) -> None:
    answer = random_answer(seed, name)
    first = told(answer, 200).splitlines()[0]
    held = answer.statement if answer.answer else answer.tree.negation
    if first.startswith("Unsure. A coin toss: "):
        assert answer.margin == 0 or answer.p_true == pytest.approx(0.5)
        return
    asked = answer.question.endswith("?")
    word = ("Yes" if asked else "True") if answer.answer else ("No" if asked else "False")
    if answer.confidence is not None and answer.confidence < 0.6:
        word = f"Rather {word.lower()}"
    sure = "" if answer.confidence is None else f" ({percent(answer.confidence)} sure)"
    assert first == f"{word}. {held.removesuffix('.')}{sure}."


def test_an_unsure_answer_says_so_first_and_to_which_side_it_leans() -> None:
    answer = concluded(tree(root()), Joint(EVERY_TERM, abstain_below=0.99))
    assert not answer.answer
    assert told(answer).startswith("Unsure. Rather no: Penguins do not fly (")
    statement = replace(answer, tree=replace(answer.tree, question=answer.statement))
    assert told(statement).startswith("Unsure. Rather false: Penguins do not fly (")


def test_without_a_negation_the_statement_is_said_not_to_be_so() -> None:
    answer = concluded(tree(replace(root(0.01, None), negation="")))
    assert told(answer).startswith("No. It is not so: “Penguins fly.” (")


def test_warnings_come_right_after_the_decision() -> None:
    answer = concluded(tree(root()))
    lines = told(replace(answer, warnings=(NOTHING_JUDGED, "\x1b[31m"))).splitlines()
    assert lines[1].startswith("Warning: the model judged nothing")
    assert r"Warning: \x1b[31m." in lines


@given(p=st.floats(0, 1))
def test_a_percentage_is_the_probability_and_certainty_is_not_claimed(p: float) -> None:
    text = percent(p)
    number = float(re.sub(r"\D", "", text))
    assert abs(number - 100 * p) <= 1.0
    assert (text in ("0 %", "100 %")) == (p in (0.0, 1.0))


# -- the reasons ---------------------------------------------------------------------------------------


def listed(text: str, title: str) -> list[str]:
    """The items under a title, each on one line."""
    _, _, rest = text.partition(f"\n{title}\n")
    rows: list[str] = []
    for line in rest.partition("\n\n")[0].splitlines():
        if re.match(r"  (\d+\.|–|…) ", line):
            rows.append(line.strip())
        else:
            rows[-1] += f" {line.strip()}"
    return rows


@EACH
@settings(max_examples=20)
@given(seed=SEEDS)
def test_every_reason_is_listed_or_counted_on_one_side_in_the_order_of_strength(name: str, seed: int) -> None:
    answer = random_answer(seed, name)
    phrases = Phrases(answer)
    helping, others = phrases.sides
    assert sorted((*helping, *others), key=str) == sorted(
        reasons_of(answer.tree, answer.verdict, answer.graph), key=str
    )
    text = told(answer)
    against = "Speaks against this, or is not believed" if "or is not" in text else "Speaks against this"
    for title, side, most in (("Supports this", helping, SHOWN_FOR), (against, others, SHOWN_AGAINST)):
        assert [abs(r.moves) for r in side] == sorted((abs(r.moves) for r in side), reverse=True)
        rows = listed(text, title)
        left = len(side) - most
        assert len(rows) == (len(side) if left <= 0 else most + 1)
        if left > 0:
            assert rows[-1] == f"… and {left} weaker"
        for row, reason in zip(rows, side[:most], strict=False):
            if reason.source == "explanation":
                assert printable(answer.tree.by_id[reason.ids[0]].statement) in row
            if reason.otherwise is not None and "[" in row:
                left_over = reason.otherwise if answer.answer else 1 - reason.otherwise
                assert percent(left_over if left_over >= 0.5 else 1 - left_over) in row.rpartition("[")[2]


@settings(max_examples=20)
@given(seed=SEEDS)
def test_a_reason_that_is_held_for_the_answer_makes_it_surer(seed: int) -> None:
    answer = random_answer(seed, "joint")
    helping, others = Phrases(answer).sides
    towards = 1 if answer.answer else -1
    assert all(reason.moves * towards >= -1e-9 for reason in helping)
    for reason in (reason for reason in others if reason.source == "explanation"):
        overruled = reason.supports != answer.answer
        assert (reason.moves * towards <= 1e-9) == (reason.held == overruled) or abs(reason.moves) <= 1e-9


@EACH
@settings(max_examples=20)
@given(seed=SEEDS)
def test_nothing_needs_a_manual(name: str, seed: int) -> None:
    answer = random_answer(seed, name)
    text = told(with_flip(answer) if name == "joint" else answer)
    assert not JARGON.search(text.replace("scripted", ""))
    assert len(text.splitlines()) <= 40


@EACH
@settings(max_examples=20)
@given(seed=SEEDS, width=st.integers(40, 120), hostile=st.sampled_from(HOSTILE))
def test_hostile_text_is_inert_and_no_line_too_wide(name: str, seed: int, width: int, hostile: str) -> None:
    answer = random_answer(seed, name, lambda text: f"{hostile} {text}")
    text = told(with_flip(answer) if name == "joint" else answer, width)
    assert all(c.isprintable() for c in text.replace("\n", ""))
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert not any(line != line.rstrip() for line in text.splitlines())
    if hostile.isprintable():
        assert hostile in flat(text)


def explained(*beliefs: tuple[float, float], chain: Chain | None = None) -> Answer:
    """Q and explanations of the False side with these beliefs, under tree edges and beliefs alone."""
    nodes = [
        Proposition(f"QF{i}", "Q", f"Stone {i} is heavy.", f"Stone {i} is light.", p, q, True)
        for i, (p, q) in enumerate(beliefs)
    ]
    return concluded(tree(root(0.5, 0.5), *nodes, chain=chain))


def test_what_the_model_says_directly_and_aloud_are_reasons_in_words() -> None:
    answer = concluded(tree(root(0.12, 0.9), chain=Chain("They swim.", 0.01)))
    rows = listed(told(answer), "Supports this")
    assert any(re.search(r"Asked directly, the model says no \(88 %\)", row) for row in rows)
    assert any("Thinking aloud, the model concludes no: “They swim.”" in row for row in rows)


def test_a_thought_in_the_words_of_a_reason_refers_to_it() -> None:
    answer = explained((0.9, 0.1), chain=Chain("Stone 0 is heavy.", 0.01))
    rows = listed(told(answer), "Supports this")
    (number,) = (row.partition(".")[0] for row in rows if "“Stone 0 is heavy.”" in row)
    assert any(f"concludes no, for reason {number}" in row for row in rows)


def test_a_judgement_below_what_the_model_says_of_any_statement_speaks_against_it() -> None:
    weights = replace(EVERY_TERM, root_negation=0.0, prior_root=3.0)
    answer = concluded(tree(root(0.8, 0.5)), Joint(weights))
    answer = replace(answer, models=replace(answer.models, priors=Priors(3.0, 0.0, 0.0)))
    assert not answer.answer
    assert "says yes (80 %), but less firmly than of other statements" in flat(told(answer))


def test_a_reason_that_the_model_does_not_believe_is_said_not_to_be_believed() -> None:
    answer = concluded(
        tree(
            root(0.9, 0.05),
            Proposition("QF0", "Q", "Stones fly.", "Stones do not fly.", 0.04, 0.95, True),
        )
    )
    (row,) = listed(told(answer), "Speaks against this")
    assert row.startswith("– “Stones fly.” – but the model believes it only 4 % [if it were true: ")


def test_a_reason_that_denies_another_names_it() -> None:
    answer = concluded(
        tree(
            root(0.5, 0.5),
            Proposition("QT0", "Q", "Ice is cold.", "Ice is not cold.", 0.95, 0.04, True),
            Proposition("QF0", "Q", "Ice is not cold.", "Ice is cold.", 0.2, 0.8, True),
        )
    )
    text = told(answer)
    (number,) = (row.partition(".")[0] for row in listed(text, "Supports this") if "“Ice is cold.”" in row)
    (row,) = (row for row in listed(text, "Speaks against this") if "“Ice is not cold.”" in row)
    assert f"but it contradicts reason {number}" in row


def test_what_nothing_ties_to_the_question_is_listed_apart() -> None:
    weights = replace(EVERY_TERM, true_child=0.0, false_child=0.0)
    node = Proposition("QT0", "Q", "Ice is cold.", "Ice is not cold.", 0.95, 0.04, True)
    answer = concluded(tree(root(), node), Joint(weights))
    assert listed(told(answer), "Also said, without effect on the answer") == ["– “Ice is cold.”"]


def test_without_any_reason_that_is_said() -> None:
    assert "speaks for either side" in told(
        concluded(tree(root(None, None)), Joint(replace(EVERY_TERM, bias=0.0)))
    )
    unused = Proposition("QT0", "Q", "Ice is cold.", "Ice is not cold.", 0.5, 0.5)
    empty = replace(tree(), nodes=(), pruned=(root(), unused))
    assert "contradicts itself" in told(concluded(empty, INFERENCES["vote"]))


def test_assumptions_are_said_to_be_the_users_and_clashes_come_first() -> None:
    hot, cold = "Ice is hot.", "Ice is cold."
    kinds = {(hot, cold): "contradiction", (cold, "Penguins fly."): "entailment"}
    facts = assumptions_of([cold, hot], ["Snow is warm."])
    pipeline = Maieutic(
        ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5),
        ScriptedVerifier(lambda *pair: kinds.get(pair, "neutral")),
        inference=Joint(EVERY_TERM, assumptions=facts),
    )
    (answer,) = pipeline.conclude([tree(root())])
    text = told(answer)
    assert "“Ice is cold.” and “Ice is hot.”" in flat(text.splitlines()[1])
    assert "You said: “Ice is cold.”" in flat(text)
    assert "You said that this is false: “Snow is warm.”" in flat(text)


def test_what_a_flip_leaves_out_is_named_in_words() -> None:
    answer = with_flip(explained((0.9, 0.1), chain=Chain("They swim.", 0.01)))
    assert answer.verdict.flip
    rows = listed(told(answer), "The answer could as well be yes if this were left out")
    assert rows
    assert len(rows) <= len(answer.verdict.flip)


def test_models_whose_beliefs_are_estimates_are_said_to_be() -> None:
    answer = concluded(tree(root()))
    estimated = replace(answer, models=replace(answer.models, belief_source="sampled:5", lm="a \x1b[1m"))
    last = flat(told(estimated).rpartition("\n\n")[2])
    assert all(part in last for part in ("sampled:5", r"a \x1b[1m"))


# -- the glossary --------------------------------------------------------------------------------------


def test_every_term_has_a_meaning_that_fits_a_row_of_markdown() -> None:
    assert {"the model believes", "after reasoning", "nats", "integral", "unsure"} <= terms().keys()
    for term, text in terms().items():
        assert meaning(f" {term.upper()} ") == (term, text)
        assert "|" not in term + text
        assert text.isprintable()
        assert f"| {term} | {text} |\n" in glossary_table()
