"""`bellformer check` on certificates that are written here, and on the one that is shipped: verified, the same on any ranks; what is claimed wrongly and every
flipped bit is found."""
import math
import os
import shutil
import struct
import sys
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))
sys.path.insert(0, os.path.join(HERE, "..", "certify"))
import certify_cases  # noqa: E402
from results import ok, oracle, run, tap  # noqa: E402

QUICK = "quick" in sys.argv  # under sanitizers
FOLDER = tempfile.TemporaryDirectory(prefix="bf_check_")
# One number is free: A. Tokens z look at each other by exp(z A z'); V = 1.5 is fixed.
YAML = """
horizon: 1
step: 1.0
token: {dim: 1, lower: -3, upper: 3}
data: {file: pairs.csv}
layer: {heads: 1}
control:
  A: {form: scalar, range: [-2, 2], levels: 5}
  V: {form: fixed, value: 1.5}
cost:
  terminal: pooled_cross_entropy
  pooling: last
  readout: {kind: fixed, matrix: [1, -1], bias: [0.5, -0.5]}
  weight_decay: 0.05
quantize: {cells: 0}
"""
ROWS = [(0, 0, 0, -1.0), (0, 1, 0, 0.75), (1, 0, 1, 0.5), (1, 1, 1, -1.25)]
BITS = 6  # of a leaf's place among 2^BITS


def cost(a):
    """By the definition."""
    total = 0.05 / 2 * a * a
    for s in (0, 1):
        z, label = [r[3] for r in ROWS if r[0] == s], s
        w = [math.exp(z[1] * a * x) for x in z]
        y = min(max(z[1] + 1.5 * sum(p * x for p, x in zip(w, z)) / sum(w), -3), 3)
        logit = [y + 0.5, -y - 0.5]
        total += (math.log(sum(map(math.exp, logit))) - logit[label]) / 2
    return total


def least_of(low, high):
    return min(cost(a) for a in np.linspace(low, high, 200))


LEAST = least_of(-2, 2)
LOWER = LEAST - 1e-3


def record(low, high, depth, later):
    """Splits down to small boxes; a later task at depth 2; contractions where one end of a small box surely costs more."""
    if depth == 2 and later is not None:
        later.append((low, high))
        return b"O"
    if depth == BITS:
        if least_of(low, high) > LEAST + 0.05:  # cuts what is left of it in two steps
            by = b"C" + bytes([0]) if low < 0 else b"M" + bytes([2, 127, 0])  # of two tangents one is enough
            return by + bytes([128, 64]) + b"L" + bytes([127])
        return b"L" + bytes([0])
    middle = 0.5 * low + 0.5 * high
    return b"S\0" + record(low, middle, depth + 1, later) + record(middle, high, depth + 1, later)


def tree():
    later = []
    return record(-2.0, 2.0, 0, later) + b"".join(record(*box, 2, None) for box in later)


def solved():
    """A result whose layers are the best of five, and what they cost."""
    path = os.path.join(FOLDER.name, "base.h5")
    if not os.path.exists(path):
        with open(os.path.join(FOLDER.name, "pairs.yaml"), "w") as out:
            out.write(YAML)
        with open(os.path.join(FOLDER.name, "pairs.csv"), "w") as out:
            out.write("sequence,position,label,z0\n" + "".join("%d,%d,%d,%r\n" % r for r in ROWS))
        ok(run(["solve", os.path.join(FOLDER.name, "pairs.yaml"), "-o", path, "-space", "reachable", "-quiet"]))
    return path


