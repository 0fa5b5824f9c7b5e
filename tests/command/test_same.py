"""A result or a checkpoint counts for what is asked for only if command, problem and every option that changes the answer are the
same: each key and option, in both directions, of solve and flow, on 1 and 3 ranks. What changes no answer never blocks."""
import os
import shutil
import sys
import tempfile

import h5py

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
from harness import run, tap  # noqa: E402

PROBLEM = """horizon: 2
step: 0.5
token: {dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5]}
data: {file: table.csv, test: test.csv, position_encoding: sinusoidal}
layer: {feedforward: tanh, width: 1}
control:
  A: {form: scalar, range: [-1, 1], levels: 2}
  V: {form: scalar, range: [-1, 1], levels: 2}
  W1: {form: full, range: [-1, 1], levels: 1}
  b1: {form: fixed, value: [0.25]}
  W2: {form: full, range: [-1, 1], levels: 1}
  b2: {form: fixed, value: [0, 0]}
cost:
  terminal: pooled_cross_entropy
  readout: {matrix: [4, 0, -4, 0], bias: [0, 0]}
quantize: {cells: [3, 3]}
"""
TABLE = "sequence,position,label,z0,z1\n0,0,0,-1,1\n0,1,0,1,1\n1,0,1,-1,-1\n1,1,1,1,-1\n"
# (what changes in the problem's text, the line's key, then, now)
KEYS = [
    (("horizon: 2", "horizon: 3"), "horizon was 2, now 3"),
    (("step: 0.5", "step: 0.25"), "step was 0.5, now 0.25"),
    (("lower: [-1.5, -1.5]", "lower: [-1.5, -2]"), "token.lower was -1.5,-1.5, now -1.5,-2"),
    (("upper: [1.5, 1.5]", "upper: [2, 1.5]"), "token.upper was 1.5,1.5, now 2,1.5"),
    (("token: {", "token: {projection: sphere, "), "token.projection was clip, now sphere"),
    (("data: {", "data: {position_amplitude: 2, "), "data.position_amplitude was 1, now 2"),
    (("encoding: sinusoidal", "encoding: none"), "data.position_encoding was sinusoidal, now none"),
    (("encoding: sinusoidal", "encoding: [0, 1, 0, 1]"), "data.position_encoding was sinusoidal, now 0,1,0,1"),
    ((", test: test.csv", ""), "data.test was test.csv, now not given"),
    (("layer: {", "layer: {residual: 0, "), "layer.residual was 1, now 0"),
    (("token: {", "token: {projection: none, "), "token.projection was clip, now none"),
    (("layer: {", "layer: {norm: rms, "), "layer.norm was none, now rms"),
    (("layer: {", "layer: {beta: 2, "), "layer.beta was 1, now 2"),
    (("layer: {", "layer: {mask: causal, "), "layer.mask was full, now causal"),
    (("tanh", "gelu"), "layer.feedforward was tanh, now gelu"),
    (("A: {form: scalar", "A: {form: diagonal"), "control.A.form was scalar, now diagonal"),
    (("V: {form: scalar, range: [-1, 1]", "V: {form: scalar, range: [-1, 2]"), "control.V.range was -1,1, now -1,2"),
    (("V: {form: scalar, range: [-1, 1], levels: 2", "V: {form: scalar, range: [-1, 1], levels: 3"), "control.V.levels was 2, now 3"),
    (("value: [0.25]", "value: [0.5]"), "control.b1.value was 0.25, now 0.5"),
    (("terminal: pooled", "terminal: token"), "cost.terminal was pooled_cross_entropy, now token_cross_entropy"),
    (("cost:", "cost:\n  pooling: last"), "cost.pooling was mean, now last"),
    (("[4, 0, -4, 0]", "[4, 0, -3, 0]"), "cost.readout.matrix was 4,0,-4,0, now 4,0,-3,0"),
    (("bias: [0, 0]", "bias: [0, 1]"), "cost.readout.bias was 0,0, now 0,1"),
    (("cost:", "cost:\n  weight_decay: 0.125"), "cost.weight_decay was 0, now 0.125"),
    (("quantize:", "flow: {profile: [1, 2]}\nquantize:"), "flow.profile was constant, now 1,2"),
    (("cells: [3, 3]", "cells: [4, 3]"), "quantize.cells was 3,3, now 4,3"),
    (("cells: [3, 3]", "cells: [3, 3], atoms: 1"), "quantize.atoms was 0, now 1"),
    (("cells: [3, 3]", "cells: [3, 3], transition: split"), "quantize.transition was nearest, now split"),
]
# What is the same problem, written otherwise.
SAME = [("horizon: 2", "# two layers\nhorizon:   2"), ("step: 0.5", "step: 5.0e-1"), ("horizon: 2", "name: other\nhorizon: 2"),
        ("token: {", "token: {projection: clip, "), ("layer: {", "layer: {beta: 1.0, residual: 1, norm: none, heads: 1, "),
        ("A: {form: scalar", "A_0: {form: scalar"), ("V: {form: scalar, range: [-1, 1]", "V: {form: scalar, range: [-1, 1, ]"), ("lower: [-1.5, -1.5]", "lower: -1.5"),
        ("W1: {form: full, range: [-1, 1]", "W1: {form: full, range: [-9, 1], row_0: {range: [-1, 1]}"),
        ("cost:", "action: {kind: grid}\ncost:"), (", bias: [0, 0]", ""), ("readout: {", "readout: {classes: 2, "),
        ("quantize:", "flow: {profile: constant}\nquantize:"), ("data: {file: table.csv", "data: {file: copy.csv")]
