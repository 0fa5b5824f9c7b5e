"""A training that is stopped or killed goes on with the same steps, on any number of ranks."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import continuous  # noqa: F401 (finds ../solve)
from flow_cases import case
from harness import BELLFORMER, Result, run, tap
from bits import difference as same
from cases import READOUT, sequences

QUICK = "quick" in sys.argv  # under sanitizers
PROBLEM = case(rows=sequences(10, 4, seed=9) if QUICK else sequences(40, 8, seed=9), terminal="pooled_cross_entropy", readout=READOUT, horizon=8, step=0.2, weight_decay=1e-3)
OPTIONS = ["-starts", 3, "-scheme", "rk4", "-steps", 8, "-tao_max_it", 60]


LAYERS = ["-starts", 3, "-scheme", "layers", "-tao_max_it", 400]


def prepare(f, options=OPTIONS):
    path = continuous.write(PROBLEM, f)
    assert run(["flow", path, "-o", os.path.join(f, "whole.h5"), *options]).returncode == 0
    return path, Result(os.path.join(f, "whole.h5")), os.path.join(f, "run.h5")


def in_a_row():
    """-maxh, again and again, on 1, 2, 3 ranks: TAO's options come from the checkpoint."""
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = prepare(f)
        stops = 0
        for ranks in (1, 2, 3, 1):
            arguments = ["flow", path, "-o", out, "-restart", "auto", *OPTIONS] if ranks != 3 else ["flow", "-restart", out]
            done = run([*arguments, "-maxh", 0.05 / 3600, "-checkpoint_interval", 0], ranks)
            assert done.returncode in (0, 75), done
            stops += done.returncode == 75
            if done.returncode == 75:
                assert "go on with: bellformer flow -restart" in done.stderr, done.stderr
        assert stops >= 2, stops
        done = run(["flow", "-restart", out])
        assert done.returncode == 0, done
        assert not same(whole, Result(out)), same(whole, Result(out))
        assert not os.path.exists(out + ".checkpoint")


def killed(options=OPTIONS):
    """kill -9 at random instants of a fixed seed, as long as a run in peace takes; one that comes to its end is begun again."""
    draw = random.Random(5)
    with tempfile.TemporaryDirectory() as f:
        began = time.monotonic()
        path, whole, out = prepare(f, options)
        seconds, hits, starts = time.monotonic() - began, 0, []
        command = [str(x) for x in [BELLFORMER, "flow", path, "-o", out, "-restart", "auto", *options, "-checkpoint_interval", 0]]
        for number in range(9):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                if number < 8:
                    time.sleep(draw.uniform(0.1, 0.9) * seconds)
                    process.kill()
            assert process.returncode in (0, -signal.SIGKILL), process.returncode
            hits += process.returncode != 0
            seconds *= 1 if process.returncode else 0.8  # the machine has less to do than before
            if os.path.exists(out):
                assert not same(whole, Result(out)), same(whole, Result(out))
                starts.append(int(Result(out).attributes["provenance"]["starts"]))
                os.remove(out)
        assert process.returncode == 0 and hits and max(starts) > 1, "kills that hit: %d; starts of what came to its end: %s" % (hits, starts)
        print("# %d of 8 kills hit; starts of what came to its end: %s" % (hits, starts))


def killed_in_layers():
    """Scheme layers, likewise."""
    killed(LAYERS)


def without_options():
    """A run of nothing but defaults, and one from a result of solve in the scheme that this chooses, which may be gone by then."""
    with tempfile.TemporaryDirectory() as f:
        path, solved, out, whole = continuous.write(PROBLEM, f), *(os.path.join(f, n) for n in ("solved.h5", "run.h5", "whole.h5"))
        for init in ([], ["-init", solved]):
            if init:
                assert run(["solve", path, "-o", solved, "-quiet"]).returncode == 0
            assert run(["flow", path, *init, "-tao_max_it", 5, "-o", whole, "-overwrite"]).returncode == 0
            assert run(["flow", path, *init, "-tao_max_it", 5, "-o", out, "-overwrite", "-maxh", 1e-9, "-checkpoint_interval", 0]).returncode == 75
            if init:
                os.remove(solved)
            done = run(["flow", "-restart", out])
            assert done.returncode == 0, done
            assert not same(Result(whole), Result(out)), same(Result(whole), Result(out))
            assert Result(out).attributes["flow"]["scheme"] == (b"layers" if init else b"rk4")


def refused():
    """A checkpoint of flow is none of solve's; another problem is another run."""
    with tempfile.TemporaryDirectory() as f:
        path, _, out = prepare(f)
        assert run(["flow", path, "-o", out, *OPTIONS, "-maxh", 1e-9, "-checkpoint_interval", 0]).returncode == 75
        for arguments, word in ((["solve", "-restart", out], "command was flow, now solve"), (["flow", path, "-restart", out, "-step", 0.3], "step was 0.2, now 0.3"),
                                (["flow", path, "-o", out], "-restart")):
            done = run(arguments)
            assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and word in done.stderr, (arguments, done)
        assert run(["flow", "-restart", out]).returncode == 0
        for option in ("-test_gradient", "-time_gradient"): # of a result that is whole: done is not said where nothing is
            done = run(["flow", path, "-o", out, *OPTIONS, "-restart", "auto", option])
            assert done.returncode == 2 and "is finished: option %s needs a run that is not" % option in done.stderr and not done.stdout, done


every = [in_a_row, killed, killed_in_layers, without_options, refused]
tap([(check.__name__.replace("_", " "), check) for check in ([in_a_row, refused] if QUICK else every)])