def certificate(name="cert", free=(0,), bytes_=None, controls=None, seal=True, **numbers):
    path = os.path.join(FOLDER.name, name + ".h5")
    shutil.copy(solved(), path)
    with h5py.File(path, "r+") as f:
        cost_found = float(f["rollout"].attrs["cost"]) * (1 + 1e-13)
        if controls is not None:
            f["rollout/controls"][...] = controls
        values = {"lower": LOWER, "found": cost_found, "target": LOWER, "boxes": 100, **numbers}
        values.setdefault("gap", (values["found"] - values["lower"]) / abs(values["found"]))
        group = f.create_group("certificate")
        for key in ("lower", "found", "gap", "target"):
            group.attrs[key] = np.float64(values[key])
        group.attrs["boxes"] = np.int64(values["boxes"])
        sealed = [values[key] for key in ("lower", "found", "gap", "target", "boxes")] + [float(f["rollout"].attrs["readout"])]
        if seal:
            group.create_dataset("seal", data=np.array(sealed), chunks=(6,), fletcher32=True)
        group.create_dataset("free", data=np.array(free, np.int32), **({"chunks": (len(free),), "fletcher32": True} if free else {}))
        data = np.frombuffer(tree() if bytes_ is None else bytes_, np.uint8)
        group.create_dataset("tree", data=data, chunks=data.shape, fletcher32=True)
    return path


def logits(name, names=((0, 0, 0, 1, 0),), ranges=((-2.625, 2.625),), bytes_=None, format_=4, lower=None, without=()):
    """A certificate with logits. That of the second token's first key in the first sequence is -1.3125 A."""
    path = certificate(name, bytes_=logit_tree() if bytes_ is None else bytes_, lower=LOWER - 0.003 if lower is None else lower)
    with h5py.File(path, "r+") as f:
        group = f["certificate"]
        group.attrs["format"] = np.int64(format_)
        for key, data in (("logits", np.array(names, np.int32)), ("logit_range", np.array(ranges, np.float64))):
            if key not in without:
                group.create_dataset(key, data=data, chunks=data.shape, fletcher32=True)
    return path


def logit_tree(first=None):
    """A in halves; the logit in small parts, the half of which are empty; then A, most of whose parts are empty, too: what is left is bounded where both are small."""
    def numbers(depth):
        return b"S\0" + 2 * numbers(depth - 1) if depth else b"L" + bytes([0, 0, 0, 0])

    def leaves(low, high, depth):
        if depth == 5:
            return numbers(4)
        at = np.float32(0.5 * low + 0.5 * high) if first is None or depth else np.float32(first)
        return b"S\1" + struct.pack("<f", at) + leaves(low, float(at), depth + 1) + leaves(float(at), high, depth + 1)
    return b"S\0" + 2 * leaves(-2.625, 2.625, 0)


def says(path, code, text, ranks=0):
    done = run(["check", path], ranks)
    assert done.returncode == code, (done.returncode, done.stdout + done.stderr)
    assert text in done.stdout + done.stderr, done.stdout + done.stderr
    return done.stdout + done.stderr


def verified():
    path = certificate()
    first = says(path, 0, "verified: 0.")
    assert "%d leaves; of the problem pairs\n" % 2 ** BITS in first, first
    lower, found = [float(w) for w in first.replace(",", "").split() if w[0].isdigit()][:2]
    assert lower <= LOWER <= lower + 1e-6 and found - 1e-6 <= certificate_number(path, "found") <= found, first
    for ranks in () if QUICK else (1, 3):
        assert says(path, 0, "verified", ranks) == first
    assert run(["check", path, "-quiet"]).stdout == first


def certificate_number(path, name):
    with h5py.File(path) as f:
        return float(f["certificate"].attrs[name])


def wrong_claims():
    """Too high a bound is found where it is first wrong, by any ranks."""
    path = certificate("high", lower=LEAST + 1e-6)
    first = says(path, 1, "not verified: leaf ")
    assert "depth 6, bounds the cost by 0." in first, first
    if not QUICK:
        for ranks in (1, 3):
            assert says(path, 1, "not verified", ranks) == first
    says(certificate("much", lower=LEAST + 0.04), 1, "not verified")
    says(certificate("cut", bytes_=b"C" + bytes([0, 0, 128]) + b"L" + bytes([0]), lower=LEAST + 1e-6), 1, "not verified: contraction 1, at depth 0")
    says(certificate("found", found=certificate_number(path, "found") * (1 - 1e-6)), 1, "the cost of /rollout/controls may be")
    says(certificate("gap", gap=1e-3), 1, "not verified: gap is 0.001")
    says(certificate("above", lower=2.0), 1, "not verified: lower 2 is above found")
    says(certificate("outside", controls=2.25), 1, "A_0[0, 0] of layer 0 of what was found, 2.25, is outside of [-2, 2]")


