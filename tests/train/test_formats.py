"""Formats: a result of the oldest format that is read, as it was stored then, serves eval, the Python reader, the plots and -init; one of a
number before or behind, or without a number, is refused by all of them in one line that tells it; so is a checkpoint."""
import glob
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
    words = "old.h5: another version of bellformer wrote it (result format %d, this one reads 2 to 4)" % told
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


def rewrite(path, change):
    """The problem's YAML in a result."""
    with h5py.File(path, "r+") as f:
        for name, file in f["problem/files"].items():
            if bellformer.text(file.attrs["name"]) != bellformer.text(f["problem"].attrs["yaml"]):
                continue
            text, label = change(file[()].tobytes().decode()), file.attrs["name"]
            del f["problem/files"][name]
            f["problem/files"][name] = np.frombuffer(text.encode(), dtype=np.uint8)
            f["problem/files"][name].attrs["name"] = label


def of_heads():
    """A result that says that it is of heads is read with heads.count, and a fixed V is each head's, of which the layer takes the mean."""
    with place() as folder:
        yaml = os.path.join(folder, "p.yaml")
        with open(os.path.join(folder, "t.csv"), "w") as out:
            out.write("sequence,position,label,z0\n0,0,0,0.5\n0,1,0,-0.25\n1,0,1,1\n1,1,1,0.125\n")
        with open(yaml, "w") as out:
            out.write("horizon: 2\nstep: 0.5\ntoken: {dim: 1, lower: -4, upper: 4}\ndata: {file: t.csv}\nlayer: {heads: 3}\n"
                      "control:\n  A: {range: [-2, 2]}\n  V: {form: fixed, value: 0.25}\n"
                      "cost: {terminal: token_cross_entropy, readout: {matrix: [1, -1]}}\n")
        path = os.path.join(folder, "run.h5")
        done = run(["flow", yaml, "-init", "sample", "-tao_max_it", "0", "-o", path])
        assert done.returncode == 0, done.stderr
        loss = "loss %.10g," % bellformer.load(path).measures["loss"]
        assert loss in run(["eval", path]).stdout
        rewrite(path, lambda text: text.replace("heads: 3", "heads: 1").replace("value: 0.25", "value: 0.75") + "heads: {count: 3}\n")
        told = run(["eval", path])
        assert told.returncode == 2 and "do not fit" in told.stderr, told.stderr
        with h5py.File(path, "r+") as f:
            f.attrs["space"] = np.bytes_("heads")
        told = run(["eval", path])
        assert told.returncode == 0 and loss in told.stdout, (told.stdout, told.stderr, loss)


def generations(out):
    """Their bytes, by name."""
    return {path: open(path, "rb").read() for path in sorted(glob.glob(out + ".checkpoint/*.h5"))}


def refused_checkpoint(command, out, ranks, words):
    stands = generations(out)
    done = run([command, "-restart", out], ranks)
    lines = [line for line in done.stderr.splitlines() if line]
    assert done.returncode == 2 and len(lines) == 1 and words in lines[0], (command, done.stderr)
    assert generations(out) == stands and not os.path.exists(out)  # for the program that wrote them


def checkpoints():
    """Of both trainers, each with several generations; the newest alone is enough: from an older one the run would start over."""
    how = {"solve": ["-space", "reachable", "-maxh", "1e-9"], "flow": ["-starts", "3", "-maxh", "1e-9"]}
    for command, options in how.items():
        for group, what, read in (("checkpoint", "checkpoint", "3"), ("provenance", "result", "2 to 4")):
            with place() as folder:
                _, problem = stored(folder)
                out = os.path.join(folder, "run.h5")
                stopped = run([command, problem, "-o", out, "-checkpoint_interval", "0", *options])
                assert stopped.returncode == 75, stopped.stderr
                saved = list(generations(out))
                assert len(saved) > 1, saved
                number = 2 if group == "checkpoint" else 1
                words = "%s: another version of bellformer wrote it (%s format %d, this one reads %s)" % (saved[-1], what, number, read)
                renumber(saved[-1], group, number)
                refused_checkpoint(command, out, 0, words)
                for path in saved[:-1]:
                    renumber(path, group, number)
                refused_checkpoint(command, out, 2, words)


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
     ("a result of heads is read with its section", of_heads), ("controls alone", controls_alone)])
