"""Parts of a memory against their definitions: retrieval, neighbourhoods, settling."""

from __future__ import annotations

import itertools
import math
import random
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.memory.base import Memory
from maieutic.memory.choices import add_choice, every_choice
from maieutic.memory.database import CONTRADICTION, ENTAILMENT, MemoryFile
from maieutic.memory.neighbourhood import Limits, neighbourhood_of
from maieutic.memory.retrieval import K1, B, relevant
from maieutic.memory.rows import entered, propositions_of, truths
from maieutic.memory.settling import memory_problem
from maieutic.memory.solving import resolved
from maieutic.sentences.content import content_words
from maieutic.solvers import SoftClause, WeightedCNF, load_solver

NOUNS = ("stone", "river", "penguin", "spoon", "cloud", "whale")
WORDS = (*NOUNS, "heavy", "cold", "blue", "fast")


def filled(path: Path, seed: int, count: int, choices: int = 0) -> MemoryFile:
    """A memory of random beliefs, labels, facts and relations, and of choices that these labels satisfy."""
    rng = random.Random(seed)
    file = MemoryFile(path)
    with file.writing() as db:
        numbers = [
            entered(db, f"The {rng.choice(NOUNS)} number {n} is {rng.choice(WORDS)}.", "", question=1, time=0)
            for n in range(count)
        ]
        for number in numbers:
            fact = rng.random() < 0.15
            label = rng.random() < 0.5
            db.execute(
                "UPDATE propositions SET odds = ?, p_true = 0.5, label = ?, fact = ? WHERE id = ?",
                (rng.uniform(-2, 2), label, label if fact else None, number),
            )
        for _ in range(2 * count):
            source, other, target = rng.sample(numbers, 3)
            ends = [one * rng.choice((1, -1)) for one in (source, other, target)]
            db.execute(
                "INSERT OR IGNORE INTO relations (source, other, target, tree, kind, weight) "
                "VALUES (?, ?, ?, 0, ?, ?)",
                (
                    ends[0],
                    ends[1] if rng.random() < 0.2 else 0,
                    ends[2],
                    rng.choice((ENTAILMENT, CONTRADICTION)),
                    rng.uniform(0.1, 2),
                ),
            )
        labels = truths(propositions_of(db, numbers))
        for choice in range(choices):
            chosen, *rest = rng.sample(numbers, rng.randint(2, 8))
            signed = [chosen if labels[chosen] else -chosen, *(-one if labels[one] else one for one in rest)]
            add_choice(db, f"Choice {choice}?", signed, 0)
    return file


def holding(db: sqlite3.Connection) -> bool:
    """Whether exactly one option of every choice holds under the labels, and every fact has its own."""
    known = propositions_of(db, [row[0] for row in db.execute("SELECT id FROM propositions")])
    facts = all(one.label == one.fact for one in known.values() if one.fact is not None)
    return facts and all(
        sum(known[abs(one)].label == (one > 0) for one in choice.options) == 1 for choice in every_choice(db)
    )


def cost_of(db: sqlite3.Connection) -> float:
    """What the labels of a whole memory cost."""
    problem, everything = memory_problem(db)
    more = [False] * (problem.variables - len(everything))  # of choices, which cost nothing
    return problem.cost([*(bool(one.label) for one in everything), *more])


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_retrieval_is_bm25_over_content_words(seed: int) -> None:
    rng = random.Random(seed)

    with tempfile.TemporaryDirectory() as folder:
        file = MemoryFile(Path(folder, "m"))
        texts = {f"The {' '.join(rng.choices(WORDS, k=rng.randint(1, 5)))} number {n}." for n in range(40)}
        query = f"Is the {' '.join(rng.choices(WORDS, k=3))} old?"
        with file.writing() as connection:
            numbers = {entered(connection, text, "x", question=1, time=0): text for text in sorted(texts)}
        with file.reading() as connection:
            found = dict(relevant(connection, query, len(texts)))
        file.close()
    words = {number: content_words(text) for number, text in numbers.items()}
    mean = sum(sum(each.values()) for each in words.values()) / len(words)
    frequency = Counter(word for each in words.values() for word in each)
    expected = {}
    for number, each in words.items():
        score = 0.0
        for word in set(content_words(query)):
            if each[word]:
                idf = math.log(1 + (len(words) - frequency[word] + 0.5) / (frequency[word] + 0.5))
                norm = K1 * (1 - B + B * sum(each.values()) / mean)
                score += idf * each[word] / (each[word] + norm)
        if score > 0:
            expected[number] = score
    assert found == pytest.approx(expected)
    assert list(found.values()) == sorted(found.values(), reverse=True)


