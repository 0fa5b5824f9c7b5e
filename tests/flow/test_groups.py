"""Starts dealt to groups of ranks: the same answer on any number of ranks, of groups, and after any stop, kill or failure."""
import glob
import os
import random
import signal
import sys
import tempfile
import time

import continuous
from flow_cases import case

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checkpoint"))
from faults import Started, await_that, kill_all, ranks_of  # noqa: E402
from harness import PATIENCE, Result, run, tap  # noqa: E402
from bits import difference as same  # noqa: E402
from cases import READOUT, sequences  # noqa: E402

PROBLEM = case(rows=sequences(40, 8, seed=9), terminal="pooled_cross_entropy", readout=READOUT, horizon=4, step=0.2, weight_decay=1e-3)
OPTIONS = ["-starts", 5, "-scheme", "layers", "-tao_max_it", 40]


def prepare(f, options=OPTIONS):
    """The problem, its answer on one rank, and where others go."""
    path = continuous.write(PROBLEM, f)
    assert run(["flow", path, "-o", os.path.join(f, "whole.h5"), *options]).returncode == 0
    return path, Result(os.path.join(f, "whole.h5")), os.path.join(f, "run.h5")


def check(whole, out):
    assert not same(whole, Result(out)), same(whole, Result(out))
    assert not os.path.exists(out + ".checkpoint")


def bits():
    """Groups of 1, 2 and those that are chosen, on 1 to 4 ranks; every start is told of once."""
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = prepare(f)
        for ranks in (1, 2, 3, 4):
            for group in ([], ["-start_ranks", 1], ["-start_ranks", 2]):
                done = run(["flow", path, "-o", out, "-overwrite", *OPTIONS, *group], ranks)
                assert done.returncode == 0, done
                told = sorted(line.split(":")[0] for line in done.stdout.splitlines() if line.startswith("start ") and ": J = " in line)
                assert told == ["start %d of 5" % (s + 1) for s in range(5)], done.stdout
                check(whole, out)


def other_groups():
    """Stopped on some ranks and groups, it goes on with others: more groups than before, fewer than starts under way."""
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = prepare(f)
        stops, seen = 0, []
        for ranks, group in ((4, 1), (2, 2), (1, 1), (3, 2), (2, 1), (4, 2), (4, 4)):
            done = run(["flow", path, "-o", out, "-restart", "auto", *OPTIONS, "-start_ranks", group, "-maxh", 0.05 / 3600], ranks)
            assert done.returncode in (0, 75), done
            stops += done.returncode == 75
            seen += [line for line in done.stdout.splitlines() if line.startswith("restored")]
        assert stops >= 4 and any("of 4 others" in line for line in seen), (stops, seen)
        assert run(["flow", "-restart", out, "-start_ranks", 1], 2).returncode == 0
        check(whole, out)


def killed():
    """kill -9 of all processes at random instants of a fixed seed, once there is a checkpoint, then other ranks and groups."""
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = prepare(f)
        hits = 0
        for ranks in (3, 2, 4, 3):
            with flow(path, out, ranks, *OPTIONS, "-restart", "auto", "-checkpoint_interval", 0, "-start_ranks", 1) as process:
                generations(process, out)
                time.sleep(draw.uniform(0, 0.3))
                kill_all(process)
                process.communicate()
            hits += process.returncode != 0
            if not os.path.exists(out + ".checkpoint"):  # it had come to its end
                check(whole, out)
                os.remove(out)
        assert hits >= 2, hits
        done = run(["flow", path, "-o", out, "-restart", "auto", *OPTIONS], 2)
        assert done.returncode == 0, done
        check(whole, out)


def flow(path, out, ranks, *options):
    return Started(["flow", path, "-o", out, *options], ranks)


def generations(process, out):
    """Waits until there is a checkpoint of this start or an earlier one, or the end."""
    await_that(process, lambda: glob.glob(out + ".checkpoint/*.h5"))


def one_signal(options=("-starts", 4000, "-scheme", "layers")):
    """USR1 to one rank, the first of no group: all stop in order. More starts than any machine tries before the signal comes."""
    with tempfile.TemporaryDirectory() as f:
        options = [*options, "-tao_max_it", 100000, "-tao_gatol", 0]
        path, out = continuous.write(PROBLEM, f), os.path.join(f, "run.h5")
        with flow(path, out, 4, *options, "-start_ranks", 2) as process:
            generations(process, out)
            ranks = ranks_of(process)
            assert len(ranks) == 4, ranks
            os.kill(max(ranks), signal.SIGUSR1)
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 75 and "go on with" in errors, (process.returncode, errors)


def idle_signal():
    """USR1 to a rank of a group that has no start, while it waits for its leader."""
    one_signal(("-starts", 1, "-scheme", "rk4", "-steps", 400))


def idle():
    """Groups without a start are told of as such; a long sequence is one group of blocks, of which `info` measures a part."""
    with tempfile.TemporaryDirectory() as f:
        path = continuous.write(PROBLEM, f)
        done = run(["flow", path, "-starts", 1, "-start_ranks", 1, "-scheme", "layers", "-tao_max_it", 1], 3)
        assert "1 group of 1 rank takes a start each, 2 more find none" in done.stdout, done
        long = continuous.write({**PROBLEM, "rows": sequences(1, 8192, seed=9)}, f, name="long")
        done = run(["info", long, "-starts", 2, "-scheme", "layers", "-ranks", 4, "-ranks_per_node", 4])
        assert "2 groups of 1 rank try a start each" in done.stdout, done


every = [bits, other_groups, killed, one_signal, idle_signal, idle]
tap([(check_.__name__.replace("_", " "), check_) for check_ in (every[1:3] if "quick" in sys.argv else every)])
