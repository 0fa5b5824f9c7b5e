"""Closed forms, rates, constants of motion, ranks, training, Pontryagin's condition, bad input."""
import os
import sys
import tempfile

import numpy as np

import continuous
from harness_flow import EVALUATE, flow, write_controls
from harness import run, tap
from flow_cases import CASES, FULL, HEAD, case, control_of
from cases import READOUT, sequences

FINE = ("-scheme", "dopri5", "-tolerance", 1e-12)


def free(matrix):
    return {"form": "fixed", "value": [float(x) for x in np.ravel(matrix)]}


def uniform_attention():
    """A = 0: every token sees the mean m, m' = V m, x_i(t) = x_i(0) + (e^{Vt} - I) m."""
    p = case(rows=sequences(1, 7), terminal="pooled_cross_entropy", readout=READOUT, horizon=2, step=0.5)
    V = np.array([[0.3, -0.8], [0.5, 0.2]])
    r = flow(p, *EVALUATE, *FINE, control=np.tile(np.concatenate([np.zeros(4), V.ravel()]), (2, 1)))
    values, vectors = np.linalg.eig(V)
    exponential = (vectors * np.exp(values) @ np.linalg.inv(vectors)).real  # t = 1
    z = r.data["flow/tokens"]
    assert np.abs(z[-1] - (z[0] + (exponential - np.eye(2)) @ z[0].mean(0))).max() < 1e-10


def equiangular():
    """n unit vectors with equal inner products rho, A = V = I on the sphere: rho' = 2 e^{b rho} (1 - rho) ((n-1) rho + 1) / (e^b +
    (n-1) e^{b rho}). From v_i = (e^b x_i + e^{b rho} sum of others) / (e^b + (n-1) e^{b rho}) and rho' = 2 <x_j, v_i - <x_i, v_i> x_i>."""
    n, beta, rho, T = 3, 1.3, 0.2, 1.5
    x = np.linalg.cholesky((1 - rho) * np.eye(n) + rho)
    p = case(rows=[(0, i, 0, x[i]) for i in range(n)], dim=3, lower=[-9] * 3, upper=[9] * 3, projection="sphere", beta=beta, horizon=1,
             step=T, terminal="pooled_cross_entropy", readout={"kind": "fixed", "matrix": [1, 0, 0, 0, 1, 0]})
    z = flow(p, *EVALUATE, *FINE, control=np.tile(np.eye(3).ravel(), 2)[None]).data["flow/tokens"][-1]
    rate = lambda y: 2 * np.exp(beta * y) * (1 - y) * ((n - 1) * y + 1) / (np.exp(beta) + (n - 1) * np.exp(beta * y))
    h = T / 4000
    for _ in range(4000):
        k1 = rate(rho)
        k2 = rate(rho + h / 2 * k1)
        k3 = rate(rho + h / 2 * k2)
        rho += h / 6 * (k1 + 2 * k2 + 2 * k3 + rate(rho + h * k3))
    gram = z @ z.T
    assert np.abs(gram - ((1 - rho) * np.eye(n) + rho)).max() < 1e-9, gram


def gaussian(populations, N, A, v, T):
    """Populations of N Gaussian tokens, each its own sequence, and the flow of all."""
    rng = np.random.default_rng(N)
    S0 = np.array([[0.5, 0.1], [0.1, 0.3]])
    z = rng.normal(size=(populations, N, 2)) @ np.linalg.cholesky(S0).T
    z -= z.mean(1, keepdims=True)
    p = case(rows=[(s, 0, (0.0, 0.0), x) for s in range(populations) for x in z[s]], targets=True, horizon=1, step=T,
             control={"A": FULL, "V": {"form": "scalar", "range": [-2, 2]}})
    r = flow(p, *EVALUATE, "-scheme", "rk4", "-steps", 8, control=np.concatenate([A.ravel(), [v]])[None])
    return S0, r