FULL = ["-space", "full"]
FLOW = ["-scheme", "rk4", "-tao_max_it", "3", "-init", "sample"]
# command: (options of the run, [(options of another one, the line)])
OPTIONS = {
    "solve": (FULL, [(["-space", "reachable"], "-space was full, now reachable"), ([], "-space was full, now reachable"),
                     ([*FULL, "-store_value", "0"], "-store_value was 1, now 0"),
                     ([*FULL, "-store_policy", "0"], "-store_policy was 1, now 0"),
                     ([*FULL, "-stability", "1"], "-stability was 0, now 1")]),
    "flow": (FLOW, [(["-scheme", "euler", *FLOW[2:]], "-scheme was rk4, now euler"),
                    ([*FLOW, "-steps", "4"], "-steps was 8, now 4"),
                    (["-scheme", "bs3", *FLOW[2:], "-tolerance", "1e-6"], "-scheme was rk4, now bs3"),
                    ([*FLOW, "-starts", "2"], "-starts was 1, now 2"),
                    ([*FLOW, "-seed", "1"], "-seed was 0, now 1"),
                    ([*FLOW[:4], "-init", "init.h5"], "-init was sample, now init.h5"),
                    ([*FLOW[:4], "-init", "zero"], "-init was sample, now zero"),
                    (["-scheme", "rk4", "-tao_max_it", "4", "-init", "sample"], "-tao_max_it was 3, now 4"),
                    (["-scheme", "rk4", "-init", "sample"], "-tao_max_it was 3, now 1000"),
                    ([*FLOW, "-tao_gatol", "1e-3"], "-tao_gatol was 1e-8, now 1e-3"),
                    ([*FLOW, "-tao_type", "blmvm"], "-tao_type was bqnls, now blmvm")])}
HARMLESS = ["-maxh", "9", "-quiet", "-checkpoint_interval", "100", "-node_size", "1", "-overwrite"]


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)


def reversed_line(line):
    key, values = line.split(" was ", 1)
    then, now = values.rsplit(", now ", 1)
    return "%s was %s, now %s" % (key, now, then)


class Place:
    """A folder with the problem, its tables, a control for -init, and of each command a finished run and one that was stopped."""

    def __init__(self, folder, command):
        self.folder, self.command, self.options = folder, command, OPTIONS[command][0]
        write(folder, "base.yaml", PROBLEM)
        for name in ("table.csv", "test.csv", "copy.csv"):
            write(folder, name, TABLE)
        with h5py.File(os.path.join(folder, "init.h5"), "w") as file:
            file["/rollout/controls"] = [[0.5, 0.5, 0, 0, 0, 0]] * 2
        self.finish("base.yaml", self.options, "done.h5")
        stopped = self.run("base.yaml", "stopped.h5", *self.options, "-maxh", "1e-9", "-checkpoint_interval", "0")
        assert stopped.returncode == 75, stopped.stderr

    def run(self, problem, out, *options, ranks=0, command=None):
        return run([command or self.command, problem, "-o", out, *options], ranks, cwd=self.folder)

    def finish(self, problem, options, out):
        done = self.run(problem, out, *options)
        assert done.returncode == 0, (problem, options, done.stderr)

    def refuses(self, problem, out, options, line, ranks=0, command=None):
        done = self.run(problem, out, *options, "-restart", "auto", ranks=ranks, command=command)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and not done.stdout, (problem, options, done)
        assert done.stderr.startswith("bellformer: %s" % out) and line in done.stderr, (line, done.stderr)

    def accepts(self, problem, out, options, ranks=0):
        done = self.run(problem, out, *options, "-restart", "auto", ranks=ranks)
        said = [line for line in done.stderr.splitlines() if not line.startswith("bellformer: warning: ")]  # of a flow that ends now
        assert done.returncode == 0 and not said and ("finished" in done.stdout or "-quiet" in options), (options, done)

    def snapshot(self):
        return {name: os.stat(os.path.join(at, name)).st_mtime_ns for at, _, names in os.walk(self.folder) for name in names}


