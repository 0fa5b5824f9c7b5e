"""Bounds of `bellformer certify` are bounds, and close."""
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

from certify_cases import CASES, LINE, PAIR, SCALAR, XOR, certify, cost, ranges, walk
import oracle
from cases import with_targets
from harness import BELLFORMER, Result, run, tap
from oracle import problem


def free_numbers():
    """By algebra: components that are equal over tokens, columns of the readout that no class tells apart."""
    for options, told in (([], "7 of 12"), (["-horizon", 1], "3 of 6"), (["-control_V_form", "full"], "12 of 16"),
                          (["-cost_readout_matrix", "4,0,4,0"], "0 of 12")):
        done = run(["info", XOR, "-command", "certify", *options])
        assert done.returncode == 0 and told + " numbers are free" in done.stdout, (done, told)
    done = run(["info", XOR, "-command", "certify"])
    assert "how many boxes a gap takes is not known before" in done.stdout, done
    assert re.search(r"ignored, since all logits of a query change alike: A_0\[0, 1\] of layer 0, A_0\[1, 1\] of layer 0, A_0\[0, 1\] of layer 1, A_0\[1, 1\] of layer 1\n"
                     r" *ignored, since nothing reads what it moves: V_0\[1, 1\] of layer 1\n", done.stdout), done


def closes():
    """Within the gap that was asked for; found is the cost of the layers; lower is no more than J anywhere, and found no less than the least of a
    fine search where few numbers are free."""
    draw = np.random.default_rng(3)
    for name, p in CASES.items():
        r = certify(p, "-gap", 0.02)
        c = r.certificate
        lower, upper = ranges(p)
        assert c["lower"] <= c["found"] and (c["gap"] <= 0.02 * (1 + 1e-9) or c["found"] - c["lower"] <= 1.01e-10), (name, c)
        assert abs(c["found"] - r.attributes["rollout"]["cost"]) <= 1e-9 * max(1, c["found"]), (name, c, r.attributes["rollout"])
        x = lower + (upper - lower) * draw.uniform(size=(4000, len(lower)))
        x[::2] = np.where(draw.uniform(size=x[::2].shape) < 0.5, x[::2], np.where(draw.uniform(size=x[::2].shape) < 0.5, lower, upper))
        J = cost(p, x)
        best = descend(p, x[np.argsort(J)[:30]], lower, upper)
        assert J.min() >= c["lower"] and best >= c["lower"], (name, J.min(), best, c)
        assert best <= c["found"] * 1.05 + 1e-3, (name, best, c["found"])  # the search has found what is there


def descend(p, x, lower, upper):
    """J after random steps that shrink, from each point: what a bound that is wrong somewhere would be seen by."""
    draw, J = np.random.default_rng(5), cost(p, x)
    for i in range(200):
        y = np.clip(x + 0.5 * 0.97**i * (upper - lower) * draw.normal(size=x.shape), lower, upper)
        new = cost(p, y)
        x, J = np.where((new < J)[:, None], y, x), np.minimum(new, J)
    return J.min()


def exhaustive():
    """A layer of two numbers on a pair: the least of a million points is between the bounds, and near both."""
    p = CASES["a pair on a line"]
    (a, b), (A, B) = ranges(p)
    grid = np.array(list(itertools.product(np.linspace(a, A, 1001), np.linspace(b, B, 1001))))
    least, c = cost(p, grid).min(), certify(p, "-gap", 0.001).certificate
    assert c["lower"] <= least and c["found"] <= least * (1 + 1e-5) and c["gap"] <= 0.001 * (1 + 1e-9), (least, c)