def gaussian_law():
    """A Gaussian law stays Gaussian under softmax attention, [AJZ26]. With logits <z, A z'> a query z sees the law tilted by
    exp<A^T z, z'>, whose mean is m + S A^T z; with V = v I and B = A^T, S' = v (S B S + S B^T S)... for m = 0, hence
    S(t) = (S0^-1 - v t (B + B^T))^-1. Particles reach tr S at rate N^-1/2, in the mean over their draws faster; J = mean |z|^2 = tr S;
    since d tr S / dA = 2 v T S_T^2 (symmetric in A's two indices), the adjoint reaches that too."""
    A, v, T = np.array([[0.4, 0.2], [-0.1, 0.3]]), 0.8, 0.6
    sizes, spread, bias, apart = (32, 128, 512), [], [], []
    for N, populations in zip(sizes, (96, 96, 48)):
        S0, r = gaussian(populations, N, A, v, T)
        S = np.linalg.inv(np.linalg.inv(S0) - v * T * (A + A.T))
        error = np.square(r.data["flow/tokens"][-1]).sum(1).reshape(populations, N).mean(1) - np.trace(S)
        spread.append(error.std())
        bias.append(error.mean())
        wanted = 2 * v * T * S @ S
        apart.append(np.abs(r.data["flow/gradient"][0, :4].reshape(2, 2) - wanted).max() / np.abs(wanted).max())
    slope = np.polyfit(np.log(sizes), np.log(spread), 1)[0]
    print("# slope %.3f, spread %s, bias %s, gradient %s" % (slope, spread, bias, apart))
    assert abs(slope + 0.5) < 0.1, (slope, spread)
    assert (np.abs(bias) < 4 * np.array(spread) / np.sqrt((96, 96, 48)) + 4 / np.array(sizes)).all(), (bias, spread)
    assert apart[-1] < 0.05, apart


def rates():
    """Euler's error falls as the step, classical Runge-Kutta's as its fourth power; and so do their gradients'."""
    p, _ = CASES["pooled cross entropy, decay"]
    u = control_of(p)
    exact = flow(p, *EVALUATE, "-scheme", "dopri5", "-tolerance", 1e-14, control=u)
    for scheme, steps, rate in (("euler", (16, 32, 64), 1), ("rk4", (2, 4, 8), 4)):
        runs = [flow(p, *EVALUATE, "-scheme", scheme, "-steps", n, control=u) for n in steps]
        for name in ("flow/tokens", "flow/gradient"):
            e = [np.abs(r.data[name] - exact.data[name]).max() for r in runs]
            slope = -np.polyfit(np.log(steps), np.log(e), 1)[0]
            assert abs(slope - rate) < 0.15 * rate, (scheme, name, slope, e)


def transformer():
    """Euler with a step a layer is the Transformer, r = 1 and r = 0, where nothing is clipped."""
    for name in ("pooled cross entropy, decay", "r = 0, relu, squared error"):
        p, _ = CASES[name]
        r = flow(p, *EVALUATE, "-scheme", "euler", control=control_of(p))
        assert np.abs(r.data["flow/tokens"] - r.data["rollout/tokens"]).max() < 1e-13
        assert abs(r.attributes["flow"]["cost"] - r.attributes["rollout"]["cost"]) < 1e-13


def constants():
    """H = sum <p, v> + lambda/2 |u|^2 is constant where u and zeta are."""
    p, _ = CASES["pooled cross entropy, decay"]
    u = np.tile(control_of(p)[0], (3, 1))
    r = flow(p, *EVALUATE, *FINE, control=u)
    H = r.data["pontryagin/hamiltonian"]
    assert np.ptp(H) < 1e-10 * max(1, np.abs(H).max()), H
    z, adjoint = (continuous.by_context(p, r.data[n]) for n in ("flow/tokens", "flow/adjoint"))
    for t in range(4):
        mine = sum((adjoint[s][t] * continuous.velocity(p, c, z[s][t], u[0])).sum() for s, (c, _) in enumerate(continuous.sequences(p)))
        assert abs(mine + p["weight_decay"] / 2 * (u[0] ** 2).sum() - H.ravel()[0]) < 1e-10


def pontryagin():
    """Stationarity and the violation of the minimum over the actions, recomputed; over a sample, and over points of Halton."""
    p, _ = CASES["pooled cross entropy, decay"]
    for action in (p["action"], {"kind": "halton", "count": 5, "seed": 2}):
        check_pontryagin({**p, "action": action})


def check_pontryagin(p):
    u = control_of(p)
    r = flow(p, *EVALUATE, control=u)
    g, T = r.data["flow/gradient"], p["horizon"]
    stationary = np.abs(u - np.clip(u - g / p["step"], -1.5, 1.5)).max(1)
    assert np.allclose(stationary, r.data["pontryagin/stationarity"], rtol=1e-13)
    z, adjoint = (continuous.by_context(p, r.data[n]) for n in ("flow/tokens", "flow/adjoint"))
    worst = 0
    for k in range(T):
        for e in range(2):
            def H(w):
                return sum((adjoint[s][k + e] * continuous.velocity(p, c, z[s][k + e], w)).sum()
                           for s, (c, _) in enumerate(continuous.sequences(p))) + p["weight_decay"] / 2 * (w ** 2).sum()
            every = [H(w) for w in continuous.oracle.actions(p)]
            over = max(0, H(u[k]) - min(every))
            assert abs(over - r.data["pontryagin/violation"][k, e]) < 1e-12 and r.data["pontryagin/minimizer"][k, e] == np.argmin(every)
            worst = max(worst, over)
    assert abs(worst - r.attributes["pontryagin"]["violation"]) < 1e-12
    assert r.attributes["pontryagin"]["terminal"] < 1e-15


