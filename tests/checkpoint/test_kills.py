"""Nothing is lost: kills at random instants, one rank or all, also while a checkpoint is written. The seed is fixed."""
import os
import random
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import Result, finish, kill_all, ranks_of, reference, run, same, spaces, start  # noqa: E402
from harness import tap  # noqa: E402


def survives(space, kills, seed, hurt):
    """Start, hurt after a random time, go on, ... until the run ends or was hurt often enough; then it is left alone."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="bf_kills_") as f:
        problem, options = spaces(f)[space]
        wanted, out = reference(problem, options, f), os.path.join(f, "run.h5")
        done = finished = 0
        while done < kills:
            process = start([problem, "-o", out, "-restart", "auto", "-checkpoint_interval", "0", "-quiet", *options], draw.choice((0, 2, 3)))
            time.sleep(draw.uniform(0.25, 1.6))
            if process.poll() is None:
                hurt(draw, process)
                done += 1
            status, _, err = finish(process)
            # Where a rank dies while it connects, Open MPI's own mpirun may fall over in its clean-up: its trace ends in mpirun.
            assert "taken over" not in err and ("Segmentation" not in err or "] mpirun(" in err), err
            assert status != 0 or os.path.exists(out), err
            if os.path.exists(out):  # also of a run that was killed just then: a result is whole as soon as it is there
                same(wanted, Result(out), "%s after %d kills" % (space, done))
                if status != 0:
                    assert "finished" in run(["solve", "-restart", out]).stdout and not os.path.exists(out + ".checkpoint")
                os.remove(out)
                finished += 1
        last = run(["solve", problem, "-o", out, "-restart", "auto", *options], 2)
        assert last.returncode == 0, last.stderr
        same(wanted, Result(out), "%s at the end" % space)
        print("# %s: %d kills, %d runs came to their end in between" % (space, done, finished))


def kill_one_or_all(draw, process):
    if draw.random() < 0.5:
        return kill_all(process)
    try:
        os.kill(draw.choice(ranks_of(process)), signal.SIGKILL)
    except ProcessLookupError:
        pass


def terminate(draw, process):
    process.send_signal(draw.choice((signal.SIGTERM, signal.SIGINT)))


tap([("kill -9 at 13 instants, %s space" % space, lambda space=space, seed=seed: survives(space, 13, seed, kill_one_or_all))
     for seed, space in enumerate(("full", "reachable", "unquantized", "tables"))] +
    [("SIGTERM or SIGINT at 6 instants, %s space" % space, lambda space=space: survives(space, 6, 7, terminate)) for space in ("full", "reachable")])
