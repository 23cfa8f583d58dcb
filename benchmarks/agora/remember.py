"""Questions about Agora asked in one memory, against the same questions on islands; then ten facts.

    python -m maieutic.benchmarks.agora.remember --out FOLDER [--questions 300] [--later 60] [--seed 0]

* **answers and labels**: each question is asked alone, and again in a memory that holds those before it. The
  truth of answers and of explanations is known (:mod:`maieutic.benchmarks.agora.oracle`).
* **facts**: ten true facts about groups, those that most of the questions rest on, are asserted; one that
  the verifier holds to contradict another is refused, and the next is taken. Further
  questions that rest on them are asked in two copies of the memory, one with the facts.

Answers are written as they come, and a run that was stopped goes on. Expected time: some seconds a question
on one core, twice for each question.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from maieutic.answer import Answer
from maieutic.benchmarks import run_app
from maieutic.benchmarks.agora.claims import group_fact
from maieutic.benchmarks.agora.nodes import count_nodes
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.questions import Question, questions
from maieutic.benchmarks.agora.world import World, load_world
from maieutic.benchmarks.analysis.formatting import percent_with_interval
from maieutic.benchmarks.analysis.intervals import accuracy_interval
from maieutic.benchmarks.analysis.statistics import mcnemar
from maieutic.errors import InputError
from maieutic.files.json_lines import read_records
from maieutic.files.writing import remove_unfinished_line
from maieutic.memory.base import Memory
from maieutic.memory.neighbourhood import Limits
from maieutic.pipeline import BATCH_SIZE, Maieutic
from maieutic.problem.asking import joint_of

__all__ = ["Outcome", "basic_facts", "compared", "main", "rests_on"]

FACTS = 10
EVERY = 10**6  # more questions than there are
ISLANDS, MEMORY, BARE, INFORMED = "islands", "memory", "later-without-facts", "later-with-facts"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How two ways judged the same questions.

    Attributes:
        total: questions; ``first``, ``second``: how many each way answered correctly.
        mended: wrong in the first way and right in the second; ``broken``: the other way round.
        p: of McNemar's exact test.
    """

    total: int
    first: int
    second: int
    mended: int
    broken: int
    p: float

    def __str__(self) -> str:
        shares = (f"{100 * right / max(1, self.total):.1f} %" for right in (self.first, self.second))
        one, other = shares
        return (
            f"{one} → {other} of {self.total}; mended {self.mended}, broken {self.broken} (p = {self.p:.2g})"
        )


def compared(gold: Sequence[bool], first: Sequence[bool], second: Sequence[bool]) -> Outcome:
    """Compare two ways on the same questions.

    Args:
        gold, first, second: the truth, and the answers of both ways, question by question.
    """
    rows = [(a == truth, b == truth) for truth, a, b in zip(gold, first, second, strict=True)]
    return Outcome(
        len(rows),
        sum(a for a, _ in rows),
        sum(b for _, b in rows),
        sum(b and not a for a, b in rows),
        sum(a and not b for a, b in rows),
        mcnemar([a for a, _ in rows], [b for _, b in rows]) if rows else 1.0,
    )


def rests_on(world: World, question: Question) -> set[tuple[str, str]]:
    """The facts about groups that a question follows from, as (group, property)."""
    ways = world.derivations[question.thing, question.property]
    return {(way.group, way.property) for way in ways}


def basic_facts(world: World, asked: Sequence[Question]) -> list[tuple[str, str]]:
    """The facts about groups that questions rest on, as (group, property), those of most questions first."""
    counts = Counter(fact for question in asked for fact in sorted(rests_on(world, question)))
    return [fact for fact, _ in counts.most_common()]


