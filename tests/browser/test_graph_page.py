"""The page of a graph in a browser: search, thresholds and conflicts, with ten thousand triples."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

pytest.importorskip("rapidfuzz")

from maieutic.distil.criticise import Judged
from maieutic.distil.page import graph_page
from maieutic.distil.triples import Triple
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.slow

SIZE = 10_000


def page() -> str:
    rows = []
    for n in range(SIZE):
        head = "<img src=x onerror=alert(1)>" if n < 10 else f"a thing {n // 10}"
        triple = Triple(str(n), head, "Is", f"tail {n}", f"{head} is tail {n}.")
        rows.append(Judged(triple, None, None, n / SIZE, 0, (str(n ^ 1),)))
    return graph_page(rows)


def test_heads_are_found_and_their_triples_shown_with_conflicts(open_page: OpenPage) -> None:
    browser = open_page(page())
    note = browser.find_element(By.CLASS_NAME, "note")
    assert note.text.startswith("10,000 triples about 1,000 heads")
    search = browser.find_element(By.ID, "search")
    search.send_keys("thing 999")
    assert note.text == "10 triples about 1 heads"
    rows = browser.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert len(rows) == 10
    assert "tail 9999" in rows[0].text
    assert "conflicts with: a thing 999 is tail 9998." in rows[0].text
    search.clear()
    search.send_keys("onerror")
    assert "<img src=x onerror=alert(1)> is tail 9." in browser.find_element(By.TAG_NAME, "tbody").text
    Select(browser.find_element(By.ID, "level")).select_by_index(0)
    assert note.text == "0 triples about 0 heads"
