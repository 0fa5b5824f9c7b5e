"""Nothing is lost: kills at random instants, one rank or all, also while a checkpoint is written. The seed is fixed."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import await_that, claim, hurt_often, kill_all, ranks_of  # noqa: E402
from harness import tap  # noqa: E402


def claimed(process, _, out, before):
    """Not while it is launched: mpirun that loses a rank as it starts it may wait for good."""
    await_that(process, lambda: claim(out) != before)


def kill_one_or_all(draw, process):
    if draw.random() < 0.5:
        return kill_all(process)
    try:
        os.kill(draw.choice(ranks_of(process)), signal.SIGKILL)
    except ProcessLookupError:
        pass


def judge(_, err, *rest):
    # Where a rank dies while it connects, Open MPI's own mpirun may fall over in its clean-up: its trace ends in mpirun.
    assert "taken over" not in err and ("Segmentation" not in err or "] mpirun(" in err), err


def kills(space, seed):
    assert hurt_often(space, 5, seed, (0, 2, 3), ("0",), claimed, kill_one_or_all, judge) > 1, "no run was killed that had a checkpoint"


tap([("kill -9 at 5 instants, %s space" % space, lambda space=space, seed=seed: kills(space, seed))
     for seed, space in enumerate(("full", "reachable", "unquantized", "tables"))])
