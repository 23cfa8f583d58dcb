"""Prompt sets: eight kinds of prompt, each built by filling the caller's text into a template.

The caller's text is substituted as it is and never interpreted as a template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import Formatter
from typing import Literal

from maieutic.errors import InputError
from maieutic.lm.base import Prompt, Shot

__all__ = [
    "FIELDS",
    "KNOWLEDGE",
    "Fields",
    "PromptForm",
    "PromptSet",
    "Template",
    "answer_fields",
    "statement_fields",
]

KNOWLEDGE = "knowledge"  # the only optional kind
ABOUT_STATEMENTS = frozenset({"explain", "belief", "verdict", "direct", KNOWLEDGE})  # facts are shown in
KNOWN = "It is known for certain: {facts}"


@dataclass(frozen=True, slots=True)
class Template:
    """Text with named fields in braces; ``{{`` and ``}}`` are literal braces.

    Fields are plain names from a fixed set, without attributes, indices, conversions or format
    specifications, so that a third-party prompt file cannot access anything else.

    >>> Template.compile("Q: {asked}", {"asked"}).fill({"asked": "Is {this} safe?"})
    'Q: Is {this} safe?'
    """

    parts: tuple[tuple[str, str], ...]  # (literal text, field after it or "")

    @classmethod
    def compile(cls, text: str, known: set[str]) -> Template:
        """Parse a template.

        Raises:
            ValueError: ``text`` has unmatched braces or fields that are not in ``known``.
        """
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as error:
            raise ValueError(f"{error}; write {{{{ and }}}} for literal braces") from None
        for _, name, specification, conversion in parsed:
            if name is not None and (name not in known or specification or conversion):
                allowed = ", ".join(f"{{{choice}}}" for choice in sorted(known))
                raise ValueError(f"field {{{name}…}} is not allowed; use {allowed}")
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
        inputs: groups of equivalent fields with the caller's text. Query and opening may use only these,
            and together use at least one of each group.
        outputs: fields that the model generates; the reply uses at least one.
    """

    inputs: tuple[frozenset[str], ...]
    outputs: frozenset[str]


_STATEMENT = frozenset({"statement", "asked", "clause"})
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
    """The fields of a statement: itself, asked with a question mark, and that with a small first letter.

    >>> statement_fields("Ice is cold.")
    {'statement': 'Ice is cold.', 'asked': 'Ice is cold?', 'clause': 'ice is cold?'}
    """
    stem = statement.rstrip()
    asked = stem if stem.endswith("?") else stem.removesuffix(".") + "?"
    return {"statement": statement, "asked": asked, "clause": small_letter(asked)}


def small_letter(text: str) -> str:
    """The text with a small first letter, unless capitals follow it.

    >>> small_letter("Ice is cold."), small_letter("DNA is a molecule.")
    ('ice is cold.', 'DNA is a molecule.')
    """
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def answer_fields(option: str) -> dict[str, str]:
    """The fields of an answer: the option, stripped, and the same with an upper-case first letter."""
    word = option.strip()
    return {"answer": word, "Answer": word[:1].upper() + word[1:]}


@dataclass(frozen=True, slots=True)
class PromptForm:
    """One kind of prompt, with its examples rendered."""

    instruction: str
    shots: tuple[Shot, ...]
    query: Template
    opening: Template


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Builds the prompts of the method; load one with :func:`maieutic.prompts.load_prompts`.

    The caller's text must be one line: a line break ends a reply and could imitate an example.

    Attributes:
        name: the name in records and results.
        format: "text" for models that continue plain text, "chat" for models with a chat template.
        marker: ends the explanation in a sampled ``belief`` reply; a reply without it leaves the belief
            unknown. Empty in the chat format, where the whole reply is the explanation.
        answers: options of ``verdict`` and ``direct``, in the order true, false.
        relation_options: options of ``entailment``: contradiction, neutral, entailment.
        forms: kind of prompt → form; ``knowledge`` may be missing.
        shows_facts: whether prompts have a place for facts. Those that a model was trained on have none.
        facts: what is certain, shown in the instruction of prompts about a statement.

    Raises:
        InputError: from all methods, if a text has a line break. ``subject`` is its field.
    """

    name: str
    format: Literal["text", "chat"]
    marker: str
    answers: tuple[str, str]
    relation_options: tuple[str, str, str]
    forms: Mapping[str, PromptForm] = field(repr=False)
    shows_facts: bool = True
    facts: tuple[str, ...] = ()

    def knowing(self, facts: Sequence[str]) -> PromptSet:
        """The same prompts with facts in them, as far as they have a place for these."""
        return replace(self, facts=tuple(facts)) if self.shows_facts else self

    def declare(self, question: str) -> Prompt:
        """A yes/no question → the statement that the answer yes asserts."""
        return self._prompt("declare", {"question": question})

    def negate(self, statement: str) -> Prompt:
        """A statement → the sentence that is true exactly when it is false."""
        return self._prompt("negate", statement_fields(statement))

    def explain(self, statement: str, side: bool) -> Prompt:
        """Abduction: a one-sentence reason why the statement is true (``side``) or false."""
        answer = answer_fields(self.answers[0] if side else self.answers[1])
        return self._prompt("explain", statement_fields(statement) | answer)

    def belief(self, statement: str) -> Prompt:
        """An explanation that presupposes neither answer; cut the reply at :attr:`marker`."""
        return self._prompt("belief", statement_fields(statement))

    def verdict(self, statement: str, explanation: str) -> Prompt:
        """True or false, given the explanation; the options are :attr:`answers`."""
        return self._prompt("verdict", statement_fields(statement) | {"explanation": explanation})

    def direct(self, statement: str) -> Prompt:
        """True or false without an explanation; the options are :attr:`answers`."""
        return self._prompt("direct", statement_fields(statement))

    def entailment(self, premise: str, hypothesis: str) -> Prompt:
        """The relation of premise and hypothesis; the options are :attr:`relation_options`."""
        return self._prompt("entailment", {"premise": premise, "hypothesis": hypothesis})

    def knowledge(self, statement: str) -> Prompt:
        """A known fact that is relevant to the statement (Liu et al. 2022).

        A set without this form uses :meth:`belief`. Cut the reply at :attr:`marker` in either case.
        """
        return self._prompt(KNOWLEDGE if KNOWLEDGE in self.forms else "belief", statement_fields(statement))

    def _prompt(self, kind: str, words: Mapping[str, str]) -> Prompt:
        for name, text in words.items():
            if "\n" in text:
                raise InputError(
                    f"{name} {text[:60]!r} has a line break; join the lines with spaces", subject=name
                )
        form = self.forms[kind]
        opening = form.opening.fill(words)
        instruction = form.instruction
        if self.facts and kind in ABOUT_STATEMENTS:
            known = " ".join(" ".join(fact.split()) for fact in self.facts)
            instruction = " ".join(filter(None, (instruction, KNOWN.format(facts=known))))
        return Prompt(self.format, instruction, form.shots, form.query.fill(words), opening)
