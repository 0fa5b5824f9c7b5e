#!/usr/bin/env python3
"""What `bellformer info` says a command takes, over what it took: all shipped problems, in the full space where there is one, in the
reachable space, and along the flow. Each estimate stands between two runs and is compared with the mean of them. What merges is not
known beforehand, so that an estimate of the reachable space is a bound: it is scaled by the successors that there were."""
import os
import re
import subprocess
import sys
import tempfile

import verdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "share", "studies"))
from human import seconds  # noqa: E402

BELLFORMER, PROBLEMS = os.environ["BELLFORMER"], os.environ["BELLFORMER_PROBLEMS"]
RANKS = "2"


def bellformer(*arguments):
    return subprocess.run(["mpirun", "--quiet", "-n", RANKS, BELLFORMER] + list(arguments), capture_output=True, text=True, check=True).stdout


def told(out):
    """Seconds of the first estimate of info, and of its parts."""
    line = re.search(r"\n  time  +(.*)", out).group(1)
    head, parts = line.split(":", 1)
    return seconds(head), parts.strip()


def successors(out):
    """Of a reachable solve: how many were found and costed."""
    return sum(float(x) for x in re.findall(r"measures, ([0-9.e+]+) successors", out))


def judge(what, estimate, actual, parts):
    ratio = estimate / actual
    hit = 0.5 <= ratio <= 2
    if not hit:
        verdict.missed.append(what)
    print("  %-28s %9.3g s told, %9.3g s taken: %5.2f   wanted 0.5 to 2: %s" % (what, estimate, actual, ratio, "met" if hit else "MISSED"))
    print("    %s" % parts)
    sys.stdout.flush()


def taken(out):
    return float(re.search(r"([0-9.]+) s in all", out).group(1))


def both(command, problem, options, out):
    """A run, info, the run again: what info told, and the runs' outputs."""
    runs = []
    for turn in range(2):
        runs.append(bellformer(command, problem, *options, "-o", out, "-overwrite"))
        if not turn:
            info = bellformer("info", problem, "-command", command, *options, "-o", out)
    return told(info), runs


def full(name, problem, out):
    (estimate, parts), runs = both("solve", problem, ["-space", "full"], out)
    judge(name + ", full", estimate, sum(map(taken, runs)) / 2, parts)


def reachable(name, problem, out):
    K, T = (int(re.search(p, bellformer("info", problem)).group(1)) for p in (r"K  actions +(\d+)", r": (\d+) layers"))
    most = sum(K**(t + 1) for t in range(T))
    (estimate, parts), runs = both("solve", problem, ["-space", "reachable"], out)
    part = successors(runs[0]) / most
    ends = sum(seconds(p) for p in parts.split(", ") if p.startswith(("rollout", "writing")))
    judge(name + ", reachable", (estimate - ends) * part + ends, sum(map(taken, runs)) / 2, "%.2g of the bound's successors; bound: %s" % (part, parts))


def flow(name, problem, out):
    """The search that there was, by the time of an evaluation."""
    (_, parts), runs = both("flow", problem, ["-scheme", "rk4", "-tao_max_it", "40", "-starts", "3"], out)
    info = bellformer("info", problem, "-command", "flow", "-scheme", "rk4", "-starts", "3")
    groups = re.search(r"(\d+) groups of", info)
    turns = -(-3 // int(groups.group(1))) if groups else 3  # starts of the group that has most, of about as many evaluations each
    each = seconds(re.search(r"an evaluation +about (.*) with its gradient", info).group(1))
    evaluations = [int(re.search(r"(\d+) evaluations in all", run).group(1)) for run in runs]
    spent = [float(re.search(r"\n  flow +[0-9.]+ +[0-9.]+ +([0-9.]+)", run).group(1)) for run in runs]
    last = seconds(re.search(r"Pontryagin's condition ([^,]*)", parts).group(1))
    judge(name + ", flow", each * sum(evaluations) / 2 * turns / 3 + last, sum(spent) / 2, "%d evaluations; told for all iterations: %s" % (evaluations[0], parts))


wanted = sys.argv[1:]
with tempfile.TemporaryDirectory(prefix="bf_info_") as folder:
    for folders, _, files in sorted(os.walk(PROBLEMS)):
        for file in sorted(f for f in files if f.endswith(".yaml")):
            name, problem = file[:-5], os.path.join(folders, file)
            if wanted and name not in wanted:
                continue
            reachable(name, problem, folder + "/run.h5")
            flow(name, problem, folder + "/run.h5")
            if "M  measures          more" not in bellformer("info", problem) and "none: tokens" not in bellformer("info", problem):
                full(name, problem, folder + "/run.h5")
verdict.end()
