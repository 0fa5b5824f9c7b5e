"""A trained Transformer of bellformer, read from its result file and applied with numpy. One file; needs numpy and h5py only.

    import bellformer
    model = bellformer.load("xor.h5")                   # of solve, flow or heads: the layers
    tokens = model.apply(z, position)                   # z [..., N, d] to [T + 1, ..., N, d]
    weight = model.attention(0, z, position, head=0)    # [..., N, N], queries down, keys across; rows sum to 1
    table = bellformer.read_table("new.csv", model.dim)
    answer = model.predict(table)                       # .sequence, .label or .value, .logits, .representation, .tokens
    loss, accuracy = model.loss(table)

One layer: z+ = P(r z + eps v), v = sum_h V_h mean_h(n) + W2 sigma(W1 n + b1) + b2 + B z, n = N(z), the mean over the tokens n' of the same
sequence with weights w(p, p') exp(beta <n + e_p, A_h (n' + e_p')>).
"""
import collections.abc
import csv
import math

import h5py
import numpy as np


OLDEST, NEWEST = 2, 4  # formats of results that are read: share/doc/formats.md


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


# ---- tables --------------------------------------------------------------------------------------------------------------------------


class Table:
    """A data table, a row a token: sequence [N], position [N], z [N, d]; label [N] or target [N, d], None where absent."""

    def __init__(self, sequence, position, z, label=None, target=None):
        self.sequence, self.position = np.asarray(sequence, dtype=np.int64), np.asarray(position, dtype=np.int64)
        self.z, self.target = z, target
        self.label = None if label is None else np.asarray(label, dtype=np.int64)

    def __len__(self):
        return len(self.sequence)

    def contexts(self):
        """The rows of each sequence, in the order of (position, row)."""
        order = np.lexsort((np.arange(len(self)), self.position, self.sequence))
        ends = np.flatnonzero(np.diff(self.sequence[order])) + 1
        for rows in np.split(order, ends):
            yield self.sequence[rows[0]], rows

    def shapes(self):
        """Sequences of one shape together: position [N_s] and rows [B, N_s] of B sequences, each sorted by (position, row)."""
        groups = {}
        for _, rows in self.contexts():
            groups.setdefault(self.position[rows].tobytes(), []).append(rows)
        for rows in groups.values():
            yield self.position[rows[0]], np.array(rows)


def read_table(path, dim):
    """A table as a problem has it, CSV or HDF5; label and targets may be missing."""
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as f:
            column = {name: f[name][()] for name in f}
    else:
        with open(path, encoding="utf-8-sig", newline="") as f:
            rows = list(csv.reader((line for line in f if line.strip() and not line.lstrip().startswith("#")), skipinitialspace=True))
        names = [name.strip() for name in rows[0]]
        column = {name: [row[j] for row in rows[1:]] for j, name in enumerate(names)}
    missing = [name for name in ["sequence", "position"] + ["z%d" % j for j in range(dim)] if name not in column]
    if missing:
        raise ValueError("%s: column %s is missing" % (path, missing[0]))

    def integers(name):
        return np.array(column[name], dtype=np.int64)

    def numbers(letter):
        return np.stack([np.array(column["%s%d" % (letter, j)], dtype=float) for j in range(dim)], axis=1)
    return Table(integers("sequence"), integers("position"), numbers("z"), integers("label") if "label" in column else None,
                 numbers("y") if "y0" in column else None)


# ---- the parts of a layer ------------------------------------------------------------------------------------------------------------


def gelu(x):
    return 0.5 * x * np.vectorize(math.erfc, otypes=[float])(-x * math.sqrt(0.5))


SIGMA = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "gelu": gelu}


def sinusoidal(amplitude, positions, dim):
    """e_p[2i], e_p[2i+1] = a sin, a cos of p / 10000^(2i/d)."""
    j = np.arange(dim)
    angle = np.arange(positions)[:, None] / 10000.0 ** ((j - j % 2) / dim)
    return amplitude * np.where(j % 2, np.cos(angle), np.sin(angle))


