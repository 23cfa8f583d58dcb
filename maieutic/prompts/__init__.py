"""Prompt sets: the few-shot prompts of the method, kept as data files.

``paper`` is for base models, which continue plain text, and ``chat`` for instruct models, which
have a chat template. To write another, copy one of the TOML files beside this module, edit it, and
give its path wherever a name is taken; every rule a file must keep is checked when it is loaded.
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

    A string that is a built-in name means that set; write ``./paper`` for a file called so.

    Raises:
        FileFormatError: there is no such file, or it breaks a rule of prompt files.

    >>> load_prompts("paper").explain("Ice is cold.", side=False).opening
    'A: False, because'
    """
    builtin = builtin_names()
    if isinstance(name_or_path, str) and name_or_path in builtin:
        file = f"{name_or_path}.toml"
        return parse_prompts(resources.files(__name__).joinpath(file).read_text("utf-8"), file)
    try:
        text = Path(name_or_path).read_text(encoding="utf-8")
    except OSError as error:
        remedy = f"give a TOML file or the name of a built-in prompt set ({', '.join(builtin)})"
        problem = f"cannot read prompts here ({error.strerror}); {remedy}"
        raise FileFormatError(name_or_path, None, problem) from error
    except UnicodeDecodeError as error:
        raise FileFormatError(name_or_path, None, "this is not UTF-8 text; save it as such") from error
    return parse_prompts(text, name_or_path)
