"""Trained readouts: gradients by controls, R and b against central differences of an independent J; convex problems; starts, restarts,
ranks, what other commands make of them; readers."""
import os
import sys
import tempfile

import h5py
import numpy as np

import continuous
import layers
from cases import population, sequences
from flow_cases import FULL, HEAD, case, control_of
from harness import Result, run, tap
from harness_flow import EVALUATE, flow
from bits import difference

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "share", "python"))
import bellformer  # noqa: E402

QUICK = "quick" in sys.argv
BOX = {"kind": "trained", "matrix": {"range": [-4, 4]}, "bias": {"range": [-2, 2]}}
KINDS = {
    "pooled cross entropy": dict(rows=sequences(9, 3, labels=3), terminal="pooled_cross_entropy", readout=BOX, weight_decay=0.1),
    "token cross entropy": dict(rows=population(21), terminal="token_cross_entropy", readout=BOX, weight_decay=0.1),
    "hinge": dict(rows=sequences(4, 3, labels=3), terminal="hinge", pooling="last", readout=BOX, mask="causal"),
}
SCHEMES = {"layers": ("-scheme", "layers"), "rk4": ("-scheme", "rk4", "-steps", 2)}
NOTHING = {"A": {"form": "scalar", "range": [0, 0]}, "V": {"form": "scalar", "range": [0, 0]}}  # layers that do nothing


def classes_of(p):
    return max(row[2] for row in p["rows"]) + 1


def fixed(p, R, b):
    """The problem with this readout, for the oracle."""
    return {**p, "readout": {"kind": "fixed", "matrix": np.ravel(R).tolist(), "bias": np.ravel(b).tolist()}}


def cost(p, u, R, b, scheme):
    q = fixed(p, R, b)
    return layers.cost(q, u) if scheme == "layers" else continuous.cost(q, u, "rk4", 2)


def write_point(path, u, R=None, b=None):
    with h5py.File(path, "w") as f:
        f["/rollout/controls"] = u
        if R is not None:
            f["/model/readout/R"], f["/model/readout/b"] = R, b


def at(p, u, R, b, *options):
    """A flow from that point."""
    with tempfile.TemporaryDirectory() as f:
        write_point(os.path.join(f, "point.h5"), u, R, b)
        return flow(p, "-init", os.path.join(f, "point.h5"), *options)


def point(p, seed=3):
    draw, C, d = np.random.default_rng(seed), classes_of(p), p["dim"]
    return control_of({**p, "readout": None}, seed), draw.uniform(-2, 2, (C, d)), draw.uniform(-1, 1, C)


def differences(f, x):
    out = np.empty_like(x)
    for i in np.ndindex(*x.shape):
        h, J = 1e-5, []
        for side in (1, -1, 2, -2):
            y = x.copy()
            y[i] += side * h
            J.append(f(y))
        out[i] = (8 * (J[0] - J[1]) - (J[2] - J[3])) / (12 * h)
    return out


def gradient(kind, scheme):
    p = case(**KINDS[kind])
    u, R, b = point(p)
    r = at(p, u, R, b, *SCHEMES[scheme], *EVALUATE)
    assert (r.data["model/readout/R"] == R).all() and (r.data["model/readout/b"] == b).all()
    assert abs(r.attributes["flow"]["cost"] - cost(p, u, R, b, scheme)) < 1e-12
    for name, wanted in (("gradient", differences(lambda x: cost(p, x, R, b, scheme), u)),
                         ("readout_gradient/R", differences(lambda x: cost(p, u, x, b, scheme), R)),
                         ("readout_gradient/b", differences(lambda x: cost(p, u, R, x, scheme), b))):
        mine = r.data["flow/" + name]
        assert mine.shape == wanted.shape and np.abs(mine - wanted).max() < 2e-9, (name, mine, wanted)
    moved = [np.abs(x - np.clip(x - r.data["flow/readout_gradient/" + n], -most, most)).max() for n, x, most in (("R", R, 4), ("b", b, 2))]
    told = r.attributes["pontryagin"]
    assert abs(told["readout_stationarity"] - max(moved)) < 1e-14
    assert told["stationarity"] == max(told["readout_stationarity"], r.data["pontryagin/stationarity"].max())


