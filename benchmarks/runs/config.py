"""The configuration of a benchmark run: everything that decides its records, stored as ``run.toml``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from maieutic.benchmarks.analysis.statistics import bench_library
from maieutic.benchmarks.datasets import DATASETS
from maieutic.benchmarks.methods import build_method, settings_of
from maieutic.bundled import AGORA
from maieutic.config import PROBABILITIES
from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_text import parse_json
from maieutic.files.reading import read_toml
from maieutic.lm.beliefs import parse_belief_source
from maieutic.lm.local.fixed_date import TEMPLATE_DATE
from maieutic.lm.server.address import is_server, server_addresses
from maieutic.models import asks_lm

__all__ = ["RunConfig", "read_config"]

TOY_MODEL = (
    "agora, the small bundled model, does not know the words of {dataset}: the run measures that model and "
    "says nothing about others; for a real one give --lm and --nli (see maieutic models)"
)


@dataclass(frozen=True)
class RunConfig:
    """A data set, a method with all its settings, and the models.

    Attributes:
        split: "" for the data set's default.
        data: folder (or file) of the official files, "" for none; ``trees`` a file of grown trees, likewise.
        settings: the method's by dotted name, complete.
        limit: number of items to draw with ``seed``; 0 for all of them.
        lm: "" for a run on given trees; ``nli`` "" for a method without a verifier, and before
            :meth:`complete` for agora's own.
        seed: of the draw of items and of all sampling.
        beliefs: where the language model's beliefs come from, as the option --beliefs names it.
        template_date: the day that chat templates print, fixed so that a run can be repeated.
        batch: questions answered together; in float32 the records do not depend on it.
    """

    dataset: str
    method: str = "maieutic"
    settings: Mapping[str, Any] = field(default_factory=dict)
    split: str = ""
    data: str = ""
    trees: str = ""
    lm: str = AGORA
    nli: str = ""
    prompts: str = "auto"
    device: str = "auto"
    dtype: str = "auto"
    limit: int = 0
    seed: int = 0
    batch: int = 32
    beliefs: str = PROBABILITIES
    template_date: str = f"{TEMPLATE_DATE:%Y-%m-%d}"

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            problem = f"the data set must be one of {', '.join(DATASETS)}, not {self.dataset!r}"
            raise InputError(f"{problem}; see maieutic bench datasets", subject="dataset")
        for name, least in (("limit", 0), ("seed", 0), ("batch", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be ≥ {least}, not {getattr(self, name)}", subject=name)
        parse_belief_source(self.beliefs)
        today = f"{TEMPLATE_DATE:%Y-%m-%d}"
        if self.template_date != today:
            problem = (
                f"template_date must be {today}, not {self.template_date!r}: this version prints no other"
            )
            raise InputError(problem, subject="template_date")
        if is_server(self.lm):
            server_addresses(self.lm)  # before it is stored, since it may contain a secret
        if self.trees and self.method != "maieutic":
            problem = f"only the method maieutic can use trees, not {self.method}; leave --trees out"
            raise InputError(problem, subject="trees")
        if self.trees and self.dataset == "trees":
            problem = "the data set trees has its own trees; leave --trees out, or name another data set"
            raise InputError(problem, subject="trees")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the run's figures doubtful, one sentence each."""
        toy = self.lm == AGORA and self.dataset != AGORA and not self.weighs_trees
        return (TOY_MODEL.format(dataset=self.dataset),) if toy else ()

    @property
    def weighs_trees(self) -> bool:
        """Whether the run answers trees that were grown elsewhere, without a language model."""
        return bool(self.trees) or (self.dataset == "trees" and self.method == "maieutic")

    @property
    def belief_source(self) -> str | None:
        """How beliefs are measured; None for trees that were grown elsewhere."""
        return None if self.weighs_trees else self.beliefs

    def complete(self) -> RunConfig:
        """A copy with every setting of the method, and without what the run does not use.

        Raises:
            InputError: the method or one of its settings is unknown or out of range.
        """
        method = build_method(self.method, self.settings, self.seed)
        changes: dict[str, Any] = {"settings": settings_of(method)}
        changes["split"] = self.split or DATASETS[self.dataset].default_split
        changes["nli"] = self._verifier() if method.uses_verifier else ""
        joint = changes["settings"].get("inference") == "joint"
        if weights := self._weights(changes["settings"].get("weights"), changes["nli"], joint=joint):
            changes["settings"] |= {"weights": weights}
        if self.weighs_trees:
            if changes["settings"]["evidence"] == "likelihood":
                raise InputError(
                    "evidence=likelihood asks the model that grew the trees; give no trees with it",
                    subject="evidence",
                )
            if not asks_lm(changes["nli"]):
                changes |= {"lm": "", "prompts": "auto"}
        return RunConfig(**{f.name: getattr(self, f.name) for f in fields(self)} | changes)

    def _weights(self, given: str | None, verifier: str, *, joint: bool) -> str:
        """The setting as an absolute path, or "agora" for the bundled models' own weights; else ""."""
        if given:
            return given if given == AGORA else str(Path(given).expanduser().absolute())
        all_agora = self.lm == AGORA and verifier == AGORA and not self.weighs_trees
        return AGORA if given == "" and all_agora and joint else ""

    def _verifier(self) -> str:
        if self.nli:
            return self.nli
        if self.lm != AGORA or self.weighs_trees:
            what = (
                "trees grown elsewhere need" if self.weighs_trees else f"the language model {self.lm} needs"
            )
            problem = f"{what} a verifier; give --nli an NLI model, or --nli lm where there is an --lm"
            raise InputError(problem, subject="nli")
        return AGORA

    def to_toml(self) -> str:
        """The configuration as TOML, the settings as a table."""
        text: str = bench_library("tomli_w").dumps(asdict(self))
        return text

    def differences(self, other: RunConfig) -> list[str]:
        """The fields and settings in which two configurations differ, each as "name: this, not that"."""
        mine, others = self._named(), other._named()
        return [
            f"{name}: {mine.get(name)!r}, not {others.get(name)!r}"
            for name in dict.fromkeys([*mine, *others])
            if mine.get(name) != others.get(name)
        ]

    def extends(self, other: RunConfig) -> bool:
        """Whether this run asks all questions of another one, and more of the same data."""
        more = self.limit == 0 or self.limit > other.limit
        return other.limit > 0 and more and self == replace(other, limit=self.limit)

    def _named(self) -> dict[str, object]:
        """The fields, each setting as one of its own."""
        whole = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in whole.items() if name != "settings"} | dict(self.settings)


def read_config(path: Path) -> RunConfig:
    """Read a ``run.toml``.

    Raises:
        FileFormatError: the file cannot be read, is no TOML, or has a field or value that does not fit.
    """
    given = read_toml(path)
    known = {f.name for f in fields(RunConfig)}
    if stray := sorted(given.keys() - known):
        problem = f"there is no field {stray[0]!r}; the fields are {', '.join(sorted(known))}"
        raise FileFormatError(path, None, problem)
    try:
        return parse_json(RunConfig, json.dumps(given, default=str)).complete()
    except InputError as error:
        raise FileFormatError(path, None, f"{error}; correct it") from None