def shipped():
    """XOR in two layers to 0.1 %, from the continuous optimum that flow finds; its model is what eval takes."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        out = os.path.join(folder, "xor.h5")
        for cells in (0, 5):  # of both, a solve is what flow begins from
            done = run(["certify", XOR, "-o", out, "-overwrite", "-gap", 0.001, "-quantize_cells", cells])
            assert done.returncode == 0 and "left out" not in done.stdout + done.stderr, done
        low, high, gap, boxes = re.search(r"certified: (\S+) <= optimum over the box <= (\S+) \(found\), gap (\S+) %; (\S+) boxes", done.stdout).groups()
        assert 0.0122 < float(low) <= float(high) < 0.01222 and float(gap) <= 0.1 and int(boxes.replace(",", "")) < 200000, done.stdout
        assert re.search(r"\nsolve: the best of all \d+\^2 lists of actions, on quantized tokens; cost \S+, quantized \S+\nflow: where the gradient of the cost led from the best of 48 starts; cost 0.0122", done.stdout), done
        with h5py.File(out) as f:
            c = f["certificate"]
            n, tree = len(c["free"]), c["tree"][()].tobytes()
            counts, at = [0] * n, 0
            while at < len(tree):
                if tree[at] == ord("S"):
                    counts[tree[at + 1]] += 1
                at += {"S": 2, "C": 1 + 3 * n, "M": 2 + (tree[at + 1] + 2) * n, "L": 1 + n, "O": 1, "X": 1}[chr(tree[at])]
            assert list(c["halved"][()]) == counts and "boxes were halved most at " in done.stdout, (counts, c["halved"][()], done)
        done = run(["eval", out])
        assert done.returncode == 0 and "accuracy 1" in done.stdout, done
        assert not [name for name in os.listdir(folder) if name != "xor.h5"], os.listdir(folder)


def spent():
    """Where a budget ends the search, what was cut away bounds, too: no more is claimed than was aimed at. And what is printed is a bound, to its
    last digit, of what the file has."""
    relu = """name: f
horizon: 1
step: 1.0
token: {dim: 1, lower: [-3], upper: [3], projection: none}
data: {file: d.csv}
layer: {heads: 0, residual: 0, feedforward: relu, width: 1}
control:
  W1: {form: full, range: [-1, 1], levels: 3}
  b1: {form: fixed, value: [-0.5]}
  W2: {form: fixed, value: [1]}
  b2: {form: fixed, value: [0]}
action: {kind: grid}
cost:
  terminal: hinge
  readout: {kind: decision, matrix: [1, 0, 0, 0], bias: [-0.7, 0, 40, 0], classes: 2}
