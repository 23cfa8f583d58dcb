"""One Maieutic for all the threads and copies of a host."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from maieutic.answer import Answer
from maieutic.config import ElicitConfig
from maieutic.elicit import Growth
from maieutic.errors import InputError
from maieutic.inference import Inference, Joint
from maieutic.inference.assumptions import assumptions_of
from maieutic.pipeline import Maieutic

__all__ = ["Shared", "growing", "what_if"]


class Shared:
    """Lets one thread in at a time: ``with shared as maieutic: …``. Copies have the same models.

    Hosts ask from several threads and copy the programs that they improve; models are large.
    """

    def __init__(self, maieutic: Maieutic) -> None:
        self._maieutic = maieutic
        self._lock = threading.Lock()

    def __enter__(self) -> Maieutic:
        self._lock.acquire()
        return self._maieutic

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __deepcopy__(self, _memo: dict[int, Any]) -> Shared:
        return self

    def __reduce__(self) -> tuple[type[Shared], tuple[Maieutic]]:
        return Shared, (self._maieutic,)


def growing(maieutic: Maieutic, **changes: Any) -> Maieutic:
    """The same models and inference with other settings of growth, by the fields of ``ElicitConfig``."""
    return _altered(maieutic, elicit=replace(maieutic.elicit, **changes))


def what_if(maieutic: Maieutic, answer: Answer, true: Sequence[str], false: Sequence[str]) -> Answer:
    """The answer anew, with propositions held true or false; its tree stays the same.

    Args:
        true, false: ids of explanations of the answer, or statements of your own.

    Raises:
        InputError: the inference is not joint; or a proposition is the statement asked about, is held both
            true and false, or contradicts another one.
    """
    joint = maieutic.inference
    if not isinstance(joint, Joint):
        raise InputError(f"{joint.name} inference has no what-if; use joint inference", subject="inference")
    known = {node.id: node.statement for node in answer.propositions}
    held, denied = ([known.get(text, text) for text in texts] for texts in (true, false))
    assumptions = assumptions_of(held, denied)
    supposing = _altered(maieutic, inference=replace(joint, assumptions=assumptions))
    tree, models = answer.tree, answer.models
    growth = Growth(tree, lm=models.lm, belief_source=models.belief_source, steps=answer.steps)
    return next(supposing.conclude([growth]))


def _altered(
    maieutic: Maieutic, *, elicit: ElicitConfig | None = None, inference: Inference | None = None
) -> Maieutic:
    return Maieutic(
        maieutic.lm,
        maieutic.verifier,
        prompts=maieutic.prompts,
        elicit=elicit or maieutic.elicit,
        inference=inference or maieutic.inference,
    )
