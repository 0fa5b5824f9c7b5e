"""Many heads that are averaged, once more, from the definitions, in numpy: tokens, risk, gradient, slope, first variation, with data,
masks, encodings and costs of ../solve/oracle.py, which shares no code with bellformer either.

    z_{t+1,i} = z_{t,i} + eps sum_h alpha_{t,h} V_{t,h} m_i(A_{t,h}),   m_i(A) = sum_j P_ij z_j,
    P_i. = softmax over the j that i sees of beta <s_i, A s_j>,   s = z + e
    R = terminal(z_T) + (lambda/2) sum w |theta|^2,   w = eps alpha

Shapes: theta [T, H, q], free numbers of A, then of V; alpha [T, H]; tokens a list, of each context [T + 1, n, d]."""
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow"))
import continuous  # noqa: E402
import oracle as lifted  # noqa: E402
from continuous import by_context, sequences  # noqa: E402, F401


def write(p, folder, heads=None, name="problem"):
    """The problem as a file; heads: the section of that name."""
    path = lifted.write(p, folder, name)
    with open(path) as f:
        lines = [line for line in f if not line.startswith(("action:", "quantize:"))]
    with open(path, "w") as f:
        f.writelines(lines)
        if heads is not None:
            f.write("heads: %s\n" % json.dumps(heads))
    return path


def write_law(path, theta, alpha=None):
    """A table that -init takes."""
    T, H, q = theta.shape
    with open(path, "w") as f:
        f.write(",".join(["layer", "head"] + ["u%d" % k for k in range(q)] + (["weight"] if alpha is not None else [])) + "\n")
        for t in range(T):
            for h in range(H):
                row = [repr(float(x)) for x in theta[t, h]] + ([repr(float(alpha[t, h]))] if alpha is not None else [])
                f.write(",".join([str(t), str(h)] + row) + "\n")


# ---- particles -----------------------------------------------------------------------------------------------------


def basis(p, name):
    """[k, d, d] of the free numbers of a matrix, and what is fixed [d, d]."""
    d, spec = p["dim"], p["control"][name]
    unit = np.eye(d)
    none = np.zeros((d, d))
    return {"full": lambda: (np.eye(d * d).reshape(d * d, d, d), none), "diagonal": lambda: (np.einsum("ka,kb->kab", unit, unit), none),
            "scalar": lambda: (unit[None], none), "skew": lambda: (np.array([[[0.0, -1], [1, 0]]]), none),
            "fixed": lambda: (np.zeros((0, d, d)), np.reshape(np.array(spec["value"], float), (d, d)))}[spec.get("form", "full")]()


def free(p):
    """(numbers of A, of V)"""
    return tuple(len(basis(p, name)[0]) for name in "AV")


def ranges(p):
    """[2, q] the box."""
    out = []
    for name in "AV":
        bounds = p["control"][name].get("range", [])
        for k in range(len(basis(p, name)[0])):
            out.append(bounds if len(bounds) == 2 else bounds[2 * k:2 * k + 2])
    return np.array(out, float).reshape(-1, 2).T


def expand(p, theta):
    """A, V [..., d, d] of theta [..., q]."""
    (A, A0), (V, V0), a = basis(p, "A"), basis(p, "V"), free(p)[0]
    return np.einsum("...k,kab->...ab", theta[..., :a], A) + A0, np.einsum("...k,kab->...ab", theta[..., a:], V) + V0


def collect(p, by_A, by_V):
    """[..., q] from the cotangents of A and V."""
    return np.concatenate([np.einsum("...ab,kab->...k", by_A, basis(p, "A")[0]), np.einsum("...ab,kab->...k", by_V, basis(p, "V")[0])], -1)


def weights(p, H):
    return np.full((p["horizon"], H), 1.0 / H)


# ---- a layer -------------------------------------------------------------------------------------------------------


def encoded(p, c, z):
    return z if p["encoding"] is None else z + np.reshape(p["encoding"], (-1, p["dim"]))[c["positions"]]


def softmax(p, c, z, A):
    """P [H, n, n]"""
    s = encoded(p, c, z)
    logits = p["beta"] * np.einsum("ia,hab,jb->hij", s, A, s)
    if p["mask"] == "causal":
        at = np.asarray(c["positions"])
        logits = np.where(at[None, :] <= at[:, None], logits, -np.inf)
    weight = np.exp(logits - logits.max(2, keepdims=True))
    return weight / weight.sum(2, keepdims=True)


def tokens(p, theta, alpha):
    """[T + 1, n, d] of every context."""
    out = []
    for c, z in sequences(p):
        ends = [z]
        for t in range(p["horizon"]):
            A, V = expand(p, theta[t])
            m = softmax(p, c, ends[-1], A) @ ends[-1]
            ends.append(ends[-1] + p["step"] * np.einsum("h,hab,hib->ia", alpha[t], V, m))
        out.append(np.array(ends))
    return out


