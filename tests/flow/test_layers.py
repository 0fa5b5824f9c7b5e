"""Scheme `layers`: the Transformer with P itself. J, tokens and dJ/du against numpy and central differences where J is smooth; the same
as `solve`'s cost; the border of Z, the origin; Pontryagin's condition; the default; what is refused; what the other schemes report."""
import os
import sys
import tempfile

import h5py
import numpy as np

import continuous
import layers
from cases import READOUT, population, sequences, with_targets
from flow_cases import CROSS, FEED, HEAD, case, control_of
from harness import run, tap
from harness_flow import EVALUATE, flow, write_controls

LAYERS = ("-scheme", "layers")
TIGHT = {"lower": [-1.3, -1.4], "upper": [1.35, 1.25]}  # sequences() draws from [-1.2, 1.2]
DECISION = {"kind": "decision", "classes": 2, "matrix": [4, 0, -4, 0, 0, 4, 0, -4, -3, 1, 2, 2]}


def tight(**change):
    return case(**{**TIGHT, "step": 0.9, **change})


CASES = {
    "pooled cross entropy, decay": tight(rows=sequences(3, 3), weight_decay=0.1, **CROSS),
    "two heads, forms, last position": tight(rows=sequences(10, 2), heads=2, pooling="last", beta=0.7, control={
        "A_0": {"form": "diagonal", "range": [-2, 2]}, "A_1": {"form": "skew", "range": [-2, 2]},
        "V_0": {"form": "scalar", "range": [-1, 1]}, "V_1": {"form": "fixed", "value": [0.5, -1, 0.25, 1]}}, **CROSS),
    "causal, encoding, tanh, first": tight(rows=sequences(2, 5), mask="causal", feedforward="tanh", width=3, control={**HEAD, **FEED},
                                           encoding=np.random.default_rng(5).normal(size=(5, 2)), pooling="first", **CROSS),
    "causal, one long sequence": tight(rows=sequences(1, 19), mask="causal", **CROSS),
    "gelu, population, token cross entropy": tight(rows=population(21), feedforward="gelu", width=2, control={**HEAD, **FEED},
                                                   terminal="token_cross_entropy", readout=READOUT),
    "r = 0, relu, squared error": tight(rows=with_targets(sequences(9, 4)), targets=True, residual=0, feedforward="relu", width=2,
                                        control={**HEAD, **FEED}, step=2.5),
    "r = 0, feed-forward alone, wasserstein": tight(rows=with_targets(sequences(2, 3)), targets=True, residual=0, heads=0,
                                                    feedforward="tanh", width=2, control=FEED, terminal="wasserstein",
                                                    position_weight=0.3, step=2),
    "wasserstein": tight(rows=with_targets(sequences(2, 3)), targets=True, terminal="wasserstein", position_weight=0.3),
    "hinge, three classes": tight(rows=sequences(4, 3, labels=3), terminal="hinge", pooling="first",
                                  readout={"kind": "fixed", "matrix": [1, 0, -1, 0.5, 0, 1], "bias": [0, 0.25, 0]}),
    "a decision": tight(rows=sequences(3, 4), terminal="pooled_cross_entropy", readout=DECISION),
    "sphere, not normalized at the start": case(rows=sequences(3, 4), projection="sphere", terminal="pooled_cross_entropy",
                                                readout=DECISION),
    "sphere, r = 0, encoding": case(rows=sequences(1, 9), projection="sphere", residual=0,
                                    encoding=np.random.default_rng(6).normal(size=(9, 2)), **CROSS),
    "sphere, causal, gelu, squared error": case(rows=with_targets(sequences(3, 3)), targets=True, projection="sphere", mask="causal",
                                                feedforward="gelu", width=2, control={**HEAD, **FEED}),
    "rms, causal, encoding, tanh": tight(rows=sequences(2, 5), norm="rms", mask="causal", feedforward="tanh", width=3,
                                         control={**HEAD, **FEED}, encoding=np.random.default_rng(5).normal(size=(5, 2)), **CROSS),
    "layer norm, r = 0, gelu": tight(rows=sequences(2, 3, dim=3), dim=3, lower=[-1.3] * 3, upper=[1.3] * 3, norm="layer", residual=0,
                                     feedforward="gelu", width=2, control={**HEAD, **FEED}, terminal="pooled_cross_entropy",
                                     readout={"kind": "fixed", "matrix": [1, 0, 2, -1, 1, 0]}, step=1.5),
    "linear on the sphere, rms": case(rows=sequences(3, 4), norm="rms", projection="sphere", linear=1, control={**HEAD, "B": FEED["W1"]}, **CROSS),
    "linear alone, r = 0, diagonal": tight(rows=sequences(1, 19), heads=0, residual=0, linear=1,
                                           control={"B": {"form": "diagonal", "range": [-2, 2]}}, step=2, **CROSS),
    "rms on the sphere": case(rows=sequences(3, 4), norm="rms", projection="sphere", **CROSS),
    "no projection, rms, one long sequence": tight(rows=sequences(1, 19), projection="none", norm="rms", **CROSS),
    "no projection, wasserstein": tight(rows=with_targets(sequences(2, 3)), targets=True, projection="none", terminal="wasserstein",
                                        position_weight=0.3),
    "lengths that differ": tight(rows=sequences(2, 3) + [(s + 2, n, l, z) for s, n, l, z in sequences(3, 2, seed=4)], **CROSS),
    "three dimensions": tight(rows=sequences(2, 3, dim=3), dim=3, lower=[-1.3] * 3, upper=[1.3] * 3, terminal="pooled_cross_entropy",
                              readout={"kind": "fixed", "matrix": [1, 0, 2, -1, 1, 0]}),
    "one dimension": tight(rows=sequences(3, 4, dim=1), dim=1, lower=[-1.3], upper=[1.3], terminal="token_cross_entropy",
                           readout={"kind": "fixed", "matrix": [2, -2]}),
}


