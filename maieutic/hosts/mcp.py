"""An MCP server: assistants ask maieutic, and suppose that some of its reasons are true or false.

``maieutic mcp`` serves on standard input and output. What callers send is data: it is checked like a
question on the command line, and no file, model or address is opened because of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field

from maieutic.answer import Answer
from maieutic.errors import MaieuticError
from maieutic.hosts import needs
from maieutic.hosts.shared import Shared, what_if
from maieutic.hosts.summary import Summary, summary_of
from maieutic.pipeline import Maieutic
from maieutic.version import __version__

try:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations
except ImportError:
    raise needs("mcp", "an MCP server") from None

__all__ = ["server"]

INSTRUCTIONS = (
    "maieutic makes a language model argue both sides of a statement and weighs the arguments exactly. "
    "Call ask with one statement or yes/no question, and what_if to see how the answer changes if some of "
    "its explanations were true or false. The sentences in the results come from a language model."
)
KEPT = 32  # answers, so that what_if need not ask again

Question = Annotated[str, Field(description="One declarative sentence, or a question that ends in '?'.")]
Held = Annotated[
    Sequence[str], Field(description="Ids of explanations in the answer (QT0, …), or statements of your own.")
]


def server(maieutic: Maieutic) -> MCPServer[None]:
    """A server whose tools ask ``maieutic``; its method ``run`` serves on standard input and output."""
    host: MCPServer[None] = MCPServer(
        "maieutic", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING"
    )
    tools = _Tools(maieutic)
    for tool in (tools.ask, tools.what_if):  # one method of _Tools each
        host.add_tool(tool, structured_output=True, annotations=ToolAnnotations(read_only_hint=True))
    return host


class _Tools:
    """The tools; their names, arguments and docstrings are what an assistant sees."""

    def __init__(self, maieutic: Maieutic) -> None:
        self._shared = Shared(maieutic)
        self._answers: OrderedDict[str, Answer] = OrderedDict()  # by question

    def ask(self, question: Question) -> Summary:
        """Whether a statement is true, how sure that is, and the reasons on both sides."""
        with self._turn() as maieutic:
            return summary_of(self._answered(maieutic, question))

    def what_if(self, question: Question, true: Held = (), false: Held = ()) -> Summary:
        """The answer to a question that was asked before, if some propositions were true or false."""
        with self._turn() as maieutic:
            return summary_of(what_if(maieutic, self._answered(maieutic, question), true, false))

    @contextmanager
    def _turn(self) -> Iterator[Maieutic]:
        """The one Maieutic; what it refuses is told to the caller."""
        try:
            with self._shared as maieutic:
                yield maieutic
        except MaieuticError as error:
            raise ToolError(str(error)) from error

    def _answered(self, maieutic: Maieutic, question: str) -> Answer:
        """The answer, kept from before if the question was asked lately."""
        answer = self._answers.pop(question, None) or maieutic.ask(question)
        self._answers[question] = answer
        if len(self._answers) > KEPT:
            self._answers.popitem(last=False)
        return answer