def normalize(z):
    """z / |z|; the origin, which has no direction, stays."""
    largest = np.abs(z).max(axis=-1, keepdims=True)
    z = z / np.where(largest > 0, largest, 1)
    norm = np.sqrt((z * z).sum(axis=-1, keepdims=True))
    return z / np.where(norm > 0, norm, 1)


def norm_rms(z):
    """z / sqrt(|z|^2 / d + 1e-5)."""
    return z / ((z * z).mean(-1, keepdims=True) + 1e-5) ** 0.5


# N(z) by its name, of numpy's arrays and of torch's tensors.
NORM = {"none": lambda z: z, "rms": norm_rms, "layer": lambda z: norm_rms(z - z.mean(-1, keepdims=True))}
FARTHEST = 1e140  # without a projection, numbers beyond it count as it
WORDS = {"mask": ("full", "causal"), "feedforward": ("none", *SIGMA), "projection": ("clip", "sphere", "none"), "norm": tuple(NORM)}
POOLING, FORMS = ("mean", "last", "first"), ("full", "diagonal", "scalar", "skew", "fixed")


def log_softmax(logits):
    away = logits - logits.max(axis=-1, keepdims=True)
    return away - np.log(np.exp(away).sum(axis=-1, keepdims=True))


def cross_entropy(logits, label):
    """-log softmax(logits)[label] of every row."""
    return -np.take_along_axis(log_softmax(logits), label[:, None], axis=1)[:, 0]


def hinge(logits, label):
    """max(0, max over j != label of (1 + logits_j) - logits_label) of every row; 0 of one class."""
    own = np.take_along_axis(logits, label[:, None], axis=1)
    others = np.where(np.arange(logits.shape[1]) == label[:, None], -np.inf, logits)
    return np.maximum(0, 1 + others.max(axis=1) - own[:, 0])


# What a representation's logits and label cost, by the name of the terminal cost.
LABEL_LOSS = {"pooled_cross_entropy": cross_entropy, "token_cross_entropy": cross_entropy, "hinge": hinge}


def assignment(ground):
    """The column of each row in an assignment of least total cost, ground [n, n]: the Hungarian method, O(n^3)."""
    n = len(ground)
    by_row, by_column, row_of, way = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1, int), np.zeros(n + 1, int)
    for i in range(1, n + 1):
        row_of[0], column = i, 0
        least, done = np.full(n + 1, np.inf), np.zeros(n + 1, bool)
        while row_of[column]:
            done[column] = True
            row = row_of[column]
            slack = ground[row - 1] - by_row[row] - by_column[1:]
            better = ~done[1:] & (slack < least[1:])
            least[1:][better] = slack[better]
            way[1:][better] = column
            following = 1 + int(np.argmin(np.where(done[1:], np.inf, least[1:])))
            step = least[following]
            by_row[row_of[done]] += step
            by_column[done] -= step
            least[~done] -= step
            column = following
        while column:
            row_of[column] = row_of[way[column]]
            column = way[column]
    columns = np.empty(n, int)
    columns[row_of[1:] - 1] = np.arange(n)
    return columns


# ---- forms of matrices ---------------------------------------------------------------------------------------------------------------


