"""Speed of memories: adding a question to a small one and to a large one, and settling the large one.

    python -m maieutic.benchmarks.throughput.memory --out FOLDER [--propositions 100000] [--limit 600]

The memories are synthetic. Each topic is a question with nine explanations: its ordered pairs are related,
as joint inference relates a tree, and a few pairs across topics are too. Seven in ten relations are neutral,
weights are those of a tree of ten with the bundled models' weights. Propositions have a hidden truth, with
which three in four beliefs and 85 % of the relations agree.

* **adding**: the same questions, in turn, in a memory of 1,000 propositions and in the large one. The models
  are scripted and take no time, so that all seconds are those of the method and the memory.
* **settling**: the whole large memory, to proven optimality, against plain RC2 on the same problem, which is
  stopped after ``--limit`` seconds. Both run on one core.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from maieutic.benchmarks import run_app
from maieutic.config import ElicitConfig
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.memory.base import Memory
from maieutic.memory.database import CONTRADICTION, ENTAILMENT, MemoryFile
from maieutic.memory.rows import entered
from maieutic.memory.settling import memory_problem
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.solvers import WeightedCNF, load_solver
from maieutic.solvers.calls import solve

__all__ = ["Shape", "add_topics", "main", "seconds_of_questions"]

SMALL = 1_000
TOPIC = 10  # propositions: a question and its explanations
BATCH = 500  # topics in one transaction
COMMON_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How a synthetic memory is drawn.

    Attributes:
        related: share of the relations that say something; ``right``: of these that agree with the truth.
        believed: share of the beliefs that do. ``across``: relations of a topic to others.
    """

    related: float = 0.3
    right: float = 0.85
    believed: float = 0.75
    across: int = 10