def both_ways(place, problem, options, line, ranks, out, back=True):
    """Refused of the finished run or of the stopped one; and, back, the other way round."""
    place.refuses(problem, out, options, line, ranks)
    if "-init" in line or not back:  # a control that was given is known by its numbers
        return
    place.finish(problem, options, "other.h5")
    place.refuses("base.yaml", "other.h5", place.options, reversed_line(line) if ", now " in line else line, ranks)
    os.remove(os.path.join(place.folder, "other.h5"))


def on_place(command, check):
    def checked():
        with tempfile.TemporaryDirectory(prefix="bf_same_") as folder:
            check(Place(folder, command))
    return checked


OUTS = ("done.h5", "stopped.h5")


def keys(place):
    """The text of problems that both files have is the same: each key against one of them by solve, against the other by flow."""
    for number, ((old, new), line) in enumerate(KEYS):
        solve = place.command == "solve"
        assert old in PROBLEM, old
        write(place.folder, "other.yaml", PROBLEM.replace(old, new, 1))
        both_ways(place, "other.yaml", place.options, line, 3 if number % 5 == 0 else 0, OUTS[(number + solve) % 2], back=solve or number % 4 == 0)


def overrides(place):
    """A key on the command line is the key in the file."""
    place.refuses("base.yaml", "done.h5", [*place.options, "-horizon", "3"], "horizon was 2, now 3", 3)
    write(place.folder, "longer.yaml", PROBLEM.replace("horizon: 2", "horizon: 9"))
    place.accepts("longer.yaml", "done.h5", [*place.options, "-horizon", "2"])
    place.refuses("base.yaml", "done.h5", [*place.options, "-action_kind", "sample", "-action_count", "5"], "action.kind was grid, now sample")
    place.accepts("base.yaml", "done.h5", [*place.options, "-step", "0.50", "-layer_beta", "1"], 3)


def files(place):
    """Other bytes under the same name, of both tables; the same under another name."""
    for name, key in (("table.csv", "data.file"), ("test.csv", "data.test")):
        write(place.folder, name, TABLE.replace("-1,1", "-0.5,1", 1))
        for out in ("done.h5", "stopped.h5"):
            place.refuses("base.yaml", out, place.options, "%s was another %s" % (key, name), 3)
        write(place.folder, name, TABLE)


def options(place):
    for number, (other, line) in enumerate(OPTIONS[place.command][1]):
        for out in OUTS[::-1]:
            both_ways(place, "base.yaml", other, line, 3 if number % 2 else 0, out, back=out == "done.h5")
    if place.command == "flow":
        adaptive = ["-scheme", "bs3", *FLOW[2:]]
        place.finish("base.yaml", adaptive, "bs3.h5")
        place.refuses("base.yaml", "bs3.h5", [*adaptive, "-tolerance", "1e-6"], "-tolerance was 1e-08, now 1e-06")


def names(place):
    """-restart and -o may name one result in two ways, but not two results."""
    other = os.path.join(place.folder, "done.h5")
    done = run([place.command, "-restart", "done.h5", "-o", other], cwd=place.folder)
    assert done.returncode == 0 and "finished" in done.stdout, done
    os.makedirs(os.path.join(place.folder, "elsewhere"), exist_ok=True)
    for out in ("other.h5", "elsewhere/done.h5", "none/done.h5"):
        done = run([place.command, "-restart", "done.h5", "-o", out], cwd=place.folder)
        assert done.returncode == 2 and "two results" in done.stderr, done


