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
    """Of one control, or of a control for each of z [B, N_s, d]."""
    free = {**p, "residual": 0, "step": 1, "projection": "none"}
    v = oracle.layer(free, z if z.ndim == 3 else z[None], c["positions"], c["masses"], u)
    return v if z.ndim == 3 else v[0]


def field(p, c, z, u, t, profile):
    v = velocity(p, c, z, u)
    if p["projection"] == "sphere":
        v = v - ((z * v).sum(-1) / (z * z).sum(-1))[..., None] * z
    zeta = 1 if profile is None else np.interp(t, np.linspace(0, p["horizon"] * p["step"], len(profile)), profile)
    return zeta * v + (p["residual"] - 1) * z / p["step"]


def start(p, z):
    return z / np.linalg.norm(z, axis=-1, keepdims=True) if p["projection"] == "sphere" else z


def step(p, c, z, u, t, h, scheme, profile):
    k1 = field(p, c, z, u, t, profile)
    if scheme == "euler":
        return z + h * k1
    k2 = field(p, c, z + h / 2 * k1, u, t + h / 2, profile)
    k3 = field(p, c, z + h / 2 * k2, u, t + h / 2, profile)
    k4 = field(p, c, z + h * k3, u, t + h, profile)
    return z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def flow(p, c, z, control, scheme, steps, profile=None):
    """z(t_k), [T + 1, N_s, d]; of many controls, [B, T, q], [T + 1, B, N_s, d]."""
    ends, h = [start(p, z)], p["step"] / steps
    if control.ndim == 3:
        ends = [np.repeat(ends[0][None], len(control), 0)]
    for k, u in enumerate(np.moveaxis(control, -2, 0)):
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
    return float(costs(p, control[None], lambda c, z, many: flow(p, c, z, many, scheme, steps, profile)[-1], ends and [z[None] for z in ends])[0])


def costs(p, controls, last_of, ends=None):
    """J of every control of [B, T, q]; last_of(context, tokens, controls): tokens at the end of depth, [B, N_s, d]."""
    pairs = sequences(p)
    everyone = [c for c, _ in pairs]
    last = ends if ends is not None else [last_of(c, z, controls) for c, z in pairs]
    g = np.min([sum(oracle.terminal(p, c, z, r, everyone) for c, z in zip(everyone, last)) for r in oracle.readouts(p)], axis=0)
    return g + np.array([sum(oracle.stage(p, u) for u in control) for control in controls])


def moved(control, step, sides):
    """The control with each of its numbers moved by side * step, [sides, numbers, T, q]."""
    one = np.eye(control.size).reshape((control.size,) + control.shape)
    return control + np.array(sides)[:, None, None, None] * step * one


def gradient(p, control, scheme, steps, profile=None):
    """Central differences of J."""
    h, controls = 3e-5, moved(control, 3e-5, (-1, 1, -2, 2))
    J = costs(p, controls.reshape((-1,) + control.shape), lambda c, z, many: flow(p, c, z, many, scheme, steps, profile)[-1]).reshape(4, -1)
    return ((8 * (J[1] - J[0]) - (J[3] - J[2])) / (12 * h)).reshape(control.shape)


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
