"""Answers as a page: all data are there, every text stays text, and nothing is loaded from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.answer import Answer, Models
from maieutic.inference import Argue, Inference, Joint, Vote
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.render import html
from maieutic.render.text import printable
from maieutic.render.view import bonds, flipped, view_of
from maieutic.solvers import load_solver
from maieutic.tree import Discard, GrowthStep, Proposition, Tree
from tests.inference.weights import TELLING

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates, too
PIECES = [
    "</script>",
    "<!--<script>",
    "]]>",
    "</noscript>",
    "&lt;",
    "'\"",
    "\u2028",
    "\u202e",
    "\x1b[31m",
    "\0",
]
HOSTILE_TEXT = st.lists(st.sampled_from(PIECES) | ANY_TEXT, max_size=4).map("".join)
EXHAUSTIVE = load_solver("exhaustive")
INFERENCES: dict[str, Inference] = {
    "joint": Joint(TELLING, solver=EXHAUSTIVE),
    "vote": Vote(solver=EXHAUSTIVE),
    "argue": Argue(),
}
EACH = pytest.mark.parametrize("inference", INFERENCES.values(), ids=INFERENCES)
KINDS = {"a": "contradiction", "b": "entailment", "c": "neutral"}


def judge(premise: str, hypothesis: str) -> str:
    """Any view will do, if it differs from pair to pair."""
    return KINDS["abc"[(len(premise) + 2 * len(hypothesis)) % 3]]


def grown(text: str = "") -> Tree:
    """A tree with the text in every field that a model or a file can fill."""
    nodes = (
        Proposition("Q", None, f"Penguins fly.{text}", f"Penguins do not fly.{text}", 0.52, 0.61),
        Proposition("QT0", "Q", f"They have wings.{text}", f"They have none.{text}", 0.9, 0.3, True),
        Proposition("QF0", "Q", f"They are heavy.{text}", f"They are quite light.{text}", 0.02, 0.95, True),
        Proposition("QT0F0", "QT0", f"Wings are small.{text}", text, None, 0.97),
    )
    pruned = (Proposition("QF1", "Q", f"Pruned.{text}", text, 0.5, 0.5),)
    discarded = (Discard(text, f"kind{text}", None, f"Discarded.{text}", f"reason{text}"),)
    question, (root, *_) = f"Do penguins fly?{text}", nodes
    return Tree(question, root.statement, root.negation, nodes, True, discarded, pruned)


def answered(
    tree: Tree, inference: Inference = INFERENCES["joint"], judge: Callable[[str, str], str] = judge
) -> Answer:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    (answer,) = Maieutic(lm, ScriptedVerifier(judge), inference=inference).conclude([tree])
    return answer


@cache
def sample() -> Answer:
    return answered(grown())


def saying(text: str) -> Answer:
    """The sample with the text in all its texts."""
    verdict = replace(sample().verdict, solver=f"solver{text}")
    models, steps = Models(f"lm{text}", f"nli{text}"), (GrowthStep(f"root{text}", 0.55, 0, 4),)
    return replace(sample(), tree=grown(text), verdict=verdict, models=models, steps=steps)


class Page(HTMLParser):
    """What a parser makes of a page: start tags with their attributes, and the text of each element."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.odd: list[str] = []  # comments, declarations other than the first, processing instructions
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def handle_pi(self, data: str) -> None:
        self.odd.append(data)

    def unknown_decl(self, data: str) -> None:
        self.odd.append(data)