def smooth_control(p):
    """Controls at which J is smooth around, and P clips something where it can."""
    for seed in range(3, 60):
        u = control_of(p, seed)
        least, moved = layers.margin(p, u)
        if least > 1e-3 and (moved or p["projection"] != "clip"):
            return u
    raise AssertionError("no smooth point that P clips")


def close(a, b, tolerance, what):
    scale = max(np.abs(b).max(), 1e-300)
    assert np.abs(a - b).max() <= tolerance * scale, (what, np.abs(a - b).max() / scale)


def check(name):
    p = CASES[name]
    u = smooth_control(p)
    r = flow(p, *EVALUATE, *LAYERS, control=u)
    J = layers.cost(p, u)
    close(np.float64(r.attributes["flow"]["cost"]), J, 1e-13, "J")
    close(np.float64(r.attributes["rollout"]["cost"]), J, 1e-13, "the layers' cost")
    ends = [layers.tokens(p, c, z, u) for c, z in continuous.sequences(p)]
    for mine, theirs in zip(continuous.by_context(p, r.data["flow/tokens"]), ends):
        close(mine, theirs, 1e-13, "tokens")
    close(r.data["rollout/tokens"], r.data["flow/tokens"], 1e-13, "tokens of the layers")
    close(r.data["flow/gradient"], layers.gradient(p, u), 1e-8, "gradient")
    if p["projection"] == "clip":
        assert not r.data["flow/outside"].any()
    if p["projection"] == "none":
        check_outside(p, r, ends)
    check_hamiltonian(p, u, r)


def check_outside(p, r, ends):
    """Nothing keeps tokens in Z: how many are outside, at which depths, is counted and said."""
    out = np.concatenate([((z < p["lower"]) | (z > p["upper"])).any(axis=2) for z in ends], axis=1)
    assert out.any() and (r.data["flow/outside"][1:] == out[1:].sum(axis=1)).all(), r.data["flow/outside"]
    somewhere = out[1:].any(axis=0).sum()
    said = "outside Z at ends of layers, where nothing keeps them: %d of %d tokens" % (somewhere, out.shape[1])
    assert said in r.text and r.attributes["flow"]["outside"] == somewhere, r.text


