"""What documents name is there: files in share/doc/theory.md; the version and the papers in CITATION.cff and CHANGELOG.md; the demo
is small."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def text(*name):
    with open(os.path.join(ROOT, *name)) as f:
        return f.read()


def theory():
    """Every file behind a statement; a name without a folder is in that of the name before it in the cell."""
    lost = []
    for line in text("share", "doc", "theory.md").splitlines():
        for cell in line.split("|") if line.startswith("|") else [line]:
            folder = ""
            for word in re.findall(r"`([\w./-]+\.(?:c|h|py|sh|md)|[\w./-]+/)`", cell):
                places = [word] if "/" in word else [os.path.join(folder, word)]
                found = [os.path.join(top, place) for place in places for top in ("", "tests") if os.path.exists(os.path.join(ROOT, top, place))]
                lost += [] if found else [word]
                folder = os.path.dirname(found[0]) if found else folder
    assert not lost, lost


def citation():
    cff, version = text("CITATION.cff"), re.search(r"version: '([\d.]+)'", text("meson.build")).group(1)
    assert re.search(r"^version: %s$" % re.escape(version), cff, re.M) and "## %s" % version in text("CHANGELOG.md"), version
    for number in ("2603.09571", "2606.23235"):
        assert number in cff and number in text("README.md"), number
    try:
        import yaml
    except ImportError:
        return
    tree = yaml.safe_load(cff)
    assert {"cff-version", "message", "title", "authors"} <= set(tree) and len(tree["references"]) == 3
    assert all({"type", "title", "authors"} <= set(r) for r in tree["references"])


def demo():
    """README's first command fills no disk: what info tells of each solve of the demo."""
    from harness import run
    sizes = {}
    for problem, options in re.findall(r"^solve (\S+) \S+((?: -\w+ \w+)*)", text("jobs", "demo.sh"), re.M):
        done = run(["info", os.path.join(ROOT, "share", "problems", problem + ".yaml"), *options.split(), "-o", "demo-of-no-folder.h5"])
        number, unit = re.search(r"result file +(?:at most |about )?([\d.]+) (\w+)", done.stdout).groups()
        sizes[problem] = float(number) * {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
    assert len(sizes) >= 5 and max(sizes.values()) < 5e8, sizes


def main():
    from harness import tap
    tap([("results of the demo", demo), ("files behind the theory", theory), ("citation and changelog", citation)])


main()
