"""A result of `bellformer solve`, read with h5py into numpy arrays, and the attention of its layers."""
import sys

import h5py
import numpy as np


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class Table:
    """A data table, a row a token: sequence, position and label (or target) of every row; None where absent."""

    def __init__(self, group):
        self.sequence, self.position = group["sequence"][()], group["position"][()]
        self.label = group["label"][()] if "label" in group else None
        self.target = group["target"][()] if "target" in group else None

    def contexts(self):
        """The rows of each sequence, in the order of (position, row)."""
        for s in np.unique(self.sequence):
            rows = np.flatnonzero(self.sequence == s)
            yield s, rows[np.argsort(self.position[rows], kind="stable")]


class Run:
    """An open file. tokens is [T + 1, N, d], in the order of the rows of the data table."""

    def __init__(self, path, test=False):
        try:
            self.file = h5py.File(path, "r")
        except OSError as error:
            sys.exit(f"{path}: {error}")
        if "rollout" not in self.file:
            sys.exit(f"{path}: no /rollout: not a finished run")
        self.path = path
        self.rollout = self.file["rollout"]
        if test and "test_tokens" not in self.rollout:
            sys.exit(f"{path}: the problem has no test table")
        self.data = Table(self.file["test" if test else "data"])
        self.tokens = self.rollout["test_tokens" if test else "tokens"][()]
        self.layers, self.dim = self.tokens.shape[0] - 1, self.tokens.shape[2]
        layer = self.file["layer"]
        self.lower, self.upper = layer["lower"][()], layer["upper"][()]
        self.encoding = np.reshape(layer["encoding"][()], (-1, self.dim)) if "encoding" in layer else None
        self.heads, self.beta = int(layer.attrs["heads"]), float(layer.attrs["beta"])
        self.causal = text(layer.attrs["mask"]) == "causal"
        self.name = text(self.file.attrs["name"])

    def measure(self, name):
        """A number of the rollout (`loss`, `test_accuracy`, ...); None where it is absent or NaN."""
        value = self.rollout.attrs.get(name)
        return None if value is None or np.isnan(value) else float(value)

    def attention(self, t, rows, head=0):
        """The weights k(i, j) with which token i looks at token j in layer t: [rows, rows], each row sums to 1."""
        z = self.tokens[t, rows]
        position = self.data.position[rows]
        y = z if self.encoding is None else z + self.encoding[position]
        matrix = self.file[f"model/layer_{t:04d}/A_{head}"][()]
        logit = self.beta * y @ matrix @ y.T
        if self.causal:
            logit[position[:, None] < position[None, :]] = -np.inf
        weight = np.exp(logit - logit.max(axis=1, keepdims=True))
        return weight / weight.sum(axis=1, keepdims=True)

    def title(self, test=False):
        """One line: the problem, its sizes and what the trained model attains."""
        start = "test_" if test else ""
        parts = [rf"{self.name}{' (test table)' if test else ''}", rf"$T={self.layers}$",
                 rf"$K={int(self.file.attrs['actions']):,}$".replace(",", r"\,")]
        loss, accuracy = self.measure(start + "loss"), self.measure(start + "accuracy")
        if loss is not None:
            parts.append(f"loss {loss:.4g}")
        if accuracy is not None and self.data.label is not None:
            parts.append(f"accuracy {accuracy:.4g}")
        return ",  ".join(parts)


def number(value):
    """A cost for a title: four digits."""
    return f"{value:.4g}"