def check_hamiltonian(p, u, r):
    """H_t(u) = sum <p_{t+1}, F(z_t, u)> + eps lambda/2 |u|^2; its derivative is dJ/du_t; |u - P_U(u - dJ/du)|."""
    pairs = continuous.sequences(p)
    z, adjoint = (continuous.by_context(p, r.data["flow/" + n]) for n in ("tokens", "adjoint"))
    T = p["horizon"]

    def H(t, w):
        return sum((adjoint[s][t + 1] * continuous.oracle.layer(p, z[s][t][None], c["positions"], c["masses"], w)[0]).sum()
                   for s, (c, _) in enumerate(pairs)) + continuous.oracle.stage(p, w)
    mine, scale = r.data["pontryagin/hamiltonian"], max(1, np.abs(r.data["pontryagin/hamiltonian"]).max())
    assert mine.shape == (T, 1)
    for t in range(T):
        assert abs(H(t, u[t]) - mine[t, 0]) < 1e-12 * scale
        every = [H(t, w) for w in continuous.oracle.actions(p)]
        assert abs(max(0, H(t, u[t]) - min(every)) - r.data["pontryagin/violation"][t, 0]) < 1e-12 * scale
        assert r.data["pontryagin/minimizer"][t, 0] == np.argmin(every)
        way, h = np.random.default_rng(t).normal(size=u[t].shape), 1e-6
        slope = (H(t, u[t] + h * way) - H(t, u[t] - h * way)) / (2 * h)
        assert abs(slope - (way * r.data["flow/gradient"][t]).sum()) < 1e-7 * max(1, abs(slope))
    mine = r.data["pontryagin/stationarity"]
    least, most = bounds(p)
    wanted = np.abs(u - np.clip(u - r.data["flow/gradient"], least, most)).max(1)
    assert np.allclose(mine, wanted, rtol=1e-13)
    assert np.isnan(r.attributes["pontryagin"]["hamiltonian_variation_within"])


def bounds(p):
    least, most = [], []
    for _, _, _, _, _, free, spec in continuous.oracle.matrices(p)[0]:
        least += [spec.get("range", [0, 0])[0]] * free
        most += [spec.get("range", [0, 0])[1]] * free
    return np.array(least), np.array(most)


def border():
    """A token whose y is on the border of Z counts as inside (derivative 1), beyond it as outside (0): d = 1, two tokens that attend to
    themselves alone by their masks, y = z + eps V z."""
    p = case(rows=[(0, 0, (0.0,), [1.0]), (1, 0, (0.0,), [0.5]), (2, 0, (0.0,), [-1.0])], targets=True, dim=1, lower=[-1.0], upper=[1.0],
             horizon=1, step=1.0, control={"A": {"form": "scalar", "range": [-1, 1]}, "V": {"form": "scalar", "range": [-1, 1]}})
    for V, inside in ((0.0, (1, 1, 1)), (1.0, (0, 1, 0)), (-0.5, (1, 1, 1)), (2.0**-40, (0, 1, 0))):
        r = flow(p, *EVALUATE, *LAYERS, control=np.array([[0.0, V]]))
        z = np.array([1.0, 0.5, -1.0])
        end = np.clip(z + V * z, -1, 1)
        assert r.attributes["flow"]["cost"] == (end**2).sum() / 3
        slope = (2 * end / 3 * z * inside).sum()
        assert abs(r.data["flow/gradient"][0, 1] - slope) < 1e-15, (V, r.data["flow/gradient"], slope)
        want = 2 * end / 3 * (1 + V) * inside
        assert np.abs(r.data["flow/adjoint"][0, :, 0] - want).max() < 1e-15


def rates():
    """/flow/lipschitz: of all tokens at t, each moved alone, the largest slope of the cost to go, by central differences; for W1, of which
    a token is 1 / (S N_s)."""
    for name in ("pooled cross entropy, decay", "gelu, population, token cross entropy", "wasserstein"):
        p, u = CASES[name], smooth_control(CASES[name])
        pairs, h = continuous.sequences(p), 1e-5
        everyone, readout = [c for c, _ in pairs], continuous.oracle.readouts(p)[0]
        mine = flow(p, *EVALUATE, *LAYERS, control=u)

        def to_go(c, z, t):
            return continuous.oracle.terminal(p, c, layers.tokens(p, c, z, u[t:])[-1][None], readout, everyone)[0]
        for t in range(p["horizon"] + 1):
            largest = 0
            for c, z in pairs:
                z = layers.tokens(p, c, z, u)[t]
                for i in range(len(z)):
                    slope = []
                    for a in range(p["dim"]):
                        moved = np.zeros_like(z)
                        moved[i, a] = h
                        slope.append((to_go(c, z + moved, t) - to_go(c, z - moved, t)) / (2 * h))
                    largest = max(largest, len(pairs) * len(z) * np.linalg.norm(slope))
            assert abs(mine.data["flow/lipschitz"][t] - largest) < 1e-6 * max(1, largest), (name, t, mine.data["flow/lipschitz"][t], largest)
        assert abs(mine.attributes["flow"]["lipschitz"] - mine.data["flow/lipschitz"].sum()) < 1e-13


