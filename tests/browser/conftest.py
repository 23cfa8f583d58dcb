"""Pages in headless Chromium. What a page logs or asks the network for fails the test that opened it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Set before a page's own scripts run: a dialog that any of them opens is noted instead.
TRAP = (
    "window.opened = []; window.alert = window.confirm = window.prompt = (text) => window.opened.push(text);"
)

OpenPage = Callable[[str], Chrome]
Look = Callable[[int, str], None]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for all tests."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with Chrome(options=options, service=Service(executable_path=driver)) as chrome:
        chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": TRAP})
        yield chrome


@pytest.fixture
def look(chromium: Chrome) -> Look:
    """Set how wide the window is, in CSS pixels, and which colours the reader prefers."""

    def look(width: int, scheme: str) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        preference = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", preference)

    return look


@pytest.fixture
def open_page(chromium: Chrome, look: Look, tmp_path: Path) -> Iterator[OpenPage]:
    """Open HTML from a file, in light colours, 1440 pixels wide; at the end nothing may have gone wrong."""
    opened: list[str] = []

    def open_page(source: str) -> Chrome:
        path = tmp_path / f"page{len(opened)}.html"
        path.write_text(source, encoding="utf-8")
        opened.append(path.as_uri())
        chromium.get(opened[-1])
        return chromium

    look(1440, "light")
    chromium.get("about:blank")
    _logged(chromium, "browser")  # forgets what other tests did
    _logged(chromium, "performance")
    yield open_page
    assert chromium.execute_script("return window.opened") == []
    assert _logged(chromium, "browser") == []
    assert [url for url in _requested(chromium) if not url.startswith("data:")] == opened


def _logged(chromium: Chrome, kind: str) -> list[dict[str, Any]]:
    """What was logged since the last call."""
    read: Callable[[str], list[dict[str, Any]]] = chromium.get_log
    return read(kind)


def _requested(chromium: Chrome) -> list[str]:
    """The addresses that were asked for."""
    messages = (json.loads(entry["message"])["message"] for entry in _logged(chromium, "performance"))
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
