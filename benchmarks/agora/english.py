"""The English of the world: verb phrases, their negations and questions."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VerbPhrase", "sentence"]


def sentence(text: str) -> str:
    """The text with an upper-case first letter and a full stop.

    >>> sentence("ice is cold")
    'Ice is cold.'
    """
    return f"{text[:1].upper()}{text[1:]}."


@dataclass(frozen=True, slots=True)
class VerbPhrase:
    """A verb phrase in the third person, which begins with the verb: is/are, can, has/have or any other.

    Attributes:
        one: the singular, "floats in water".
        many: the plural, "float in water".
    """

    one: str
    many: str

    def with_object(self, text: str) -> VerbPhrase:
        """The phrase with an object appended.

        >>> VerbPhrase("is made of", "are made of").with_object("steel").one
        'is made of steel'
        """
        return VerbPhrase(f"{self.one} {text}", f"{self.many} {text}")

    def phrase(self, affirmed: bool, *, many: bool = False) -> str:
        """The phrase, or its negation, in the singular or the plural.

        >>> VerbPhrase("floats in water", "float in water").phrase(False)
        'does not float in water'
        >>> VerbPhrase("can fly", "can fly").phrase(False, many=True)
        'cannot fly'
        """
        text = self.many if many else self.one
        if affirmed:
            return text
        verb, _, rest = text.partition(" ")
        if verb in ("is", "are"):
            return f"{verb} not {rest}"
        if verb == "can":
            return f"cannot {rest}"
        return f"{'do' if many else 'does'} not {self.many}"

    def question(self, subject: str, *, many: bool = False) -> str:
        """The yes/no question whether the phrase is true of a subject.

        >>> VerbPhrase("floats in water", "float in water").question("a cork")
        'Does a cork float in water?'
        >>> VerbPhrase("is soft", "are soft").question("pillows", many=True)
        'Are pillows soft?'
        """
        text = self.many if many else self.one
        verb, _, rest = text.partition(" ")
        if verb in ("is", "are", "can"):
            return f"{verb.capitalize()} {subject} {rest}?"
        return f"{'Do' if many else 'Does'} {subject} {self.many}?"
