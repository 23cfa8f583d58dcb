"""What if: from what a reader holds, the page infers what the Python solver infers with hard clauses."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from typing import Literal as OneOf

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from maieutic.answer import Answer, Models
from maieutic.errors import UnsatisfiableError
from maieutic.inference import BeliefGraph, Joint, Literal, Vote
from maieutic.inference.assumptions import Assumption
from maieutic.inference.constraints import Constraint, Encoding
from maieutic.inference.graph import forms_of, root_forms
from maieutic.inference.merge import deduplicated
from maieutic.inference.posing import Posed
from maieutic.render.html import page
from maieutic.render.terms import terms
from maieutic.solvers import WeightedCNF, load_solver
from maieutic.solvers.calls import solve
from maieutic.solvers.marginals import marginals
from maieutic.tree import ROOT, Proposition, Tree
from tests.browser.test_answer_page import HOSTILE, card, find, iguana, penguin, saying, texts

OpenPage = Callable[[str], Chrome]
Look = Callable[[int, str], None]
Held = Mapping[str, bool]

pytestmark = pytest.mark.slow
SOLVER = load_solver("rc2-stratified")
KINDS: list[OneOf["entailment", "contradiction", "tree"]] = ["entailment", "contradiction", "tree"]
CLOSE = 1e-9  # of probabilities; the page's weights have twelve digits
UNIQUE = 1e-6  # nats: a labelling that is so much cheaper than any other is the only best one

INFER = """
const views = JSON.parse(document.getElementById("answers").textContent);
return arguments[0].map(([place, held]) => {
  const data = treeData.read(views[place]);
  data.whatIf = whatIf.start(data);
  const nodes = new Map(data.nodes.map((node) => [node.id, node]));
  const start = performance.now();
  whatIf.hold(Object.entries(held).map(([id, label]) => [nodes.get(id), label]), data);
  const ms = performance.now() - start;
  const { shown, conflict } = data.whatIf;
  const kept = data.nodes.filter((node) => node.kept);
  const of = (key) => Object.fromEntries(kept.map((node) => [node.id, node[key] ?? null]));
  const broken = data.constraints.filter((c) => c.broken).reduce((total, c) => total + c.weight, 0);
  const { answer, p, margin, cost } = shown;
  const numbers = { ms, answer, p, margin: margin ?? null, cost, broken };
  return { ...numbers, conflict, labels: of("label"), weighed: of("weighed") };
});"""


@dataclass(frozen=True)
class Given(Joint):
    """Joint inference on constraints that are given instead of those of a tree."""

    problem: Posed | None = None

    def posed(self, tree: Tree, graph: BeliefGraph) -> Posed:
        assert self.problem is not None
        return self.problem


def drawn(seed: int, size: int, *, dense: float = 0.5) -> Answer:
    """An answer with random constraints among ``size`` propositions, some merged, some certain."""
    rng = random.Random(seed)
    nodes = [Proposition(ROOT, None, "It is.", "It is not.", 0.5, 0.5)]
    for index in range(size - 2):
        side = rng.random() < 0.5
        name = f"Q{'FT'[side]}{index}"
        nodes.append(Proposition(name, ROOT, f"Reason {index}.", f"No reason {index}.", 0.9, 0.1, side))
    tree = Tree("It is.", "It is.", "It is not.", tuple(nodes))
    fact = Assumption("A1", "A fact.", rng.random() < 0.5)
    ids = [*(node.id for node in nodes), *(["A1"] if size > 1 else [])]
    merged = merging(rng, ids[1:-1])
    held = (fact.literal, *(Literal(ids[1], rng.random() < 0.5) for _ in range(rng.random() < 0.3)))
    variables = Encoding.of(ids, (), held, merged).variables
    constraints = deduplicated(tuple(evidence(rng, ids, dense)), variables)
    problem = Posed(Encoding.of(ids, constraints, held, merged), constraints, held, merged)
    graph = BeliefGraph((*root_forms(tree), *forms_of(tree)))
    verdict = Given(assumptions=(fact,), problem=problem).infer(tree, graph)
    # The graph has no form of the assumption, which no check asks for.
    return Answer(tree, graph, verdict, Models(None, "none"))


def merging(rng: random.Random, ids: Sequence[str]) -> tuple[tuple[Literal, ...], ...]:
    """Up to two groups of two or three; the sign of all but the first is random."""
    shuffled, groups = rng.sample(ids, len(ids)), []
    for size in rng.sample([2, 3], rng.randint(0, 2)):
        if len(shuffled) >= size:
            names, shuffled = sorted(shuffled[:size], key=ids.index), shuffled[size:]
            groups.append(
                tuple(Literal(name, not place or rng.random() < 0.5) for place, name in enumerate(names))
            )
    return tuple(groups)


def evidence(rng: random.Random, ids: Sequence[str], dense: float) -> list[Constraint]:
    def literal(name: str) -> Literal:
        return Literal(name, rng.random() < 0.5)

    found = [
        Constraint("belief", literal(name), None, rng.uniform(0.01, 3.0))
        for name in ids
        if rng.random() < 0.8
    ]
    for one in ids:
        for other in ids:
            if one != other and rng.random() < dense:
                found.append(
                    Constraint(rng.choice(KINDS), literal(one), literal(other), rng.expovariate(1.0) + 1e-3)
                )
    return found


def holdings(rng: random.Random, answer: Answer) -> Held:
    names = [node.id for node in answer.propositions]
    return {name: rng.random() < 0.5 for name in rng.sample(names, min(len(names), rng.randint(1, 3)))}


def with_held(answer: Answer, held: Held) -> Posed:
    """The answer's problem with a hard clause for each proposition that is held."""
    verdict = answer.verdict
    literals = (*verdict.held, *(Literal(name, label) for name, label in held.items()))
    encoding = Encoding.of(verdict.variables, verdict.constraints, literals, verdict.merged)
    return Posed(encoding, verdict.constraints, literals, verdict.merged)


