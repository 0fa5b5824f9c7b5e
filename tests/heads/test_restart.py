"""A descent that is stopped or killed goes on with the same steps, on any number of ranks."""
import glob
import os
import random
import re
import signal
import subprocess
import tempfile
import time

import h5py

import heads_oracle as oracle
from heads_cases import case, law
from harness import BELLFORMER, Result, run, tap
from bits import difference as same
from cases import sequences
from flow_cases import CROSS

PROBLEM = case(rows=sequences(12, 4, seed=9), weight_decay=1e-3, horizon=4, **CROSS)
OPTIONS = ["-tau", 60, "-outputs", 3]
SECTION = {"count": 70, "same": False}


def prepare(f, options=OPTIONS):
    path = oracle.write(PROBLEM, f, SECTION)
    assert run(["heads", path, "-o", os.path.join(f, "whole.h5"), *options]).returncode == 0
    return path, Result(os.path.join(f, "whole.h5")), os.path.join(f, "run.h5")


def in_a_row(options=OPTIONS):
    """-maxh, again and again, on 1, 2, 3 ranks: PETSc's options come from the checkpoint."""
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = prepare(f, options)
        stops = 0
        for ranks in (1, 2, 3, 1):
            arguments = ["heads", path, "-o", out, "-restart", "auto", *options] if ranks != 3 else ["heads", "-restart", out]
            done = run([*arguments, "-maxh", 0.05 / 3600, "-checkpoint_interval", 0], ranks)
            assert done.returncode in (0, 75), done
            stops += done.returncode == 75
            if done.returncode == 75:
                assert "go on with: bellformer heads -restart" in done.stderr, done.stderr
        assert stops >= 2, stops
        done = run(["heads", "-restart", out])
        assert done.returncode == 0, done
        assert not same(whole, Result(out)), same(whole, Result(out))
        assert not os.path.exists(out + ".checkpoint")


def in_a_box():
    """The same within the box, in fifth order, and by equal steps."""
    in_a_row(["-tau", 10, "-outputs", 3, "-box", "-ts_rk_type", "5dp"])
    in_a_row(["-tau", 60, "-ts_type", "euler", "-ts_dt", 0.3])
    in_a_row(["-tau", 10, "-ts_type", "euler", "-ts_dt", 0.05, "-insert", 2])


def while_judged():
    """Stopped behind the descent, in a certificate: it does not descend again, and knows its kernels."""
    options = ["-tau", 2, "-insert", 1, "-kernel", "-certify", 3000]
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = prepare(f, options)
        with open(os.path.join(f, "log"), "w") as log:
            process = subprocess.Popen([str(x) for x in (BELLFORMER, "heads", path, "-o", out, *options, "-checkpoint_interval", 0)],
                                       stdout=log, stderr=log)
            while process.poll() is None and not ended(out):
                time.sleep(0.01)
            process.send_signal(signal.SIGUSR1)
            assert process.wait() in (0, 75), process.returncode
        done = run(["heads", "-restart", out], 2)
        assert done.returncode == 0 and (process.returncode == 0 or "the descent has ended" in done.stdout), done
        assert not same(whole, Result(out)), same(whole, Result(out))


def certificate():
    """Stopped at every pause of a certificate, on 1, 2, 3 ranks: each start goes on with its search."""
    options = ["-tau", 0, "-certify", 200, "-kernel"]
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = prepare(f, options)
        done, starts = run(["heads", path, "-o", out, *options, "-maxh", 1e-9, "-checkpoint_interval", 0]), 1
        cells = []
        while done.returncode == 75:
            assert starts < 30, done
            done, starts = run(["heads", "-restart", out, "-maxh", 1e-9, "-checkpoint_interval", 0], 1 + starts % 3), starts + 1
            cells += re.findall(r"certificate: (\d+) of 200 cells", done.stdout)
        assert done.returncode == 0 and len(set(cells)) > 1, (done, cells)
        assert not same(whole, Result(out)), same(whole, Result(out))


def ended(out):
    """Whether the newest checkpoint is of a descent that has ended."""
    files = sorted(glob.glob(out + ".checkpoint/[0-9]*.h5"))
    try:
        with h5py.File(files[-1]) as file:
            return file["checkpoint"].attrs["end"] > 0
    except (IndexError, OSError, KeyError):
        return False


def killed():
    """kill -9 at random instants of a fixed seed."""
    draw = random.Random(5)
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = prepare(f)
        command = [str(x) for x in [BELLFORMER, "heads", path, "-o", out, "-restart", "auto", *OPTIONS, "-checkpoint_interval", 0]]
        for _ in range(6):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(draw.uniform(0.05, 1))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        done = run(command[1:])
        assert done.returncode == 0, done
        assert not same(whole, Result(out)), same(whole, Result(out))


def from_a_file():
    """A run from -init, whose file is gone by then; another file is another run, the same bytes are not."""
    with tempfile.TemporaryDirectory() as f:
        path, init, out, whole = oracle.write(PROBLEM, f, {"count": 5}), *(os.path.join(f, n) for n in ("law.csv", "run.h5", "whole.h5"))
        oracle.write_law(init, law(PROBLEM, 5)[0])
        started = ["heads", path, "-init", init, *OPTIONS]
        assert run([*started, "-o", whole]).returncode == 0
        assert run([*started, "-o", out, "-maxh", 1e-9, "-checkpoint_interval", 0]).returncode == 75
        oracle.write_law(os.path.join(f, "other.csv"), law(PROBLEM, 5, seed=2)[0])
        done = run(["heads", "-restart", out, "-init", os.path.join(f, "other.csv")])
        assert done.returncode == 2 and "other.csv is not the file that it was" in done.stderr, done
        os.rename(init, os.path.join(f, "same.csv"))
        done = run(["heads", "-restart", out, "-init", os.path.join(f, "same.csv"), "-maxh", 1e-9, "-checkpoint_interval", 0])
        assert done.returncode == 75, done
        os.remove(os.path.join(f, "same.csv"))
        done = run(["heads", "-restart", out])
        assert done.returncode == 0, done
        assert not same(Result(whole), Result(out)), same(Result(whole), Result(out))


def refused():
    """Another problem, tau, tolerance, box or command is another run."""
    with tempfile.TemporaryDirectory() as f:
        path, out = oracle.write(PROBLEM, f, SECTION), os.path.join(f, "run.h5")
        assert run(["heads", path, "-o", out, *OPTIONS, "-maxh", 1e-9, "-checkpoint_interval", 0]).returncode == 75
        for options, word in ((["-tau", 61], "-tau was 60, now 61"), (["-ts_rtol", 1e-3], "-ts_rtol was 1e-5, now 0.001"), (["-box"], "-box"),
                              (["-heads_seed", 4], "heads.seed was 0, now 4")):
            done = run(["heads", "-restart", out, *options])
            assert done.returncode == 2 and word in done.stderr and done.stderr.count("\n") == 1, (options, done)
        done = run(["flow", "-restart", out])
        assert done.returncode == 2 and "command was heads, now flow" in done.stderr, done


tap([(f.__doc__.split(":")[0].split(".")[0], f) for f in (in_a_row, in_a_box, while_judged, certificate, killed, from_a_file, refused)])
