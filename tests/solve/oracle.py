"""The lifted dynamic program once more, straight from its definition, in numpy: an oracle that shares no code with
bellformer. A problem is a dictionary (see `problem`) that is written as YAML and CSV, and evaluated here.

Everything is batched: z has shape [B, slots, d]. Where a decision (a cell, a type) hangs on rounding, `Tie` is raised: such
a problem decides nothing and must be replaced."""
import itertools
import json
import math
import os
from fractions import Fraction

import numpy as np


class Tie(Exception):
    pass


MARGIN = 1e-9


def problem(**change):
    p = dict(horizon=2, step=0.5, dim=2, lower=[-1.53, -1.47], upper=[1.51, 1.55], projection="clip", rows=[],
             targets=False, encoding=None, residual=1, norm="none", heads=1, beta=1.0, mask="full", feedforward="none", width=0, linear=0,
             control={}, action={"kind": "grid"}, terminal="squared_error", pooling="mean", readout=None,
             position_weight=None, weight_decay=0.0, cells=[3, 3], codebook=None, atoms=0, transition="nearest", shift=0, sample=None)
    unknown = set(change) - set(p)
    assert not unknown, unknown
    return {**p, **change}


# ---- writing -----------------------------------------------------------------------------------------------------


def write(p, folder, name="problem"):
    d = p["dim"]
    columns = ["y%d" % a for a in range(d)] if p["targets"] else ["label"]
    with open(os.path.join(folder, name + ".csv"), "w") as out:
        out.write(",".join(["sequence", "position"] + columns + ["z%d" % a for a in range(d)]) + "\n")
        for sequence, position, tag, z in p["rows"]:
            tag = list(tag) if p["targets"] else [tag]
            out.write(",".join([str(sequence), str(position)] + [repr(x) for x in tag] + [repr(float(x)) for x in z]) + "\n")
    quantize = {"atoms": p["atoms"], "transition": p["transition"]} if p["cells"] != 0 or p["codebook"] is not None else {}
    if p["codebook"] is not None:
        with open(os.path.join(folder, name + "-points.csv"), "w") as out:
            out.write(",".join("z%d" % a for a in range(d)) + "\n")
            for z in p["codebook"]:
                out.write(",".join(repr(float(x)) for x in z) + "\n")
        quantize["codebook"] = name + "-points.csv"
    else:
        quantize["cells"] = p["cells"]
        if np.any(p["shift"]):
            quantize["shift"] = p["shift"]
    cost = {"terminal": p["terminal"], "weight_decay": p["weight_decay"]}
    if p["terminal"] in POOLED:
        cost["pooling"] = p["pooling"]
    if p["readout"]:
        cost["readout"] = p["readout"]
    if p["position_weight"] is not None:
        cost["position_weight"] = p["position_weight"]
    encoding = "none" if p["encoding"] is None else [float(x) for x in np.ravel(p["encoding"])]
    layer = {"residual": p["residual"], "norm": p["norm"], "heads": p["heads"], "feedforward": p["feedforward"]}
    data = {"file": name + ".csv"}
    if p["sample"]:
        data["sample"] = dict(zip(("count", "seed"), p["sample"]))
    if p["heads"]:
        layer.update(beta=p["beta"], mask=p["mask"])
        data["position_encoding"] = encoding
    if p["feedforward"] != "none":
        layer["width"] = p["width"]
    if p["linear"]:
        layer["linear"] = 1
    control = p["control"]
    if p["action"]["kind"] != "grid":
        control = {matrix: {key: value for key, value in m.items() if key != "levels"} for matrix, m in control.items()}
    keys = {"name": name, "horizon": p["horizon"], "step": p["step"],
            "token": {"dim": d, "lower": p["lower"], "upper": p["upper"], "projection": p["projection"]},
            "data": data, "layer": layer, "control": control,
            "action": p["action"], "cost": cost, "quantize": quantize}
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as out:
        for key, value in keys.items():
            out.write("%s: %s\n" % (key, json.dumps(value)))
    return path


# ---- the model -----------------------------------------------------------------------------------------------------


