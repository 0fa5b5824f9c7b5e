"""share/plot/report.py in a browser: it renders, nothing is cut off at 1280 and at 400 pixels, it is one file, and it says what the files say.
SKIPped where there is no chromium."""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import h5py
import matplotlib.image
import numpy as np

import study_files

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
from results import SHARE, tap  # noqa: E402

PLOT = os.path.join(SHARE, "plot")
BROWSER = shutil.which("chromium")
SWITCHES = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
            "--disable-sync --allow-file-access-from-files").split()
# In a frame of each width: what sticks out of the window, and is in no box that scrolls; what is hidden in a box that does not.
LOOK = """
<script>
function look(frame) {
  const page = frame.contentDocument, window_ = frame.contentWindow, width = page.documentElement.clientWidth, bad = [];
  const scrolls = e => { for (; e; e = e.parentElement) if (/auto|scroll/.test(window_.getComputedStyle(e).overflowX)) return true; return false; };
  let scrolling = 0, drawn = 0;
  for (const e of page.body.querySelectorAll("*")) {
    const box = e.getBoundingClientRect(), style = window_.getComputedStyle(e);
    if (/auto|scroll/.test(style.overflowX) && e.scrollWidth > e.clientWidth) scrolling++;
    if (/^(path|use)$/.test(e.tagName) && box.width > 0) drawn++;
    if (box.width == 0 || scrolls(e)) continue;
    if (box.right > width + 1 || box.left < -1) bad.push(e.tagName + " " + Math.round(box.left) + ".." + Math.round(box.right));
    if (/hidden|clip/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 1 && !e.ownerSVGElement) bad.push(e.tagName + " hides");
    if (style.textOverflow == "ellipsis") bad.push(e.tagName + " abridges");
  }
  return {asked: +frame.width, width, page: page.documentElement.scrollWidth, height: page.documentElement.scrollHeight, bad, scrolling, drawn,
          sections: page.querySelectorAll("section").length, lines: page.body.innerText.split("\\n").length};
}
onload = () => { document.body.dataset.seen = JSON.stringify([...document.querySelectorAll("iframe")].map(look)); };
</script>
"""


def browser(folder, *arguments):
    done = subprocess.run([BROWSER, *SWITCHES, "--user-data-dir=" + folder + "/profile", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def report(folder, *files):
    done = subprocess.run([sys.executable, os.path.join(PLOT, "report.py"), *files, "-o", folder + "/report.html"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and not done.stderr, done.stderr
    with open(folder + "/report.html", encoding="utf-8") as page:
        return page.read()


def seen(folder, width, files, change=lambda page: page):
    page = change(report(folder, *files))
    with open(folder + "/frames.html", "w", encoding="utf-8") as out:
        out.write("<!DOCTYPE html><body>" + "".join('<iframe width="%d" height="900" frameborder="0" srcdoc="%s"></iframe>' % (w, html.escape(page)) for w in width)
                  + LOOK)
    dumped = browser(folder, "--dump-dom", "file://" + folder + "/frames.html")
    return page, json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dumped).group(1)))


def rendered():
    with tempfile.TemporaryDirectory(prefix="bf_report_") as folder:
        files = [study_files.quantization(folder + "/q.h5"), study_files.hard(folder + "/hard.h5"),
                 study_files.write(folder + "/n.h5", "norms", {"layer.norm": ["none", "rms"]}, [], {"loss": lambda point: len(point["layer.norm"])})]
        page, frames = seen(folder, (1280, 400), files)
        for frame in frames:
            assert frame["sections"] == 3 and frame["drawn"] > 100 and frame["lines"] > 60 and not frame["bad"], frame
            assert frame["width"] in (frame["asked"], frame["asked"] - 15) and frame["page"] <= frame["width"], frame  # 15: the bar that scrolls the page
        assert frames[1]["scrolling"] > frames[0]["scrolling"] >= 1, frames
        found = re.findall(r'(?:src|href)="([^"#]*)"|@import|url\(([^#)][^)]*)\)', page)
        assert not [word for pair in found for word in pair if word], found  # nothing from elsewhere
        assert "<script" not in page and "&lt;b&gt;aaa" in page


def eight(path):
    """A table of eight measures, each a mean with its error, of as many letters as there can be."""
    return study_files.write(path, "eight", {"quantize.cells": [4, 8, 16, 32], "data.sample.seed": [1, 2, 3]}, ["data.sample.seed"],
                             {name: lambda point, k=k: 1.2345e-5 * (k + 1) / (point["quantize.cells"] * 0.77777 + point["data.sample.seed"] * 0.1)
                              for k, name in enumerate("program refined least median largest pontryagin excess lipschitz".split())},
                             [("excess", "quantize.cells", -1), ("least", "quantize.cells", -0.5)])


def whole():
    """Eight measures need no bar at 1280 pixels, where the column of text alone would; in print nothing scrolls and nothing sticks out of A4."""
    def narrow(page):
        assert "max-width: calc(100vw - 3rem)" in page
        return page.replace("max-width: calc(100vw - 3rem)", "max-width: 100%")

    def printed(page):
        assert page.count("@media print") == 1
        return page.replace("@media print", "@media all")

    with tempfile.TemporaryDirectory(prefix="bf_report_") as folder:
        files = [eight(folder + "/8.h5"), study_files.quantization(folder + "/q.h5")]
        frame = seen(folder, (1280,), files)[1][0]
        assert frame["scrolling"] == 0 and not frame["bad"] and frame["page"] <= frame["width"], frame
        assert seen(folder, (1280,), files, narrow)[1][0]["scrolling"] == 1
        frame = seen(folder, (718,), files + [study_files.hard(folder + "/hard.h5")], printed)[1][0]  # A4 less margins of a centimetre
        assert frame["scrolling"] == 0 and not frame["bad"] and frame["page"] <= frame["width"], frame


def found_out():
    """A page that is cut off is noticed."""
    with tempfile.TemporaryDirectory(prefix="bf_report_") as folder:
        page = report(folder, study_files.hard(folder + "/hard.h5"))
        assert ".box { overflow-x: auto;" in page
        for broken in (page.replace(".box { overflow-x: auto;", ".box { overflow-x: visible;"), page.replace(".box { overflow-x: auto;", ".box { overflow-x: hidden;")):
            with open(folder + "/frames.html", "w", encoding="utf-8") as out:
                out.write("<!DOCTYPE html><body>" + '<iframe width="400" height="900" srcdoc="%s"></iframe>' % html.escape(broken) + LOOK)
            dumped = browser(folder, "--dump-dom", "file://" + folder + "/frames.html")
            assert json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dumped).group(1)))[0]["bad"]