def unique(problem: WeightedCNF, labels: Sequence[bool], cost: float) -> bool:
    """Whether every other labelling costs more."""
    fixed = {abs(literal) for (literal,) in problem.hard}
    for variable, label in enumerate(labels, start=1):
        if variable in fixed:
            continue
        if solve(SOLVER, problem.assuming(-variable if label else variable)).cost < cost + UNIQUE:
            return False
    return True


def agree(answer: Answer, held: Held, seen: Mapping[str, Any]) -> bool:
    """Check that the page says what Python does, and say whether the labels could be compared."""
    posed = with_held(answer, held)
    problem, root = posed.encoding.problem, posed.encoding.variables[ROOT]
    try:
        found = marginals(problem)
    except UnsatisfiableError:
        assert seen["conflict"]
        assert seen["labels"] == dict(answer.labels)  # nothing was computed
        return False
    assert found is not None
    assert not seen["conflict"]
    p_labels = posed.p_labels(found.tolist())
    differences = [abs(seen["p"] - p_labels[ROOT])]
    differences += [
        abs(seen["weighed"][name] - p) for name, p in p_labels.items() if seen["weighed"][name] is not None
    ]
    assert max(differences) < CLOSE
    assert seen["answer"] == (p_labels[ROOT] >= 0.5 - CLOSE)
    if ROOT not in held:
        verdict = Given(problem=posed).infer(answer.tree, answer.graph)
        assert seen["margin"] == pytest.approx(verdict.margin, abs=1e-8)
    side = problem.assuming(root if seen["answer"] else -root)
    best = solve(SOLVER, side)
    assert seen["cost"] == pytest.approx(best.cost, abs=1e-8)
    assert seen["broken"] == pytest.approx(best.cost, abs=1e-8)  # what the labels of the page violate
    assert all(seen["labels"][name] == label for name, label in held.items())
    only = unique(side, best.labels, best.cost)
    assert not only or seen["labels"] == posed.encoding.labels(best)
    return only


# -- what follows --------------------------------------------------------------------------------------


def test_what_the_page_infers_is_what_the_solver_infers_with_hard_clauses(open_page: OpenPage) -> None:
    rng = random.Random(5)
    answers = [drawn(seed, rng.randint(3, 11), dense=rng.choice([0.1, 0.5, 1.0])) for seed in range(40)]
    asked = [(place, holdings(rng, answer)) for place, answer in enumerate(answers) for _ in range(6)]
    browser = open_page(page(answers))
    said = browser.execute_script(INFER, asked)
    compared = [agree(answers[place], held, seen) for (place, held), seen in zip(asked, said, strict=True)]
    assert sum(bool(seen["conflict"]) for seen in said) > 10
    assert sum(compared) > len(asked) / 2


