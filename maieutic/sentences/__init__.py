"""Rules about short English sentences: their negations, the statement in a question, what they are about.

No rule is sure of its English, so the two rewritings (negation, question to statement) have several
candidates, the likeliest first, and every candidate keeps the content words. A language model can choose
among them. Nothing here loads a model or a large library.
"""

from __future__ import annotations

from maieutic.sentences.content import content_words, keeps_words
from maieutic.sentences.negation import negations
from maieutic.sentences.questions import statements
from maieutic.sentences.subject import says_it_of_another
from maieutic.sentences.yes_no import check_yes_no, is_yes_no

__all__ = [
    "check_yes_no",
    "content_words",
    "is_yes_no",
    "keeps_words",
    "negations",
    "says_it_of_another",
    "statements",
]
