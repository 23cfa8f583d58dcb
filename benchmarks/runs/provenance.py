"""The provenance of a run, stored as ``run.json``: versions, revisions, checksums, machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from maieutic.benchmarks.datasets import Loaded
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import PROVENANCE
from maieutic.bundled import AGORA, BundledModel, bundled_folder, bundled_weights, sha256_of
from maieutic.errors import InputError
from maieutic.models import SAME_MODEL, verifier_parts
from maieutic.version import __version__

__all__ = ["check_unchanged", "git_revision", "machine", "provenance"]

DESCRIPTIONS = frozenset({"README.md", "SHA256SUMS", "metrics.json"})  # files that no answer depends on
PACKAGES = ("numpy", "python-sat", "safetensors", "tokenizers", "torch", "transformers")


def provenance(
    config: RunConfig,
    loaded: Loaded,
    questions: int,
    device: str,
    server: dict[str, Any] | None = None,
    prompts: Mapping[str, str] | None = None,
) -> str:
    """``run.json``, indented.

    Args:
        questions: number of the data set's items in the run.
        device: of the models.
        server: facts about a language model on a server.
        prompts: an example of each kind of prompt that is asked.
    """
    lm = _model(config.lm, "agora-lm") if server is None else server
    verifiers = [found for part in verifier_parts(config.nli) if (found := _model(part, "agora-nli"))]
    models = {"lm": lm, "nli": verifiers if len(verifiers) > 1 else next(iter(verifiers), {})}
    described: dict[str, Any] = {
        "configuration": asdict(config),
        "versions": {"maieutic": __version__, "python": platform.python_version()}
        | {package: metadata.version(package) for package in PACKAGES},
        "git": git_revision(),
        "warnings": list(config.warnings),
        "models": {option: model for option, model in models.items() if model},
        "data": {
            "items": len(loaded.items),
            "asked": questions,
            "sha256": loaded.sha256,
            "edited": list(loaded.edited),
        },
        "machine": machine(device),
    }
    described |= _files(config)
    if prompts:
        described["prompts"] = dict(prompts)
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def check_unchanged(folder: Path, config: RunConfig, loaded: Loaded) -> None:
    """Refuse to go on with a run if the models, the weights, the trees or the data are no longer the same.

    What ``run.json`` does not say is not compared, nor are models on servers.

    Raises:
        InputError: a file has another checksum than when the run began.
    """
    try:
        stored = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        begun = _checksums(stored["models"], stored)
        served = "sha256" not in stored["models"].get("lm", {})
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return  # missing or damaged; the report says so
    try:
        lm = {} if served else _model(config.lm, "agora-lm")
        verifiers = [_model(part, "agora-nli") for part in verifier_parts(config.nli)]
    except InputError:
        return  # a model is not here: it is missed when it is to be opened
    now = _checksums({"lm": lm, "nli": verifiers}, _files(config) | {"data": {"sha256": loaded.sha256}})
    if changed := sorted(what for what in begun.keys() & now.keys() if begun[what] != now[what]):
        raise InputError(
            f"{folder} was begun with other files ({', '.join(changed)}); name another folder",
            subject=changed[0],
        )


def _checksums(models: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, str]:
    """What was read, by its name → SHA-256; without what describes a model only."""
    found = {
        f"{model['name']}/{file} (--{option})": digest
        for option, models_of in models.items()
        for model in (models_of if isinstance(models_of, list) else [models_of])
        for file, digest in model.get("sha256", {}).items()
        if file not in DESCRIPTIONS
    }
    return found | {
        what: str(described[what]["sha256"]) for what in ("data", "trees", "weights") if what in described
    }


def _files(config: RunConfig) -> dict[str, Any]:
    """The trees and the weights of a run, with their checksums."""
    described: dict[str, Any] = {}
    if config.trees:
        described["trees"] = {"file": config.trees, "sha256": sha256_of(Path(config.trees))}
    if weights := config.settings.get("weights"):
        file = bundled_weights() if weights == AGORA else Path(weights)
        described["weights"] = {"file": weights, "sha256": sha256_of(file)}
    return described


def _model(name: str, bundled: BundledModel) -> dict[str, Any]:
    """The files of a model folder with their checksums, and the revision of a hub model."""
    from maieutic.checkpoints.finding import find_folder  # noqa: PLC0415

    if name in ("", SAME_MODEL):
        return {}
    folder = bundled_folder(bundled) if name == AGORA else find_folder(name)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    snapshot = folder.parent.name == "snapshots"  # the hub client's folder of revisions
    return {
        "name": name,
        "revision": folder.name if snapshot else None,
        "sha256": {path.name: sha256_of(path) for path in files},
    }


def git_revision() -> str | None:
    """The commit of this package's checkout, with "+" for local changes; None without a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        revision = _run([*git, "rev-parse", "HEAD"])
        tracked = _run([*git, "ls-files", "--error-unmatch", __file__])
        return revision + ("+" if _run([*git, "status", "--porcelain", "-uno"]) else "") if tracked else None
    except (OSError, subprocess.SubprocessError):
        return None


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    return done.stdout.strip()


def machine(device: str) -> dict[str, Any]:
    """Facts about the machine; ``device`` is "cpu", "cuda" or "cuda:N"."""
    import torch  # noqa: PLC0415

    gpu = torch.cuda.get_device_name(device) if device.startswith("cuda") else None
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": device,
        "gpu": gpu,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