# ---- risk ----------------------------------------------------------------------------------------------------------


def losses(p, last):
    """Of every readout, from the tokens at the end [n, d] of every context."""
    everyone = [c for c, _ in sequences(p)]
    return [sum(lifted.terminal(p, c, z[None], r, everyone)[0] for c, z in zip(everyone, last)) for r in lifted.readouts(p)]


def decay(p, theta, alpha):
    return p["weight_decay"] / 2 * p["step"] * (alpha * (theta ** 2).sum(-1)).sum()


def risk(p, theta, alpha):
    return min(losses(p, [z[-1] for z in tokens(p, theta, alpha)])) + decay(p, theta, alpha)


def by_last(p, last):
    """d loss / d z_T of every context, by differences of sixth order: one for all costs."""
    everyone, r = [c for c, _ in sequences(p)], lifted.readouts(p)[int(np.argmin(losses(p, last)))]
    out, h = [], 2e-3
    for c, z in zip(everyone, last):
        g = np.empty_like(z)
        for i in np.ndindex(*z.shape):
            move = np.zeros_like(z)
            move[i] = h
            f = lambda k: lifted.terminal(p, c, (z + k * move)[None], r, everyone)[0]
            g[i] = (45 * (f(1) - f(-1)) - 9 * (f(2) - f(-2)) + (f(3) - f(-3))) / (60 * h)
        out.append(g)
    return out


def adjoint(p, theta, alpha):
    """dR/dz_t [T + 1, n, d] of every context, and F [T, H] and its gradient [T, H, q], F = sum_i <p_{t+1,i}, V m_i(A)>."""
    every = tokens(p, theta, alpha)
    F, g, out = np.zeros(alpha.shape), np.zeros(theta.shape), []
    for (c, _), z, last in zip(sequences(p), every, by_last(p, [z[-1] for z in every])):
        ends = [last]
        for t in reversed(range(p["horizon"])):
            x, q, s = z[t], ends[0], encoded(p, c, z[t])
            A, V = expand(p, theta[t])
            P = softmax(p, c, x, A)
            m = P @ x
            F[t] += np.einsum("ia,hab,hib->h", q, V, m)
            by_m = np.einsum("hab,ia->hib", V, q)
            by_P = by_m @ x.T
            by_logit = p["beta"] * P * (by_P - (P * by_P).sum(2, keepdims=True))
            g[t] += collect(p, np.einsum("ia,hij,jb->hab", s, by_logit, s), np.einsum("ia,hib->hab", q, m))
            w = p["step"] * alpha[t]
            by_x = np.einsum("h,hij,hia->ja", w, P, by_m) + np.einsum("h,hij,hab,jb->ia", w, by_logit, A, s) \
                + np.einsum("h,hij,hab,ia->jb", w, by_logit, A, s)
            ends.insert(0, q + by_x)
        out.append(np.array(ends))
    return out, F, g


def evaluate(p, theta, alpha):
    """What an evaluation tells: risk, loss, decay, velocity [T, H, q], slope, gradient_norm, variation [T, H], tokens, adjoint."""
    every = tokens(p, theta, alpha)
    loss = min(losses(p, [z[-1] for z in every]))
    ends, F, g = adjoint(p, theta, alpha)
    w, decays = p["step"] * alpha, decay(p, theta, alpha)
    velocity = -g - p["weight_decay"] * theta
    size = (velocity ** 2).sum(-1)
    return {"risk": loss + decays, "loss": loss, "decay": decays, "velocity": velocity, "slope": -(w * size).sum(),
            "gradient_norm": np.sqrt((w ** 2 * size).sum()), "variation": F + p["weight_decay"] / 2 * (theta ** 2).sum(-1),
            "tokens": every, "adjoint": ends}


def table(p, every):
    """A list over contexts of [T + 1, n, d] as [T + 1, N, d] in the order of the table's rows."""
    rows, joined = continuous.order(p), np.concatenate(every, 1)
    out = np.empty_like(joined)
    out[:, rows] = joined
    return out


# ---- training ------------------------------------------------------------------------------------------------------


def euler(p, theta, alpha, step, count, box=None):
    """theta after `count` steps of the gradient flow; box [2, q]: projected."""
    for _ in range(count):
        theta = theta + step * evaluate(p, theta, alpha)["velocity"]
        theta = theta if box is None else np.clip(theta, *box)
    return theta


def bs3(p, theta, alpha, tau, steps):
    """theta at tau, by the third-order scheme of Bogacki and Shampine with equal steps."""
    h, f = tau / steps, lambda x: evaluate(p, x, alpha)["velocity"]
    for _ in range(steps):
        k1 = f(theta)
        k2 = f(theta + h / 2 * k1)
        k3 = f(theta + 3 * h / 4 * k2)
        theta = theta + h * (2 * k1 + 3 * k2 + 4 * k3) / 9
    return theta
