"""The answer is never worse, on what was minimized, than any start: over random problems, schemes and TAO's methods, with relu's kinks,
clipped tokens, infinite J and starts outside the box of controls, which are clipped into it first."""
import os
import sys
import tempfile

import h5py
import numpy as np

import continuous
import layers
from cases import READOUT, population, sequences, with_targets
from flow_cases import FEED, HEAD, case
from harness import run, tap
from harness_flow import flow, write_controls

METHODS = ("bqnls", "bqnkls", "bqnktr", "bqnktl", "blmvm", "bncg")
QUICK = "quick" in sys.argv  # under sanitizers
SCHEMES = ("layers", "euler", "rk4", "bs3")


MIDDLE, HALF = {"R": np.reshape(READOUT["matrix"], (2, 2)), "b": np.array(READOUT["bias"])}, {"R": 1, "b": 0.5}
TRAINED = {"kind": "trained", **{key: {"range": [float(end) for x in READOUT[key] for end in (x - HALF[name], x + HALF[name])]}
                                 for key, name in (("matrix", "R"), ("bias", "b"))}}


def wide(spec, factor):
    return {**spec, "range": [factor * x for x in spec["range"]]}


def random_problem(seed):
    draw = np.random.default_rng(seed)
    kind = draw.choice(["pooled_cross_entropy", "token_cross_entropy", "squared_error", "wasserstein"])
    targets = kind in ("squared_error", "wasserstein")
    rows = population(9, seed=seed) if kind == "token_cross_entropy" else sequences(2, 3, seed=seed)
    feed = draw.choice(["none", "relu", "relu", "tanh"])
    factor = int(draw.choice([1, 3, 20]))
    control = {name: wide(spec, factor) for name, spec in {**HEAD, **(FEED if feed != "none" else {})}.items()}
    box = draw.uniform(1.21, 2)
    p = case(rows=with_targets(rows, seed) if targets else rows, targets=targets, terminal=str(kind), horizon=int(draw.integers(1, 4)),
             step=float(draw.uniform(0.3, 1.5)), residual=int(draw.integers(0, 2)), feedforward=str(feed), control=control,
             width=0 if feed == "none" else 2, lower=[-box] * 2, upper=[box] * 2, weight_decay=float(draw.choice([0, 0.01])),
             projection=str(draw.choice(["clip", "clip", "sphere"])), **({"readout": READOUT} if not targets else {}),
             **({"position_weight": 0.5} if kind == "wasserstein" else {}))
    return p, draw


def least_and_most(p):
    bounds = [spec["range"] for _, _, _, _, _, free, spec in continuous.oracle.matrices(p)[0] for _ in range(free)]
    return np.array(bounds).T


def one(seed):
    """Starts: a control of which some numbers are outside, and uniform draws."""
    p, draw = random_problem(seed)
    lower, upper = least_and_most(p)
    start = draw.uniform(1.5 * lower, 1.5 * upper, (p["horizon"], len(lower)))
    scheme, method = SCHEMES[seed % 4], METHODS[seed % 6]
    trained = p["readout"] is not None and seed % 5 == 2
    # What holds does at any tolerance; at the default one bs3 takes most of a minute for the kinks of one of these problems.
    steps = ("-tolerance", 1e-5) if scheme == "bs3" else ()
    r = flow({**p, "readout": TRAINED} if trained else p, "-scheme", scheme, *steps, "-tao_type", method, "-starts", 2, "-tao_max_it", 15, control=start)
    clipped = np.clip(start, lower, upper)
    count = (clipped != start).sum()
    said = [line for line in r.text.splitlines() if "clipped into it" in line]
    assert len(said) == (count > 0) and (not count or "%d of its %d numbers" % (count, start.size) in said[0]), (said, count)
    first, last = r.data["flow/starts/initial_cost"], r.data["flow/starts/cost"]
    J = r.attributes["flow"]["cost"]
    assert (last <= first).all() and J == last.min() and (J <= first).all(), (scheme, method, first, last, J)
    u = r.data["rollout/controls"]
    assert (u >= lower).all() and (u <= upper).all()
    if trained:
        for name in ("R", "b"):
            assert (np.abs(r.data["model/readout/" + name] - MIDDLE[name]) <= HALF[name]).all(), r.data["model/readout/" + name]
    if scheme == "layers":
        assert abs(first[0] - layers.cost(p, clipped)) <= 1e-9 * max(1, first[0])
        assert abs(J - r.attributes["rollout"]["cost"]) <= 1e-12 * max(1, J)


def batch(first):
    for seed in range(first, first + 8):
        try:
            one(seed)
        except AssertionError as error:
            raise AssertionError("seed %d: %s" % (seed, error)) from error