def origin():
    """On the sphere y = 0 stays 0 and has derivative 0; tiny and huge y have that of y / |y|."""
    p = case(rows=[(0, 0, (1.0, 0.0), [1.0, 0.5]), (1, 0, (1.0, 0.0), [0.0, 0.0])], targets=True, projection="sphere", horizon=1, step=1.0,
             residual=0, control={"A": {"form": "scalar", "range": [-1, 1]}, "V": {"form": "scalar", "range": [-1e200, 1e200]}})
    for V in (0.0, 1e-170, 2.0, 1e170):
        r = flow(p, *EVALUATE, *LAYERS, control=np.array([[0.0, V]]))
        z = np.array([[1.0, 0.5], [0.0, 0.0]])
        end = z / np.sqrt(1.25) if V else np.zeros((2, 2))
        assert np.abs(r.data["flow/tokens"][1] - end).max() < 1e-15
        assert len(r.data["flow/history/cost"]) == 1  # the start is told, also where TAO can take no step from it
        p1 = 2 * (end - [1, 0]) / 2
        n = z[0] / np.sqrt(1.25)
        p0 = np.zeros((2, 2))
        p0[0] = (p1[0] - (p1[0] @ n) * n) / (abs(V) * np.sqrt(1.25)) * V if V else 0
        assert np.abs(r.data["flow/adjoint"][0] - p0).max() < 1e-14, (V, r.data["flow/adjoint"][0], p0)


def as_solved():
    """J at solve's controls is its unquantized cost, to rounding; so is what eval tells."""
    from cases import CASES as SOLVED
    for name in ("two contexts of two tokens", "causal, encoded, two heads", "population, atoms given", "feed-forward, relu, sampled",
                 "wasserstein", "sphere", "four contexts, a decision, three layers"):
        with tempfile.TemporaryDirectory() as f:
            path, out, again = continuous.oracle.write(SOLVED[name], f), os.path.join(f, "solved.h5"), os.path.join(f, "run.h5")
            assert run(["solve", path, "-o", out, "-quiet"]).returncode == 0
            done = run(["flow", path, "-o", again, "-init", out, *EVALUATE])
            assert done.returncode == 0 and "-scheme layers" in done.stdout, done
            with h5py.File(out) as a, h5py.File(again) as b:
                wanted = a["rollout"].attrs["cost"]
                assert abs(b["flow"].attrs["cost"] - wanted) <= 1e-14 * max(1, wanted), (name, b["flow"].attrs["cost"], wanted)
                assert b["flow"].attrs["scheme"] in ("layers", b"layers")
                assert (a["rollout/controls"][()] == b["rollout/controls"][()]).all() and b["rollout"].attrs["cost"] == wanted
                assert b["flow"].attrs["layers_difference"] < 1e-13
                loss = b["flow"].attrs["loss"]
            told = run(["eval", again]).stdout.splitlines()
            numbers = [float(line.split("loss ")[1].split(",")[0]) for line in told if "loss" in line]
            assert len(numbers) == 2 and told[1].startswith("flow (layers): loss"), told
            assert np.allclose(numbers, loss, rtol=1e-9, atol=0)


