"""What a statement is about, and whether a text says the same of something else."""

from __future__ import annotations

from collections.abc import Iterable

from maieutic.sentences.clauses import finite_verbs, main_start
from maieutic.sentences.content import lemmas, words_with_content
from maieutic.sentences.tags import without_frame, without_tag
from maieutic.sentences.tokens import spell, tokens
from maieutic.sentences.vocabulary import words

__all__ = ["says_it_of_another", "subject_words"]

_REFERRING = words("grammar", "subject_pronouns", "object_pronouns", "possessives", "indefinite") | {
    "the",
    "such",
}


def subject_words(statement: str) -> frozenset[str]:
    """The content words in front of the main verb, as they stand, in lower case; none if no verb is seen.

    >>> sorted(subject_words("Some polar bears cannot fly.")), sorted(subject_words("They can fly."))
    (['bears', 'polar'], [])
    """
    sequence = tokens(without_frame(without_tag(statement)))
    verb = next((verb for verb in finite_verbs(sequence) if verb.index > 0), None)
    if verb is None:
        return frozenset()
    subject = sequence[main_start(sequence, verb) : verb.index]
    empty = words("grammar", "subject_pronouns", "indefinite", "prepositions")
    return frozenset(words_with_content(spell(subject)) if subject else ()) - empty


def says_it_of_another(text: str, statement: str) -> bool:
    """Whether a text says of something else what a statement, or its negation, says of its subject.

    Then it has the content words behind the subject, neither names the subject of the other in any form, and
    no word in it may stand for something named before: a pronoun, *this*, or *the* as in *the bird*.

    >>> says_it_of_another("Queens are people, and people cannot fly.", "Ponies can fly.")
    True
    >>> says_it_of_another("A pony is no bird.", "Ponies can fly.")
    False
    >>> says_it_of_another("It can fly.", "Bats can fly.")
    False
    """
    mine, theirs = subject_words(statement), subject_words(text)
    if not mine or not theirs or not _REFERRING.isdisjoint(token.lower for token in tokens(text)):
        return False
    stated, said = words_with_content(statement), _forms(words_with_content(text))
    if not said.isdisjoint(_forms(mine)) or not _forms(theirs).isdisjoint(_forms(stated)):
        return False
    return all(not said.isdisjoint(lemmas(word)) for word in stated if word not in mine)


def _forms(found: Iterable[str]) -> set[str]:
    return {form for word in found for form in lemmas(word)}
