"""The result of checking a text: in words, as plain data, and as a page with the text marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from rich.console import Console
from rich.text import Text

from maieutic.inference.graph import Literal
from maieutic.problem.checking import Check, Checked
from maieutic.problem.reasons import claim_reasons
from maieutic.render.choice import reason_data
from maieutic.render.html import asset, document
from maieutic.render.memory import memory_lines
from maieutic.render.phrases import counted, percent, quoted
from maieutic.render.text import printable

__all__ = ["check_data", "check_page", "show_check"]

SHOWN_CONFLICTS, SHOWN_REASONS = 10, 3
REASONS_OF = 200  # statements at most whose reasons are computed: each reason is an exact sum


def show_check(check: Check, console: Console) -> None:
    """Print what is given up and why, the conflicts and the cheapest repair."""
    for line in _lines(check):
        console.print(line, highlight=False)


def _lines(check: Check) -> Iterator[Text]:
    sets = len(check.conflicts.sets)
    if check.hangs_together and not check.given_up:
        yield Text.assemble((f"{_headline(check)}.", "bold green"))
    else:
        cannot = "" if check.hangs_together else ": these cannot all be true"
        yield Text.assemble((_headline(check), "bold red"), cannot)
    yield from map(Text, _notes(check))
    for number, each in enumerate(check.conflicts.sets[:SHOWN_CONFLICTS], 1):
        yield Text(f"\nConflict {number}", style="bold")
        yield from (Text(f"  {printable(text)}") for text in _said(check, each))
        yield from (Text(f"  {text}", style="dim") for text in _through(check, number - 1))
    if sets > SHOWN_CONFLICTS:
        yield Text(f"\n… and {counted(sets - SHOWN_CONFLICTS, 'more conflict')}", style="dim")
    if check.conflicts.given_up:
        yield Text("\nCheapest repair: give up", style="bold")
        yield from (Text(f"  {printable(text)}") for text in _said(check, check.conflicts.given_up))
    yield Text("\nStatements", style="bold")
    for one in check.statements:
        mark, style = _mark(one)
        yield Text.assemble((f"  {mark} {_p(one):>10}  ", style), printable(one.text))
        for reason in claim_reasons(check.settled, one.claim, SHOWN_REASONS) if not one.held else ():
            side = "supports" if reason.moves > 0 else "attacks"
            yield Text(
                f"{'':16}{side} it: {quoted(reason.text)} ({100 * reason.moves:+.0f} points)", style="dim"
            )


def _notes(check: Check) -> Iterator[str]:
    """What was left out, and what is not known."""
    if check.given.skipped:
        yield f"left out, since they claim nothing: {counted(check.given.skipped, 'sentence')}"
    if check.settled.left_out:
        yield f"{check.settled.left_out:,} pairs exceed the budget and were not compared"
    if check.conflicts.more:
        yield f"only the {len(check.conflicts.sets)} smallest conflicts are listed"
    if check.conflicts.ignored:
        left = counted(check.conflicts.ignored, "relation")
        yield f"{left} of the verifier contradict surer ones and were left out of the conflicts"
    yield from map(printable, check.warnings)
    yield from memory_lines(check.memory)
    if not check.settled.exact:
        yield "P(true) is not known of all: the statements are too densely related; labels are by MaxSAT"


def _said(check: Check, literals: Sequence[Literal]) -> Iterator[str]:
    texts = check.settled.texts
    for literal in literals:
        judged = literal.positive and literal.id in check.settled.problem.statements
        kind = {"F": "fact: ", "D": "document: "}.get(literal.id[0], "" if judged else "fact: ")
        yield f"{kind}{texts[literal.id]}{'' if literal.positive else ' is false'}"


def _through(check: Check, place: int) -> Iterator[str]:
    """What the members of a conflict contradict each other by, where that is more than themselves."""
    others = [check.settled.texts[one] for one in check.conflicts.through[place]]
    if others:
        yield f"by what they say of: {', '.join(map(quoted, others))}"


def _mark(one: Checked) -> tuple[str, str]:
    if one.fact:
        return ("=", "bold") if one.held else ("✗", "bold red")
    return ("✓", "green") if one.held else ("✗", "bold red")


def _p(one: Checked) -> str:
    if one.fact:
        return "fact" if one.held else "not so"
    return "unknown" if one.p is None else percent(one.p)


def check_data(check: Check) -> dict[str, Any]:
    """The result as plain data for JSON."""
    texts = check.settled.texts
    return {
        "hangs_together": check.hangs_together,
        "statements": [
            {
                "id": one.claim,
                "text": one.text,
                "places": [list(place) for place in one.places],
                "held": one.held,
                "p_true": one.p,
                "margin": check.settled.margins.get(one.claim),
                "fact": one.fact,
                "reasons": list(map(reason_data, claim_reasons(check.settled, one.claim)))
                if place < REASONS_OF
                else [],
            }
            for place, one in enumerate(check.statements)
        ],
        "conflicts": [[_literal(texts, one) for one in each] for each in check.conflicts.sets],
        "through": [[{"id": one, "text": texts[one]} for one in each] for each in check.conflicts.through],
        "more_conflicts": check.conflicts.more,
        "ignored_relations": check.conflicts.ignored,
        "repair": {
            "give_up": [_literal(texts, one) for one in check.conflicts.given_up],
            "weight": check.conflicts.weight,
        },
        "skipped": check.given.skipped,
        "left_out": check.settled.left_out,
        "exact": check.settled.exact,
        "warnings": list(check.warnings),
        "memory": None if check.memory is None else asdict(check.memory),
        "usage": asdict(check.usage),
        "seconds": round(check.seconds, 3),
    }


def _literal(texts: Any, literal: Literal) -> dict[str, Any]:
    return {"id": literal.id, "text": texts[literal.id], "true": literal.positive}


def check_page(check: Check) -> str:
    """A page that works offline, without a script: the text with each statement marked, and the conflicts."""
    rows = [f"<h1>{escape(_headline(check))}</h1>"]
    rows += [f"<p class=note>{escape(note)}</p>" for note in _notes(check)]
    rows.append(f"<section class=text>{_marked(check)}</section>")
    for number, each in enumerate(check.conflicts.sets, 1):
        items = "".join(f"<li>{escape(printable(text))}</li>" for text in _said(check, each))
        note = "".join(f"<p class=note>{escape(text)}</p>" for text in _through(check, number - 1))
        rows.append(f"<section><h2>Conflict {number}</h2><ul>{items}</ul>{note}</section>")
    if check.conflicts.given_up:
        items = "".join(
            f"<li>{escape(printable(text))}</li>" for text in _said(check, check.conflicts.given_up)
        )
        rows.append(f"<section><h2>Cheapest repair: give up</h2><ul>{items}</ul></section>")
    style = asset("page.css") + asset("check.css")
    body = f"<main class=check>{''.join(rows)}</main>"
    return document(title=_headline(check), body=body, data={}, style=style, script="")


def _headline(check: Check) -> str:
    if check.hangs_together and not check.given_up:
        return f"{len(check.statements)} statements hang together"
    lost, sets = len(check.given_up), len(check.conflicts.sets)
    return f"{lost} of {len(check.statements)} statements given up, {counted(sets, 'conflict')}"


def _marked(check: Check) -> str:
    """The text with its statements marked; a list of them where there is no text."""
    if not check.given.text:
        return "".join(f"<p>{_span(one, one.text)}</p>" for one in check.statements)
    places = sorted((start, end, one) for one in check.statements for start, end in one.places)
    found, last = [], 0
    for start, end, one in places:
        found.append(escape(printable_text(check.given.text[last:start])))
        found.append(_span(one, check.given.text[start:end]))
        last = end
    return "".join([*found, escape(printable_text(check.given.text[last:]))])


def _span(one: Checked, text: str) -> str:
    kind = "fact" if one.fact and one.held else "held" if one.held else "lost"
    word = {"fact": "fact", "held": "held true", "lost": "given up"}[kind]
    title = f"{word}, {_p(one)}" if not one.fact else word
    shown = escape(printable_text(text))
    note = "" if kind != "lost" else f" <small>[{escape(title)}]</small>"
    return f'<mark class={kind} title="{escape(title)}">{shown}</mark>{note}'


def printable_text(text: str) -> str:
    """The text with characters that could confuse a reader escaped, line by line."""
    return "\n".join(map(printable, text.split("\n")))