def commands(place):
    other = {"solve": "flow", "flow": "solve"}[place.command]
    for out in ("done.h5", "stopped.h5"):
        place.refuses("base.yaml", out, OPTIONS[other][0], "command was %s, now %s" % (place.command, other), 3, command=other)


def harmless(place):
    """Defaults that are given, other words for the same, and options that change no answer."""
    for number, (old, new) in enumerate(SAME):
        assert old in PROBLEM, old
        write(place.folder, "other.yaml", PROBLEM.replace(old, new, 1))
        place.accepts("other.yaml", "done.h5", place.options, 3 if number == 0 else 0)
    defaults = {"solve": ["-space", "full", "-store_value", "1", "-stability", "0"],
                "flow": [*place.options, "-steps", "8", "-seed", "0", "-starts", "1", "-tao_type", "bqnls", "-tao_gatol", "1e-08"]}
    place.accepts("base.yaml", "done.h5", defaults[place.command])
    if place.command == "solve":  # the space that is chosen where none is given, and the same given
        place.finish("base.yaml", [], "chosen.h5")
        place.accepts("base.yaml", "chosen.h5", [])
        place.accepts("base.yaml", "chosen.h5", ["-space", "reachable"])
    place.accepts("base.yaml", "done.h5", [*place.options, *HARMLESS], 3)
    place.accepts("base.yaml", "stopped.h5", [*place.options, *HARMLESS], 3)  # which goes on, and ends


def by_name(place):
    """-restart FILE: what is given is compared, what is not is the file's own."""
    def ask(out, *given, ranks=0):
        return run([place.command, "-restart", out, *given], ranks, cwd=place.folder)
    for out in ("done.h5", "stopped.h5"):
        for given, line in ((["-horizon", "3"], "horizon was 2, now 3"), (["-horizn", "3"], "unknown option -horizn"),
                            OPTIONS[place.command][1][0]):
            done = ask(out, *given, ranks=3 if out == "done.h5" else 0)
            assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and line in done.stderr, (given, done)
    assert "finished" in ask("done.h5", "-horizon", "2").stdout and "finished" in ask("done.h5").stdout
    assert ask("stopped.h5", "-horizon", "2").returncode == 0


def init(place):
    """The contents of -init count, not its name."""
    options = [*FLOW[:4], "-init", "init.h5"]
    place.finish("base.yaml", options, "from.h5")
    shutil.copy(os.path.join(place.folder, "init.h5"), os.path.join(place.folder, "copy.h5"))
    place.accepts("base.yaml", "from.h5", [*FLOW[:4], "-init", "copy.h5"])
    done = run(["flow", "-restart", "from.h5", "-init", "copy.h5"], cwd=place.folder)
    assert done.returncode == 0 and "finished" in done.stdout, done
    with h5py.File(os.path.join(place.folder, "init.h5"), "r+") as file:
        file["/rollout/controls"][1, 1] = 0.25
    place.refuses("base.yaml", "from.h5", options, "-init was another control, now init.h5", 3)
    place.refuses("base.yaml", "from.h5", place.options, "-init was another control, now sample")
    done = run(["flow", "-restart", "from.h5", "-init", "init.h5"], cwd=place.folder)
    assert done.returncode == 2 and "-init was another control" in done.stderr, done


def older(place):
    """A result that does not say how it was made is refused, not guessed at."""
    with h5py.File(os.path.join(place.folder, "done.h5"), "r+") as file:
        del file["/options"]
    place.refuses("base.yaml", "done.h5", place.options, "older version", 3)
    done = run([place.command, "-restart", "done.h5"], cwd=place.folder)
    assert done.returncode == 2 and "older version" in done.stderr, done


def touched(place):
    """A refusal leaves every file as it was."""
    before = place.snapshot()
    for out in ("done.h5", "stopped.h5"):
        place.refuses("base.yaml", out, [*place.options, "-horizon", "3"], "horizon")
    assert place.snapshot() == before


CHECKS = [("keys", keys), ("overrides", overrides), ("files", files), ("options", options), ("two names", names), ("other commands", commands),
          ("harmless", harmless), ("-restart FILE", by_name), ("older versions", older), ("files untouched", touched)]
if __name__ == "__main__":
    tap([("%s: %s" % (command, name), on_place(command, check)) for command in ("solve", "flow") for name, check in CHECKS]
        + [("flow: -init", on_place("flow", init))])
