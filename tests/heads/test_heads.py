"""What an evaluation tells, closed forms, the gradient flow, ranks, bad input."""
import os
import sys
import tempfile

import numpy as np

import heads_oracle as oracle
from harness import run, tap
from harness_heads import EVALUATE, heads
from heads_cases import CASES, SQUARED, case, law
from cases import READOUT, sequences, with_targets
from flow_cases import CROSS

TOLERANCE = 1e-9  # of derivatives by differences in the oracle


def close(a, b, tolerance=TOLERANCE):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, (a.shape, b.shape)
    assert np.abs(a - b).max(initial=0) <= tolerance * max(1, np.abs(b).max(initial=0)), np.abs(a - b).max()


def evaluation():
    """Every number of an evaluation, and the model that is exported, of every kind of problem; with weights too."""
    for i, (name, p) in enumerate(CASES.items()):
        fixed = p["control"]["V"].get("form") == "fixed"
        for H, weighted in ((11, False), (5, True))[i % 2 and not fixed:][:1]:
            theta, alpha = law(p, H, weighted=weighted)
            r = heads(p, *EVALUATE, theta=theta, alpha=alpha if weighted else None)
            e = oracle.evaluate(p, theta, alpha)
            for key in ("risk", "loss", "decay", "slope", "gradient_norm"):
                close(r.heads[key], e[key])
            assert r.heads["initial_risk"] == r.heads["risk"] and r.heads["initial_slope"] == r.heads["slope"], name
            for key in ("tokens", "adjoint"):
                close(r.data["heads/" + key], oracle.table(p, e[key]))
            assert (r.data["heads/particles"] == theta).all() and (r.data["heads/initial"] == theta).all()
            close(r.data["heads/weights"], alpha, 1e-15)
            a = oracle.free(p)[0]
            model = np.concatenate([theta[..., :a], theta[..., a:] * alpha[..., None]], -1)
            close(r.data["rollout/controls"], model.reshape(p["horizon"], -1), 1e-15)
            close(r.data["rollout/tokens"], r.data["heads/tokens"], 1e-12)
            assert r.heads["evaluations"] == 1 and r.heads["tau"] == 0 and r.heads["reason"] == "tau was reached"


def steps_of_euler():
    """Equal steps of the gradient flow, free and within the box, and the velocity in them."""
    held = 0
    for name in ("squared error, decay", "pooled cross entropy, causal, encoding, last", "diagonal, skew"):
        p = CASES[name]
        theta, alpha = law(p, 6)
        for box in (False, True):
            r = heads(p, "-ts_type", "euler", "-ts_dt", 0.25, "-tau", 2, "-outputs", 1, *(["-box"] if box else []), theta=theta)
            bounds = oracle.ranges(p)
            wanted = oracle.euler(p, np.clip(theta, *bounds) if box else theta, alpha, 0.25, 8, bounds if box else None)
            close(r.data["heads/particles"], wanted)
            close(r.heads["risk"], oracle.risk(p, wanted, alpha))
            assert r.heads["evaluations"] == 9 and r.heads["steps"] == 8 and r.data["heads/history/tau"].tolist() == [0, 1, 2]
            if box:
                held += ((wanted == bounds[0]) | (wanted == bounds[1])).sum()
                assert ((wanted >= bounds[0]) & (wanted <= bounds[1])).all()
    assert held > 0


def adaptive():
    """Steps that TS chooses follow the flow within their tolerance, in third and fifth order."""
    p = CASES["squared error, decay"]
    theta, alpha = law(p, 6)
    wanted = oracle.bs3(p, theta, alpha, 3, 300)
    for scheme in ("3bs", "5dp", "5bs"):
        r = heads(p, "-tau", 3, "-outputs", 2, "-ts_rk_type", scheme, "-ts_rtol", 1e-8, "-ts_atol", 1e-8, theta=theta)
        close(r.data["heads/particles"], wanted, 3e-7)
        assert r.data["heads/history/tau"].tolist() == [0, 1, 2, 3]


