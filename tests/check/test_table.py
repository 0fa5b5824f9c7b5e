"""`bellformer check` on certificates with a table (format 5) that are written here: cells with planes, their proofs, and the tree over the controls before them. Verified, the same on
any ranks; what is claimed wrongly, and what is no cells or no axes, is found."""
import os
import shutil
import struct
import sys

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from test_check import FOLDER, QUICK, certify_cases, oracle, says  # noqa: E402
from results import ok, run, tap  # noqa: E402

# A pair of tokens on a line, two layers of A and V, a third token that is always alike the second one; a table before layer 1.
STEP, DECAY, BOUND, Z = 0.5, 0.02, 1.5, (0.75, -0.5, -0.5)
YAML = """
horizon: 2
step: %g
token: {dim: 1, lower: -1.5, upper: 1.5}
data: {file: line.csv}
layer: {heads: 1, residual: 1}
control:
  A: {form: scalar, range: [-1, 1], levels: 3}
  V: {form: scalar, range: [-1, 1], levels: 3}
quantize: {cells: 0}
cost: {weight_decay: %g, %s}
"""
# Of each kind its cost, its readouts (of which each has cells), and how many late numbers are the readout's.
READOUTS = ((1, -1, 0, 0.5), (-1, 1, 0, 0))
KINDS = {"squared": ("terminal: squared_error", (None,), 0),
         "decided": ("terminal: token_cross_entropy, readout: {kind: decision, classes: 2, matrix: [1, -1, -1, 1], bias: [0, 0.5, 0, 0]}", READOUTS, 0),
         "trained": ("terminal: token_cross_entropy, readout: {kind: trained, classes: 2, matrix: {range: [0.8, 1, -1, -0.9]}, bias: {range: [0, 0, 0, 0]}}", (((0.8, 1), (-1, -0.9), 0, 0),), 2)}
TARGET, LABEL = (1.0, 0.25, 0.25), (0, 1, 1)


def layer(z, a, v):
    """Tokens [3] (arrays) behind a layer."""
    out = []
    for i in range(3):
        w = [np.exp(z[i] * a * z[j]) for j in range(3)]
        out.append(np.clip(z[i] + STEP * v * sum(p * x for p, x in zip(w, z)) / sum(w), -BOUND, BOUND))
    return out


def decay(a, v):
    return STEP * DECAY / 2 * (a * a + v * v)


def terminal(z, readout):
    if readout is None:
        return sum((x - y) ** 2 for x, y in zip(z, TARGET)) / 3
    p, q, b, c = readout
    if isinstance(p, tuple):  # trained
        return np.min([terminal(z, (r, s, b, c)) for r in np.linspace(*p, 3) for s in np.linspace(*q, 3)], axis=0)
    logit = [(p * x + b, q * x + c) for x in z]
    return sum(np.logaddexp(*x) - x[y] for x, y in zip(logit, LABEL)) / 3


def rest(x, y, a, v, readout):
    """J_tail at z_1 = (x, y, y)."""
    return decay(a, v) + terminal(layer([x, y, y], a, v), readout)


# ---- what is written ---------------------------------------------------------------------------------------------------

MARGIN = 0.04
ROOT = ((-0.1, 1.6), (-1.1, 0.6))  # of z_1: what it can be is inside
CELLS, PROOF, TREE = 4, 8, 8  # halvings of cells, of a proof, of the tree
END = (-1.0, 1.0)


def halves(box, k):
    low, high = box[k]
    middle = 0.5 * low + 0.5 * high
    return [box[:k] + (part,) + box[k + 1:] for part in ((low, middle), (middle, high))]


def sample(box, count):
    return np.meshgrid(*[np.linspace(*ends, count) for ends in box], indexing="ij")


def proof(box, c, g, readout, more, depth=0):
    """Of the axes, A, V, and `more` numbers of a readout. Splits down to small boxes, in the order of variables; where a box has room to spare a contraction first."""
    if depth == PROOF:
        x, y, a, v = sample(box, 3)
        slack = np.min(rest(x, y, a, v, readout) - g[0] * x - g[1] * y) - c
        return (b"M\2" + bytes(8 + 2 * more) + bytes([96] * 8 + 2 * more * [0]) if slack > 0.3 else b"") + b"L" + bytes(4 + more)
    return b"S" + bytes([depth % 4]) + b"".join(proof(half, c, g, readout, more, depth + 1) for half in halves(box, depth % 4))


