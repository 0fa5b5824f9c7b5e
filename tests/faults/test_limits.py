"""Bounds of 2^20 to 2^30 (src/run/limits.h) set so low that small runs exceed them many times: the same bits, also after a restart in
the middle, under bounds of either kind."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import runs  # noqa: E402
from harness import LAUNCHED, Result, tap  # noqa: E402

TIGHT = {"NARROW": 100, "REDUCED": 5, "SENT_BYTES": 13, "FILE_BYTES": 5001, "SEALED_BYTES": 1, "BATCH_BYTES": 2000, "BATCH_PAIRS": 24, "PIECE_TERMS": 400}
WIDE = {**runs.SMALL, "cells": [4, 4]}  # 65536 measures
DEEP = {**runs.SMALL, "cells": [9, 9], "horizon": 4}  # with many measures that are reached
ALONE = runs.oracle.problem(rows=runs.population(9), horizon=3, atoms=2, cells=[3, 2], terminal="token_cross_entropy", readout=runs.READOUT,
                            control=runs.SMALL["control"])  # one sequence, 441 measures, whose numbers have two parts under tight bounds
PROBLEMS = {"full": WIDE, "untabled": ALONE, "reachable": DEEP, "flow": runs.SMALL}
RUNS = {**runs.TRAINED, "untabled": ["solve", "-space", "full", "-tables", "none"]}
CALLS = {"full": ["MPI_Iallreduce", "MPI_Bcast", "H5Dwrite"], "untabled": ["MPI_Iallreduce"], "reachable": ["MPI_Alltoallv", "MPI_Allreduce"],
         "flow": ["MPI_Allreduce", "MPI_Bcast"]}  # of which tight bounds make many more


def launch(name, folder, arguments, tight, trace=None, more=()):
    """One rank a node; calls of rank 0 by name."""
    environment = {**LAUNCHED, **({"BF_LIMIT_" + k: str(v) for k, v in TIGHT.items()} if tight else {})}
    if tight and name == "full":
        environment["BF_LIMIT_REDUCED"] = "777"
    if trace:
        environment["BF_FAULT_TRACE"] = os.path.join(folder, "trace")
    command, *options = RUNS[name]
    known = [] if "-restart" in arguments else options
    done = subprocess.run(["mpirun", "--quiet", "-n", "3", runs.program(), command, *arguments, *known, *more, "-node_size", "1"], cwd=folder,
                          env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 75), (done.returncode, done.stderr)
    calls = {}
    if trace:
        for line in open(os.path.join(folder, "trace.0")):
            calls[line.split()[2]] = calls.get(line.split()[2], 0) + 1
    return done.returncode, calls


def equal(one, other, what):
    for name in {n for n in one.data if not n.startswith(("provenance", "problem"))}:
        assert one.data[name].tobytes() == other.data[name].tobytes(), (what, name)


def pieces(name):
    with tempfile.TemporaryDirectory(prefix="bf_limits_") as f:
        runs.oracle.write(PROBLEMS[name], f)
        result = lambda out: Result(os.path.join(f, out))  # noqa: E731
        _, few = launch(name, f, ["problem.yaml", "-o", "plain.h5"], False, True)
        _, many = launch(name, f, ["problem.yaml", "-o", "tight.h5"], True, True)
        for call in CALLS[name]:
            assert many[call] > few[call] + 20, (call, few[call], many[call])
            print("# %s: %d calls in place of %d" % (call, many[call], few[call]))
        equal(result("plain.h5"), result("tight.h5"), "tight")
        for begin in (False, True):  # stopped under one kind of bounds, finished under the other
            out, sync = "restarted%d.h5" % begin, ["-sync", "allgather"] if begin and name == "full" else []  # a checkpoint keeps it
            status, _ = launch(name, f, ["problem.yaml", "-o", out, "-checkpoint_interval", "0", "-maxh", "1e-9"], begin, more=sync)
            assert status == 75, status
            status, _ = launch(name, f, ["-restart", out, "-checkpoint_interval", "0", "-maxh", "1e-9"], begin)
            if status:
                launch(name, f, ["-restart", out], not begin)
            equal(result("plain.h5"), result(out), "restarted")


def two_parts():
    """Numbers of measures in two parts, in every way in which successors are found."""
    for name, p in runs.ONE_SEQUENCE.items():
        with tempfile.TemporaryDirectory(prefix="bf_limits_") as f:
            runs.oracle.write(p, f)
            for out, narrow in (("plain.h5", "1000000"), ("narrow.h5", "1")):
                done = runs.alone(["solve", os.path.join(f, "problem.yaml"), "-space", "full", "-tables", "none", "-o", os.path.join(f, out)], BF_LIMIT_NARROW=narrow)
                assert done.returncode == 0, (name, done.stderr)
            equal(Result(os.path.join(f, "plain.h5")), Result(os.path.join(f, "narrow.h5")), name)
            if name != "population, split":
                continue
            said = runs.alone(["info", os.path.join(f, "problem.yaml"), "-space", "full"], BF_LIMIT_NARROW="1")
            assert said.returncode == 0 and "none: " in said.stdout, (name, said.stdout, said.stderr)


tap([("numbers in two parts", two_parts)] + [("tight bounds, %s" % name, lambda name=name: pieces(name)) for name in PROBLEMS])
