"""What src/README.md draws, and how long things are, read from the sources.

Circles: a header is in one if it includes, by others, itself; a .c file if it calls, by others, a function of its own: neither can be understood
or tried without the other then. Types that a header gives make no circle: a registry and its rows know one struct.
Arrows: a folder uses (includes, or calls a function of) only those that stand below it.
Sizes: no function of more than 8 parameters or about 60 lines, no file of more than 400."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARAMETERS, LINES, FILE = 8, 64, 400
# The picture: a folder, and those below it that it may use; below those of one row none knows another.
MATHEMATICS = "cost layer quantize kernel enclose run"
BELOW = {
    "main": "command check study solve flow heads certify train model plugin problem checkpoint store " + MATHEMATICS,
    "command": "check study solve flow heads certify train model plugin problem checkpoint store " + MATHEMATICS,
    "check": "model problem store cost layer quantize kernel run",  # not enclose: what it checks was made with that
    "study": "train model plugin problem checkpoint store " + MATHEMATICS,
    "solve": "train model plugin problem checkpoint store " + MATHEMATICS,
    "flow": "train model plugin problem checkpoint store " + MATHEMATICS,
    "heads": "train model plugin problem checkpoint store " + MATHEMATICS,
    "certify": "train model plugin problem checkpoint store " + MATHEMATICS,
    "train": "model plugin problem checkpoint store " + MATHEMATICS,
    "model": "plugin problem store " + MATHEMATICS,
    "problem": "plugin " + MATHEMATICS,
    "plugin": MATHEMATICS,
    "checkpoint": "store run",
    "store": "run",
    "cost": "kernel enclose run",
    "quantize": "kernel run",
    "layer": "kernel enclose run",
    "kernel": "enclose run",
    "enclose": "run",
    "run": "",
}
STRANGERS = [("solve/full", "solve/reachable")]  # within a folder
# A public header is of the folder of its name; these are not.
HEADERS = {"api": "run", "error": "run", "estimate": "run", "kind": "run", "splitmix64": "run", "options": "run", "with_mpi": "run", "version": "run", "term": "layer", "form": "layer",
           "bellformer": "main", "main": "main"}


def sources():
    """{path: text}"""
    found = {}
    for top in ("src", "include"):
        for where, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.join(where, name)
                    with open(path) as f:
                        found[os.path.relpath(path, ROOT)] = f.read()
    return found


def bare(text):
    """Without comments and strings, line for line."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r"BF_KERNEL\(\w+\)", "", re.sub(r'"(\\.|[^"\\\n])*"', '""', text))  # one for each instruction set: called by tables


def folder(path):
    parts = path.split("/")
    if parts[0] == "include":
        name = parts[-1].split(".")[0]
        return HEADERS.get(name, name)
    return "/".join(parts[1:-1]) or "main"


def includes(path, text, files):
    for name in re.findall(r'^#include "([^"]+)"', text, re.M):
        for place in ("src/" + name, "include/" + name, os.path.normpath(os.path.join(os.path.dirname(path), name))):
            if place in files:
                yield place
                break


def functions(text):
    """(name, parameters, lines) of each function that the text defines."""
    for m in re.finditer(r"^([A-Za-z_][\w \*]*?\b(\w+)\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\))\s*\{", text, re.M):
        end = text.find("\n}", m.start())
        one = text.find("\n", m.start())
        stop = one if text[m.start():one].rstrip().endswith("}") else end
        yield m.group(2), parameters(m.group(3)), text[m.start():stop].count("\n") + (1 if stop == one else 2), text[m.start():m.start(2)]


def parameters(text):
    depth = commas = 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        commas += letter == "," and depth == 0
    return 0 if text.strip() in ("", "void") else commas + 1


def declarations(text):
    return re.findall(r"\b(bf_\w+)\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\s*(?:__attribute__\(\(.*\)\)\s*)?;", text)


def calls(code):
    """{file: {file: names}}: which .c file uses which functions of another."""
    home, uses = {}, {}
    for path, text in code.items():
        if path.endswith(".c"):
            for name, _, _, before in functions(text):
                if name.startswith("bf_") and "static" not in before:
                    home[name] = None if name in home else path  # None: in several, chosen by the linker
    for path, text in code.items():
        for name in set(re.findall(r"\bbf_\w+", text)) if path.endswith(".c") else ():
            if home.get(name) not in (None, path):
                uses.setdefault(path, {}).setdefault(home[name], set()).add(name)
    return uses


def circles(edges):
    """Sets of nodes that reach each other (Tarjan)."""
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            at = stack.index(node)
            if len(stack) - at > 1 or node in edges.get(node, ()):
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in list(edges):
        if node not in number:
            visit(node)
    return found


def check_circles(files, code, uses):
    wrong = ["headers include each other: " + " ".join(c) for c in
             circles({path: list(includes(path, text, files)) for path, text in files.items() if path.endswith(".h")})]
    for circle in circles(uses):
        wrong.append("files call each other: " + " ".join(circle))
        wrong += ["    %s calls %s of %s" % (a, " ".join(sorted(uses[a][b])[:3]), b) for a in circle for b in circle if b in uses.get(a, {})]
    return wrong


def check_arrows(files, uses):
    wrong = set()
    for path, text in files.items():
        for other, what in [(o, "includes " + o) for o in includes(path, text, files)] + [(o, "calls " + min(n)) for o, n in uses.get(path, {}).items()]:
            a, b = folder(path), folder(other)
            x, y = a.split("/")[0], b.split("/")[0]
            if x != y and y not in BELOW.get(x, "").split() or (a, b) in STRANGERS or (b, a) in STRANGERS:
                wrong.add("%s (%s) %s (%s)" % (path, a, what, b))
    return sorted(wrong)


def check_sizes(files, code):
    wrong = ["%s has %d lines" % (path, text.count("\n")) for path, text in files.items() if text.count("\n") > FILE]
    for path, text in code.items():
        many = {name: count for name, count, _, _ in functions(text)}
        many.update({name: parameters(inside) for name, inside in (declarations(text) if path.endswith(".h") else ())})
        wrong += ["%s: %s has %d parameters" % (path, name, count) for name, count in many.items() if count > PARAMETERS]
        wrong += ["%s: %s has %d lines" % (path, name, lines) for name, _, lines, _ in functions(text) if lines > LINES]
    return sorted(wrong)


def check_independence(code):
    """The checker of certificates calls nothing of what made them: no entry of a kind that bounds, and no function that asks one."""
    return ["%s calls %s" % (path, m.group().strip(" (")) for path, text in sorted(code.items()) if path.startswith("src/check/")
            for m in re.finditer(r"(->|\.)\s*(bound|features|support|upper|reads|minorant)\s*\(|\bbf_(layer_bound|layer_unbounded|affine|enclose|certify)\w*", text)]


def is_found_out():
    """What is wrong is noticed: in sources that have one of each."""
    files = {"src/run/a.h": '#include "run/b.h"\n', "src/run/b.h": '#include "run/a.h"\n#include "store/c.h"\n', "src/store/c.h": "",
             "src/run/a.c": "void bf_a(void) {\n  bf_b();\n}\n", "src/run/b.c": "int bf_b(int (*f)(int, int), int b[], int c, int d, int e, int f, int g, int h, int i)\n{\n"
             + "  bf_a();\n" * 99 + "}\n", "src/store/c.c": "\n" * 401}
    uses = calls(files)
    circle, arrow, size = check_circles(files, files, uses), check_arrows(files, uses), check_sizes(files, files)
    assert len([c for c in circle if "each other" in c]) == 2, circle
    assert arrow == ["src/run/b.h (run) includes src/store/c.h (store)"], arrow
    assert check_independence({"src/check/a.c": "x = kind->support(c);\ny = x.bound;\nbf_affine_mul(a);\n", "src/cost/a.c": "kind->support(c)"}) == \
        ["src/check/a.c calls ->support", "src/check/a.c calls bf_affine_mul"]
    assert size == ["src/run/b.c: bf_b has 102 lines", "src/run/b.c: bf_b has 9 parameters", "src/store/c.c has 401 lines"], size
    return []


def known_folders(files):
    have = {folder(path).split("/")[0] for path in files}
    return ["no such folder as in the picture here: " + name for name in sorted(set(BELOW) - have)] + \
           ["not in the picture here: " + name for name in sorted(have - set(BELOW))]


files = sources()
code = {path: bare(text) for path, text in files.items()}
uses = calls(code)
number, failed = 0, 0
print("1..6")
for what, wrong in (("what is wrong is noticed", is_found_out()), ("the picture has every folder", known_folders(files)),
                    ("no circle", check_circles(files, code, uses)), ("arrows point down", check_arrows(files, uses)),
                    ("the checker shares no code with what it checks", check_independence(code)),
                    ("no long parameter list, function or file", check_sizes(files, code))):
    number += 1
    failed += bool(wrong)
    print("%sok %d - %s" % ("not " if wrong else "", number, what))
    for line in wrong:
        print("# " + line)
sys.exit(failed > 0)
