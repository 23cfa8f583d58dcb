"""The little English that the world is told in: verb phrases, their negations and questions."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VerbPhrase", "sentence"]


def sentence(text: str) -> str:
    """The text with its first letter raised and a full stop.

    >>> sentence("ice is cold")
    'Ice is cold.'
    """
    return f"{text[:1].upper()}{text[1:]}."


@dataclass(frozen=True, slots=True)
class VerbPhrase:
    """A verb with what follows it, in the third person.

    Attributes:
        one: of one subject, "floats in water"; ``many``: of several, "float in water". The verb is
            the first word: is/are, can, has/have, or any other.
    """

    one: str
    many: str

    def with_object(self, text: str) -> VerbPhrase:
        """The phrase with an object behind it.

        >>> VerbPhrase("is made of", "are made of").with_object("steel").one
        'is made of steel'
        """
        return VerbPhrase(f"{self.one} {text}", f"{self.many} {text}")

    def said(self, truth: bool, *, many: bool = False) -> str:
        """The phrase, or its negation.

        >>> VerbPhrase("floats in water", "float in water").said(False)
        'does not float in water'
        >>> VerbPhrase("can fly", "can fly").said(False, many=True)
        'cannot fly'
        """
        text = self.many if many else self.one
        if truth:
            return text
        verb, _, rest = text.partition(" ")
        if verb in ("is", "are"):
            return f"{verb} not {rest}"
        if verb == "can":
            return f"cannot {rest}"
        return f"{'do' if many else 'does'} not {self.many}"

    def asked(self, subject: str, *, many: bool = False) -> str:
        """The yes/no question whether the phrase holds of a subject.

        >>> VerbPhrase("floats in water", "float in water").asked("a cork")
        'Does a cork float in water?'
        >>> VerbPhrase("is soft", "are soft").asked("pillows", many=True)
        'Are pillows soft?'
        """
        text = self.many if many else self.one
        verb, _, rest = text.partition(" ")
        if verb in ("is", "are", "can"):
            return f"{verb.capitalize()} {subject} {rest}?"
        return f"{'Do' if many else 'Does'} {subject} {self.many}?"