def plane(box, readout):
    x, y, a, v = sample(box + (END, END), 9)
    costs = rest(x, y, a, v, readout)
    w = costs.min(axis=(2, 3))
    g = [float(np.round(np.polyfit(u[:, :, 0, 0].ravel(), w.ravel(), 1)[0], 3)) for u in (x, y)]
    return float(np.min(costs - g[0] * x - g[1] * y)) - MARGIN, g


class Cells:
    """Halved in turn at both axes; planes on the last ones, and on the root one that says nothing."""

    def __init__(self, readout=None, more=0, change=None):
        self.readout, self.more, self.change, self.planes = readout, more, change or {}, []
        self.bytes = self.cell(ROOT, 0)

    def record(self, box, c, g):
        return struct.pack("<3d", c, *g) + proof(box + (END, END), c, g, self.readout, self.more)

    def cell(self, box, depth):
        if depth < CELLS:
            axis = depth % 2
            if depth == self.change.get("flip"):
                axis = 1 - axis
            head = b"\3" + self.record(box, -9.0, [0.0, 0.0])[:24] + b"L" + bytes(4 + self.more) if depth == 0 else b"\2"
            return head + bytes([axis]) + b"".join(self.cell(half, depth + 1) for half in halves(box, depth % 2))
        c, g = plane(box, self.readout)
        number = len(self.planes)
        self.planes.append((box, c, g))
        if number == self.change.get("without"):
            return b"\0"
        if number == self.change.get("raised"):
            c += 2 * MARGIN
        if number == self.change.get("tilted"):
            g = [g[0] + 1, g[1]]
        return b"\1" + self.record(box, c, g)


def leaves(box=(END, END), depth=0):
    if depth == TREE:
        return [box]
    return [leaf for half in halves(box, depth % 2) for leaf in leaves(half, depth + 1)]


def least(cells):
    """What the planes give, by ranges of z_1, and which of them gives least."""
    least, where = np.inf, 0
    for box in leaves():
        a, v = sample(box, 5)
        z = layer(list(Z), a, v)
        ranges = [(np.min(x) - 0.02, np.max(x) + 0.02) for x in z[:2]]
        own = min(decay(p, q) for p in np.clip(0, *box[0]).reshape(1) for q in np.clip(0, *box[1]).reshape(1))
        for i, (cell, c, g) in enumerate(cells.planes):
            part = [(max(r[0], e[0]), min(r[1], e[1])) for r, e in zip(ranges, cell)]
            if all(p[0] <= p[1] for p in part):
                least, where = min((least, where), (own + c + sum(min(s * p[0], s * p[1]) for s, p in zip(g, part)), i))
    return float(least), where


def tree(cut=None, late=None):
    """The first leaves' boxes are contracted first: they are bounded by planes with slack."""
    def record(depth):
        if depth == TREE:
            return b"L"
        body = b"S" + bytes([late if late is not None and depth == 3 else depth % 2]) + 2 * record(depth + 1)
        return b"C" + bytes(cut) + body if cut and depth == 0 else body
    return record(0)


def solved(kind):
    path = os.path.join(FOLDER.name, kind + ".h5")
    with open(os.path.join(FOLDER.name, kind + ".yaml"), "w") as out:
        out.write((YAML % (STEP, DECAY, KINDS[kind][0])).replace("line.csv", kind + ".csv"))
    with open(os.path.join(FOLDER.name, kind + ".csv"), "w") as out:
        what, of = ("y0", TARGET) if kind == "squared" else ("label", LABEL)
        out.write("sequence,position,%s,z0\n" % what + "".join("0,%d,%r,%r\n" % (i, of[i], Z[i]) for i in range(3)))
    ok(run(["flow", os.path.join(FOLDER.name, kind + ".yaml"), "-o", path, "-quiet"]))
    return path


