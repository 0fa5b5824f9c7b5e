"""Symmetries as share/doc/formats.md tells them: what a row of /certificate/symmetry makes of all numbers; and problems that have some."""
import numpy as np

import oracle
from certify_cases import ranges
from oracle import problem


def image(p, row, u):
    """The numbers of the image, [B, all], of u [B, all]: matrix by matrix, by the definition."""
    d, w, H, q, T = p["dim"], p["width"], p["heads"], oracle.matrices(p)[1], p["horizon"]
    C = classes(p)
    place, sign = np.abs(row) - 1, np.sign(row)
    Q = np.zeros((d, d))
    Q[range(d), place[:d]] = sign[:d]
    p_c, out = place[d:d + C] - d, u.copy()
    for t in range(T):
        first = d + C + t * (H + w)
        heads, units = place[first:first + H] - first, place[first + H:first + H + w] - first - H
        P = np.zeros((w, w))
        P[range(w), units] = sign[first + H:first + H + w]
        m = oracle.expand(p, u[:, t * q:(t + 1) * q])
        left = {"W1": P, "b1": P, "W2": Q, "b2": Q}
        right = {"W1": Q, "b1": np.eye(1), "W2": P, "b2": np.eye(1)}
        for name, rows, cols, form, offset, free, _ in oracle.matrices(p)[0]:
            of = "%s_%d" % (name[0], heads[int(name[2:])]) if name[1:2] == "_" else name
            moved = left.get(name, Q) @ np.reshape(m[of], m[of].shape[:-2] + (rows, cols)) @ right.get(name, Q).T
            moved = np.broadcast_to(moved, (len(u), rows, cols))
            at = t * q + offset
            if form == "full": out[:, at:at + free] = moved.reshape(len(u), -1)
            elif form == "diagonal": out[:, at:at + free] = np.diagonal(moved, axis1=1, axis2=2)
            elif form == "scalar": out[:, at] = moved[:, 0, 0]
            elif form == "skew": out[:, at] = moved[:, 1, 0]
    if u.shape[1] > T * q:
        R, b = u[:, T * q:T * q + C * d].reshape(-1, C, d), u[:, T * q + C * d:]
        out[:, T * q:T * q + C * d] = (R[:, p_c] @ Q.T).reshape(len(u), -1)
        out[:, T * q + C * d:] = b[:, p_c]
    return out


def classes(p):
    if p["targets"]: return 0
    if p["readout"]["kind"] == "trained": return 1 + max(row[2] for row in p["rows"])
    return p["readout"].get("classes") or len(np.ravel(p["readout"]["matrix"])) // p["dim"]


def reduced(p, rows, free, u, chosen):
    """Points u [B, all] taken to the part of the box that inequalities leave: while one is violated, its image, which is less in the order."""
    u = u.copy()
    for _ in range(10000):
        worst = np.zeros(len(u), int) - 1
        for i, (k, j, sign) in enumerate(chosen):
            worst[u[:, free[k]] > sign * u[:, free[j]]] = i
        if (worst < 0).all(): return u
        for i in set(worst) - {-1}: u[worst == i] = image(p, rows[i], u[worst == i])
    raise AssertionError("no end")


def inequalities(p, rows, free):
    """(k, j, sign) of each row's places: the last free number that it moves, told by the image of a point of which no two numbers have the same size."""
    lower, upper = ranges(p)
    u = np.arange(1.0, len(lower) + 1)[None]
    out = []
    for row in rows:
        v = image(p, row, u)[0]
        k = next(k for k, i in reversed(list(enumerate(free))) if v[i] != u[0, i])
        out.append((k, list(free).index(int(abs(v[free[k]])) - 1), np.sign(v[free[k]])))
    return out


# ---- problems -------------------------------------------------------------------------------------------------------

MIRROR = [4, 0.5, -4, -0.5]  # a readout whose logits change places where tokens change sign


def draw(seed):
    """A problem of random kinds, whose data have symmetries or just miss them."""
    rng = np.random.default_rng(seed)
    pick = lambda *choices: choices[int(rng.integers(len(choices)))]  # noqa: E731
    d, targets, causal = pick(1, 2, 2), rng.uniform() < 0.3, rng.uniform() < 0.4
    heads, feedforward = pick(1, 2, 2, 3), pick("none", "none", "tanh", "relu", "gelu")
    if feedforward != "none": heads = pick(0, 1)
    projection, size, rows, N = pick("clip", "clip", "sphere", "none"), 1.5, [], 2
    Q = pick(np.eye(d), -np.eye(d), np.eye(d)[::-1], np.diag([-1] + [1] * (d - 1)))
    exchange = rng.uniform() < 0.5
    for s in range(2):  # each sequence with its image
        z, label, y = rng.uniform(-1, 1, (N, d)).round(2), int(rng.integers(2)), rng.uniform(-1, 1, (N, d)).round(2)
        if projection == "sphere": z /= np.linalg.norm(z, axis=1, keepdims=True)
        for i, (a, b, c) in enumerate(((z, y, label), (z @ Q.T, y @ Q.T, label ^ exchange))):
            rows += [(2 * s + i, k, list(b[k]) if targets else c, list(a[k])) for k in range(N)]
    miss = pick("nothing", "nothing", "nothing", "a token", "a range", "clip")
    if miss == "a token" and projection != "sphere": rows[-1] = rows[-1][:3] + ([x + 0.25 for x in rows[-1][3]],)
    full = lambda form, a: {"form": form, "range": [-a, a], "levels": 1}  # noqa: E731
    control = {"A": full(pick("full", "diagonal", "scalar") if d > 1 else "full", 2), "V": full(pick("full", "diagonal"), 1)}
    if miss == "a range":
        control["A"] = {**control["A"], "range": [-2, 1]}
        if heads > 1: control["V_1"] = {**control["V"], "range": [-1, 0.5]}
    width = 0 if feedforward == "none" else 2
    if width:
        control |= {"W1": full("full", 1.5), "W2": full("full", 1), "b1": full("full", 1), "b2": {"form": "fixed", "value": [0] * d}}
    if not heads: control = {k: v for k, v in control.items() if k not in "AV"}
    linear = int(rng.uniform() < 0.3)
    if linear: control["B"] = full("full", 0.5)
    terminal = "squared_error" if targets else pick("pooled_cross_entropy", "token_cross_entropy", "hinge")
    matrix = pick(MIRROR[:2 * d] if d == 2 else [3, -3], [3, 3, -3, -3] if d == 2 else [1, 0])
    readout = None if targets else pick({"kind": "fixed", "matrix": matrix},
                                        {"kind": "trained", "matrix": {"range": [-2, 2]}} if terminal != "hinge" else {"kind": "fixed", "matrix": matrix},
                                        {"kind": "decision", "classes": 2, "matrix": matrix + [-x for x in matrix]})
    lower = [-size] * d if miss != "clip" else [-size - 0.25] + [-size] * (d - 1)
    return problem(rows=rows, dim=d, lower=lower, upper=[size] * d, cells=[3] * d, horizon=pick(1, 2) if not width else 1, step=0.5, residual=pick(0, 1, 1),
                   norm=pick("none", "none", "rms", "layer") if d > 1 else "none", heads=heads, mask="causal" if causal and heads else "full",
                   encoding=[0.0] * d + [0.25] * d if heads and rng.uniform() < 0.2 else None, feedforward=feedforward, width=width, linear=linear,
                   control=control, projection=projection, terminal=terminal, targets=targets, readout=readout,
                   pooling=pick("mean", "last"), weight_decay=pick(0, 2**-5))
