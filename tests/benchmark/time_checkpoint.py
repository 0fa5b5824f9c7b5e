#!/usr/bin/env python3
"""What checkpoints cost at the default interval: their seconds as a part of the run's, in both spaces; beside it a checkpoint after
every piece of work, which nobody needs."""
import os
import re
import subprocess
import tempfile

from verdict import end, verdict

BELLFORMER, PROBLEMS = os.environ["BELLFORMER"], os.environ["BELLFORMER_PROBLEMS"]


def cost(problem, *options):
    with tempfile.TemporaryDirectory(prefix="bf_time_") as folder:
        out = subprocess.run(["mpirun", "-n", "2", BELLFORMER, "solve", os.path.join(PROBLEMS, problem), "-o", os.path.join(folder, "run.h5"),
                              *options], capture_output=True, text=True, check=True).stdout
    spent = re.search(r"\n  checkpoint +[0-9.]+ +[0-9.]+ +([0-9.]+)", out)
    return float(spent.group(1)) if spent else 0.0, float(re.search(r"\n  ([0-9.]+) s in all", out).group(1))


for what, problem, options in (("full, xor with 6 layers", "xor/xor.yaml", ["-horizon", "6", "-store_value", "0", "-store_policy", "0"]),
                               ("reachable, iris", "iris/iris.yaml", ["-horizon", "3", "-action_count", "100"])):
    spent, wall = cost(problem, *options)
    print("%s: %.3g s of %.3g s" % (what, spent, wall))
    verdict("part of the run that goes into checkpoints", spent / wall, 0.02, False)
    spent, wall = cost(problem, *options, "-checkpoint_interval", "0")
    print("  after every piece of work: %.3g s of %.3g s" % (spent, wall))
end()