def matrices(p):
    d, w = p["dim"], p["width"]
    names = [(kind + "_%d" % h, d, d) for h in range(p["heads"]) for kind in "AV"]
    if p["feedforward"] != "none":
        names += [("W1", w, d), ("b1", w, 1), ("W2", d, w), ("b2", d, 1)]
    if p["linear"]:
        names += [("B", d, d)]
    out, offset = [], 0
    for name, rows, cols in names:
        spec = p["control"].get(name, p["control"].get(name.split("_")[0]))
        form = spec.get("form", "full")
        free = {"full": rows * cols, "diagonal": rows, "scalar": 1, "skew": 1, "fixed": 0}[form]
        out.append((name, rows, cols, form, offset, free, spec))
        offset += free
    return out, offset


def expand(p, u):
    """The matrices of one control, or of many, [.., q]."""
    result, u = {}, np.asarray(u)
    for name, rows, cols, form, offset, free, spec in matrices(p)[0]:
        x = u[..., offset:offset + free]
        result[name] = {"full": lambda: np.reshape(x, x.shape[:-1] + (rows, cols)), "diagonal": lambda: x[..., None] * np.eye(rows),
                        "scalar": lambda: x[..., None] * np.eye(rows), "skew": lambda: x[..., None] * np.array([[0, -1], [1, 0]]),
                        "fixed": lambda: np.reshape(spec["value"], (rows, cols))}[form]()
    return result


def splitmix(seed):
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        yield ((z ^ (z >> 31)) >> 11) * 2.0**-53


def halton(count, q, seed):
    """[count, q] in [0, 1): radical inverses of 1, 2, ... in the first primes, exact fractions cut to multiples of 2^-53, and a rotation."""
    primes, draw, columns = [n for n in range(2, 1000) if all(n % m for m in range(2, n))][:q], splitmix(seed), []
    for base in primes:
        shift, column = int(next(draw) * 2**53) if seed else 0, []
        for k in range(1, count + 1):
            x, place = Fraction(0), Fraction(1, base)
            while k:
                k, digit = divmod(k, base)
                x, place = x + digit * place, place / base
            column.append((math.floor(x * 2**53) + shift) % 2**53 * 2.0**-53)
        columns.append(column)
    return np.array(columns).T


def actions(p):
    """[K, q]"""
    lower, upper, levels = [], [], []
    for _, _, _, _, _, free, spec in matrices(p)[0]:
        bounds = spec.get("range", [])
        for i in range(free):
            lo, hi = bounds if len(bounds) == 2 else bounds[2 * i:2 * i + 2]
            lower.append(lo)
            upper.append(hi)
            n = spec.get("levels", 1)
            levels.append(n[i] if isinstance(n, list) else n)
    if p["action"]["kind"] == "sample":
        draw = splitmix(p["action"]["seed"])
        return np.array([[lo + (hi - lo) * next(draw) for lo, hi in zip(lower, upper)] for _ in range(p["action"]["count"])])
    if p["action"]["kind"] == "halton":
        return np.array(lower) + halton(p["action"]["count"], len(lower), p["action"]["seed"]) * np.subtract(upper, lower)
    axes = [np.linspace(lo, hi, n) if n > 1 else [(lo + hi) / 2] for lo, hi, n in zip(lower, upper, levels)]
    return np.array(list(itertools.product(*axes)))


def sigma(name, x):
    if name == "gelu":
        return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    return np.tanh(x) if name == "tanh" else np.maximum(x, 0)


def normed(p, z):
    """N(z), over the components."""
    if p["norm"] == "layer":
        z = z - z.mean(axis=-1, keepdims=True)
    return z if p["norm"] == "none" else z / np.sqrt((z * z).mean(axis=-1, keepdims=True) + 1e-5)


def transposed(matrix):
    return np.swapaxes(matrix, -1, -2)