"""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        path, found, out = (os.path.join(folder, name) for name in ("p.yaml", "x.h5", "c.h5"))
        with open(path, "w") as f, open(os.path.join(folder, "d.csv"), "w") as table:
            f.write(relu)
            table.write("sequence,position,label,z0\n0,0,1,2.5\n1,0,1,-2\n")
        with h5py.File(found, "w") as f:
            f["/rollout/controls"] = [[-0.12962462]]  # J = 0.3: relu of both tokens is 0, and 1 - 0.7 is lost on each
        for gap, boxes in itertools.product((0.9, 0.5, 0.1), (1, 2, 3, 5)):
            done = run(["certify", path, "-found", found, "-o", out, "-overwrite", "-boxes", boxes, "-gap", gap])
            assert done.returncode == 0, done
            with h5py.File(out) as f:
                c = dict(f["certificate"].attrs)
            assert c["lower"] <= 0.3 <= c["found"] and c["lower"] <= c["target"] + 1e-12, (gap, boxes, c)
            low, high = map(float, re.search(r"certified: (\S+) <= optimum over the box <= (\S+) \(found\)", done.stdout).groups())
            assert c["lower"] - 1e-6 * abs(c["lower"]) <= low <= c["lower"] and c["found"] <= high <= c["found"] * (1 + 1e-6), (low, high, c)
            done = run(["check", out])
            assert done.returncode == 0, (gap, boxes, done)


def hides():
    """Where the remainders that count are those of features whose loss ends within them, the search goes on by width until its budget ends."""
    rows = [(0, 0, 1, [1, 1, -1]), (0, 0, 1, [-1, 1, -1]), (0, 1, 1, [-1, 1, 1]), (1, 0, 2, [1, -1, 1]), (1, 0, 2, [-1, -1, 1]), (1, 0, 2, [-1, 1, -1]),
            (2, 0, 2, [1, 1, -1]), (2, 0, 2, [1, -1, 1]), (2, 0, 2, [-1, -1, 1]), (2, 1, 2, [-1, -1, 1]),
            (3, 0, 1, [1, 1, -1]), (3, 0, 1, [1, 1, -1]), (3, 0, 1, [-1, -1, 1]), (3, 1, 1, [1, -1, -1]), (3, 1, 1, [-1, 1, -1])]
    fixed = {"A": [0.14, 1, 1, 0, 0, 0, 0, 0, -1], "W2": [-1, 0, -1], "b1": [-0.45], "b2": [1, -1, 0]}
    control = {name: {"form": "fixed", "value": value} for name, value in fixed.items()}
    control |= {"V": {"form": "scalar", "range": [-1, 0], "levels": 2}, "W1": {"form": "full", "range": [-4, 0], "levels": 3}}
    p = problem(rows=rows, dim=3, lower=[-1.5] * 3, upper=[1.5] * 3, cells=[3] * 3, horizon=2, step=0.5, residual=1, feedforward="gelu", width=1, control=control,
                encoding=[0, 1, 0, np.sin(1), np.cos(1), np.sin(1e4 ** (-2 / 3))], terminal="hinge", weight_decay=0,
                readout={"kind": "decision", "classes": 3, "matrix": [0, 2, 2, 0, -2, 2, 0, 0, 4, 2, 1, 0, 0, 2, 0, 0, 4, 1], "bias": [0, 0, 1, -1, -1, 1]})
    c = certify(p, "-boxes", 600).certificate
    assert c["lower"] >= 0 and c["boxes"] >= 600, c


def covers():
    """Leaves, with what contractions cut away, are the whole box."""
    for name, roots in (("squared error, two sequences", 1), ("a decision, sphere", 2), ("two layers, feed-forward", 1)):
        r = certify(CASES[name], "-gap", 0.01)
        leaves, cut, count, tasks = walk(r, *ranges(CASES[name]), roots)
        assert abs(leaves + cut - 1) < 1e-9 and count > 3, (name, leaves, cut, count, tasks)


def refusals():
    """What has no enclosure, a result of another problem, options: one line."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        path, other = oracle.write(CASES["a pair on a line"], folder), os.path.join(folder, "xor.h5")
        transport = oracle.write(problem(rows=with_targets(PAIR), targets=True, horizon=1, terminal="wasserstein", **LINE), folder, "transport")
        assert run(["flow", XOR, "-o", other, "-tao_max_it", 0]).returncode == 0
        for arguments, told in (([transport], "no enclosure of cost.terminal wasserstein is known"),
                                ([path, "-found", other], "2 layers of 6 free numbers; the problem has 1 of 2"),
                                ([XOR, "-found", other, "-control_A_range", "0.5,2"], "is outside the problem's box [0.5, 2]"),
                                ([path, "-found", os.path.join(folder, "none.h5")], "none.h5"),
                                ([path, "-gap", 2], "-gap"), ([path, "-boxes", 0], "-boxes")):
            done = run(["certify", *arguments])
            assert done.returncode == 2 and told in done.stderr and len(done.stderr.splitlines()) == 1, (arguments, done)
        for mine in ("c.solve.h5", "c.flow.h5"):  # somebody's own, by the name of what certify writes on its way
            with open(os.path.join(folder, mine), "w") as f:
                f.write("mine")
            done = run(["certify", path, "-o", os.path.join(folder, "c")])
            with open(os.path.join(folder, mine)) as f:
                assert f.read() == "mine" and done.returncode == 2 and mine + " is there" in done.stderr, (mine, done)
            os.remove(os.path.join(folder, mine))
        out, found = os.path.join(folder, "out.h5"), os.path.join(folder, "found.h5")
        assert run(["flow", path, "-scheme", "layers", "-o", found]).returncode == 0
        done = run(["certify", path, "-o", out])
        assert done.returncode == 0 and sorted(os.listdir(folder)) == sorted(set(os.listdir(folder)) - {"out.h5.solve.h5", "out.h5.flow.h5"}), done
        done = run(["certify", path, "-o", out, "-found", found, "-restart", "auto"])  # another bound from above is another certificate
        assert done.returncode == 2 and "-found was" in done.stderr, done


