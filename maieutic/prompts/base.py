"""What a prompt set is: eight kinds of prompt, each a form that the caller's text is put into.

A statement reaches a prompt by plain substitution and is never read as a template itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Literal

from maieutic.errors import InputError
from maieutic.lm.base import Prompt, Shot

__all__ = [
    "FIELDS",
    "KNOWLEDGE",
    "Fields",
    "Form",
    "PromptSet",
    "Template",
    "answer_fields",
    "statement_fields",
]

KNOWLEDGE = "knowledge"  # the one kind that a set may lack


@dataclass(frozen=True, slots=True)
class Template:
    """Text with named fields in braces; ``{{`` and ``}}`` stand for single braces.

    Only the bare names it was compiled for are fields: no attributes, indices, conversions or
    format specifications, so a stranger's prompt file reaches nothing but the texts meant for it.

    >>> Template.compile("Q: {asked}", {"asked"}).fill({"asked": "Is {this} safe?"})
    'Q: Is {this} safe?'
    """

    parts: tuple[tuple[str, str], ...]  # (literal text, field that follows it or "")

    @classmethod
    def compile(cls, text: str, known: set[str]) -> Template:
        """Raises ValueError, saying what to do, when ``text`` has stray braces or other fields."""
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as error:
            raise ValueError(f"{error}; write {{{{ and }}}} for plain braces") from None
        for _, name, specification, conversion in parsed:
            if name is not None and (name not in known or specification or conversion):
                wanted = ", ".join(f"{{{choice}}}" for choice in sorted(known))
                raise ValueError(f"field {{{name}…}} is not allowed; plain {wanted} may stand here")
        return cls(tuple((literal, name or "") for literal, name, _, _ in parsed))

    @property
    def fields(self) -> set[str]:
        return {name for _, name in self.parts if name}

    def fill(self, words: Mapping[str, str]) -> str:
        return "".join(literal + (words[name] if name else "") for literal, name in self.parts)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one kind of prompt.

    Attributes:
        inputs: what the caller gives. Query and opening may use these only, and must use at least
            one of every group.
        outputs: what the model is to add; the reply of every shot uses at least one.
    """

    inputs: tuple[frozenset[str], ...]
    outputs: frozenset[str]


_STATEMENT = frozenset({"statement", "asked"})
_REASON = frozenset({"explanation", "because"})
_ANSWER = frozenset({"answer", "Answer"})

FIELDS: Mapping[str, Fields] = {
    "declare": Fields((frozenset({"question"}),), frozenset({"statement"})),
    "negate": Fields((_STATEMENT,), frozenset({"negation"})),
    "explain": Fields((_STATEMENT, _ANSWER), _REASON),
    "belief": Fields((_STATEMENT,), _REASON),
    "verdict": Fields((_STATEMENT, frozenset({"explanation"})), _ANSWER),
    "direct": Fields((_STATEMENT,), _ANSWER),
    "entailment": Fields((frozenset({"premise"}), frozenset({"hypothesis"})), frozenset({"relation"})),
    KNOWLEDGE: Fields((_STATEMENT,), frozenset({"knowledge"})),
}


def statement_fields(statement: str) -> dict[str, str]:
    """The two ways to write a statement: as it is, and asked with its full stop turned round.

    >>> statement_fields("Ice is cold.")
    {'statement': 'Ice is cold.', 'asked': 'Ice is cold?'}
    """
    stem = statement.rstrip()
    asked = stem if stem.endswith("?") else stem.removesuffix(".") + "?"
    return {"statement": statement, "asked": asked}


def answer_fields(option: str) -> dict[str, str]:
    """The two ways to write an answer, inside a sentence and at its start."""
    word = option.strip()
    return {"answer": word, "Answer": word[:1].upper() + word[1:]}


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of prompt, its examples already rendered."""

    instruction: str
    shots: tuple[Shot, ...]
    query: Template
    opening: Template


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Builds every prompt the method needs; load one with :func:`maieutic.prompts.load_prompts`.

    What the caller gives must be one line: a newline ends a reply, and could pass for an example.

    Attributes:
        name: what records and results call the set.
        format: "text" for models that continue plain text, "chat" for models with a chat template.
        marker: where a sampled ``belief`` reply is cut: what precedes it is the explanation, and a
            reply without it leaves the belief unknown. Empty in the chat format, where the whole
            reply is the explanation.
        answers: options of ``verdict`` and ``direct``: true, false.
        relation_options: options of ``entailment``: contradiction, neutral, entailment.
        forms: the kinds of prompt, by the name of the method; ``knowledge`` may be missing.
    """

    name: str
    format: Literal["text", "chat"]
    marker: str
    answers: tuple[str, str]
    relation_options: tuple[str, str, str]
    forms: Mapping[str, Form] = field(repr=False)

    def declare(self, question: str) -> Prompt:
        """A yes/no question → the statement that "yes" would assert."""
        return self._prompt("declare", {"question": question})

    def negate(self, statement: str) -> Prompt:
        """A statement → the sentence that is true exactly when it is false."""
        return self._prompt("negate", statement_fields(statement))

    def explain(self, statement: str, side: bool) -> Prompt:
        """Abduction: why the statement would be true (``side``) or false, in one sentence."""
        answer = answer_fields(self.answers[0] if side else self.answers[1])
        return self._prompt("explain", statement_fields(statement) | answer)

    def belief(self, statement: str) -> Prompt:
        """An explanation first, taking no side; cut the reply at :attr:`marker`."""
        return self._prompt("belief", statement_fields(statement))

    def verdict(self, statement: str, explanation: str) -> Prompt:
        """True or false after that explanation; the options are :attr:`answers`."""
        return self._prompt("verdict", statement_fields(statement) | {"explanation": explanation})

    def direct(self, statement: str) -> Prompt:
        """True or false at once; the options are :attr:`answers`."""
        return self._prompt("direct", statement_fields(statement))

    def entailment(self, premise: str, hypothesis: str) -> Prompt:
        """How the hypothesis stands if the premise holds; options :attr:`relation_options`."""
        return self._prompt("entailment", {"premise": premise, "hypothesis": hypothesis})

    def knowledge(self, statement: str) -> Prompt:
        """Something that is known and bears on the statement (Liu et al. 2022).

        A set without the form asks for :meth:`belief`; cut the reply at :attr:`marker` in any case.
        """
        return self._prompt(KNOWLEDGE if KNOWLEDGE in self.forms else "belief", statement_fields(statement))

    def _prompt(self, kind: str, words: Mapping[str, str]) -> Prompt:
        for name, text in words.items():
            if "\n" in text:
                raise InputError(f"{name} {text[:60]!r} has a line break: join its lines with spaces")
        form = self.forms[kind]
        opening = form.opening.fill(words)
        return Prompt(self.format, form.instruction, form.shots, form.query.fill(words), opening)
