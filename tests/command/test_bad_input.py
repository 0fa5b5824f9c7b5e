"""Every wrong input: one line that names file and key, exit 2, nothing half-written, on any number of ranks; nothing hangs."""
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
from harness import ALONE, BELLFORMER, LAUNCHED, only_root, tap  # noqa: E402

GOOD = """name: good
horizon: 2
step: 0.5
token: {dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5], projection: clip}
data: {file: good.csv, position_encoding: none}
layer: {residual: 1, heads: 1, beta: 1.0, mask: full, feedforward: none}
control:
  A: {form: scalar, range: [-4, 4], levels: 3}
  V: {form: scalar, range: [-2, 2], levels: 3}
action: {kind: grid}
cost:
  terminal: pooled_cross_entropy
  pooling: mean
  readout: {kind: fixed, matrix: [4, 0, -4, 0], bias: [0, 0]}
  weight_decay: 1.0e-3
quantize: {cells: [3, 3], atoms: 0, transition: nearest}
"""
TABLE = "sequence,position,label,z0,z1\n0,0,0,-1,1\n0,1,0,1,1\n1,0,1,-1,-1\n1,1,1,1,-1\n"


def yaml(old, new):
    assert old in GOOD, old
    return {"good.yaml": GOOD.replace(old, new)}


def table(old, new):
    assert old in TABLE, old
    return {"good.csv": TABLE.replace(old, new)}


