"""The policy from the law of other data: k_t = policy_t(mu_t), mu_{t+1} = T(mu_t, k_t), with the oracle's T, V_0 of that law, the readout that is
least at its end, and what those layers cost the data; at mu_0 the open loop."""
import os
import re
import tempfile

import h5py
import numpy as np

import oracle
from cases import CASES
from harness import run, tap

NAMES = ["four contexts, a decision, three layers", "shapes mixed", "causal, encoded, two heads", "population, split"]


def write_table(path, rows, labelled=True):
    d = len(rows[0][3])
    with open(path, "w") as f:
        f.write("sequence,position,%s" % ("label," if labelled else "") + ",".join("z%d" % a for a in range(d)) + "\n")
        f.writelines("%d,%d,%s%s\n" % (s, n, "%d," % label if labelled else "", ",".join("%.17g" % x for x in z)) for s, n, label, z in rows)


def evaluate(folder, result, rows, ranks=0, labelled=True):
    """Actions and V_0 of both loops as they are told, and what is written."""
    table, out = os.path.join(folder, "table.csv"), os.path.join(folder, "answer.h5")
    write_table(table, rows, labelled)
    done = run(["eval", result, "-closed_loop", "-data", table, "-o", out, "-overwrite", "-quiet"], ranks)
    assert done.returncode == 0, done
    said = re.findall(r"actions of the (open|closed) loop:((?: \d+)+); quantized cost (\S+?)(?:, readout \d+)?\n", done.stdout)
    loops = {name: ([int(k) for k in actions.split()], float(cost)) for name, actions, cost in said}
    with h5py.File(out) as f:
        answer = {**f.attrs, "layers": f["tokens"][()], "tokens": f["closed_loop_tokens"][()], "actions": list(f["closed_loop_actions"])}
    assert answer["actions"] == loops["closed"][0] and abs(answer["closed_loop_quantized_cost"] - loops["closed"][1]) < 1e-9 * max(1, abs(loops["closed"][1]))
    return loops["open"], loops["closed"], answer


def loss(p, rows, actions, readout):
    """Of the layers themselves, on tokens that are not quantized."""
    U, pairs = oracle.actions(p), [oracle.unquantized(c) for c in oracle.contexts({**p, "rows": rows})]
    everyone, g = [c for c, _ in pairs], 0
    for c, z in pairs:
        z = z[None]
        for k in actions:
            z = oracle.layer(p, z, c["positions"], c["masses"], U[k])
        g += float(oracle.terminal(p, c, z, oracle.readouts(p)[readout], everyone)[0])
    return g


def follow(p, tables, rows, policy, value):
    """Actions from the law of the rows, with the masses of the problem's tags, V_0 there, and the readout at the end."""
    next_, g = tables
    sizes = [len(t) for t in next_]
    strides = [int(np.prod(sizes[s + 1:])) for s in range(len(sizes))]
    digits = [int(oracle.rank(p, c, oracle.initial(p, c)[None])[0]) for c in oracle.contexts({**p, "rows": rows})]
    first, actions = sum(s * j for s, j in zip(strides, digits)), []
    for t in range(p["horizon"]):
        actions.append(int(policy[t][sum(s * j for s, j in zip(strides, digits))]))
        digits = [int(table[j, actions[-1]]) for table, j in zip(next_, digits)]
    ends = [sum(x[r][j] for x, j in zip(g, digits)) for r in range(len(g[0]))]
    return actions, value[0][first], int(np.argmin(ends))


def moved(p, draw, tables, policy, value, dropped):
    """Other tokens in place of the problem's, fewer if dropped, whose law is not rounded by a tie, and what the policy makes of them."""
    while True:
        rows = [(s, n, label, z + draw.normal(size=len(z))) for s, n, label, z in p["rows"]][dropped:]
        try:
            return rows, *follow(p, tables, rows, policy, value)
        except oracle.Tie:
            continue


def solved(p, f):
    result = os.path.join(f, "run.h5")
    done = run(["solve", oracle.write(p, f), "-space", "full", "-o", result])
    assert done.returncode == 0, done
    return result


def closed(name):
    p, draw = CASES[name], np.random.default_rng(6)
    tables = oracle.tables(p)
    with tempfile.TemporaryDirectory() as f:
        result = solved(p, f)
        with h5py.File(result) as r:
            policy, value = r["policy"][()], r["value"][()]
        one, other, answer = evaluate(f, result, p["rows"])
        assert one == other and (answer["layers"] == answer["tokens"]).all() and answer["loss"] == answer["closed_loop_loss"], (one, other)
        differ = 0
        for k in range(6):
            rows, actions, cost, readout = moved(p, draw, tables, policy, value, k if p["atoms"] else 0)
            one, other, answer = evaluate(f, result, rows, 2 if k == 1 else 0)
            assert other[0] == actions and abs(other[1] - cost) <= 1e-9 * max(1, abs(cost)), (other, actions, cost)
            assert answer["closed_loop_readout"] == readout and abs(answer["closed_loop_loss"] - loss(p, rows, actions, readout)) < 1e-10
            differ += one[0] != other[0]
        assert differ, "no law asked for other layers"


def unlabelled():
    """Of sequences the law is known without labels."""
    p = CASES["causal, encoded, two heads"]
    with tempfile.TemporaryDirectory() as f:
        result = solved(p, f)
        one, other, _ = evaluate(f, result, p["rows"], labelled=False)
        assert one == other


def refused():
    p = CASES["two contexts of two tokens"]
    with tempfile.TemporaryDirectory() as f:
        path, result, table = oracle.write(p, f), os.path.join(f, "run.h5"), os.path.join(f, "table.csv")
        for options in (["-space", "reachable"], ["-store_policy", 0]):
            assert run(["solve", path, "-o", result, "-overwrite", *options]).returncode == 0
            done = run(["eval", result, "-closed_loop"])
            assert done.returncode == 2 and "needs a result of solve in the full space with its policy" in done.stderr and done.stderr.count("\n") == 1, done
        assert run(["solve", path, "-o", result, "-overwrite", "-space", "full"]).returncode == 0
        for text, words in (("0,0,0,0,0\n0,1,0,0,0\n", "the table has no such tag"), ("0,0,0,0,0\n0,1,0,0,0\n1,0,0,0,0\n1,1,0,0,0\n", "not the same"),
                            ("0,0,0,0,0\n0,0,0,1,0\n0,1,0,0,0\n1,0,1,0,0\n1,1,1,0,0\n", "have 1 tokens of this tag, the table has 2")):
            with open(table, "w") as file:
                file.write("sequence,position,label,z0,z1\n" + text)
            done = run(["eval", result, "-closed_loop", "-data", table])
            assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done


tap([(name, lambda name=name: closed(name)) for name in NAMES] + [("without labels", unlabelled), ("what has no policy, and other tags", refused)])