def without_actions():
    """A problem with neither `action` nor `quantize`: the same bits, but for the minimum over actions, which is left out."""
    p, _ = CASES["pooled cross entropy, decay"]
    with tempfile.TemporaryDirectory(prefix="bf_flow_") as folder:
        path = continuous.write(p, folder, None)
        with open(path) as f:
            lines = f.readlines()
        with open(path, "w") as f:
            f.writelines(line for line in lines if not line.startswith(("action:", "quantize:")))
        bare = flow(path, "-tao_max_it", 3, "-starts", 2, ranks=2)
    whole = flow(p, "-tao_max_it", 3, "-starts", 2)
    apart = {"pontryagin/violation", "pontryagin/minimizer"}
    for name in [n for n in whole.data if n.split("/")[0] in ("flow", "rollout", "model", "pontryagin") and n not in apart]:
        assert np.array_equal(bare.data[name], whole.data[name], equal_nan=True), name
    assert np.isnan(bare.data["pontryagin/violation"]).all() and (bare.data["pontryagin/minimizer"] == -1).all()
    assert np.isnan([bare.attributes["pontryagin"][n] for n in ("violation", "violation_depth")]).all()
    assert bare.attributes["pontryagin"]["violation_action"] == -1
    assert "actions/controls" not in bare.data and "left out" in bare.text and "exceeds its minimum over the 3 actions" in whole.text


def permuted():
    """Rows of the table and numbers of sequences do not matter."""
    p, _ = CASES["lengths that differ"]
    u = control_of(p)
    way = np.random.default_rng(2).permutation(len(p["rows"]))
    q = {**p, "rows": [(9 - p["rows"][i][0],) + p["rows"][i][1:] for i in way]}
    a, b = (flow(x, *EVALUATE, control=u) for x in (p, q))
    assert np.allclose(a.data["flow/tokens"][:, way], b.data["flow/tokens"], rtol=0, atol=1e-14)
    assert np.allclose(a.data["flow/gradient"], b.data["flow/gradient"], rtol=0, atol=1e-14)


def differ(a, b):
    out = [n for n in a.data if not n.startswith(("provenance", "problem")) and a.data[n].tobytes() != b.data[n].tobytes()]
    for group in ("flow", "pontryagin", "rollout"):
        out += [group + "@" + k for k, v in a.attributes[group].items() if np.asarray(v).tobytes() != np.asarray(b.attributes[group][k]).tobytes()]
    return out


def ranks():
    """The same bits on any number of ranks."""
    p, _ = CASES["r = 0, relu, squared error"]
    many = case(rows=sequences(600, 4, seed=6), terminal="pooled_cross_entropy", readout=READOUT)
    for x in (p, many):
        runs = [flow(x, "-init", "sample", "-tao_max_it", 5, "-quiet", ranks=n) for n in (1, 2, 3)]
        for r in runs[1:]:
            assert not differ(runs[0], r), differ(runs[0], r)


def training():
    """TAO ends at a stationary point; -init goes on from there; of several starts the best is the answer."""
    p, _ = CASES["pooled cross entropy, decay"]
    r = flow(p, "-starts", 3, "-tao_gatol", 1e-9)
    assert r.attributes["pontryagin"]["stationarity"] < 1e-6, r.attributes["pontryagin"]
    costs = r.data["flow/starts/cost"]
    assert len(costs) == 3 and costs.argmin() == r.attributes["flow"]["start"]
    assert abs(costs.min() - r.attributes["flow"]["cost"]) < 1e-14
    history = r.data["flow/history/cost"]
    assert len(history) == r.attributes["flow"]["iterations"] + 1 and history[-1] <= history[0]
    again = flow(p, *EVALUATE, control=r.data["rollout/controls"])
    assert again.attributes["flow"]["cost"] == r.attributes["flow"]["cost"]


def draws():
    """Start number i is the i-th block of T q numbers of splitmix64(seed)."""
    p, _ = CASES["pooled cross entropy, decay"]
    r = flow(p, "-starts", 2, "-seed", 7, *EVALUATE)
    n = control_of(p).size
    draw = continuous.oracle.splitmix(7)
    u = np.array([[-1.5 + 3 * next(draw) for _ in range(n)] for _ in range(2)]).reshape(2, p["horizon"], -1)
    for i in range(2):
        assert abs(continuous.cost(p, u[i], "rk4", 8) - r.data["flow/starts/initial_cost"][i]) < 1e-12


