"""Runs that are stopped, killed and damaged: problems that take a few seconds, and what a run must leave."""
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
import oracle  # noqa: E402
from bits import difference  # noqa: E402
from cases import A2, READOUT, V2, sequences  # noqa: E402
from harness import BELLFORMER, Result, run  # noqa: E402

PROBLEMS = os.environ["BELLFORMER_PROBLEMS"]
SMALL = oracle.problem(rows=sequences(2, 2, seed=3), horizon=3, terminal="pooled_cross_entropy", readout=READOUT, weight_decay=2**-6,
                       control={"A": {"form": "full", **A2}, "V": {"form": "full", **V2}})


def spaces(folder):
    """name: (problem file, options) of a run in the full space (M = 3.9e5, K = 6561: pieces of work within a layer), one in the
    reachable space (8000 measures of 120 atoms), and the same without cells; and one in the full space that mostly builds tables."""
    long = {**SMALL, "cells": [5, 5], "rows": sequences(2, 2, seed=4), "horizon": 6, "lower": [-1.53, -1.47],
            "control": {"A": {"form": "full", "range": [-2, 2], "levels": 9}, "V": {"form": "scalar", "range": [1, 1], "levels": 1}}}
    iris = os.path.join(PROBLEMS, "iris", "iris.yaml")
    tables = os.path.join(PROBLEMS, "iris", "iris-full.yaml")  # whose tables take most of the time
    return {"tables": (tables, ["-space", "full", "-action_count", "40", "-quantize_atoms", "2", "-quantize_cells", "4,3"]),
            "full": (oracle.write(long, folder, "long"), ["-space", "full"]),
            "reachable": (iris, ["-space", "reachable", "-horizon", "4", "-action_count", "20"]),
            "unquantized": (iris, ["-space", "reachable", "-horizon", "4", "-action_count", "20", "-quantize_cells", "0"])}


def start(arguments, ranks=0, **keywords):
    command = ["mpirun", "--quiet", "-n", str(ranks)] if ranks else []
    return subprocess.Popen(command + [BELLFORMER, "solve"] + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True, **keywords)


def finish(process, timeout=120):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


def ranks_of(process):
    """The processes that solve: mpirun's children, or the process itself."""
    children = subprocess.run(["pgrep", "-g", str(process.pid), "-x", "bellformer"], capture_output=True, text=True).stdout.split()
    if not children:  # Open MPI gives each rank a process group of its own
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in children] or [process.pid]


def kill_all(process):
    for pid in ranks_of(process) + [process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def same(one, other, what):
    """Every number and text of two results, but for the provenance, with its accumulated times, and the problem's own record."""
    assert not difference(one, other, ("provenance", "problem")), (what, difference(one, other, ("provenance", "problem")))


def reference(problem, options, folder):
    out = os.path.join(folder, "reference.h5")
    done = run(["solve", problem, "-o", out, "-quiet", *options])
    assert done.returncode == 0, done.stderr
    return Result(out)