CERTIFIED = {}


def certified(kind="squared"):
    """The cells' bytes, what they prove, the result that they belong to, and the number of the plane that bounds it."""
    if kind not in CERTIFIED:
        _, readouts, more = KINDS[kind]
        all_ = [Cells(r, more) for r in readouts]
        lower, where = min(map(least, all_))
        CERTIFIED[kind] = b"".join(c.bytes for c in all_), lower, solved(kind), where
    return CERTIFIED[kind]


def table(name="table", kind="squared", cells=None, bytes_=None, axes=((0, 0, 0), (0, 1, 0)), ranges=ROOT, before=1, up=0.0, format_=5, without=()):
    good, lower, base, _ = certified(kind)
    path = os.path.join(FOLDER.name, name + ".h5")
    shutil.copy(base, path)
    with h5py.File(path, "r+") as f:
        found = float(f["rollout"].attrs["cost"]) * (1 + 1e-13)
        lower += up
        group = f.create_group("certificate")
        for key, value in (("lower", lower), ("found", found), ("gap", (found - lower) / abs(found)), ("target", lower)):
            group.attrs[key] = np.float64(value)
        for key, value in (("boxes", 100), ("format", format_), ("table", before)):
            if key not in without:
                group.attrs[key] = np.int64(value)
        arrays = {"seal": np.array([lower, found, group.attrs["gap"], lower, 100, float(f["rollout"].attrs["readout"])]), "free": np.arange(4 + KINDS[kind][2], dtype=np.int32),
                  "axes": np.array(axes, np.int32), "axis_range": np.array(ranges, np.float64), "cells": np.frombuffer(good if cells is None else cells, np.uint8),
                  "tree": np.frombuffer(len(KINDS[kind][1]) * tree() if bytes_ is None else bytes_, np.uint8)}
        for key, data in arrays.items():
            if key not in without:
                group.create_dataset(key, data=data, chunks=data.shape, fletcher32=True)
    return path


# ---- tests --------------------------------------------------------------------------------------------------------------

def verified():
    for kind, (_, readouts, _) in KINDS.items():
        path = table(kind=kind)
        first = says(path, 0, "verified: 0.")
        assert "%d leaves and %d planes; of the problem" % (len(readouts) * 2 ** TREE, len(readouts) * (2 ** CELLS + 1)) in first, first
        for ranks in () if QUICK or kind != "squared" else (1, 3):
            assert says(path, 0, "verified", ranks) == first


def wrong_planes():
    """A plane that is a little too high, or leans otherwise; cells that are halved at another axis than their planes were made for; a cut that takes more than is proved."""
    for change, number in (({"raised": 3}, 5), ({"tilted": 6}, 8)):
        path = table(cells=Cells(change=change).bytes)
        first = says(path, 1, "not verified: plane %d (cell at depth 4): leaf " % number)
        assert "at depth 8, bounds the rest of the cost less the plane's slope by " in first, first
        for ranks in () if QUICK else (1, 3):
            assert says(path, 1, "not verified", ranks) == first
    for depth in range(CELLS):
        says(table(cells=Cells(change={"flip": depth}).bytes), 1, "not verified: plane ")
    cut = b"C" + bytes(4) + bytes([0, 128] + 6 * [0]) + b"L" + bytes(4)
    says(table(cells=b"\1" + struct.pack("<3d", 0.2, 0, 0) + cut), 1, "not verified: plane 1 (cell at depth 0): contraction 1, at depth 0")
    says(table(cells=b"\1" + struct.pack("<3d", 0.2, 0, 0) + cut.replace(bytes([0, 128] + 6 * [0]), bytes(5 * [0] + [128] + 2 * [0]))), 1, " where it cuts number 2, its constant is 0.2")


