"""A result as the plots want it: the model, the table that is looked at, and the tokens that the result holds."""
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import bellformer  # noqa: E402


class Run(bellformer.Model):
    """An open result. tokens is [T + 1, N, d], in the order of the rows of `table`: of the training data, or of the test data."""

    def __init__(self, path, test=False):
        try:
            super().__init__(path)
            self.file = h5py.File(path, "r")
        except OSError:
            sys.exit(f"{path}: {'not a whole HDF5 file' if os.path.exists(path) else 'no such file'}")
        except ValueError as error:
            sys.exit(str(error))
        if test and self.test is None:
            sys.exit(f"{path}: the problem has no test table")
        self.table = self.test if test else self.data
        self.tokens = self.file["rollout/test_tokens" if test else "rollout/tokens"][()]

    def measure(self, name):
        """A number of the rollout (`loss`, `test_accuracy`, ...); None where it is absent or NaN."""
        value = self.measures.get(name)
        return None if value is None or np.isnan(value) else float(value)

    def seen(self, t, rows, head=0):
        """The weights with which the tokens of these rows, one sequence, look at each other in layer t."""
        return self.attention(t, self.tokens[t, rows], self.table.position[rows], head)

    def view(self, pair):
        """The lowest and highest values of some coordinates that a figure shows: Z, and without a projection wherever tokens are."""
        lower, upper = self.lower[pair], self.upper[pair]
        if self.projection != "none":
            return lower, upper
        z = self.tokens[..., pair].reshape(-1, *np.shape(pair))
        return np.minimum(lower, z.min(axis=0)), np.maximum(upper, z.max(axis=0))

    def title(self, test=False):
        """One line: the problem, its sizes and what the trained model attains."""
        start = "test_" if test else ""
        parts = [rf"{self.name}{' (test table)' if test else ''}", rf"$T={self.layers}$"]
        if bellformer.text(self.file.attrs["space"]) not in ("flow", "heads"):
            parts.append(rf"$K={int(self.file.attrs['actions']):,}$".replace(",", r"\,"))
        loss, accuracy = self.measure(start + "loss"), self.measure(start + "accuracy")
        if loss is not None:
            parts.append(f"loss {loss:.4g}")
        if accuracy is not None and self.table.label is not None:
            parts.append(f"accuracy {accuracy:.4g}")
        return ",  ".join(parts)


def number(value):
    """A cost for a title, in mathematics: four digits."""
    digits, _, power = f"{value:.4g}".partition("e")
    return digits + (rf"\times 10^{{{int(power)}}}" if power else "")
