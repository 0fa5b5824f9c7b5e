"""TERM or INT to mpirun at random instants of a fixed seed, or to a run without it: always one line that says what is kept, never a file
half-written, and the next start goes on to the same bits."""
import glob
import os
import random
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import Result, finish, reference, run, same, spaces, start  # noqa: E402
from harness import tap  # noqa: E402


def interrupted(space, tries, seed, ranks):
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="bf_interrupt_") as f:
        problem, options = spaces(f)[space]
        wanted, out = reference(problem, options, f), os.path.join(f, "run.h5")
        told = stopped = 0
        for _ in range(tries):
            process = start([problem, "-o", out, "-restart", "auto", "-checkpoint_interval", draw.choice(("0", "1")), "-quiet", *options], ranks)
            time.sleep(draw.uniform(0.3, 3))
            alive = process.poll() is None
            if alive:
                process.send_signal(draw.choice((signal.SIGTERM, signal.SIGINT)))
            status, _, err = finish(process)
            lines = [line for line in err.splitlines() if line.startswith("bellformer: ")]
            left = [path for path in glob.glob(os.path.join(f, "**"), recursive=True) if ".part" in os.path.basename(path)]
            assert not left, left
            if status == 0:
                same(wanted, Result(out), space)
                os.remove(out)
                continue
            assert len(lines) == 1, err
            # mpirun returns 1 whatever ranks do; where one ends while it connects, it may fall over itself
            assert status == (1 if ranks else 75) or "] mpirun(" in err or "nothing is kept" in err, (status, err)
            told += "interrupted: " in lines[0]
            stopped += "stopped with" in lines[0]
            if ranks == 0 and os.path.exists(out + ".checkpoint"):
                assert "stopped with" in lines[0] or "nothing is kept" in lines[0], lines
        print("# %s: %d ended in the handler, %d saved in time" % (space, told, stopped))
        assert run(["solve", problem, "-o", out, "-restart", "auto", *options], 2).returncode == 0
        same(wanted, Result(out), space)


tap([("%s space, %d ranks" % (space, ranks), lambda space=space, tries=tries, seed=seed, ranks=ranks: interrupted(space, tries, seed, ranks))
     for seed, (space, tries, ranks) in enumerate((("full", 10, 2), ("reachable", 10, 3), ("full", 4, 0)))])
