"""A trained Transformer of bellformer as a torch.nn.Module (Debian: python3-torch), in double precision, and back.

    from torch_model import Transformer
    model = Transformer("xor.h5")
    tokens = model(z, position)                  # z [B, N, d], position [N] or [B, N]: [T + 1, B, N, d]
    logits = model.logits(model.represent(tokens[-1], position))
    J = model.objective(model.source.data)       # what bellformer minimizes; J.backward() gives model.control.grad = dJ/du
    model.save_controls("init.h5")               # bellformer flow PROBLEM.yaml -init init.h5

Parameters are the free numbers u, `control` [T, q], as bellformer counts them: the matrices keep their forms; and `R`, `b` where the problem
trains its readout. With Transformer(path,
parameters="matrices") every matrix of every layer is a parameter of its own, named `layer_0000/A_0` in model.matrix; then save_controls
refuses what a form cannot express. Sequences of different lengths go into one batch with `valid` [B, N], False where there is no token.
Nothing keeps them inside their box: `flow -init` moves what lies outside to the box's border.
"""
import numpy as np
import torch

import bellformer

DOUBLE = torch.float64
def cross_entropy(logits, label):
    return torch.nn.functional.cross_entropy(logits, label, reduction="sum")


def hinge(logits, label):
    own = torch.nn.functional.one_hot(label, logits.shape[-1]).bool()
    rival = logits.masked_fill(own, -torch.inf).max(dim=-1).values
    return torch.relu(1 + rival - logits[own]).sum()


# What representations' logits and labels cost in all, by the name of the terminal cost.
LABEL_LOSS = {"pooled_cross_entropy": cross_entropy, "token_cross_entropy": cross_entropy, "hinge": hinge}
SIGMA = {"tanh": torch.tanh, "relu": torch.relu, "gelu": torch.nn.functional.gelu}


def normalize(z):
    """z / |z|; the origin stays, with derivative 0. Scaled first, so that no square overflows."""
    largest = z.detach().abs().amax(dim=-1, keepdim=True)
    z = z / torch.where(largest > 0, largest, torch.ones_like(largest))
    square = (z * z).sum(dim=-1, keepdim=True)
    return torch.where(square > 0, z / torch.where(square > 0, square, torch.ones_like(square)).sqrt(), z.detach())