def own_test():
    """The program's own differences, which count R and b, in an adaptive scheme; of -init sample."""
    with tempfile.TemporaryDirectory() as f:
        for kind in KINDS:
            p = case(**KINDS[kind])
            done = run(["flow", continuous.write(p, f), "-init", "sample", "-test_gradient", "-scheme", "dopri5", "-tolerance", 1e-13])
            words = done.stdout.split()
            assert done.returncode == 0 and float(words[4]) < 1e-7, done
            assert int(words[-2]) == control_of({**p, "readout": None}).size + classes_of(p) * (p["dim"] + 1), done.stdout


# ---- convex problems ----


def pooled(p):
    z, label = {}, {}
    for s, _, y, x in p["rows"]:
        z.setdefault(s, []).append(x)
        label[s] = y
    return np.array([np.mean(z[s], axis=0) for s in sorted(z)]), np.array([label[s] for s in sorted(z)])


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def logistic(r, label, C, box):
    """Minimum over W [C, d + 1] in the box of the mean of -log softmax(W (r, 1))[label]: projected gradient steps, accelerated."""
    x, onehot = np.hstack([r, np.ones((len(r), 1))]), np.eye(C)[label]
    W = Y = np.zeros((C, x.shape[1]))
    length, t = 2 / np.square(x).sum(axis=1).max(), 1.0
    for _ in range(20000):
        new = np.clip(Y - length * (softmax(x @ Y.T) - onehot).T @ x / len(x), -box, box)
        if ((Y - new) * (new - W)).sum() > 0:  # it overshoots: begin again
            t = 1.0
        u = (1 + np.sqrt(1 + 4 * t * t)) / 2
        W, Y, t = new, new + (t - 1) / u * (new - W), u
    return -np.log(softmax(x @ W.T)[np.arange(len(x)), label]).mean(), W


def logistic_regression():
    """With layers that do nothing J is convex in R and b: from any start the minimum of logistic regression, within and at the box."""
    for most in (50, 0.4):
        box = np.array([most, most, most / 2])
        p = case(rows=sequences(24, 3, labels=3, seed=8), terminal="pooled_cross_entropy", control=NOTHING,
                 readout={"kind": "trained", "matrix": {"range": [-most, most]}, "bias": {"range": [-most / 2, most / 2]}})
        best, W = logistic(*pooled(p), 3, box)
        assert (np.abs(W) < box).all() == (most == 50), W
        for scheme in ("layers", "euler"):
            r = flow(p, "-scheme", scheme, "-starts", 2, "-tao_gatol", 1e-10)
            assert np.abs(r.data["flow/starts/cost"] - best).max() < 1e-9, (r.data["flow/starts/cost"], best)
            assert r.attributes["pontryagin"]["readout_stationarity"] < 1e-4
            assert (np.abs(r.data["model/readout/R"]) <= most).all() and (np.abs(r.data["model/readout/b"]) <= most / 2).all()


def fixed_numbers():
    """Equal ends fix a number: it stays, the others move; the ranges of all, as pairs, are those of the result."""
    ranges = [1, 1, -4, 4, -3, 5, 0, 0, -1, 2, -2, -2]
    p = case(**{**KINDS["pooled cross entropy"], "readout": {"kind": "trained", "matrix": {"range": ranges}}})
    r = flow(p, "-scheme", "layers", "-tao_max_it", 5)
    R = r.data["model/readout/R"].ravel()
    assert (R[[0, 3, 5]] == [1, 0, -2]).all() and (R[[1, 2, 4]] != [0, 1, 0.5]).all() and not r.data["model/readout/b"].any(), R
    assert (r.data["cost/readout/R_lower"].ravel() == ranges[::2]).all() and (r.data["cost/readout/R_upper"].ravel() == ranges[1::2]).all()
    first = flow(p, "-scheme", "layers", *EVALUATE)
    assert (first.data["model/readout/R"].ravel() == [1, 0, 1, 0, 0.5, -2]).all()  # the middle


# ---- where it starts, and how it goes on ----


def draws():
    """Draw number j is the j-th block of n numbers of splitmix64(seed): the controls', then R, then b."""
    p = case(**KINDS["pooled cross entropy"])
    r = flow(p, "-starts", 2, "-seed", 7, *EVALUATE, *SCHEMES["rk4"])
    u, R, b = point(p)
    draw = continuous.oracle.splitmix(7)
    for i in range(2):
        x = np.array([next(draw) for _ in range(u.size + R.size + b.size)])
        v, S, c = (2 * part - 1 for part in np.split(x, [u.size, u.size + R.size]))
        J = cost(p, 1.5 * v.reshape(u.shape), 4 * S.reshape(R.shape), 2 * c, "rk4")
        assert abs(J - r.data["flow/starts/initial_cost"][i]) < 1e-12, i


