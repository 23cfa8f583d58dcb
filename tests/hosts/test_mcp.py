"""The MCP server as a process of its own, asked by the SDK's client."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

mcp = pytest.importorskip("mcp")

import anyio  # noqa: E402

from maieutic import Maieutic  # noqa: E402
from maieutic.config import ElicitConfig  # noqa: E402

QUESTION = "Can a penguin fly?"


def called(*arguments: str, steps: Callable[[Any], Awaitable[None]]) -> None:
    """Run ``maieutic mcp`` and let a client do the steps."""
    environment = {name: os.environ[name] for name in ("PYTHONPATH", "OMP_NUM_THREADS") if name in os.environ}
    command = ["-m", "maieutic.cli.main", "mcp", *arguments]
    process = mcp.StdioServerParameters(command=sys.executable, args=command, env=environment)

    async def run() -> None:
        async with mcp.Client(process) as client:
            await steps(client)

    anyio.run(run)


def test_the_server_answers_and_supposes() -> None:
    async def steps(client: Any) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"ask", "what_if", "choose", "check"}
        assert all(tool.description and tool.output_schema for tool in tools.values())
        assert all(tool.annotations.read_only_hint for tool in tools.values())

        told = (await client.call_tool("ask", {"question": QUESTION})).structured_content
        direct = Maieutic.load(elicit=ElicitConfig(explain=True)).ask(QUESTION)  # as the server asks
        assert told["answer"] is direct.answer
        assert told["p_true"] == pytest.approx(direct.p_true, abs=0.01)
        assert told["reasons"]

        held = next(one["id"] for one in told["explanations"] if one["holds"])
        supposed = await client.call_tool("what_if", {"question": QUESTION, "false": [held]})
        labels = {one["id"]: one["holds"] for one in supposed.structured_content["explanations"]}
        assert labels[held] is False
        assert supposed.structured_content["p_true"] != pytest.approx(told["p_true"])

        for tool, arguments in (
            ("ask", {"question": " "}),
            ("ask", {"question": ["no text"]}),
            ("ask", {}),
            ("what_if", {"question": QUESTION, "true": [held], "false": [held]}),
            ("what_if", {"question": QUESTION, "true": ["Is this a question?"]}),
            ("rm", {"question": QUESTION}),
        ):
            refused = await client.call_tool(tool, arguments)
            assert refused.is_error
            assert "Traceback" not in refused.content[0].text
        again = await client.call_tool("ask", {"question": QUESTION})  # what was refused broke nothing
        assert again.structured_content == told

    called(steps=steps)


def test_answers_are_kept_and_the_oldest_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    from maieutic.hosts.mcp import server

    monkeypatch.setattr("maieutic.hosts.mcp.KEPT", 2)
    maieutic = Maieutic.load()
    asked: list[str] = []

    class Counting(Maieutic):
        def ask(self, question: str) -> Any:
            asked.append(question)
            return super().ask(question)

    counting = Counting(maieutic.lm, maieutic.verifier)

    async def steps() -> None:
        async with mcp.Client(server(counting)) as client:
            for thing in ("pillow", "pillow", "spoon", "dress", "pillow"):
                await client.call_tool("what_if", {"question": f"A {thing} is soft."})

    anyio.run(steps)
    assert asked == [f"A {thing} is soft." for thing in ("pillow", "spoon", "dress", "pillow")]


def test_the_server_chooses_and_checks() -> None:
    from maieutic.hosts.mcp import MOST_STATEMENTS, server

    maieutic = Maieutic.load()

    async def steps() -> None:
        async with mcp.Client(server(maieutic)) as client:
            question, options = "What is a spoon made of?", ["steel", "wool", "paper"]
            given = {"question": question, "options": options}
            chosen = (await client.call_tool("choose", given)).structured_content
            direct = maieutic.choose(question, options)
            assert (chosen["choice"], chosen["unsure"]) == (direct.chosen.text, direct.unsure)
            assert [one["text"] for one in chosen["options"]] == options
            assert sum(one["p"] for one in chosen["options"]) == pytest.approx(1.0)

            texts = ["A pillow is hard.", "A fork is made of steel."]
            fact = "A pillow is not hard."
            checked = (
                await client.call_tool("check", {"statements": texts, "facts": [fact]})
            ).structured_content
            assert checked["hangs_together"] is False
            assert checked["conflicts"] == [[texts[0], fact]]
            assert checked["give_up"] == [texts[0]]
            assert [one["held"] for one in checked["statements"]] == [False, True]
            whole = (await client.call_tool("check", {"statements": texts[1:]})).structured_content
            assert (whole["hangs_together"], whole["conflicts"], whole["give_up"]) == (True, [], [])

            for tool, arguments in (
                ("choose", {"question": "What is it?", "options": ["steel"]}),
                ("choose", {"question": "What is it?", "options": ["steel", "Steel"]}),
                ("choose", {"question": "What is it?"}),
                ("check", {"statements": []}),
                ("check", {"statements": ["Is this a question?"]}),
                ("check", {"statements": ["A spoon is soft."] * (MOST_STATEMENTS + 1)}),
                ("check", {"statements": [[]]}),
            ):
                refused = await client.call_tool(tool, arguments)
                assert refused.is_error
                assert "Traceback" not in refused.content[0].text

    anyio.run(steps)


def test_a_model_that_cannot_be_opened_ends_the_command(run: Any) -> None:
    done = run("mcp", "--lm", "no/such-model", "--nli", "lm")
    assert done.returncode == 2
    assert done.stdout == ""
