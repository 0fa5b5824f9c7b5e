#!/usr/bin/env python3
"""Two ranks against one, in turns: seconds of all layers (full space) and of the expansion (reachable space). Where two
independent loops slow each other down, the machine's cores are not free, and the ratio says little: that is measured too.
Of a full sweep between nodes also where the time goes, for every way of -sync; as root also between two hosts made of namespaces.
Arguments: words of what alone is wanted."""
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "hosts"), os.path.join(HERE, "..", "solve")]
from harness import names  # noqa: E402
from hosts import NAMES, Hosts, missing  # noqa: E402
from verdict import end, verdict  # noqa: E402

BELLFORMER, PROBLEMS = os.environ["BELLFORMER"], os.environ["BELLFORMER_PROBLEMS"]
XOR, TOY = os.path.join(PROBLEMS, "xor", "xor.yaml"), os.path.join(PROBLEMS, "asy26-toy", "asy26-toy.yaml")
FULL, REACHABLE = [XOR, "-space", "full"], [TOY, "-action_count", "1500"]
LOOP = [sys.executable, "-c", "for i in range(12000000): pass"]
hosts = Hosts()


def here(ranks, arguments):
    return subprocess.run(["mpirun", "-n", str(ranks), BELLFORMER, "solve"] + arguments, capture_output=True, text=True, check=True).stdout


def there(ranks, arguments):
    """A rank on each of two hosts."""
    process = hosts.popen(NAMES[0], ["mpirun", "--quiet", "--host", ",".join(name + ":1" for name in NAMES[:ranks]), BELLFORMER, "solve", *arguments])
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


def phase(out, name, column=2):
    found = re.search(r"\n  %s +([0-9.]+) +([0-9.]+) +([0-9.]+)" % name, out)  # least, mean, most
    return float(found.group(1 + column)) if found else 0


def layers(out):
    return sum(map(float, re.findall(r"\nlayer [0-9]+: .* in ([0-9.]+) s", out)))


def expansion(out):
    return phase(out, "expand") + phase(out, "merge")


def loops(count):
    begin = time.perf_counter()
    for process in [subprocess.Popen(LOOP) for _ in range(count)]:
        process.wait()
    return time.perf_counter() - begin


def trace(out):
    """A rank's mean seconds in the layers: what it computes, looks at and copies meanwhile, waits for."""
    sweep, exchange, reduce = (phase(out, name, 1) for name in ("sweep", "exchange", "reduce"))
    sent = re.search(r"([0-9.]+ .?B|0 bytes) sent", out).group(1)
    print("  computing %.3g s, exchanging meanwhile %.3g s, waiting at the end of layers %.3g s; %s sent"
          % (sweep - exchange, exchange, reduce, sent))


def wanted(what):
    return len(sys.argv) < 2 or any(word in what for word in sys.argv[1:])


def compare(what, seconds, one, others, target):
    """one and each of `others`, {name: run}, in turns."""
    runs = [(one(), {name: run() for name, run in others.items()}) for _ in range(2)]
    least = min(seconds(out) for out, _ in runs)
    for name in others:
        best = min((out[name] for _, out in runs), key=seconds)
        print("%s%s: one rank %.3g s, two %.3g s" % (what, name, least, seconds(best)))
        if seconds is layers:
            trace(best)
        verdict("times as fast", least / seconds(best), target)


def each_sync(where, options):
    return {sync: lambda sync=sync: where(2, [*FULL, *options, "-sync", sync]) for sync in names("solve", "sync")}


free = 2 * min(loops(1) for _ in range(3)) / min(loops(2) for _ in range(3))
print("two independent loops: %.2f times the work of one in the same time (2: both cores are free)" % free)
for what, seconds, arguments in (("full sweep, xor", layers, FULL), ("reachable, asy26-toy, K = 1500", expansion, REACHABLE)):
    if wanted(what):
        compare(what, seconds, lambda: here(1, arguments), {"": lambda: here(2, arguments)}, 1.8)
if wanted("two nodes"):
    compare("full sweep between two nodes, ", layers, lambda: here(1, FULL), each_sync(here, ["-node_size", "1"]), 1.8)
if wanted("two hosts"):
    if missing():
        print("full sweep between two hosts: not measured,", missing())
    else:
        try:
            hosts.start()
            compare("full sweep between two hosts, ", layers, lambda: there(1, FULL), each_sync(there, []), 1.65)
        finally:
            hosts.stop()
end()