def init():
    """A file's readout is taken, clipped; one without begins in the middle, and says so; another shape is refused."""
    p = case(**KINDS["pooled cross entropy"])
    u, R, b = point(p)
    r = at(p, u, 4 * R, 4 * b, *EVALUATE)
    assert (r.data["model/readout/R"] == np.clip(4 * R, -4, 4)).all() and (r.data["model/readout/b"] == np.clip(4 * b, -2, 2)).all()
    outside = (np.abs(4 * R) > 4).sum() + (np.abs(4 * b) > 2).sum()
    assert outside and "%d of the 9 numbers of its readout are outside their ranges" % outside in r.text, r.text
    r = at(p, u, None, None, *EVALUATE)
    assert "has no readout" in r.text and not r.data["model/readout/R"].any()
    with tempfile.TemporaryDirectory() as f:
        path, out = continuous.write(p, f), os.path.join(f, "init.h5")
        for S, said in ((R[:2], "its readout has 2 classes of 2 numbers, this problem's 3 of 2"), (R * np.nan, "its readout is not finite")):
            write_point(out, u, S, b[:len(S)])
            done = run(["flow", path, "-init", out])
            assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1, done


def restart():
    """The bits of a run in peace after stops, on other ranks; another readout of -init is another run."""
    p = case(**{**KINDS["pooled cross entropy"], "horizon": 4})
    u, R, b = point(p)
    with tempfile.TemporaryDirectory() as f:
        path, start, other, whole, out = continuous.write(p, f), *(os.path.join(f, n) for n in ("a.h5", "b.h5", "whole.h5", "run.h5"))
        write_point(start, u, R, b)
        write_point(other, u, R, b + 1e-9)
        options = ["-init", start, "-starts", 2, "-tao_max_it", 25]
        assert run(["flow", path, "-o", whole, *options]).returncode == 0
        assert run(["flow", path, "-o", out, *options, "-maxh", 1e-9, "-checkpoint_interval", 0]).returncode == 75
        done = run(["flow", path, "-o", out, "-restart", "auto", *options[2:], "-init", other])
        assert done.returncode == 2 and "-init was another control" in done.stderr, done
        for ranks in (2, 0):
            done = run(["flow", "-restart", out, *(["-maxh", 1e-9, "-checkpoint_interval", 0] if ranks else [])], ranks)
            assert done.returncode == (75 if ranks else 0), done
        assert not difference(Result(whole), Result(out)), difference(Result(whole), Result(out))
        assert (Result(out).data["options/given_readout"] == np.append(R, b)).all()
        done = run(["flow", path, "-o", out, "-restart", "auto", *options, "-cost_readout_bias_range", "-2,1"])
        assert done.returncode == 2 and "cost.readout.bias.range was -2,2, now -2,1" in done.stderr, done


def ranks():
    """The same bits on 1 and 3 ranks."""
    p = case(**{**KINDS["pooled cross entropy"], "rows": sequences(300, 4, labels=3, seed=6)})
    for scheme in SCHEMES.values():
        a, b = (flow(p, *scheme, "-init", "sample", "-tao_max_it", 5, "-quiet", ranks=n) for n in (1, 3))
        assert a.data["flow/history/cost"][-1] < a.data["flow/history/cost"][0] and not difference(a, b), difference(a, b)


# ---- what others make of it ----


