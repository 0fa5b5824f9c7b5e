"""Scheme `layers` once more: the Transformer with its projection P, its cost and central differences of it. The layer is that of
../solve/oracle.py."""
import numpy as np

import continuous
from continuous import oracle


def before(p, c, z, u):
    """y = r z + eps v, which P projects."""
    return oracle.layer({**p, "projection": "none"}, z[None], c["positions"], c["masses"], u)[0]


def tokens(p, c, z, control):
    """z_t, [T + 1, N_s, d]."""
    ends = [z]
    for u in control:
        ends.append(oracle.layer(p, ends[-1][None], c["positions"], c["masses"], u)[0])
    return np.array(ends)


def cost(p, control):
    return float(continuous.costs(p, np.asarray(control)[None], lambda *given: last(p, *given))[0])


def last(p, c, z, controls):
    """z_T of every control of [B, T, q]."""
    many = np.repeat(z[None], len(controls), 0)
    for t in range(controls.shape[1]):
        many = oracle.layer(p, many, c["positions"], c["masses"], controls[:, t])
    return many


def margin(p, control):
    """How far the nearest token is from a kink of P or relu, at these controls; and how many numbers P moves (of the sphere: 0)."""
    least, moved = np.inf, 0
    for c, z in continuous.sequences(p):
        for u in control:
            y = before(p, c, z, u)
            if p["projection"] == "clip":
                least = min(least, np.abs(y - p["lower"]).min(), np.abs(y - p["upper"]).min())
                moved += ((y < p["lower"]) | (y > p["upper"])).sum()
            if p["feedforward"] == "relu":
                m = oracle.expand(p, u)
                least = min(least, np.abs(oracle.normed(p, z) @ m["W1"].T + m["b1"].ravel()).min())
            z = oracle.layer(p, z[None], c["positions"], c["masses"], u)[0]
    return least, moved


def gradient(p, control):
    """Central differences of the cost, of sixth order."""
    h, controls = 1e-5, continuous.moved(control, 1e-5, (1, -1, 2, -2, 3, -3))
    J = continuous.costs(p, controls.reshape((-1,) + control.shape), lambda *given: last(p, *given)).reshape(6, -1)
    return ((45 * (J[0] - J[1]) - 9 * (J[2] - J[3]) + (J[4] - J[5])) / (60 * h)).reshape(control.shape)
