#!/usr/bin/env python3
"""Two ranks against one, in turns: seconds of the sweep (full space) and of the expansion (reachable space). Where two
independent loops slow each other down, the machine's cores are not free, and the ratio says little: that is measured too."""
import os
import re
import subprocess
import sys
import time

from verdict import end, verdict

BELLFORMER, PROBLEMS = os.environ["BELLFORMER"], os.environ["BELLFORMER_PROBLEMS"]
XOR, TOY = os.path.join(PROBLEMS, "xor", "xor.yaml"), os.path.join(PROBLEMS, "asy26-toy", "asy26-toy.yaml")
LOOP = [sys.executable, "-c", "for i in range(12000000): pass"]


def phase(name, ranks, arguments):
    out = subprocess.run(["mpirun", "-n", str(ranks), BELLFORMER, "solve"] + arguments, capture_output=True, text=True, check=True).stdout
    return sum(float(re.search(r"\n  %s +[0-9.]+ +[0-9.]+ +([0-9.]+)" % part, out).group(1)) for part in name.split("+"))


def loops(count):
    begin = time.perf_counter()
    for process in [subprocess.Popen(LOOP) for _ in range(count)]:
        process.wait()
    return time.perf_counter() - begin


free = 2 * min(loops(1) for _ in range(3)) / min(loops(2) for _ in range(3))
print("two independent loops: %.2f times the work of one in the same time (2: both cores are free)" % free)
for what, name, arguments in (("full sweep, xor", "sweep+reduce", [XOR, "-space", "full"]),
                              ("full sweep between two nodes, xor", "sweep+reduce", [XOR, "-space", "full", "-node_size", "1"]),
                              ("reachable, asy26-toy, K = 1500", "expand+merge", [TOY, "-action_count", "1500"])):
    runs = [(phase(name, 1, arguments), phase(name, 2, arguments)) for _ in range(2)]
    one, two = min(r[0] for r in runs), min(r[1] for r in runs)
    print("%s: one rank %.3g s, two %.3g s" % (what, one, two))
    verdict("times as fast", one / two, 1.8)
end()