def solve_then_flow():
    """solve takes the best row of a file, as of a decision, or the middle; flow goes on from there, and improves."""
    from cases import CASES
    p = next(p for p in CASES.values() if p["readout"] and p["readout"]["kind"] == "decision" and p["terminal"] == "pooled_cross_entropy")
    C, d = p["readout"]["classes"], p["dim"]
    matrix = np.array(p["readout"]["matrix"], dtype=float).reshape(-1, C * d)
    with tempfile.TemporaryDirectory() as f:
        decided, out, again = (os.path.join(f, n) for n in ("decided.h5", "solved.h5", "flow.h5"))
        assert run(["solve", continuous.oracle.write(p, f), "-o", decided, "-quiet"]).returncode == 0
        np.savetxt(os.path.join(f, "r.csv"), np.hstack([matrix, np.zeros((len(matrix), C))]), delimiter=",")
        trained = {**p, "readout": {**BOX, "classes": C, "file": "r.csv"}}
        path = continuous.oracle.write(trained, f, "trained")
        for ending in ([], ["-space", "reachable"]):
            done = run(["solve", path, "-o", out, "-overwrite", *ending])
            assert done.returncode == 0 and "the best of %d; flow trains it" % len(matrix) in done.stdout, done
            a, b = Result(decided), Result(out)
            assert a.value == b.value and a.actions == b.actions and (a.data["model/readout/R"] == b.data["model/readout/R"]).all()
        done = run(["flow", path, "-init", out, "-o", again])
        assert done.returncode == 0 and "cost.readout.file is of solve and heads" in done.stdout, done
        r = Result(again)
        assert abs(r.data["flow/starts/initial_cost"][0] - b.attributes["rollout"]["cost"]) < 1e-13
        assert r.attributes["rollout"]["cost"] < b.attributes["rollout"]["cost"] - 1e-3, (r.attributes["rollout"], b.attributes["rollout"])
        assert (r.data["model/readout/R"] != b.data["model/readout/R"]).any()
        told = run(["eval", again])
        assert told.returncode == 0 and "loss %.10g" % r.attributes["rollout"]["loss"] in told.stdout, told
        np.savetxt(os.path.join(f, "single.csv"), np.hstack([matrix[:1], np.zeros((1, C))]), delimiter=",")
        path = continuous.oracle.write({**trained, "readout": {**trained["readout"], "file": "single.csv"}}, f, "one")
        done = run(["solve", path, "-o", os.path.join(f, "one.h5")])
        assert done.returncode == 0 and "readout: that of cost.readout.file; flow trains it" in done.stdout, done
        told = run(["flow", continuous.oracle.write(fixed(p, matrix[0], np.zeros(C)), f, "given"), "-init", again, "-o", os.path.join(f, "g.h5")])
        assert told.returncode == 0 and "its readout was trained; this problem's own is taken" in told.stdout, told
        del trained["readout"]["file"]
        path = continuous.oracle.write({**trained, "readout": {**trained["readout"], "matrix": {"range": [1, 3]}}}, f, "middle")
        middle, twos = (os.path.join(f, n) for n in ("middle.h5", "twos.h5"))
        done = run(["solve", path, "-o", middle])
        assert "the middle of its ranges" in done.stdout and "has equal rows" in done.stderr, done
        assert run(["solve", continuous.oracle.write(fixed(p, 2 * np.ones(C * d), np.zeros(C)), f, "twos"), "-o", twos]).returncode == 0
        assert Result(middle).value == Result(twos).value and (Result(middle).data["model/readout/R"] == 2).all()


def best_then_flow():
    """Of a solve -best every open loop starts with the readout that was best for it."""
    p = case(rows=sequences(6, 3, seed=9), terminal="pooled_cross_entropy", horizon=2, cells=[20, 20], action={"kind": "sample", "count": 9, "seed": 1},
             readout={**BOX, "file": "r.csv"})
    readouts = np.clip(np.array([3, 1, -3, -1, 0, 0]) + np.random.default_rng(1).uniform(-1, 1, (6, 6)), -4, 4)
    with tempfile.TemporaryDirectory() as f:
        np.savetxt(os.path.join(f, "r.csv"), readouts, delimiter=",", fmt="%.17g")
        path, solved, out = continuous.write(p, f), os.path.join(f, "solve.h5"), os.path.join(f, "run.h5")
        assert run(["solve", path, "-space", "reachable", "-best", 8, "-o", solved]).returncode == 0
        s = Result(solved)
        controls, chosen = s.data["rollout/best/controls"], s.data["rollout/best/readout"]
        assert len(controls) == 8 and len(set(chosen)) > 1, chosen
        assert (s.data["rollout/best/R"].reshape(8, -1) == readouts[chosen, :4]).all() and (s.data["rollout/best/b"] == readouts[chosen, 4:]).all()
        assert run(["flow", path, "-init", solved, "-o", out, *EVALUATE]).returncode == 0
        r = Result(out)
        assert (r.data["options/given_readout"] == readouts[chosen]).all()
        for u, number, J in zip(controls, chosen, r.data["flow/starts/initial_cost"]):
            assert abs(cost(p, u, readouts[number, :4].reshape(2, 2), readouts[number, 4:], "layers") - J) < 1e-13
        assert run(["flow", path, "-init", solved, "-o", out, "-overwrite", *EVALUATE, "-maxh", 1e-9, "-checkpoint_interval", 0]).returncode == 75
        assert run(["flow", "-restart", out], 2).returncode == 0
        assert not difference(r, Result(out)), difference(r, Result(out))


