"""Chat templates that print today's date get a fixed one, so that a prompt is the same tomorrow."""

from __future__ import annotations

from datetime import datetime

__all__ = ["TEMPLATE_DATE", "with_fixed_date"]

TEMPLATE_DATE = datetime(2025, 1, 1, 12)  # what ``strftime_now`` formats: noon of a Wednesday

_DIRECTIVES = "YyGmBbhdejaAuwHIMSfpjUWVxXcDFTRsZz"


def with_fixed_date(template: str) -> str:
    """The template with a ``strftime_now`` of its own, which formats :data:`TEMPLATE_DATE`.

    Transformers' own function asks the clock, and cannot be replaced by an argument, because templates get
    plain data only. A macro of the same name stands before it.

    >>> with_fixed_date("{{ messages[0].content }}")
    '{{ messages[0].content }}'
    """
    if "strftime_now" not in template:
        return template
    texts = {f"%{one}": TEMPLATE_DATE.strftime(f"%{one}") for one in _DIRECTIVES}
    texts |= {f"%-{one}": str(int(texts[f"%{one}"])) for one in "mdHIMSjUWy"}
    replaced = "".join(f".replace({name!r},{text!r})" for name, text in texts.items())
    # The empty output keeps a newline at the start of the template: Jinja drops one after a block.
    macro = "{%- macro strftime_now(format) -%}{{ format" + replaced + " }}{%- endmacro -%}{{ '' }}"
    return macro + template