class Form:
    """How free numbers fill a matrix: u[..., offset : offset + free] to [..., rows, columns]."""

    def __init__(self, name, attributes, value):
        self.name, self.form = name, text(attributes["form"])
        self.rows, self.columns = int(attributes["rows"]), int(attributes["columns"])
        self.offset, self.free = int(attributes["offset"]), int(attributes["free"])
        self.value = value  # [rows, columns] of `fixed`
        eye = np.eye(self.rows, self.columns)
        entries = self.rows * self.columns
        self.basis = {  # [free, rows, columns]: the matrix is the sum of u_i basis_i (+ value)
            "full": np.eye(entries).reshape(entries, self.rows, self.columns), "diagonal": eye[:, :, None] * eye[:, None, :],
            "scalar": eye[None], "skew": np.array([[[0.0, -1.0], [1.0, 0.0]]]), "fixed": np.zeros((0, self.rows, self.columns))}[self.form]

    def free_numbers(self, matrix, layer):
        """The free numbers of a matrix; ValueError where the form cannot express it."""
        matrix = np.asarray(matrix, dtype=float).reshape(self.rows, self.columns)
        u = np.einsum("irc,rc->i", self.basis, matrix) / np.maximum(np.einsum("irc,irc->i", self.basis, self.basis), 1)
        made = np.einsum("i,irc->rc", u, self.basis) + (self.value if self.form == "fixed" else 0)
        if not np.isfinite(matrix).all():
            raise ValueError("layer %d: %s is not finite" % (layer, self.name))
        away = np.abs(matrix - made).max()
        if away > 1e-12 * max(1.0, np.abs(matrix).max()):
            raise ValueError("layer %d: %s has form %s, which cannot express it (off by %.3g)" % (layer, self.name, self.form, away))
        return u


def make_forms(control, matrix):
    """The form of each matrix by its name, in the order of u, from the attributes in /control; matrix: of a layer, which has the value of `fixed`."""
    forms = []
    for name, attributes in control.items():
        for head in range(int(attributes.get("heads", 1))):  # one for the matrices of many heads, `stride` numbers apart
            each = {**attributes, "offset": attributes["offset"] + head * attributes.get("stride", 0)}
            own = "%s_%d" % (name, head) if "heads" in attributes else name
            forms.append(Form(own, each, np.reshape(matrix[own], (int(attributes["rows"]), -1))))
    # A form without free numbers stands before the matrix behind it.
    return {form.name: form for form in sorted(forms, key=lambda form: (form.offset, form.free))}


class Matrices(collections.abc.Mapping):
    """The matrices of a layer by their names, those of many heads in one array: A_0, V_0, A_1, ..., then all others."""

    def __init__(self, A, V, others):
        self.A, self.V, self.others = A, V, others  # [H, d, d]

    def __getitem__(self, name):
        letter, _, head = name.partition("_")
        if letter not in ("A", "V") or not head.isdigit() or int(head) >= len(self.A):
            return self.others[name]
        return getattr(self, letter)[int(head)]

    def __iter__(self):
        for head in range(len(self.A)):
            yield "A_%d" % head
            yield "V_%d" % head
        yield from self.others

    def __len__(self):
        return 2 * len(self.A) + len(self.others)


CONTROLS = {"rollout", "rollout/controls", "model", "model/readout", "model/readout/R", "model/readout/b"}  # all that save_controls writes


def save_controls(path, control, R=None, b=None):
    """A file that `bellformer flow -init` takes; control [T, q]; R [C, d] and b [C] where the problem trains its readout. ValueError where
    another HDF5 file stands there, a result above all."""
    if (R is None) != (b is None):
        raise ValueError("a readout is R and b")
    if h5py.is_hdf5(path):
        names = []
        with h5py.File(path, "r") as f:
            f.visit(names.append)
        if "rollout/controls" not in names or set(names) - CONTROLS:
            raise ValueError("%s holds %s: controls go into a file of their own" % (path, "a result" if "provenance" in names else "other data"))
    with h5py.File(path, "w") as f:
        f["/rollout/controls"] = np.asarray(control, dtype=float)
        if R is not None:
            f["/model/readout/R"], f["/model/readout/b"] = np.asarray(R, dtype=float), np.asarray(b, dtype=float)


# ---- the model -----------------------------------------------------------------------------------------------------------------------


class Prediction:
    """What a model says: a row a sequence in increasing order of their numbers (costs that pool), or a row a token in the order of
    the table. sequence [P], position [P] (None of sequences), representation [P, d]; logits [P, C] and label [P], or value [P, d];
    tokens [T + 1, N, d]."""

    def __init__(self, sequence, position, representation, tokens):
        self.sequence, self.position, self.representation, self.tokens = sequence, position, representation, tokens
        self.logits = self.label = self.value = None


