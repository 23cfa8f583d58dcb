"""Answer: the result for one question, with all that led to it; as data, as a page and in notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maieutic.files.json_text import dump_json, parse_json
from maieutic.reasoning import NO_VERIFIER, NOTHING_JUDGED, Models, Reasoning, Seconds

__all__ = ["NOTHING_JUDGED", "NO_VERIFIER", "Answer", "Models", "Seconds"]


@dataclass(frozen=True, repr=False)
class Answer(Reasoning):
    """The answer to one question; :class:`maieutic.reasoning.Reasoning` says what it holds."""

    def to_json(self) -> str:
        """The answer as one line of JSON."""
        return dump_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Answer:
        """The inverse of :meth:`to_json`.

        Raises:
            InputError: the text is not an answer; the message names the field.
        """
        return parse_json(cls, text)

    def to_html(self) -> str:
        """A page that works offline, as ``maieutic ask --html`` writes it."""
        from maieutic.render.html import page  # noqa: PLC0415 - keeps answers light

        return page([self])

    def _repr_html_(self) -> str:
        """For notebooks: the page in a frame of its own."""
        from maieutic.render.notebook import frame  # noqa: PLC0415

        return frame(self.to_html())

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, str]:
        """For notebooks and IPython: the page, and the text of ``maieutic show`` where there are no pages."""
        from maieutic.render.html import plain_text  # noqa: PLC0415

        return {"text/html": self._repr_html_(), "text/plain": plain_text(self)}
