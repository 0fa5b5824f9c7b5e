"""What is told of a law beside risk and gradient: the tangent kernel, the log-sum-exp test, stationarity; insertion, certificates."""
import os
import sys
import tempfile

import numpy as np

import heads_oracle as oracle
from bits import difference as same
from harness import Result, run, tap
from harness_heads import heads
from heads_cases import CASES, SQUARED, case, law
from cases import READOUT, sequences, with_targets
from flow_cases import CROSS

ONE = {"horizon": 1, "weight_decay": 0.05}
LAYER = {"squared error": case(rows=with_targets(sequences(3, 3)), **SQUARED, **ONE),
         "pooled cross entropy": case(rows=sequences(4, 3), **CROSS, **ONE),
         "token cross entropy, causal": case(rows=sequences(3, 3), mask="causal", terminal="token_cross_entropy", readout=READOUT, **ONE)}


def close(a, b, tolerance):
    assert abs(a - b) <= tolerance * max(1e-3, abs(b)), (a, b)


# ---- the tangent kernel ------------------------------------------------------------------------------------------


def jacobian(p, theta, alpha):
    """(1/sqrt w) dz_T/dtheta [N d, T H q] by central differences."""
    last = lambda x: np.concatenate([z[-1].ravel() for z in oracle.tokens(p, x, alpha)])
    columns, h = [], 1e-5
    for i in np.ndindex(*theta.shape):
        move = np.zeros_like(theta)
        move[i] = h
        columns.append((last(theta + move) - last(theta - move)) / (2 * h) / np.sqrt(p["step"] * alpha[i[:2]]))
    return np.array(columns).T


def pooling(p):
    """dr/dz [S d, N d], of sequences of one length."""
    d, S = p["dim"], 1 + max(s for s, *_ in p["rows"])
    n = len(p["rows"]) // S
    weights = np.full(n, 1 / n) if p["pooling"] == "mean" else np.eye(n)[-1]
    return np.kron(np.eye(S), np.kron(weights, np.eye(d)))


def kernel():
    """The spectrum of Theta = J J^T by differences of the tokens; of the pooled outputs; its rank; the promise 4 lambda_min / N."""
    for name, p in (("squared error", case(rows=with_targets(sequences(2, 3)), **SQUARED)),
                    ("pooled cross entropy, causal, encoding, last", CASES["pooled cross entropy, causal, encoding, last"]),
                    ("nine dimensions", case(rows=sequences(2, 2, dim=9), dim=9, lower=[-9] * 9, upper=[9] * 9, horizon=1,
                                             **{**CROSS, "readout": {"kind": "fixed", "matrix": [1] * 9 + [-1] * 9}}))):
        theta, alpha = law(p, 9, weighted=True)
        r = heads(p, "-tau", 0, "-kernel", theta=theta, alpha=alpha)
        J = jacobian(p, theta, alpha)
        values = np.linalg.svd(J, compute_uv=False) ** 2
        assert np.allclose(r.data["heads/kernel/initial"], values, rtol=1e-6, atol=1e-9 * values[0]), name
        close(r.heads["kernel_largest"], values[0], 1e-7)
        close(r.heads["kernel_trace"], values.sum(), 1e-7)
        assert abs(r.heads["kernel_smallest"] - values[-1]) <= 1e-9 * values[0] and r.heads["kernel_rank"] == (values > 1e-12 * values[0]).sum()
        if name == "squared error":
            close(r.heads["promised_rate"], 4 * r.heads["kernel_smallest"] / 6, 1e-12)
            assert np.isnan(r.heads["kernel_pooled_smallest"])
        else:
            assert np.isnan(r.heads["promised_rate"])
            pooled = np.linalg.svd(pooling(p) @ J, compute_uv=False) ** 2
            assert abs(r.heads["kernel_pooled_smallest"] - pooled[-1]) <= 1e-8 * pooled[0]


