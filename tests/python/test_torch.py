"""share/python/torch_model.py: equal to eval, gradients, batches, many starts (share/studies/adam.py), and back into `flow -init`. SKIPped where there
is no torch."""
import os
import sys
import tempfile

try:
    import torch
except ImportError:
    print("1..0 # SKIP PyTorch (python3-torch) is not there")
    sys.exit(0)
import h5py
import numpy as np

from results import CASES, FLOW, continuous, evaluated, ok, oracle, run, tap
import bellformer
from torch_model import Transformer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "share", "studies"))
import adam

torch.set_num_threads(1)
SMOOTH = [name for name in CASES if name.startswith("flow: ")] + ["clip acts", "a trained readout"]


def with_result(work, names, *options):
    for name in names:
        with tempfile.TemporaryDirectory(prefix="bf_torch_") as folder:
            try:
                work(CASES[name], *evaluated(CASES[name], folder, *options), folder)
            except AssertionError as error:
                raise AssertionError(name) from error


def same(p, problem, path, folder):
    with h5py.File(path) as f:
        tokens, a = f["rollout/tokens"][()], dict(f["rollout"].attrs)
    for parameters in ("controls", "matrices"):
        model = Transformer(path, parameters)
        table = model.source.data
        for position, rows in table.shapes():
            assert np.abs(model(table.z[rows], position).detach().numpy() - tokens[:, rows]).max() < 1e-12
        assert abs(model.loss(table).item() - a["loss"]) <= 1e-12 * max(1, a["loss"]), (model.loss(table).item(), a["loss"])
        assert abs(model.objective(table).item() - a["cost"]) <= 1e-12 * max(1, a["cost"])
        assert (model.controls() == model.source.control).all()


def equal():
    with_result(same, CASES)


def gradient(p, problem, path, folder):
    """dJ/du of autograd against the program's discrete adjoint of the same layers, P included, and central differences."""
    model = Transformer(path)
    table = model.source.data
    J = model.objective(table)
    J.backward()
    g = model.control.grad.numpy()
    with h5py.File(path) as f:
        adjoint, cost = f["flow/gradient"][()], f["flow"].attrs["cost"]
        for x in ("R", "b") if model.source.readout_box else ():
            assert np.abs(getattr(model, x).grad.numpy() - f["flow/readout_gradient/" + x][()]).max() < 1e-13, x
        acts = np.abs(f["rollout/tokens"][1:] - np.clip(f["rollout/tokens"][1:], 0.999999 * model.source.lower, 0.999999 * model.source.upper)).max() > 0
    scale = max(1e-3, np.abs(g).max())
    assert abs(J.item() - cost) <= 1e-12 * max(1, cost), (J.item(), cost)
    assert np.abs(g - adjoint).max() < 1e-11 * scale, np.abs(g - adjoint).max() / scale
    differences(model, table, g, scale)
    return bool(acts)


def differences(model, table, g, scale):
    u, h = model.control.detach().numpy().copy(), 1e-5
    for i in np.ndindex(*u.shape):
        J = []
        for side in (1, -1):
            changed = u.copy()
            changed[i] += side * h
            with torch.no_grad():
                model.control.copy_(torch.tensor(changed))
                J.append(model.objective(table).item())
        assert abs((J[0] - J[1]) / (2 * h) - g[i]) < 1e-7 * scale, (i, (J[0] - J[1]) / (2 * h), g[i])


def gradients():
    acts = {}
    for name in SMOOTH:
        with_result(lambda *a, name=name: acts.update({name: gradient(*a)}), [name], "-scheme", "layers")
    assert acts["clip acts"] and any(model.startswith("flow: sphere") for model in acts), acts


def batches():
    """Sequences of different lengths in one batch, filled up with tokens that are none, give what each gives alone, and the same gradient."""
    for name in ("flow: lengths that differ", "flow: causal, encoding, tanh", "clip acts", "flow: two heads, forms, last position"):
        with tempfile.TemporaryDirectory(prefix="bf_torch_") as folder:
            model = Transformer(evaluated(CASES[name], folder)[1])
            table = model.source.data
            contexts = [rows for _, rows in table.contexts()]
            longest = max(map(len, contexts)) + 1
            z = np.full((len(contexts), longest, 2), 0.7)
            position, valid = np.zeros((len(contexts), longest), int), np.zeros((len(contexts), longest), bool)
            for k, rows in enumerate(contexts):
                z[k, :len(rows)], position[k, :len(rows)], valid[k, :len(rows)] = table.z[rows], table.position[rows], True
            valid = torch.tensor(valid)
            tokens = model(z, torch.tensor(position), valid)
            logits = model.logits(model.represent(tokens[-1], torch.tensor(position), valid))
            label = torch.tensor([table.label[rows[0]] for rows in contexts])
            loss = torch.nn.functional.cross_entropy(logits, label)
            assert abs(loss.item() - model.loss(table).item()) < 1e-13
            both = [torch.autograd.grad(x, model.control)[0] for x in (loss, model.loss(table))]
            assert torch.abs(both[0] - both[1]).max() < 1e-13
            answer = model.source.predict(table)
            assert np.abs(answer.logits - logits.detach().numpy()).max() < 1e-12


def started(problem, init, folder):
    out = folder + "/again.h5"
    ok(run(["flow", problem, "-o", out, "-overwrite", "-scheme", "euler", "-tao_max_it", 0, "-init", init]))
    with h5py.File(out) as f:
        return f["rollout/controls"][()], float(f["rollout"].attrs["cost"])


