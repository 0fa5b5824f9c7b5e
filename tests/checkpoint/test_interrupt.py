"""TERM or INT to mpirun at random instants of a fixed seed, or to a run without it: always one line that says what is kept, never a file
half-written, and the next start goes on to the same bits."""
import glob
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import await_hearing, hurt_often  # noqa: E402
from harness import tap  # noqa: E402


def heard(process, ranks, *_):
    """Not before every rank hears: the launcher alone would say nothing."""
    await_hearing(process, signal.SIGTERM, ranks)


def interrupt(draw, process):
    process.send_signal(draw.choice((signal.SIGTERM, signal.SIGINT)))


def judge(status, err, out, ranks):
    lines = [line for line in err.splitlines() if line.startswith("bellformer: ")]
    left = [path for path in glob.glob(os.path.join(os.path.dirname(out), "**"), recursive=True) if ".part" in os.path.basename(path)]
    assert not left, left
    if status == 0:
        return
    assert len(lines) == 1, err
    # mpirun returns 1 whatever ranks do; where one ends while it connects, it may fall over itself
    assert status == (1 if ranks else 75) or "] mpirun(" in err or "nothing is kept" in err, (status, err)
    if ranks == 0 and os.path.exists(out + ".checkpoint"):
        assert "stopped with" in lines[0] or "nothing is kept" in lines[0], lines


tap([("%s space, %d ranks" % (space, ranks), lambda space=space, times=times, seed=seed, ranks=ranks: hurt_often(
    space, times, seed, (ranks,), ("0", "1"), heard, interrupt, judge))
     for seed, (space, times, ranks) in enumerate((("full", 7, 2), ("reachable", 7, 3), ("full", 4, 0)))])
