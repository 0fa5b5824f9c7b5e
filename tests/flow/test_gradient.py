"""J, tokens, p and dJ/du of every option of a layer and cost, in every scheme, against an independent flow and central differences
of its J."""
import itertools
import os
import re
import sys
import tempfile

import numpy as np

import continuous
from harness_flow import EVALUATE, flow
from harness import run, tap
from flow_cases import CASES, control_of

def close(a, b, tolerance, what):
    scale = max(np.abs(b).max(), 1e-300)
    assert np.abs(a - b).max() <= tolerance * scale, (what, np.abs(a - b).max() / scale)


def check(name, scheme, steps):
    p, profile = CASES[name]
    u = control_of(p)
    r = flow(p, *EVALUATE, "-scheme", scheme, "-steps", steps, control=u, profile=profile)
    J = continuous.cost(p, u, scheme, steps, profile)
    close(np.float64(r.attributes["flow"]["cost"]), J, 1e-12, "J")
    ends = [continuous.flow(p, c, z, u, scheme, steps, profile) for c, z in continuous.sequences(p)]
    for mine, theirs in zip(continuous.by_context(p, r.data["flow/tokens"]), ends):
        close(mine, theirs, 1e-12, "tokens")
    close(r.data["flow/gradient"], continuous.gradient(p, u, scheme, steps, profile), 1e-7, "gradient")
    check_adjoint(p, u, r, ends, J)


def check_adjoint(p, u, r, ends, J):
    """p(T) is the derivative of J by the tokens at the end of depth, along a random direction."""
    way, h = np.random.default_rng(8), 1e-5
    last, p_end = [e[-1] for e in ends], continuous.by_context(p, r.data["flow/adjoint"][-1])
    d = [way.normal(size=z.shape) for z in last]
    J = [continuous.cost(p, u, "", 0, ends=[z + s * h * x for z, x in zip(last, d)]) for s in (-1, 1)]
    slope = sum((x * y).sum() for x, y in zip(d, p_end))
    assert abs((J[1] - J[0]) / (2 * h) - slope) < 1e-7 * max(1, abs(slope)), ((J[1] - J[0]) / (2 * h), slope)


def own_test(name, scheme, *options):
    """The program's own central differences."""
    p, profile = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        problem = continuous.write(p, folder, profile)
        before = sorted(os.listdir(folder))
        done = run(["flow", problem, "-init", "sample", "-test_gradient", "-scheme", scheme, "-o", os.path.join(folder, "run.h5"), *options])
        assert done.returncode == 0 and float(re.search(r"gradient test: largest difference (\S+)", done.stdout).group(1)) < 1e-7, done.stdout + done.stderr
        assert sorted(os.listdir(folder)) == before, os.listdir(folder)  # a test writes nothing, even where it is told a name


def tao_test():
    """TAO's own check, one-sided differences: agreement to their accuracy."""
    r = flow(CASES["pooled cross entropy, decay"][0], "-init", "sample", *EVALUATE, "-tao_test_gradient")
    ratios = [float(line.split("=")[1].split(",")[0]) for line in r.text.splitlines() if "norm ||G - Gfd||/||G||" in line]
    assert len(ratios) == 2 and max(ratios) < 1e-5, r.text


def trajectories_beyond_memory():
    """Layers that are integrated twice give the same bits."""
    p, profile = CASES["causal, encoding, tanh"]
    a, b = (flow(p, *EVALUATE, "-trajectory_memory", m, control=control_of(p), profile=profile) for m in (512, 0))
    for name in ("flow/gradient", "flow/adjoint", "flow/tokens"):
        assert a.data[name].tobytes() == b.data[name].tobytes(), name


names = list(CASES) if "quick" not in sys.argv else list(CASES)[::3]
checks = [("%s, %s x %d" % (name, scheme, steps), lambda n=name, s=scheme, k=steps: check(n, s, k))
          for name in names for scheme, steps in (("euler", 1), ("rk4", 2))]
# Where f has a kink (relu, a knot of the profile within a layer) an adaptive scheme changes its steps by leaps: J then has no
# derivative to that accuracy.
smooth = [name for name in names if CASES[name][0]["feedforward"] != "relu" and len(CASES[name][1] or [0] * 4) == 4]
checks += [("%s, the program's own test, %s" % (name, s), lambda n=name, s=s, o=o: own_test(n, s, *o))
           for name, (s, o) in zip(smooth, itertools.cycle((("bs3", ("-tolerance", 1e-11)), ("dopri5", ("-tolerance", 1e-13)))))]
checks += [("TaoTestGradient", tao_test), ("trajectories beyond memory", trajectories_beyond_memory)]
tap(checks)
