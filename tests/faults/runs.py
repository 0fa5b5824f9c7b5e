"""Short runs of every command, what they read, and what is right after each."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
import oracle  # noqa: E402
from cases import A2, CASES, READOUT, V2, population, sequences  # noqa: E402
from harness import ALONE, Result  # noqa: E402

SMALL = oracle.problem(rows=sequences(2, 2, seed=3), horizon=3, terminal="pooled_cross_entropy", readout=READOUT, weight_decay=2**-6,
                       cells=[2, 3], control={"A": {"form": "scalar", **A2}, "V": {"form": "diagonal", **V2}})
ONE_SEQUENCE = {name: p for name, p in CASES.items() if len({row[0] for row in p["rows"]}) == 1}
CHECKPOINTS = ["-checkpoint_interval", "0"]
TRAINED = {"full": ["solve", "-space", "full", "-stability", "1", "-best", "2"], "reachable": ["solve", "-space", "reachable", "-best", "3", "-zoom", "1"],
           "beam": ["solve", "-beam", "3", "-beam_doublings", "1"],
           "flow": ["flow", "-tao_max_it", "2", "-scheme", "rk4", "-steps", "2"],
           "groups": ["flow", "-tao_max_it", "3", "-scheme", "layers", "-starts", "5", "-start_ranks", "1"]}


def program():
    return os.environ["BELLFORMER_FAULTS"]


def alone(arguments, cwd=None, **environment):
    """On one rank, without a launcher."""
    return subprocess.run([program()] + arguments, capture_output=True, text=True, timeout=120, env={**ALONE, **environment}, cwd=cwd)


class Case:
    """A command line, the folder that it works on (a copy of `template`), and what must be there after a good run."""

    again = ()  # options of the start after a failed one
    first = ()  # classes of calls that come before others where few are taken
    does_without = None  # what it says where a part failed that it can do without: the answer is another one

    def __init__(self, name, template, arguments, out=None, wanted=None, old=None):
        self.name, self.template, self.arguments, self.out, self.wanted, self.old = name, template, arguments, out, wanted, old

    def folder(self, where):
        shutil.rmtree(where, ignore_errors=True)
        shutil.copytree(self.template, where)
        return where


def train(root, name):
    """A finished result of each trainer, in root/done."""
    command, *options = TRAINED[name]
    out = os.path.join(root, "done", name + ".h5")
    done = alone([command, os.path.join(root, "done", "problem.yaml"), "-o", out, *options])
    assert done.returncode == 0, done.stderr
    return out


def stopped(root, name):
    """A folder with the checkpoint of a run that stopped half way."""
    command, *options = TRAINED[name]
    template = os.path.join(root, "stopped_" + name)
    shutil.copytree(os.path.join(root, "problem"), template)
    out = os.path.join(template, "run.h5")
    done = alone([command, os.path.join(template, "problem.yaml"), "-o", out, *options, *CHECKPOINTS, "-maxh", "1e-9"])
    assert done.returncode == 75, (done.returncode, done.stderr)
    return template


STUDY = """
problem: problem.yaml
set: {space: reachable, horizon: 1}
vary:
  - {quantize.transition: [nearest, split]}
  - {control.A.levels: [1, 2]}
reference: {quantize.transition: split}
measure: {value: solve/rollout@quantized_cost, error: {of: solve/rollout/tokens, minus: reference}}
fit: [{y: value, x: control.A.levels}]
"""


def study(root):
    """Points that fail are records of it, which the next start takes up."""
    template = os.path.join(root, "study")
    shutil.copytree(os.path.join(root, "problem"), template)
    with open(os.path.join(template, "study.yaml"), "w") as out:
        out.write(STUDY)
    shutil.copytree(template, template + "_done")
    done = alone(["study", os.path.join(template + "_done", "study.yaml"), "-o", os.path.join(template + "_done", "s.h5")])
    assert done.returncode == 0, done.stderr
    case = Case("study", template, ["study", "study.yaml", "-o", "s.h5", "-ranks", "1"], "s.h5", Result(os.path.join(template + "_done", "s.h5")))
    case.again = ("-retry",)
    return case


# Certificates: of a result, of what solve and flow find before it; and what check says of one.
CERTIFIED = {"certify": ["-found", "found.h5", "-boxes", "300", "-gap", "0.001"], "certify searched": ["-boxes", "8", "-horizon", "1"]}


def certificates(root, found):
    cases = []
    for name, options in CERTIFIED.items():
        template = os.path.join(root, name.replace(" ", "_"))
        shutil.copytree(os.path.join(root, "problem"), template)
        shutil.copy(found, os.path.join(template, "found.h5"))
        line = ["certify", "problem.yaml", "-o", "run.h5", *options]
        done = alone(line, cwd=template)
        assert done.returncode == 0, done.stderr
        case = Case(name, template, [*line, "-overwrite"], "run.h5", Result(os.path.join(template, "run.h5")), "run.h5")
        case.first = ("petsc", "memory")  # of solve and flow
        case.does_without = "left out: out of memory"  # then it begins from less, and has other bits
        cases.append(case)
    cases.append(Case("check", template, ["check", "run.h5"]))
    template = os.path.join(root, "stopped_certify")
    shutil.copytree(os.path.join(root, "certify"), template)
    os.remove(os.path.join(template, "run.h5"))
    done = alone([*cases[0].arguments, *CHECKPOINTS, "-maxh", "1e-9"], cwd=template)
    assert done.returncode == 75, done.stderr
    return cases + [Case("restart certify", template, ["certify", "-restart", "run.h5"], "run.h5", cases[0].wanted)]


def make(root):
    """All cases. A run that trains has a result in its place, which it is to overwrite."""
    problem = os.path.join(root, "problem")
    os.makedirs(problem)
    oracle.write(SMALL, problem)
    shutil.copytree(problem, os.path.join(root, "done"))
    results = {name: train(root, name) for name in TRAINED}
    cases = [Case("info", problem, ["info", "problem.yaml"])]
    for name, (command, *options) in TRAINED.items():
        template = os.path.join(root, "fresh_" + name)
        shutil.copytree(problem, template)
        shutil.copy(results["full"], os.path.join(template, "run.h5"))
        cases.append(Case(name, template, [command, "problem.yaml", "-o", "run.h5", "-overwrite", *options, *CHECKPOINTS], "run.h5",
                          Result(results[name]), "run.h5"))
    for name in TRAINED:
        cases.append(Case("restart " + name, stopped(root, name), [TRAINED[name][0], "-restart", "run.h5"], "run.h5",
                          Result(results[name])))
    for name, options in (("full", ()), ("full", ("-closed_loop",)), ("flow", ())):
        template = os.path.join(root, "eval_" + name + "".join(options))
        shutil.copytree(problem, template)
        shutil.copy(results[name], os.path.join(template, "run.h5"))
        out = os.path.join(template, "tokens.h5")
        done = alone(["eval", os.path.join(template, "run.h5"), "-o", out, *options])
        assert done.returncode == 0, done.stderr
        wanted = Result(out)
        shutil.copy(results["full"], out)
        cases.append(Case("eval " + name + "".join(options), template, ["eval", "run.h5", "-o", "tokens.h5", "-overwrite", *options], "tokens.h5",
                          wanted, "tokens.h5"))
    return cases + certificates(root, results["reachable"]) + [study(root)]
