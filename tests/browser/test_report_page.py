"""The page of a report in a browser: searching, filtering, opening trees, and texts that would do harm."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from maieutic.answer import Models
from maieutic.benchmarks.analysis.comparison import compare
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Outcome, Usage
from maieutic.benchmarks.report.page import report_page
from maieutic.benchmarks.report.plots import figures
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import Run
from maieutic.benchmarks.runs.records import Record
from maieutic.inference import Joint
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.render.text import printable
from maieutic.tree import Discard, Proposition, Tree
from tests.inference.weights import TELLING

for module in ("matplotlib", "scipy", "statsmodels"):
    pytest.importorskip(module)

OpenPage = Callable[[str], Chrome]
Look = Callable[[int, str], None]

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "</title></style></textarea></noscript><iframe src=javascript:alert(1)>",
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
)
pytestmark = pytest.mark.slow
ANIMALS = ("penguin", "ostrich", "eagle", "Emu <b>", "kiwi", "robin")


def judge(premise: str, hypothesis: str) -> str:
    if "heavy" in premise and "fly" in hypothesis:
        return "entailment" if "cannot" in hypothesis else "contradiction"
    return "entailment" if "wings" in premise and "can fly" in hypothesis else "neutral"


def grown(text: str) -> Outcome:
    """A tree in which the model believes that QF1 is true, and the labels do not."""
    nodes = (
        Proposition("Q", None, text, "It cannot fly.", 0.52, 0.61),
        Proposition("QT0", "Q", "Birds are heavy.", "Birds are light.", 0.9, 0.1, True),
        Proposition("QF0", "Q", "They are heavy.", "They are light.", 0.8, 0.2, True),
        Proposition("QF1", "Q", "Big birds can fly.", "Big birds cannot fly.", 0.99, 0.5, True),
    )
    pruned = (Proposition("QF2", "Q", "Birds of snow are odd.", "They are not.", 0.5, 0.6),)
    discarded = (Discard("Q", "explanation", True, " because they", "unfinished"),)
    tree = Tree(text, text, nodes[0].negation, nodes, pruned=pruned, discarded=discarded)
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    (answer,) = Maieutic(lm, ScriptedVerifier(judge), inference=Joint(TELLING)).conclude([tree])
    usage, details = Usage(900, 80, 12, 6), {"nodes": 4.0}
    return Outcome(
        answer.answer,
        margin=answer.margin,
        margin_unit="nats",
        usage=usage,
        details=details,
        reasoning=answer,
    )


def made(name: str, config: RunConfig, outcomes: Sequence[Outcome]) -> Run:
    records = [
        Record.of(Item(f"id-{k}", f"Number {k}: can a {ANIMALS[k % len(ANIMALS)]} fly?", k % 2 == 0), outcome)
        for k, outcome in enumerate(outcomes)
    ]
    return Run(name, Path(f"runs/{name}"), config.complete(), tuple(records))


@cache
def runs() -> tuple[Run, ...]:
    """130 questions: direct is wrong at every fifth; trees stand at the first 12, and two have no answer."""
    direct = [
        Outcome((k % 2 == 0) == (k % 5 > 0), 0.9 if k % 2 else 0.7, usage=Usage(90)) for k in range(130)
    ]
    tree = grown("A penguin can fly.")
    trees = [tree if k < 12 else Outcome(True) for k in range(130)]
    trees[3] = trees[20] = Outcome(None, problem="the reply ends in the middle")
    return (
        made("direct", RunConfig("csqa2", "direct"), direct),
        made("maieutic", RunConfig("csqa2", "maieutic"), trees),
    )


@cache
def source(number: int = 2) -> str:
    return page_of(runs()[:number], drawn=number > 1)


def page_of(shown: Sequence[Run], *, drawn: bool = False) -> str:
    """With plots if they are to be ``drawn``, which takes a second."""
    comparison = compare(shown)
    return report_page(shown, comparison, figures(shown, comparison) if drawn else {})


def find(within: Chrome | WebElement, selector: str) -> WebElement:
    return within.find_element(By.CSS_SELECTOR, selector)


def texts(within: Chrome | WebElement, selector: str) -> list[str]:
    """The text of each element as it is shown, in one call of the browser."""
    browser, root = (within, None) if isinstance(within, Chrome) else (within.parent, within)
    found: list[str] = browser.execute_script(
        """return [...(arguments[0] ?? document).querySelectorAll(arguments[1])]
          .map((element) => element.innerText.replace(/\\s+/g, " ").trim());""",
        root,
        selector,
    )
    return found


def content(element: WebElement) -> str:
    """Its text as it stands in the document, shown or not."""
    return str(element.get_property("textContent"))


def opened(browser: Chrome, row: int = 0) -> WebElement:
    """Open a question by its summary; its details when they are there."""
    details = browser.find_elements(By.CSS_SELECTOR, ".row")[row]
    find(details, "summary").click()
    WebDriverWait(browser, 30).until(lambda _: details.find_elements(By.CSS_SELECTOR, ".opened"))
    return find(details, ".opened")


def check(browser: Chrome, name: str) -> None:
    find(browser, f"input[name={name}]").click()


def numbers(browser: Chrome) -> list[int]:
    """Of the questions listed."""
    return [int(text.split()[1].rstrip(":")) for text in texts(browser, ".row .text")]


# -- the list ------------------------------------------------------------------------------------------


def test_every_question_says_its_gold_answer_and_every_runs_answer(open_page: OpenPage) -> None:
    browser = open_page(source())
    assert texts(browser, ".told") == ["130 questions"]
    first, *_ = browser.find_elements(By.CSS_SELECTOR, ".row > summary")
    assert content(first) == (
        "Number 0: can a penguin fly? gold: true direct: ≠ false, wrong maieutic: ≠ false, wrong flipped"
    )
    assert texts(browser, ".legend .said") == ["gold", "direct", "maieutic"]
    assert texts(browser.find_elements(By.CSS_SELECTOR, ".row > summary")[3], ".said")[2] == (
        "maieutic: no answer"
    )


def test_pages_turn_by_key_and_an_opened_question_stays_open(open_page: OpenPage) -> None:
    browser = open_page(source())
    assert numbers(browser) == list(range(50))
    assert texts(browser, ".pager span") == ["1 to 50 of 130"]
    opened(browser)
    back, on = browser.find_elements(By.CSS_SELECTOR, ".turn")
    assert not back.is_enabled()
    on.send_keys(Keys.ENTER)
    on.send_keys(Keys.ENTER)
    assert numbers(browser) == list(range(100, 130))
    assert texts(browser, ".pager span") == ["101 to 130 of 130"]
    assert not on.is_enabled()
    back.click()
    back.click()
    assert len(browser.find_elements(By.CSS_SELECTOR, ".row[open] .opened")) == 1


def test_search_is_plain_text_in_any_case_and_marks_what_it_found(open_page: OpenPage) -> None:
    browser = open_page(source())
    search = find(browser, ".search")
    search.send_keys("EMU <B>")
    assert numbers(browser) == [k for k in range(130) if k % len(ANIMALS) == 3]
    assert texts(browser, ".told") == ["22 of 130 questions"]
    assert set(texts(browser, ".row mark")) == {"Emu <b>"}
    search.clear()
    search.send_keys("id-77")
    assert numbers(browser) == [77]
    search.clear()
    search.send_keys(".*")
    assert texts(browser, ".told") == ["0 of 130 questions"]
    find(browser, ".line .choice").click()
    assert texts(browser, ".told") == ["130 questions"]
    assert browser.switch_to.active_element == search
    assert "#" not in browser.current_url


def test_what_stands_in_trees_is_found_where_that_is_asked_for(open_page: OpenPage) -> None:
    browser = open_page(source())
    search = find(browser, ".search")
    search.send_keys("big birds CAN")
    assert texts(browser, ".told") == ["0 of 130 questions"]
    check(browser, "trees")
    grown_at = [k for k in range(12) if k != 3]
    WebDriverWait(browser, 30).until(lambda b: texts(b, ".told") == [f"{len(grown_at)} of 130 questions"])
    assert numbers(browser) == grown_at
    search.clear()
    search.send_keys("of snow")  # a pruned one
    assert numbers(browser) == grown_at
    search.clear()
    search.send_keys("id-77")
    assert numbers(browser) == [77]
    find(browser, ".line .choice").click()
    assert not find(browser, "input[name=trees]").is_selected()


def test_filters_agree_with_the_comparison(open_page: OpenPage) -> None:
    browser = open_page(source())
    rows = compare(runs()).rows
    run = Select(find(browser, ".filters select"))
    assert [option.text for option in run.options] == ["any run", "direct", "maieutic"]
    check(browser, "wrong")
    for row in rows:
        run.select_by_visible_text(row.label)
        wrong = row.metrics.scored - row.metrics.right
        assert texts(browser, ".told") == [f"{wrong} of 130 questions"]
    check(browser, "wrong")
    check(browser, "unscored")
    assert numbers(browser) == [3, 20]
    run.select_by_visible_text("direct")
    assert numbers(browser) == []
    run.select_by_visible_text("any run")
    assert numbers(browser) == [3, 20]
    check(browser, "unscored")
    check(browser, "flipped")
    assert numbers(browser) == [k for k in range(12) if k != 3]
    check(browser, "flipped")
    check(browser, "apart")
    direct, trees = (one.records for one in runs())
    apart = [k for k in range(130) if {direct[k].answer, trees[k].answer} == {True, False}]
    assert texts(browser, ".told") == [f"{len(apart)} of 130 questions"]
    assert numbers(browser) == apart[:50]


def test_what_is_asked_of_any_run_must_hold_of_one_and_the_same(open_page: OpenPage) -> None:
    browser = open_page(source())
    check(browser, "wrong")
    check(browser, "unscored")
    assert numbers(browser) == []
    check(browser, "unscored")
    check(browser, "flipped")
    trees = runs()[1].records
    assert numbers(browser) == [k for k in range(12) if k != 3 and not trees[k].right]


def test_a_single_run_is_neither_chosen_nor_disagreed_with(open_page: OpenPage) -> None:
    browser = open_page(source(1))
    assert (
        browser.find_elements(By.CSS_SELECTOR, ".filters select, input[name=apart], input[name=flipped]")
        == []
    )
    check(browser, "wrong")
    assert numbers(browser) == list(range(0, 130, 5))
    assert texts(opened(browser), ".tree") == []


# -- a question ----------------------------------------------------------------------------------------


def test_an_opened_question_tells_what_each_run_said_and_shows_its_tree(open_page: OpenPage) -> None:
    browser = open_page(source())
    details = opened(browser)
    assert texts(details, ".identity") == ["gold answer true · question id-0"]
    names = texts(details, ".wide th.number, .wide thead .words")
    direct, trees = (texts(row, "th, td") for row in details.find_elements(By.CSS_SELECTOR, ".wide tbody tr"))
    assert dict(zip(names, direct, strict=True))["P(true)"] == "0.700"
    told = dict(zip(names, trees, strict=True))
    assert (told["run"], told["answer"], told["prompt tokens"]) == ("maieutic", "≠ false , wrong", "900")
    assert told["margin"].endswith(" nats")
    assert told["details"] == "nodes 4"
    assert texts(details, ".tree .id") == ["Q", "QT0", "QF0", "QF1"]
    assert texts(details, ".tree .flipped strong") == ["flipped"]
    find(details, ".tree > .node > ul .card .statement").click()
    assert texts(details, ".tab")[0] == "why QT0 is true"


def test_a_question_without_an_answer_tells_why(open_page: OpenPage) -> None:
    browser = open_page(source())
    details = opened(browser, 3)
    assert texts(details, ".problem") == ["the reply ends in the middle"]
    assert texts(details, ".tree") == []


def test_of_several_trees_one_is_shown_at_a_time(open_page: OpenPage) -> None:
    direct, trees = runs()
    vote = replace(trees, name="vote", folder=Path("runs/vote"), records=trees.records)
    browser = open_page(page_of([direct, vote, trees]))
    details = opened(browser)
    first, second = details.find_elements(By.CSS_SELECTOR, ".trees > .choices button")
    assert [one.get_attribute("aria-pressed") for one in (first, second)] == ["true", "false"]
    second.send_keys(Keys.ENTER)
    assert [one.get_attribute("aria-pressed") for one in (first, second)] == ["false", "true"]
    assert len(details.find_elements(By.CSS_SELECTOR, ".answer")) == 1


def test_the_keyboard_reaches_everything(open_page: OpenPage) -> None:
    browser = open_page(source())
    search = find(browser, ".search")
    search.send_keys("number 1:", Keys.TAB)
    reached = []
    while (focused := browser.switch_to.active_element).tag_name != "summary":
        reached.append(focused.get_attribute("name") or focused.tag_name)
        assert len(reached) < 20
        focused.send_keys(Keys.TAB)
    assert reached == ["trees", "select", "wrong", "flipped", "unscored", "apart", "button"]
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    WebDriverWait(browser, 30).until(lambda _: browser.find_elements(By.CSS_SELECTOR, ".tree"))


# -- how it looks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_no_page_is_wider_than_its_window(open_page: OpenPage, look: Look, width: int) -> None:
    look(width, "light")
    direct, trees = runs()
    long = replace(trees, name="so" * 60, folder=Path("runs/" + "so" * 60))
    browser = open_page(page_of([direct, long]))
    opened(browser)
    wide, window = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= window


def test_runs_are_columns_where_there_is_room_and_named_in_every_row_where_not(
    open_page: OpenPage, look: Look
) -> None:
    browser = open_page(source())
    assert find(browser, ".legend").is_displayed()
    look(390, "light")
    assert not find(browser, ".legend").is_displayed()
    (row, *_) = browser.find_elements(By.CSS_SELECTOR, ".row > summary")
    assert find(row, ".said .name").size["width"] > 20


def test_plots_and_colours_follow_the_readers_preference(open_page: OpenPage, look: Look) -> None:
    browser = open_page(source())
    for scheme in ("light", "dark"):
        look(1440, scheme)
        for name in ("light", "dark"):
            shown = [one.is_displayed() for one in browser.find_elements(By.CSS_SELECTOR, f".on-{name}")]
            assert set(shown) == {name == scheme}
    drawn = browser.execute_script(
        """return [...document.querySelectorAll(".on-dark path, .on-dark text")]
          .filter((e) => e.hasAttribute("stroke") && getComputedStyle(e).stroke === "none"
            && e.getAttribute("stroke") !== "none").length"""
    )
    assert drawn == 0  # the policy lets attributes in, and styles not


def test_it_prints(open_page: OpenPage) -> None:
    browser = open_page(source())
    opened(browser)
    paper = browser.execute_cdp_cmd("Page.printToPDF", {})["data"]
    assert base64.b64decode(paper).startswith(b"%PDF")
    assert browser.find_elements(By.CSS_SELECTOR, ".configuration:not([open])") == []


def test_without_javascript_the_tables_and_plots_are_there(open_page: OpenPage, chromium: Chrome) -> None:
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser = open_page(source())
        shown = browser.find_element(By.TAG_NAME, "main").text
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "Accuracy, calibration and cost" in shown
    assert "needs JavaScript, which is off." in shown


# -- size ----------------------------------------------------------------------------------------------


def test_few_elements_stand_for_many_questions(open_page: OpenPage) -> None:
    shown = []
    for one in runs():
        records = [replace(record, id=f"{record.id}-{k}") for k in range(20) for record in one.records]
        shown.append(replace(one, records=tuple(records)))
    browser = open_page(page_of(shown))
    assert texts(browser, ".told") == ["2,600 questions"]
    rows = browser.execute_script("return document.querySelectorAll('#browser *').length")
    assert rows < 50 * 20
    assert browser.find_elements(By.CSS_SELECTOR, ".tree") == []


# -- hostile text --------------------------------------------------------------------------------------


def hostile() -> Run:
    """Records with one of the texts each, in every place that a model or a stranger's file can fill."""
    records = []
    for k, text in enumerate(HOSTILE):
        outcome = grown(text)
        assert outcome.reasoning is not None
        old = outcome.reasoning.tree
        nodes, pruned = (
            tuple(replace(node, statement=text, negation=text) for node in group)
            for group in (old.nodes, old.pruned)
        )
        tree = Tree(f"{text}?", text, text, nodes, True, (Discard(text, text, True, text, text),), pruned)
        verdict = replace(outcome.reasoning.verdict, solver=text)
        reasoning = replace(outcome.reasoning, tree=tree, verdict=verdict, models=Models(text, text))
        said = replace(
            outcome, problem=text, margin_unit=text, details={text: 1.0}, reasoning=reasoning, p_true=0.5
        )
        records.append(Record.of(Item(f"{k} {text}", text, True, text), said))
    text = " ".join(HOSTILE)
    config = replace(RunConfig("csqa2", "maieutic").complete(), lm=text, split=text)
    return Run(text, Path("runs/hostile"), config, tuple(records))


