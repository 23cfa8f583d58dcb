"""An MCP server: assistants ask maieutic, suppose some of its reasons true or false, choose, and check.

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
from maieutic.errors import InputError, MaieuticError
from maieutic.hosts import needs
from maieutic.hosts.problems import CheckSummary, ChoiceSummary, check_summary, choice_summary
from maieutic.hosts.shared import Shared, growing, what_if
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
    "its explanations were true or false. Call choose with a question and its options, of which exactly one "
    "is right, and check to see whether several statements can all be true. The sentences in the results "
    "come from a language model."
)
MOST_STATEMENTS = 200  # of one check, facts included: a caller must not keep the others waiting for hours
KEPT = 32  # answers, so that what_if need not ask again

Question = Annotated[str, Field(description="One declarative sentence, or a question that ends in '?'.")]
Held = Annotated[
    Sequence[str], Field(description="Ids of explanations in the answer (QT0, …), or statements of your own.")
]
Options = Annotated[Sequence[str], Field(description="2 to 100 different texts.")]
Statements = Annotated[
    Sequence[str],
    Field(description=f"Declarative sentences, one each; at most {MOST_STATEMENTS} with the facts."),
]
Facts = Annotated[Sequence[str], Field(description="Declarative sentences that are certainly true.")]


def server(maieutic: Maieutic) -> MCPServer[None]:
    """A server whose tools ask ``maieutic``; its method ``run`` serves on standard input and output."""
    host: MCPServer[None] = MCPServer(
        "maieutic", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING"
    )
    tools = _Tools(maieutic)
    for tool in (tools.ask, tools.what_if, tools.choose, tools.check):  # one method of _Tools each
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

    def choose(self, question: Question, options: Options) -> ChoiceSummary:
        """Which of the options answers a question, how sure that is, and the reasons for and against each."""
        with self._turn() as maieutic:
            return choice_summary(growing(maieutic, explain=False).choose(question, options))

    def check(self, statements: Statements, facts: Facts = ()) -> CheckSummary:
        """Whether statements can all be true, with each other and with facts; if not, which to give up."""
        with self._turn() as maieutic:
            if (count := len(statements) + len(facts)) > MOST_STATEMENTS:
                problem = f"{count} statements and facts; give at most {MOST_STATEMENTS}"
                raise InputError(problem, subject="statements")
            believing = growing(maieutic, depth=0, explain=False)  # as maieutic check does without --grow
            return check_summary(believing.check(statements, facts=facts))

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