def promise():
    """Squared error without decay: R(tau) <= R(0) exp(-4 lambda tau / N), lambda the least of all reports."""
    p = case(rows=with_targets(sequences(2, 2)), **SQUARED)
    r = heads(p, "-tau", 20, "-kernel", "-outputs", 9, section={"count": 48, "seed": 3})
    tau, risk, least = (r.data["heads/history/" + k] for k in ("tau", "risk", "kernel_smallest"))
    assert least[0] == r.heads["kernel_smallest"] and least[-1] == r.heads["final_kernel_smallest"] and least.min() > 0
    assert (risk <= risk[0] * np.exp(-4 * least.min() * 0.95 * tau / 4)).all(), risk


# ---- laws --------------------------------------------------------------------------------------------------------


def log_sum_exp(p, laws):
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    eta = 3 * np.array([(a, b) for a in nodes for b in nodes])
    root = np.sqrt(np.array([u * v for u in weights for v in weights]) / weights.sum() ** 2)
    columns = np.array([root * np.log(np.exp(p["beta"] * eta @ q.T).mean(1)) for q in laws]).T
    affine = np.linalg.qr(root[:, None] * np.concatenate([np.ones((len(eta), 1)), eta], 1))[0]
    left = columns - affine @ (affine.T @ columns)
    values = np.linalg.svd(left, compute_uv=False)
    return 0 if values[0] < 1e-10 * np.linalg.norm(columns) else values[-1] / values[0]


def lse():
    """Smallest over largest singular value of the laws' log-sum-exps modulo affine ones, of every depth; 0 for Diracs; a line that it proves nothing."""
    p = CASES["squared error, decay"]
    theta, alpha = law(p, 4)
    r = heads(p, "-tau", 0, "-lse", theta=theta)
    every = oracle.tokens(p, theta, alpha)
    for t in range(p["horizon"] + 1):
        close(r.data["heads/lse/initial"][t], log_sum_exp(p, [z[t] for z in every]), 1e-6)
    assert r.heads["lse_first"] == r.data["heads/lse/initial"][0] and r.heads["lse_last"] == r.data["heads/lse/initial"][-1]
    assert "neither does" in r.text
    assert heads(CASES["many sequences of one token"], "-tau", 0, "-lse", section={"count": 2}).heads["lse_first"] == 0


def variation(p, t, evaluation, theta):
    """G_t of heads [n, q] at the tokens and costates of an evaluation."""
    A, V = oracle.expand(p, theta)
    G = p["weight_decay"] / 2 * (theta ** 2).sum(-1)
    for (c, _), z, e in zip(oracle.sequences(p), evaluation["tokens"], evaluation["adjoint"]):
        G = G + np.einsum("ia,hab,hib->h", e[t + 1], V, oracle.softmax(p, c, z[t], A) @ z[t])
    return G


def stationarity():
    """int G_t dnu_t; min G_t is taken by the head that is told, and no head of the box at random is below it."""
    for name in ("squared error, decay", "diagonal, skew", "token cross entropy, a population"):
        p = CASES[name]
        theta, alpha = law(p, 6)
        theta = np.clip(theta, *oracle.ranges(p))
        r = heads(p, "-tau", 0, "-box", theta=theta)
        e, draw = oracle.evaluate(p, theta, alpha), np.random.default_rng(2)
        mean, least = r.data["heads/stationarity/mean"], r.data["heads/stationarity/least"]
        assert np.allclose(mean, (alpha * e["variation"]).sum(1), atol=1e-9)
        for t in range(p["horizon"]):
            found = r.data["heads/stationarity/theta"][t]
            close(variation(p, t, e, found[None])[0], least[t], 1e-8)
            assert (variation(p, t, e, draw.uniform(*oracle.ranges(p), (1000, theta.shape[2]))) >= least[t] - 1e-9).all(), (name, t)
        close(r.heads["stationarity"], (mean - least).max(), 1e-12)
        assert r.heads["stationarity_layer"] == (mean - least).argmax()


# ---- insertion, certificates -------------------------------------------------------------------------------------