def evaluation():
    """eval tells the flow's loss on its own data, and the loss of every sequence."""
    import h5py
    p, _ = CASES["lengths that differ"]
    with tempfile.TemporaryDirectory() as f:
        path, out = continuous.write(p, f), os.path.join(f, "run.h5")
        assert run(["flow", path, "-o", out, "-init", "sample", *EVALUATE]).returncode == 0
        done = run(["eval", out, "-o", os.path.join(f, "eval.h5")])
        assert done.returncode == 0 and "flow (rk4, 8 steps a layer): loss" in done.stdout, done
        with h5py.File(out) as r, h5py.File(os.path.join(f, "eval.h5")) as e:
            assert (r["flow/tokens"][()] == e["flow_tokens"][()]).all() and r["flow"].attrs["loss"] == e.attrs["flow_loss"]
            assert abs(e["loss"][()].mean() - r["rollout"].attrs["loss"]) < 1e-14


def bad_input():
    """One line, exit 2, nothing written."""
    p, _ = CASES["pooled cross entropy, decay"]
    with tempfile.TemporaryDirectory() as f:
        path = continuous.write(p, f)
        write_controls(os.path.join(f, "other.h5"), np.zeros((3, 5)))
        before = sorted(os.listdir(f))
        for options, word in ((["-scheme", "foo"], "-scheme"), (["-steps", 0], "-steps"), (["-init", "missing.h5"], "missing.h5"),
                              (["-init", os.path.join(f, "other.h5")], "free numbers"), (["-tao_max_itt", 3], "unknown option -tao_max_itt, did you mean -tao_max_it?"),
                              (["-tao_type", "foo"], "-tao_type must be one of bqnls,"), (["-tao_type", "lmvm"], "-tao_type must be one of bqnls,"),
                              (["-tao_ls_type", "foo"], "-tao_ls_type must be one of unit, more-thuente,"),
                              (["-tao_max_it", "foo"], "-tao_max_it"), (["-tao_gatol", "foo"], "-tao_gatol"),
                              (["-tao_max_it", "-4"], "-tao_max_it must be at least 0, got -4"),
                              (["-tao_type", "bncg", "-tao_bncg_type", "foo"], "Available options: gd"),
                              (["-tao_bqnls_mat_type", "foo"], "lmvmbfgs"), (["-ts_adapt_type", "foo"], "-ts_adapt_type must be one of none, basic"),
                              (["-ts_trajectory_type", "foo"], "-ts_trajectory_type must be one of basic"),
                              (["-ts_type", "beuler"], "-ts_type is not read: give -scheme"), (["-ts_rk_type", "4"], "-scheme"),
                              (["-ts_atol", 1e-3], "-tolerance"), (["-tao_view", "foo"], "-tao_view"),
                              (["-tao_max_it", 3, "-ts_monitor", "foo", "-tao_gatol", 1e-3], "-ts_monitor"), (["-flow_profile", "1"], "profile"), (["-flow_profile", "up"], "profile"),
                              (["-scheme", "bs3", "-steps", 2], "-steps"), (["-scheme", "rk4", "-tolerance", 1e-3], "-tolerance"), (["-tolerance", 0], "-tolerance"), (["-starts", 0], "-starts"),
                              (["-tao_typ", "blmvm"], "did you mean -tao_type?"), (["-seed", 1], "-seed has no meaning where nothing is drawn"),
                              (["-tao_view", "ascii:a b"], "-tao_view takes no blanks"), (["-tao_bncg_type", "gd"], "unknown option -tao_bncg_type"),
                              (["-quantize_cells", "8,8"], "-quantize_cells is not used by flow")):
            for n in (0, 2):
                done = run(["flow", path, "-o", os.path.join(f, "run.h5"), *options], n)
                lines = [line for line in done.stderr.splitlines() if line.startswith("bellformer")]
                assert done.returncode == 2 and len(lines) == 1 and word in lines[0], (options, done)
                assert sorted(os.listdir(f)) == before, (options, os.listdir(f))


every = [uniform_attention, equiangular, gaussian_law, rates, transformer, constants, pontryagin, without_actions, permuted, ranks, training, draws,
         evaluation, bad_input]
quick = [transformer, pontryagin, ranks, training, evaluation]
tap([(check.__name__.replace("_", " "), check) for check in (quick if "quick" in sys.argv else every)])
