"""Scheme `layers` once more: the Transformer with its projection P, its cost and central differences of it. The layer is that of
../solve/oracle.py."""
import numpy as np

import continuous
from continuous import oracle


def before(p, c, z, u):
    """y = r z + eps v, which P projects."""
    free = {**p, "projection": "clip", "lower": [-np.inf] * p["dim"], "upper": [np.inf] * p["dim"]}
    return oracle.layer(free, z[None], c["positions"], c["masses"], u)[0]


def tokens(p, c, z, control):
    """z_t, [T + 1, N_s, d]."""
    ends = [z]
    for u in control:
        ends.append(oracle.layer(p, ends[-1][None], c["positions"], c["masses"], u)[0])
    return np.array(ends)


def cost(p, control):
    pairs = continuous.sequences(p)
    everyone = [c for c, _ in pairs]
    last = [tokens(p, c, z, control)[-1] for c, z in pairs]
    g = min(sum(oracle.terminal(p, c, z[None], r, everyone)[0] for c, z in zip(everyone, last)) for r in oracle.readouts(p))
    return g + sum(oracle.stage(p, u) for u in control)


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
    g = np.empty_like(control)
    for i in np.ndindex(*control.shape):
        h, J = 1e-5, []
        for side in (1, 2, 3):
            for sign in (1, -1):
                u = control.copy()
                u[i] += sign * side * h
                J.append(cost(p, u))
        g[i] = (45 * (J[0] - J[1]) - 9 * (J[2] - J[3]) + (J[4] - J[5])) / (60 * h)
    return g
