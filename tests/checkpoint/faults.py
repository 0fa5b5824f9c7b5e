"""Runs that are stopped, killed and damaged: problems that take a few seconds, and what a run must leave."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
import oracle  # noqa: E402
from bits import difference  # noqa: E402
from cases import A2, READOUT, V2, sequences  # noqa: E402
from harness import BELLFORMER, PATIENCE, Result, run  # noqa: E402

PROBLEMS = os.environ["BELLFORMER_PROBLEMS"]
SMALL = oracle.problem(rows=sequences(2, 2, seed=3), horizon=3, terminal="pooled_cross_entropy", readout=READOUT, weight_decay=2**-6,
                       control={"A": {"form": "full", **A2}, "V": {"form": "full", **V2}})


def spaces(folder):
    """name: (problem file, options) of a run in the full space (M = 3.9e5, K = 1296: pieces of work within a layer), one in the
    reachable space (thousands of measures of 120 atoms), and the like without cells; and one in the full space that mostly builds tables."""
    long = {**SMALL, "cells": [5, 5], "rows": sequences(2, 2, seed=4), "horizon": 5, "lower": [-1.53, -1.47],
            "control": {"A": {"form": "full", "range": [-2, 2], "levels": 6}, "V": {"form": "scalar", "range": [1, 1], "levels": 1}}}
    iris = os.path.join(PROBLEMS, "iris", "iris.yaml")
    tables = os.path.join(PROBLEMS, "iris", "iris-full.yaml")  # logits so far apart that no images serve: tables take most of the time
    untabled = ["-space", "full", "-tables", "none", "-action_count", "24", "-quantize_atoms", "2", "-quantize_cells", "4,2", "-horizon", "5"]
    return {"untabled": (tables, untabled),  # policies of layers that are done are in the file alone
            "tables": (tables, ["-space", "full", "-action_count", "12", "-quantize_atoms", "2", "-quantize_cells", "4,3", "-layer_beta", "1000"]),
            "full": (oracle.write(long, folder, "long"), ["-space", "full"]),
            "reachable": (iris, ["-space", "reachable", "-horizon", "4", "-action_count", "13"]),
            "unquantized": (iris, ["-space", "reachable", "-horizon", "4", "-action_count", "11", "-quantize_cells", "0"])}


signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # through `with`, so that nothing is left behind


class Started(subprocess.Popen):
    """The program at work; `with` leaves none of its processes behind, whatever fails."""

    def __init__(self, words, ranks=0, **keywords):
        command = ["mpirun", "--quiet", "-n", str(ranks)] if ranks else []
        super().__init__(command + [BELLFORMER] + [str(word) for word in words], text=True, start_new_session=True,
                         **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **keywords})

    def __exit__(self, *why):
        if self.poll() is None:
            kill_all(self)
        super().__exit__(*why)


def start(arguments, ranks=0):
    return Started(["solve", *arguments], ranks)


def finish(process):
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def await_that(process, condition):
    """Until it holds, or the process has ended: whether it held."""
    until = time.monotonic() + PATIENCE
    while not (held := condition()) and process.poll() is None:
        assert time.monotonic() < until, "it never came"
        time.sleep(0.005)
    return held


def claim(out):
    """Of the newest start; "" before the first."""
    try:
        with open(out + ".checkpoint/claim") as f:
            return f.readline()
    except FileNotFoundError:
        return ""


def ranks_of(process):
    """The processes that solve: mpirun's children, or the process itself."""
    children = subprocess.run(["pgrep", "-g", str(process.pid), "-x", "bellformer"], capture_output=True, text=True).stdout.split()
    if not children:  # Open MPI gives each rank a process group of its own
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in children] or [process.pid]


def hears(pid, number):
    """Whether the process handles a signal; one that is gone has nothing more to hear."""
    try:
        with open("/proc/%d/status" % pid) as f:
            caught = int(next(line for line in f if line.startswith("SigCgt:")).split()[1], 16)
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return True
    return caught >> (number - 1) & 1 == 1


def await_hearing(process, number, ranks):
    """Until all ranks are the program and handle the signal; what comes earlier is the launcher's, which on a busy machine has started none yet."""
    def heard():
        pids = ranks_of(process)
        return len(pids) >= max(ranks, 1) and all(hears(pid, number) for pid in pids) and (process.pid not in pids or not ranks)
    await_that(process, heard)


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


def starts_of(out):
    return int(Result(out).attributes["provenance"]["starts"])


def hurt_often(space, times, seed, ranks, intervals, ready, hurt, judge):
    """A run is started and hurt at a random instant behind ready(process, ranks, out, claim before), again and again until it was hurt so
    often; then it is left alone. What comes to its end has the bits of a run in peace. The most starts that one took: 1 where none was hurt
    that had a checkpoint. hurt(draw, process); judge(status, err, out, ranks): what else must hold of each start."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="bf_hurt_") as f:
        problem, options = spaces(f)[space]
        began = time.monotonic()
        wanted, out = reference(problem, options, f), os.path.join(f, "run.h5")
        pace = 0.35 * (time.monotonic() - began)  # of this machine, and of what else it does
        done = finished = tried = most = 0
        while done < times:
            number, tried, before = draw.choice(ranks), tried + 1, claim(out)
            assert tried <= 10 * times, "%d of %d starts were over before they could be hurt" % (tried - done, tried)
            with start([problem, "-o", out, "-restart", "auto", "-checkpoint_interval", draw.choice(intervals), "-quiet", *options], number) as process:
                ready(process, number, out, before)
                time.sleep(pace * draw.uniform(0, 1))
                if process.poll() is None:
                    hurt(draw, process)
                    done += 1
                status, _, err = finish(process)
            judge(status, err, out, number)
            assert status != 0 or os.path.exists(out), err
            if os.path.exists(out):  # also of a run that was hurt just then: a result is whole as soon as it is there
                same(wanted, Result(out), "%s after %d times" % (space, done))
                most = max(most, starts_of(out))
                if status != 0:
                    assert "finished" in run(["solve", "-restart", out]).stdout and not os.path.exists(out + ".checkpoint")
                os.remove(out)
                finished += 1
        last = run(["solve", problem, "-o", out, "-restart", "auto", *options], 2)
        assert last.returncode == 0, last.stderr
        same(wanted, Result(out), "%s at the end" % space)
        most = max(most, starts_of(out))
        print("# %s: hurt %d times, %d runs came to their end in between; one took %d starts" % (space, done, finished, most))
        return most
