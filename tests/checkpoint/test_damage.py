"""Damaged checkpoints: whatever byte is flipped and wherever the file ends, a restart gives the same bits (from an older generation,
where it must), or says in one line which file is damaged. Never another answer."""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import SMALL, Result, oracle, reference, run, same  # noqa: E402
from harness import tap  # noqa: E402

REGION = 512


def two_generations(f):
    path, out = oracle.write({**SMALL, "cells": [2, 3]}, f), os.path.join(f, "run.h5")
    for _ in range(2):
        done = run(["solve", path, "-o", out, "-space", "full", "-restart", "auto", "-maxh", 1e-9, "-checkpoint_interval", 0])
        assert done.returncode == 75, (done.returncode, done.stderr)
    return path, out


def try_damage(damage):
    """damage(bytes, step) -> bytes, or None after the last step; each tried on the newest generation."""
    with tempfile.TemporaryDirectory(prefix="bf_damage_") as f:
        path, out = two_generations(f)
        wanted = reference(path, ["-space", "full"], f)
        saved = os.path.join(f, "saved")
        shutil.copytree(out + ".checkpoint", saved)
        newest = sorted(n for n in os.listdir(saved) if n.endswith(".h5"))[-1]
        whole = open(os.path.join(saved, newest), "rb").read()
        step = same_answer = told = 0
        while (broken := damage(whole, step)) is not None:
            step += 1
            shutil.rmtree(out + ".checkpoint", ignore_errors=True)
            shutil.copytree(saved, out + ".checkpoint")
            with open(os.path.join(out + ".checkpoint", newest), "wb") as file:
                file.write(broken)
            done = run(["solve", "-restart", out])
            told += newest in done.stderr
            if done.returncode == 0:
                same(wanted, Result(out), "step %d" % step)
                os.remove(out)
                same_answer += 1
                continue
            assert done.returncode == 2 and newest in done.stderr, (step, done.returncode, done.stderr)
            assert all(line.startswith("bellformer: ") for line in done.stderr.splitlines()), done.stderr
        print("# %d damages: %d times the same answer, %d times the file was named" % (step, same_answer, told))
        assert told > 0 and same_answer > 0


def flip(whole, step):
    at = step * REGION + step * 37 % REGION
    return None if at >= len(whole) else whole[:at] + bytes([whole[at] ^ (1 << step % 8)]) + whole[at + 1:]


def truncate(whole, step):
    return None if step * 4096 >= len(whole) else whole[:step * 4096]


tap([("a bit of every %d bytes flipped in turn" % REGION, lambda: try_damage(flip)), ("truncated at every 4 KiB", lambda: try_damage(truncate))])
