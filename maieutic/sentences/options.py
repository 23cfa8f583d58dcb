"""Candidate statements of an option of a multiple-choice question, by rule.

A statement says that the option is the answer, in the words of the question and of the option. What was asked
for stands where the question word was, or where a noun phrase may stand behind the verb. No rule is sure of
its English, so there are several candidates, and a language model can choose among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from maieutic.sentences.clauses import finite_verbs
from maieutic.sentences.questions import statements
from maieutic.sentences.tags import CLOSING, last_sentence
from maieutic.sentences.tokens import Token, spell, tokens, upper_first
from maieutic.sentences.verbs import is_base
from maieutic.sentences.vocabulary import is_adverb, is_auxiliary, words

__all__ = ["MAX_OPTION_STATEMENTS", "option_statements"]

MAX_OPTION_STATEMENTS = 4

_BLANK = re.compile(r"_{2,}|\[(?:blank|MASK)\]", re.IGNORECASE)
_ASKS = {"what", "which", "who", "whom", "where", "when", "why", "how", "whose"}
_BEFORE = {"where": ("in", "at", "on"), "when": ("", "in", "at"), "why": ("because",), "how": ("by", "")}
_AT_END = re.compile(r"(?:\b(an?|the) )?\b(?:what|where|who|whom|when|which)$", re.IGNORECASE)
_OF_THINGS = {"what", "which", "who", "whose"}
_EQUATIONS = {"is", "are", "was", "were", "has", "have", "had"}
_ARTICLES = {"a", "an", "the"}
_PRONOUNS = {"i", "you", "he", "she", "it", "we", "they"}
_COPULAS = {"is", "are", "was", "were"}
_DETERMINERS = _ARTICLES | {"this", "that", "these", "those"}
_DETERMINERS |= {"my", "your", "his", "her", "its", "our", "their"}
_KINDS = {"kind", "type", "sort"}
_REASONS = {"because", "since", "as", "to", "so", "due", "for"}  # an option that says why by itself
_MOTIONS = {"go", "goes", "went", "travel", "head", "move", "run", "walk", "fly", "drive", "return"}
_PURPOSE = re.compile(r"(.+?) (to \S+ \S.*)")  # "people use | to cut bread"; not "people need to sleep"
CLEAR_VERB = 1.0  # nats of odds that a word is a finite verb


def option_statements(question: str, option: str) -> tuple[str, ...]:
    """Statements that an option answers a question, at most ``MAX_OPTION_STATEMENTS``, the likeliest first.

    There is always one: the last resort names question and option. Earlier sentences of the question stay.

    >>> option_statements("Where would you find a revolving door?", "a bank")[0]
    'You would find a revolving door in a bank.'
    >>> option_statements("Granite is a type of", "igneous rock.")[0]
    'Granite is a type of igneous rock.'
    >>> option_statements("What is a spoon made of?", "steel")[0]
    'A spoon is made of steel.'
    >>> option_statements("Which planet is the largest?", "Jupiter")[0]
    'Jupiter is the largest.'
    >>> option_statements("The man put the cup in the what?", "cupboard")[0]
    'The man put the cup in the cupboard.'
    """
    option = " ".join(option.split()).strip()
    text = " ".join(question.split())
    bare = option.rstrip(" .") or option
    if _BLANK.search(text):
        return (_sentence(_BLANK.sub(lambda _: bare, text)),)
    context, asked = last_sentence(text)
    if not text.endswith("?") and not asked.endswith("?"):
        return (_sentence(f"{text.rstrip(' :')} {bare}"),)
    last_resort = f'{context}The answer to "{asked.rstrip(CLOSING)}?" is: {bare}.'
    found = dict.fromkeys(context + _sentence(one) for one in _candidates(asked, bare))
    return (*list(found)[: MAX_OPTION_STATEMENTS - 1], last_resort)


def _candidates(asked: str, option: str) -> Iterator[str]:
    """Statements without the context, the likeliest first; none for an option that is a sentence."""
    question = asked.rstrip(CLOSING)
    if at_end := _AT_END.search(question):
        article = at_end.group(1) or ""
        kept = "" if option.split(" ", 1)[0].lower() in _ARTICLES else article
        yield question[: at_end.start()] + f"{kept} {option}"
        return
    sequence = tokens(question)
    place = next((i for i, token in enumerate(sequence) if token.lower in _ASKS), None)
    if place is None or (place and not sequence[place - 1].after) or _is_sentence(option):
        return
    asker, rest = sequence[place].lower, _without_choice(sequence[place + 1 :])
    verb = min((verb.index for verb in finite_verbs(rest)), default=0)
    if not rest[verb:]:
        return
    opening = spell(sequence[:place]).rstrip(CLOSING) + ", " if place else ""
    predicate = _lowered(spell(rest[verb:]))
    if asker in _OF_THINGS and not _is_inverted(rest[verb:]):
        turned = (verb == 0 and asker in ("what", "who")) or rest[0].lower in _KINDS
        if turned and (subject := _named(rest[verb:])):
            yield f"{opening}{subject} {rest[verb].lower} {option}"
        yield f"{opening}{option} {predicate}"
        return
    degree = asker == "how" and verb > 0  # "how old", "how many legs"
    if degree and (subject := _named(rest[verb:])):
        yield f"{opening}{subject} {rest[verb].lower} {option}"
    counted = _lowered(spell(rest[1:verb])) if degree and rest[0].lower in ("many", "much") else ""
    for statement in statements(f"{predicate}?")[:2]:
        for end in _ended(statement.rstrip("."), asker, option, counted, degree=degree):
            yield f"{opening}{_inside(end)}" if opening else end


def _without_choice(sequence: Sequence[Token]) -> Sequence[Token]:
    """What follows the question word, without "of these" or "of the following animals"."""
    if not sequence or sequence[0].lower != "of":
        return sequence
    verbs = {verb.index for verb in finite_verbs(sequence)}
    ends = (i for i, token in enumerate(sequence) if i > 1 and (i in verbs or is_auxiliary(token.lower)))
    return sequence[next(ends, 0) :]


def _named(sequence: Sequence[Token]) -> str:
    """The noun phrase in "is milk", "is the capital of Peru"; "" if there is none ("is made of wood")."""
    phrase = sequence[1:]
    if sequence[0].lower not in _COPULAS or not phrase or _is_preposition(phrase[-1]):
        return ""
    bare = len(phrase) == 1 and not phrase[0].lower.endswith(("ing", "ed"))
    return spell(phrase).rstrip(CLOSING) if bare or phrase[0].lower in _DETERMINERS else ""


def _ended(statement: str, asker: str, option: str, counted: str, *, degree: bool) -> Iterator[str]:
    """A statement that lacks what was asked for, with the option in its place, the likeliest first.

    Args:
        counted: the noun after "how many" or "how much".
        degree: whether the question is of the form "how old", "how many".
    """
    first, last = option.split(" ", 1)[0].lower(), statement.rsplit(" ", 1)[-1].lower()
    if counted and counted.lower() not in option.lower():
        yield f"{statement} {option} {counted}"
    if asker in _OF_THINGS and (parts := _PURPOSE.fullmatch(statement)):
        yield f"{parts[1]} {option} {parts[2]}"
    before = _BEFORE.get(asker, ("",))
    if degree or first in words("grammar", "prepositions") or (asker == "why" and first in _REASONS):
        before = ("",)
    elif asker == "where" and last in _MOTIONS:
        before = ("to", *before)
    for word in before:
        yield f"{statement} {word} {option}"


def _is_preposition(token: Token) -> bool:
    """Whether a word is a preposition, such as the last one of "what is it made of"."""
    return token.lower in words("grammar", "prepositions")


def _lowered(text: str) -> str:
    """A spelled text as it stands within a sentence."""
    bare = text.rstrip(CLOSING)
    return bare[:1].lower() + bare[1:]


def _inside(sentence: str) -> str:
    """A sentence as it stands behind a comma."""
    return sentence if sentence.startswith("I ") else sentence[:1].lower() + sentence[1:]


def _is_inverted(sequence: Sequence[Token]) -> bool:
    """Whether a verb phrase begins with an auxiliary in front of a subject, so an object is asked for."""
    first, following = sequence[0].lower, sequence[1].lower if len(sequence) > 1 else ""
    if first in {"do", "does", "did"}:
        return True
    if not is_auxiliary(first) or first in _EQUATIONS:
        return following in _PRONOUNS or sequence[-1].lower in words("grammar", "prepositions")
    return not (is_base(following) or is_adverb(following))


def _is_sentence(option: str) -> bool:
    """Whether an option has a finite verb of its own, as far as that can be told."""
    return option[:1].isupper() and any(verb.score >= CLEAR_VERB for verb in finite_verbs(tokens(option)))


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return upper_first(text if text.endswith((".", "!", "?")) else text + ".")
