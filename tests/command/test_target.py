"""No command writes a file that it reads, by whatever path, link or case it is named; and -overwrite removes nothing before the new
file is whole."""
import glob
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import h5py

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
from harness import BELLFORMER, Result, run, tap  # noqa: E402

PROBLEM = """horizon: 2
step: 0.5
token: {dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5]}
data: {file: table.csv, test: test.csv}
control: {A: {form: scalar}, V: {form: scalar, range: [-1, 1]}}
action: {kind: file, file: actions.csv}
cost: {terminal: pooled_cross_entropy, readout: {kind: decision, classes: 2, file: readouts.csv}}
quantize: {codebook: codebook.csv}
"""
FILES = {"problem.yaml": PROBLEM, "actions.csv": "1,1\n0,1\n", "readouts.csv": "4,0,-4,0,0,0\n", "codebook.csv": "0,0\n1,1\n-1,-1\n",
         "table.csv": "sequence,position,label,z0,z1\n0,0,0,-1,1\n0,1,0,1,1\n1,0,1,-1,-1\n1,1,1,1,-1\n"}
FILES["test.csv"] = FILES["table.csv"]


class Place:
    def __init__(self, folder):
        self.folder = folder
        for name, text in FILES.items():
            with open(self.at(name), "w") as file:
                file.write(text)
        for command in ("solve", "flow"):
            done = self.run(command, "problem.yaml", "-o", command + ".h5", *(["-scheme", "euler", "-tao_max_it", "2"] if command == "flow" else []))
            assert done.returncode == 0, done.stderr

    def at(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words, ranks=0):
        return run(words, ranks, cwd=self.folder)

    def bytes(self):
        return {path: open(path, "rb").read() for path in sorted(glob.glob(self.at("**"), recursive=True)) if os.path.isfile(path)}

    def refuses(self, source, words, out, ranks=0):
        """The line names both, and every file is as it was."""
        before = self.bytes()
        done = self.run(*words, "-o", out, "-overwrite", ranks=ranks)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, (words, out, done)
        assert "-o %s would overwrite" % out in done.stderr and os.path.basename(source) in done.stderr, (source, done.stderr)
        assert self.bytes() == before, (words, out)

    def every_name(self, source, words, ending="", checkpoints=True):
        """The file itself, by another path, through links, and as what is written on the way."""
        base = self.at("name" + ending)
        self.refuses(source, words, os.path.join(".", source), ranks=2)
        self.refuses(source, words, self.at(source))
        for link, names in ((os.symlink, [base, base + ".part"]), (os.link, [base, base + ".part"])):
            for name in names:
                link(self.at(source), name)
                self.refuses(source, words, base)
                os.remove(name)
        if not checkpoints:
            return
        os.mkdir(base + ".checkpoint")
        os.rename(self.at(source), base + ".checkpoint/0000.h5")
        os.symlink(base + ".checkpoint/0000.h5", self.at(source))  # the file stands in the folder: known where it is named there
        moved = [os.path.relpath(base + ".checkpoint/0000.h5", self.folder) if word == source else word for word in words]
        if moved != words and source != "problem.yaml":  # whose tables stand beside it
            self.refuses("0000.h5", moved, base)
        os.remove(self.at(source))
        os.rename(base + ".checkpoint/0000.h5", self.at(source))
        os.rmdir(base + ".checkpoint")


def on_place(check):
    def checked():
        with tempfile.TemporaryDirectory(prefix="bf_target_") as folder:
            check(Place(folder))
    return checked


def problems(place):
    """Every file of a problem, of solve and flow."""
    for number, source in enumerate(FILES):
        place.every_name(source, [("solve", "flow")[number % 2], "problem.yaml"])


def init(place):
    place.every_name("solve.h5", ["flow", "problem.yaml", "-init", "solve.h5"])


