#!/usr/bin/python3
"""Every call that can fail, failed: run.py [--all] [--case NAME] [--class CLASS] [--rank R] [--only CLASS:N:R] [--share I/N] [-v]

A run on three ranks, two nodes of which one has a rank alone, is traced; then the calls fail one by one. A call is taken once for
each way that led to it (the first and the last of its kind); --all takes every one of them, else a stride of a fixed seed. Always:
one line of ours, exit 1 (2: what a failed call makes look like bad input), no hang, no .part, an old result as it was or the new
one whole; and the same command without a fault then gives the right bits. A failed call may also change nothing."""
import argparse
import filecmp
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import runs  # noqa: E402
from harness import ALONE, LAUNCHED, Result  # noqa: E402

RANKS = 3
LIMIT = float(os.environ.get("BF_FAULT_LIMIT", 90))  # seconds; a run takes about one on an idle machine
MOST = 40  # fault points of a test in CI
IDENTICAL = ("provenance", "problem", "study/records", "certificate/history/seconds")  # these have seconds


def launch(arguments, folder, fault=None, trace=None):
    environment = {**LAUNCHED, "BF_LIMIT_PATIENCE": "3"}
    if fault:
        environment["BF_FAULT"] = fault
    if trace:
        environment["BF_FAULT_TRACE"] = trace
    process = subprocess.Popen(["mpirun", "--quiet", "-n", str(RANKS), runs.program(), *arguments, "-node_size", "2"], cwd=folder,
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        for child in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split():
            os.kill(int(child), 9)
        process.kill()
        process.communicate()
        return None, "", ""
    return process.returncode, out, err


def same(one, other):
    """Bits of every number but provenance."""
    names = [{n for n in x.data if not n.startswith(IDENTICAL)} for x in (one, other)]
    return names[0] == names[1] and all(one.data[n].tobytes() == other.data[n].tobytes() for n in names[0])


def points(case, root):
    """(class, number, name) of the calls of each rank, one for each way that leads there, the first and the last."""
    trace = os.path.join(root, "trace")
    status, _, err = launch(case.arguments, case.folder(os.path.join(root, "work")), trace=trace)
    assert status == 0, (case.name, status, err)
    found, total = [], 0
    for rank in range(RANKS):
        first, last = {}, {}
        for line in open("%s.%d" % (trace, rank)):
            kind, number, name, way = line.split()
            first.setdefault((kind, way), (kind, int(number), name, rank))
            last[kind, way] = (kind, int(number), name, rank)
            total += 1
        found += sorted(set(first.values()) | set(last.values()))
    return found, total


def ours(err):
    return [line for line in err.splitlines() if line.startswith("bellformer: ") and not line.startswith("bellformer: warning: ")]


def others(err):
    """What is neither ours nor the launcher's: stack traces, assertions, messages of libraries."""
    return [line for line in err.splitlines() if re.search(r"HDF5-DIAG|PETSC ERROR|[Aa]ssert|Segmentation|signal|\*\*\*|double free|corrupt|Sanitizer", line)]


def leftovers(folder, points=True):
    """Files that nobody renamed. points: those of a study's points, too: a group of ranks may have been writing one when a rank of another
    ended the run, and Open MPI can end it there without a signal; the start that goes on removes them."""
    found = [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names if name.endswith(".part")]
    return [path for path in found if points or "/points/" not in path]


def saved(folder, out):
    """Whether a run of that result can go on."""
    path = os.path.join(folder, out + ".checkpoint")
    return os.path.isdir(path) and any(re.fullmatch(r"[0-9]+\.h5", name) for name in os.listdir(path))


def goes_on(case, folder):
    """The same command without a fault gives the right bits: goes on where there is a checkpoint."""
    arguments = list(case.arguments) + list(case.again)
    if case.out and "-restart" in arguments and not saved(folder, case.out):
        return same(Result(os.path.join(folder, case.out)), case.wanted) or "the result differs"
    if case.out and "-restart" not in arguments and not case.again and saved(folder, case.out):
        arguments += ["-restart", "auto"]
    done = subprocess.run([runs.program()] + arguments, cwd=folder, capture_output=True, text=True, timeout=120, env=ALONE)
    if done.returncode:
        return "afterwards: exit %d: %s" % (done.returncode, done.stderr.strip())
    if case.out and not same(Result(os.path.join(folder, case.out)), case.wanted):
        return "afterwards: other bits"
    return True


def verdict(case, folder, point):
    """What is wrong with a run in which this call failed; None: nothing."""
    kind, number, name, rank = point
    status, out, err = launch(case.arguments, case.folder(folder), fault="%s:%d:%d" % (kind, number, rank))
    if status is None:
        return "hangs"
    if others(err):
        return "says " + others(err)[0]
    if leftovers(folder, points=False):
        return "leaves " + leftovers(folder, points=False)[0]
    lines = ours(err)
    if status == 0:
        if lines:
            return "exit 0, but says " + lines[0]
        if case.does_without and case.does_without in out:
            return None
        if case.out and not same(Result(os.path.join(folder, case.out)), case.wanted):
            return "exit 0, but other bits"
        return None
    if status not in (1, 2) or len(lines) != 1:
        return "exit %d, %d lines: %s" % (status, len(lines), err.strip()[:300])
    if case.out and case.old:
        path = os.path.join(folder, case.out)
        if not os.path.exists(path):
            return "the old result is gone"
        if not filecmp.cmp(path, os.path.join(case.template, case.old), shallow=False) and not same(Result(path), case.wanted):
            return "the old result was changed"
    answer = goes_on(case, folder)
    if answer is True and leftovers(folder):
        return "leaves, having gone on, " + leftovers(folder)[0]
    return None if answer is True else answer


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--class", dest="kind")
    parser.add_argument("--rank", type=int)
    parser.add_argument("--only")
    parser.add_argument("--most", type=int, default=MOST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", default="0/1")
    parser.add_argument("-v", action="store_true")
    return parser.parse_args()


def chosen(found, options, first):
    found = [p for p in found if (not options.kind or p[0] == options.kind) and (options.rank is None or p[3] == options.rank)]
    if options.only:
        kind, number, rank = options.only.split(":")
        return [(kind, int(number), "?", int(rank))]
    if not options.all:
        random.Random(options.seed).shuffle(found)
        turn = {}
        for point in found:  # every class in turn: there are many more calls of some
            turn.setdefault(point[0], []).append(point)
        found = [p for row in itertools.zip_longest(*sorted(turn.values(), key=lambda row: row[0][0] not in first)) for p in row if p][:max(1, options.most)]
    share, shares = map(int, options.share.split("/"))
    return found[share::shares]


def tried(case, root, options):
    """The calls of a case, how many, which of them failed, what went wrong; in a folder of its own."""
    os.makedirs(root)
    found, total = points(case, root)
    wrong, todo = [], chosen(found, options, case.first)
    for point in todo:
        what = verdict(case, os.path.join(root, "work"), point)
        if options.v or what:  # what is wrong on stderr, too: of that a summary of tests shows all
            for out in [sys.stdout] + [sys.stderr] * bool(what):
                print("# %s: %s:%d:%d %s: %s" % (case.name, *point[:2], point[3], point[2], what or "right"), file=out, flush=True)
        wrong += [what] if what else []
    return found, total, todo, wrong


def main():
    options, bad = parse(), 0
    with tempfile.TemporaryDirectory(prefix="bf_faults_") as root:
        every = [c for c in runs.make(os.path.join(root, "make")) if not options.case or c.name == options.case]
        options.most = max(1, options.most // len(every))
        print("1..%d" % len(every))
        with ThreadPoolExecutor(2) as pool:  # most of the time is spent waiting: for patience to end, for a launcher
            for index, (case, (found, total, todo, wrong)) in enumerate(zip(every, pool.map(lambda case: tried(case, os.path.join(root, case.name), options), every)), 1):
                bad += len(wrong)
                print("%sok %d - %s: %d calls failed of %d, by %d ways; %d went wrong"
                      % ("not " if wrong else "", index, case.name, len(todo), total, len(found), len(wrong)), flush=True)
    sys.exit(bad > 0)


main()
