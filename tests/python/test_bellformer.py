"""share/python/bellformer.py: what numpy makes of a result's layers is what the program says, for every option of a layer and a cost."""
import os
import sys
import tempfile

import h5py
import numpy as np

from results import CASES, DISCRETE, SHARE, evaluated, ok, oracle, run, tap
import bellformer


def check(p, path, folder):
    model = bellformer.load(path)
    with h5py.File(path) as f:
        tokens, a = f["rollout/tokens"][()], dict(f["rollout"].attrs)
        stored = f["layer/encoding"][()] if "encoding" in f["layer"] else None
        assert (stored is None) == (model.encoding is None)
    assert np.abs(model.rollout(model.data) - tokens).max() < 1e-12
    loss, accuracy = model.loss(model.data)
    assert abs(loss - a["loss"]) <= 1e-12 * max(1, abs(loss)), (loss, a["loss"])
    assert accuracy == a["accuracy"] or np.isnan(accuracy) and np.isnan(a["accuracy"]), (accuracy, a["accuracy"])
    assert abs(model.objective(model.data) - a["cost"]) <= 1e-12 * max(1, a["cost"])
    ok(run(["eval", path, "-o", folder + "/eval.h5", "-overwrite"]))
    answer = model.predict(model.data)
    with h5py.File(folder + "/eval.h5") as f:
        said = f["prediction"]
        assert (said["sequence"][()] == answer.sequence).all() and ("position" in said) == (answer.position is not None)
        if answer.logits is None:
            assert np.abs(said["value"][()] - answer.value).max() < 1e-12 and answer.label is None
        else:
            assert np.abs(said["representation"][()] - answer.representation).max() < 1e-12
            assert np.abs(said["logits"][()] - answer.logits).max() < 1e-12 * max(1, np.abs(answer.logits).max()) and (said["class"][()] == answer.label).all()
    for t in range(model.layers):
        for name, form in model.forms.items():
            u = form.free_numbers(model.matrix[t][name], t)
            assert (u == model.control[t, form.offset:form.offset + form.free]).all(), name
    for s, rows in model.data.contexts():
        for head in range(model.heads):
            weight = model.attention(0, model.data.z[rows], model.data.position[rows], head)
            assert weight.shape == (len(rows), len(rows)) and np.abs(weight.sum(axis=1) - 1).max() < 1e-14


def every_option():
    for name, p in CASES.items():
        with tempfile.TemporaryDirectory(prefix="bf_python_") as folder:
            path = evaluated(p, folder)[1]
            try:
                check(p, path, folder)
            except AssertionError as error:
                raise AssertionError(name) from error


def sinusoidal():
    """A formula goes on to positions that the result has not stored."""
    p = CASES["flow: pooled cross entropy, decay"]
    with tempfile.TemporaryDirectory(prefix="bf_python_") as folder:
        path = evaluated(p, folder, "-data_position_encoding", "sinusoidal", "-data_position_amplitude", "0.75")[1]
        check(p, path, folder)
        longer = {**p, "rows": [(s, n + 4 * s, label, z) for s, n, label, z in p["rows"]]}
        oracle.write(longer, folder, "longer")
        ok(run(["eval", path, "-data", folder + "/longer.csv", "-o", folder + "/out.h5"]))
        model = bellformer.load(path)
        table = bellformer.read_table(folder + "/longer.csv", 2)
        with h5py.File(folder + "/out.h5") as f:
            assert np.abs(model.rollout(table) - f["tokens"][()]).max() < 1e-12
            assert abs(model.loss(table)[0] - f.attrs["loss"]) < 1e-12


def attributes():
    """Everything that a reader needs stands in attributes: no YAML."""
    p = CASES["flow: two heads, forms, last position"]
    with tempfile.TemporaryDirectory(prefix="bf_python_") as folder:
        with h5py.File(evaluated(p, folder)[1]) as f:
            cost, control = f["cost"].attrs, f["control"]
            assert bellformer.text(cost["terminal"]) == "pooled_cross_entropy" and bellformer.text(cost["pooling"]) == "last"
            assert cost["classes"] == 2 and cost["readouts"] == 1 and cost["weight_decay"] == 0
            assert bellformer.text(f["layer"].attrs["position_encoding"]) == "none"
            for name, rows, columns, form, offset, free, _ in oracle.matrices(p)[0]:
                a = control[name].attrs
                assert (bellformer.text(a["form"]), a["rows"], a["columns"], a["offset"], a["free"]) == (form, rows, columns, offset, free)
            ranges = [spec["range"] for _, _, _, _, _, free, spec in oracle.matrices(p)[0] for _ in range(free)]
            assert (control["lower"][()] == [r[0] for r in ranges]).all() and (control["upper"][()] == [r[1] for r in ranges]).all()