def test_hostile_text_is_shown_literally_and_does_nothing(open_page: OpenPage) -> None:
    run = hostile()
    browser = open_page(page_of([run, replace(run, folder=Path("runs/other"))]))
    for k, text in enumerate(HOSTILE):
        details, said = opened(browser, k), printable(text)
        # id and twin; of each run problem, unit and details; of the tree its nodes, one negation, the models
        assert content(details).count(said) >= 2 + 2 * 3 + 5 + 1 + 3
        titles: list[str] = browser.execute_script(
            "return [...document.querySelectorAll('.row .text')].map((e) => e.textContent)"
        )
        assert titles[k] == said
    label = printable(" ".join(HOSTILE))
    assert content(find(browser, ".wide tbody th")) == f"{label}, hostile"


def test_hostile_text_can_be_searched_for(open_page: OpenPage) -> None:
    browser = open_page(page_of([hostile()]))
    search = find(browser, ".search")
    for text in HOSTILE:
        search.clear()
        search.send_keys(printable(text))
        assert printable(text).strip() in {mark.replace("\xa0", " ") for mark in texts(browser, ".row mark")}


def test_hostile_text_makes_no_element_or_attribute(open_page: OpenPage) -> None:
    run = hostile()
    browser = open_page(page_of([run]))
    for k in range(len(HOSTILE)):
        opened(browser, k)
    tags, attributes, links = browser.execute_script(
        """const all = [...document.querySelectorAll("*")];
        return [[...new Set(all.map((e) => e.localName))],
                [...new Set(all.flatMap((e) => [...e.attributes].map((a) => a.name)))],
                [...new Set(all.flatMap((e) => [e.getAttribute("href"), e.getAttribute("xlink:href")]))]];"""
    )
    assert not set(tags) & {"img", "iframe", "form", "object", "embed", "b", "base"}
    assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcdoc", "action")]
    assert all(link is None or link.startswith("#") or link == "data:," for link in links)
    assert len(browser.find_elements(By.CSS_SELECTOR, "script")) == 3