def heads():
    """heads leaves it in the middle, as a fixed one, and says so."""
    p = case(rows=sequences(3, 3), terminal="pooled_cross_entropy", readout={**BOX, "matrix": {"range": [0, 8, -1, 1, -8, 0, -1, 1]}})
    with tempfile.TemporaryDirectory() as f:
        outs = []
        for q, name in ((p, "trained"), (fixed(p, [4, 0, -4, 0], [0, 0]), "fixed")):
            outs.append(os.path.join(f, name + ".h5"))
            done = run(["heads", continuous.write(q, f, name=name), "-o", outs[-1], "-tau", 1])
            assert done.returncode == 0 and ("readout: the middle of its ranges" in done.stdout) == (q is p), done
            assert "equal rows" not in done.stderr
        a, b = map(Result, outs)
        assert a.attributes["rollout"]["cost"] == b.attributes["rollout"]["cost"] and (a.data["model/readout/R"] == b.data["model/readout/R"]).all()
        done = run(["eval", outs[0]])
        assert done.returncode == 0 and "heads (" in done.stdout, done


def readers():
    """share/python, eval on other data and the flow's own test loss: all take the trained R and b."""
    for kind in KINDS:
        p = case(**KINDS[kind])
        with tempfile.TemporaryDirectory() as f:
            path, out, table = continuous.write(p, f), os.path.join(f, "run.h5"), os.path.join(f, "table.h5")
            done = run(["flow", path, "-o", out, "-scheme", "rk4", "-tao_max_it", 15, "-starts", 2])
            assert done.returncode == 0, done
            r, model = Result(out), bellformer.load(out)
            J = r.attributes["rollout"]
            assert np.abs(r.data["model/readout/R"]).max() > 0.1
            assert abs(model.loss(model.data)[0] - J["loss"]) < 1e-13 and model.loss(model.data)[1] == J["accuracy"]
            assert abs(model.objective(model.data) - J["cost"]) < 1e-13
            oracle = layers.cost(fixed({**p, **{"lower": [-1e9] * 2, "upper": [1e9] * 2}}, r.data["model/readout/R"], r.data["model/readout/b"]),
                                 r.data["rollout/controls"])
            assert J["cost"] == J["cost"] and abs(J["cost"] - oracle) < 1e-12
            data = next(os.path.join(f, n) for n in os.listdir(f) if n.endswith(".csv"))
            done = run(["eval", out, "-data", data, "-o", table])
            assert done.returncode == 0, done
            with h5py.File(table) as e:
                assert e.attrs["loss"] == J["loss"] and e.attrs["flow_loss"] == r.attributes["flow"]["loss"]
                logits = e["prediction/representation"][()] @ r.data["model/readout/R"].T + r.data["model/readout/b"]
                assert np.abs(e["prediction/logits"][()] - logits).max() < 1e-13
                logits = e["flow_prediction/representation"][()] @ r.data["model/readout/R"].T + r.data["model/readout/b"]
                assert np.abs(e["flow_prediction/logits"][()] - logits).max() < 1e-13


def told():
    """info counts R and b; a flow whose layers are fixed is told as one of R and b alone."""
    p = case(**KINDS["pooled cross entropy"])
    with tempfile.TemporaryDirectory() as f:
        done = run(["info", continuous.write(p, f), "-starts", 1])
        assert "9, 3 x 2 and 3, which flow trains" in done.stdout and "%d numbers" % (3 * 8 + 9) in done.stdout, done
    r = flow({**p, "control": NOTHING}, *EVALUATE)
    assert "of R, b alone" in r.text


checks = [("gradient, %s, %s" % (k, s), lambda k=k, s=s: gradient(k, s)) for k in KINDS for s in SCHEMES]
every = [own_test, logistic_regression, fixed_numbers, draws, init, restart, ranks, solve_then_flow, best_then_flow, heads, readers, told]
quick = [fixed_numbers, init, restart, solve_then_flow, best_then_flow, readers]
checks = (checks[::3] if QUICK else checks) + [(f.__name__.replace("_", " "), f) for f in (quick if QUICK else every)]
chosen = [a for a in sys.argv[1:] if a != "quick"]
tap([c for c in checks if not chosen or c[0] in chosen])
