"""The page of an answer in a browser: its content, what clicks do, and hostile text."""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from maieutic.answer import Answer, Models
from maieutic.elicit import Growth
from maieutic.inference import Argue, Inference, Joint, Vote
from maieutic.inference.assumptions import assumptions_of
from maieutic.inference.flips import with_flip
from maieutic.inference.weights import JointWeights
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.render.html import page, plain_text
from maieutic.render.text import printable, show
from maieutic.tree import Discard, GrowthStep, Proposition, Tree

OpenPage = Callable[[str], Chrome]
Look = Callable[[int, str], None]

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)>",
    "</script><script>alert(1)</script>",
    "</noscript><script>alert(1)</script>",
    "</title></style></textarea><iframe src=javascript:alert(1)>",
    "<!--<script>",
    "]]>",
    "javascript:alert(1)",
    "{{7*7}}",
    "${7*7}",
    "{% raw %}",
    "&lt;b&gt; &amp;#60;",
    "\x1b[31m red",
    "\u202egnp.exe\u202c",
    "a\nb\u2028c\0d",
    "\ud800",
)

STRONG = Joint(  # relations that can overrule beliefs
    JointWeights(
        root=1.0,
        root_negation=1.0,
        chain=1.0,
        prior_root=0.0,
        prior_negation=0.0,
        prior_chain=0.0,
        integral=1.0,
        entailment=1.0,
        contradiction=1.0,
        negation=1.0,
        at_root=1.0,
        true_child=0.5,
        false_child=0.5,
        wavering=0.0,
        bias=0.0,
        threshold=0.5,
        clip=math.log(19),
    )
)
VOTE = Vote()
pytestmark = pytest.mark.slow
CONTENT = "return [...arguments[0].querySelectorAll('.statement, .facts dd, td')].map((e) => e.textContent)"


def conclude(tree: Tree | Growth, verifier: ScriptedVerifier, inference: Inference = STRONG) -> Answer:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    (answer,) = Maieutic(lm, verifier, inference=inference).conclude([tree])
    return answer


@cache
def iguana() -> Answer:
    """The tree of the README, related by a verifier that looks for "have" and "not have" only."""
    path = Path(__file__).with_name("iguana.answer.json")  # many constraints, a belief that is overruled
    tree = Answer.from_json(path.read_bytes()).tree

    def sides(premise: str, hypothesis: str) -> str:
        agree = ("not have" in premise) == ("not have" in hypothesis)
        return ("entailment" if " and " in premise else "neutral") if agree else "contradiction"

    steps = (GrowthStep("root", 0.55, 0, 4), GrowthStep("Q", 0.97, 90, 33))
    return conclude(Growth(tree, lm="agora", steps=steps), ScriptedVerifier(sides, 0.97))


def judge(premise: str, hypothesis: str) -> str:
    if "heavy" in premise and "fly" in hypothesis:
        return "entailment" if "cannot" in hypothesis else "contradiction"
    return "entailment" if "wings" in premise and "can fly" in hypothesis else "neutral"


def penguin(inference: Inference = STRONG) -> Answer:
    """An answer with a pruned proposition and discarded texts."""
    fly = "A penguin can fly.", "A penguin cannot fly."
    nodes = (
        Proposition("Q", None, *fly, 0.52, 0.61),
        Proposition("QT0", "Q", "Penguins have wings.", "Penguins have no wings.", 0.9, 0.3, True),
        Proposition("QF0", "Q", "Penguins are light.", "Penguins are heavy.", 0.02, 0.95, True),
        Proposition("QT0F0", "QT0", "Wings are small.", "Wings are large.", None, 0.97),
    )
    tree = Tree(
        "Can a penguin fly?",
        *fly,
        nodes,
        answer=True,
        pruned=(Proposition("QF1", "Q", "Birds of snow are odd.", "They are not.", 0.5, 0.6),),
        discarded=(
            Discard("Q", "explanation", True, " because they", "unfinished"),
            Discard("QT0", "negation", None, "Wings.", "same"),
        ),
    )
    return conclude(tree, ScriptedVerifier(judge), inference)