def insertion():
    """A particle a round, of weights that sum to 1; R falls; the model that is exported is the law with its weights."""
    p = CASES["squared error, decay"]
    options = ["-tau", 3, "-outputs", 1, "-insert", 2]
    r = heads(p, *options, section={"count": 4})
    theta, alpha = r.data["heads/particles"], r.data["heads/weights"]
    assert alpha.shape == (3, 6) and np.allclose(alpha.sum(1), 1, atol=1e-12) and r.heads["inserted"] == 2
    assert ((alpha[:, 4:] > 0).sum(0) == 1).all() and (r.data["heads/initial_weights"][:, 4:] == 0).all()
    assert (np.diff(r.data["heads/history/risk"]) < 0).all() and r.data["heads/history/tau"][-1] == 9
    close(r.heads["risk"], oracle.risk(p, theta, alpha), 1e-10)
    assert r.heads["risk"] < heads(p, "-tau", 9, section={"count": 4}).heads["risk"]


def unsettled():
    """Where all heads are but one A and their V far apart, alpha V cannot be held: R falls along the mixture of laws."""
    p = case(rows=with_targets(sequences(3, 3)), **SQUARED, **{**ONE, "weight_decay": 0.5},
             control={"A": {"form": "fixed", "value": [0, 0, 0, 0]}, "V": {"form": "scalar", "range": [-3, 3]}})
    r = heads(p, "-tau", 0, "-insert", 1, theta=np.array([[[-2.0], [2.0]]]))
    assert r.heads["initial_stationarity"] > 0.1 and r.heads["inserted"] == 1 and r.heads["risk"] < r.heads["initial_risk"], r.heads


def conic():
    """Weights move by d log alpha/dtau = -(G - int G dnu): two small equal steps, after a round that only inserts."""
    p = CASES["squared error, decay"]
    r = heads(p, "-tau", 1e-3, "-outputs", 0, "-insert", 1, "-ts_type", "euler", "-ts_dt", 5e-4, section={"count": 3})
    tau, slope, risk = (r.data["heads/history/" + k] for k in ("tau", "slope", "risk"))
    first = oracle.evaluate(p, r.data["heads/initial"], r.data["heads/initial_weights"])
    mean = (r.data["heads/initial_weights"] * first["variation"]).sum(1, keepdims=True)
    moved = first["slope"] - p["step"] * (r.data["heads/initial_weights"] * (first["variation"] - mean) ** 2).sum()
    close(slope[0], moved, 1e-8)
    close((risk[1] - risk[0]) / (tau[1] - tau[0]), (slope[0] + slope[1]) / 2, 2e-3)