def painted():
    """What the browser paints has the figure's blue and orange, and writing."""
    with tempfile.TemporaryDirectory(prefix="bf_report_") as folder:
        report(folder, study_files.quantization(folder + "/q.h5"))
        browser(folder, "--window-size=1280,1600", "--screenshot=" + folder + "/page.png", "file://" + folder + "/report.html")
        image = matplotlib.image.imread(folder + "/page.png")[:, :, :3]
        for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0)):
            assert (np.abs(image - np.array(colour) / 255).max(axis=2) < 0.05).sum() > 200, colour
        assert 0.005 < (image.max(axis=2) < 0.4).mean() < 0.3


def words():
    """What it says of fits, failures and origin."""
    with tempfile.TemporaryDirectory(prefix="bf_report_") as folder:
        page = html.unescape(re.sub(r"<[^>]*>", "", report(folder, study_files.quantization(folder + "/q.h5", failed=[7]))))
        for word in ("The value of the quantized problem tends", "[ASY26] Theorem 4", "error goes like quantize.cells", "expected \N{MINUS SIGN}1: as expected",
                     "Points that failed: 1", "solve: p.yaml: <no> & no", "80 points; done 79, failed 1", "bellformer study s.yaml -o s.h5", "4 ranks, 1 node,",
                     "name: quantization"):
            assert word in page, word
        with h5py.File(folder + "/q.h5", "a") as file:
            file["fits/00"].attrs.update(expect=-3.0, within_low=-4.0, within_high=-2.0, inside=0)
        page = html.unescape(re.sub(r"<[^>]*>", "", report(folder, folder + "/q.h5")))
        assert "expected -3, or in [-4, -2]: flatter than expected".replace("-", "\N{MINUS SIGN}") in page, page
        page = html.unescape(re.sub(r"<[^>]*>", "", report(folder, folder + "/q.h5", study_files.quantization(folder + "/none.h5", failed=range(80)))))
        assert "0 of 2 as expected, 2 without an answer" in page and "1 of 2 as expected" in page, page
        page = report(folder, folder + "/none.h5")
        assert "not fitted: fewer than two x" in page and "done 0, failed 80" in page



if not BROWSER:
    print("1..0 # SKIP no chromium (apt-get install chromium)")
    sys.exit(0)
tap([("rendered at 1280 and 400 pixels", rendered), ("eight measures without a bar, and in print", whole),
     ("what is cut off is noticed", found_out), ("painted", painted), ("words", words)])