def slopes():
    """dR/dtau by differences of the history; the risk falls."""
    for name in ("squared error, decay", "token cross entropy, a population"):
        p = CASES[name]
        r = heads(p, "-tau", 0.008, "-outputs", 7, "-ts_rtol", 1e-12, "-ts_atol", 1e-12, "-ts_rk_type", "5dp", theta=law(p, 6)[0])
        h, R, s = 0.001, r.data["heads/history/risk"], r.data["heads/history/slope"]
        by = (8 * (R[3:-1] - R[1:-3]) - (R[4:] - R[:-4])) / (12 * h)
        close(by, s[2:-2], 1e-7)
        assert (np.diff(R) < 0).all()


def fixed_A():
    """Closed form A: T = 1, A fixed, e = z_T - y, b = z_0 - y: de/dtau = -(2 eps / N) K e - lambda (e - b), K_ij = mean_h <m_i, m_j>."""
    p = case(rows=with_targets(sequences(2, 3)), horizon=1, weight_decay=0.07, **SQUARED,
             control={"A": {"form": "fixed", "value": [1, 0.5, -1, 0]}, "V": {"form": "full", "range": [-9, 9]}})
    theta = np.zeros((1, 3, 4))
    tau = 2.0
    r = heads(p, "-tau", tau, "-outputs", 0, "-ts_rtol", 1e-11, "-ts_atol", 1e-11, "-ts_rk_type", "5dp", theta=theta)
    A = oracle.expand(p, theta[0])[0][:1]
    m = np.concatenate([(oracle.softmax(p, c, z, A) @ z)[0] for c, z in oracle.sequences(p)])
    order = oracle.continuous.order(p)
    y, z0 = (np.array([p["rows"][i][k] for i in order], float) for k in (2, 3))
    b, K, N = z0 - y, m @ m.T, len(m)
    M = 2 * p["step"] / N * K + p["weight_decay"] * np.eye(N)
    rest = np.linalg.solve(M, p["weight_decay"] * b)
    values, vectors = np.linalg.eigh(M)
    e = rest + vectors @ (np.exp(-tau * values)[:, None] * (vectors.T @ (b - rest)))
    close(r.data["heads/tokens"][-1][order] - y, e, 1e-8)


def scalar_V():
    """Closed form B: A = 0, V = v I, all heads equal: z_T = z_0 + (P - 1) mean, P = (1 + eps v)^T, dv/dtau = -R'(P) P / (1 + eps v)."""
    p = case(rows=with_targets(sequences(2, 3)), **SQUARED,
             control={"A": {"form": "fixed", "value": [0, 0, 0, 0]}, "V": {"form": "scalar", "range": [-9, 9]}})
    T, eps, tau, v = p["horizon"], p["step"], 1.5, 0.3
    pairs = oracle.sequences(p)
    y = [np.array([row[2] for row in p["rows"] if row[0] == s]) for s in range(2)]
    def slope(v):
        P = (1 + eps * v) ** T
        d = sum((2 * (z + (P - 1) * z.mean(0) - t) * z.mean(0)).sum() for (_, z), t in zip(pairs, y)) / 6
        return -d * P / (1 + eps * v)
    h = tau / 2000
    for _ in range(2000):
        k1 = slope(v)
        k2 = slope(v + h / 2 * k1)
        k3 = slope(v + h / 2 * k2)
        v += h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(v + h * k3))
    r = heads(p, "-tau", tau, "-ts_rtol", 1e-11, "-ts_atol", 1e-11, "-ts_rk_type", "5dp", theta=np.full((T, 4, 1), 0.3))
    close(r.data["heads/particles"], np.full((T, 4, 1), v), 1e-8)


def single_tokens():
    """Closed form C: sequences of one token; the floor of R is the residual of the least squares Y = Z B."""
    p = case(rows=with_targets(sequences(7, 1)), horizon=1, **SQUARED)
    r = heads(p, "-tau", 400, "-outputs", 0, "-ts_rk_type", "5dp", theta=law(p, 4)[0])
    z, y = (np.array([row[k] for row in p["rows"]], float) for k in (3, 2))
    floor = np.square(z @ np.linalg.lstsq(z, y, rcond=None)[0] - y).sum() / len(z)
    assert 0 <= r.heads["risk"] - floor < 1e-8, (r.heads["risk"], floor)
    assert r.heads["slope"] > -1e-8


