"""Which propositions of a memory may have to do with a text: BM25 over an inverted index, in bounded work.

As in :mod:`maieutic.problem.retrieval`, texts are compared by their content words. Candidates have one of the
rarest words of the text; a word in more than :data:`COMMON` propositions says too little to look all of
them up, so only its latest :data:`COMMON` count as candidates. The score of a candidate is exact.

Reference: S. Robertson, H. Zaragoza. "The Probabilistic Relevance Framework: BM25 and Beyond". Foundations
and Trends in Information Retrieval 3, 2009, pp. 333–389.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping

from maieutic.files.sqlite import Damaged
from maieutic.memory.database import number
from maieutic.sentences.content import content_words

__all__ = ["COMMON", "add_words", "index_fact", "relevant", "unindex_fact"]

K1, B = 1.5, 0.75  # as in bm25s, which the problems of several claims use
COMMON = 128  # postings of a word that are read
MOST_CANDIDATES = 256  # propositions that are scored for one text


def add_words(db: sqlite3.Connection, proposition: int, words: Mapping[str, int]) -> None:
    """Enter a new proposition into the index.

    Args:
        words: content words with their numbers.
    """
    db.executemany(
        "INSERT INTO terms (term, count) VALUES (?, 1) ON CONFLICT (term) DO UPDATE SET count = count + 1",
        ((word,) for word in words),
    )
    db.executemany(
        "INSERT INTO postings (term, proposition, count) SELECT id, ?, ? FROM terms WHERE term = ?",
        ((proposition, count, word) for word, count in words.items()),
    )
    db.execute("UPDATE totals SET propositions = propositions + 1, words = words + ?", (sum(words.values()),))


def index_fact(db: sqlite3.Connection, proposition: int, words: Iterable[str]) -> None:
    """Enter a fact into the index of facts."""
    db.executemany(
        "INSERT OR IGNORE INTO fact_postings (term, proposition) SELECT id, ? FROM terms WHERE term = ?",
        ((proposition, word) for word in words),
    )


def unindex_fact(db: sqlite3.Connection, proposition: int, words: Iterable[str]) -> None:
    """Take a fact out of the index of facts."""
    db.executemany(
        "DELETE FROM fact_postings WHERE proposition = ? AND term = (SELECT id FROM terms WHERE term = ?)",
        ((proposition, word) for word in words),
    )


def relevant(db: sqlite3.Connection, text: str, most: int, *, facts: bool = False) -> list[tuple[int, float]]:
    """The propositions that share a content word with a text, the best first.

    Args:
        facts: look among the facts only.

    Returns:
        Pairs of a proposition's number and its BM25 score, > 0; on a tie the latest first.
    """
    terms = _terms(db, text)
    candidates = _candidates(db, terms, facts=facts)
    if not candidates:
        return []
    total, words = db.execute("SELECT propositions, words FROM totals").fetchone()
    mean = max(1.0, words / max(1, total))
    scores: dict[int, float] = {}
    for proposition in candidates:
        length = number(db.execute("SELECT words FROM propositions WHERE id = ?", (proposition,)).fetchone())
        norm = K1 * (1.0 - B + B * length / mean)
        score = 0.0
        for term, count in terms:
            row = db.execute(
                "SELECT count FROM postings WHERE term = ? AND proposition = ?", (term, proposition)
            ).fetchone()
            if row is not None:
                idf = math.log(1.0 + (total - count + 0.5) / (count + 0.5))
                score += idf * row[0] / (row[0] + norm)
        scores[proposition] = score
    best = sorted(scores.items(), key=lambda item: (-item[1], -item[0]))
    return [(proposition, score) for proposition, score in best[:most] if score > 0.0]


def _terms(db: sqlite3.Connection, text: str) -> list[tuple[int, int]]:
    """(number, count of propositions) of the known content words of a text, the rarest first."""
    found = []
    for word in content_words(text):
        row = db.execute("SELECT id, count FROM terms WHERE term = ?", (word,)).fetchone()
        if row is not None:
            if not isinstance(row[0], int) or not isinstance(row[1], int) or row[1] < 0:
                raise Damaged("a word has no valid count")
            found.append((row[1], row[0]))
    return [(term, count) for count, term in sorted(found)]


def _candidates(db: sqlite3.Connection, terms: list[tuple[int, int]], *, facts: bool) -> list[int]:
    table = "fact_postings" if facts else "postings"
    query = f"SELECT proposition FROM {table} WHERE term = ? ORDER BY proposition DESC LIMIT ?"  # noqa: S608
    found: dict[int, None] = {}
    for term, _ in terms:
        found |= dict.fromkeys(row[0] for row in db.execute(query, (term, COMMON)))
        if len(found) >= MOST_CANDIDATES:
            break
    return list(found)[:MOST_CANDIDATES]