def saying(text: str) -> Answer:
    """The penguin's answer with the text in every field that a model or a file can fill."""
    answer = penguin()
    tree = answer.tree
    nodes, pruned = (
        tuple(replace(node, statement=text, negation=text) for node in group)
        for group in (tree.nodes, tree.pruned)
    )
    discarded = tuple(Discard(text, text, item.side, text, text) for item in tree.discarded)
    tree = Tree(f"{text}?", text, text, nodes, True, discarded, pruned)
    verdict = replace(answer.verdict, solver=text)
    return replace(answer, tree=tree, verdict=verdict, models=Models(text, text))


def terminal(answer: Answer) -> str:
    """The answer as the terminal shows it."""
    console = Console(file=io.StringIO(), width=300)
    with console.capture() as capture:
        show(answer, console)
    return capture.get()


def find(within: Chrome | WebElement, selector: str) -> WebElement:
    return within.find_element(By.CSS_SELECTOR, selector)


def texts(within: Chrome | WebElement, selector: str) -> list[str]:
    """The text of each element as it is shown, in one call of the browser."""
    browser, root = (within, None) if isinstance(within, Chrome) else (within.parent, within)
    shown: list[str] = browser.execute_script(
        """return [...(arguments[0] ?? document).querySelectorAll(arguments[1])]
          .map((element) => element.innerText.replace(/\\s+/g, " ").trim());""",
        root,
        selector,
    )
    return shown


def card(browser: Chrome, name: str) -> WebElement:
    """The card of a node in the tree, by its id."""
    element: WebElement = browser.execute_script(
        """return [...document.querySelectorAll(".tree .id")]
          .find((id) => id.textContent === arguments[0]).closest(".card");""",
        name,
    )
    return element


