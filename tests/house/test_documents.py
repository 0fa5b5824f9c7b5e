"""What documents name is there: files in share/doc/theory.md; the version and the papers in CITATION.cff and CHANGELOG.md."""
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


def main():
    from harness import tap
    tap([("files behind the theory", theory), ("citation and changelog", citation)])


os.environ.setdefault("BELLFORMER", "")
main()
