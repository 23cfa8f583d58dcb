"""How well a model answers everyday questions about the world.

Launch:   python -m maieutic.benchmarks.agora.everyday [--split test] [--count 400] [--direct]
Data:     questions written by hand (``plain``), and claims of the world in the forms in which people type
          them (:mod:`maieutic.benchmarks.agora.everyday_questions`), by default held-out ones.
Cost:     about half a second a question on one core; with --direct, seconds in all.

The table has a row for each kind of question: how many are answered right, wrong and unsure, in percent, and
how many wrong with P ≥ 0.75 (wrong and sure).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.agora.claims import check_split
from maieutic.benchmarks.agora.everyday_questions import EverydayQuestion, everyday_questions, plain_questions
from maieutic.benchmarks.agora.world import load_everyday
from maieutic.benchmarks.methods.direct import read
from maieutic.bundled import AGORA

__all__ = ["SURE", "Result", "answered", "answered_directly", "app", "table"]

SURE = 0.75  # P of an answer from which it counts as sure

app = typer.Typer(pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Result:
    """A question and the answer to it.

    Attributes:
        statement: what was judged.
        p_true: of the statement, in [0, 1].
        unsure: whether the model gave no answer.
    """

    question: EverydayQuestion
    statement: str
    p_true: float
    unsure: bool = False

    @property
    def right(self) -> bool:
        """Whether it is answered, and rightly."""
        return not self.unsure and (self.p_true >= 0.5) == self.question.answer

    @property
    def wrong(self) -> bool:
        """Whether it is answered, and wrongly."""
        return not self.unsure and not self.right

    @property
    def wrong_and_sure(self) -> bool:
        """Whether it is answered wrongly with P ≥ ``SURE``."""
        return self.wrong and max(self.p_true, 1 - self.p_true) >= SURE


def answered(questions: Sequence[EverydayQuestion], lm: str = AGORA) -> list[Result]:
    """The answers that ``maieutic ask`` gives at its defaults."""
    from maieutic.pipeline import Maieutic  # noqa: PLC0415 - loads torch

    answers = Maieutic.load(lm).ask_many(question.text for question in questions)
    return [
        Result(question, answer.statement, 0.5 if answer.p_true is None else answer.p_true, answer.unsure)
        for question, answer in zip(questions, answers, strict=True)
    ]


def answered_directly(questions: Sequence[EverydayQuestion], lm: str = AGORA) -> list[Result]:
    """The language model's own belief in the statement of each question, without explanations."""
    from maieutic.lm import load_lm  # noqa: PLC0415 - loads torch
    from maieutic.prompts import load_prompts  # noqa: PLC0415
    from maieutic.sentences import statements  # noqa: PLC0415
    from maieutic.text import as_sentence  # noqa: PLC0415

    model = load_lm(lm)
    prompts = load_prompts(model.prompts)
    said = [as_sentence(statements(question.text)[0]) for question in questions]
    readings = [one.p_true for one in read(model, prompts, [prompts.direct(text) for text in said])]
    rows = zip(questions, said, readings, strict=True)
    return [Result(question, text, 0.5 if p is None else p, p is None) for question, text, p in rows]


def table(results: Sequence[Result]) -> str:
    """Shares of right, wrong, unsure, and wrong and sure answers, by kind of question, as Markdown."""
    kinds = dict.fromkeys(result.question.kind for result in results)
    parts = [(kind, [r for r in results if r.question.kind == kind]) for kind in kinds]
    if len(parts) > 1:
        parts.append(("all", list(results)))
    lines = [
        "| kind | questions | right | wrong | unsure | wrong and sure |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kind, some in parts:
        counts = (
            sum(r.right for r in some),
            sum(r.wrong for r in some),
            sum(r.unsure for r in some),
            sum(r.wrong_and_sure for r in some),
        )
        shares = " | ".join(f"{100 * count / len(some):.1f} %" for count in counts)
        lines.append(f"| {kind} | {len(some)} | {shares} |")
    return "\n".join(lines)


@app.command()
def everyday(
    split: Annotated[str, typer.Option("--split", help="Split of the things: train, dev or test.")] = "test",
    count: Annotated[int, typer.Option("--count", help="Questions made by rule.", min=0)] = 400,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the choice of questions.", min=0)] = 0,
    direct: Annotated[bool, typer.Option("--direct", help="Without explanations.")] = False,
    lm: Annotated[str, typer.Option("--lm", help="Language model.")] = AGORA,
    show: Annotated[bool, typer.Option("--show", help="Print what is answered wrong or unsure.")] = False,
) -> None:
    """Print how well everyday questions are answered."""
    questions = [*plain_questions(), *everyday_questions(load_everyday(), check_split(split), count, seed)]
    results = answered_directly(questions, lm) if direct else answered(questions, lm)
    for result in results if show else ():
        if not result.right:
            word = "unsure" if result.unsure else "wrong"
            typer.echo(f"{word}, P(true) {result.p_true:.2f}: {result.question.text} → {result.statement}")
    typer.echo(table([r for r in results if r.question.kind == "plain"]))
    if count:
        typer.echo(f"\n{table([r for r in results if r.question.kind != 'plain'])}")


if __name__ == "__main__":
    run_app(app)
