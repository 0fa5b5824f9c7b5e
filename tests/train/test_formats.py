"""Formats: a result of the oldest format that is read, as it was stored then, serves eval, the Python reader, the plots and -init; one of a
number before or behind, or without a number, is refused by all of them in one line that tells it; so is a checkpoint."""
import gzip
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SHARE = os.path.join(HERE, "..", "..", "share")
sys.path[:0] = [os.path.join(HERE, "..", "solve"), os.path.join(SHARE, "python")]
import bellformer  # noqa: E402
from harness import run, tap  # noqa: E402


def place():
    return tempfile.TemporaryDirectory(prefix="bf_formats_")


def stored(folder):
    """The result of format 2 that was written by the program of its time, and its problem."""
    path = os.path.join(folder, "old.h5")
    with gzip.open(os.path.join(HERE, "format_2.h5.gz")) as packed, open(path, "wb") as file:
        shutil.copyfileobj(packed, file)
    with h5py.File(path) as f:
        for file in f["problem/files"].values():
            name = bellformer.text(file.attrs["name"])
            with open(os.path.join(folder, name), "wb") as out:
                out.write(file[()].tobytes())
        return path, os.path.join(folder, bellformer.text(f["problem"].attrs["yaml"]))


def renumber(path, group, number):
    """number: None leaves the file without one."""
    with h5py.File(path, "r+") as f:
        del f[group].attrs["format"]
        if number is not None:
            f[group].attrs["format"] = np.int64(number)


def plot(path, folder):
    return subprocess.run([sys.executable, os.path.join(SHARE, "plot", "loss.py"), path, "-o", os.path.join(folder, "loss.png")],
                          capture_output=True, text=True)


def read_by_all():
    with place() as folder:
        path, problem = stored(folder)
        with h5py.File(path) as f:
            loss, control = float(f["rollout"].attrs["loss"]), f["rollout/controls"][()]
        model = bellformer.load(path)
        assert abs(model.loss(model.data)[0] - loss) < 1e-12 and (model.control == control).all()
        told = run(["eval", path])
        assert told.returncode == 0 and "loss %.10g," % loss in told.stdout, (told.stdout, told.stderr, loss)
        done = run(["flow", problem, "-init", path, "-tao_max_it", "0", "-o", "f.h5"], cwd=folder)
        assert done.returncode == 0 and "-scheme layers" in done.stdout, done.stderr
        with h5py.File(os.path.join(folder, "f.h5")) as f:
            assert (f["rollout/controls"][()] == control).all() and f["rollout"].attrs["loss"] == loss
        again = run(["solve", problem, "-o", path, "-space", "reachable", "-restart", "auto"])
        assert again.returncode == 0 and "nothing to do" in again.stdout, again.stderr


def refused_by_all(number, told):
    words = "old.h5: another version of bellformer wrote it (result format %d, this one reads 2 to 3)" % told
    with place() as folder:
        path, problem = stored(folder)
        renumber(path, "provenance", number)
        for command in (["eval", path], ["flow", problem, "-init", path], ["solve", problem, "-o", path, "-restart", "auto"]):
            for ranks in (0, 2):
                done = run(command, ranks)
                lines = [line for line in done.stderr.splitlines() if line]
                assert done.returncode == 2 and len(lines) == 1 and words in lines[0], (command, done.stderr)
        try:
            bellformer.load(path)
            raise AssertionError("the Python reader takes it")
        except ValueError as error:
            assert words in str(error), error
        done = plot(path, folder)
        assert done.returncode and words in done.stderr and "Traceback" not in done.stderr, done.stderr


def checkpoints():
    for group, what, read in (("checkpoint", "checkpoint", "2"), ("provenance", "result", "2 to 3")):
        with place() as folder:
            _, problem = stored(folder)
            out = os.path.join(folder, "run.h5")
            stopped = run(["solve", problem, "-o", out, "-space", "reachable", "-maxh", "1e-9", "-checkpoint_interval", "0"])
            assert stopped.returncode == 75, stopped.stderr
            kept = sorted(name for name in os.listdir(out + ".checkpoint") if name.endswith(".h5"))
            for name in kept:
                renumber(os.path.join(out + ".checkpoint", name), group, 1)
            done = run(["solve", "-restart", out])
            last = done.stderr.splitlines()[-1]
            assert done.returncode == 2 and "another version of bellformer wrote it (%s format 1, this one reads %s)" % (what, read) in last and "warning" not in last, done.stderr
            assert sorted(name for name in os.listdir(out + ".checkpoint") if name.endswith(".h5")) == kept  # for the program that wrote them


def controls_alone():
    """A file for -init needs no format: it is no result."""
    with place() as folder:
        path, problem = stored(folder)
        with h5py.File(path) as f, h5py.File(os.path.join(folder, "u.h5"), "w") as u:
            u["/rollout/controls"] = f["rollout/controls"][()]
        assert run(["flow", problem, "-init", os.path.join(folder, "u.h5"), "-tao_max_it", "0"]).returncode == 0


tap([("a stored result of format 2 is read by eval, Python, -init and a restart", read_by_all),
     ("one without a number is of format 1, which is refused", lambda: refused_by_all(None, 1)),
     ("as is one of format 1", lambda: refused_by_all(1, 1)),
     ("and one of format 99", lambda: refused_by_all(99, 99)),
     ("checkpoints of an older format are refused, and stand", checkpoints),
     ("controls alone", controls_alone)])