# name: (files that are changed, options, what the line must hold)
CASES = {
    "unknown key": (yaml("horizon: 2", "horizon: 2\nhorizn: 3"), [], ["good.yaml", "horizn"]),
    "misspelt nested key": (yaml("levels: 3}\n  V", "level: 3}\n  V"), [], ["good.yaml", "control.A.level"]),
    "duplicate key": (yaml("step: 0.5", "step: 0.5\nstep: 1"), [], ["good.yaml", "step"]),
    "missing key": (yaml("horizon: 2\n", ""), [], ["good.yaml", "horizon"]),
    "not YAML": ({"good.yaml": "name: [1, 2\nstep: }"}, [], ["good.yaml"]),
    "empty file": ({"good.yaml": ""}, [], ["good.yaml"]),
    "binary file": ({"good.yaml": "\0\1\2\3"}, [], ["good.yaml"]),
    "missing problem": ({"good.yaml": None}, [], ["good.yaml", "No such file"]),
    "missing table": ({"good.csv": None}, [], ["good.yaml", "data.file", "good.csv"]),
    "wrong column": (table("label", "lable"), [], ["good.csv", "lable"]),
    "missing column": ({"good.csv": TABLE.replace(",z1", "")}, [], ["good.csv", "z1"]),
    "too few cells in a row": (table("0,1,0,1,1\n", "0,1,0,1\n"), [], ["good.csv", "3"]),
    "no rows": ({"good.csv": TABLE.split("\n")[0] + "\n"}, [], ["good.csv"]),
    "not a number": (table("0,0,0,-1,1", "0,0,0,-x,1"), [], ["good.csv", "z0"]),
    "NaN": (table("0,0,0,-1,1", "0,0,0,nan,1"), [], ["good.csv", "z0"]),
    "infinity": (table("0,0,0,-1,1", "0,0,0,inf,1"), [], ["good.csv", "z0"]),
    "label out of range": (table("1,1,1,1,-1", "1,1,2,1,-1"), [], ["good.csv", "label"]),
    "negative label": (table("1,1,1,1,-1", "1,1,-1,1,-1"), [], ["good.csv", "label"]),
    "fractional label": (table("1,1,1,1,-1", "1,1,0.5,1,-1"), [], ["good.csv", "label"]),
    "labels differ in a pooled context": (table("1,1,1,1,-1", "1,1,0,1,-1"), [], ["good.csv", "label"]),
    "token outside Z": (table("0,0,0,-1,1", "0,0,0,-1.6,1"), [], ["good.csv", "z0"]),
    "negative position": (table("0,0,0,-1,1", "0,-1,0,-1,1"), [], ["good.csv", "position"]),
    "lower >= upper": (yaml("lower: [-1.5, -1.5]", "lower: [-1.5, 1.5]"), [], ["good.yaml", "token.lower"]),
    "box of the wrong length": (yaml("lower: [-1.5, -1.5]", "lower: [-1.5]"), [], ["good.yaml", "token.lower"]),
    "range with lo > hi": (yaml("range: [-4, 4]", "range: [4, -4]"), [], ["good.yaml", "control.A.range"]),
    "negative weight decay": (yaml("1.0e-3", "-1.0e-3"), [], ["good.yaml", "cost.weight_decay"]),
    "levels 0": (yaml("range: [-4, 4], levels: 3", "range: [-4, 4], levels: 0"), [], ["good.yaml", "control.A.levels", "got 0"]),
    "horizon 0": (yaml("horizon: 2", "horizon: 0"), [], ["good.yaml", "horizon"]),
    "horizon too large for an integer": (yaml("horizon: 2", "horizon: 99999999999999999999"), [], ["good.yaml", "horizon"]),
    "step 0": (yaml("step: 0.5", "step: 0"), [], ["good.yaml", "step"]),
    "unknown terminal": (yaml("pooled_cross_entropy", "pooled_cros_entropy"), [], ["good.yaml", "cost.terminal"]),
    "unknown form": (yaml("A: {form: scalar", "A: {form: scaler"), [], ["good.yaml", "control.A.form"]),
    "unknown transition": (yaml("transition: nearest", "transition: next"), [], ["good.yaml", "quantize.transition"]),
    "readout of the wrong size": (yaml("[4, 0, -4, 0]", "[4, 0, -4]"), [], ["good.yaml", "cost.readout.matrix"]),
    "negative atoms": (yaml("atoms: 0", "atoms: -1"), [], ["good.yaml", "quantize.atoms"]),
    "negative cells": (yaml("cells: [3, 3]", "cells: [3, -3]"), [], ["good.yaml", "quantize.cells"]),
    "encoding of the wrong length": (yaml("position_encoding: none", "position_encoding: [1, 2, 3]"), [],
                                     ["good.yaml", "data.position_encoding"]),
    "causal mask with several tokens a position": (
        {"good.yaml": GOOD.replace("mask: full", "mask: causal"), "good.csv": TABLE.replace("0,1,0,1,1", "0,0,0,1,1")}, [],
        ["good.csv", "layer.mask"]),
    "measures beyond 64 bits": (yaml("cells: [3, 3]", "cells: [70000, 70000]"), ["-space", "full"], ["quantize.cells", "2^62"]),
    "cells beyond 64 bits": (yaml("cells: [3, 3]", "cells: [4000000000, 4000000000]"), [], ["good.yaml", "quantize.cells"]),
    "actions beyond 31 bits": (yaml("range: [-4, 4], levels: 3", "range: [-4, 4], levels: 2000000000"), [], ["good.yaml", "action"]),
    "memory beyond the node's": (yaml("cells: [3, 3]", "cells: [30, 30]"), ["-space", "full"], ["GB", "-space reachable"]),
    "results that are too large": (yaml("cells: [3, 3]", "cells: [12, 12]"),
                                   ["-space", "full", "-horizon", "20"], ["GB"]),
    "full space without cells": (yaml("cells: [3, 3]", "cells: 0"), ["-space", "full"], ["quantize.cells"]),
    "split without cells": (yaml("cells: [3, 3], atoms: 0, transition: nearest", "cells: 0, transition: split"), [],
                            ["good.yaml", "quantize.transition"]),
    "unknown space": ({}, ["-space", "fully"], ["-space"]),
    "unknown option": ({}, ["-quantise_cells", "4,4"], ["quantise_cells"]),
    "a misspelt option": ({}, ["-spac", "full"], ["unknown option -spac, did you mean -space?"]),
    "a misspelt key": ({}, ["-horizn", "3"], ["unknown option -horizn, did you mean -horizon?"]),
    "no memory": ({}, ["-memory", "0"], ["-memory must be greater than 0"]),
    "less memory than the program": ({}, ["-memory", "0.001"], ["-memory", "1 MB", "program alone"]),
    "a log to nowhere": ({}, ["-log_view", ":/nowhere/log.txt"], ["-log_view", "/nowhere/log.txt"]),
    "a viewer that PETSc has not": ({}, ["-log_view", "paper"], ["-log_view", "paper"]),
    "a flag of PETSc's end": ({}, ["-options_view", "2x"], ["-options_view", "2x"]),
    "override out of range": ({}, ["-horizon", "0"], ["horizon"]),
    "option without a value": ({}, ["-horizon"], ["horizon"]),
    "node_size negative": ({}, ["-node_size", "-1"], ["-node_size"]),
    "a second file": ({}, ["more.yaml"], ["more.yaml"]),
    "no folder for the result": ({}, ["-o", "nowhere/run.h5"], ["nowhere"]),
    "a folder as the problem": ({"good.yaml": "folder"}, [], ["good.yaml"]),
    "a folder as the result": ({"dd": "folder"}, ["-o", "dd", "-overwrite"], ["dd", "not an ordinary file"]),
    "a result in place of the data": ({}, ["-o", "good.csv", "-overwrite"], ["good.csv", "would overwrite"]),
    "control characters in a name": (yaml("file: good.csv", 'file: "a\\x1b[31m\\nb"'), [], ["data.file", "a?[31m?b"]),
    "a word behind a negative value": ({}, ["-token_lower", "-1.5,-1.5", "more.yaml"], ["more.yaml"]),
    "values apart": ({}, ["-quantize_cells", "16", "-16.5"], ["'-16.5'", "joined by commas: -quantize_cells 16,-16.5"]),
    "a file behind a number": ({}, ["-horizon", "2", "more.yaml"], ["'more.yaml'", "right behind the command"]),
    "a key of another kind": ({}, ["-action_count", "20"], ["-action_count is not used where action.kind is grid"]),
    "a section of another command": ({}, ["-flow_profile", "0,1"], ["-flow_profile is not used by solve"]),
    "no quantizer": (yaml("quantize: {cells: [3, 3], atoms: 0, transition: nearest}", ""), [], ["good.yaml: quantize.cells is missing"]),
    "a tab": (yaml("  A: {form", "\tA: {form"), [], ["good.yaml: line 8: a tab before 'A: "]),
    "a misspelt map": (yaml("quantize:", "quantise:"), [], ["good.yaml", "quantize.cells", "quantise.cells"]),
    "an option of the other space": ({}, ["-space", "reachable", "-store_value", "0"], ["-store_value", "full space"]),
    "atoms beyond memory": ({}, ["-quantize_atoms", "2000000000"], ["quantize_atoms", "GiB"]),
    "actions beyond memory": ({}, ["-control_A_levels", "700000000"], ["action.kind", "GiB"]),
    "a range beyond the numbers": ({}, ["-control_A_range", "-1e308,0"], ["control_A_range", "1e290"]),
    "an HDF5 file as the problem": ({"good.yaml": "\x89HDF\r\n\x1a\n"}, [], ["good.yaml", "HDF5"]),
    "options that PETSc cannot read": ({}, ["-options_file", "nope"], ["-options_file"]),
}
RANKS = {"missing table": 3, "label out of range": 3, "memory beyond the node's": 3, "unknown key": 3, "a key of another kind": 3, "NaN": 4, "unknown option": 3,
         "measures beyond 64 bits": 3, "no folder for the result": 3, "a log to nowhere": 2, "less memory than the program": 2, "results that are too large": 2, "missing problem": 2,
         "actions beyond memory": 2}


