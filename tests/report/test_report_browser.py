"""The page in a real browser: nothing sticks out of a wide or a phone-sized window, and both colour schemes."""

import json
import re
import shutil
import subprocess
from urllib.parse import unquote

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--virtual-time-budget=3000", "--window-size=1400,900", "--dump-dom",
]  # fmt: skip
# Chromium's window cannot be as narrow as a phone's, a frame can; a frame of the same file is opaque to its parent,
# so the page looks at itself and tells by a message.
FRAME = '<script>onmessage = e => document.body.dataset.found = e.data</script><iframe style="width:{}px" src="{}">'
LOOK = """<script>addEventListener("load", () => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const out = [...document.querySelectorAll("body *")].filter(e => !e.closest("pre") &&
    (e.getBoundingClientRect().right > innerWidth + 1 || e.matches(".scroll") && e.scrollWidth > e.clientWidth + 1));
  const outside = out.map(e => `${e.tagName} ${e.className} ${e.textContent.slice(0, 30)}`);
  const videos = [...document.querySelectorAll("video")].map(v => v.error ? "broken" : "whole");
  const shown = [...document.querySelectorAll(".panel")].filter(p => p.offsetHeight > 0).length;
  const colour = getComputedStyle(document.body).backgroundColor;
  parent.postMessage(encodeURIComponent(JSON.stringify({width: innerWidth, outside, videos, shown, colour})), "*");
});</script>"""


def look(folder, tmp_path, width, *flags):
    """What the page says of itself in a window of some width."""
    copy = shutil.copytree(folder, tmp_path / f"copy{width}{len(flags)}")
    page = copy / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", LOOK + "</body>"), encoding="utf-8")
    frame = copy / "frame.html"
    frame.write_text(FRAME.format(width, "index.html"))
    profile = tmp_path / f"profile{width}{len(flags)}"
    done = subprocess.run(
        [
            CHROMIUM,
            *FLAGS,
            *flags,
            f"--user-data-dir={profile}",
            "--window-size=1400,900",
            "--dump-dom",
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found, done.stdout[-500:]
    return json.loads(unquote(found[1]))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_sticks_out(page, tmp_path, width):
    found = look(page.folder, tmp_path, width)
    assert found["width"] == width
    assert found["outside"] == []
    assert set(found["videos"]) <= {"whole"}
    assert found["shown"] == 1, "curves against steps or the clock, not both"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_dark_where_dark_is_preferred(page, tmp_path):
    light = look(page.folder, tmp_path, 600)["colour"]
    dark = look(page.folder, tmp_path, 600, "--blink-settings=preferredColorScheme=0")["colour"]
    brightness = [sum(map(int, re.findall(r"\d+", colour))) / 3 for colour in (light, dark)]
    assert brightness[0] > 200
    assert brightness[1] < 60
