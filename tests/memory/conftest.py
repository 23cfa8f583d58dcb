"""A memory in a temporary folder, and a pipeline of scripted models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from maieutic.config import ElicitConfig
from maieutic.inference import Joint
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.memory import database
from maieutic.memory.base import Memory
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.text import text_key

Pipeline = Callable[..., Maieutic]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notes.memory"


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def memory(path: Path, notices: list[str]) -> Memory:
    return Memory(path, on_notice=notices.append, clock=lambda: 1_700_000_000.0)


def believer(beliefs: Mapping[str, float]) -> ScriptedLanguageModel:
    """A model with P(true) of statements; of what is not named it believes a half. It explains nothing."""

    def probability(prompt: Prompt, option: str) -> float:
        asked = text_key(prompt.query.partition(":")[2])
        p = next((p for text, p in beliefs.items() if text_key(text) == asked), 0.5)
        return {"true": p, "false": 1.0 - p}.get(option.strip().lower(), 1e-3)

    return ScriptedLanguageModel(lambda *_: "", probability)


@pytest.fixture
def pipeline() -> Pipeline:
    """``pipeline(memory, beliefs, judge)``: a Maieutic that asks for beliefs only."""

    def build(
        memory: Memory | None,
        beliefs: Mapping[str, float],
        judge: Callable[[str, str], str] = lambda *_: "neutral",
        **settings: object,
    ) -> Maieutic:
        verifier = ScriptedVerifier(judge, confidence=0.98)
        elicit = ElicitConfig(depth=0, rewriting="rules", priors=False)
        return Maieutic(
            believer(beliefs),
            verifier,
            elicit=elicit,
            inference=Joint(),
            memory=memory,
            **settings,  # type: ignore[arg-type]
        )

    return build
