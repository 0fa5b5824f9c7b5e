"""The continuous-depth flow once more, from its definition, in numpy: dz/dt = zeta(t) v + (r - 1) z / eps over the data's own
tokens, Euler and the classical Runge-Kutta scheme, J. The velocity's formula, data and costs are those of ../solve/oracle.py, which
shares no code with bellformer either."""
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
import oracle  # noqa: E402


def write(p, folder, profile=None, name="problem"):
    """oracle.write, and the depth profile."""
    path = oracle.write(p, folder, name)
    if profile is not None:
        with open(path, "a") as out:
            out.write("flow: %s\n" % json.dumps({"profile": list(profile)}))
    return path


def velocity(p, c, z, u):
    free = {**p, "residual": 0, "step": 1, "projection": "clip", "lower": [-np.inf] * p["dim"], "upper": [np.inf] * p["dim"]}
    return oracle.layer(free, z[None], c["positions"], c["masses"], u)[0]


def field(p, c, z, u, t, profile):
    v = velocity(p, c, z, u)
    if p["projection"] == "sphere":
        v = v - ((z * v).sum(1) / (z * z).sum(1))[:, None] * z
    zeta = 1 if profile is None else np.interp(t, np.linspace(0, p["horizon"] * p["step"], len(profile)), profile)
    return zeta * v + (p["residual"] - 1) * z / p["step"]


def start(p, z):
    return z / np.linalg.norm(z, axis=1, keepdims=True) if p["projection"] == "sphere" else z


def step(p, c, z, u, t, h, scheme, profile):
    k1 = field(p, c, z, u, t, profile)
    if scheme == "euler":
        return z + h * k1
    k2 = field(p, c, z + h / 2 * k1, u, t + h / 2, profile)
    k3 = field(p, c, z + h / 2 * k2, u, t + h / 2, profile)
    k4 = field(p, c, z + h * k3, u, t + h, profile)
    return z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def flow(p, c, z, control, scheme, steps, profile=None):
    """z(t_k), [T + 1, N_s, d]."""
    ends, h = [start(p, z)], p["step"] / steps
    for k, u in enumerate(control):
        z = ends[-1]
        for i in range(steps):
            z = step(p, c, z, u, k * p["step"] + i * h, h, scheme, profile)
        ends.append(z)
    return np.array(ends)


def sequences(p):
    """Contexts with one slot a token, and their tokens."""
    return [oracle.unquantized(c) for c in oracle.contexts(p)]


def cost(p, control, scheme, steps, profile=None, ends=None):
    """J; ends: tokens at the end of depth in place of the flow's."""
    pairs = sequences(p)
    everyone = [c for c, _ in pairs]
    last = ends if ends is not None else [flow(p, c, z, control, scheme, steps, profile)[-1] for c, z in pairs]
    g = min(sum(oracle.terminal(p, c, z[None], r, everyone)[0] for c, z in zip(everyone, last)) for r in oracle.readouts(p))
    return g + sum(oracle.stage(p, u) for u in control)


def gradient(p, control, *arguments):
    """Central differences of J."""
    g = np.empty_like(control)
    for i in np.ndindex(*control.shape):
        h, J = 3e-5, []
        for side in (-1, 1, -2, 2):
            u = control.copy()
            u[i] += side * h
            J.append(cost(p, u, *arguments))
        g[i] = (8 * (J[1] - J[0]) - (J[3] - J[2])) / (12 * h)
    return g


def order(p):
    """Tokens by context, tag and row of the table: their rows."""
    tags = [(row[0], row[1], tuple(row[2]) if p["targets"] else row[2]) for row in oracle.sampled(p)]
    return sorted(range(len(tags)), key=lambda i: (tags[i], i))


def by_context(p, table):
    """[.., N, d] in the order of the table's rows, to a list of [.., N_s, d]."""
    rows, out, at = order(p), [], 0
    for _, z in sequences(p):
        out.append(table[..., rows[at:at + len(z)], :])
        at += len(z)
    return out
