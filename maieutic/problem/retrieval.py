"""Which texts may have to do with each other: BM25 over the content words, so that few pairs are scored.

Reference: S. Robertson, H. Zaragoza. "The Probabilistic Relevance Framework: BM25 and Beyond". Foundations
and Trends in Information Retrieval 3, 2009, pp. 333–389. The library is bm25s.
"""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.sentences.content import content_words

__all__ = ["related_texts"]


def related_texts(
    texts: Sequence[str], queries: Sequence[str], most: int
) -> list[tuple[list[tuple[int, float]], int]]:
    """For each query the texts that share a content word with it, the best first.

    Args:
        most: for one query.

    Returns:
        For each query pairs of a place in ``texts`` and its BM25 score, > 0; and how many texts have one.

    >>> texts = ["A whale is a mammal.", "Ice is cold.", "Whales swim."]
    >>> [place for place, _ in related_texts(texts, ["Is a whale a fish?"], 5)[0][0]]
    [0, 2]
    """
    words = [list(content_words(text).elements()) for text in texts]
    if not any(words):
        return [([], 0) for _ in queries]
    import bm25s  # noqa: PLC0415 - where it is used only
    import numpy as np  # noqa: PLC0415

    index = bm25s.BM25()
    index.index(words, show_progress=False)
    found = []
    for query in queries:
        asked = [word for word in content_words(query) if word in index.vocab_dict]
        scores = index.get_scores(asked) if asked else np.zeros(len(texts))
        order = np.argsort(-scores, kind="stable")[:most]
        best = [(int(place), float(scores[place])) for place in order if scores[place] > 0.0]
        found.append((best, int((scores > 0.0).sum())))
    return found