def another_box():
    """What is not listed counts with its whole range: here everything hangs on it."""
    says(certificate("none", free=(), bytes_=b"L"), 1, "not verified: leaf 1, at depth 0")


def halved_at_logits():
    """Verified; not, where the range of a logit is another, a name another's, or a leaf does not hold."""
    path = logits("logits")
    first = says(path, 0, "verified: 0.")
    for ranks in () if QUICK else (2,):
        assert says(path, 0, "verified", ranks) == first
    says(logits("narrow", ranges=((-2.625, 2.6),)), 1, "not verified: the range of logit 0 (sequence 0, layer 0, head 0, query 1, key 0) may be [-2.625, 2.625], the certificate says [-2.625, 2.6]")
    says(logits("another", names=((1, 0, 0, 1, 0),)), 1, "the range of logit 0 (sequence 1, layer 0, head 0, query 1, key 0) may be [-4.375")
    says(logits("wider", names=((0, 0, 0, 0, 1),), ranges=((-4, 4),), bytes_=logit_tree(0.1)), 0, "verified")  # of the first token's: as good
    says(logits("higher", lower=LEAST + 1e-5), 1, "not verified: leaf ")
    says(logits("cuts", bytes_=b"C" + bytes([0, 0, 0, 0, 0, 0, 128, 0]) + b"L" + bytes([0, 0, 0, 0]), lower=LEAST + 1e-5), 1, "where it cuts logit 0, lower is 0.")


def damaged_logits():
    one = (0, 0, 0, 1, 0)
    for name, why in (((0, 0, 0, 1, 1), "is 0: its key is alike its query"), ((2, 0, 0, 1, 0), "is none of the problem"), ((0, 1, 0, 1, 0), "is none of the problem"), ((0, 0, 1, 1, 0), "is none of the problem"),
                                     ((0, 0, 0, 2, 0), "is none of the problem"), ((0, 0, 0, 1, -1), "is none of the problem"), (one, "is there twice")):
        says(logits("name", names=(one, name), ranges=((-2.625, 2.625),) * 2), 2, "/certificate/logits: logit 1 (sequence %d, layer %d, head %d, query %d, key %d) %s" % (*name, why))
    for ends in ((1, -1), (0, math.inf), (math.nan, 1)):
        says(logits("ends", ranges=(ends,)), 2, "/certificate/logit_range: logit 0 has [")
    says(logits("many", names=(one,) * 255, ranges=((-3, 3),) * 255), 2, "/certificate has more than 255 numbers and logits")
    says(logits("rows", ranges=((-3, 3),) * 2), 2, "/certificate/logits and logit_range do not fit each other")
    says(logits("short", names=(one[:4],)), 2, "/certificate/logits and logit_range do not fit each other")
    for missing in ("logits", "logit_range"):
        says(logits("missing", without=(missing,)), 2, "/certificate/" + missing)
    says(logits("older", format_=3), 2, "/certificate/tree is damaged: a split of a variable that is none")
    says(logits("newer", format_=6), 2, "certificate format 6")
    for place in (2.625, -3, math.nan, math.inf):
        says(logits("place", bytes_=logit_tree(place)), 2, "/certificate/tree is damaged: a split outside of its box")
    says(logits("cut off", bytes_=b"S\1\0\0"), 2, "/certificate/tree is damaged: a record is incomplete")