def layer(p, z, positions, masses, u):
    """P(r z + eps v) of every slot: z [B, slots, d], positions and masses [slots], u [q] or [B, q]; a z, or a u, for all the others'."""
    m = expand(p, u)
    e = np.zeros((len(positions), p["dim"])) if p["encoding"] is None else np.reshape(p["encoding"], (-1, p["dim"]))[positions]
    n = normed(p, z)
    x = n + e
    v = 0
    for h in range(p["heads"]):
        logits = p["beta"] * (x @ m["A_%d" % h] @ np.swapaxes(x, 1, 2))
        if p["mask"] == "causal":
            logits = np.where(np.asarray(positions)[None, :] <= np.asarray(positions)[:, None], logits, -np.inf)
        weight = np.exp(logits - logits.max(axis=2, keepdims=True)) * masses
        attention = weight @ n / weight.sum(axis=2, keepdims=True)
        v = v + attention @ transposed(m["V_%d" % h])
    if p["feedforward"] != "none":
        v = v + sigma(p["feedforward"], n @ transposed(m["W1"]) + transposed(m["b1"])) @ transposed(m["W2"]) + transposed(m["b2"])
    if p["linear"]:
        v = v + z @ transposed(m["B"])
    y = p["residual"] * z + p["step"] * v
    if p["projection"] == "sphere":
        length = np.linalg.norm(y, axis=2, keepdims=True)
        return y / np.where(length > 0, length, 1)  # the origin, which has no direction, stays
    return np.clip(y, p["lower"], p["upper"]) if p["projection"] == "clip" else y


# ---- tags, contexts, quantizers ------------------------------------------------------------------------------------


def sampled(p):
    """The rows that data.sample leaves: of the N sequences with the least draws, or of one sequence the N rows of each tag."""
    rows = p["rows"]
    if not p["sample"]:
        return rows
    count, seed = p["sample"]
    draw, numbers = splitmix(seed), sorted({row[0] for row in rows})
    if len(numbers) > 1:
        order = sorted((next(draw), s) for s in numbers)
        return [row for row in rows if row[0] in {s for _, s in order[:count]}]
    order = sorted((next(draw), i) for i in range(len(rows)))
    kept, seen = set(), {}
    for _, i in order:
        tag = tuple(np.ravel(rows[i][1])) + tuple(np.ravel(rows[i][2]))
        seen[tag] = seen.get(tag, 0) + 1
        if seen[tag] <= count:
            kept.add(i)
    return [row for i, row in enumerate(rows) if i in kept]


def contexts(p):
    """A dictionary a sequence: slots' positions, masses and tags, tokens of each tag."""
    out, taken = [], sampled(p)
    for s in sorted({row[0] for row in taken}):
        rows = [row for row in taken if row[0] == s]
        tags = sorted({(row[1], tuple(row[2]) if p["targets"] else row[2]) for row in rows})
        c = dict(positions=[], masses=[], tags=tags, first=[0], tokens=[], length=max(row[1] for row in rows) + 1)
        for position, tag in tags:
            tokens = [row[3] for row in rows if (row[1], tuple(row[2]) if p["targets"] else row[2]) == (position, tag)]
            atoms = p["atoms"] or len(tokens)
            c["tokens"].append(np.array(tokens, float))
            c["positions"] += [position] * atoms
            c["masses"] += [len(tokens) / atoms] * atoms
            c["first"].append(c["first"][-1] + atoms)
        c["positions"], c["masses"] = np.array(c["positions"]), np.array(c["masses"], float)
        out.append(c)
    return out


def unquantized(c):
    """Slots as the data have them: every token one."""
    n = [len(t) for t in c["tokens"]]
    first = np.concatenate([[0], np.cumsum(n)])
    positions = np.repeat([position for position, _ in c["tags"]], n)
    return {**c, "first": list(first), "positions": positions, "masses": np.ones(sum(n))}, np.concatenate(c["tokens"])


def points(p):
    if p["codebook"] is not None:
        return np.array(p["codebook"], float)
    h = (np.array(p["upper"]) - p["lower"]) / p["cells"]
    return np.array([np.array(p["lower"]) + (np.array(i) + 0.5 + p["shift"]) * h for i in itertools.product(*map(range, p["cells"]))])


def nearest(p, z):
    """Cells of z [..., d]."""
    if p["codebook"] is not None:
        distance = ((z[..., None, :] - points(p)) ** 2).sum(-1)
        two = np.sort(distance, axis=-1)
        if len(p["codebook"]) > 1 and (two[..., 1] - two[..., 0] < MARGIN).any():
            raise Tie("codebook")
        return distance.argmin(-1)
    x = (z - p["lower"]) / (np.array(p["upper"]) - p["lower"]) * p["cells"] - p["shift"]
    near = np.abs(x - np.rint(x)) < MARGIN
    if (near & (np.rint(x) > 0) & (np.rint(x) < p["cells"])).any():
        raise Tie("cell")
    i = np.clip(np.floor(x), 0, np.array(p["cells"]) - 1).astype(int)
    cell = np.zeros(z.shape[:-1], int)
    for a in range(p["dim"]):
        cell = cell * p["cells"][a] + i[..., a]
    return cell