class Transformer(torch.nn.Module):
    """source: a bellformer.Model, or the path of a result."""

    def __init__(self, source, parameters="controls"):
        super().__init__()
        if parameters not in ("controls", "matrices"):
            raise ValueError("parameters must be controls or matrices, got %r" % (parameters,))
        self.source = source if isinstance(source, bellformer.Model) else bellformer.load(source)
        if self.source.forms is None:
            raise ValueError("%s: no /control: written by an older bellformer" % self.source.path)
        self.control = self.matrix = None
        if parameters == "controls":
            self.control = torch.nn.Parameter(torch.tensor(self.source.control, dtype=DOUBLE))
            for name, form in self.source.forms.items():
                self.register_buffer("basis_" + name, torch.tensor(form.basis, dtype=DOUBLE), persistent=False)
                if form.form == "fixed":
                    self.register_buffer("value_" + name, torch.tensor(form.value, dtype=DOUBLE), persistent=False)
        else:
            self.matrix = torch.nn.ParameterDict({
                "layer_%04d/%s" % (t, name): torch.nn.Parameter(torch.tensor(np.reshape(value, (self.source.forms[name].rows, -1)), dtype=DOUBLE))
                for t, layer in enumerate(self.source.matrix) for name, value in layer.items()})
        for name in ("R", "b", "lower", "upper"):
            value = getattr(self.source, name)
            value = None if value is None else torch.tensor(value, dtype=DOUBLE)
            if name in ("R", "b") and self.source.readout_box is not None:
                self.register_parameter(name, torch.nn.Parameter(value))
            else:
                self.register_buffer(name, value)

    # ---- layers ----

    def matrices(self, t):
        """The matrices of layer t, [rows, columns] each, by their names."""
        if self.matrix is not None:
            return {name: self.matrix["layer_%04d/%s" % (t, name)] for name in self.source.forms}
        out = {}
        for name, form in self.source.forms.items():
            u = self.control[..., t, form.offset:form.offset + form.free]
            out[name] = getattr(self, "value_" + name) if form.form == "fixed" else torch.einsum("...i,irc->...rc", u, getattr(self, "basis_" + name))
        return out

    def encode(self, z, position):
        if self.source.encoding is None:
            return z
        zero = np.zeros(z.shape[-1])
        return z + torch.as_tensor(self.source.encode(zero, position.cpu().numpy()), dtype=z.dtype, device=z.device)

    def normed(self, z):
        """N(z), which queries, keys, values and the feed-forward part see."""
        return bellformer.NORM[self.source.norm](z)

    def attention(self, t, z, position, head=0, valid=None):
        """[..., N, N], queries down, keys across."""
        position = torch.as_tensor(position, device=z.device)
        s = self.encode(self.normed(z), position)
        logit = self.source.beta * (s @ self.matrices(t)["A_%d" % head] @ s.transpose(-1, -2))
        if self.source.mask == "causal":
            logit = logit.masked_fill(position[..., None, :] > position[..., :, None], -torch.inf)
        if valid is not None:  # a query that is no token itself sees all, and is seen by none
            logit = logit.masked_fill(valid[..., :, None] & ~valid[..., None, :], -torch.inf)
        return torch.softmax(logit, dim=-1)

    def layer(self, t, z, position, valid=None):
        m, v, n = self.matrices(t), torch.zeros_like(z), self.normed(z)
        for head in range(self.source.heads):
            v = v + self.attention(t, z, position, head, valid) @ n @ m["V_%d" % head].mT
        if self.source.feedforward != "none":
            hidden = SIGMA[self.source.feedforward](n @ m["W1"].mT + m["b1"].mT)
            v = v + hidden @ m["W2"].mT + m["b2"].mT
        if "B" in m:
            v = v + z @ m["B"].mT
        z = self.source.residual * z + self.source.step * v
        return self.project(z)

    def project(self, z):
        """P(z)."""
        if self.source.projection == "none":
            return torch.clamp(z, -bellformer.FARTHEST, bellformer.FARTHEST)
        return torch.clamp(z, self.lower, self.upper) if self.source.projection == "clip" else normalize(z)

    def forward(self, z, position, valid=None):
        """z [..., N, d] to [T + 1, ..., N, d]; position [N] or [..., N]."""
        tokens = [torch.as_tensor(z, dtype=self.lower.dtype, device=self.lower.device)]
        for t in range(self.source.layers):
            tokens.append(self.layer(t, tokens[-1], position, valid))
        return torch.stack(tokens)

    # ---- answers ----

    def represent(self, z, position, valid=None):
        """r [..., d] of final tokens z [..., N, d] for costs that pool; of the others a token stands for itself."""
        if not self.source.pools():
            return z
        position = torch.as_tensor(position, device=z.device).expand(z.shape[:-1])
        there = torch.ones_like(position, dtype=torch.bool) if valid is None else valid
        pooling = self.source.cost["pooling"]
        if pooling == "last":
            there = there & (position == position.masked_fill(~there, -1).amax(dim=-1, keepdim=True))
        elif pooling == "first":
            there = there & (position == position.masked_fill(~there, 2**40).amin(dim=-1, keepdim=True))
        weight = there.to(z.dtype)
        return (weight[..., None, :] @ z)[..., 0, :] / weight.sum(dim=-1, keepdim=True)

    def logits(self, representation):
        return representation @ self.R.T + self.b

    def loss(self, table):
        """Terminal cost of a bellformer.Table with labels or targets, differentiable."""
        kind, total = self.source.loss_kind(), 0
        pooled = self.source.pools() or kind == "wasserstein"
        count = sum(1 for _ in table.contexts()) if pooled else len(table)
        for position, rows in table.shapes():
            z = self(table.z[rows], position)[-1]
            total = total + self._sum(table, kind, position, rows, z)
        return total / count

    def _sum(self, table, kind, position, rows, z):
        """Over the sequences (or tokens) of one shape."""
        if self.R is not None:
            r = self.represent(z, position)
            label = torch.as_tensor(table.label[rows if r.dim() == 3 else rows[:, 0]])
            return LABEL_LOSS[kind](self.logits(r).reshape(-1, len(self.b)), label.reshape(-1))
        target = table.target[rows]
        if kind == "squared_error":
            return ((z - torch.as_tensor(target)) ** 2).sum()
        total = 0
        for k in range(len(rows)):
            to = self.source.coupling(table, position, z[k].detach().numpy(), target[k])
            far = self.source.position_weight(table, position) * ((position - position[to]) / (position.max() + 1)) ** 2
            total = total + (((z[k] - torch.as_tensor(target[k][to])) ** 2).sum(dim=1) + torch.as_tensor(far)).mean()
        return total

    def objective(self, table):
        """The loss and the layers' stage costs eps lambda/2 |u|^2."""
        u = self.control if self.matrix is None else self._free()
        return self.loss(table) + self.source.step * self.source.cost["weight_decay"] / 2 * (u ** 2).sum()

    def _free(self):
        """u [T, q] from the matrices, differentiable; for matrices that their forms express."""
        rows = []
        for t in range(self.source.layers):
            m, parts = self.matrices(t), []
            for name, form in self.source.forms.items():
                basis = torch.as_tensor(form.basis)
                parts.append(torch.einsum("irc,rc->i", basis, m[name]) / torch.einsum("irc,irc->i", basis, basis))
            rows.append(torch.cat(parts))
        return torch.stack(rows)

    # ---- back to bellformer ----

    def controls(self):
        """u [T, q] in numpy. ValueError where a matrix is not what its form can express, or a number is not finite."""
        if self.matrix is None:
            u = self.control.detach().numpy().copy()
            if not np.isfinite(u).all():
                raise ValueError("controls are not finite")
            return u
        forms = self.source.forms
        return np.array([np.concatenate([forms[name].free_numbers(m.detach().numpy(), t) for name, m in self.matrices(t).items()])
                         for t in range(self.source.layers)])

    def save_controls(self, path):
        """A file that `bellformer flow -init` takes."""
        trained = self.source.readout_box is not None
        if trained and not (torch.isfinite(self.R).all() and torch.isfinite(self.b).all()):
            raise ValueError("the readout is not finite")
        bellformer.save_controls(path, self.controls(), *([x.detach().numpy() for x in (self.R, self.b)] if trained else []))
