"""The shipped world and its prompt set, loaded once."""

from __future__ import annotations

import pytest

from maieutic.benchmarks.agora.world import World, load_world
from maieutic.prompts import PromptSet, load_prompts


@pytest.fixture(scope="session")
def world() -> World:
    return load_world()


@pytest.fixture(scope="session")
def prompts() -> PromptSet:
    return load_prompts("agora")