def run(folder, arguments, ranks):
    command = ["mpirun", "--quiet", "-n", str(ranks)] if ranks else []
    return subprocess.run(command + [BELLFORMER] + arguments, cwd=folder, capture_output=True, text=True, timeout=60,
                          env=LAUNCHED if ranks else ALONE)


def check(files, options, words, ranks):
    with tempfile.TemporaryDirectory(prefix="bf_bad_") as folder:
        for name, text in {"good.yaml": GOOD, "good.csv": TABLE, **files}.items():
            if text == "folder":
                os.mkdir(os.path.join(folder, name))
            elif text is not None:
                with open(os.path.join(folder, name), "w", encoding="latin-1", newline="") as out:
                    out.write(text)
        before = sorted(os.listdir(folder))
        output = [] if "-o" in options else ["-o", "run.h5"]
        done = run(folder, ["solve", "good.yaml"] + output + options, ranks)
        lines = done.stderr.splitlines()
        assert done.returncode == 2, (done.returncode, done.stderr, done.stdout)
        assert len(lines) == 1 and lines[0].startswith("bellformer: "), done.stderr
        assert len(lines[0]) < 400, lines[0]
        for word in words:
            assert word in lines[0], (word, lines[0])
        assert done.stdout == "", done.stdout
        assert sorted(os.listdir(folder)) == before, os.listdir(folder)


