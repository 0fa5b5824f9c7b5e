"""TERM or INT to mpirun at random instants of a fixed seed, or to a run without it: always one line that says what is kept, never a file
half-written, and the next start goes on to the same bits."""
import glob
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import hurt_often, ranks_of  # noqa: E402
from harness import tap  # noqa: E402


def hears(pid):
    """Whether the process handles TERM; one that is gone has nothing more to hear."""
    try:
        with open("/proc/%d/status" % pid) as f:
            caught = int(next(line for line in f if line.startswith("SigCgt:")).split()[1], 16)
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return True
    return caught >> (signal.SIGTERM - 1) & 1 == 1


def interrupt(draw, process, ranks):
    """Not before every rank is the program: what comes earlier is the launcher's, which on a busy machine has started none yet, and says nothing."""
    until = time.time() + 20
    while process.poll() is None and time.time() < until:
        pids = ranks_of(process)
        if len(pids) >= max(ranks, 1) and all(hears(pid) for pid in pids) and (process.pid not in pids or not ranks):
            break
        time.sleep(0.01)
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
    space, times, seed, (ranks,), ("0", "1"), lambda draw, process: interrupt(draw, process, ranks), judge))
     for seed, (space, times, ranks) in enumerate((("full", 7, 2), ("reachable", 7, 3), ("full", 4, 0)))])
