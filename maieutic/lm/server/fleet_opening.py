"""Opens several servers of one model: each is probed, and all must have the same model on the same terms.

A server that does not answer is left out and checked when it comes back. Two servers count as having one
model if they list it with the same size, take requests on the same terms and agree on the probabilities of
the likeliest next tokens of two texts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from maieutic.errors import InputError, MaieuticError, ModelError, ServerError
from maieutic.lm.server.endpoint import COMPLETIONS, WrittenPrompt
from maieutic.lm.server.exchange import Connection
from maieutic.lm.server.fleet import Fleet
from maieutic.lm.server.probe import ServedModel, probe
from maieutic.lm.server.replies import FirstToken, Reply, first_tokens
from maieutic.lm.server.request import Request, RequestRejected, UnreachableServerError
from maieutic.lm.server.scoring_trial import agree

__all__ = ["open_fleet"]

LIKELIEST = 3  # tokens whose probabilities must agree
_TEXTS = ("Grass is green, the sky is blue, and snow is", "Q: A stone floats in water?\nA:")
_SAME = ("meta", "max_model_len")  # of a model's entry in /models, equal on servers of one model
_log = logging.getLogger(__name__)


def open_fleet(
    connections: Sequence[Connection], model: str, name: str, *, probabilities: bool = True
) -> tuple[Fleet, ServedModel]:
    """Probe the servers at the same time.

    Args:
        model: its name there; "" for the only one.
        name: the model's name in results and messages.
        probabilities: whether to refuse servers that give no probabilities of tokens.

    Raises:
        InputError: two servers have different models or terms, or have several models and ``model`` is "".
        ModelError: no server can be reached, or one does not have the model or gives no probabilities.
    """

    def opened(connection: Connection) -> ServedModel | MaieuticError:
        try:
            return probe(connection, model, probabilities=probabilities, shown_as=name)
        except (UnreachableServerError, ServerError) as error:
            return error

    with ThreadPoolExecutor(len(connections)) as threads:
        found = list(threads.map(opened, connections))
    served = {place: one for place, one in enumerate(found) if isinstance(one, ServedModel)}
    problems = {place: str(one) for place, one in enumerate(found) if isinstance(one, MaieuticError)}
    url = ",".join(connection.url for connection in connections)
    if not served:
        problem = f"none of the {len(connections)} servers answers ({'; '.join(problems.values())})"
        raise ModelError(f"{problem}; start one, or correct the addresses", subject=url)
    first = min(served)
    known = tuple(_tokens(connections[first], served[first], text) for text in _TEXTS)
    same = _SameModel(connections[first], served[first], known)
    for place, other in served.items():
        if place != first:
            same.check(connections[place], other)

    def check(connection: Connection) -> None:
        same.check(
            connection, probe(connection, same.served.model, probabilities=probabilities, shown_as=name)
        )

    for problem in problems.values():
        _log.warning("left out until it answers: %s", problem)
    fleet = Fleet(connections, connections[0].retries, check, problems)
    return fleet, served[first]


@dataclass(frozen=True, slots=True)
class _SameModel:
    """Compares servers with the first one.

    Attributes:
        tokens: the likeliest ones of the first server after each of the texts.
    """

    connection: Connection
    served: ServedModel
    tokens: tuple[list[FirstToken], ...]

    def check(self, connection: Connection, other: ServedModel) -> None:
        """Raise an InputError if another server has another model, or takes requests on other terms."""
        where = f"{self.connection.url} and {connection.url}"
        if self.served.model != other.model:
            names = f"{self.served.model!r} and {other.model!r}"
            raise _different(f"{where} have different models, {names}")
        for key in _SAME:
            one, two = self.served.listed.get(key), other.listed.get(key)
            if one is not None and two is not None and one != two:
                raise _different(f"{where} list {self.served.model} with a different {key}")
        if (self.served.completions, self.served.chat) != (other.completions, other.chat):
            problem = f"{where} take requests in different forms"
            raise InputError(f"{problem}; start both with the same program and options", subject="name")
        for own, text in zip(self.tokens, _TEXTS, strict=True):
            if not _agree(own, _tokens(connection, self.served, text)):
                raise _different(
                    f"{where} give different probabilities, so that {self.served.model} is not the same model"
                )


def _tokens(connection: Connection, served: ServedModel, text: str) -> list[FirstToken]:
    """The likeliest tokens after a text; none if the server gives no probabilities."""
    endpoint = served.completions or served.chat
    assert endpoint is not None
    if not endpoint.top:
        return []
    written: WrittenPrompt = text if endpoint.path == COMPLETIONS else [{"role": "user", "content": text}]
    body = endpoint.first_token(served.model, written, {})
    try:
        (reply,) = connection.send([Request(endpoint.path, body)], opening=True)
    except RequestRejected:
        return []
    assert isinstance(reply, Reply)
    return first_tokens(reply, endpoint.top)


def _agree(one: Sequence[FirstToken], other: Sequence[FirstToken]) -> bool:
    """Whether the likeliest tokens of one list have the same probabilities in the other, but for rounding."""
    known = {token.text: token.probability for token in other}
    if not one or not other:
        return True
    return all(
        agree(token.probability, known.get(token.text, 0.0))
        for token in one[:LIKELIEST]
        if token.probability > 1 / len(one)
    )


def _different(problem: str) -> InputError:
    return InputError(f"{problem}; give servers of one model", subject="name")