def check_usage():
    for arguments, words in ((["solv"], "solv"), (["help", "solv"], "solv"), (["solve"], "problem"),
 (["eval", "none.h5"], "none.h5"), (["info", "none.yaml"], "none.yaml"),
                             (["info", "good.yaml", "-init", "none.h5"], "none.h5 cannot be read"),
                             (["info", "good.yaml", "-command", "flow", "-seed", "1"], "-seed has no meaning"),
                             (["eval", "none.h5", "-dat", "t.csv"], "did you mean -data?"),
                             (["eval"], "result file"), (["info"], "problem file")):
        with tempfile.TemporaryDirectory(prefix="bf_bad_") as folder:
            for name, text in {"good.yaml": GOOD, "good.csv": TABLE}.items():
                with open(os.path.join(folder, name), "w") as out:
                    out.write(text)
            done = run(folder, arguments, 0)
            assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, (arguments, done)
            assert words.lower() in done.stderr.lower(), (arguments, done.stderr)


def good(folder):
    for name, text in {"good.yaml": GOOD, "good.csv": TABLE}.items():
        with open(os.path.join(folder, name), "w") as out:
            out.write(text)


def fails_alone(done, folder, status, word):
    """One line, nothing left beside the problem."""
    assert done.returncode == status and len(done.stderr.splitlines()) == 1 and word in done.stderr, (done.returncode, done.stderr)
    assert sorted(os.listdir(folder)) == ["good.csv", "good.yaml"], os.listdir(folder)


def full_disk():
    """A disk that fills, at whichever dataset: exit 1, one line, no file."""
    only_root("mount a small disk")
    for kibibytes, ranks in ((70, 0), (90, 2), (110, 3), (130, 1), (130, 4)):
        with tempfile.TemporaryDirectory(prefix="bf_bad_") as folder:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk" % kibibytes, "none", folder], check=True)
            try:
                good(folder)
                done = run(folder, ["solve", "good.yaml", "-o", "run.h5", "-space", "reachable", "-quiet"], ranks)
                fails_alone(done, folder, 1, "run.h5")
            finally:
                subprocess.run(["umount", "-l", folder])


def damaged_results():
    """What carries no checksum is not believed: numbers of a result that cannot be."""
    with tempfile.TemporaryDirectory(prefix="bf_bad_") as folder:
        good(folder)
        path = os.path.join(folder, "run.h5")
        for change in (lambda f: f["rollout"].attrs.modify("readout", np.int64(10**12)),
                       lambda f: f["rollout"].attrs.modify("readout", np.int64(-1)),
                       lambda f: f["rollout"].attrs.create("readout", np.zeros(100, np.int64)),
                       lambda f: f["rollout"].attrs.create("readout", 0.5),
                       lambda f: f["provenance"].attrs.modify("format", np.int64(99)),
                       lambda f: f["rollout/controls"].write_direct(np.full((2, 2), np.nan)),
                       lambda f: f["rollout/actions"].write_direct(np.array([0, 999], np.int32)),
                       lambda f: f.move("rollout/actions", "rollout/nothing")):
            assert run(folder, ["solve", "good.yaml", "-o", "run.h5", "-overwrite", "-quiet"], 0).returncode == 0
            with h5py.File(path, "r+") as f:
                change(f)
            for ranks in (0, 2):
                done = run(folder, ["eval", "run.h5"], ranks)
                assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "run.h5" in done.stderr, (done.returncode, done.stderr)


checks = [(name, lambda c=case: check(*c, 0)) for name, case in CASES.items()]
checks += [("%s, %d ranks" % (name, ranks), lambda name=name, ranks=ranks: check(*CASES[name], ranks)) for name, ranks in RANKS.items()]
checks += [("usage", check_usage), ("a full disk", full_disk), ("damaged results", damaged_results)]
tap(checks)
