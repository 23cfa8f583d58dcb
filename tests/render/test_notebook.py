"""Answers in notebooks, in tables and on one line."""

from __future__ import annotations

import html
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings

import maieutic
from maieutic.answer import NOTHING_JUDGED, Answer, Seconds
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.cache.verifier import CachedVerifier
from maieutic.errors import InputError
from maieutic.inference import Argue
from maieutic.lm.beliefs import BeliefReader, StatedBeliefs
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.nli.mean import MeanVerifier
from maieutic.nli.remembered import RememberingVerifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.prompts import load_prompts
from maieutic.render import terms as terms_module
from maieutic.render.html import page, plain_text
from maieutic.render.terms import terms
from maieutic.usage import Usage
from tests.render.test_render_html import HOSTILE_TEXT, answered, grown, sample, saying

LIMIT = 200  # characters of a line that stands for an object


# -- notebooks -----------------------------------------------------------------------------------------


def test_a_page_is_the_one_that_the_command_writes() -> None:
    assert sample().to_html() == page([sample()])


class Tags(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@settings(deadline=None, max_examples=25)
@given(text=HOSTILE_TEXT)
def test_a_notebook_gets_the_page_in_one_sandboxed_frame_whatever_texts_are_in_it(text: str) -> None:
    answer = saying(text)
    ((tag, attributes),) = Tags(answer._repr_html_()).found
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"  # no access to the notebook, no forms, no windows
    assert attributes["srcdoc"] == answer.to_html()
    assert set(attributes) == {"title", "sandbox", "style", "srcdoc"}


def test_where_no_page_can_be_shown_there_is_the_text_of_the_terminal() -> None:
    bundle = sample()._repr_mimebundle_()
    assert bundle == {"text/html": sample()._repr_html_(), "text/plain": plain_text(sample())}
    assert "They have wings." in bundle["text/plain"]
    assert html.escape(sample().to_html()) in bundle["text/html"]


# -- one line ------------------------------------------------------------------------------------------


def one_line(thing: object) -> str:
    text = repr(thing)
    assert text.isprintable()
    assert len(text) <= LIMIT
    return text


@settings(deadline=None, max_examples=25)
@given(text=HOSTILE_TEXT)
def test_results_are_shown_in_one_line_without_dumps(text: str) -> None:
    answer = saying(text * 20)
    for thing in (answer, answer.tree, answer.verdict, answer.graph):
        assert one_line(thing).startswith(f"<{type(thing).__name__} ")


def test_the_line_of_an_answer_says_what_and_how_sure() -> None:
    answer = sample()
    line = one_line(answer)
    assert f"P(true) {answer.p_true:.2f}, margin {answer.margin:.2f} nats" in line
    assert str(answer.answer).lower() in line
    assert "'Penguins fly.'" in line
    assert "P(true)" not in one_line(answered(grown(), Argue()))
    assert one_line(replace(answer.verdict, unsure=True)).count("unsure") == 1


def test_models_and_what_is_made_of_them_are_shown_by_their_names(tmp_path: Path) -> None:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5, name="a model", fingerprint="one")
    verifier = ScriptedVerifier(lambda *_: "neutral", name="a verifier", fingerprint="two")
    verifier.predict([("a", "b")] * 500)
    store = ResponseStore(tmp_path / "responses.sqlite3")
    by_lm: tuple[object, ...] = (lm, CachedLanguageModel(lm, store), BeliefReader(lm, StatedBeliefs()))
    others = LanguageModelVerifier(lm, load_prompts("paper")), Maieutic(lm, verifier)
    by_verifier = CachedVerifier(verifier, store), MeanVerifier((verifier,)), RememberingVerifier(verifier)
    for thing in (*by_lm, *others):
        assert "a model" in one_line(thing)
    for thing in (verifier, *by_verifier):
        assert "a verifier" in one_line(thing)
    store.close()


@pytest.mark.parametrize("load", [maieutic.load_lm, maieutic.load_verifier])
def test_loaded_models_are_shown_by_their_names(load: Callable[[str], object]) -> None:
    assert re.fullmatch(r"<Transformers\w+ 'agora'>", one_line(load("agora")))


# -- tables --------------------------------------------------------------------------------------------


def test_a_table_has_one_row_for_each_answer_in_their_order() -> None:
    pytest.importorskip("pandas")
    first = replace(sample(), usage=Usage(10, 20, 3), seconds=Seconds(1.0, 2.0, 0.5))
    second: Answer = replace(answered(grown(" So."), Argue()), warnings=(NOTHING_JUDGED, "Other."))
    table = maieutic.to_dataframe(iter([first, second]))
    assert list(table.columns) == [
        "question",
        "statement",
        "answer",
        "p_true",
        "unsure",
        "margin",
        "tokens",
        "calls",
        "seconds",
        "warnings",
    ]
    one, other = table.to_dict("records")
    assert one == {
        "question": first.question,
        "statement": first.statement,
        "answer": first.answer,
        "p_true": first.p_true,
        "unsure": first.unsure,
        "margin": first.margin,
        "tokens": 20,
        "calls": 3,
        "seconds": 3.5,
        "warnings": "",
    }
    assert math.isnan(other["p_true"])
    assert other["warnings"] == f"{NOTHING_JUDGED}; Other."


def test_a_table_without_answers_has_the_same_columns_and_types() -> None:
    pytest.importorskip("pandas")
    empty, full = maieutic.to_dataframe([]), maieutic.to_dataframe([sample()])
    assert len(empty) == 0
    assert list(empty.dtypes.items()) == list(full.dtypes.items())


def test_what_is_no_answer_is_refused_and_so_is_a_table_without_pandas(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("pandas")
    with pytest.raises(InputError) as error:
        maieutic.to_dataframe([sample(), "no"])  # type: ignore[list-item]
    assert error.value.subject == "answers"
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError) as error:
        maieutic.to_dataframe([sample()])
    assert "pip install pandas" in str(error.value)


# -- terms ---------------------------------------------------------------------------------------------


def test_every_term_that_the_page_explains_is_in_the_glossary() -> None:
    scripts = Path(terms_module.__file__).parent.glob("*.js")
    asked = {
        name for script in scripts for name in re.findall(r'\bterm\("([^"]+)"', script.read_text("utf-8"))
    }
    assert {"the model believes", "P(true)"} <= asked <= terms().keys()
    for text in terms().values():
        assert text
        assert text.isprintable()
    with pytest.raises(TypeError):
        terms()["more"] = ""  # type: ignore[index]