def iris():
    """From the program's answer on iris the layers only become better: 0.1289 with P (without P Euler's flow ends with layers of 0.27)."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "share", "problems", "iris", "iris.yaml")
    with tempfile.TemporaryDirectory() as f:
        solved, out = os.path.join(f, "solved.h5"), os.path.join(f, "run.h5")
        assert run(["solve", path, "-o", solved, "-quiet"]).returncode == 0
        done = run(["flow", path, "-o", out, "-init", solved, "-tao_max_it", 50])
        assert done.returncode == 0, done
        with h5py.File(out) as r, h5py.File(solved) as s:
            assert r["rollout"].attrs["cost"] <= s["rollout"].attrs["cost"] < 0.12891, r["rollout"].attrs["cost"]
            assert r["rollout"].attrs["cost"] < 0.08
            assert abs(r["rollout"].attrs["cost"] - r["flow"].attrs["cost"]) < 1e-14
        # Euler's flow leaves Z, and says so.
        done = run(["flow", path, "-o", out, "-overwrite", "-init", solved, "-scheme", "euler"])
        assert done.returncode == 0 and "differ by more than 1 %" in done.stderr and "outside Z at ends of layers" in done.stdout, done
        with h5py.File(out) as r:
            z, box = r["flow/tokens"][()], (r["layer/lower"][()], r["layer/upper"][()])
            out_at = ((z < box[0]) | (z > box[1])).any(2)
            assert (r["flow/outside"][()] == out_at.sum(1)).all() and r["flow"].attrs["outside"] == out_at.any(0).sum() > 0
            first = np.flatnonzero(out_at.any(1))[0]
            assert r["flow"].attrs["outside_depth"] == first * r["layer"].attrs["step"]
            J, cost = r["flow"].attrs["cost"], r["rollout"].attrs["cost"]
            assert abs(r["flow"].attrs["layers_difference"] - abs(J - cost) / cost) < 1e-15


def inside():
    """Where no token leaves Z the report says 0, no warning, and euler gives what layers gives."""
    p = case(rows=sequences(3, 3), weight_decay=0.1, **CROSS)
    u = control_of(p)
    a, b = (flow(p, *EVALUATE, "-scheme", s, control=u) for s in ("euler", "layers"))
    assert "outside Z at ends of layers, where only P would keep them: 0 of 9 tokens" in a.text, a.text
    assert a.attributes["flow"]["outside"] == 0 and np.isnan(a.attributes["flow"]["outside_depth"])
    for name in ("flow/tokens", "flow/gradient", "flow/adjoint"):
        close(a.data[name], b.data[name], 1e-13, name)


def refused():
    """What `layers` does not read, one line and exit 2; the default's reason is told."""
    p = CASES["pooled cross entropy, decay"]
    with tempfile.TemporaryDirectory() as f:
        path, solved = continuous.write(p, f), os.path.join(f, "solved.h5")
        assert run(["solve", path, "-o", solved, "-quiet"]).returncode == 0
        profile = continuous.write(p, f, [1, 2], name="profile")
        before = sorted(os.listdir(f))
        out = ["-o", os.path.join(f, "run.h5")]
        for first, words in (([path, *LAYERS, "-steps", 2], "-steps has no meaning where -scheme is layers"),
                             ([path, *LAYERS, "-tolerance", 1e-5], "-tolerance has no meaning"),
                             ([path, *LAYERS, "-trajectory_memory", 5], "-trajectory_memory has no meaning"),
                             ([path, *LAYERS, "-ts_adapt_type", "none"], "-ts_... has no meaning"),
                             ([path, "-init", solved, "-steps", 2], "where -init is a result of solve: give -scheme"),
                             ([profile, *LAYERS], "flow.profile must be constant where -scheme is layers"),
                             ([profile, "-init", solved], "the default where -init is a result of solve")):
            done = run(["flow", *first, *out])
            assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and words in done.stderr, (first, done)
            assert sorted(os.listdir(f)) == before
        for scheme in ("euler", "rk4"):  # an explicit -scheme overrides
            done = run(["flow", path, "-init", solved, "-scheme", scheme, *EVALUATE])
            assert done.returncode == 0 and "flow (%s)" % scheme in done.stdout, done
        # A result of flow sets no default.
        assert run(["flow", path, "-init", solved, *out, *EVALUATE]).returncode == 0
        done = run(["flow", path, "-init", out[1], *EVALUATE])
        assert "flow (rk4)" in done.stdout, done


def differ(a, b):
    return [n for n in a.data if not n.startswith(("provenance", "problem")) and a.data[n].tobytes() != b.data[n].tobytes()]


def ranks():
    """The same bits on any number of ranks, in both layouts of lanes."""
    many = tight(rows=sequences(300, 4, seed=6) + [(300, n, l, z) for _, n, l, z in sequences(1, 40, seed=7)], **CROSS)
    for p in (many, CASES["r = 0, relu, squared error"]):
        runs = [flow(p, *LAYERS, "-init", "sample", "-tao_max_it", 5, "-quiet", ranks=n) for n in (1, 2, 3)]
        assert runs[0].data["flow/history/cost"][-1] < runs[0].data["flow/history/cost"][0]
        for r in runs[1:]:
            assert not differ(runs[0], r), differ(runs[0], r)


def own_test():
    """The program's own central differences."""
    for name in ("causal, encoding, tanh, first", "sphere, r = 0, encoding"):
        p = CASES[name]
        with tempfile.TemporaryDirectory() as f:
            write_controls(os.path.join(f, "init.h5"), smooth_control(p))
            done = run(["flow", continuous.write(p, f), "-init", os.path.join(f, "init.h5"), "-test_gradient", *LAYERS])
            assert done.returncode == 0 and float(done.stdout.split()[4]) < 1e-7, done.stdout + done.stderr


names = list(CASES) if "quick" not in sys.argv else list(CASES)[::3]
every = [border, origin, as_solved, inside, refused] + ([rates, iris, ranks, own_test] if "quick" not in sys.argv else [])
if len(sys.argv) > 2:
    every = [f for f in every if f.__name__ in sys.argv]
    names = []
tap([(name, lambda n=name: check(n)) for name in names] + [(f.__name__.replace("_", " "), f) for f in every])
