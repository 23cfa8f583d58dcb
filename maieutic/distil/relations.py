"""Relations of triples: the statement that each makes, and how a language model is asked for tails.

A relations file is TOML; see ``relations/atomic.toml`` beside this module. A statement is a template with
{head} and, at its end, {tail}: what stands before the tail is what a model continues, so that a statement has
the words of its triple and of its template and no others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from maieutic.errors import FileFormatError, InputError
from maieutic.files.reading import read_toml
from maieutic.lm.base import Prompt, Shot
from maieutic.prompts.base import Template, small_letter
from maieutic.text import as_sentence

__all__ = ["BUILT_IN", "Relation", "Relations", "load_relations"]

BUILT_IN = ("agora", "atomic")
HEAD, TAIL = "head", "tail"
THINGS, EVENTS = "things", "events"
_KEYS = {"id": str, "statement": str, "of": str, "opposite": str, "exclusive": bool, "examples": list}
_PERSON = re.compile(r"\bPerson[XYZ]\b")  # names the people of an event


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation between a head and a tail.

    Attributes:
        template: of its statement, "{head} is made of {tail}."; it ends with the tail and a full stop.
        of: what its heads are: "things", "events" (heads that name PersonX), or "" for both.
        opposite: id of the relation whose statement of the same head and tail is true exactly when this one's
            is false; "" for none.
        exclusive: whether a head has at most one tail of it.
        examples: pairs of head and tail that few-shot prompts show.
    """

    id: str
    template: Template
    of: str = ""
    opposite: str = ""
    exclusive: bool = False
    examples: tuple[tuple[str, str], ...] = ()

    def suits(self, head: str) -> bool:
        """Whether the relation is one of such heads.

        >>> [load_relations("atomic").by_id[name].suits("PersonX bakes a cake") for name in ("xNeed", "IsA")]
        [True, False]
        """
        return not self.of or (self.of == EVENTS) == bool(_PERSON.search(head))

    def statement(self, head: str, tail: str) -> str:
        """The statement of a triple.

        >>> load_relations("atomic").by_id["MadeUpOf"].statement("a spoon", "steel")
        'A spoon is made of steel.'
        """
        return as_sentence(self.template.fill({HEAD: head, TAIL: tail}))

    def beginning(self, head: str) -> str:
        """The statement up to the tail, without a space at its end."""
        return self.template.fill({HEAD: head, TAIL: ""}).removesuffix(".").rstrip()


@dataclass(frozen=True)
class Relations:
    """The relations of a run, in order.

    Attributes:
        lead: what stands before a statement in the training text of the model that is asked, such as "Fact:".
            With it prompts are the beginning of such a text and show no examples.
        instruction: of few-shot prompts.
    """

    name: str
    relations: tuple[Relation, ...]
    lead: str = ""
    instruction: str = ""

    @property
    def by_id(self) -> Mapping[str, Relation]:
        """Id → relation."""
        return {relation.id: relation for relation in self.relations}

    def chosen(self, ids: Sequence[str]) -> Relations:
        """The same with some of the relations; all without ids.

        Raises:
            InputError: there is none of an id; ``subject`` is the id.
        """
        known = self.by_id
        for one in ids:
            if one not in known:
                problem = f"no relation is named {one!r} in {self.name}; it has {', '.join(known)}"
                raise InputError(problem, subject=one)
        chosen = tuple(known[one] for one in dict.fromkeys(ids)) if ids else self.relations
        return Relations(self.name, chosen, self.lead, self.instruction)

    def prompt(self, relation: Relation, head: str, style: Literal["text", "chat"]) -> Prompt:
        """What asks a language model for a tail: it continues the beginning of the statement.

        Args:
            style: "text" for plain text, "chat" for a chat template, where the reply is the whole statement.
        """
        beginning = relation.beginning(head)
        if self.lead:
            return Prompt("text", "", (), "", f"{self.lead} {small_letter(beginning)}")
        shots = tuple(
            Shot(_query(relation, one), relation.statement(one, tail)) for one, tail in relation.examples
        )
        return Prompt(style, self.instruction, shots, _query(relation, head), as_sentence(beginning))

    def tail(self, relation: Relation, head: str, reply: str, *, chat: bool = True) -> str:
        """The tail in a reply, which may repeat the statement's beginning or the last words of it.

        Args:
            chat: whether the reply is an answer; one that continues the beginning may begin with its last
                word for a reason ("a factory can" + "can food").

        >>> relations = load_relations("atomic")
        >>> replies = " steel.", "A pan is made of tin.", "made of tin."
        >>> [relations.tail(relations.by_id["MadeUpOf"], "a pan", reply) for reply in replies]
        ['steel.', 'tin.', 'tin.']
        """
        words, beginning = reply.split(), relation.beginning(head).casefold().split()
        said = [word.casefold() for word in words]
        for count in range(min(len(words), len(beginning)), 0 if chat else 1, -1):
            if said[:count] == beginning[-count:]:
                return " ".join(words[count:])
        return " ".join(words)