def twins():
    """Closed form D: every particle twice is the same dynamics; so is another order of heads."""
    p = CASES["pooled cross entropy, causal, encoding, last"]
    theta, _ = law(p, 5)
    run_of = lambda x: heads(p, "-ts_type", "euler", "-ts_dt", 0.5, "-tau", 5, "-outputs", 0, theta=x)
    once, twice, turned = run_of(theta), run_of(np.repeat(theta, 2, axis=1)), run_of(theta[:, ::-1])
    close(twice.data["heads/particles"], np.repeat(once.data["heads/particles"], 2, axis=1), 1e-13)
    close(turned.data["heads/particles"], once.data["heads/particles"][:, ::-1], 1e-13)
    close(twice.heads["risk"], once.heads["risk"], 1e-13)


def one_head():
    """H = 1 is `flow` with Euler: risk and gradient."""
    from harness_flow import EVALUATE as STAY, flow
    for name in ("squared error, decay", "pooled cross entropy, causal, encoding, last", "three dimensions"):
        p = CASES[name]
        theta = 0.4 * law(p, 1)[0]  # within the box, to which -init of flow is clipped
        a = heads(p, *EVALUATE, theta=theta)
        b = flow({**p, "action": {"kind": "sample", "count": 2, "seed": 1}}, *STAY, "-scheme", "euler", control=theta[:, 0])
        close(a.heads["risk"], b.attributes["flow"]["cost"], 1e-13)
        close(a.heads["gradient_norm"], np.sqrt((b.data["flow/gradient"] ** 2).sum()), 1e-12)
        close(a.data["heads/adjoint"], b.data["flow/adjoint"], 1e-13)


def differ(a, b):
    out = [n for n in a.data if not n.startswith(("provenance", "problem")) and a.data[n].tobytes() != b.data[n].tobytes()]
    return out + ["@" + k for k, v in a.heads.items() if np.asarray(v).tobytes() != np.asarray(b.heads[k]).tobytes()]


def ranks():
    """The same bits on any number of ranks, however they share heads and sequences."""
    many = case(rows=sequences(12, 3), weight_decay=0.01, **CROSS)
    for p, H, options in ((many, 40, ()), (CASES["squared error, decay"], 9, ("-box",)), (many, 3, ("-ts_rk_type", "5dp"))):
        theta, _ = law(p, H)
        first = heads(p, "-tau", 3, "-outputs", 2, *options, theta=theta)
        for n, groups in ((2, 1), (2, 2), (3, 0), (4, 2)) if H == 40 else ((3, 0),):
            other = heads(p, "-tau", 3, "-outputs", 2, *options, *(["-head_groups", groups] if groups else []), theta=theta, ranks=n)
            assert not differ(first, other), (n, groups, differ(first, other))


def ends():
    """-risk, -slope and -ts_max_steps end a descent after the step that reaches them; the step before does not."""
    p = CASES["squared error, decay"]
    theta, _ = law(p, 6)
    whole = heads(p, "-tau", 50, "-outputs", 200, theta=theta)
    for option, column, word in (("-risk", "risk", "as small as -risk"), ("-slope", "slope", "as small as -slope")):
        line = np.abs(whole.data["heads/history/" + column])
        level = (line[40] + line[41]) / 2
        r = heads(p, "-tau", 50, "-outputs", 200, option, repr(float(level)), theta=theta)
        assert word in r.heads["reason"] and abs(r.heads[column]) <= level < np.abs(r.data["heads/history/" + column][-2])
        n = len(r.data["heads/history/tau"])
        assert r.data["heads/history/tau"][-1] == r.heads["tau"] and n > 10
        assert r.data["heads/history/risk"][:n - 1].tobytes() == whole.data["heads/history/risk"][:n - 1].tobytes()
    r = heads(p, "-tau", 50, "-ts_max_steps", 3, theta=theta)
    assert r.heads["steps"] == 3 and r.heads["reason"] == "-ts_max_steps was reached"