def reasons(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Weight and words of each reason, as the terminal or the page shows it."""
    matches = (re.fullmatch(r" *(\d+\.\d\d) +(.*?)(?: P \d\.\d\d)?", line.rstrip()) for line in lines)
    return [(match[1], match[2]) for match in matches if match]


# -- what is shown -------------------------------------------------------------------------------------


def test_the_decision_its_margin_the_question_and_the_makers_are_shown(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    assert browser.title == "An iguana has scales. · maieutic"
    assert texts(browser, "h1 .mark, h1 .statement, .question") == [
        "Does an iguana have scales?",
        "✓ TRUE",
        "An iguana has scales.",
    ]
    assert texts(browser, ".margin strong") == [
        f"P(true) {iguana().p_true or 0:.2f}",
        f"margin {iguana().margin:.2f}",
    ]
    verdict = iguana().verdict
    (counts,) = texts(browser, ".counts")
    assert re.findall(r"\d+", counts) == ["5", "1", str(len(verdict.constraints)), str(len(verdict.violated))]
    facts = dict(zip(texts(browser, ".facts dt"), texts(browser, ".facts dd"), strict=True))
    assert (facts["grown by"], facts["solved by"]) == ("agora", "rc2-stratified (joint inference)")
    assert facts["growth"] == "root 0.55 → Q 0.97, 90 generated tokens, 37 calls"
    assert facts["cost"].startswith(f"{verdict.cost:.2f}, ")


@pytest.mark.parametrize(
    "answer",
    [iguana(), penguin(), penguin(VOTE), penguin(Argue())],
    ids=["iguana", "joint", "vote", "argue"],
)
def test_the_page_and_the_terminal_show_the_same_of_every_proposition_and_of_q(
    open_page: OpenPage, answer: Answer
) -> None:
    browser, printed = open_page(page([answer])), terminal(answer)
    for node in answer.tree.nodes:
        drawn = card(browser, node.id)
        label = "true" if answer.labels[node.id] else "false"
        side = {None: [], True: ["True, because"], False: ["False, because"]}[node.side]
        assert texts(drawn, ".mark, .side") == [f"{'✓' if answer.labels[node.id] else '✗'} {label}", *side]
        assert texts(drawn, ".statement") == [node.statement]
        (beliefs,) = texts(drawn, ".beliefs")
        assert beliefs in printed
    arguments = printed.partition("Arguments about Q, by strength")[2]
    support, _, overruled = printed.removesuffix(arguments).partition("What was overruled")
    sections = (
        ("What speaks for it", support),
        ("What was overruled", overruled),
        ("Arguments about Q, by strength", arguments),
    )
    for title, part in sections:
        elements = browser.find_elements(By.XPATH, f"//aside//section[p='{title}']")
        shown = reasons(line for element in elements for line in texts(element, "li"))
        assert shown == reasons(part.splitlines())
    votes = answer.verdict.votes or {}
    ballots = [f"{'+' if vote > 0 else '−'}{abs(vote)} {literal}" for literal, vote in votes.items()]
    assert [text for text in texts(browser, ".ballot") if "." not in text] == ballots


def test_the_page_of_argue_inference_has_no_constraints_verifier_or_solver(open_page: OpenPage) -> None:
    answer = penguin(Argue())
    strengths = answer.verdict.strengths
    assert strengths is not None
    browser = open_page(page([answer]))
    facts = dict(zip(texts(browser, ".facts dt"), texts(browser, ".facts dd"), strict=True))
    assert "argue" in facts["solved by"]
    assert "cost" not in facts
    assert not browser.find_elements(By.CSS_SELECTOR, ".tab")[1].is_displayed()
    assert re.findall(r"\d+", texts(browser, ".counts")[0]) == ["4"]
    find(card(browser, "QT0"), ".statement").click()
    assert texts(browser, ".ballot") == [f"{strengths['QT0F0']:.2f} QT0F0 attacks QT0"]
    find(card(browser, "QF0"), ".statement").click()
    assert texts(browser, ".ballot") == []


def test_a_flipped_label_is_explained_by_the_belief_and_what_outweighs_it(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    (note,) = texts(card(browser, "QF0"), ".flipped")
    assert re.findall(r"\d+\.\d\d|\d+ constraints", note) == ["2.94", "10 constraints", "8.60", "0.98"]
    assert "QT0 contradicts QF0" in note
    assert len(browser.find_elements(By.CSS_SELECTOR, ".tree .flipped")) == 1


def test_pruned_and_discarded_texts_the_reasons_and_the_gold_answer_are_shown(
    open_page: OpenPage,
) -> None:
    browser = open_page(page([penguin()]))
    pruned, discarded = browser.find_elements(By.CSS_SELECTOR, "details.aside")
    titles = texts(browser, "details.aside > summary")
    assert [title.split(":")[0] for title in titles] == ["1 proposition pruned", "2 texts discarded"]
    assert titles[1].endswith(": 1 unfinished, 1 same")
    assert not find(pruned, ".card").is_displayed()
    for details in (pruned, discarded):
        find(details, "summary").click()
    assert texts(pruned, ".id, .statement") == ["QF1", "Birds of snow are odd."]
    assert texts(discarded, "tbody tr") == [
        "unfinished Q, True because because they",
        "same negation of QT0 Wings.",
    ]
    assert texts(browser, ".wrong") == ["gold answer true: wrong"]


def test_assumptions_their_conflicts_p_true_and_the_flip_are_shown(open_page: OpenPage) -> None:
    facts = assumptions_of(["Birds are heavy.", "Birds are <b>light</b>."], ["Ice is warm."])

    def judge(premise: str, hypothesis: str) -> str:
        return "contradiction" if {premise, hypothesis} == {a.statement for a in facts[:2]} else "neutral"

    answer = with_flip(conclude(penguin().tree, ScriptedVerifier(judge), Joint(assumptions=facts)))
    verdict = answer.verdict
    assert verdict.p_true is not None
    assert verdict.flip
    browser = open_page(page([answer]))
    assert texts(browser, ".margin strong")[0] == f"P(true) {verdict.p_true:.2f}"
    assert texts(browser, ".assumed .mark") == ["✓ true", "✓ true", "✗ false"]
    assert texts(browser, ".assumed .statement") == [a.statement for a in facts]
    assert set(texts(browser, ".assumed .beliefs")) == {"assumed"}
    warnings = texts(browser, ".assumed .warning")
    for clash, warning in zip(verdict.clashes, warnings, strict=True):
        assert f"{clash.source} contradicts {clash.target}" in warning
    (flip,) = texts(browser, ".flip")
    assert all(f"({verdict.constraints[index].weight:.2f})" in flip for index in verdict.flip)


def test_an_empty_tree_is_named(open_page: OpenPage) -> None:
    fly = "A penguin can fly.", "A penguin cannot fly."
    tree = Tree("Can it?", *fly, (), pruned=(Proposition("Q", None, *fly, 0.5, None),))
    browser = open_page(page([conclude(tree, ScriptedVerifier(judge), VOTE)]))
    (warning,) = texts(browser, ".warning")
    assert warning.startswith("empty tree")
    assert texts(browser, ".beliefs") == ["the model believes 0.50, its negation unknown, wavers"]


# -- what clicks and keys do ---------------------------------------------------------------------------


def test_a_picked_proposition_shows_its_constraints_and_marks_its_partners(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    total = len(iguana().verdict.constraints)
    assert texts(browser, ".tab") == ["why Q is true", f"all {total} constraints"]
    find(card(browser, "QF0"), ".statement").click()
    assert texts(browser, ".tab")[0] == "why QF0 is false"
    assert texts(browser, ".weighed") == ["8.60 for it, 2.94 overruled"]
    assert reasons(texts(browser, ".panel .broken")) == [("2.94", "the model believes QF0")]
    assert texts(card(browser, "QT0"), ".tag") == ["disagrees 1.96"]
    assert texts(card(browser, "QF1"), ".tag") == ["agrees 1.96"]
    assert texts(card(browser, "QF0"), ".tag") == [""]
    assert find(card(browser, "QF0"), ".id").get_attribute("aria-pressed") == "true"
    chips = browser.find_elements(By.CSS_SELECTOR, ".panel .chip")
    next(chip for chip in chips if chip.text == "QT0").click()
    assert texts(browser, ".tab")[0] == "why QT0 is true"
    find(browser, ".close").click()
    assert texts(browser, ".tab")[0] == "why Q is true"
    assert set(texts(browser, ".tag")) == {""}


def test_all_constraints_can_be_listed_and_the_overruled_ones_alone(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    browser.find_elements(By.CSS_SELECTOR, ".tab")[1].click()
    find(browser, ".more").click()
    rows = reasons(texts(browser, ".panel .reasons li"))
    weights = [float(weight) for weight, _ in rows]
    assert len(rows) == len(iguana().verdict.constraints)
    assert weights == sorted(weights, reverse=True)
    browser.find_elements(By.CSS_SELECTOR, ".choice")[1].click()
    rows = reasons(texts(browser, ".panel .reasons li"))
    assert len(rows) == len(iguana().verdict.violated)
    assert all(words.endswith("overruled") for _, words in rows)
    assert "neutral" in find(browser, ".panel").text


def test_branches_fold_and_unfold_and_the_arrow_keys_walk_the_tree(open_page: OpenPage) -> None:
    browser = open_page(page([penguin()]))
    fold = find(card(browser, "QT0"), ".fold")
    assert (fold.text, fold.get_attribute("aria-expanded")) == ("▾ 1 reason", "true")
    fold.click()
    assert (fold.text, fold.get_attribute("aria-expanded")) == ("▸ 1 reason", "false")
    assert (
        not card(browser, "QF0")
        .find_elements(By.XPATH, "//*[@class='id' and text()='QT0F0']")[0]
        .is_displayed()
    )
    find(card(browser, "Q"), ".id").send_keys(Keys.ARROW_DOWN)
    assert browser.switch_to.active_element.text == "QT0"
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert browser.switch_to.active_element.text == "QF0"  # past the folded one
    browser.switch_to.active_element.send_keys(Keys.ARROW_UP)
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert browser.switch_to.active_element.text == "QT0F0"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert texts(browser, ".tab")[0] == "why QT0F0 is false"
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert texts(browser, ".tab")[0] == "why Q is false"


def test_of_several_answers_the_first_is_open_and_printing_opens_all(open_page: OpenPage) -> None:
    browser = open_page(page([iguana(), penguin(), penguin(VOTE)]))
    assert texts(browser, "h1") == ["3 answers: 1 true, 2 false"]
    assert len(browser.find_elements(By.CSS_SELECTOR, ".answer")) == 1
    browser.find_elements(By.CSS_SELECTOR, ".folded > summary")[1].click()
    # The browser sends the toggle event later.
    WebDriverWait(browser, 30).until(lambda _: len(texts(browser, ".question")) == 2)
    assert texts(browser, ".question") == ["Does an iguana have scales?", "Can a penguin fly?"]
    paper = browser.execute_cdp_cmd("Page.printToPDF", {})["data"]
    assert base64.b64decode(paper).startswith(b"%PDF")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".folded[open] > .answer")) == 3


# -- how it looks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 390, 800, 1440])
def test_no_page_is_wider_than_its_window(open_page: OpenPage, look: Look, width: int) -> None:
    look(width, "light")
    browser = open_page(page([saying("so" * 60 + " it is."), penguin()]))
    for name in ("Q", "QT0F0"):
        button = find(card(browser, name), ".id")
        browser.execute_script("arguments[0].click()", button)  # the panel may cover it
        wide, window = browser.execute_script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= window


def test_the_colours_follow_the_readers_preference(open_page: OpenPage, look: Look) -> None:
    browser = open_page(page([iguana()]))
    seen = []
    for scheme in ("light", "dark"):
        look(1440, scheme)
        seen.append(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert seen == ["rgb(250, 249, 246)", "rgb(21, 23, 27)"]


def test_without_javascript_the_terminals_text_is_shown(open_page: OpenPage, chromium: Chrome) -> None:
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        answer = penguin()
        browser = open_page(page([answer, saying("<b>bold</b>")]))
        first, second = browser.find_elements(By.CSS_SELECTOR, "noscript pre")
        words, numbers = plain_text(answer), plain_text(answer, numbers=True)
        assert first.text.split() == f"{words}\n{numbers}".split()
        assert first.text.startswith("No. ")
        label = "true " if answer.labels["QT0"] else "false"
        assert f"QT0 {label}  True, because: Penguins have wings." in first.text
        assert "<b>bold</b>" in second.text
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


# -- hostile text --------------------------------------------------------------------------------------


def test_hostile_text_is_shown_literally_everywhere_and_does_nothing(open_page: OpenPage) -> None:
    browser = open_page(page([saying(text) for text in HOSTILE]))
    browser.execute_script(
        "for (const d of document.querySelectorAll('.folded')) { d.build(); d.open = true; }"
    )
    answers = browser.find_elements(By.CSS_SELECTOR, ".answer")
    assert len(answers) == len(HOSTILE)
    browser.execute_script(
        """for (const d of document.querySelectorAll("details")) d.open = true;
        for (const button of document.querySelectorAll(".tree .id, .tab")) {
          button.dispatchEvent(new PointerEvent("pointerenter", { pointerType: "mouse" }));
          button.click();
        }"""
    )
    for answer, text in zip(answers, HOSTILE, strict=True):
        said = printable(text)
        content: list[str] = browser.execute_script(CONTENT, answer)
        assert content.count(said) >= 4 + 1 + 2 * 2 + 2  # nodes, one pruned, texts and reasons, models
        assert browser.execute_script(
            "return arguments[0].querySelector('.question').textContent", answer
        ) == (f"{said}?")


def test_hostile_text_makes_no_element_or_attribute(open_page: OpenPage) -> None:
    browser = open_page(page([saying(text) for text in HOSTILE]))
    browser.execute_script(
        "for (const d of document.querySelectorAll('.folded')) { d.build(); d.open = true; }"
    )
    tags, attributes = browser.execute_script(
        """const all = [...document.querySelectorAll("*")];
        return [[...new Set(all.map((e) => e.localName))],
                [...new Set(all.flatMap((e) => [...e.attributes].map((a) => a.name)))]];"""
    )
    assert not set(tags) & {"img", "svg", "iframe", "a", "form", "input", "object", "embed", "b"}
    assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcdoc", "action")]
    assert len(browser.find_elements(By.CSS_SELECTOR, "script")) == 2


def test_even_markup_that_got_in_could_not_run(open_page: OpenPage) -> None:
    browser = open_page(page([iguana()]))
    refused = browser.execute_script(
        """const script = document.createElement("script");
        const tries = [
          () => { document.body.innerHTML = "<img src=x onerror=alert(1)>"; },
          () => { document.body.setAttribute("onclick", "alert(1)"); },
          () => { script.textContent = "alert(1)"; },
          () => { document.write("<script>alert(1)</script>"); },
          () => { setTimeout("alert(1)", 0); },
        ];
        const fails = (attempt) => { try { attempt(); return false; } catch { return true; } };
        return tries.filter(fails).length;"""
    )
    assert refused == 5
    logged: Callable[[str], list[dict[str, str]]] = browser.get_log
    assert len(logged("browser")) == 5  # each refusal is logged; nothing else may be
