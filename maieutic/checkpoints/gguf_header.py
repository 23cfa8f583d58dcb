"""The header of a GGUF file, llama.cpp's format of model files: facts and settings before the weights.

It is only read: numbers, texts and lists of these, as the format's description defines them
(https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maieutic.errors import ModelError

__all__ = ["GgufHeader", "gguf_parts", "read_header"]

MAGIC = b"GGUF"
VERSIONS = (2, 3)  # version 1 of 2023 had other lengths; llama.cpp does not open it any more
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What the header says.

    Attributes:
        architecture: the kind of model, such as "llama" or "qwen2".
        window: longest text in tokens that the model was trained on; 0 if the header does not say.
        chat_template: in Jinja; "" for none.
    """

    architecture: str
    window: int
    chat_template: str


def gguf_parts(path: Path) -> list[Path]:
    """The files of a model, of which large ones have several: ``name-00001-of-00003.gguf`` and so on."""
    part = _PART.search(path.name)
    if part is None:
        return [path]
    stem, count = path.name[: part.start()], part[2]
    return [path.with_name(f"{stem}-{number:05}-of-{count}.gguf") for number in range(1, int(count) + 1)]


def read_header(path: Path) -> GgufHeader:
    """Read the header of a file.

    Raises:
        ModelError: there is no such file, it cannot be read, or it is not a GGUF file or a damaged one.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
            if head != MAGIC:
                problem = f"{path} is not a GGUF file (it begins with {head!r}); give a GGUF file"
                raise ModelError(f"{problem}, or a folder with config.json", subject=str(path))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                fields = _Reader(content).fields()
    except FileNotFoundError:
        problem = f"there is no file {path}; correct the path, or choose one of maieutic models"
        raise ModelError(problem, subject=str(path)) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror})", subject=str(path)) from None
    except (struct.error, ValueError, KeyError, UnicodeDecodeError):
        problem = f"the header of {path} is damaged or unfinished; download the file again"
        raise ModelError(problem, subject=str(path)) from None
    architecture = str(fields.get("general.architecture", ""))
    window, template = fields.get(f"{architecture}.context_length"), fields.get("tokenizer.chat_template")
    return GgufHeader(
        architecture,
        window if isinstance(window, int) else 0,
        template.strip() if isinstance(template, str) else "",
    )


class _Reader:
    """Reads values one after another.

    Raises:
        struct.error: the file ends within a value.
        ValueError: its version or the length of a value is impossible.
        KeyError: a value has an unknown type.
    """

    def __init__(self, content: mmap.mmap) -> None:
        self._content, self._place = content, len(MAGIC)

    def fields(self) -> dict[str, Any]:
        """The values by their names; None for lists."""
        version = self._number("I")
        if version not in VERSIONS:
            raise ValueError(f"version {version}")
        self._number("Q")  # of tensors
        return {self._text(): self._value(self._number("I")) for _ in range(self._number("Q"))}

    def _value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text()
        if kind == _LIST:
            return self._skip_list()
        return self._number(_NUMBERS[kind])

    def _number(self, form: str) -> Any:
        (value,) = struct.unpack_from(f"<{form}", self._content, self._place)
        self._place += struct.calcsize(f"<{form}")
        return value

    def _text(self) -> str:
        begin = self._skipped(self._number("Q"))
        return self._content[begin : self._place].decode("utf-8", "replace")

    def _skip_list(self) -> None:
        kind, length = self._number("I"), self._number("Q")
        if kind not in (_TEXT, _LIST):
            self._skipped(length * struct.calcsize(f"<{_NUMBERS[kind]}"))
            return
        for _ in range(length):
            self._skip_list() if kind == _LIST else self._skipped(self._number("Q"))

    def _skipped(self, size: int) -> int:
        """Move on by ``size`` bytes; returns the place before."""
        begin, self._place = self._place, self._place + size
        if self._place > len(self._content):
            raise ValueError("the file ends too early")
        return begin
