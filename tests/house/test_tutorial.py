"""share/doc/tutorial.md is typed, block by block, in an empty folder with an installation beside it: every command ends well, and what the text
says comes out (lines in their order; numbers to a part in a thousand; `...` stands for any rest of a line)."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SHARE = os.path.join(HERE, "..", "..", "share")
BELLFORMER = os.environ["BELLFORMER"]
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?$")


def blocks(path):
    """(kind, name, text) of every fenced block."""
    with open(path) as f:
        return [(kind, name.strip(), text) for kind, name, text in re.findall(r"^```(\w+)([^\n]*)\n(.*?)^```$", f.read(), re.S | re.M)]


def installation(folder):
    """bin/bellformer and share/bellformer, as `meson install` lays them out."""
    os.makedirs(folder + "/bin")
    os.makedirs(folder + "/share")
    os.symlink(BELLFORMER, folder + "/bin/bellformer")
    os.symlink(os.path.abspath(SHARE), folder + "/share/bellformer")
    return folder


def word_matches(told, seen):
    ends = [re.match(r"(.*?)([,;:)]*)$", word).groups() for word in (told, seen)]
    (a, x), (b, y) = ends
    if x != y:
        return False
    if NUMBER.match(a) and NUMBER.match(b) and ("." in a or "e" in a):
        return abs(float(a) - float(b)) <= 1e-3 * max(abs(float(a)), abs(float(b)), 1e-30)
    return a == b


def line_matches(told, seen):
    told, seen = told.split(), seen.split()
    if told and told[-1].endswith("..."):
        begin = told.pop()[:-3]
        return len(seen) > len(told) and seen[len(told)].startswith(begin) and all(map(word_matches, told, seen))
    return len(told) == len(seen) and all(map(word_matches, told, seen))


def missing(told, seen):
    """The first line of the text that does not come, in its order, in the output; None where all do."""
    at, seen = 0, seen.splitlines()
    for line in filter(None, map(str.strip, told.splitlines())):
        found = [i for i in range(at, len(seen)) if line_matches(line, seen[i])]
        if not found:
            return line
        at = found[0] + 1
    return None


def run_blocks(path):
    """Yields (what, whether it is right, what to say)."""
    with tempfile.TemporaryDirectory(prefix="bf_tutorial_") as folder:
        home, work, said = installation(folder + "/home"), folder + "/work", ""
        os.mkdir(work)
        environment = {**os.environ, "PATH": home + "/bin:" + os.environ["PATH"]}
        for kind, name, text in blocks(path):
            if name:
                with open(os.path.join(work, name), "w") as out:
                    out.write(text)
            elif kind == "sh":
                done = subprocess.run(["sh", "-euc", text], cwd=work, env=environment, capture_output=True, text=True, timeout=600)
                said = done.stdout
                yield text.splitlines()[0], done.returncode == 0 and not done.stderr, done.stderr + done.stdout
            elif kind == "text":
                line = missing(text, said)
                yield "says " + text.splitlines()[0], line is None, "not said: %s\n%s" % (line, said)


def self_test():
    assert missing("a 1.0005\nb ...", "x\na 1.0\nc\nb 2\n") is None
    assert missing("a 1.01", "a 1.0") and missing("b\na", "a\nb") and missing("a 2", "a 3") and missing("loss 0.18...", "loss 0.19")
    assert missing("loss 0.18...", "loss 0.1812345") is None


self_test()
failed, results = 0, list(run_blocks(os.path.join(SHARE, "doc", "tutorial.md")))
print("1..%d" % (len(results) + 1))
for number, (what, right, say) in enumerate(results, 1):
    print("%sok %d - %s" % ("" if right else "not ", number, what.replace("#", "").strip()))
    if not right:
        failed += 1
        for line in say.splitlines():
            print("# " + line)
enough = len(results) >= 15
print("%sok %d - enough blocks were found" % ("" if enough else "not ", len(results) + 1))
sys.exit(failed > 0 or not enough)