def back():
    """Trained a few steps by torch, saved, and taken by `flow -init`: the same controls, the same cost."""
    for name in ("flow: two heads, forms, last position", "flow: causal, encoding, tanh", "flow: r = 0, relu, squared error", "a trained readout"):
        with tempfile.TemporaryDirectory(prefix="bf_torch_") as folder:
            problem, path = evaluated(CASES[name], folder)
            for parameters in ("controls", "matrices"):
                model = Transformer(path, parameters)
                if parameters == "controls":
                    descent = torch.optim.SGD(model.parameters(), lr=0.02)
                    for _ in range(3):
                        descent.zero_grad()
                        model.objective(model.source.data).backward()
                        descent.step()
                    trained = model.controls()
                    assert np.abs(trained - model.source.control).max() > 1e-4
                    assert (len(list(model.parameters())) == 3) == (name == "a trained readout")
                    readout = None if model.R is None else (model.R.detach().clone(), model.b.detach().clone())
                    assert readout is None or (readout[0].numpy() != model.source.R).any() == (name == "a trained readout")
                    forms = model.source.forms
                else:  # the same numbers, put in as matrices
                    with torch.no_grad():
                        if readout:
                            model.R.copy_(readout[0]), model.b.copy_(readout[1])
                        for t in range(model.source.layers):
                            for name_, form in forms.items():
                                u = trained[t, form.offset:form.offset + form.free]
                                made = np.einsum("i,irc->rc", u, form.basis) + (form.value if form.form == "fixed" else 0)
                                model.matrix["layer_%04d/%s" % (t, name_)].copy_(torch.tensor(made))
                assert np.abs(model.controls() - trained).max() < 1e-15
                model.save_controls(folder + "/init.h5")
                control, cost = started(problem, folder + "/init.h5", folder)
                box = np.clip(trained, model.source.lower_control, model.source.upper_control)
                assert np.abs(control - box).max() < 1e-15
                if (box == trained).all():
                    assert abs(cost - model.objective(model.source.data).item()) < 1e-12


def refused():
    """What a form cannot express is refused by layer, name and form; a loss that is unknown, by name."""
    with tempfile.TemporaryDirectory(prefix="bf_torch_") as folder:
        path = evaluated(CASES["flow: two heads, forms, last position"], folder)[1]
        for name, entry, form in (("A_0", (0, 1), "diagonal"), ("A_1", (0, 0), "skew"), ("V_0", (1, 1), "scalar"), ("V_1", (0, 0), "fixed")):
            model = Transformer(path, "matrices")
            with torch.no_grad():
                model.matrix["layer_0002/" + name][entry] += 1e-6
            try:
                model.save_controls(folder + "/init.h5")
                raise AssertionError("taken: " + name)
            except ValueError as error:
                assert "layer 2" in str(error) and name in str(error) and form in str(error), error
        with h5py.File(path, "r+") as f:
            del f["control"]
        try:
            Transformer(path)
            raise AssertionError("taken: a result without forms")
        except ValueError as error:
            assert "older" in str(error)
        path = evaluated(CASES["flow: r = 0, relu, squared error"], folder)[1]
        with h5py.File(path, "r+") as f:
            f["cost"].attrs["terminal"] = "absolute_error"
        model = Transformer(path)
        for of in (model, model.source):
            try:
                of.loss(model.source.data)
                raise AssertionError("taken for another loss")
            except ValueError as error:
                assert "the loss absolute_error is unknown" in str(error), error
        path = evaluated(CASES["flow: two heads, forms, last position"], folder)[1]
        model = Transformer(path)
        with torch.no_grad():
            model.control[0, 0] = float("nan")
        try:
            model.controls()
            raise AssertionError("taken: nan")
        except ValueError as error:
            assert "finite" in str(error)


def many(p, problem, path, folder):
    """Many controls at once cost what each costs alone; Adam from them ends no higher than it began, within the box."""
    source = bellformer.load(path)
    if source.loss_kind() in ("hinge", "wasserstein") or source.readout_box is not None or source.cost["readouts"] > 1:
        return
    control = np.random.default_rng(0).uniform(source.lower_control, source.upper_control, (3,) + source.control.shape)
    shapes, alone = adam.read_shapes(source), Transformer(source)
    costs = adam.Starts(source, control).costs(shapes).detach().numpy()
    for u, cost in zip(control, costs):
        alone.control.data = torch.tensor(u)
        J = alone.objective(source.data).item()
        assert abs(cost - J) <= 1e-12 * max(1, J), (cost, J)
    least = adam.descend(source, shapes, control, 0.01, 3)
    assert (least <= costs).all() and (least < costs).any(), (least, costs)
    told = adam.row(path, 3, 2, 0)
    assert float(told["least"]) <= float(told["median"]) and 0 <= float(told["above"]) <= 1 and abs(float(told["result"]) / source.objective(source.data) - 1) < 1e-8


def starts():
    with_result(many, SMOOTH, "-scheme", "layers")


def not_for_adam():
    """Results whose J is not what Adam would minimize: of another scheme, of a decision between readouts."""
    with tempfile.TemporaryDirectory(prefix="bf_torch_") as folder:
        path = evaluated(CASES["clip acts"], folder)[1]
        decision = evaluated(CASES["flow: sphere, a decision"], folder, "-scheme", "layers", name="decision")[1]
        for result, words in ((path, "-scheme euler"), (decision, "a decision")):
            try:
                adam.row(result, 3, 2, 0)
                raise AssertionError("taken: " + words)
            except SystemExit as error:
                assert words in str(error), error


tap([("equal to the program", equal), ("gradients", gradients), ("batches", batches), ("many starts, Adam", starts), ("results that Adam is not for", not_for_adam), ("back into flow", back), ("forms", refused)])