def add_topics(file: MemoryFile, propositions: int, shape: Shape, seed: int) -> None:
    """Fill a new memory."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    truth: dict[int, bool] = {}
    topics = propositions // TOPIC
    for start in range(0, topics, BATCH):
        with file.writing() as db:
            for topic in range(start, min(start + BATCH, topics)):
                numbers = [_entered(db, topic, place, rng) for place in range(TOPIC)]
                for number in numbers:
                    truth[number] = rng.random() < 0.5
                    odds = rng.uniform(0.1, 1.8) * (1 if rng.random() < shape.believed else -1)
                    _believed(db, number, odds if truth[number] else -odds, truth[number])
                db.execute("UPDATE propositions SET asked = 1 WHERE id = ?", (numbers[0],))
                db.executemany(
                    "INSERT OR IGNORE INTO relations VALUES (?, 0, ?, 0, ?, 1, ?, ?, ?, ?, 1)",
                    list(_relations(numbers, truth, shape, rng)),
                )


def _entered(db: sqlite3.Connection, topic: int, place: int, rng: random.Random) -> int:
    first, second = (f"w{int(COMMON_WORDS * rng.random() ** 3)}" for _ in range(2))
    subject = f"topic{topic}"
    text = f"The {subject} number {place} is {first} {second}."
    return entered(db, text, f"The {subject} number {place} is not {first} {second}.", question=1, time=0)


def _believed(db: sqlite3.Connection, number: int, odds: float, label: bool) -> None:
    db.execute(
        "UPDATE propositions SET odds = ?, p_true = 0.5, p_negation = 0.5, label = ? WHERE id = ?",
        (odds, label, number),
    )


def _relations(
    numbers: list[int], truth: dict[int, bool], shape: Shape, rng: random.Random
) -> Iterator[tuple[int, int, int, float, float, float, float]]:
    """Rows: source, target, kind, contradiction, neutral, entailment, weight."""
    known = len(truth) - len(numbers)
    pairs = [(one, other) for one in numbers for other in numbers if one != other]
    if known:
        pairs += [(rng.choice(numbers), rng.randint(1, known)) for _ in range(shape.across)]
    for one, other in pairs:
        both = truth[one] and truth[other]
        agrees = rng.random() < shape.right
        entails = (both == agrees) if truth[one] else rng.random() < 0.5
        kind = ENTAILMENT if entails else CONTRADICTION
        if rng.random() >= shape.related:
            yield one, other, kind, 0.02, 0.96, 0.02, 0.0
            continue
        at_root = numbers[0] in (one, other)
        share = 0.5 / 3 if other not in numbers else (0.25 if at_root else 1.26) / (TOPIC - 1)
        weight = share * rng.uniform(0.5, 2.9)
        likely = rng.uniform(0.6, 0.95)
        rest = (1.0 - likely) / 2
        yield one, other, kind, *((rest, rest, likely) if entails else (likely, rest, rest)), weight


def seconds_of_questions(memories: list[Memory], count: int, seed: int) -> list[list[float]]:
    """Seconds that each of some questions takes in each memory, asked in turn."""
    rng = random.Random(seed)  # noqa: S311 - no secret

    def reply(prompt: Prompt, index: int) -> str:
        return f" the {prompt.query.split('topic')[-1].split()[0]} reason {index} is w1."

    lm = ScriptedLanguageModel(reply, lambda _, option: 0.6 if "true" in option.lower() else 0.4)
    verifier = ScriptedVerifier(lambda one, other: "entailment" if len(one) % 3 == 0 else "neutral")
    config = ElicitConfig(priors=False)
    pipelines = [Maieutic(lm, verifier, elicit=config, memory=memory) for memory in memories]
    found: list[list[float]] = [[] for _ in memories]
    for number in range(count + 1):
        words = " ".join(f"w{int(COMMON_WORDS * rng.random() ** 3)}" for _ in range(2))
        text = f"The topic{rng.randrange(SMALL // TOPIC)} thing {number} is {words}."
        for pipeline, seconds in zip(pipelines, found, strict=True):
            start = time.perf_counter()
            pipeline.ask(text)
            if number:  # the first one loads libraries
                seconds.append(time.perf_counter() - start)
    return found


def _settled(memory: Memory, limit: float) -> None:
    file = MemoryFile(memory.path)
    with file.reading() as db:
        problem, _ = memory_problem(db)
    file.close()
    _print(f"the problem: {problem.variables:,} variables, {len(problem.soft):,} soft clauses")
    start = time.perf_counter()
    settled = memory.settle()
    seconds = time.perf_counter() - start
    proof = "proven optimal" if settled.optimal else "not proven optimal"
    _print(f"settled in {seconds:.1f} s: cost {settled.cost:.4f} nats, {proof}; {settled.persistent:,} fixed")
    process = multiprocessing.get_context("spawn").Process(target=_plain, args=(problem,))
    start = time.perf_counter()
    process.start()
    process.join(limit)
    if process.is_alive():
        process.terminate()
        process.join()
        _print(f"plain RC2 had no solution after {limit:.0f} s")
    else:
        _print(f"plain RC2 took {time.perf_counter() - start:.1f} s (exit code {process.exitcode})")


def _plain(problem: WeightedCNF) -> None:
    solution = solve(load_solver("rc2"), problem)
    _print(f"plain RC2: cost {solution.cost:.4f} nats")


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> None:
    """Print what the module's docstring names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--propositions", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--limit", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    memories = []
    for count in (SMALL, args.propositions):
        path = args.out / f"{count}.memory"
        memory = Memory(path)
        if not path.exists():
            start = time.perf_counter()
            file = MemoryFile(path)
            add_topics(file, count, Shape(), args.seed)
            file.close()
            _print(f"made a memory of {count:,} propositions in {time.perf_counter() - start:.0f} s")
        contents = memory.contents()
        _print(f"{contents.propositions:,} propositions, {contents.relations:,} relations")
        memories.append(memory)
    small, large = (median(each) for each in seconds_of_questions(memories, args.questions, args.seed))
    _print(f"adding a question, median: {1e3 * small:.0f} ms in the small, {1e3 * large:.0f} ms in the large")
    _print(f"ratio {large / small:.2f}")
    _settled(memories[1], args.limit)


if __name__ == "__main__":
    run_app(main)