def kink():
    """A start at relu's kink and on the border of Z, where the slope that TAO is given leads up: the start is the answer."""
    rows = [(0, 0, (0.0,), [0.5]), (1, 0, (0.0,), [-0.5])]
    p = case(rows=rows, targets=True, dim=1, lower=[-0.5], upper=[0.5], horizon=2, step=1.0, heads=0, feedforward="relu", width=1,
             control={"W1": {"form": "fixed", "value": [1.0]}, "b1": {"form": "full", "range": [-1, 1]},
                      "W2": {"form": "full", "range": [-3, 3]}, "b2": {"form": "full", "range": [-1, 1]}})
    for method in METHODS if not QUICK else METHODS[:2]:
        for start in ([-0.5, 1.0, 0.0], [0.5, 0.0, 0.0], [0.0, -1.0, 0.5]):
            u = np.tile(start, (2, 1))
            r = flow(p, "-scheme", "layers", "-tao_type", method, control=u)
            assert r.attributes["flow"]["cost"] <= layers.cost(p, u) + 1e-15, (method, start, r.attributes["flow"]["cost"], layers.cost(p, u))


def overflow():
    """A start where J is infinite loses against one where it is not; where slopes are beyond what TAO can square the start is the answer."""
    p = case(rows=sequences(2, 3), terminal="pooled_cross_entropy", readout=READOUT, horizon=2,
             control={"A": {"form": "scalar", "range": [-1, 1]}, "V": {"form": "scalar", "range": [-1e200, 1e200]}})
    start = np.array([[0.5, 1e200], [0.5, 1e200]])
    for scheme in ("euler", "bs3", "dopri5"):  # the error of an adaptive step overflows too
        r = flow(p, "-scheme", scheme, "-starts", 2, "-tao_max_it", 5, "-init", "zero")
        assert np.isfinite(r.attributes["flow"]["cost"]) and r.attributes["flow"]["start"] == 0, scheme
    r = flow(p, "-scheme", "layers", "-tao_max_it", 5, control=start)
    assert r.attributes["flow"]["cost"] <= r.data["flow/starts/initial_cost"][0] < np.inf


def nothing_free():
    """Where no number is free the one control there is is the answer, and why is told in words."""
    fixed = {"form": "fixed", "value": [0.5, 0, 0, 0.5]}
    r = flow(case(rows=sequences(2, 3), terminal="pooled_cross_entropy", readout=READOUT, horizon=2, control={"A": fixed, "V": fixed}))
    assert r.text.startswith("no step (nothing is free) after 0 iterations, 1 evaluations"), r.text


def restarted():
    """Stopped and gone on with, the same bits: scheme layers, a start outside the box, a method that is not the default."""
    p, draw = random_problem(4)
    lower, upper = least_and_most(p)
    start = draw.uniform(1.5 * lower, 1.5 * upper, (p["horizon"], len(lower)))
    options = ["-scheme", "layers", "-tao_type", "blmvm", "-starts", 3, "-tao_max_it", 40]
    with tempfile.TemporaryDirectory() as f:
        path, whole, out = continuous.write(p, f), os.path.join(f, "whole.h5"), os.path.join(f, "run.h5")
        write_controls(os.path.join(f, "init.h5"), start)
        init = ["-init", os.path.join(f, "init.h5")]
        assert run(["flow", path, "-o", whole, *init, *options]).returncode == 0
        stops, done = 0, run(["flow", path, "-o", out, *init, *options, "-maxh", 1e-9, "-checkpoint_interval", 0], 2)
        os.remove(os.path.join(f, "init.h5"))  # the checkpoint has it
        while done.returncode == 75 and stops < 30:
            stops += 1
            done = run(["flow", "-restart", out, "-maxh", 2e-6, "-checkpoint_interval", 0], 1 + stops % 3)
        if done.returncode == 75:
            done = run(["flow", "-restart", out])
        assert done.returncode == 0 and stops >= 2, (stops, done)
        with h5py.File(whole) as a, h5py.File(out) as b:
            for name in ("rollout/controls", "flow/tokens", "flow/gradient", "flow/history/cost", "flow/starts/cost", "pontryagin/hamiltonian"):
                assert a[name][()].tobytes() == b[name][()].tobytes(), name
            for name in ("scheme", "cost", "evaluations", "start", "reason"):
                assert a["flow"].attrs[name] == b["flow"].attrs[name], name


batches = range(0, 16, 8) if not QUICK else [0]
tap([("random problems %d to %d" % (i, i + 7), lambda i=i: batch(i)) for i in batches]
    + [(f.__name__, f) for f in (kink, overflow, nothing_free, restarted)])