def wrong_tree():
    """Cells without planes where z_1 may be; a bound that planes do not give; a cut that they do not prove."""
    without = Cells(change={"without": certified()[3]})
    says(table(cells=without.bytes), 1, " on a cell at depth 4, lower is 0.")
    says(table(cells=b"\2\0" + b"\0" + b"\0"), 1, "not verified: leaf 1, at depth 8, reaches a cell at depth 1 that no plane is of")
    path = table(up=0.05)
    first = says(path, 1, "not verified: leaf ")
    for ranks in () if QUICK else (1, 3):
        assert says(path, 1, "not verified", ranks) == first
    cut = says(table(up=0.05, bytes_=tree([0, 0, 0, 200, 0, 0, 0, 0])), 1, "not verified: contraction 1, at depth 0, ")
    assert " where it cuts number 1, lower is 0." in cut, cut
    says(table(up=0.05, kind="decided"), 1, "not verified: leaf ")
    cells, half = certified("decided")[0], Cells(READOUTS[0]).bytes
    assert cells.startswith(half)
    says(table(kind="decided", cells=2 * half), 1, "not verified: plane ")  # those of the other readout


def wrong_axes():
    says(table(ranges=(ROOT[0], (-0.6, 0.6))), 1, "not verified: ")
    says(table(cells=b"\1" + struct.pack("<3d", 0, 0, 0) + b"L" + bytes(4), ranges=((0.3, 0.8), ROOT[1])), 1, "may leave the range of the axes")
    says(table(axes=((0, 1, 0), (0, 0, 0))), 1, "not verified: ")
    one = (0, 0, 0)
    for name in ((1, 0, 0), (0, 3, 0), (0, 0, -1)):
        says(table(axes=(one, name)), 2, "/certificate/axes: axis 1 (sequence %d, token %d, component %d) is none of the problem" % name)
    says(table(axes=(one, one)), 2, "/certificate/axes: axis 1 (sequence 0, token 0, component 0) is there twice")
    says(table(axes=((0, 1, 0), (0, 2, 0))), 1, "not verified: ")  # twice the same quantity, the first token anywhere
    says(table(axes=((0, 0, 0), (0, 2, 0))), 0, "verified")  # the same quantity by its other name
    for ends in ((1, -1), (0, np.inf)):
        says(table(ranges=(ends, ROOT[1])), 2, "/certificate/axis_range: axis 0 has [")
    says(table(axes=(one,)), 2, "/certificate/axes and axis_range do not fit each other")
    says(table(axes=(one[:2], one[:2])), 2, "/certificate/axes and axis_range do not fit each other")
    says(table(axes=(one,) * 255, ranges=(ROOT[0],) * 255), 2, "/certificate has more than 256 axes and later numbers")
    says(table(axes=((0, 0, 0),), ranges=(ROOT[0],)), 2, "/certificate/cells is damaged: ")
    says(table(axes=((0, 0, 0),), ranges=(ROOT[0],), cells=b"\1" + struct.pack("<2d", 0.05, 0) + b"L" + bytes(3)), 1, "not verified: ")  # what is no axis is anywhere


def damage():
    good = certified()[0]
    for bytes_, what in ((good[:-1], "a record is incomplete"), (good[:20], "a cell is incomplete"), (good + b"L", "bytes are left over"), (b"\4" + good, "a cell of no kind"), (b"\2\2", "a cell that is halved at an axis that is none"),
                         (b"\2", "a cell is incomplete"), (b"\1" + struct.pack("<3d", 0, 0, np.nan), "a plane that is not finite"), (b"\1" + struct.pack("<3d", np.inf, 0, 0), "a plane that is not finite"),
                         (b"\1" + bytes(24) + b"O", "a record of no kind"), (b"\1" + bytes(24) + b"X", "a box is left out that is not empty"), (b"\1" + bytes(24) + b"S\4", "a split of a variable that is none"),
                         (b"\1" + bytes(24) + b"L\x80\0\0\0", "a tangent point outside of its box"), (b"\2\0\0", "a cell is incomplete"), (b"\2\0" * 1100, "a cell that has no halves")):
        says(table(cells=bytes_), 2, "/certificate/cells is damaged: " + what)
    whole = tree()
    for bytes_, what in ((tree(late=2), "a split of a variable that is none"), (tree([0] * 7 + [1]), "a contraction of a variable that is none"), (b"M\1" + bytes(8) + whole, "a record of no kind"),
                         (whole + b"L", "bytes are left over"), (b"L" + bytes(4), "bytes are left over"), (tree([200, 200] + [0] * 6), "a contraction that leaves nothing")):
        says(table(bytes_=bytes_), 2, "/certificate/tree is damaged: " + what)
    for before in (0, 2, 2 ** 40):
        says(table(before=before), 2, "/certificate has a table before layer %d of 2" % before)
    for missing in ("table", "axes", "axis_range", "cells"):
        says(table(without=(missing,)), 2, "/certificate")
    says(table(format_=4), 2, "/certificate/logits")
    says(table(format_=3), 2, "/certificate/tree is damaged")