def weaker():
    """What the file of -found states stands in the report, and where its problem is another; the best of what it tells counts; a restart has all of it."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        found, out = os.path.join(folder, "found.h5"), os.path.join(folder, "c.h5")
        done = run(["solve", XOR, "-o", found, "-best", 3, "-horizon", 1])
        assert done.returncode == 0 and done.stdout.count(f"bellformer certify {XOR} -found {found} -o CERT.h5 -horizon 1\n") == 1, done
        line = ["certify", XOR, "-horizon", 1, "-boxes", 20, "-found"]
        with h5py.File(found) as f:
            states = "the best of all 729^1 lists of actions, on quantized tokens; cost %.10g, quantized %.10g" % tuple(f["rollout"].attrs[name] for name in ("cost", "quantized_cost"))
        done = run([*line, found, "-o", out])
        assert done.returncode == 0 and f"\n-found {found}, of solve: {states}\n" in done.stdout, done
        first = Result(out).attributes["certificate"]["says"]
        assert first.decode() == f"-found {found}, of solve: {states}\n", first
        done = run([*line, found, "-control_V_range", "-2,3", "-cost_weight_decay", 1])
        assert done.returncode == 0 and "; over another box: V_0[0, 0] of layer 0 in [-2, 2], here [-2, 3]\n" in done.stdout, done
        done = run([*line, out, "-cost_weight_decay", 0.25])
        assert done.returncode == 0 and re.search(r"of certify: certified: at most \S+ above the best in the box; cost \S+; of another problem: cost.weight_decay was", done.stdout), done
        with h5py.File(found, "a") as f:  # as if the second of the best were the best by the cost of the layers
            f["rollout/best/controls"][1] = Result(out).data["rollout/controls"]
        done = run([*line, found])
        assert done.returncode == 0 and "\nnumber 2 of its /rollout/best costs less: " in done.stdout, done
        with h5py.File(found, "w") as f:
            f["rollout/controls"] = Result(out).data["rollout/controls"]
        done = run([*line, found])
        assert done.returncode == 0 and f"\n-found {found}: controls of which the file states nothing\n" in done.stdout, done


def killed():
    """As soon as solve and flow have ended, what they found stands, and what they state; nothing of theirs is left."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        out = os.path.join(folder, "c.h5")
        process = subprocess.Popen([BELLFORMER, "certify", XOR, "-gap", "0.02", "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(os.path.join(out + ".checkpoint", "0001.h5")):
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
        process.wait()
        done = run(["certify", "-restart", out, "-maxh", 1e-9])
        assert done.returncode == 75 and re.search(r"restored: target \S+, 0 boxes", done.stdout), done
        assert sorted(os.listdir(folder)) == ["c.h5.checkpoint"], os.listdir(folder)
        done = run(["certify", "-restart", out])
        assert done.returncode == 0 and re.search(r"(?s)restored: target .*\nsolve: the best of all .*\nflow: where the gradient", done.stdout), done


FULL = ["-control_A_form", "full", "-control_V_form", "full"]


def found(folder):
    """Controls alone: 16 numbers that are 0."""
    with h5py.File(os.path.join(folder, "found.h5"), "w") as f:
        f["rollout/controls"] = np.zeros((2, 8))
    return os.path.join(folder, "found.h5")


def outgrown():
    """A solve that memory does not hold is left out, which is told with the reason, also where it had come further; a search of boxes stops."""
    p = {**CASES["a pair on a line"], "horizon": 3, "cells": [0], "control": {"A": {**SCALAR, "levels": 70}, "V": {**SCALAR, "levels": 70}}}
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        path, out = oracle.write(p, folder), os.path.join(folder, "c.h5")
        done = run(["certify", path, "-o", out, "-boxes", 20, "-memory", 0.12])
        assert done.returncode == 0 and "solve left out: the reachable space outgrows memory in layer 1 of 3" in done.stdout and "-restart" not in done.stdout, done
        assert sorted(os.listdir(folder)) == ["c.h5", "problem.csv", "problem.yaml"], os.listdir(folder)
        done = run(["certify", XOR, "-found", found(folder), "-gap", 1e-3, *FULL, "-o", os.path.join(folder, "x.h5"), "-memory", 0.035])
        assert done.returncode == 75 and done.stderr.count("the search outgrows memory") == 1 == len(done.stderr.splitlines()) and os.listdir(os.path.join(folder, "x.h5.checkpoint")), done


def changed():
    """A run goes on with the file that it began with, not with another one of that name."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        found, done_, stopped = (os.path.join(folder, name) for name in ("found.h5", "done.h5", "stopped.h5"))
        flow = ["flow", XOR, "-o", found, "-overwrite", "-scheme", "layers", "-tao_max_it"]
        assert run([*flow, 3]).returncode == 0
        line = ["certify", XOR, "-found", found]
        assert run([*line, "-o", done_, "-boxes", 10]).returncode == 0
        assert run([*line, "-o", stopped, "-gap", 1e-4, "-maxh", 1e-9]).returncode == 75
        assert run([*line, "-o", done_, "-boxes", 10, "-restart", "auto"]).returncode == 0
        assert run([*flow, 4]).returncode == 0
        for name in os.listdir(stopped + ".checkpoint"):  # as if it had been killed before its search began
            if name.endswith(".h5") and name != "0000.h5":
                os.remove(os.path.join(stopped + ".checkpoint", name))
        for arguments in ([*line, "-o", done_, "-boxes", 10, "-restart", "auto"], [*line, "-o", stopped, "-gap", 1e-4, "-restart", "auto"],
                          ["certify", "-restart", stopped], ["certify", "-restart", stopped, "-found", found]):
            done = run(arguments)
            assert done.returncode == 2 and f"-found {found} is not the file that it was" in done.stderr and len(done.stderr.splitlines()) == 1, done


def spared():
    """With -found neither solve nor flow is run: keys of theirs are refused on the line, by what tells of the run too; a file may have them."""
    with tempfile.TemporaryDirectory(prefix="bf_certify_") as folder:
        path, found, out = oracle.write(CASES["a pair on a line"], folder), os.path.join(folder, "found.h5"), os.path.join(folder, "c.h5")
        assert run(["flow", path, "-scheme", "layers", "-tao_max_it", 5, "-o", found]).returncode == 0
        line = [path, "-found", found, "-boxes", 10]
        assert run(["certify", *line, "-o", out]).returncode == 0
        one = ("-quantize_cells", 6)
        for key, arguments in (*[(key, ["certify", *line, "-" + key, value]) for key, value in (("action_count", 3), ("flow_profile", 1), ("control_A_levels", 3))],
                               ("quantize_cells", ["certify", "-restart", out, *one]), ("quantize_cells", ["info", *line, *one]),
                               ("quantize.cells", ["study", path, "-found", found, "-vary", "quantize_cells 6", "-o", out])):
            done = run(arguments)
            assert done.returncode == 2 and done.stderr.endswith(key + " is not used by certify with -found\n") and len(done.stderr.splitlines()) == 1, (key, done)
        assert run(["certify", path, "-quantize_cells", 6, "-boxes", 10]).returncode == 0


tap([("free numbers", free_numbers), ("gaps close", closes), ("an exhaustive search", exhaustive), ("xor", shipped),
     ("a budget that is spent", spent), ("remainders that hide", hides), ("leaves cover the box", covers), ("refusals", refusals), ("weaker statements", weaker), ("a kill behind the flow", killed), *([] if "quick" in sys.argv else [("memory outgrown", outgrown)]), ("keys that nothing uses", spared), ("a file that changed", changed)])
