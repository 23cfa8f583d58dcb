"""Prompt sets: the few-shot prompts of the method, as TOML files.

``paper`` is for base models, which continue plain text; ``chat`` is for instruct models, which have a
chat template; ``agora`` is for the bundled models. To write a prompt set, copy one of the TOML files
beside this module, edit it, and give its path in place of a name. Loading checks every rule.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from maieutic.errors import FileFormatError
from maieutic.prompts.base import PromptSet
from maieutic.prompts.parse import parse_prompts

__all__ = ["PromptSet", "builtin_names", "load_prompts"]


def builtin_names() -> list[str]:
    """The names of the prompt sets that ship with the package, sorted."""
    names = (Path(entry.name) for entry in resources.files(__name__).iterdir())
    return sorted(name.stem for name in names if name.suffix == ".toml")


def load_prompts(name_or_path: str | Path) -> PromptSet:
    """Load a built-in set by name, or the TOML file at a path.

    A string that equals a built-in name means that set; write ``./paper`` for a file of that name.

    Raises:
        FileFormatError: the file does not exist, or violates a rule (:mod:`maieutic.prompts.parse`).

    >>> load_prompts("paper").explain("Ice is cold.", side=False).opening
    'A: False, because'
    """
    builtin = builtin_names()
    if isinstance(name_or_path, str) and name_or_path in builtin:
        file = f"{name_or_path}.toml"
        return parse_prompts(resources.files(__name__).joinpath(file).read_text("utf-8"), file)
    try:
        text = Path(name_or_path).read_text(encoding="utf-8-sig")
    except OSError as error:
        remedy = f"give a TOML file or the name of a built-in prompt set ({', '.join(builtin)})"
        problem = f"cannot be read ({error.strerror}); {remedy}"
        raise FileFormatError(name_or_path, None, problem) from error
    except UnicodeDecodeError as error:
        raise FileFormatError(name_or_path, None, "this is not UTF-8 text; save it as UTF-8") from error
    return parse_prompts(text, name_or_path)