def flips():
    """One bit, of any byte of what is new."""
    path = table("whole")
    with open(path, "rb") as f:
        whole = f.read()
    with h5py.File(path) as f:
        places = {name: f["certificate/" + name].id.get_chunk_info(0) for name in ("axes", "axis_range", "cells")}
    rng = np.random.default_rng(7)
    for name, chunk in places.items():
        at, bit = int(rng.integers(chunk.byte_offset, chunk.byte_offset + chunk.size)), 1 << int(rng.integers(8))
        with open(path, "wb") as f:
            f.write(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1:])
        says(path, 2, "damaged")


READOUT = {"kind": "fixed", "matrix": [-3, 3], "bias": [0, 0.5]}
OF_CERTIFY = {"normed": {"norm": "rms", "encoding": [0.3, -0.2], "readout": READOUT}, "decided": {"readout": {"kind": "decision", "classes": 2, "matrix": [-3, 3, 2, -2], "bias": [0, 0.5, 0.1, 0]}},
              "trained": {"readout": {"kind": "trained", "classes": 2, "matrix": {"range": [-1, -0.5, 0.5, 1]}}}, "exchanged": {"heads": 2, "readout": READOUT},
              # The second component is the same for both tokens: two axes, one quantity.
              "alike": {"dim": 2, "lower": [-1.5] * 2, "upper": [1.5] * 2, "cells": [2] * 2, "rows": [(0, 0, 0, [-0.7, 0.25]), (0, 1, 1, [0.4, 0.25])], "linear": 1,
                        "readout": {"kind": "fixed", "matrix": [-2, 1, 2, -1], "bias": [0, 0.5]},
                        "control": {"A": {"form": "diagonal", "range": [-2, 2], "levels": 2}, "V": {"form": "fixed", "value": [0.5, 0, 0, 0]}, "B": {"form": "diagonal", "range": [-0.5, 0.5], "levels": 2}}}}


def of_certify():
    """What certify gives is verified; not with a plane that is above all costs."""
    for name, options in OF_CERTIFY.items():
        p = oracle.problem(**{"rows": certify_cases.PAIR, "horizon": 2, "terminal": "token_cross_entropy", **certify_cases.LINE, **options})
        out = os.path.join(FOLDER.name, "certified.h5")
        ok(run(["certify", oracle.write(p, FOLDER.name, "problem"), "-o", out, "-overwrite", "-quiet", "-table", 1, "-gap", 0.5 if name == "exchanged" else 0.2]))
        text = says(out, 0, "verified: ")
        assert " planes; of the problem" in text, text
        with h5py.File(out, "r+") as f:
            cells = f["certificate/cells"]
            bytes_, c = cells[...], struct.pack("<d", 100)
            first = 0
            while not bytes_[first] & 1:  # behind cells without planes
                first += 1 + (bytes_[first] == 2)
            bytes_[first + 1:first + 9] = np.frombuffer(c, np.uint8)
            bytes_[first + 9:first + 25] = 0
            cells[...] = bytes_
        says(out, 1, "not verified: plane 1 (cell at depth ")


if __name__ == "__main__":
    tap([("a certificate with a table is verified", verified), ("planes that are wrong", wrong_planes), ("a tree that planes do not prove", wrong_tree), ("axes that are wrong", wrong_axes), ("damage", damage), ("one flipped bit", flips)] + ([] if QUICK else [("what certify gives", of_certify)]))
