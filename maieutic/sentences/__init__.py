"""Candidates by rule for two rewritings of short English sentences: negation, and question to statement.

No rule is sure of its English, so each rewriting has several candidates, the likeliest first, and every
candidate keeps the content words. A language model can choose among them. Nothing here loads a model or a
large library.
"""

from __future__ import annotations

from maieutic.sentences.content import content_words, keeps_words
from maieutic.sentences.negation import negations
from maieutic.sentences.questions import statements
from maieutic.sentences.yes_no import check_yes_no, is_yes_no

__all__ = ["check_yes_no", "content_words", "is_yes_no", "keeps_words", "negations", "statements"]
