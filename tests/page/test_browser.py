"""The page in a real browser, Debian's chromium: it opens, is still, is whole, and fits."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import theorylab as tl
from theorylab.cli import main
from theorylab.kernel import Proved, Refuted, check

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --hide-scrollbars"
)
TABLES = Path(__file__).parents[1] / "experiments" / "tables"
Run = Callable[..., tuple[int, str, str]]

pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason="chromium and its driver: make browser"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS.split(), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    driver.set_page_load_timeout(120)
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def small(made: Path, remembered: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page") / "report.html"
    assert tl.report(made, place).exit_status == 0
    return place


def opened(browser: Any, page: Path, width: int = 1280) -> None:
    metrics = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())


def unfolded(browser: Any) -> None:
    script = "document.querySelectorAll('details').forEach(function (d) { d.open = true; })"
    browser.execute_script(script)


def complaints(browser: Any) -> list[Any]:
    """What the console said, and every file that was asked for beside the page itself."""
    said = [entry for entry in browser.get_log("browser") if entry["level"] != "DEBUG"]
    asked = browser.execute_script(
        "return performance.getEntriesByType('resource').map(function (e) { return e.name; })"
        ".filter(function (n) { return !n.startsWith('data:'); })"
    )
    return [*said, *asked]


# Everything whose box is empty.
BOXES = """
return Array.from(document.querySelectorAll(arguments[0])).filter(function (e) {
  const box = e.getBoundingClientRect();
  return box.width <= 1 || box.height <= 1;
}).map(function (e) { return e.outerHTML.slice(0, 120); });
"""


@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_a_complaint_and_all_is_visible(
    browser: Any, small: Path, width: int
) -> None:
    opened(browser, small, width)
    assert browser.title == "theorylab report"
    assert browser.execute_script("return window.planted") is None
    for fold in (False, True):
        if fold:
            unfolded(browser)
        size = "const e = document.scrollingElement; return [e.scrollWidth, e.clientWidth]"
        scrolled, shown = browser.execute_script(size)
        assert scrolled <= shown == width
    for what in ("svg.tl-drawing", "img", "math", "article.card", "a.save", "h1, h2, h3, h4"):
        found = browser.execute_script(
            "return document.querySelectorAll(arguments[0]).length", what
        )
        assert found and browser.execute_script(BOXES, what) == [], what
    loaded = "return Array.from(document.images).every(i => i.complete && i.naturalWidth > 100)"
    assert browser.execute_script(loaded)
    assert complaints(browser) == []


def test_mathematics_is_laid_out(browser: Any, small: Path) -> None:
    opened(browser, small)
    above = browser.execute_script(
        "const m = Array.from(document.querySelectorAll('msub')).find(e => e.children.length == 2"
        " && e.getBoundingClientRect().height > 0);"
        "const [base, sub] = Array.from(m.children).map(e => e.getBoundingClientRect());"
        "return [base.bottom, sub.bottom, base.right, sub.left, m.namespaceURI]"
    )
    assert above[0] < above[1], "an index stands below its base"
    assert above[2] <= above[3] + 1 and above[4].endswith("MathML")


def test_a_certificate_is_saved_byte_for_byte(
    browser: Any, small: Path, made: Path, tmp_path: Path
) -> None:
    opened(browser, small)
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    name = browser.execute_script(
        "const a = document.querySelector('details.row a.save'); a.click(); return a.dataset.name"
    )
    limit = time.monotonic() + 60
    while not (tmp_path / name).exists() and time.monotonic() < limit:
        time.sleep(0.05)
    raw = (tmp_path / name).read_bytes()
    assert isinstance(check(raw), Proved | Refuted)
    assert any(path.read_bytes() == raw for path in made.rglob(name))
    assert complaints(browser) == []


def test_the_filter_hides_and_shows(browser: Any, small: Path) -> None:
    opened(browser, small)
    count = (
        "return Array.from(document.querySelectorAll('#claims details.row'))"
        ".filter(e => e.offsetParent || e.getClientRects().length)"
        ".filter(e => !arguments[0] || e.dataset.look == arguments[0]).length"
    )
    unfolded(browser)
    before = browser.execute_script(count, "")
    refuted = browser.execute_script(count, "refuted")
    assert 0 < refuted < before
    press = "document.querySelector(`#filter input[value=${arguments[0]}]`).click()"
    browser.execute_script(press, "refuted")
    assert browser.execute_script(count, "refuted") == 0
    assert browser.execute_script(count, "") == before - refuted
    told = browser.execute_script("return document.querySelector('#filter output').textContent")
    assert told == f"{before - refuted} of {before} instances"
    browser.execute_script(press, "refuted")
    assert browser.execute_script(count, "") == before


def test_links_into_folded_parts_open_them(browser: Any, small: Path) -> None:
    opened(browser, small)
    place = browser.execute_script(
        "const a = Array.from(document.querySelectorAll('details:not([open]) a.save')).pop();"
        "location.hash = a.id; return a.id"
    )
    shown = "return document.getElementById(arguments[0]).getBoundingClientRect().height > 0"
    limit = time.monotonic() + 30
    while not browser.execute_script(shown, place) and time.monotonic() < limit:
        time.sleep(0.05)
    assert browser.execute_script(shown, place)


def test_every_command_can_be_copied_with_the_keyboard(browser: Any, small: Path) -> None:
    opened(browser, small)
    found = browser.execute_script(
        "const n = s => document.querySelectorAll(s).length;"
        "return [n('pre.tl-command'), n('.copying > button.copy[aria-label]')]"
    )
    assert found[0] == found[1] > 10
    said = browser.execute_async_script(
        "const b = document.querySelector('button.copy'), end = arguments[0]; b.focus();"
        "const ok = document.activeElement === b; b.click();"
        "setTimeout(() => end([ok, b.textContent]), 300)"
    )
    assert said == [True, "copied"]


def test_colours_can_be_told_from_their_ground(browser: Any, small: Path) -> None:
    """Contrast of 4.5 to 1 (WCAG 2 AA) for every chip, link and quiet word."""
    opened(browser, small)
    pairs = browser.execute_script(
        """
        function ground(e) {
          for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor;
            if (!c.endsWith(', 0)') && c != 'transparent') return c;
          }
          return 'rgb(255, 255, 255)';
        }
        const seen = {};
        const all = '.tl-chip, a, .tl-quiet, dt, th, .net, .tile span, code, td.tl-lemma';
        document.querySelectorAll(all + ', td.tl-refuted, td.tl-open').forEach(function (e) {
          const key = getComputedStyle(e).color + ' on ' + ground(e);
          seen[key] = seen[key] || e.className + ' ' + e.textContent.slice(0, 30);
        });
        return seen;
        """
    )

    def light(colour: str) -> float:
        numbers = [float(n) / 255 for n in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [n / 12.92 if n <= 0.04045 else ((n + 0.055) / 1.055) ** 2.4 for n in numbers]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert len(pairs) > 6
    for pair, where in pairs.items():
        one, two = sorted(light(c) for c in pair.split(" on "))
        assert (two + 0.05) / (one + 0.05) >= 4.5, (pair, where)


def test_it_can_be_read_without_a_script(browser: Any, small: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened(browser, small)
        text = browser.find_element("tag name", "main").text
        assert "joined 3 of 3 pairs" in text and "BibTeX" in text
        hidden = browser.find_element("id", "filter")
        assert not hidden.is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.slow
def test_the_page_of_everything_is_small_and_quick(
    browser: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full verify and all experiments at budget ci: at most 10 MB, open in under 2 s."""
    assert main(["verify", "--out", str(tmp_path), "--json"]) == 0
    own = "max-margin-bias"
    assert main(["experiment", own, "--device", "cpu", "--out", str(tmp_path), "--json"]) == 0
    for table in TABLES.iterdir():
        if table.name != own:
            shutil.copytree(table, tmp_path / table.name)
    capsys.readouterr()
    assert main(["report", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bytes"] <= 10_000_000 and found["findings"] == []
    assert found["instances"] >= 249 and found["experiments"] == 16 and found["claims"] == 28
    assert found["held"] == found["certificates"] and found["records"] == 2
    times = []
    for _ in range(3):
        opened(browser, tmp_path / "report.html")
        script = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
        times.append(browser.execute_script(script))
        assert complaints(browser) == []
    # the best of three: others may be at work on this machine
    assert min(times) < 2_000, times
    for width in (1280, 390):
        opened(browser, tmp_path / "report.html", width)
        unfolded(browser)
        size = "const e = document.scrollingElement; return [e.scrollWidth, e.clientWidth]"
        assert browser.execute_script(size) == [width, width]
        assert browser.execute_script(BOXES, "svg.tl-drawing, img, math") == []
