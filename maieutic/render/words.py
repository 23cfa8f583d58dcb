"""An answer in plain words: yes or no, how sure, and the reasons on both sides, the strongest first.

For readers who know nothing of the method. :mod:`maieutic.render.text` shows every number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from maieutic.config import PROBABILITIES
from maieutic.inference.reasons import ROUNDING, Reason
from maieutic.reasoning import NO_VERIFIER, Reasoning
from maieutic.render.memory import memory_lines
from maieutic.render.phrases import SHOWN_FOR, Phrases, percent, quoted
from maieutic.render.text import printable
from maieutic.tree import ROOT

__all__ = ["in_words", "tell"]

SHOWN_AGAINST, SHOWN_IDLE = 3, 2  # listed at most
JOINED = "\ue000"  # a space where no line may end, while a text is wrapped; no printable text has it
LEANING = 0.6  # an answer that is less probable is one that the method leans to
STYLE = {True: "bold green", False: "bold red", None: "bold yellow"}


def tell(answer: Reasoning, console: Console) -> None:
    """Print the answer in plain words."""
    console.print(in_words(answer), highlight=False)


def in_words(answer: Reasoning) -> RenderableType:
    """The answer in plain words, as a rich renderable."""
    phrases = Phrases(answer)
    return Group(
        _Item("", _decision(phrases)),
        *(_Item("", doubt) for doubt in _doubts(phrases)),
        *(_Item("", Text(line, "cyan")) for line in memory_lines(answer.memory)),
        *_supporting(phrases),
        *_opposing(phrases),
        *_idle(phrases),
        *_flip(phrases),
        "",
        _Item("", _makers(answer)),
    )


@dataclass(frozen=True)
class _Item:
    """A paragraph whose lines stand to the right of its mark."""

    mark: str
    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self.text.copy()
        text.plain = text.plain.replace(" %", f"{JOINED}%")
        for number, line in enumerate(text.wrap(console, options.max_width - len(self.mark))):
            line.plain = line.plain.replace(JOINED, " ")
            line.rstrip()
            yield Text.assemble(" " * len(self.mark) if number else self.mark, line)


def _decision(phrases: Phrases) -> Text:
    """Yes or no, what is held, and how sure that is."""
    answer = phrases.answer
    if _is_toss(answer):
        return Text.assemble(("Unsure.", STYLE[None]), f" A coin toss: {printable(answer.statement)}")
    word, held = phrases.word(answer.answer), phrases.held
    if answer.confidence is not None:
        sure = f"({percent(answer.confidence)} sure)"
        held = f"{held[:-1]} {sure}." if held.endswith(".") else f"{held} {sure}"
    if answer.unsure:
        return Text.assemble(("Unsure.", STYLE[None]), f" Rather {word}: {held}")
    if answer.confidence is not None and answer.confidence < LEANING:
        return Text.assemble((f"Rather {word}.", STYLE[None]), f" {held}")
    return Text.assemble((f"{word.capitalize()}.", STYLE[answer.answer]), f" {held}")


def _is_toss(answer: Reasoning) -> bool:
    """Whether neither answer is likelier."""
    p = answer.p_true
    return answer.margin == 0.0 if p is None else abs(p - 0.5) <= ROUNDING


def _doubts(phrases: Phrases) -> Iterator[Text]:
    """What makes the answer doubtful."""
    verdict = phrases.answer.verdict
    for warning in phrases.answer.warnings:
        yield Text(f"Warning: {printable(warning)}.", "yellow")
    for clash in verdict.clashes:
        ids = [literal.id for literal in (clash.source, clash.target) if literal is not None]
        both = " and ".join(quoted(a.statement) for a in verdict.assumptions if a.id in ids)
        yield Text(f"Warning: what you said does not fit together: {both}", "yellow")
    if verdict.p_true is None and verdict.margin_unit == "nats":
        yield Text("How sure that is cannot be said: the reasons are too many to weigh exactly.")


def _supporting(phrases: Phrases) -> Iterator[RenderableType]:
    """What supports the answer."""
    if not any(phrases.sides):
        yield from ("", _Item("", Text(_no_reason(phrases.answer))))
    rows = [(phrases.sentence(reason), reason) for reason in phrases.sides[0]]
    numbered = [(f"  {number}. ", text, reason) for number, (text, reason) in enumerate(rows, 1)]
    yield from _listed(phrases, "Supports this", numbered, SHOWN_FOR)


def _no_reason(answer: Reasoning) -> str:
    """Why there is none."""
    if answer.tree.kind == "empty" and len(answer.tree.pruned) > 1:
        return "No explanation counts: the model contradicts itself on each of them."
    return "Nothing that the model said speaks for either side."


def _opposing(phrases: Phrases) -> Iterator[RenderableType]:
    """What does not support the answer, and why it did not win."""
    rows = [("  – ", phrases.overruled(reason), reason) for reason in phrases.sides[1]]
    helpful = any(reason.supports == phrases.answer.answer for reason in phrases.sides[1])
    title = "Speaks against this, or is not believed" if helpful else "Speaks against this"
    yield from _listed(phrases, title, rows, SHOWN_AGAINST)


def _listed(
    phrases: Phrases, title: str, rows: Sequence[tuple[str, str, Reason]], most: int
) -> Iterator[RenderableType]:
    """A titled list of (mark, sentence, reason)."""
    if rows:
        yield from _title(title)
    for mark, sentence, reason in rows[:most]:
        yield _Item(mark, Text.assemble(sentence, (phrases.otherwise(reason), "dim")))
    if len(rows) > most:
        yield Text(f"  … and {len(rows) - most} weaker", "dim")


def _title(text: str) -> Iterator[RenderableType]:
    yield from ("", _Item("", Text(text, "bold")))


def _idle(phrases: Phrases) -> Iterator[RenderableType]:
    """Explanations of Q and assumptions that have no effect."""
    counted = {i for side in phrases.sides for reason in side for i in reason.ids}
    children = [node for node in phrases.nodes.values() if node.parent == ROOT and node.id not in counted]
    rows = [phrases.given(i) for i in phrases.assumptions if i not in counted]
    rows += [quoted(node.statement) for node in children if node.id in phrases.answer.labels]
    rows = list(dict.fromkeys(rows))  # the model may give one sentence for both sides
    if rows:
        yield from _title("Also said, without effect on the answer")
    for row in rows[:SHOWN_IDLE]:
        yield _Item("  – ", Text(row))
    if len(rows) > SHOWN_IDLE:
        yield Text(f"  … and {len(rows) - SHOWN_IDLE} more", "dim")


def _flip(phrases: Phrases) -> Iterator[RenderableType]:
    """The lightest evidence without which the other answer would be as good."""
    flip = phrases.answer.verdict.flip
    if flip is None:
        return
    other = phrases.word(not phrases.answer.answer)
    if not flip:
        yield from _title(f"The answer could as well be {other}.")
        return
    yield from _title(f"The answer could as well be {other} if this were left out")
    links = dict.fromkeys(phrases.link(phrases.answer.verdict.constraints[index]) for index in flip)
    for link in list(links)[:SHOWN_FOR]:
        yield _Item("  – ", Text(link))
    if len(links) > SHOWN_FOR:
        yield Text(f"  … and {len(links) - SHOWN_FOR} weaker", "dim")


def _makers(answer: Reasoning) -> Text:
    """Who said this, and where to read more."""
    models = answer.models
    parts = [f"model {models.lm}" if models.lm else "model unknown"]
    if models.verifier != NO_VERIFIER:
        parts.append(f"verifier {models.verifier}")
    if models.belief_source not in (None, PROBABILITIES):
        parts.append(f"what it believes is {models.belief_source}, not its own probabilities")
    return Text(f"{printable(', '.join(parts))}; --verbose shows all numbers", "dim")
