"""A comparison of runs as one self-contained page: tables, plots, questions with trees, configurations.

Tables, plots and configurations are plain HTML without scripts. The questions are data, which
``report_page.js`` lists page by page; it draws a tree when its question is opened.
:mod:`maieutic.render.html` draws the trees and restricts what the page can do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from maieutic.benchmarks.agora.nodes import known_explanations
from maieutic.benchmarks.analysis.comparison import Comparison, matched
from maieutic.benchmarks.analysis.growth_curve import growth_curve
from maieutic.benchmarks.analysis.published import published
from maieutic.benchmarks.datasets import DATASETS
from maieutic.benchmarks.report.cells import Table
from maieutic.benchmarks.report.plots import to_svg
from maieutic.benchmarks.report.questions import parcels, rows
from maieutic.benchmarks.report.tables import (
    accuracy_table,
    difference_table,
    discard_table,
    explanation_table,
    growth_table,
    published_table,
    seed_table,
)
from maieutic.benchmarks.runs.folder import PROVENANCE
from maieutic.errors import FileFormatError
from maieutic.render.html import document, embedded, tree_script, tree_style
from maieutic.render.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

    from maieutic.benchmarks.runs.folder import Run

__all__ = ["report_page"]

_SCRIPTS = ("report_question.js", "report_page.js")
_BROAD = 8.0  # inches; two narrower plots share a row
_REPEATED = ("configuration",)  # keys of run.json that repeat run.toml
_PROMPTS = "prompts"  # the key of run.json with examples of prompts


@dataclass(frozen=True, slots=True)
class _Made:
    """How a run was made: (name, value) pairs, without those common to all runs, and (kind, prompt) pairs."""

    label: str
    folder: str
    facts: tuple[tuple[str, str], ...]
    prompts: tuple[tuple[str, str], ...]
    complete: bool


def report_page(runs: Sequence[Run], comparison: Comparison, plots: Mapping[str, Figure]) -> str:
    """The page, HTML.

    Args:
        runs: the runs of the comparison, in its order, with records in full; where they have fewer questions
            than the comparison, the page says that it shows a sample. ``run.json`` is read from each folder.
        plots: the result of :func:`maieutic.benchmarks.report.plots.figures`.

    Raises:
        FileFormatError: a ``run.json`` is damaged.
    """
    labels = [row.label for row in comparison.rows]
    same = matched(runs)
    common, made = _how_made(runs, labels)
    body = (
        _environment()
        .get_template("report_page.html")
        .render(
            comparison=comparison,
            shown=len(same[0].records),
            baseline=printable(comparison.baseline or ""),
            dataset=DATASETS[comparison.dataset],
            split=printable(comparison.split),
            tables=_tables(comparison, same),
            curves=_curves(same, labels),
            plots=[_picture(figure) for figure in plots.values()],
            common=common,
            made=made,
        )
    )
    return document(
        title=f"{comparison.dataset} {comparison.split}: {_count(len(runs), 'run')}",
        body=body,
        data={"questions": embedded(rows(same, labels)), "parcels": embedded(parcels(same))},
        style=tree_style() + _asset("report_page.css"),
        script=tree_script() + "".join(map(_asset, _SCRIPTS)),
    )


def _tables(comparison: Comparison, runs: Sequence[Run]) -> list[Table]:
    counts = [known_explanations(run.config.dataset, run.records) for run in runs]
    tables = (
        accuracy_table(comparison),
        difference_table(comparison),
        seed_table(comparison.seeds),
        discard_table(comparison.rows),
        explanation_table([row.label for row in comparison.rows], counts),
        published_table(published(comparison.dataset)),
    )
    return [table for table in tables if table is not None]


def _curves(runs: Sequence[Run], labels: Sequence[str]) -> list[Table]:
    curves = [(label, growth_curve(run), len(run.records)) for run, label in zip(runs, labels, strict=True)]
    return [growth_table(label, points, questions) for label, points, questions in curves if len(points) > 1]


def _picture(figure: Figure) -> tuple[str, str, bool]:
    """The plot for light and dark pages, and whether it needs the full width."""
    light, dark = (_without_styles(to_svg(figure, dark)) for dark in (False, True))
    return light, dark, bool(figure.get_figwidth() > _BROAD)


def _without_styles(svg: str) -> str:
    """The picture with style attributes replaced, which the page's security policy forbids."""

    def attributes(style: re.Match[str]) -> str:
        pairs = (part.partition(":") for part in style[1].split(";"))
        return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in pairs if name.strip())

    return re.sub(r' style="([^"]*)"(?=[^<>]*>)', attributes, svg)  # inside tags only


# -- how the runs were made ----------------------------------------------------------------------------


def _how_made(runs: Sequence[Run], labels: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], list[_Made]]:
    """The facts that all runs share, and those of each run."""
    stored = [_read_provenance(run) for run in runs]
    prompts = [_examples((facts or {}).pop(_PROMPTS, None)) for facts in stored]
    flat = [
        dict(_flat({"configuration": asdict(run.config)} | (facts or {})))
        for run, facts in zip(runs, stored, strict=True)
    ]
    same = {name for name, value in flat[0].items() if all(other.get(name) == value for other in flat)}
    shared = same if len(runs) > 1 else set()
    made = [
        _Made(
            label=printable(label),
            folder=printable(str(run.folder)),
            facts=tuple((name, value) for name, value in facts.items() if name not in shared),
            prompts=examples,
            complete=run_json is not None,
        )
        for run, label, facts, examples, run_json in zip(runs, labels, flat, prompts, stored, strict=True)
    ]
    return tuple((name, value) for name, value in flat[0].items() if name in shared), made


def _examples(prompts: object) -> tuple[tuple[str, str], ...]:
    """Kinds of prompt, each with its example, whose lines are kept."""
    if not isinstance(prompts, Mapping):
        return ()
    lines = {kind: str(text).split("\n") for kind, text in prompts.items()}
    return tuple((printable(str(kind)), "\n".join(map(printable, text))) for kind, text in lines.items())


def _read_provenance(run: Run) -> dict[str, Any] | None:
    """``run.json`` without the keys that repeat ``run.toml``; None if it does not exist."""
    path = run.folder / PROVENANCE
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileFormatError(path, None, f"cannot be read ({error.strerror}); check the path") from None
    except ValueError as error:
        raise FileFormatError(path, None, f"is not valid JSON ({error}); remove it") from None
    if not isinstance(facts, dict):
        raise FileFormatError(path, None, "is not a JSON object; remove it")
    return {name: value for name, value in facts.items() if name not in _REPEATED}


def _flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names and values as plain text, without empty and unknown values.

    >>> dict(_flat({"a": {"b": [1, 2], "c": None}, "d": True}))
    {'a.b': '1, 2', 'd': 'true'}
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        yield from _flat(", ".join(map(str, value)), name)
    elif value not in (None, ""):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield printable(name), printable(text)


# -- the template --------------------------------------------------------------------------------------


def _count(number: int, one: str) -> str:
    """
    >>> _count(2500, "question")
    '2,500 questions'
    """
    return f"{number:,} {one}{'' if number == 1 else 's'}"


@cache
def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - keeps --help fast

    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_asset),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = _count
    return environment