class _Answers:
    """The answers of one way, kept in a file of JSON lines."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.jsonl"
        remove_unfinished_line(self.path)
        self.path.touch()
        self.done = [answer for _, answer in read_records(self.path, Answer.from_json)]

    def ask(self, pipeline: Maieutic, asked: Sequence[Question]) -> None:
        """Ask the questions that have no answer yet."""
        with self.path.open("a", encoding="utf-8") as file:
            for answer in pipeline.ask_many([one.statement for one in asked[len(self.done) :]]):
                self.done.append(answer)
                file.write(answer.to_json() + "\n")
                file.flush()

    @property
    def truths(self) -> list[bool]:
        return [answer.answer for answer in self.done]


def _asked(pipeline: Maieutic, memory: Memory, folder: Path, asked: Sequence[Question]) -> None:
    """Ask every question on an island and in the memory, a batch each in turn."""
    alone, together = _Answers(folder, ISLANDS), _Answers(folder, MEMORY)
    within = _within(pipeline, memory)
    oracle = Oracle(load_world())
    for end in range(BATCH_SIZE, len(asked) + BATCH_SIZE, BATCH_SIZE):
        some = asked[:end]
        alone.ask(pipeline, some)
        together.ask(within, some)
        _print(f"{len(some)} questions: {compared(_gold(some), alone.truths[:end], together.truths[:end])}")
    texts = [one.statement for one in asked]
    for name, answers in ((ISLANDS, alone), (MEMORY, together)):
        right = [a == b for a, b in zip(answers.truths, _gold(asked), strict=True)]
        share = percent_with_interval(sum(right) / len(right), accuracy_interval(right, texts, 0))
        _print(f"{name}: {sum(right)} of {len(asked)} right, {share} %")
        _print(f"{name}: {count_nodes(oracle, answers.done)}")
    notes = [answer.memory for answer in together.done if answer.memory is not None]
    changed = sum(len(note.changed) for note in notes)
    _print(f"earlier answers that later questions changed: {changed}")
    settled = memory.settle()
    _print(
        f"settled: {settled.propositions} propositions, {settled.clauses} clauses, cost {settled.cost:.2f}"
    )
    final = [memory.why(one.statement).label is True for one in asked]
    _print(f"labels in the settled memory against islands: {compared(_gold(asked), alone.truths, final)}")


def _informed(
    pipeline: Maieutic,
    memory: Memory,
    folder: Path,
    asked: Sequence[Question],
    rest: Sequence[Question],
    later: int,
) -> None:
    """Assert the facts in a copy of the memory, and ask further questions in both copies."""
    world = load_world()
    copies = [folder / f"{name}.sqlite3" for name in (BARE, INFORMED)]
    memory.close()
    for copy in copies:
        if not copy.exists():
            _copied(memory.path, copy)
    bare, informed = (Memory(copy, limits=memory.limits) for copy in copies)
    changes = []
    facts: set[tuple[str, str]] = set()
    for group, name in basic_facts(world, asked):
        text = group_fact(world, group, name).correct().text
        if len(facts) == FACTS:
            break
        try:
            joint = joint_of(pipeline.inference)
            found = informed.assert_fact(text, verifier=pipeline.verifier, joint=joint)
        except InputError as error:  # the verifier holds that it contradicts another one
            _print(f"refused: {error}")
            continue
        facts.add((group, name))
        changes += [change for change in found.changed if change.answer]
        _print(f"fact: {text}{' (unused)' if found.fact.unused else ''}")
    further = [one for one in rest if rests_on(world, one) & facts][:later]
    truth = {one.statement: one.truth for one in asked}
    known = [change for change in changes if change.statement in truth]
    mended = sum(change.after == truth[change.statement] for change in known)
    _print(f"earlier answers changed by the facts at once: mended {mended}, broken {len(known) - mended}")
    without, with_facts = _Answers(folder, BARE), _Answers(folder, INFORMED)
    for end in range(10, len(further) + 10, 10):
        some = further[:end]
        without.ask(_within(pipeline, bare), some)
        with_facts.ask(_within(pipeline, informed), some)
        result = compared(_gold(some), without.truths[:end], with_facts.truths[:end])
        _print(f"later questions that rest on the facts, without and with them: {result}")


def _copied(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _within(pipeline: Maieutic, memory: Memory) -> Maieutic:
    return Maieutic(
        pipeline.lm,
        pipeline.verifier,
        prompts=pipeline.prompts,
        elicit=pipeline.elicit,
        inference=pipeline.inference,
        memory=memory,
    )


def _gold(asked: Sequence[Question]) -> list[bool]:
    return [one.truth for one in asked]


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> None:
    """Print what the module's docstring names, with the bundled models."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--later", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weight", type=float, default=Limits().weight)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    every = questions(load_world(), args.split, EVERY, args.seed)
    asked, rest = every[: args.questions], every[args.questions :]
    memory = Memory(args.out / "memory.sqlite3", limits=Limits(weight=args.weight))
    pipeline = Maieutic.load()
    _asked(pipeline, memory, args.out, asked)
    if args.later:
        _informed(pipeline, memory, args.out, asked, rest, args.later)


if __name__ == "__main__":
    run_app(main)
