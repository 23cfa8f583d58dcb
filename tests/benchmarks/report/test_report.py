"""The page of a report: what is on it agrees with the comparison, and nothing on it is anyone's markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from maieutic.answer import Answer
from maieutic.benchmarks.agora.nodes import count_nodes
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.world import load_world
from maieutic.benchmarks.analysis.comparison import compare
from maieutic.benchmarks.analysis.growth_curve import CurvePoint, growth_curve
from maieutic.benchmarks.analysis.statistics import Interval
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Outcome, Said, Usage
from maieutic.benchmarks.report.cells import WHISKER, scale_of
from maieutic.benchmarks.report.page import report_page
from maieutic.benchmarks.report.plots import figures
from maieutic.benchmarks.report.questions import PARCEL, parcels, rows
from maieutic.benchmarks.report.tables import accuracy_table, difference_table, growth_table
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import Run, RunFolder, read_run
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import FileFormatError
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.render.view import flipped, view_of
from maieutic.tree import GrowthStep, Proposition, Tree

for module in ("matplotlib", "scipy", "statsmodels", "tomli_w"):
    pytest.importorskip(module)

CliRun = Callable[..., "CompletedProcess[str]"]
HOSTILE = '</script><script>alert(1)</script> "><img src=x onerror=alert(1)> {{7*7}} \x1b[2J \u202egnp'
VOID = {"meta", "link", "input", "br", "line", "circle", "path", "use", "rect"}
QUESTIONS = 40


def judge(premise: str, hypothesis: str) -> str:
    if "heavy" in premise and "fly" in hypothesis:
        return "entailment" if "cannot" in hypothesis else "contradiction"
    return "entailment" if "wings" in premise and "can fly" in hypothesis else "neutral"


def concluded(tree: Tree) -> Answer:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.0)
    (answer,) = Maieutic(lm, ScriptedVerifier(judge)).conclude([tree])
    return answer


def grown(text: str, doubt: float, steps: tuple[GrowthStep, ...] = ()) -> Outcome:
    """A tree of four propositions with an answer; ``doubt`` is what the model believes of the question."""
    nodes = (
        Proposition("Q", None, text, "A penguin cannot fly.", doubt, 0.61),
        Proposition("QT0", "Q", "Penguins have wings.", "Penguins have no wings.", 0.9, 0.3, True),
        Proposition("QF0", "Q", "Penguins are heavy.", "Penguins are light.", 0.95, 0.02, True),
        Proposition("QF1", "Q", "Penguins can fly.", "Penguins cannot fly.", 0.9, 0.1, True),
    )
    tree = Tree(text, text, nodes[0].negation, nodes)
    answer = replace(concluded(tree), steps=steps)
    return Outcome(
        answer.answer, margin=answer.margin, margin_unit="nats", usage=Usage(900, 80, 12, 6), reasoning=answer
    )


def write(folder: Path, config: RunConfig, outcomes: list[Outcome], facts: str = "") -> Run:
    with RunFolder(folder, config.complete()) as run:
        if facts:
            run.write_provenance(facts)
        run.write(
            [
                Record.of(Item(f"q{k}", f"Penguin {k} can fly.", k % 3 == 0), outcome)
                for k, outcome in enumerate(outcomes)
            ]
        )
    return read_run(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Direct answers with probabilities, trees with the steps of growth, and trees with two failures."""
    folder = tmp_path_factory.mktemp("runs")
    direct = [
        Outcome(k % 4 != 1, 0.6 + k % 4 / 10 if k % 4 != 1 else 0.3, usage=Usage(90, 1, 1))
        for k in range(QUESTIONS)
    ]
    trees = [grown(f"Penguin {k} can fly.", 0.2 + 0.02 * k) for k in range(QUESTIONS)]
    steps = [(GrowthStep("root", one.p_true, 0, 4), GrowthStep("chain", 0.9, 60, 2)) for one in direct]
    whole = [grown(f"Penguin {k} can fly.", 0.2 + 0.02 * k, steps[k]) for k in range(QUESTIONS)]
    trees[3] = trees[7] = Outcome(None, problem="the reply ends in the middle")
    facts = {"configuration": {}, "versions": {"maieutic": "0.1.0"}, "git": None, "machine": {"cores": 2}}
    others = facts | {"machine": {"cores": 64}}
    return [
        write(folder / "direct", RunConfig("csqa2", "direct"), direct, json.dumps(facts)),
        write(
            folder / "whole", RunConfig("csqa2", "maieutic", {"confidence": 1.0}), whole, json.dumps(others)
        ),
        write(folder / "trees", RunConfig("csqa2", "maieutic"), trees, json.dumps(facts)),
    ]


