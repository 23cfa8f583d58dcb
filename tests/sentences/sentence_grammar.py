"""A small grammar of English sentences: statements, and the yes/no questions that ask about them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

SINGULAR = (
    "a whale",
    "the old dog",
    "Caesar",
    "snow",
    "my neighbour",
    "the capital of France",
    "New York",
    "she",
)
PLURAL = (
    "penguins",
    "the trees",
    "people in Rome",
    "cats and dogs",
    "they",
    "some birds",
    "all planets",
    "we",
)
MODALS = ("can", "will", "should", "could", "might", "would")
VERBS = (  # base, third person, past
    ("eat", "eats", "ate"),
    ("see", "sees", "saw"),
    ("carry", "carries", "carried"),
    ("watch", "watches", "watched"),
    ("find", "finds", "found"),
    ("contain", "contains", "contained"),
    ("know", "knows", "knew"),
    ("stop", "stops", "stopped"),
)
OBJECTS = (
    "bread",
    "the moon",
    "a small fish",
    "three wings",
    "the leaves of the tree",
    "Tom",
    "it",
    "old books",
)
COMPLEMENTS = (
    "cold",
    "a fish",
    "larger than a car",
    "part of Europe",
    "on the table",
    "made of stone",
    "able to fly",
)
ADVERBS = ("", "always ", "often ", "usually ", "slowly ")
OPENINGS = ("", "In winter, ", "If it rains, ", "When people sleep, ")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A statement, its question, and whether a quantifier begins its subject."""

    statement: str
    question: str
    quantified: bool


def upper(text: str) -> str:
    return text[0].upper() + text[1:]


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """Sentences with one clause behind an opening: *be*, a modal, or a verb in the present or the past."""
    plural = draw(st.booleans())
    subject = draw(st.sampled_from(PLURAL if plural else SINGULAR))
    adverb, opening = draw(st.sampled_from(ADVERBS)), draw(st.sampled_from(OPENINGS))
    kind = draw(st.sampled_from(("be", "modal", "present", "past", "perfect")))
    if kind == "be":
        auxiliary = draw(st.sampled_from(("are", "were") if plural else ("is", "was")))
        rest = adverb.replace("slowly ", "") + draw(st.sampled_from(COMPLEMENTS))
        verb = f"{auxiliary} {rest}"
    else:
        base, third, past = draw(st.sampled_from(VERBS))
        object_ = draw(st.sampled_from(OBJECTS))
        participle = "seen" if past == "saw" else {"ate": "eaten", "knew": "known"}.get(past, past)
        if kind == "modal":
            auxiliary = draw(st.sampled_from(MODALS))
            rest = f"{adverb}{base} {object_}"
            verb = f"{auxiliary} {rest}"
        elif kind == "perfect":
            auxiliary = "have" if plural else "has"
            rest = f"{adverb}{participle} {object_}"
            verb = f"{auxiliary} {rest}"
        else:
            finite = past if kind == "past" else (base if plural else third)
            auxiliary = "did" if kind == "past" else ("do" if plural else "does")
            rest = f"{adverb}{base} {object_}"
            verb = f"{adverb}{finite} {object_}"
    statement = upper(f"{opening}{subject} {verb}.")
    question = upper(f"{opening}{auxiliary} {subject} {rest}?")
    return Sentence(statement, question, subject.startswith(("some", "all")))