def damage():
    """Records that are no tree, numbers that are none of the problem's, no certificate at all."""
    good = tree()
    for bytes_, what in ((good[:-1], "a record is incomplete"), (good + b"L", "bytes are left over"), (b"Y" + good, "a record of no kind"), (b"X" + good, "a box is left out that is not empty"),
                         (b"S\1", "a split of a variable that is none"), (b"L\x80", "a tangent point outside of its box"),
                         (b"C\0" + bytes([200, 200]) + b"L\0", "a contraction that leaves nothing"), (b"S\0L\0O", "a record is incomplete")):
        says(certificate("damaged", bytes_=bytes_), 2, "/certificate/tree is damaged: " + what)
    says(certificate("free", free=(0, 1)), 2, "/certificate/free does not fit the problem")
    says(certificate("unsealed", seal=False), 2, "/certificate/seal")
    says(solved(), 2, "no certificate is in it")
    assert run(["check"]).returncode == 2


def flips():
    """One bit, of any byte that the claim is made of."""
    path = certificate("whole")
    with open(path, "rb") as f:
        whole = f.read()
    with h5py.File(path) as f:
        places = {}
        for name in ("certificate/tree", "certificate/free", "certificate/seal", "rollout/controls"):
            chunk = f[name].id.get_chunk_info(0)
            places[name] = range(chunk.byte_offset, chunk.byte_offset + f[name].size * f[name].dtype.itemsize)
        for name in ("lower", "found", "gap", "target", "boxes"):
            number = f["certificate"].attrs[name]
            at = whole.find(struct.pack("<q" if name == "boxes" else "<d", number))
            places[name] = range(at, at + 8)
    rng = np.random.default_rng(5)
    for name, place in places.items():
        picked = [place[0], place[-1], *rng.choice(place, 0 if QUICK else 2)] if name == "certificate/tree" else rng.choice(place, 1)
        for at in picked:
            bit = 1 << int(rng.integers(8))
            with open(path, "wb") as f:
                f.write(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1:])
            done = run(["check", path])
            assert done.returncode in (1, 2) and "verified:" not in done.stdout, (name, at, bit, done.stdout + done.stderr)


KINDS = {"layer norm, encoding": ["-layer_norm", "layer", "-data_position_encoding", "0.1,0.2,-0.3,0.1"],
         "sphere": ["-token_projection", "sphere", "-cost_pooling", "first", "-layer_norm", "rms", "-horizon", 1],
         "gelu, skew": ["-layer_feedforward", "gelu", "-layer_width", 1, "-control_W1_range", "-2,2", "-control_W1_levels", 1, "-control_b1_range", "-1,1", "-control_b1_levels", 1,
                        "-control_W2_form", "fixed", "-control_W2_value", "1,0.3", "-control_b2_form", "fixed", "-control_b2_value", 0, "-control_A_form", "skew"]}


