"""A page as the output of a notebook's cell.

The page stands in a sandboxed frame: its script runs without access to the notebook, and the style of neither
reaches the other. Jupyter, VS Code and Colab show such frames without a network.
"""

from __future__ import annotations

import html

__all__ = ["frame"]

_STYLE = "width: 100%; height: 40rem; border: 1px solid #8888; border-radius: 6px; resize: vertical;"


def frame(page: str) -> str:
    """The page in an ``iframe``, as HTML.

    >>> frame('<p title="a">b').partition(" srcdoc=")[2]
    '"&lt;p title=&quot;a&quot;&gt;b"></iframe>'
    """
    return (
        f'<iframe title="answer" sandbox="allow-scripts" style="{_STYLE}"'
        f' srcdoc="{html.escape(page)}"></iframe>'
    )