def evaluations(place):
    """The result that is evaluated, and the table."""
    place.every_name("solve.h5", ["eval", "solve.h5"], ".h5", checkpoints=False)
    place.every_name("flow.h5", ["eval", "flow.h5"], ".h5", checkpoints=False)
    place.every_name("table.csv", ["eval", "solve.h5", "-data", "table.csv"], ".csv", checkpoints=False)
    with h5py.File(place.at("table.h5"), "w") as file:
        for i, name in enumerate(("sequence", "position", "label", "z0", "z1")):
            file[name] = [float(row.split(",")[i]) for row in FILES["table.csv"].split()[1:]]
        for name in ("sequence", "position", "label"):
            values = file[name][()].astype(int)
            del file[name]
            file[name] = values
    place.every_name("table.h5", ["eval", "solve.h5", "-data", "table.h5"], ".h5", checkpoints=False)


def stop_file(place):
    """A table that is named STOP would be taken for the request to stop, and removed."""
    os.rename(place.at("table.csv"), place.at("STOP"))
    place.refuses("STOP", ["solve", "problem.yaml", "-data_file", "STOP"], "new.h5")


def stop_result(place):
    """So would a result of that name, by the next start."""
    for command in ("solve", "flow"):
        for out in ("STOP", "./STOP"):
            done = place.run(command, "problem.yaml", "-o", out)
            assert done.returncode == 2 and done.stderr.count("\n") == 1 and "stops runs" in done.stderr, done
    assert not os.path.exists(place.at("STOP"))
    os.mkdir(place.at("STOP"))  # a folder asks for nothing: no start could remove it
    done = place.run("solve", "problem.yaml", "-o", "beside.h5")
    assert done.returncode == 0 and os.path.exists(place.at("beside.h5")), done
    os.rmdir(place.at("STOP"))


def option_files(place):
    with open(place.at("options"), "w") as file:
        file.write("-horizon 3\n")
    place.refuses("options", ["solve", "problem.yaml", "-options_file", "options"], "options")


def still_written(place):
    """What is none of its inputs is replaced."""
    for words in (["solve", "problem.yaml", "-o", "flow.h5"], ["flow", "problem.yaml", "-init", "solve.h5", "-o", "flow.h5", "-tao_max_it", "1"],
                  ["eval", "solve.h5", "-o", "flow.h5"]):
        done = place.run(*words, "-overwrite")
        assert done.returncode == 0, done.stderr


def killed(place):
    """kill -9 at any instant of a run with -overwrite, as long as such a run takes: the old result, or the new one, is whole; and so is a
    checkpoint, the old run's or the new one's, where there was one."""
    draw = random.Random(3)
    old = Result(place.at("solve.h5"))
    words = [BELLFORMER, "solve", "problem.yaml", "-o", "solve.h5", "-overwrite", "-horizon", "3"]
    began, ends = time.monotonic(), []
    subprocess.run([*words[:4], "timed.h5", *words[5:]], cwd=place.folder, stdout=subprocess.DEVNULL, check=True)
    seconds = time.monotonic() - began
    for number in range(12):
        if number == 6:
            stopped = place.run("solve", "problem.yaml", "-o", "solve.h5", "-overwrite", "-maxh", "1e-9", "-checkpoint_interval", "0")
            assert stopped.returncode == 75, stopped
        with subprocess.Popen(words, cwd=place.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(draw.uniform(0.3, 1.1) * seconds)
            process.kill()
        ends.append(process.returncode)
        seconds *= 1 if process.returncode else 0.8  # the machine has less to do than before
        now = Result(place.at("solve.h5"))
        horizon = len(now.data["rollout/actions"])
        assert horizon == 3 or now.value == old.value
        generations = glob.glob(place.at("solve.h5.checkpoint/*.h5"))
        assert number < 6 or generations or horizon == 3, number
        for path in generations:
            assert "options" in Result(path).attributes
    assert -signal.SIGKILL in ends and set(ends) <= {0, -signal.SIGKILL}, ends
    assert place.run("solve", "problem.yaml", "-o", "solve.h5", "-overwrite").returncode == 0
    assert Result(place.at("solve.h5")).value == old.value and not os.path.exists(place.at("solve.h5.checkpoint"))


tap([(name, on_place(check)) for name, check in (
    ("problem files", problems), ("-init", init), ("eval", evaluations), ("a table named STOP", stop_file),
    ("a result named STOP", stop_result), ("-options_file", option_files),
    ("other files", still_written), ("kill -9", killed))])