# Certificates whose contractions the stored tangents do not prove here. In the first a form of the checker is sharper than the search's, and as an argument of what follows
# worse than its range; in the second a feature's form and range are as good as each other, which only a mixture of tangents bounds well.
CLOSE = {"form or range": (0.1, """
horizon: 2
step: 0.5
token: {dim: 1, lower: -1.5, upper: 1.5, projection: clip}
data: {file: close.csv, position_encoding: sinusoidal, position_amplitude: 0.7}
layer: {residual: 1, heads: 2, norm: rms, beta: 0.5, mask: causal, feedforward: relu, width: 2}
control:
  A_0: {form: fixed, value: -0.29}
  V_0: {form: full, range: [-0.19, 1.91], levels: 2}
  A_1: {form: fixed, value: -0.9}
  V_1: {form: full, range: [-1.98, -0.24], levels: 2}
  W1: {form: fixed, value: [-0.74, -0.33]}
  b1: {form: fixed, value: [0.91, 1.13]}
  W2: {form: fixed, value: [-2.25, -0.45]}
  b2: {form: fixed, value: -1.41}
action: {kind: grid}
cost: {terminal: pooled_cross_entropy, pooling: last, weight_decay: 0.001, readout: {kind: trained, classes: 2, matrix: {range: [-3.65, -0.55, -2.4, -2.4]}, bias: {range: [-2.57, 1.57, 1.4, 1.4]}}}
quantize: {cells: 0}
""", "sequence,position,label,z0\n0,0,1,1\n0,1,1,0\n0,2,1,1\n1,0,1,1\n1,1,1,1\n2,0,0,0\n2,1,0,-1\n2,2,0,0\n"), "form and range": (0.001, """
horizon: 2
step: 0.5
token: {dim: 3, lower: -1.5, upper: 1.0, projection: sphere}
data: {file: close.csv}
layer: {residual: 1, heads: 1, norm: layer, beta: 2.0, mask: causal, feedforward: relu, width: 2}
control:
  A: {form: fixed, value: [0.8, 0.64, -1.33, -1.53, 1.25, 2.02, 0.52, 0.38, 0.38]}
  V: {form: fixed, value: [0.73, 0.42, -0.68, -1.39, -1.56, 0.61, -1.59, -1.05, 0.18]}
  W1: {form: fixed, value: [-0.46, -1.73, 0.79, 1.77, 0.27, -0.8]}
  b1: {form: full, range: [-1.35, 3.17, -2.09, -0.57], levels: 2}
  W2: {form: fixed, value: [0.15, -0.04, -0.27, 0.02, -1.47, -1.29]}
  b2: {form: fixed, value: [0.35, 1.53, 0.02]}
action: {kind: grid}
cost: {terminal: squared_error, weight_decay: 0.001}
quantize: {cells: 0}
""", """sequence,position,y0,y1,y2,z0,z1,z2
0,0,0.49,-0.05,-0.25,1,1,1
0,1,-0.93,-0.59,0.99,-1,0,1
0,2,-0.22,-0.51,0.99,0,-1,1
1,0,-0.8,0.23,0.51,1,0,1
1,1,-0.38,0.69,0.48,1,0,1
1,2,-0.31,0.69,0.93,1,1,1
2,0,0.02,0.82,0.61,-1,-1,1
2,1,0.6,0.16,0.56,-1,0,1
""")}


def of_certify():
    """What certify gives is verified: of problems that close, and of budgets that end early."""
    def one(path, *options):
        out = os.path.join(FOLDER.name, "certified.h5")
        ok(run(["certify", path, "-o", out, "-overwrite", "-quiet", *options]))
        says(out, 0, "verified: ")
    for name, p in certify_cases.CASES.items():
        one(oracle.write(p, FOLDER.name, "problem"), "-gap", 0.05)
    for options in KINDS.values():
        one(certify_cases.XOR, *options, "-boxes", 300)
    for gap, problem, rows in CLOSE.values():
        for name, text in (("close.yaml", problem), ("close.csv", rows)):
            with open(os.path.join(FOLDER.name, name), "w") as out:
                out.write(text)
        one(os.path.join(FOLDER.name, "close.yaml"), "-gap", gap)


def shipped():
    """xor's certificate, as certify has written it; and with a bit less."""
    path = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "xor", "xor-certificate.h5")
    first = says(path, 0, "verified: 0.01209")
    assert says(path, 0, "verified: 0.01209", 2) == first
    with open(path, "rb") as f:
        whole = f.read()
    with h5py.File(path) as f:
        gap, chunk = f["certificate"].attrs["gap"], f["certificate/tree"].id.get_chunk_info(0)
    bad = os.path.join(FOLDER.name, "bad.h5")
    for at in (whole.find(struct.pack("<d", gap)), chunk.byte_offset + chunk.size // 2):
        with open(bad, "wb") as f:
            f.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        says(bad, 2, "damaged")


if __name__ == "__main__":
    tap([("a certificate is verified", verified), ("claims that are wrong", wrong_claims), ("an unlisted number counts", another_box), ("damage", damage), ("boxes halved at logits", halved_at_logits), ("logits that are damaged", damaged_logits),
         ("one flipped bit", flips)] + ([] if QUICK else [("xor's certificate", shipped), ("what certify gives", of_certify)]))