def certificate():
    """One layer: no law of heads in the box is below the bound, which grows with the cells and closes in on what insertion finds."""
    for name, p in LAYER.items():
        draw, bounds = np.random.default_rng(3), oracle.ranges(p)
        options = ["-tau", 30, "-outputs", 0, "-insert", 4]
        few, many = (heads(p, *options, "-certify", cells, section={"count": 8}).heads for cells in (300, 30000))
        assert few["certified_lower"] >= -1e-9, name  # neither the cost nor its decay is below 0
        assert few["certified_lower"] <= many["certified_lower"] <= many["risk"] <= many["certified_found"] * (1 + 1e-12), name
        assert many["certified_cells"] <= 30000 and many["certified_gap"] < 0.6 * few["certified_gap"], (name, few, many)
        close(many["certified_found"], many["risk"], 1e-6)
        for _ in range(1000 // len(LAYER)):
            H = draw.integers(1, 5)
            alpha = draw.dirichlet(np.ones(H))[None]
            assert oracle.risk(p, draw.uniform(*bounds, (1, H, bounds.shape[1])), alpha) >= many["certified_lower"], name


def certified_stationarity():
    """More layers: min G_t is not below what is certified, no head at random is."""
    p = CASES["squared error, decay"]
    theta, alpha = law(p, 5)
    r = heads(p, "-tau", 0, "-certify", 3000, theta=theta)
    theta, draw = r.data["heads/particles"], np.random.default_rng(4)  # within the box
    e, lower = oracle.evaluate(p, theta, alpha), r.data["heads/stationarity/lower"]
    assert (lower <= r.data["heads/stationarity/least"]).all() and "no bound of the risk" in r.text
    for t in range(p["horizon"]):
        assert (variation(p, t, e, draw.uniform(*oracle.ranges(p), (1000, theta.shape[2]))) >= lower[t]).all()
    close(r.heads["certified_stationarity"], (r.data["heads/stationarity/mean"] - lower).max(), 1e-12)


# ---- ranks, restarts, bad input ----------------------------------------------------------------------------------


def ranks():
    """All of it, the same bits on any number of ranks and parts of heads."""
    options = ["-tau", 0.5, "-outputs", 1, "-insert", 2, "-certify", 100, "-kernel", "-lse"]
    for layers, layouts in ((1, ((2, 2), (3, 1))), (2, ((2, 1),))):  # with two layers places stay empty
        p = case(rows=with_targets(sequences(3, 3)), **SQUARED, **{**ONE, "horizon": layers})
        one = heads(p, *options, section={"count": 20})
        for count, groups in layouts:
            other = heads(p, *options, "-head_groups", groups, section={"count": 20}, ranks=count)
            assert not same(one, other), same(one, other)


def restarts():
    """Stopped in rounds of insertion, again and again: the same bits."""
    p = case(rows=with_targets(sequences(4, 3)), weight_decay=1e-2, **SQUARED)
    options = ["-tau", 8, "-outputs", 3, "-insert", 3, "-kernel"]
    with tempfile.TemporaryDirectory() as f:
        path, out = oracle.write(p, f, {"count": 12}), os.path.join(f, "run.h5")
        whole = run(["heads", path, "-o", os.path.join(f, "whole.h5"), *options])
        assert whole.returncode == 0, whole.stderr
        codes = []
        for ranks in (1, 2, 1, 1):
            done = run(["heads", path, "-o", out, "-restart", "auto", *options, "-maxh", 0.02 / 3600, "-checkpoint_interval", 0], ranks)
            assert done.returncode in (0, 75), done.stderr
            codes.append(done.returncode)
        assert 75 in codes, codes
        done = run(["heads", "-restart", out])
        assert done.returncode == 0, done.stderr
        assert not same(Result(os.path.join(f, "whole.h5")), Result(out)), same(Result(os.path.join(f, "whole.h5")), Result(out))


def bad_input():
    """One line, exit 2, nothing written."""
    fixed = case(rows=with_targets(sequences(2, 3)), **SQUARED, control={"A": {"form": "full", "range": [-2, 2]}, "V": {"form": "fixed", "value": [1, 0, 0, 1]}})
    for p, options, words in ((fixed, ["-insert", 1], "control.V.form"), (CASES["hinge, three classes, first"], ["-horizon", 1, "-certify", 9], "cost.terminal hinge"),
                              (CASES["three dimensions"], ["-certify", 9], "d is 3 and A full"), (CASES["a decision"], ["-horizon", 1, "-certify", 9], "one readout"),
                              (CASES["squared error, decay"], ["-certify", 0], "option -certify must be between 1 and 1000000000, got 0"),
                              (CASES["squared error, decay"], ["-insert", 2, "-heads_room", 1], "heads.room")):
        with tempfile.TemporaryDirectory() as f:
            path = oracle.write(p, f, {"count": 3})
            done = run(["heads", path, "-o", os.path.join(f, "run.h5"), *options])
            assert done.returncode == 2 and done.stderr.count("\n") == 1 and words in done.stderr, done.stderr
            assert sorted(os.listdir(f)) == sorted(x for x in os.listdir(f) if not x.startswith("run")), os.listdir(f)


if __name__ == "__main__":
    checks = [kernel, promise, lse, stationarity, insertion, unsettled, conic, certificate, certified_stationarity, ranks, restarts, bad_input]
    tap([(c.__doc__.splitlines()[0].split(":")[0], c) for c in checks if len(sys.argv) < 2 or c.__name__ in sys.argv[1:]])
