"""GGUF files: llama.cpp in a process of its own, spoken to like any server.

``./model.gguf`` starts llama.cpp (the extra ``gguf``) on a free port of the loopback interface. It answers
only to a random key, which is on no command line, so that no one else can use it. It ends when this process
ends, even by a signal: it reads a pipe that the operating system then closes. Requests run in parallel slots
with continuous batching. Every slot keeps the prompt that it has read, and reads only what differs in the
next one.

Files with a chat template are asked through it (the prompt set "chat"), others continue plain text.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any
from weakref import finalize

from maieutic.checkpoints.gguf_header import GgufHeader, gguf_parts, read_header
from maieutic.checkpoints.process import usable_cores
from maieutic.errors import InputError, ModelError, ServerError
from maieutic.lm import gguf_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maieutic.lm.base import Completion, OptionScores, Prompt, SamplingParams
    from maieutic.lm.server.model import ServerLM

__all__ = ["GgufLM", "is_gguf"]

# Requests under way at a time. On processors batches save little, and every slot reads the examples itself.
# For 32 direct answers and 64 explanations, a model of 0.5B parameters took 156 s of processor time with 4
# slots, 198 s with 8 and 309 s with 16.
SLOTS = 4
WINDOW = 4096  # tokens of a slot, at most: examples and question, and a thought of 2,048 tokens
PATIENCE = 3600.0  # seconds for one request: a large model reads a prompt for minutes on a slow machine
SECONDS_TO_STOP = 10.0
_REASON = "error loading model: "  # before the reason in llama.cpp's log


def is_gguf(name: str) -> bool:
    """Whether a model's name is that of a GGUF file, which need not exist."""
    return name.lower().endswith(".gguf") and "://" not in name and not Path(name).expanduser().is_dir()


class GgufLM:
    """A language model in a GGUF file; see :class:`maieutic.lm.base.LanguageModel`.

    Args:
        name: the file, as it was named.
        header: of the file.
        served: the model behind llama.cpp's server.
        process: the server's.
    """

    def __init__(
        self, name: str, header: GgufHeader, served: ServerLM, process: subprocess.Popen[str]
    ) -> None:
        self._name, self._header, self._served, self._process = name, header, served, process
        self.close = finalize(self, _stop, process)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @classmethod
    def load(cls, name: str, *, slots: int = SLOTS, probabilities: bool = True) -> GgufLM:
        """Start llama.cpp on a file.

        Args:
            slots: requests under way at a time, ≥ 1.
            probabilities: whether to refuse a model without probabilities of tokens.

        Raises:
            InputError: the extra ``gguf`` is not installed.
            ModelError: there is no such file, it is not a GGUF file, or llama.cpp cannot open it.
        """
        path = Path(name).expanduser()
        header = read_header(path)
        _need_extra()
        from maieutic.lm.server.model import ServerLM  # noqa: PLC0415 - an extra dependency
        from maieutic.lm.server.retries import RetryPolicy  # noqa: PLC0415

        key = secrets.token_urlsafe(32)
        process, url = _started(path, key, slots, min(WINDOW, header.window or WINDOW))
        try:
            retries = RetryPolicy(request_timeout=PATIENCE, total_timeout=PATIENCE, attempts=2)
            served = ServerLM.load(
                f"{url}/v1", retries=retries, limit=slots, probabilities=probabilities, key=key, shown_as=name
            )
        except BaseException:
            _stop(process)
            raise
        return cls(name, header, served, process)

    @property
    def name(self) -> str:
        """The file, as it was named."""
        return self._name

    @property
    def prompts(self) -> str:
        """ "chat" where the file has a chat template and the model answers in chats, else "paper"."""
        return "chat" if self._header.chat_template and self._served.can_chat else "paper"

    @cached_property
    def fingerprint(self) -> str:
        """The checksums of the model's files, and the version of llama.cpp."""
        from maieutic.checkpoints.fingerprints import checksum_of  # noqa: PLC0415 - opens a cache

        sums = [checksum_of(part) for part in gguf_parts(Path(self._name).expanduser())]
        return f"gguf {' '.join(sums)} xllamacpp {version('xllamacpp')}"

    @property
    def facts(self) -> dict[str, Any]:
        """A description of the model for the record of a run."""
        described = self._served.facts
        kept = ("listed", "scoring", "top_tokens", "token_counts")
        return {
            "name": self._name,
            "architecture": self._header.architecture,
            "llama.cpp": f"xllamacpp {version('xllamacpp')}",
            **{key: described[key] for key in kept},
        }

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw continuations; see :meth:`maieutic.lm.server.model.ServerLM.sample`."""
        with self._running():
            return self._served.sample(prompts, n, params)

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        """P(option | prompt); see :meth:`maieutic.lm.server.model.ServerLM.choose`."""
        with self._running():
            return self._served.choose(prompts, options)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Says so if llama.cpp has ended.

        Raises:
            ServerError: it has.
        """
        try:
            yield
        except ServerError:
            if (code := self._process.poll()) is None:
                raise
            problem = f"llama.cpp ended (exit code {code}) while it ran {self._name}"
            remedy = "the memory may be exhausted; use a smaller file"
            raise ServerError(f"{problem}; {remedy}", subject=self._name) from None


def _need_extra() -> None:
    if importlib.util.find_spec("xllamacpp") is None:
        raise InputError(
            "a model in a GGUF file needs maieutic[gguf]; pip install 'maieutic[gguf]'",
            subject="maieutic[gguf]",
        )


def _started(path: Path, key: str, slots: int, window: int) -> tuple[subprocess.Popen[str], str]:
    """A running llama.cpp, and its address.

    Raises:
        ModelError: it cannot open the file.
    """
    arguments = [str(path.absolute()), *map(str, (slots, window, _threads()))]
    with TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-P", gguf_server.__file__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, gguf_server.KEY: key},
        )
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
        except BaseException:
            _stop(process)
            raise
        if url.startswith("http"):
            return process, url
        _stop(process)
        problem = f"llama.cpp cannot open {path} ({_reason(log)})"
    remedy = "download the file again, or install a newer llama.cpp (pip install --upgrade xllamacpp)"
    raise ModelError(f"{problem}; {remedy}", subject=str(path))


def _threads() -> int:
    """The usable cores, or fewer where OMP_NUM_THREADS says so, as for PyTorch.

    llama.cpp's threads wait for each other busily: where something else needs a core, fewer are faster.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(usable_cores(), int(limit)) if limit.isdecimal() and int(limit) else usable_cores()


def _reason(log: IO[bytes]) -> str:
    """The first reason in llama.cpp's log, else its last line."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines() or ["no reason given"]
    return next((line.partition(_REASON)[2] for line in lines if _REASON in line), lines[-1].strip())


def _stop(process: subprocess.Popen[str]) -> None:
    """Close the pipe that the server reads, and wait."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