@pytest.mark.parametrize("choices", [0, 4])
@pytest.mark.parametrize("seed", range(8))
def test_solving_a_neighbourhood_never_raises_the_cost_of_the_whole(
    tmp_path: Path, seed: int, choices: int
) -> None:
    file = filled(tmp_path / "m", seed, 30, choices)
    rng = random.Random(seed)
    with file.writing() as db:
        before = cost_of(db)
        near = neighbourhood_of(db, rng.sample(range(1, 31), 8), (), Limits())
        solution = resolved(near, load_solver("rc2-stratified"))
        for name, number in near.names.items():
            db.execute(
                "UPDATE propositions SET label = ? WHERE id = ? AND fact IS NULL",
                (solution.labels[name], number),
            )
        assert cost_of(db) <= before + 1e-9
        assert holding(db)


@pytest.mark.parametrize("choices", [0, 2])
@pytest.mark.parametrize("seed", range(4))
def test_a_settled_memory_costs_the_least(tmp_path: Path, seed: int, choices: int) -> None:
    file = filled(tmp_path / "m", seed, 11, choices)
    with file.reading() as db:
        problem, everything = memory_problem(db)
        groups = [choice.options for choice in every_choice(db)]
    file.close()
    soft = WeightedCNF(soft=problem.soft, variables=len(everything))
    facts = [(number, one.fact) for number, one in enumerate(everything) if one.fact is not None]
    best = min(
        soft.cost(labels)
        for labels in itertools.product((False, True), repeat=len(everything))
        if all(labels[number] == fact for number, fact in facts)
        and all(sum(labels[abs(one) - 1] == (one > 0) for one in group) == 1 for group in groups)
    )
    settled = Memory(tmp_path / "m").settle()
    assert settled.optimal
    assert settled.cost == pytest.approx(best)
    file = MemoryFile(tmp_path / "m")
    with file.reading() as db:
        assert cost_of(db) == pytest.approx(best)
        assert holding(db)


@settings(max_examples=60)
@given(seed=st.integers(0, 100_000), variables=st.integers(1, 8), count=st.integers(0, 20))
def test_persistency_keeps_a_cheapest_labelling(seed: int, variables: int, count: int) -> None:
    from maieutic.errors import UnsatisfiableError
    from maieutic.solvers.persistency import Persistent, persistent_literals

    rng = random.Random(seed)

    def clause() -> tuple[int, ...]:
        return tuple(rng.choice((-1, 1)) * rng.randint(1, variables) for _ in range(rng.randint(1, 3)))

    soft = tuple(SoftClause(clause(), rng.choice((0.5, 1.0, rng.uniform(0.1, 3)))) for _ in range(count))
    problem = WeightedCNF(tuple(clause() for _ in range(rng.randint(0, 2))), soft, variables)
    reference = load_solver("exhaustive")
    try:
        best = reference.solve(problem)
    except UnsatisfiableError:
        with pytest.raises(UnsatisfiableError):
            Persistent(reference).solve(problem)
        return
    assert Persistent(reference).solve(problem).cost == pytest.approx(best.cost)
    fixed = problem.assuming(*persistent_literals(problem))
    assert reference.solve(fixed).cost == pytest.approx(best.cost)
