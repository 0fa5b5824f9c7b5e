"""The policy from the law of other data: k_t = policy_t(mu_t), mu_{t+1} = T(mu_t, k_t), with the oracle's T, and V_0 of that law; at mu_0 the open loop."""
import os
import re
import tempfile

import h5py
import numpy as np

import oracle
from cases import CASES
from harness import run, tap

NAMES = ["four contexts, a decision, three layers", "shapes mixed", "causal, encoded, two heads", "population, split"]


def evaluate(folder, result, rows, ranks=0):
    """Actions and quantized cost of both loops, and what is written."""
    table, out = os.path.join(folder, "table.csv"), os.path.join(folder, "answer.h5")
    with open(table, "w") as f:
        d = len(rows[0][3])
        f.write("sequence,position,label," + ",".join("z%d" % a for a in range(d)) + "\n")
        f.writelines("%d,%d,%d,%s\n" % (s, n, label, ",".join("%.17g" % x for x in z)) for s, n, label, z in rows)
    done = run(["eval", result, "-closed_loop", "-data", table, "-o", out, "-overwrite"], ranks)
    assert done.returncode == 0, done
    said = re.findall(r"actions of the (open|closed) loop:((?: \d+)+); quantized cost (\S+)", done.stdout)
    loops = {name: ([int(k) for k in actions.split()], float(cost)) for name, actions, cost in said}
    with h5py.File(out) as f:
        return loops["open"], loops["closed"], dict(f.attrs), f["tokens"][()], f["closed_loop_tokens"][()]


def follow(p, next_, rows, policy, value):
    """Actions from the law of the rows, with the masses of the problem's tags, and V_0 there."""
    sizes = [len(t) for t in next_]
    strides = [int(np.prod(sizes[s + 1:])) for s in range(len(sizes))]
    digits = [int(oracle.rank(p, c, oracle.initial(p, c)[None])[0]) for c in oracle.contexts({**p, "rows": rows})]
    first, actions = sum(s * j for s, j in zip(strides, digits)), []
    for t in range(p["horizon"]):
        actions.append(int(policy[t][sum(s * j for s, j in zip(strides, digits))]))
        digits = [int(table[j, actions[-1]]) for table, j in zip(next_, digits)]
    return actions, value[0][first]


def moved(p, draw, next_, policy, value):
    """Other tokens in place of the problem's, whose law is not rounded by a tie, and what the policy makes of them."""
    while True:
        rows = [(s, n, label, z + draw.normal(size=len(z))) for s, n, label, z in p["rows"]]
        try:
            return rows, *follow(p, next_, rows, policy, value)
        except oracle.Tie:
            continue


def closed(name):
    p, draw = CASES[name], np.random.default_rng(6)
    next_, _ = oracle.tables(p)
    with tempfile.TemporaryDirectory() as f:
        result = os.path.join(f, "run.h5")
        done = run(["solve", oracle.write(p, f), "-space", "full", "-o", result])
        assert done.returncode == 0, done
        with h5py.File(result) as r:
            policy, value = r["policy"][()], r["value"][()]
        one, other, told, layers, tokens = evaluate(f, result, p["rows"])
        assert one == other and (layers == tokens).all() and told["loss"] == told["closed_loop_loss"], (one, other)
        differ = 0
        for k in range(6):
            rows, actions, cost = moved(p, draw, next_, policy, value)
            one, other, told, layers, tokens = evaluate(f, result, rows, 2 if k == 1 else 0)
            assert other[0] == actions and abs(other[1] - cost) <= 1e-9 * max(1, abs(cost)), (other, actions, cost)
            differ += one[0] != other[0]
        assert differ, "no law asked for other layers"


def refused():
    p = CASES["two contexts of two tokens"]
    with tempfile.TemporaryDirectory() as f:
        path, result, table = oracle.write(p, f), os.path.join(f, "run.h5"), os.path.join(f, "table.csv")
        for options, words in ((["-space", "reachable"], "needs a result of solve in the full space"), (["-store_policy", 0], "-store_policy 0")):
            assert run(["solve", path, "-o", result, "-overwrite", *options]).returncode == 0
            done = run(["eval", result, "-closed_loop"])
            assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done
        assert run(["solve", path, "-o", result, "-overwrite", "-space", "full"]).returncode == 0
        for text, words in (("0,0,0,0,0\n0,1,0,0,0\n", "the table has no such tag"), ("0,0,0,0,0\n0,1,0,0,0\n1,0,0,0,0\n1,1,0,0,0\n", "not the same"),
                            ("0,0,0,0,0\n0,0,0,1,0\n0,1,0,0,0\n1,0,1,0,0\n1,1,1,0,0\n", "2")):
            with open(table, "w") as file:
                file.write("sequence,position,label,z0,z1\n" + text)
            done = run(["eval", result, "-closed_loop", "-data", table])
            assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done


tap([(name, lambda name=name: closed(name)) for name in NAMES] + [("what has no policy, and other tags", refused)])