def nearest_type(law, m):
    """The type of m atoms nearest to a law {cell: mass} in the Euclidean distance: all are tried. Sorted cells."""
    cells = sorted(law)
    best = sorted((sum((law[c] - atoms.count(c) / m) ** 2 for c in cells), atoms)
                  for atoms in itertools.combinations_with_replacement(cells, m))
    if len(best) > 1 and best[1][0] - best[0][0] < MARGIN:
        raise Tie("type")
    return list(best[0][1])


def split_weights(p, z):
    """The multilinear weights around every image of z [B, slots, d], and the cells they are for, which are out of the grid where the weight is 0:
    both [B][slots][2^d]."""
    cells = np.array(p["cells"])
    s = np.clip((z - p["lower"]) / ((np.array(p["upper"]) - p["lower"]) / cells) - 0.5 - p["shift"], 0, cells - 1)
    low = np.minimum(np.floor(s).astype(int), np.maximum(cells - 2, 0))
    f = s - low
    corners = list(itertools.product((0, 1), repeat=p["dim"]))
    weights = [np.prod([f[..., a] if k else 1 - f[..., a] for a, k in enumerate(corner)], axis=0) * (low + corner < cells).all(-1) for corner in corners]
    places = [np.ravel_multi_index(tuple(np.moveaxis(low + corner, -1, 0)), cells, mode="clip") for corner in corners]
    return np.stack(weights, -1).tolist(), np.stack(places, -1).tolist()


def split_law(weights, places):
    """The mean over atoms of their weights, {cell: mass}."""
    law = {}
    for own, at in zip(weights, places):
        for weight, cell in zip(own, at):
            if weight > 1e-14:
                law[cell] = law.get(cell, 0) + weight / len(weights)
    return law


def quantize(p, c, z):
    """Cells [B, slots] of the images z, sorted within a tag."""
    if p["transition"] == "split":
        return np.array([sum((nearest_type(split_law(weights[a:b], places[a:b]), b - a) for a, b in zip(c["first"], c["first"][1:])), [])
                         for weights, places in zip(*split_weights(p, z))])
    cell = nearest(p, z)
    for a, b in zip(c["first"], c["first"][1:]):
        cell[:, a:b] = np.sort(cell[:, a:b], axis=1)
    return cell


def initial(p, c):
    cells = []
    for tokens, a, b in zip(c["tokens"], c["first"], c["first"][1:]):
        own = sorted(nearest(p, tokens))
        law = {int(x): own.count(x) / len(own) for x in set(own)}
        cells += own if len(own) == b - a else nearest_type(law, b - a)
    return np.array(cells)


def rank(p, c, cells):
    """[B] from [B, slots]: colexicographic within a tag, mixed-radix over tags."""
    n, index = len(points(p)), np.zeros(len(cells), int)
    for a, b in zip(c["first"], c["first"][1:]):
        choose = np.array([[min(math.comb(x, k), 2**62) for k in range(b - a + 1)] for x in range(n + b - a)])
        own = sum(choose[cells[:, a + k] + k, k + 1] for k in range(b - a))
        index = index * math.comb(b - a + n - 1, b - a) + own
    return index


def all_measures(p, c):
    """[M_s, slots]: by trial of every list of sorted cells."""
    n = len(points(p))
    each = [list(itertools.combinations_with_replacement(range(n), b - a)) for a, b in zip(c["first"], c["first"][1:])]
    every = np.array([sum(combination, ()) for combination in itertools.product(*each)])
    ordered = np.empty_like(every)
    ordered[rank(p, c, every)] = every
    return ordered


# ---- costs ---------------------------------------------------------------------------------------------------------


def stage(p, u):
    return p["step"] * p["weight_decay"] / 2 * float(np.dot(u, u))


def readouts(p):
    r = p["readout"]
    if r is None:
        return [None]
    matrix, d = np.ravel(r["matrix"]), p["dim"]
    classes = r.get("classes") or len(matrix) // d
    count = len(matrix) // (classes * d)
    bias = np.ravel(r.get("bias", [0] * (classes * count)))
    return [(matrix[i * classes * d:(i + 1) * classes * d].reshape(classes, d), bias[i * classes:(i + 1) * classes])
            for i in range(count)]


