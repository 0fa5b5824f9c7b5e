"""Every folder's README names every file of it, and none that is not there. A folder without one is the matter of that above."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNSAID = {"README.md", "meson.build"}
ENDINGS = "c|h|py|sh|md|yaml|csv|sbatch|dict|so|png|cff"


def all_files():
    """As git has them; in a copy without git, all that are there but in build folders."""
    done = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True)
    if done.returncode == 0 and done.stdout:
        return [name for name in done.stdout.splitlines() if os.path.exists(os.path.join(ROOT, name))]
    found = []
    for top, folders, here in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith((".", "build", "__", "demo", "studies"))]
        found += [os.path.relpath(os.path.join(top, name), ROOT) for name in here]
    return found


def text_of(folder):
    with open(os.path.join(ROOT, folder, "README.md")) as f:
        return f.read()


def spread(word):
    """`a.{c,h}` stands for two."""
    inner = re.search(r"\{([^}]*)\}", word)
    return [word[:inner.start()] + part + word[inner.end():] for part in inner.group(1).split(",")] if inner else [word]


def quoted(text):
    """Words in backquotes, and what a link leads to."""
    words = re.findall(r"`([^`\n]+)`|\]\(([^)]+)\)", text)
    return {one for pair in words for word in " ".join(pair).split() for one in spread(word)}


def is_told(path, words):
    """By its name, with or without ending, by a pattern, with a folder that is named with a slash; a header also by its .c file."""
    parts, stem = path.split("/"), os.path.splitext(path)[0]
    names = {path, stem} | ({stem + ".c"} if path.endswith(".h") else set())
    above = {"/".join(parts[:i]) + "/" for i in range(1, len(parts))}
    return any(word in names or word in above or word + "/" in above or
               "*" in word and re.fullmatch(re.escape(word).replace(r"\*", ".*"), path) for word in words)


def untold(files):
    """README's folder: files that it should name and does not."""
    lacks = {}
    for name in files:
        if os.path.basename(name) in UNSAID or "/" not in name or name.startswith("."):
            continue
        folder = os.path.dirname(name)
        while folder and folder + "/README.md" not in files:
            folder = os.path.dirname(folder)
        lacks.setdefault(folder or ".", [])
        if not is_told(os.path.relpath(name, folder or "."), quoted(text_of(folder or "."))):
            lacks[folder or "."].append(os.path.relpath(name, folder or "."))
    return lacks


def lost(folder):
    """Files named in the first column of a README's tables that are not there."""
    rows = re.findall(r"^\|([^|]*)\|", text_of(folder), re.M)
    words = {word for row in rows for word in quoted(row) if re.fullmatch(r"[\w./-]+\.(?:%s)" % ENDINGS, word)}
    return sorted(word for word in words if not any(os.path.exists(os.path.join(ROOT, top, word)) for top in (folder, "src", "include", ".")))


files = set(all_files())
lacks, failed = untold(files), 0
print("1..%d" % len(lacks))
for number, folder in enumerate(sorted(lacks), 1):
    gone = lost(folder)
    failed += bool(lacks[folder] or gone)
    print("%s %d - %s" % ("not ok" if lacks[folder] or gone else "ok", number, folder))
    if lacks[folder]:
        print("# %s/README.md does not name: %s" % (folder, " ".join(sorted(lacks[folder]))))
    if gone:
        print("# %s/README.md names what is not there: %s" % (folder, " ".join(gone)))
sys.exit(failed > 0)