@pytest.mark.parametrize("size", [16, 20])
def test_many_propositions_are_quick(open_page: OpenPage, size: int) -> None:
    answer = drawn(size, size)
    held = {"A1": answer.verdict.held[0].positive}
    browser = open_page(page([answer]))
    said = browser.execute_script(INFER, [(0, held)] * 5)
    agree(answer, held, said[-1])
    assert sorted(seen["ms"] for seen in said)[2] < (300 if size == 16 else 3000)


def test_nothing_held_is_the_answer_as_asked(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    before = texts(browser, ".answer")
    for name in ("QT0", "QF1"):
        for _ in range(3):
            hold(browser, name)
    assert texts(browser, ".answer") == before
    hold(browser, "QF0")
    assert texts(browser, ".answer") != before
    find(browser, ".reset").click()
    assert texts(browser, ".answer") == before
    assert browser.switch_to.active_element.text == "Q"


# -- what is shown -------------------------------------------------------------------------------------


def hold(browser: Chrome, name: str) -> None:
    button = find(card(browser, name), ".hold")
    browser.execute_script("arguments[0].click()", button)  # the line may cover it


def test_a_click_holds_true_then_false_then_frees_and_all_numbers_follow(open_page: OpenPage) -> None:
    answer = iguana()
    browser = open_page(page([answer]))
    assert not find(browser, ".reset").is_displayed()
    seen = []
    for label in (True, False, None):
        hold(browser, "QT0")
        button = find(card(browser, "QT0"), ".hold")
        seen.append((button.text, button.get_attribute("aria-pressed"), button.get_attribute("aria-label")))
        if label is None:
            continue
        posed = with_held(answer, {"QT0": label})
        verdict = Given(problem=posed).infer(answer.tree, answer.graph)
        assert texts(browser, ".margin strong") == [
            f"P(true) {verdict.p_true:.2f}",
            f"margin {verdict.margin:.2f}",
        ]
        for node in answer.tree.nodes:
            drawn_card = card(browser, node.id)
            assert texts(drawn_card, ".mark")[0].endswith("true" if verdict.labels[node.id] else "false")
            if node.parent is not None:
                assert verdict.p_labels is not None
                assert texts(drawn_card, ".beliefs")[0].endswith(
                    f"after reasoning {verdict.p_labels[node.id]:.2f}"
                )
        assert texts(browser, "h1 .mark")[0].endswith("TRUE" if verdict.answer else "FALSE")
        (counts,) = texts(browser, ".counts")
        assert counts.endswith(f"{len(verdict.violated)} overruled")
    assert seen == [
        ("held true", "true", "QT0 held true"),
        ("held false", "true", "QT0 held false"),
        ("hold", "false", "hold QT0"),
    ]


def test_a_line_names_what_is_held_and_what_follows(open_page: OpenPage) -> None:
    answer = iguana()
    browser = open_page(page([answer]))
    hold(browser, "QT0")
    hold(browser, "QF1")
    hold(browser, "QF1")
    p = marginals(with_held(answer, {"QT0": True, "QF1": False}).encoding.problem)
    assert p is not None
    (line,) = texts(browser, ".whatif [role=status]")
    start = "what if: QT0 held true, QF1 held false — still true, P(true) "
    assert line == f"{start}{answer.p_true:.2f} → {p[0]:.2f}"
    assert find(browser, ".whatif .reset").text == "reset"


def test_a_held_proposition_is_said_to_be_held_and_not_to_be_outweighed(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    hold(browser, "QT0")
    hold(browser, "QT0")
    assert texts(card(browser, "QT0"), ".flipped") == ["held false, though the model believes QT0 (2.94)"]
    find(card(browser, "QT0"), ".statement").click()
    assert texts(browser, ".tab")[0] == "QT0 is held false"


def test_q_can_be_held_and_then_has_no_margin(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    hold(browser, "Q")
    assert texts(browser, ".margin strong") == ["P(true) 1.00"]
    hold(browser, "Q")
    assert texts(browser, ".margin strong") == ["P(true) 0.00"]
    assert texts(browser, "h1 .mark") == ["✗ FALSE"]


def test_the_keyboard_holds_and_frees(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    find(card(browser, "QT0"), ".id").send_keys(Keys.TAB)
    button = browser.switch_to.active_element
    assert button.text == "hold"
    button.send_keys(Keys.SPACE)
    assert button.text == "held true"
    button.send_keys(Keys.ENTER)
    assert button.text == "held false"
    assert browser.switch_to.active_element == button
    find(browser, ".reset").send_keys(Keys.ENTER)
    assert button.text == "hold"


def test_what_contradicts_itself_is_said_and_not_computed(open_page: OpenPage) -> None:
    answer = iguana()
    merged = ((Literal("QT0"), ~Literal("QF0")),)
    verdict = replace(answer.verdict, merged=merged, held=(Literal("QT1"),), flip=None)
    browser = open_page(page([replace(answer, verdict=verdict)]))
    before = texts(browser, ".margin, .mark")
    for name, words in (
        ("QF0", "QT0 held true and QF0 held true contradict each other: QF0 is the same as ¬QT0"),
        ("QT1", "QT1 held false contradicts what this answer takes for certain: QT1 is true"),
    ):
        hold(browser, "QT0" if name == "QF0" else "QT1")
        assert not texts(browser, ".whatif .warning")
        hold(browser, name)
        (warning,) = texts(browser, ".whatif .warning")
        assert words in warning
        assert texts(browser, ".margin, .mark") == before
        find(browser, ".reset").click()


@pytest.mark.parametrize(
    ("answer", "word"),
    [(penguin(Vote()), "vote inference"), (drawn(1, 40, dense=0.02), "at most 20")],
    ids=["vote", "many"],
)
def test_where_it_is_not_offered_a_line_says_why(open_page: OpenPage, answer: Answer, word: str) -> None:
    browser = open_page(page([answer]))
    (line,) = texts(browser, ".whatif")
    assert word in line
    assert not browser.find_elements(By.CSS_SELECTOR, ".hold")


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_with_holdings_no_page_is_wider_than_its_window(open_page: OpenPage, look: Look, width: int) -> None:
    look(width, "light")
    browser = open_page(page([saying("so" * 60 + " it is.")]))
    for name in ("Q", "QT0", "QF0", "QT0F0"):
        hold(browser, name)
    wide, window = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= window


def test_hostile_text_stays_text_when_propositions_are_held(open_page: OpenPage) -> None:
    browser = open_page(page([saying(text) for text in HOSTILE]))
    browser.execute_script(
        """for (const d of document.querySelectorAll(".folded")) { d.build(); d.open = true; }
        for (const button of document.querySelectorAll(".hold")) button.click();"""
    )
    tags = browser.execute_script("return [...document.querySelectorAll('*')].map((e) => e.localName)")
    assert not {*tags} & {"img", "svg", "iframe", "a", "form", "input", "object", "embed", "b"}
    assert tags.count("script") == 2


def test_a_notebooks_frame_works_and_cannot_reach_the_notebook(open_page: OpenPage) -> None:
    browser = open_page(f"<!doctype html><title>notebook</title>{iguana()._repr_html_()}")
    browser.switch_to.frame(find(browser, "iframe"))
    hold(browser, "QT0")
    assert texts(browser, ".whatif [role=status]")[0].startswith("what if: QT0 held true")
    reached = browser.execute_script(
        "try { return parent.document.title; } catch (error) { return error.name; }"
    )
    assert reached == "SecurityError"
    browser.switch_to.default_content()


# -- terms ---------------------------------------------------------------------------------------------


def test_terms_have_their_meaning_as_a_tooltip_and_in_the_list_below(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    shown = browser.execute_script(
        """const all = [...document.querySelectorAll(".term")];
        return Object.fromEntries(all.map((e) => [e.textContent, e.title]));"""
    )
    known = dict(terms())
    for name in ("P(true)", "margin", "nats", "integral", "wavers", "overruled", "flipped"):
        assert shown[name] == known[name]
    find(browser, ".glossary summary").click()
    assert texts(browser, ".glossary dt") == list(known)
    assert texts(browser, ".glossary dd") == list(known.values())
