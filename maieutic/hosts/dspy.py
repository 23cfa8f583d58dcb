"""DSPy: a module that judges a statement or a yes/no question with maieutic.

It has no prompts of its own for an optimizer to change, and asks no model of ``dspy.settings``. Copies of a
program share its models, and threads take turns.
"""

from __future__ import annotations

from dataclasses import asdict

from maieutic.hosts import needs
from maieutic.hosts.shared import Shared
from maieutic.hosts.summary import summary_of
from maieutic.pipeline import Maieutic

try:
    from dspy import Module, Prediction
except ImportError:
    raise needs("dspy", "a DSPy module") from None

__all__ = ["Judge"]


class Judge(Module):
    """``Judge()(question="Can a penguin fly?").answer`` is False.

    Args:
        maieutic: what judges; by default that of the bundled models.
    """

    def __init__(self, maieutic: Maieutic | None = None) -> None:
        super().__init__()
        self.shared = Shared(maieutic or Maieutic.load())

    def forward(self, question: str) -> Prediction:
        """A prediction with the fields of :class:`maieutic.hosts.summary.Summary`.

        Among them are ``answer`` (a truth value), ``p_true`` and ``reasons``.

        Raises:
            InputError: the question is empty or too long.
        """
        with self.shared as maieutic:
            return Prediction(**asdict(summary_of(maieutic.ask(question))))