def _query(relation: Relation, head: str) -> str:
    return f"{as_sentence(relation.beginning(head))} …"


def load_relations(name_or_path: str | Path) -> Relations:
    """The relations of a file, or the built-in ones of a name (:data:`BUILT_IN`).

    Raises:
        FileFormatError: the file cannot be read, or violates a rule.
    """
    if isinstance(name_or_path, str) and name_or_path in BUILT_IN:
        with resources.as_file(resources.files(__package__) / "relations" / f"{name_or_path}.toml") as path:
            return _parsed(read_toml(path), name_or_path)
    return _parsed(read_toml(Path(name_or_path)), str(name_or_path))


def _parsed(document: Mapping[str, Any], name: str) -> Relations:
    tables = document.get("relations")
    if not isinstance(tables, list) or not tables:
        raise FileFormatError(name, None, "has no relations; add a table [[relations]]")
    if unknown := [key for key in document if key not in ("relations", "lead", "instruction")]:
        raise FileFormatError(name, None, f"unknown key {unknown[0]!r}; remove it")
    texts = {key: document.get(key, "") for key in ("lead", "instruction")}
    if not all(isinstance(text, str) and "\n" not in text for text in texts.values()):
        raise FileFormatError(name, None, "lead and instruction must be texts of one line")
    relations = tuple(_relation(table, number, name, texts["lead"]) for number, table in enumerate(tables, 1))
    ids = [relation.id for relation in relations]
    for relation in relations:
        if ids.count(relation.id) > 1:
            raise FileFormatError(name, None, f"two relations are named {relation.id!r}; rename one")
        if relation.opposite and (relation.opposite not in ids or relation.opposite == relation.id):
            problem = (
                f"the opposite {relation.opposite!r} of {relation.id!r} is no other relation of the file"
            )
            raise FileFormatError(name, None, f"{problem}; name one")
    return Relations(name, relations, **texts)


def _relation(table: object, number: int, name: str, lead: str) -> Relation:
    where = f"[[relations]] entry {number}"
    if not isinstance(table, dict):
        raise FileFormatError(name, None, f"{where} must be a table")
    for key, value in table.items():
        if key not in _KEYS or type(value) is not _KEYS[key]:
            raise FileFormatError(name, None, f"{where}: {key} is unknown or of a wrong type; correct it")
    if not table.get("id") or not table.get("statement"):
        raise FileFormatError(name, None, f"{where} needs an id and a statement; add them")
    if (of := table.get("of", "")) not in ("", THINGS, EVENTS):
        problem = f"{where}: of must be {THINGS} or {EVENTS}, not {of!r}; correct it, or leave it out"
        raise FileFormatError(name, None, problem)
    try:
        template = Template.compile(table["statement"], {HEAD, TAIL})
    except ValueError as error:
        raise FileFormatError(name, None, f"{where}: {error}") from None
    fields = [field for _, field in template.parts if field]
    if fields != [HEAD, TAIL] or not table["statement"].endswith(f" {{{TAIL}}}."):
        problem = f"{where}: the statement must have {{head}} once and end with ' {{tail}}.'"
        raise FileFormatError(name, None, problem)
    examples = table.get("examples", [])
    pairs = [tuple(one) for one in examples if isinstance(one, list) and [*map(type, one)] == [str, str]]
    if len(pairs) < len(examples) or (not lead and len(pairs) < 2):
        raise FileFormatError(name, None, f"{where}: give two or more examples, each a head and a tail")
    return Relation(
        table["id"], template, of, table.get("opposite", ""), table.get("exclusive", False), tuple(pairs)
    )