def tokens_that_leave():
    """Tokens outside Z are counted, with a warning."""
    p = case(rows=sequences(2, 2), projection="clip", lower=[-1.25, -1.25], upper=[1.25, 1.25], **CROSS)
    theta, alpha = law(p, 3)
    e = oracle.table(p, oracle.tokens(p, 3 * theta, alpha))
    r = heads(p, *EVALUATE, theta=3 * theta)
    count = (np.abs(e) > 1.25).any(axis=(0, 2)).sum()
    assert r.heads["outside"] == count > 0 and "%d of 4 tokens leave Z" % count in r.warned, (count, r.warned)


def on_other_data():
    """eval tells the heads without a projection, with the readout that was chosen, on the training data and on another table."""
    import h5py
    p = {**CASES["a decision"], "projection": "clip", "lower": [-1.25, -1.25], "upper": [1.25, 1.25]}
    theta, alpha = law(p, 5, weighted=True)
    with tempfile.TemporaryDirectory() as f:
        path, init, out = oracle.write(p, f, {"count": 5}), os.path.join(f, "law.csv"), os.path.join(f, "run.h5")
        oracle.write_law(init, 2 * theta, alpha)
        assert run(["heads", path, "-init", init, "-o", out, *EVALUATE]).returncode == 0
        with h5py.File(out) as r:
            readout, loss, tokens = r["rollout"].attrs["readout"], r["heads"].attrs["loss"], r["heads/tokens"][()]
        for rows in (p["rows"], sequences(2, 3, seed=8)):
            q = {**p, "rows": rows}
            oracle.write(q, f, name="other")
            table = os.path.join(f, "eval.h5")
            done = run(["eval", out, "-data", os.path.join(f, "other.csv"), "-o", table, "-overwrite"])
            assert done.returncode == 0 and "heads (5, no projection): loss" in done.stdout, done
            every = oracle.tokens(q, 2 * theta, alpha)
            with h5py.File(table) as e:
                close(e["heads_tokens"][()], oracle.table(q, every), 1e-12)
                close(e.attrs["heads_loss"], oracle.losses(q, [z[-1] for z in every])[readout], 1e-12)
                if rows is p["rows"]:
                    close(e.attrs["heads_loss"], loss, 1e-13)
                    close(e["heads_tokens"][()], tokens, 1e-13)


def bad_input():
    """One line, exit 2, nothing written."""
    p = CASES["squared error, decay"]
    with tempfile.TemporaryDirectory() as f:
        path = oracle.write(p, f, {"count": 4})
        before = sorted(os.listdir(f))
        for options, word in ((["-tau", -1], "-tau"), (["-outputs", "x"], "-outputs"), (["-init", os.path.join(f, "none.csv")], "none.csv"),
                              (["-head_groups", 2], "-head_groups must divide the number of ranks, 1, got 2"),
                              (["-ts_type", "beuler"], "-ts_type must be rk or euler"), (["-ts_adapt_type", "dsp"], "-ts_adapt_type must be basic or none"),
                              (["-ts_rk_type", "foo"], "-ts_rk_type"), (["-ts_rk_type", "4", "-ts_adapt_type", "basic"], "does not estimate its errors"),
                              (["-ts_max_time", 3], "-ts_max_time is not read: give -tau"), (["-ts_adapt_wnormtype", "2"], "-ts_adapt_wnormtype is not read"),
                              (["-ts_type", "euler", "-ts_rtol", 1e-3], "-ts_rtol has no meaning"), (["-ts_dtt", 1], "did you mean -ts_dt?"),
                              (["-scheme", "rk4"], "-scheme")):
            done = run(["heads", path, "-o", os.path.join(f, "x.h5"), *options])
            assert done.returncode == 2 and word in done.stderr and done.stderr.count("\n") == 1, (options, done)
            assert sorted(os.listdir(f)) == before, (options, os.listdir(f))
        done = run(["heads", path, "-o", os.path.join(f, "x.h5"), "-ts_type", "euler", "-ts_dt", 1e9, "-tau", 1e12])
        assert done.returncode == 1 and "is not finite" in done.stderr and done.stderr.count("\n") == 1, done


tap([(f.__doc__.split(";")[0].split(".")[0], f)
     for f in (evaluation, steps_of_euler, adaptive, slopes, fixed_A, scalar_V, single_tokens, twins, one_head, ranks, ends, tokens_that_leave, on_other_data,
               bad_input)])
