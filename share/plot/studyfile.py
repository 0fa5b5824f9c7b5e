"""A study as plots and reports want it: share/doc/formats.md, A study."""
import os
import sys
from types import SimpleNamespace

import h5py
import numpy as np


def text(value):
    """A text of a file, whatever h5py makes of it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def lines(value):
    return [line for line in text(value).split("\n") if line]


def column(data):
    """Numbers, or a list of texts."""
    values = data[()]
    return values if values.dtype.kind == "f" else [text(value) for value in values]


class Columns(dict):
    """Columns by name; keys: what varies; measures: what was measured, both in the order of the study file."""

    def __init__(self, group):
        self.keys_, self.measures = (lines(group.attrs[name]) for name in ("keys", "measures"))
        super().__init__((name, column(group[name])) for name in self.keys_ + self.measures)
        self.rows = len(next(iter(self.values()))) if self else 0


class Study:
    """name, statement, source, problem, over, points, references, done, failed; table and means (Columns, of means .measures without those of
    standard errors and the like); fits; plot with x, y, log, series and series_of; failures (number, state, message); provenance; yaml."""

    def __init__(self, path):
        try:
            with h5py.File(path, "r") as file:
                self.read(file, path)
        except OSError:
            sys.exit(f"{path}: {'not a whole HDF5 file' if os.path.exists(path) else 'no such file'}")

    def read(self, file, path):
        if "study" not in file or "format" not in file["study"].attrs:
            sys.exit(f"{path}: no result of `bellformer study`")
        about = file["study"].attrs
        if about["format"] != 1:
            sys.exit(f"{path}: another version of bellformer wrote it (study format {about['format']}, this one reads 1)")
        self.path = path
        self.name, self.statement, self.source, self.problem = (text(about[key]) for key in ("name", "statement", "source", "problem"))
        self.over = lines(about["over"])
        self.points, self.references, self.done, self.failed = (int(about[key]) for key in ("points", "references", "done", "failed"))
        self.yaml = file["study/text"][()].tobytes().decode("utf-8", "replace") if "text" in file["study"] else ""
        self.table, self.means = Columns(file["table"]), Columns(file["means"])
        self.measures = self.table.measures
        self.fits = [self.read_fit(file["fits"][name].attrs) for name in sorted(file.get("fits", ()), key=int)]
        self.plot = self.read_plot(file["plot"])
        self.failures = self.read_failures(file["runs"])
        self.provenance = dict(file["provenance"].attrs)

    @staticmethod
    def read_fit(attributes):
        return SimpleNamespace(**{key: text(value) if isinstance(value, (bytes, str)) else value for key, value in attributes.items()})

    @staticmethod
    def read_plot(group):
        attributes = {key: text(value) for key, value in group.attrs.items()}
        return SimpleNamespace(x=attributes["x"], y=list(dict.fromkeys(lines(attributes["y"]))), log=attributes["log"],
                               series=column(group["series"]), series_of=group["series_of"][()])

    @staticmethod
    def read_failures(runs):
        about = ((int(name), {key: text(value) for key, value in run.attrs.items() if key in ("state", "message")}) for name, run in runs.items())
        return sorted((number, run["state"], run.get("message", "")) for number, run in about if run["state"] in ("failed", "set aside"))

    def error(self, name):
        """The standard errors of a column of means; of a key, and where there is nothing to average, None."""
        errors = self.means.get(name + ".standard_error")
        return None if errors is None or np.isnan(errors).all() else errors

    def fit(self, y, series):
        """The fit of y against the plot's x in a series; None: none was asked for."""
        return next((fit for fit in self.fits if (fit.y, fit.x, fit.series) == (y, self.plot.x, series)), None)


def said(fit):
    """What a fit has shown, in words, as the program has them."""
    if np.isnan(fit.exponent):
        return "not fitted: " + fit.why
    if np.isnan(fit.expect):
        return "nothing was expected"
    if fit.inside < 0:
        return fit.why or "no interval"
    if fit.inside:
        return "as expected"
    if fit.exponent * fit.expect < 0:
        return "of the other sign than expected"
    return f"{'steeper' if abs(fit.exponent) > abs(fit.expect) else 'flatter'} than expected"