def many_heads():
    """Beyond 64 heads matrices stand in arrays, forms once for all heads where they are alike; a reader of before is told by the format."""
    p = CASES["many heads"]
    other = {**p, "control": {**p["control"], "A_1": {"form": "diagonal", "range": [-1, 1]}}}
    for q, alike in ((p, True), (other, False), ({**p, "heads": 64}, None)):
        with tempfile.TemporaryDirectory(prefix="bf_python_") as folder:
            path = evaluated(q, folder)[1]
            check(q, path, folder)
            with h5py.File(path) as f:
                stacked = alike is not None
                assert f["provenance"].attrs["format"] == (4 if stacked else 3) and ("A_0" in f["control"]) == (not alike)
                assert ("A" in f["model"]) == stacked == ("A_0" not in f["model/layer_0000"]) and "W1" in f["model/layer_0002"]
                assert not stacked or f["model/A"].shape == (3, 66, 2, 2) == f["model/V"].shape
                assert not alike or f["control/V"].attrs["stride"] == 8 and f["control/V"].attrs["heads"] == 66


def tables():
    """CSV and HDF5 alike; order of columns, comments, blanks, a byte order mark."""
    with tempfile.TemporaryDirectory(prefix="bf_python_") as folder:
        with open(folder + "/t.csv", "w", encoding="utf-8") as out:
            out.write("\ufeff# a comment\n\n z1, position,sequence ,z0\n 1.5, 1, 7, 0.25\n\n-1,0,3,2\n")
        t = bellformer.read_table(folder + "/t.csv", 2)
        assert t.z.tolist() == [[0.25, 1.5], [2, -1]] and t.sequence.tolist() == [7, 3] and t.label is None and t.target is None
        with h5py.File(folder + "/t.h5", "w") as f:
            f["sequence"], f["position"], f["z0"], f["z1"] = [7, 3], [1, 0], [0.25, 2], [1.5, -1]
        again = bellformer.read_table(folder + "/t.h5", 2)
        assert (again.z == t.z).all() and (again.position == t.position).all()
        for missing in ("z2", "sequence"):
            try:
                bellformer.read_table(folder + "/t.csv", 3)
                raise AssertionError("read without z2")
            except ValueError as error:
                assert "z2" in str(error)


def older():
    """A result of before /cost and /control: its layers apply, what is missing is said."""
    with tempfile.TemporaryDirectory(prefix="bf_python_") as folder:
        path = evaluated(DISCRETE["two contexts of two tokens"], folder)[1]
        with h5py.File(path, "a") as f:
            del f["cost"], f["control"]
        model = bellformer.load(path)
        with h5py.File(path) as f:
            assert np.abs(model.rollout(model.data) - f["rollout/tokens"][()]).max() < 1e-12
        try:
            model.loss(model.data)
            raise AssertionError("a loss without a kind")
        except ValueError as error:
            assert "/cost" in str(error) and "older" in str(error)
        assert "loss" in ok(run(["eval", path]))
        with h5py.File(path, "a") as f:
            f["model/layer_0000/G"] = np.eye(2)
        try:
            bellformer.load(path)
            raise AssertionError("a term that is unknown")
        except ValueError as error:
            assert "plug-in, with G" in str(error)


def unknown():
    """A word that a later bellformer may write is refused by name, not taken for another; and no controls are written over a result, or a
    file of another's."""
    with tempfile.TemporaryDirectory(prefix="bf_python_") as folder:
        path = evaluated(CASES["flow: two heads, forms, last position"], folder)[1]
        for group, key, word in (("layer", "mask", "banded"), ("layer", "feedforward", "swish"), ("layer", "projection", "torus"), ("layer", "norm", "batch"),
                                 ("cost", "pooling", "middle"), ("control/V_0", "form", "toeplitz")):
            with h5py.File(path, "a") as f:
                kept, f[group].attrs[key] = f[group].attrs[key], word
            try:
                bellformer.load(path)
                raise AssertionError("read with %s %s" % (key, word))
            except ValueError as error:
                assert key in str(error) and "'%s' is unknown" % word in str(error) and path in str(error), error
            with h5py.File(path, "a") as f:
                f[group].attrs[key] = kept
        model = bellformer.load(path)
        try:
            bellformer.save_controls(path, model.control)
            raise AssertionError("controls in place of a result")
        except ValueError as error:
            assert path + " holds a result" in str(error)
        for readout in ((), (model.R, model.b), ()):  # controls may be replaced
            bellformer.save_controls(folder + "/init.h5", model.control, *readout)
        for members in ([], ["sequence", "position"], ["rollout", "mine"], ["rollout/mine"], ["rollout/controls", "rollout/tokens"]):
            with h5py.File(folder + "/other.h5", "w") as f:
                for name in members:
                    f[name] = [1.0]
            try:
                bellformer.save_controls(folder + "/other.h5", model.control)
                raise AssertionError("controls in place of %s" % members)
            except ValueError as error:
                assert "other.h5 holds other data" in str(error), error
            with h5py.File(folder + "/other.h5", "r") as f:
                assert all(name in f for name in members)


def imports():
    """numpy and h5py are all that the file takes from outside Python."""
    with open(os.path.join(SHARE, "python", "bellformer.py")) as source:
        taken = {line.split()[1].split(".")[0] for line in source if line.startswith(("import ", "from "))}
    assert taken - set(sys.stdlib_module_names) == {"numpy", "h5py"}, taken


tap([("layers, losses and attention", every_option), ("sinusoidal encoding", sinusoidal), ("attributes", attributes),
     ("many heads", many_heads), ("tables", tables), ("older results", older), ("unknown words", unknown), ("one file", imports)])