def strings(value: Any) -> list[str]:
    """All texts in JSON data."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in strings(item)]


# -- the page ------------------------------------------------------------------------------------------

TAGS = ["html", "head", *["meta"] * 5, "link", "title", "style", "body", "main", "noscript", "p", "pre"]
TAGS += ["script", "script"]


@settings(deadline=None, max_examples=25)
@given(text=HOSTILE_TEXT)
def test_no_text_becomes_markup_and_every_text_is_there_literally(text: str) -> None:
    answer = saying(text)
    source = html.page([answer])
    page = Page(source)
    assert [tag for tag, _ in page.tags] == TAGS
    assert page.odd == []
    assert page.open == []
    data, _script = page.texts["script"]
    assert json.loads(data) == [view_of(answer)]
    (shown,) = page.texts["pre"]
    for original in (f"Penguins fly.{text}", f"They have wings.{text}", f"reason{text}", f"root{text} 0.55"):
        assert "".join(printable(original).split()) in re.sub(r"[\s│]", "", shown)
    assert source.replace("\n", "").isprintable()  # nothing commands a terminal or turns the line round


def test_the_policy_allows_the_pages_own_style_and_script_by_their_hashes_and_nothing_else() -> None:
    page = Page(html.page([sample()]))
    (policy,) = (
        attrs["content"]
        for tag, attrs in page.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in str(policy).split("; "))
    (style,), (_, script) = page.texts["style"], page.texts["script"]
    for name, source in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert rules.pop(name) == f"'sha256-{digest}'"
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }


def test_nothing_in_a_page_points_outside_of_it() -> None:
    source = html.page([sample()])
    links = [attrs[name] for _, attrs in Page(source).tags for name in ("src", "href") if name in attrs]
    assert links == ["data:,"]
    assert "http://" not in source
    assert "https://" not in source
    assert not re.search(r"@import|url\(|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", source)


def test_several_answers_share_a_page_in_their_order() -> None:
    answers = [saying(text) for text in ("", " One.", " Two.")]
    page = Page(html.page(iter(answers)))
    assert json.loads(page.texts["script"][0]) == [view_of(answer) for answer in answers]
    assert page.texts["title"] == ["3 answers · maieutic"]
    assert len(page.texts["pre"]) == 3


def test_another_page_can_stand_on_the_same_parts() -> None:
    script = html.tree_script() + "const more = 1;\n"
    source = html.document(
        title="</title>",
        body="<main></main>",
        data={"one": html.embedded({"a": "</script>"}), "two": "[]"},
        style=html.tree_style(),
        script=script,
    )
    page = Page(source)
    assert page.texts["title"] == ["</title> · maieutic"]
    assert page.texts["script"] == ['{"a":"\\u003c/script\\u003e"}', "[]", script]
    assert [attrs.get("id") for tag, attrs in page.tags if tag == "script"] == ["one", "two", None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(value=JSON)
def test_embedded_data_come_back_as_they_were_and_hold_nothing_that_html_could_read(value: Any) -> None:
    text = html.embedded(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


# -- the data ------------------------------------------------------------------------------------------


def form(number: int, view: dict[str, Any]) -> str:
    node: str = [*view["nodes"], *view["pruned"]][abs(number) - 1]["id"]
    return node if number > 0 else f"¬{node}"


@EACH
def test_the_data_hold_every_proposition_constraint_and_vote(inference: Inference) -> None:
    answer = answered(grown(), inference)
    view = view_of(answer)
    for node, row in zip(
        (*answer.tree.nodes, *answer.tree.pruned), view["nodes"] + view["pruned"], strict=True
    ):
        assert (row["id"], row["text"], row["not"]) == (node.id, node.statement, node.negation)
        assert row["p"] == [node.p_true, node.p_true_negation]
        assert (row.get("integral", False), row.get("side")) == (node.integral, node.side)
        assert row.get("label") == answer.labels.get(node.id)
        strength = (answer.verdict.strengths or {}).get(node.id)
        assert row.get("strength") == (None if strength is None else pytest.approx(strength, abs=1e-4))
        if node.parent is not None:
            assert form(row["parent"] + 1, view) == node.parent
    for constraint, (kind, source, target, weight, *p) in zip(
        answer.verdict.constraints, view["constraints"], strict=True
    ):
        assert ["belief", "entailment", "contradiction", "tree", "bias"][kind] == constraint.kind
        assert form(source, view) == str(constraint.source)
        assert (form(target, view) if target else "None") == str(constraint.target)
        assert weight == pytest.approx(constraint.weight, rel=1e-5)
        if constraint.kind in ("entailment", "contradiction"):
            assert constraint.target is not None
            relation = answer.graph.by_pair[constraint.source, constraint.target]
            assert p == [pytest.approx(getattr(relation, constraint.kind), abs=1e-4)]
    assert view["broken"] == list(answer.verdict.violated)
    votes = {str(literal): vote for literal, vote in (answer.verdict.votes or {}).items()}
    assert {form(literal, view): vote for literal, vote in view.get("votes", [])} == votes
    solver, verifier = ("exhaustive", "scripted") if inference.uses_verifier else ("", "")
    assert view["models"] == ["", verifier, solver]


def test_numbers_that_json_cannot_hold_are_left_open() -> None:
    answer = answered(grown())
    view = view_of(replace(answer, verdict=replace(answer.verdict, margin=math.inf, cost=math.nan)))
    assert (view["margin"], view["cost"]) == (None, None)
    html.embedded(view)


def test_the_data_of_a_big_tree_are_small() -> None:
    """A report holds thousands; of neutral pairs, the most frequent, it holds the number."""
    root, *_ = grown().nodes
    others = [
        Proposition(f"QT{i}", "Q", f"Reason {i}.", f"No reason {i}.", 0.9, 0.1, True) for i in range(12)
    ]
    tree = Tree(root.statement, root.statement, root.negation, (root, *others))
    answer = answered(tree, Joint(TELLING), lambda *_: "neutral")
    view = view_of(answer)
    assert view["neutral"] == len(answer.graph.relations) == 13 * 12 - 12 + 12 * 3
    assert len(html.embedded(view)) < len(answer.to_json()) / 6


@EACH
@settings(deadline=None, max_examples=20)
@given(lengths=st.lists(st.integers(0, 5), min_size=8, max_size=8))
def test_what_is_flipped_is_labelled_against_the_models_belief(
    inference: Inference, lengths: list[int]
) -> None:
    nodes = [
        replace(node, statement=node.statement + "x" * a, negation=node.negation + "y" * b)
        for node, a, b in zip(grown().nodes, lengths[:4], lengths[4:], strict=True)
    ]
    answer = answered(replace(grown(), nodes=tuple(nodes)), inference)
    expected = {
        c.source.id: c.weight
        for c in answer.verdict.constraints
        if c.kind == "belief" and answer.labels[c.source.id] != c.source.positive
    }
    assert flipped(answer) == expected


@EACH
def test_bonds_add_up_the_relations_of_each_pair(inference: Inference) -> None:
    answer = answered(grown(), inference)
    pairs = bonds(answer)
    kinds = ("entailment", "contradiction")
    relations = [c.weight for c in answer.verdict.constraints if c.kind in kinds]
    broken = [c.weight for c in answer.verdict.broken if c.kind in kinds]
    assert bool(relations) == inference.uses_verifier
    for part, weights in (("weight", relations), ("overruled", broken)):
        assert math.fsum(getattr(bond, part) for bond in pairs) == pytest.approx(math.fsum(weights))
    assert [bond.weight for bond in pairs] == sorted((bond.weight for bond in pairs), reverse=True)
    for bond in pairs:
        same = answer.labels.get(bond.one) == answer.labels.get(bond.other)
        if same == bond.agrees:
            assert bond.overruled == 0  # the labels are what it asks for


# -- the style -----------------------------------------------------------------------------------------


def palettes() -> dict[str, dict[str, str]]:
    """The colours of a page in light, in dark and on paper."""
    style = (Path(html.__file__).parent / "page.css").read_text(encoding="utf-8")
    light, dark, paper = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    blocks = {"light": light, "dark": dark, "paper": paper}
    return {name: dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for name, block in blocks.items()}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2 of two colours, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["light", "dark", "paper"])
def test_every_text_has_the_contrast_that_wcag_asks_for(name: str) -> None:
    colours = palettes()[name] if name != "paper" else palettes()["light"] | palettes()["paper"]
    for text in ("ink", "dim", "true", "false", "picked"):
        for ground in ("paper", "sheet", "wash"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["flipped"], colours["flipped-wash"]) >= 4.5
    assert contrast(colours["ink"], colours["flipped-wash"]) >= 4.5
