"""A choice in plain words, and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from maieutic.problem.choosing import Choice, Chosen
from maieutic.problem.reasons import ClaimReason, claim_reasons
from maieutic.render.memory import memory_lines
from maieutic.render.phrases import percent, quoted
from maieutic.render.text import printable

__all__ = ["choice_data", "reason_data", "show_choice"]

SHOWN_REASONS = 3  # for each option in the text


def show_choice(choice: Choice, console: Console) -> None:
    """Print the chosen option, how likely each is, and the reasons on both sides."""
    for line in _lines(choice):
        console.print(line, highlight=False)


def _lines(choice: Choice) -> Iterator[Text | Padding]:
    chosen = choice.chosen
    sure = "" if chosen.p is None else f" ({percent(chosen.p)} sure)"
    if choice.unsure:
        yield Text.assemble(("Unsure.", "bold yellow"), f" Rather {printable(chosen.text)}{sure}")
    else:
        yield Text.assemble((printable(chosen.text), "bold green"), sure)
    for warning in choice.warnings:
        yield Text(f"Warning: {printable(warning)}.", "yellow")
    yield from (Text(line, "cyan") for line in memory_lines(choice.memory))
    if chosen.p is None:
        yield Text("How sure that is cannot be said: the reasons are too many to weigh exactly.")
    for option in choice.ranked:
        p = "  ?  " if option.p is None else f"{100 * option.p:4.0f} %"
        yield Text.assemble("\n", (f"{p}  {printable(option.text)}", "bold"))
        for reason in claim_reasons(choice.settled, option.claim, SHOWN_REASONS):
            if round(100 * abs(reason.moves)):
                yield Padding.indent(Text(_said(reason)), 8)


def _said(reason: ClaimReason) -> str:
    """A reason in words: whether it speaks for the option, and how many points of percent it moves."""
    side = "+" if reason.moves > 0 else "–"
    believed = "" if reason.held else ", which is not believed"
    return f"{side} {quoted(reason.text)}{believed} ({100 * reason.moves:+.0f} points)"


def choice_data(choice: Choice) -> dict[str, Any]:
    """The choice as plain data for JSON."""
    return {
        "question": choice.question,
        "choice": choice.chosen.text,
        "place": choice.place,
        "unsure": choice.unsure,
        "margin": choice.margin,
        "margin_nats": choice.margin_nats,
        "exact": choice.settled.exact,
        "options": [_option(choice, option) for option in choice.options],
        "usage": asdict(choice.usage),
        "left_out": choice.settled.left_out,
        "warnings": list(choice.warnings),
        "memory": None if choice.memory is None else asdict(choice.memory),
        "seconds": round(choice.seconds, 3),
    }


def _option(choice: Choice, option: Chosen) -> dict[str, Any]:
    reasons = claim_reasons(choice.settled, option.claim)
    return {
        "text": option.text,
        "statement": option.statement,
        "p": option.p,
        "reasons": list(map(reason_data, reasons)),
    }


def reason_data(reason: ClaimReason) -> dict[str, Any]:
    """A reason as plain data for JSON."""
    return asdict(reason) | {"moves": round(reason.moves, 6)}