def cross_entropy(z, label, readout):
    logits = z @ readout[0].T + readout[1]
    top = logits.max(-1)
    return np.log(np.exp(logits - top[..., None]).sum(-1)) + top - logits[..., label]


def hinge(z, label, readout):
    """Crammer and Singer: max(0, max over j != label of (1 + s_j) - s_label)."""
    logits = z @ readout[0].T + readout[1]
    return np.maximum(0, 1 + np.delete(logits, label, axis=-1).max(-1) - logits[..., label])


# What representations z [B, d] with a label cost, by the name of the terminal cost.
POOLED = {"pooled_cross_entropy": cross_entropy, "hinge": hinge}


def terminal(p, c, z, readout, everyone):
    """g_s of z [B, slots, d], divided by the number of contexts (or tokens) of the data set `everyone`."""
    tokens = sum(x["masses"].sum() for x in everyone)
    tag = [t for (_, t), a, b in zip(c["tags"], c["first"], c["first"][1:]) for _ in range(b - a)]
    kind = p["terminal"]
    if kind == "squared_error":
        return (((z - np.array(tag)) ** 2).sum(-1) * c["masses"]).sum(1) / tokens
    if kind == "token_cross_entropy":
        return sum(cross_entropy(z[:, i], tag[i], readout) * c["masses"][i] for i in range(z.shape[1])) / tokens
    if kind in POOLED:
        at = {"mean": np.ones(len(tag), bool), "last": c["positions"] == c["positions"].max(),
              "first": c["positions"] == c["positions"].min()}[p["pooling"]]
        mass = c["masses"] * at
        return POOLED[kind]((z * mass[:, None]).sum(1) / mass.sum(), tag[0], readout) / len(everyone)
    assert np.ptp(c["masses"]) == 0
    place, y = (c["positions"] + 1) / c["length"], np.array(tag)
    best = np.full(len(z), np.inf)
    for way in itertools.permutations(range(len(tag))):
        way = list(way)
        ground = ((z - y[way]) ** 2).sum(-1) + p["position_weight"] * (place - place[way]) ** 2
        best = np.minimum(best, ground.mean(1))
    return best / len(everyone)


# ---- solving -------------------------------------------------------------------------------------------------------


def transition(p, c, cells, u):
    return quantize(p, c, layer(p, points(p)[cells], c["positions"], c["masses"], u))


def enumerate_lists(p, exact=False):
    """Every one of the K^T lists of layers, tried. Returns (cost of the best, its actions): the lexicographically first
    where several cost the same. exact: tokens are not quantized."""
    U, T = actions(p), p["horizon"]
    K, everyone = len(U), contexts(p)
    if exact:
        pairs = [unquantized(c) for c in everyone]
        everyone, states = [c for c, _ in pairs], [z[None] for _, z in pairs]
    else:
        states = [initial(p, c)[None] for c in everyone]
    for _ in range(T):
        def step(c, x, u):
            return layer(p, x, c["positions"], c["masses"], u) if exact else transition(p, c, x, u)
        states = [np.stack([step(c, x, u) for u in U], axis=1).reshape((-1,) + x.shape[1:]) for c, x in zip(everyone, states)]
    costs = np.full(K**T, np.inf)
    for r in readouts(p):
        g = 0
        for c, x in zip(everyone, states):
            g = g + terminal(p, c, x if exact else points(p)[x], r, everyone)
        costs = np.minimum(costs, g)
    running = np.array([stage(p, u) for u in U])
    costs = costs.reshape((K,) * T)
    for t in range(T):
        costs = costs + running.reshape((K,) + (1,) * (T - 1 - t))
    least = costs.min()
    first = np.argwhere(costs <= least + 1e-12)[0]
    return float(least), [int(k) for k in first]


def tables(p):
    """T_s(j, k) of every context, [M_s, K], and g_s(j) of every readout, [R, M_s]."""
    everyone, U = contexts(p), actions(p)
    next_, g = [], []
    for c in everyone:
        cells = all_measures(p, c)
        next_.append(np.stack([rank(p, c, transition(p, c, cells, u)) for u in U], axis=1))
        g.append(np.array([terminal(p, c, points(p)[cells], r, everyone) for r in readouts(p)]))
    return next_, g
