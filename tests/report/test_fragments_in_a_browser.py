"""All faces on one dark page in Debian's Chromium: laid out, readable, nothing over the edge."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faces import MAKERS, face

pytestmark = pytest.mark.slow

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --disable-dev-shm-usage"
)


# What JupyterLab says of tables and text in an output cell, in its dark theme.
JUPYTER = """
.jp table { border-collapse: collapse; font-size: 12px; table-layout: fixed; margin: auto; }
.jp td, .jp th, .jp tr { vertical-align: middle; text-align: right; padding: 0.5em; color: #eee; }
.jp tbody tr:nth-child(odd) { background: #111; } .jp tbody tr:nth-child(even) { background: #222; }
.jp p, .jp li, .jp h4 { color: #eee; } .jp pre, .jp code { background: #222; color: #eee; }
.jp :not(pre) > code { background-color: #333; } .jp a { color: #64b5f6; }
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    faces = "".join(f"<h4>{kind}</h4>{face(kind)}" for kind in MAKERS)
    head = '<meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>'
    head += f"<style>{JUPYTER}</style>"
    body = f'<body class="jp" style="background:#111;color:#ddd;margin:8px">{faces}</body>'
    place = folder / "faces.html"
    place.write_text(f"<!DOCTYPE html><html><head>{head}</head>{body}</html>", encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield found
    found.quit()


def opened(browser: Any, page: Path, width: int) -> Any:
    sizes = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", sizes)
    browser.get(page.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    return browser


@pytest.mark.parametrize("width", [1280, 390])
def test_faces_fit_the_window_and_raise_no_complaint(browser: Any, page: Path, width: int) -> None:
    found = opened(browser, page, width)
    assert found.execute_script("return document.scrollingElement.scrollWidth") <= width
    wide = found.execute_script(
        "return [...document.querySelectorAll('.theorylab')].filter(e => "
        "e.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert wide == 0
    assert [entry for entry in found.get_log("browser") if entry["level"] != "INFO"] == []
    fetched = found.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name)"
        ".filter(n => !n.startsWith('data:'))"
    )
    assert fetched == []


def test_drawings_and_mathematics_have_visible_boxes(browser: Any, page: Path) -> None:
    found = opened(browser, page, 1280)
    for selector, least in ((".theorylab svg", 30), (".theorylab img", 100), ("math", 5)):
        boxes = found.execute_script(
            "return [...document.querySelectorAll(arguments[0])]"
            ".map(e => e.getBoundingClientRect()).map(b => [b.width, b.height])",
            selector,
        )
        assert boxes, selector
        assert all(w >= least and h >= 5 for w, h in boxes), (selector, boxes)
    broken = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    assert found.execute_script(broken) == 0


def test_ink_stands_out_from_the_ground_on_a_dark_page(browser: Any, page: Path) -> None:
    """Contrast of every word by WCAG: 4.5 for text."""
    found = opened(browser, page, 1280)
    poor = found.execute_script(
        """
        const numbers = c => c.match(/[0-9.]+/g).map(Number);
        const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const light = ([r, g, b]) => 0.2126*channel(r) + 0.7152*channel(g) + 0.0722*channel(b);
        const ground = e => {
          for (; e; e = e.parentElement) {
            const c = numbers(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] > 0) return c;
          }
          return [255, 255, 255];
        };
        const poor = new Set();
        for (const e of document.querySelectorAll('.theorylab *')) {
          if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
          const svg = e.ownerSVGElement;
          if (e.closest('title')) continue;
          const style = getComputedStyle(e);
          const a = light(numbers(svg ? style.fill : style.color)), b = light(ground(e));
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          if (ratio < 4.5) poor.add(`${e.tagName} ${e.className} ${ratio.toFixed(2)}`);
        }
        return [...poor];
        """
    )
    assert poor == []
