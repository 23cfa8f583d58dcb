"""What is around the sentence that a question asks about: tags, frames and earlier sentences."""

from __future__ import annotations

import re

from maieutic.sentences.tokens import upper_first
from maieutic.sentences.vocabulary import is_auxiliary, words

__all__ = ["CLOSING", "last_sentence", "without_frame", "without_tag"]

CLOSING = " ?.!,;:"
"""Punctuation at the end of a question."""

_PRONOUN = "(?:it|he|she|they|you|we|i|there|that|this|these|those|one)"
_AUXILIARY = (
    "(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must|ca|wo)"
)
_VERDICT = "(?:true or false|true|false|correct|right|a fact|the case)"
_ASKED_VERDICT = r"(?:true or false|false or true|yes or no|right or wrong|yes/no|true/false|t or f|t/f)"
_THIS_TRUE = r"is (?:this|that|it) (?:true|right|correct|so)"

_TAGS = (
    rf",\s*{_AUXILIARY}(?:n['’]?t)?\s+{_PRONOUN}(?:\s+not)?",  # "…, isn't it", "…, can he"
    rf"\s{_AUXILIARY}n['’]t\s+{_PRONOUN}",  # "… isn't it"
    rf",\s*(?:right|correct|true|yes|no|or not|huh|eh|ok|okay|agreed?|am i right|{_THIS_TRUE})",
    r",\s*(?:don['’]t you think|wouldn['’]t you say)",
    rf"[\s.,;:?!–—-]+\(?(?:{_ASKED_VERDICT}|{_THIS_TRUE})\)?",
)
_TAG = re.compile(rf"\s*(?:{'|'.join(_TAGS)})\s*$", re.IGNORECASE)
_LEAD = re.compile(rf"^(?:{_ASKED_VERDICT}|question|q)\s*[:,.–—-]+\s*(?=\w)", re.IGNORECASE)
_ASKED_FRAME = re.compile(
    rf"^(?:is (?:it|is)|isn?['’]?n?t it)(?: not)? {_VERDICT}(?: that|,)?\s+(?=\w)", re.IGNORECASE
)
_FRAME = re.compile(
    rf"\b(?:is it|it is|it['’]s|isn['’]t it|it isn['’]t)(?: not)? {_VERDICT}(?: that)?\s", re.IGNORECASE
)


def without_tag(text: str) -> str:
    """The text without what only marks it as a question: *isn't it*, *right?*, *is it true that*.

    >>> without_tag("Ice is cold, isn't it?"), without_tag("Is it true that ice is cold?")
    ('Ice is cold', 'ice is cold')
    """
    bare = " ".join(text.split()).rstrip(CLOSING)
    for pattern in (_LEAD, _ASKED_FRAME):
        bare = pattern.sub("", bare, count=1)
    tag = _TAG.search(bare)
    if tag and any(map(str.isalnum, bare[: tag.start()])):
        return bare[: tag.start()].rstrip(CLOSING)
    return bare


def without_frame(text: str) -> str:
    """The text without *it is true that* and its like, wherever they stand.

    >>> without_frame("It is not the case that ice burns.")
    'ice burns.'
    """
    return " ".join(_FRAME.sub(" ", f"{text} ").split())


def last_sentence(text: str) -> tuple[str, str]:
    """The text before the last sentence, with a space behind it, and the last sentence.

    >>> last_sentence("Tom has a dog. Is it old?"), last_sentence("Does Dr. Who travel?")
    (('Tom has a dog. ', 'Is it old?'), ('', 'Does Dr. Who travel?'))
    """
    ends = re.finditer(r"[^\s.?!]{2,}[\"')]?[.?!]+[\"')]?\s+(?=\w)", text)
    for end in reversed(list(ends)):
        last = text[end.end() :]
        before = end.group().strip(" .?!\"')").lower()
        first, *others = last.split()
        auxiliary = is_auxiliary(re.sub(r"n['’]t$", "", first.lower()))
        starts = (first[0].isupper() or auxiliary) and len(others) > 1
        if starts and before not in words("grammar", "abbreviations"):
            return upper_first(text[: end.end()].strip()) + " ", last
    return "", text