@pytest.fixture(scope="module")
def html(made: list[Run]) -> str:
    return page_of(made, drawn=True)


def page_of(runs: list[Run], *, drawn: bool = False, **chosen: Any) -> str:
    """With plots if they are to be ``drawn``, which takes a second."""
    comparison = compare(runs, **chosen)
    return report_page(runs, comparison, figures(runs, comparison) if drawn else {})


# -- reading a page ------------------------------------------------------------------------------------


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join("".join(parts).split())

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Those in it, in their order, that have a tag and some attributes."""
        inner = [child for child in self.children if isinstance(child, Element)]
        found = []
        for child in inner:
            if child.tag == tag and attributes.items() <= child.attributes.items():
                found.append(child)
            found += child.all(tag, **attributes)
        return found


class Reader(HTMLParser):
    """The elements of a page; every one that is opened must be closed by its own end tag."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(html: str) -> Element:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1
    return reader.open[0]


def embedded(page: Element, name: str) -> Any:
    (script,) = page.all("script", id=name)
    assert script.attributes["type"] == "application/json"
    return json.loads("".join(map(str, script.children)))


def unpacked(packed: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def table(page: Element, caption: str) -> list[list[str]]:
    (found,) = (one for one in page.all("table") if one.all("caption")[0].text == caption)
    return [[cell.text for cell in row.children if isinstance(cell, Element)] for row in found.all("tr")]


# -- the page ------------------------------------------------------------------------------------------


def test_the_page_is_whole_and_asks_for_nothing(html: str) -> None:
    page = parsed(html)
    assert page.all("title")[0].text == "csqa2 dev: 3 runs · maieutic"
    assert page.all("h1")[0].text == "CommonsenseQA 2.0, dev"
    assert (
        page.all("p", **{"class": "lead"})[0].text == f"3 runs at {QUESTIONS} questions that all of them have"
    )
    assert not [one for tag in ("img", "iframe", "object", "embed", "form", "base") for one in page.all(tag)]
    everything = [one for tag in set(re.findall(r"<([a-zA-Z]+)", html)) for one in page.all(tag.lower())]
    names = {name for one in everything for name in one.attributes}
    assert not {name for name in names if name.startswith("on")} | (
        names & {"src", "srcset", "style", "action"}
    )
    links = {one.attributes[n] for one in everything for n in ("href", "xlink:href") if n in one.attributes}
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert re.findall(r"url\((?!#)", html) == []


def test_the_policy_lets_in_the_pages_own_style_and_script_alone(html: str) -> None:
    page = parsed(html)
    (policy,) = (one.attributes["content"] for one in page.all("meta") if "http-equiv" in one.attributes)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    (style,), scripts = page.all("style"), [s for s in page.all("script") if not s.attributes]
    for rule, (element,) in (("style-src", [style]), ("script-src", scripts)):
        digest = hashlib.sha256("".join(map(str, element.children)).encode()).digest()
        assert rules[rule] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_ids_are_unique_and_links_within_the_page_lead_somewhere(html: str) -> None:
    ids = re.findall(r'<[^>]* id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    body = html.partition("<body>")[2]
    assert set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', body)) <= {
        pair for one in ids for pair in ((one, ""), ("", one))
    }


def test_the_tables_say_what_the_comparison_says(html: str, made: list[Run]) -> None:
    comparison = compare(made)
    names, *found = table(parsed(html), "Accuracy, calibration and cost")
    assert len(found) == 3
    for cells, row in zip(found, comparison.rows, strict=True):
        told, metrics = dict(zip(names, cells, strict=True)), row.metrics
        assert told["run"] == row.label
        low, high = 100 * row.interval.low, 100 * row.interval.high
        assert told["accuracy %"] == f"{100 * metrics.accuracy:.1f} [{low:.1f}, {high:.1f}]"
        assert (told["right"], told["unscored"]) == (
            str(metrics.right),
            str(metrics.questions - metrics.scored),
        )
        assert metrics.accuracy_scored is not None
        assert told["of scored %"] == f"{100 * metrics.accuracy_scored:.1f}"
        for name, value in (
            ("ECE", metrics.ece),
            ("Brier", metrics.brier),
            ("AURC", metrics.aurc),
            ("AUROC", metrics.auroc),
        ):
            assert told[name] == ("–" if value is None else f"{value:.3f}")
        assert told["tokens"] == f"{metrics.costs.tokens:,.0f}"
        assert told["calls"] == f"{metrics.costs.calls:,.1f}"
    names, *found = table(parsed(html), "Differences, at the same questions")
    assert len(found) == len(comparison.differences) == 3
    for cells, difference in zip(found, comparison.differences, strict=True):
        told = dict(zip(names, cells, strict=True))
        assert told["run − other"] == f"{difference.run} − {difference.against}"
        assert (told["gained"], told["lost"]) == (str(difference.gained), str(difference.lost))
        points = f"{100 * difference.difference:+.1f} [".replace("-", "−")
        assert told["accuracy, points"].startswith(points)
        for name, p in (("p", difference.p), ("p, Holm", difference.p_holm)):
            assert float(told[name]) == pytest.approx(p, abs=6e-4)


def test_a_corrected_p_below_a_twentieth_is_set_apart(made: list[Run]) -> None:
    found = difference_table(compare(made))
    assert found is not None
    for cells in found.rows:
        assert cells[-1].clear == (float(cells[-1].text) < 0.05)


def test_published_figures_and_the_curve_of_growth_are_there(html: str, made: list[Run]) -> None:
    page = parsed(html)
    assert ["69.5" in row for row in table(page, "Published")].count(True) == 1
    (caption,) = (one.text for one in page.all("caption") if one.text.startswith("Confidences"))
    assert caption == f"Confidences of maieutic (confidence 1.0), {QUESTIONS} questions"
    names, *found = table(page, caption)
    assert names == ["confidence", "grown %", "generated tokens", "calls", "accuracy %"]
    points = growth_curve(made[1])
    assert found[0] == ["0.600", "0.0", "0.0", "4.0", f"{100 * points[0].accuracy:.1f}"]
    assert found[-1] == ["1.000", "100.0", "60.0", "6.0", f"{100 * points[-1].accuracy:.1f}"]
    assert points[-1].accuracy == compare(made).rows[1].metrics.accuracy


def test_the_table_of_a_curve_has_few_rows_from_first_to_last() -> None:
    points = [CurvePoint(k / 1000, 0.5, float(k), 2.0, k / 1000) for k in range(1001)]
    found = [cells[2].text for cells in growth_table("maieutic", points, 9).rows]
    assert found == [f"{100.0 * step:,.1f}" for step in range(11)]


def test_plots_stand_in_the_page_for_light_and_for_dark(html: str) -> None:
    found = parsed(html).all("figure")
    assert len(found) == 4
    for figure in found:
        light, dark = (figure.all("div", **{"class": name})[0] for name in ("on-light", "on-dark"))
        assert light.text == dark.text
        assert [one.attributes["role"] for one in (*light.all("svg"), *dark.all("svg"))] == ["img", "img"]


def test_without_javascript_all_but_the_questions_is_there(html: str) -> None:
    (noscript,) = parsed(html).all("noscript")
    assert "JavaScript" in noscript.text


def test_a_single_run_is_told_alone(made: list[Run]) -> None:
    page = parsed(page_of(made[:1]))
    assert page.all("p", **{"class": "lead"})[0].text == f"1 run at {QUESTIONS} questions"
    captions = [caption.text for caption in page.all("caption")]
    assert captions == ["Accuracy, calibration and cost", "Published"]
    assert [one.text for one in page.all("summary")] == [f"direct {made[0].folder}"]


def test_a_baseline_is_named(made: list[Run]) -> None:
    page = parsed(page_of(made, baseline="direct"))
    assert page.all("p", **{"class": "lead"})[0].text.endswith(" direct")
    assert len(table(page, "Differences, at the same questions")) == 3


def test_whiskers_share_a_scale_and_stay_in_their_picture() -> None:
    place = scale_of([Interval(-0.1, 0.1), Interval(0.05, 0.3)], zero=True)
    one, other = place(0.0, Interval(-0.1, 0.1)), place(0.2, Interval(0.05, 0.3))
    assert (one.low, other.high) == WHISKER
    assert one.value == one.zero == other.zero == 32.0
    flat = scale_of([Interval(1, 1)])(1.0, Interval(1, 1))
    assert (flat.low, flat.value, flat.high, flat.zero) == (60.0, 60.0, 60.0, None)


def test_of_agora_the_explanations_are_held_against_the_world(tmp_path: Path) -> None:
    nodes = (
        Proposition("Q", None, "An iguana has scales.", "An iguana does not have scales.", 0.5, 0.5),
        Proposition("QT0", "Q", "An iguana is a reptile.", "An iguana is not a reptile.", 0.9, 0.1, True),
        Proposition("QF0", "Q", "Reptiles have fur.", "Reptiles do not have fur.", 0.8, 0.2, True),
    )
    tree = Tree("Does an iguana have scales?", nodes[0].statement, nodes[0].negation, nodes)
    answer = concluded(tree)
    record = Record.of(
        Item("q", answer.question, True), Outcome(answer.answer, margin=answer.margin, reasoning=answer)
    )
    run = Run("maieutic", tmp_path, RunConfig("agora").complete(), (record,))
    names, cells = table(parsed(page_of([run])), "Explanations, compared with the world")
    counts = count_nodes(Oracle(load_world()), [answer])
    told = dict(zip(names, cells, strict=True))
    assert told["explanations"] == str(counts.nodes)
    assert told["labels %"] == f"{100 * counts.by_label / counts.nodes:.1f}"


# -- how the runs were made ----------------------------------------------------------------------------


def facts(element: Element) -> dict[str, str]:
    return dict(zip((t.text for t in element.all("dt")), (d.text for d in element.all("dd")), strict=True))


def test_what_runs_have_in_common_is_told_once(html: str) -> None:
    common, *each = parsed(html).all("details", **{"class": "configuration"})
    shared = facts(common)
    assert (shared["configuration.dataset"], shared["versions.maieutic"]) == ("csqa2", "0.1.0")
    assert [facts(one)["machine.cores"] for one in each] == ["2", "64", "2"]
    methods = [facts(one)["configuration.method"] for one in each]
    assert methods == ["direct", "maieutic", "maieutic"]
    assert not any(facts(one).keys() & shared.keys() for one in each)
    assert facts(each[1])["configuration.settings.widths"] == "3, 1"


def test_a_run_without_its_facts_says_so_and_a_damaged_one_is_refused(
    made: list[Run], tmp_path: Path
) -> None:
    bare = replace(made[0], folder=tmp_path)
    (_, entry) = parsed(page_of([made[2], bare])).all("details", **{"class": "configuration"})[1:]
    assert "run.json" in entry.text
    for damaged in ("{", "[]"):
        (tmp_path / "run.json").write_text(damaged)
        with pytest.raises(FileFormatError) as caught:
            page_of([bare])
        assert caught.value.path == str(tmp_path / "run.json")


# -- the questions -------------------------------------------------------------------------------------


def test_rows_count_what_the_comparison_counts(html: str, made: list[Run]) -> None:
    data = embedded(parsed(html), "questions")
    comparison = compare(made)
    assert len(data["texts"]) == len(data["ids"]) == len(data["gold"]) == comparison.questions
    for told, row, run in zip(data["runs"], comparison.rows, made, strict=True):
        assert told["label"] == row.label
        pairs = list(zip(told["answers"], data["gold"], strict=True))
        assert sum(answer == gold for answer, gold in pairs) == row.metrics.right
        assert sum(answer != "-" for answer, _ in pairs) == row.metrics.scored
        trees = [(k, r.reasoning) for k, r in enumerate(run.records) if r.reasoning is not None]
        assert told["flipped"] == ([k for k, answer in trees if flipped(answer)] if trees else None)
    assert 0 < len(data["runs"][2]["flipped"]) <= QUESTIONS - 2


def test_parcels_hold_everything_that_was_said(made: list[Run]) -> None:
    packed = parcels(made)
    assert len(packed) == -(-QUESTIONS // PARCEL)
    questions = [question for one in packed for question in unpacked(one)]
    for place, said in enumerate(questions):
        for run, told in zip(made, said, strict=True):
            record = run.records[place]
            usage = record.usage
            assert told["usage"] == [usage.prompt_tokens, usage.generated_tokens, usage.calls, usage.pairs]
            assert told.get("p") == pytest.approx(record.p_true)
            assert told.get("problem") == record.problem
            assert dict(told.get("details", [])) == pytest.approx(dict(record.details), rel=1e-5)
            view = None if record.reasoning is None else json.loads(json.dumps(view_of(record.reasoning)))
            assert told.get("view") == view


def test_only_questions_of_all_runs_are_listed(made: list[Run]) -> None:
    fewer = replace(made[0], records=made[0].records[5:])
    page = parsed(page_of([made[2], fewer]))
    data = embedded(page, "questions")
    assert data["ids"] == [f"q{k}" for k in range(5, QUESTIONS)]
    (notes,) = (one.text for one in page.all("dl", **{"class": "notes"}) if "left out" in one.text)
    assert "5 of maieutic" in notes


def test_numbers_that_json_has_no_word_for_are_words() -> None:
    outcome = Outcome(True, margin=float("inf"), margin_unit="nats", details={"x": float("nan"), "y": 2.0})
    run = Run("a", Path(), RunConfig("csqa2"), (Record.of(Item("q", "Text.", True), outcome),))
    ((said,),) = unpacked(parcels([run])[0])
    assert (said["margin"], said["details"]) == ("inf", [["x", "nan"], ["y", 2]])


def test_twins_are_named_where_there_are_any(made: list[Run]) -> None:
    assert "pairs" not in rows(made[:1], ["direct"])
    twins = tuple(replace(record, pair=f"p{k // 2}") for k, record in enumerate(made[0].records))
    data = rows([replace(made[0], records=twins)], ["direct"])
    assert data["pairs"][:3] == ["p0", "p0", "p1"]
    run = replace(made[0], records=twins)
    assert "pairs %" in accuracy_table(compare([run])).columns


# -- hostile text --------------------------------------------------------------------------------------


def hostile(run: Run) -> Run:
    """A run with markup and control characters in every text that a file can hold."""
    reasoning = grown(HOSTILE, 0.5).reasoning
    records = [
        replace(
            record,
            id=f"{k} {HOSTILE}",
            text=HOSTILE,
            pair=HOSTILE,
            problem=HOSTILE,
            margin=1.0,
            margin_unit=HOSTILE,
            details={HOSTILE: 1.0},
            reasoning=reasoning,
            said=(Said(HOSTILE, 0.25, False),),
        )
        for k, record in enumerate(run.records)
    ]
    config = replace(run.config, split=HOSTILE, lm=HOSTILE)
    return replace(run, name=HOSTILE, config=config, records=tuple(records))


def test_markup_in_any_text_stays_text(made: list[Run], tmp_path: Path) -> None:
    prompts = {HOSTILE: f"{HOSTILE}\n{HOSTILE}"}
    (tmp_path / "run.json").write_text(json.dumps({HOSTILE: {HOSTILE: HOSTILE}, "prompts": prompts}))
    html = page_of([replace(hostile(made[2]), folder=tmp_path)], drawn=True)
    page = parsed(html)
    assert len(page.all("script")) == 3
    assert page.all("img") == []
    assert "\x1b" not in html
    assert "\u202e" not in html
    said = HOSTILE.replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
    data = embedded(page, "questions")
    assert data["texts"] == [said] * QUESTIONS
    assert data["runs"][0]["label"] == said
    assert table(page, "Accuracy, calibration and cost")[1][0] == said
    assert facts(page.all("details", **{"class": "configuration"})[0])[f"{said}.{said}"] == said
    (told,) = unpacked(embedded(page, "parcels")[0])[0]
    assert (told["problem"], told["unit"], told["details"]) == (said, said, [[said, 1]])
    assert told["view"]["nodes"][0]["text"] == said
    assert told["said"] == [{"text": said, "vote": "F", "p": 0.25}]
    (prompt,) = page.all("details", **{"class": "prompt"})
    assert prompt.text.split() == f"A prompt of the kind {said} {said} {said}".split()


# -- the command ---------------------------------------------------------------------------------------


def test_the_command_writes_the_page_and_the_plots(run: CliRun, made: list[Run], tmp_path: Path) -> None:
    out, plots = tmp_path / "report.html", tmp_path / "plots"
    folders = [run.folder for run in made[:2]]
    done = run("bench", "report", *folders, "--out", out, "--plots", plots, "--baseline", "direct")
    assert (done.returncode, done.stdout) == (0, "")
    said = rf"wrote {re.escape(str(out))} \(0\.\d MB\), and 4 plots to {re.escape(str(plots))}\n"
    assert re.fullmatch(said, done.stderr)
    runs = made[:2]
    assert out.read_text(encoding="utf-8") == page_of(runs, drawn=True, baseline="direct")
    assert sorted(path.suffix for path in plots.iterdir()) == [".png"] * 4 + [".svg"] * 4


def test_a_page_that_cannot_be_written_is_refused_before_any_run_is_read(run: CliRun, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("precious")
    for options, option, path in [
        (["--out", tmp_path / "there"], "--out", tmp_path / "there"),
        (["--out", tmp_path], "--out", tmp_path),
        (["--out", tmp_path / "no" / "page.html"], "--out", tmp_path / "no"),
        (["--out", tmp_path / "new", "--plots", tmp_path / "there"], "--plots", tmp_path / "there"),
    ]:
        done = run("bench", "report", tmp_path / "missing", *options)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: {option}: ")
        assert str(path) in line
    assert (tmp_path / "there").read_text() == "precious"


def test_a_page_and_plots_that_exist_are_only_overwritten_with_force(
    run: CliRun, made: list[Run], tmp_path: Path
) -> None:
    out, plots = tmp_path / "report.html", tmp_path / "plots"
    out.write_text("precious")
    plots.mkdir()
    (plots / "accuracy.png").write_text("precious")
    command = ("bench", "report", made[0].folder, "--plots", plots)
    for options in (["--out", out], ["--out", tmp_path / "new.html"]):
        done = run(*command, *options)
        assert done.returncode == 2
        assert "--force" in done.stderr
    assert run(*command, "--out", out, "--force").returncode == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (tmp_path / "new.html").exists()


def test_bad_runs_are_one_sentence_and_leave_no_page(run: CliRun, made: list[Run], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    cases: list[tuple[list[str | Path], str]] = [
        ([tmp_path / "missing"], str(tmp_path / "missing" / "run.toml")),
        ([made[0].folder, made[0].folder], str(made[0].folder)),
        ([made[0].folder, "--baseline", "none"], "'none'"),
    ]
    for arguments, named in cases:
        done = run("bench", "report", *arguments, "--out", out)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert named in line
    assert not out.exists()


def test_without_the_extra_one_sentence_says_how_to_get_it(
    run: CliRun, made: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run("bench", "report", made[0].folder, "--out", tmp_path / "report.html")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "matplotlib" in line
    assert "pip install 'maieutic[bench]'" in line