def check_format(f, path):
    """Refuse a result of a format that is not read here (share/doc/formats.md); one without a number is of format 1."""
    group = f.get("provenance")
    number = None if group is None else int(group.attrs.get("format", 1))  # None: a file with controls alone
    if number is not None and not OLDEST <= number <= NEWEST:
        raise ValueError("%s: another version of bellformer wrote it (result format %d, this one reads %d to %d)" % (path, number, OLDEST, NEWEST))


class Model:
    """A result file. data and test: its tables, with z (test is None where the problem has none)."""

    def __init__(self, path):
        self.path = path
        with h5py.File(path, "r") as f:
            if "rollout" not in f:
                raise ValueError("%s: no /rollout: not a finished result of bellformer" % path)
            check_format(f, path)
            self.name, self.layers = text(f.attrs["name"]), int(f.attrs["horizon"])
            self._read_layer(f["layer"])
            self._read_matrices(f)
            self._read_cost(f)
            self.measures = {name: value for name, value in f["rollout"].attrs.items()}
            self.data = self._read_data(f, "data", "tokens")
            self.test = self._read_data(f, "test", "test_tokens") if "test" in f else None

    def _read_layer(self, layer):
        a = layer.attrs
        self.dim, self.heads, self.width = int(a["dim"]), int(a["heads"]), int(a["width"])
        self.residual, self.step, self.beta = float(a["residual"]), float(a["step"]), float(a["beta"])
        self.mask, self.feedforward, self.projection = text(a["mask"]), text(a["feedforward"]), text(a["projection"])
        self.norm = text(a["norm"]) if "norm" in a else "none"  # none in results of before there were norms
        for key, known in WORDS.items():
            self._know(key, getattr(self, key), known)
        self.lower, self.upper = layer["lower"][()], layer["upper"][()]
        self.encoding = np.reshape(layer["encoding"][()], (-1, self.dim)) if "encoding" in layer else None
        self.amplitude = float(a["position_amplitude"]) if "position_amplitude" in a else None  # of a sinusoidal encoding

    def _know(self, key, word, known):
        if word not in known:
            raise ValueError("%s: %s '%s' is unknown here (known: %s); `bellformer eval` reads it" % (self.path, key, word, ", ".join(known)))

    def _read_matrices(self, f):
        """matrix[t]: the matrices of layer t by their names; b1 and b2 as vectors."""
        groups = [f.get("model/layer_%04d" % t, {}) for t in range(self.layers)]  # without heads of their own, beyond 64 heads
        self.matrix = [{name: value[()] for name, value in group.items()} for group in groups]
        if "A" in f["model"]:
            A, V = f["model/A"][()], f["model/V"][()]
            self.matrix = [Matrices(A[t], V[t], others) for t, others in enumerate(self.matrix)]
        known = {"%s_%d" % (name, head) for name in "AV" for head in range(self.heads)} | {"W1", "b1", "W2", "b2", "B"}
        others = sorted(set(self.matrix[0]) - known)
        if others:
            raise ValueError("%s: the layers have a term of a plug-in, with %s, which is unknown here; `bellformer eval -plugin FILE` reads it"
                             % (self.path, ", ".join(others)))
        self.control = f["rollout/controls"][()]
        self._control = self._forms = self.lower_control = self.upper_control = None
        if "control" in f:
            group = f["control"]
            self.lower_control, self.upper_control = group["lower"][()], group["upper"][()]
            self._control = {name: dict(item.attrs) for name, item in group.items() if name not in ("lower", "upper")}
            for name, attributes in self._control.items():
                self._know("the form of " + name, text(attributes["form"]), FORMS)

    @property
    def forms(self):
        """The form of each matrix; None where the result does not tell them."""
        if self._forms is None and self._control is not None:
            self._forms = make_forms(self._control, self.matrix[0])
        return self._forms

    def _read_cost(self, f):
        self.R = self.b = self.cost = None
        self.readout_box = None  # of a trained readout: R_lower, R_upper [C, d], b_lower, b_upper [C]
        if "model/readout" in f:
            self.R, self.b = f["model/readout/R"][()], f["model/readout/b"][()]
        if "cost/readout" in f:
            self.readout_box = {name: item[()] for name, item in f["cost/readout"].items()}
        if "cost" in f:
            self.cost = {name: text(value) if isinstance(value, (bytes, str)) else float(value) for name, value in f["cost"].attrs.items()}
            self._know("pooling", self.cost.get("pooling", POOLING[0]), POOLING)

    def _read_data(self, f, group, tokens):
        t = f[group]
        return Table(t["sequence"][()], t["position"][()], f["rollout/" + tokens][0], t["label"][()] if "label" in t else None,
                     t["target"][()] if "target" in t else None)

    def kind(self):
        """The terminal cost's name."""
        if self.cost is None:
            raise ValueError("%s: no /cost: written by an older bellformer; `bellformer eval` reads it" % self.path)
        return self.cost["terminal"]

    def loss_kind(self):
        """The same, where it is known here."""
        if self.kind() not in (*LABEL_LOSS, "squared_error", "wasserstein"):
            raise ValueError("%s: the loss %s is unknown here; `bellformer eval` computes it" % (self.path, self.kind()))
        return self.kind()

    def pools(self):
        """Whether a sequence stands for itself by one representation; else every token does."""
        self.kind()
        return "pooling" in self.cost

    # ---- layers ----

    def normed(self, z):
        """N(z), which queries, keys, values and the feed-forward part see."""
        return NORM[self.norm](np.asarray(z, dtype=float))

    def encode(self, z, position):
        """z + e_p, z [..., N, d]."""
        if self.encoding is None:
            return z
        most = int(np.max(position))
        if most >= len(self.encoding):
            if self.amplitude is None:
                raise ValueError("%s: position %d, data.position_encoding has %d rows" % (self.path, most, len(self.encoding)))
            self.encoding = sinusoidal(self.amplitude, most + 1, self.dim)
        return z + self.encoding[np.asarray(position)]

    def attention(self, t, z, position, head=0):
        """The weight with which token i of a sequence looks at token j in layer t: [..., N, N] of z [..., N, d], position [N]."""
        position = np.asarray(position)
        s = self.encode(self.normed(z), position)
        logit = self.beta * (s @ self.matrix[t]["A_%d" % head] @ np.swapaxes(s, -1, -2))
        if self.mask == "causal":
            logit = np.where(position[None, :] <= position[:, None], logit, -np.inf)
        weight = np.exp(logit - logit.max(axis=-1, keepdims=True))
        return weight / weight.sum(axis=-1, keepdims=True)

    def velocity(self, t, z, position):
        """v of layer t."""
        n = self.normed(z)
        m, v = self.matrix[t], np.zeros(n.shape)
        for head in range(self.heads):
            v = v + self.attention(t, z, position, head) @ n @ m["V_%d" % head].T
        if self.feedforward != "none":
            v = v + SIGMA[self.feedforward](n @ m["W1"].T + np.ravel(m["b1"])) @ m["W2"].T + np.ravel(m["b2"])
        if "B" in m:
            v = v + np.asarray(z, dtype=float) @ m["B"].T
        return v

    def layer(self, t, z, position):
        """Layer t on sequences z [..., N, d] with the positions [N]."""
        z = self.residual * np.asarray(z, dtype=float) + self.step * self.velocity(t, z, position)
        return self.project(z)

    def project(self, z):
        """P(z)."""
        if self.projection == "none":
            return np.clip(z, -FARTHEST, FARTHEST)
        return np.clip(z, self.lower, self.upper) if self.projection == "clip" else normalize(z)

    def apply(self, z, position):
        """All layers: [T + 1, ..., N, d], the data first. Tokens outside the box are taken as they are: P acts after a layer."""
        tokens = [np.asarray(z, dtype=float)]
        for t in range(self.layers):
            tokens.append(self.layer(t, tokens[-1], position))
        return np.array(tokens)

    def rollout(self, table):
        """A table's tokens through all layers, [T + 1, N, d] in the order of its rows."""
        tokens = np.empty((self.layers + 1, len(table), self.dim))
        for position, rows in table.shapes():
            tokens[:, rows] = self.apply(table.z[rows], position)
        return tokens

    # ---- answers ----

    def pool(self, z, position):
        """The representation [..., d] of sequences z [..., N, d]: the mean over all positions, the last, or the first."""
        position = np.asarray(position)
        at = {"mean": position >= 0, "last": position == position.max(), "first": position == position.min()}[self.cost["pooling"]]
        return z[..., at, :].mean(axis=-2)

    def logits(self, representation):
        """R r + b."""
        return representation @ self.R.T + self.b

    def predict(self, table):
        tokens = self.rollout(table)
        if self.pools():
            contexts = list(table.contexts())
            r = np.array([self.pool(tokens[-1, rows], table.position[rows]) for _, rows in contexts])
            answer = Prediction(np.array([s for s, _ in contexts]), None, r, tokens)
        else:
            answer = Prediction(table.sequence, table.position, tokens[-1], tokens)
        if self.R is None:
            answer.value = answer.representation
        else:
            answer.logits = self.logits(answer.representation)
            answer.label = answer.logits.argmax(axis=-1)
        return answer

    def loss(self, table):
        """Terminal cost and accuracy (NaN with targets) of the table, which must have labels or targets."""
        answer, kind = self.predict(table), self.loss_kind()
        if (table.label if self.R is not None else table.target) is None:
            raise ValueError("%s needs %s" % (kind, "labels" if self.R is not None else "targets"))
        if kind == "squared_error":
            return float(((answer.value - table.target) ** 2).sum(axis=1).mean()), math.nan
        if kind == "wasserstein":
            return self._transport(table, answer.value), math.nan
        label = table.label
        if self.pools():
            label = np.array([table.label[rows[0]] for _, rows in table.contexts()])
        return float(LABEL_LOSS[kind](answer.logits, label).mean()), float(np.mean(answer.label == label))

    def objective(self, table):
        """The loss and the layers' stage costs: `cost` of /rollout."""
        return self.loss(table)[0] + self.step * self.cost["weight_decay"] / 2 * float((self.control ** 2).sum())

    def position_weight(self, table, position):
        """Of wasserstein, for a sequence with these positions; `auto`: 1.01 times what keeps every token at its own position."""
        if self.cost["position_weight"] != "auto":
            return self.cost["position_weight"]
        far = {"clip": (self.lower, self.upper), "sphere": (-1, 1), "none": (-FARTHEST, FARTHEST)}[self.projection]
        lower, upper = np.minimum(self.lower, far[0]), np.maximum(self.upper, far[1])
        lower, upper = np.minimum(lower, table.target.min(axis=0)), np.maximum(upper, table.target.max(axis=0))
        gaps = np.diff(np.unique(position))
        return 1.01 * ((upper - lower) ** 2).sum() / (gaps.min() / (position.max() + 1)) ** 2 if len(gaps) else 0.0

    def coupling(self, table, position, z, target):
        """Of wasserstein: the row of `target` [N, d] that each token of z [N, d] goes to."""
        place = position / (position.max() + 1)
        ground = ((z[:, None] - target[None]) ** 2).sum(axis=2)
        return assignment(ground + self.position_weight(table, position) * (place[:, None] - place[None]) ** 2)

    def _transport(self, table, z):
        losses = []
        for _, rows in table.contexts():
            position = table.position[rows]
            to = self.coupling(table, position, z[rows], table.target[rows])
            far = self.position_weight(table, position) * ((position - position[to]) / (position.max() + 1)) ** 2
            losses.append((((z[rows] - table.target[rows][to]) ** 2).sum(axis=1) + far).mean())
        return float(np.mean(losses))


def load(path):
    """The model of a result of `bellformer solve`, `flow` or `heads`."""
    return Model(path)
