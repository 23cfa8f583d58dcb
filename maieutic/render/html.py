"""Answers as one self-contained page that works offline, from a file.

The page holds its data as JSON in which no character can end a script element. ``tree_view.js`` draws them
and makes text nodes only. The Content-Security-Policy allows the page's own style and script, by their
hashes, and forbids everything else: inline handlers, requests, forms, frames. Without JavaScript the page
shows the terminal's renderings: in plain words, then with all numbers.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from maieutic.reasoning import Reasoning
from maieutic.render.terms import terms
from maieutic.render.text import printable, show
from maieutic.render.view import view_of
from maieutic.render.words import tell
from maieutic.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["asset", "document", "embedded", "page", "plain_text", "tree_script", "tree_style"]

_STYLES = ("page.css", "tree_view.css", "tree_panel.css", "what_if.css")
_SCRIPTS = (  # each uses those before it
    "tree_elements.js",
    "tree_data.js",
    "labellings.js",
    "what_if.js",
    "tree_panel.js",
    "tree_card.js",
    "tree_view.js",
)
_TEXT_WIDTH = 100  # columns of the rendering for pages without JavaScript


def page(answers: Iterable[Reasoning]) -> str:
    """One HTML page with the answers in the order given."""
    views, texts = [], []
    for answer in answers:
        views.append(view_of(answer))
        texts.append(f"{plain_text(answer)}\n{plain_text(answer, numbers=True)}")
    body = _environment().get_template("answers.html").render(texts=texts)
    return document(
        title=views[0]["statement"] if len(views) == 1 else f"{len(views)} answers",
        body=body,
        data={"answers": embedded(views)},
        style=tree_style(),
        script=tree_script() + asset("answer_page.js"),
    )


def document(*, title: str, body: str, data: Mapping[str, str], style: str, script: str) -> str:
    """The page around any content.

    Args:
        title: plain text.
        body: HTML with all texts escaped; ``style=`` and ``on…=`` attributes have no effect.
        data: id of a script element → the JSON in it, from :func:`embedded`.
        style, script: trusted, and allowed by their hashes.
    """
    policy = {
        "default-src": "'none'",
        "script-src": _hashed(script),
        "style-src": _hashed(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=f"{printable(title)} · maieutic",
            policy="; ".join(f"{name} {value}" for name, value in policy.items()),
            version=__version__,
            body=body,
            data=data,
            style=style,
            script=script,
        )
    )


def embedded(value: Any) -> str:
    r"""The value as JSON that is safe in a script element and in HTML: it has no <, > or &.

    >>> embedded("</script>&\u2028")
    '"\\u003c/script\\u003e\\u0026\\u2028"'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":  # they occur in strings only
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def tree_style() -> str:
    """The style of a page with trees: its colours and frame, and the tree view."""
    return "".join(map(asset, _STYLES))


def tree_script() -> str:
    """The script that defines ``treeView.answerView(view, level)``, which draws a view of an answer."""
    texts = f"const termTexts = {embedded(dict(terms()))};\n"  # JSON is JavaScript, too
    return texts + "".join(map(asset, _SCRIPTS))


@cache
def asset(name: str) -> str:
    """The text of a file beside this module (a style, a script or a template)."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - keeps imports light

    return Environment(autoescape=True, loader=FunctionLoader(asset), undefined=StrictUndefined)


def _hashed(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def plain_text(answer: Reasoning, *, numbers: bool = False) -> str:
    """The answer as the terminal shows it, without colours: in plain words, or with all ``numbers``."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(file=io.StringIO(), width=_TEXT_WIDTH, color_system=None, force_terminal=False)
    with console.capture() as capture:
        (show if numbers else tell)(answer, console)
    return capture.get()
