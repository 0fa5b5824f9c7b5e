#!/usr/bin/env python3
"""The command `study` on many small points, as a user waits for it: start, reading, check, estimates, log, queue, table and file, in times
what its runs say that they have taken, in the same repeat. Groups of one rank: a rank's wall time counts once for each.

usage: time_study.py [POINTS [RANKS ...]]    (200 points on 1 and on 2 ranks; of fewer than a thousand, the start is a part that shows)"""
import os
import subprocess
import sys
import tempfile
import time

import h5py

import verdict

BELLFORMER, PROBLEMS = os.environ["BELLFORMER"], os.environ["BELLFORMER_PROBLEMS"]
REPEATS = 3

# Points of some 50 ms that differ in a number that costs no time.
STUDY = """name: time
problem: %s
set: {horizon: 3, action.count: 8}
vary:
  - {cost.weight_decay: {from: 0, to: %.4f, step: 0.0001}}
runs: [{name: solve, command: solve}]
measure: {cost: solve/rollout@cost}
"""


def once(file, ranks):
    """Wall seconds of the command, of its runs, and of its points. Into a new folder: points of an old file are taken from it."""
    out = tempfile.mkdtemp(dir=os.path.dirname(file)) + "/time.h5"
    begun = time.monotonic()
    subprocess.run(["mpirun", "--quiet", "-n", str(ranks), BELLFORMER, "study", file, "-o", out, "-quiet"], stdout=subprocess.DEVNULL, check=True)
    waited = time.monotonic() - begun
    with h5py.File(out) as result:
        runs = result["runs"].values()
        assert len(runs) == points and all(run.attrs["ranks"] == 1 for run in runs)
        own, whole = (sum(map(float, seconds)) for seconds in zip(*((run["solve/provenance"].attrs["wall_seconds"], run.attrs["seconds"]) for run in runs)))
    assert own <= whole <= ranks * waited, (own, whole, waited)  # or the points are of another run
    return waited, own, whole


points, numbers = int((sys.argv + ["200"])[1]), [int(word) for word in sys.argv[2:]] or [1, 2]
with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
    with open(folder + "/time.yaml", "w", encoding="utf-8") as study:
        study.write(STUDY % (os.path.join(PROBLEMS, "iris", "iris.yaml"), 1e-4 * (points - 1)))
    for ranks in numbers:
        waited, own, whole = min((once(folder + "/time.yaml", ranks) for _ in range(1 if points >= 1000 else REPEATS)), key=lambda t: t[0] / t[1])
        print("  %d points on %d ranks: %.3g s; times ranks %.3g s, of which runs %.3g s, the rest of their points %.3g s, all else %.3g s; load %.1f"
              % (points, ranks, waited, waited * ranks, own, whole - own, waited * ranks - whole, os.getloadavg()[0]), flush=True)
        verdict.verdict("the command on %d ranks, of what its runs have taken" % ranks, waited * ranks / own, 1.2, at_least=False)
verdict.end()
