"""bellformer study as a user meets it: its numbers are those of single runs, on any ranks and in parts; what is wrong is said before
anything runs, what fails afterwards; the same line goes on, a changed one keeps what it still contains."""
import csv
import os
import sys
import tempfile

import h5py

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
from harness import run, tap  # noqa: E402

XOR = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "xor", "xor.yaml")
FOLDER = tempfile.TemporaryDirectory(prefix="bf_study_")
STUDY = """problem: %s
set: {space: reachable, horizon: 1}
vary:
  - {quantize.cells: [%s]}
  - {control.A.levels: 2, control.V.levels: 2}
runs:
  - {name: program, command: solve}
  - {name: refined, command: flow, set: {init: program, tao_max_it: 3}}
  - {name: there, command: eval, set: {model: refined, data: table.csv}}
reference: {quantize.cells: 0}
measure:
  value: program/rollout@quantized_cost
  error: {of: value, minus: reference}
  flow: refined/rollout@cost
  loss: there@loss
"""


def path(name):
    return os.path.join(FOLDER.name, name)


def write(name, text):
    with open(path(name), "w") as f:
        f.write(text)
    return path(name)


def table(name):
    with open(path(name)) as f:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(f)]


def good(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def number(name, group, attribute):
    with h5py.File(path(name)) as f:
        return float(f[group].attrs[attribute])


def single_runs():
    """Columns are the numbers of the three commands, run one by one; the reference is the run at its values."""
    write("table.csv", "sequence,position,label,z0,z1\n0,0,0,-1,-1\n0,1,0,-1,1\n1,0,1,1,-1\n1,1,1,1,1\n")
    write("q.yaml", STUDY % (XOR, "4, 8"))
    good(run(["study", path("q.yaml"), "-o", path("q.h5"), "-quiet"]))
    seen = table("q.csv")
    assert [row["quantize.cells"] for row in seen] == [4, 8]
    keys = ["-horizon", 1, "-control_A_levels", 2, "-control_V_levels", 2]
    for row, cells in zip(seen, (4, 8)):
        good(run(["solve", XOR, "-space", "reachable", "-quantize_cells", cells, *keys, "-o", path("p.h5"), "-overwrite"]))
        good(run(["flow", XOR, "-init", path("p.h5"), "-tao_max_it", 3, *keys, "-o", path("f.h5"), "-overwrite"]))
        good(run(["eval", path("f.h5"), "-data", path("table.csv"), "-o", path("e.h5"), "-overwrite"]))
        assert row["value"] == number("p.h5", "rollout", "quantized_cost")
        assert row["flow"] == number("f.h5", "rollout", "cost")
        assert row["loss"] == number("e.h5", "/", "loss") == number("e.h5", "prediction", "loss")
    good(run(["solve", XOR, "-space", "reachable", "-quantize_cells", 0, *keys, "-o", path("p.h5"), "-overwrite"]))
    for row in seen:
        assert row["error"] == abs(row["value"] - number("p.h5", "rollout", "quantized_cost"))


def ranks_and_parts():
    """The same table on two ranks, and from parts; a part that is missing is said."""
    good(run(["study", path("q.yaml"), "-o", path("r.h5"), "-ranks", 1, "-quiet"], ranks=2))
    assert open(path("r.csv")).read() == open(path("q.csv")).read()
    good(run(["study", path("q.yaml"), "-o", path("s.h5"), "-part", "1/2", "-quiet"]))
    done = run(["study", path("q.yaml"), "-o", path("s.h5"), "-gather"])
    assert done.returncode == 1 and "part 2 of 2 is missing" in done.stderr, done
    good(run(["study", path("q.yaml"), "-o", path("s.h5"), "-part", "2/2", "-quiet"]))
    assert "joined 2 of 2 parts: 3 of 3 points" in good(run(["study", path("q.yaml"), "-o", path("s.h5"), "-gather"]))
    assert open(path("s.csv")).read() == open(path("q.csv")).read()


def gathers_its_own():
    """Parts of another study, of changed data, or of fewer points than STUDY.h5 holds are not joined over it."""
    def gather(study, *words):
        return run(["study", path(study), "-o", path("s.h5"), "-gather", *words])

    before = open(path("s.h5"), "rb").read()
    write("g.yaml", (STUDY % (XOR, "4, 8")).replace("horizon: 1", "horizon: 2"))
    done = gather("g.yaml")
    assert done.returncode == 2 and done.stderr.strip().endswith("s.h5: the parts that are there hold no point of this study"), done
    write("s.yaml", STUDY % (XOR, "4, 8, 5"))
    good(run(["study", path("s.yaml"), "-o", path("s.h5"), "-quiet"]))
    assert "joined 2 of 2 parts: 4 of 4 points" in good(gather("s.yaml"))
    assert len(table("s.csv")) == 3
    more = open(path("s.h5"), "rb").read()
    assert more != before
    done = gather("q.yaml")
    assert done.returncode == 2 and "s.h5 holds 1 point that the study no longer has" in done.stderr, done
    assert open(path("s.h5"), "rb").read() == more
    good(gather("q.yaml", "-overwrite"))
    assert open(path("s.csv")).read() == open(path("q.csv")).read()
    problem = write("t.yaml", open(XOR).read().replace("xor.csv", "s.csv"))
    write("s.csv", open(XOR.replace(".yaml", ".csv")).read())
    done = run(["study", problem, "-vary", "horizon 1 2", "-o", path("s.h5"), "-gather"])
    assert done.returncode == 2 and "s.csv" in done.stderr and open(path("s.csv")).read() == open(XOR.replace(".yaml", ".csv")).read(), done


def goes_on():
    """A finished study has nothing to do; one that has changed runs what it had not."""
    assert "all 3 points were run before" in good(run(["study", path("q.yaml"), "-o", path("q.h5")]))
    write("q.yaml", STUDY % (XOR, "4, 8, 5"))
    assert "kept 3 of 4 points" in good(run(["study", path("q.yaml"), "-o", path("q.h5")]))
    assert [row["quantize.cells"] for row in table("q.csv")] == [4, 8, 5]
    done = run(["study", path("q.yaml"), "-dry"])
    assert done.returncode == 0 and "3 points and 1 reference, 3 runs each: program refined there" in done.stdout, done


def kept(name):
    """Of each point of NAME.h5: its key, as /runs tells it, and the cost in the result that NAME.d/KEY has of it, or None."""
    found = []
    with h5py.File(path(name + ".h5")) as f:
        for number in sorted(f["runs"]):
            key = f["runs"][number].attrs["key"]
            key = key.decode() if isinstance(key, bytes) else str(key)
            result = os.path.join(path(name + ".d"), key, "solve.h5")
            found.append((key, float(h5py.File(result)["rollout"].attrs["cost"]) if os.path.exists(result) else None))
    return found


def keeps():
    """Results stand by what points are, whatever their number; what has none is told; one that the log does not know of is gone on from."""
    words = ["study", XOR, "-space", "reachable", "-horizon", 1, "-control_A_levels", 2, "-measure", "cost", "-o", path("k.h5")]
    good(run([*words, "-vary", "quantize_cells 4 8", "-keep", "-quiet"]))
    assert [cost for _, cost in kept("k")] == [row["cost"] for row in table("k.csv")]
    first = dict(kept("k"))
    good(run([*words, "-vary", "quantize_cells 5 8", "-quiet", "-overwrite"]))
    done = run([*words, "-vary", "quantize_cells 5 6 8", "-keep"])
    assert done.returncode == 0 and done.stderr == "bellformer: warning: 1 point was run before, without -keep: %s has no results of it\n" % path("k.d"), done
    assert [cost for _, cost in kept("k")] == [None] + [row["cost"] for row in table("k.csv")][1:], kept("k")
    assert set(first) < set(os.listdir(path("k.d")))
    for name in ("k.h5", "k.csv"):
        os.rename(path(name), path("old-" + name))
    good(run([*words, "-vary", "quantize_cells 8", "-keep", "-quiet"]))
    assert starts("k.h5") == [1], "a study without records begins anew"
    write("k.yaml", "problem: %s\nset: {space: reachable, horizon: 1, control.A.levels: 2}\nvary:\n  - {quantize.cells: 8}\n"
          "measure: {cost: cost, tokens: {of: solve/rollout/tokens, norm: max}}\n" % XOR)
    more = good(run(["study", path("k.yaml"), "-o", path("k.h5"), "-keep"]))
    assert "1 point is run again, which has not been asked for solve/rollout/tokens" in more and starts("k.h5") == [1] and kept("k")[0][1] is not None, more


def starts(name):
    with h5py.File(path(name)) as f:
        return [int(point["solve/provenance"].attrs["starts"]) for point in f["runs"].values()]


def measures_more():
    """A dataset that was not looked for is; one that no run has written was, and is not again."""
    few, most = "measure: {value: program/rollout@cost}\n", """measure:
  value: program/rollout@cost
  tokens: {of: program/rollout/tokens, minus: refined/rollout/tokens, norm: rms}
  largest: {of: program/value, norm: max}
"""
    begin = (STUDY % (XOR, "4, 8")).split("reference:")[0].replace("  - {name: there, command: eval, set: {model: refined, data: table.csv}}\n", "")
    write("m.yaml", begin + few)
    good(run(["study", path("m.yaml"), "-o", path("m.h5"), "-quiet"]))
    parts, join = [["study", path("m.yaml"), "-o", path("parts.h5"), "-quiet", "-part", part] for part in ("1/2", "2/2")], ["study", path("m.yaml"), "-o", path("parts.h5"), "-gather"]
    for words in (*parts, join):
        good(run(words))
    write("m.yaml", begin + most)
    done = good(run(["study", path("m.yaml"), "-o", path("m.h5")]))
    assert "2 points are run again, which have not been asked for program/rollout/tokens" in done, done
    good(run(["study", path("m.yaml"), "-o", path("n.h5"), "-quiet"]))
    assert open(path("m.csv")).read() == open(path("n.csv")).read()
    good(run(parts[0]))
    done = run(join)
    assert done.returncode == 1 and "1 of 2 points are not there, or lack what is measured; their parts go on" in done.stderr, done
    assert "measure: largest: the runs at 1 of 1 points have written no number program/value" in done.stderr and "measure: tokens" not in done.stderr, done
    good(run(parts[1]))
    good(run(join))
    assert open(path("parts.csv")).read() == open(path("n.csv")).read()
    rows = table("m.csv")
    assert all(row["tokens"] >= 0 and row["largest"] != row["largest"] for row in rows), rows
    assert "all 2 points were run before" in good(run(["study", path("m.yaml"), "-o", path("m.h5")]))
    write("m.yaml", begin + few)
    assert "all 2 points were run before" in good(run(["study", path("m.yaml"), "-o", path("m.h5")]))


def another_problem():
    """-problem in place of the file's: the numbers of a file that names it, and of the line that gives up what was there."""
    write("q.yaml", STUDY % (XOR, "4"))
    write("other.yaml", open(XOR).read().replace("xor.csv", os.path.join(os.path.dirname(XOR), "xor.csv")).replace("weight_decay:", "weight_decay: 0.1 #"))
    write("o.yaml", STUDY % ("other.yaml", "4"))
    good(run(["study", path("o.yaml"), "-o", path("o.h5"), "-quiet"]))
    lost = run(["study", path("q.yaml"), "-problem", path("other.yaml"), "-o", path("q.h5"), "-quiet"])
    assert lost.returncode == 2 and "holds 4 points that the study no longer has" in lost.stderr, lost
    good(run(["study", path("q.yaml"), "-problem", path("other.yaml"), "-o", path("q.h5"), "-quiet", "-overwrite"]))
    assert open(path("o.csv")).read() == open(path("q.csv")).read()
    done = run(["study", XOR, "-vary", "horizon 1 2", "-problem", XOR, "-dry"])
    assert done.returncode == 2 and "option -problem goes with a study file" in done.stderr, done


def fails():
    """A point that fails has its line; the others are done; exit 1."""
    words = ["study", XOR, "-vary", "quantize_cells 3 10", "-space", "full", "-horizon", 1, "-control_A_levels", 2, "-measure", "cost",
             "-memory", 4, "-o", path("u.h5")]
    done = run(words)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done
    assert "1 of 2 points failed, the first: quantize.cells 10" in done.stderr and "failed: quantize.cells 10" in done.stdout, done
    rows = table("u.csv")
    assert rows[0]["cost"] > 0 and rows[1]["cost"] != rows[1]["cost"]
    if "sanitized" in sys.argv:  # which keep what was freed
        return
    words = ["study", XOR, "-vary", "horizon 3 1", "-space", "reachable", "-quantize_cells", 0, "-control_A_levels", 4, "-control_V_levels", 4, "-measure", "cost",
             "-memory", 0.12, "-o", path("outgrown.h5")]  # what outgrows memory on its way would stop again and again
    done = run(words)
    assert done.returncode == 1 and "1 of 2 points failed, the first: horizon 3: solve: the reachable space outgrows memory" in done.stderr, done
    assert table("outgrown.csv")[1]["cost"] > 0 and not os.path.exists(path("outgrown.h5.checkpoint"))


def wrong():
    """What is wrong is said with its point before anything is made: one line, exit 2."""
    study = STUDY % (XOR, "4, 8")
    for old, new, text in (("4, 8", "4, 0.5", "w.yaml: vary: quantize.cells 0.5, control.A.levels 2, control.V.levels 2: program: -quantize_cells is "
                            "not an integer"),
                           ("tao_max_it: 3", "tao_max_it: -3", "w.yaml: vary: quantize.cells 4, control.A.levels 2, control.V.levels 2: refined: option "
                            "-tao_max_it must be at least 0"),
                           ("tao_max_it: 3", "steps: 3", "refined: option -steps has no meaning where -scheme is layers"),
                           ("table.csv", "none.csv", "there: cannot read"),
                           ("cells: 0", "cells: -1", "w.yaml: vary: the reference, quantize.cells -1"),
                           ("there@loss", "there@los", "w.yaml: line 15: measure: loss: eval writes no /@los, did you mean /@loss?"),
                           ("there@loss", "there@w1", "w.yaml: line 15: measure: loss: eval writes /@w1 where option w1 asks for it, which no point does"),
                           ("there@loss", "{of: there/closed_loop_prediction/logits, norm: max}", "where option closed_loop asks for it"),
                           (XOR, "w.yaml", "problem: w.yaml is a study file"),
                           ("reachable, horizon: 1}\nvary:\n  - {quantize.cells: [4, 8]", "full, horizon: 1}\nvary:\n  - {quantize.cells: [4, 16]",
                            "quantize.cells 16, control.A.levels 2, control.V.levels 2: program: the full space has more than 2^62 measures"),
                           (XOR, "none.yaml", "none.yaml: No such file"),
                           ("vary:", "very:", "w.yaml: line 3: unknown key very, did you mean vary?")):
        assert old in study
        write("w.yaml", study.replace(old, new))
        done = run(["study", path("w.yaml"), "-o", path("w.h5")])
        assert done.returncode == 2 and text in done.stderr and len(done.stderr.splitlines()) == 1, (new, done)
        assert not [name for name in os.listdir(FOLDER.name) if name.startswith("w.") and name != "w.yaml"]
    for words, text in (([], "no study: it has neither"), (["-vary", "quantize_cels 4"], "unknown key quantize_cels, did you mean quantize.cells?"),
                        (["-vary", "quantize_cells 4", "-part", "3/2"], "-part must be I/N"), (["-dry", "-part", "x"], "-part must be I/N"),
                        (["-dry", "-part", "1/2"], "option -dry tells of all points: leave out -part"),
                        *((["-gather", *words], "option -gather joins all parts and runs nothing: leave out " + words[0])
                          for words in (["-part", "1/2"], ["-retry"], ["-keep"], ["-ranks", "2"], ["-maxh", "1"], ["-dry"])),
                        (["-vary", "quantize_cells 4", "-ovr", "x"], "unknown")):
        done = run(["study", XOR, "-o", path("w.h5"), *words])
        assert done.returncode == 2 and text in done.stderr and len(done.stderr.splitlines()) == 1, (words, done)
    done = run(["study", path("q.yaml"), "-vary", "horizon 1 2", "-dry"])
    assert done.returncode == 2 and "option -vary goes with a problem file" in done.stderr, done
    done = run(["study", path("q.yaml")])
    assert done.returncode == 2 and "study needs -o" in done.stderr, done


def nowhere():
    """A key that every run sets itself cannot be given for all: in the file, on the line."""
    study = (STUDY % (XOR, "4, 8")).replace(", horizon: 1", "").replace("command: solve", "command: solve, set: {horizon: 1}").replace("{init", "{horizon: 1, init")
    write("n.yaml", study)
    assert "refined" in good(run(["study", path("n.yaml"), "-dry"]))
    done = run(["study", path("n.yaml"), "-dry", "-horizon", 2])
    assert done.returncode == 2 and "n.yaml: option -horizon: horizon is set by every run that takes it" in done.stderr, done
    write("n.yaml", study.replace("reachable}", "reachable, horizon: 2}"))
    done = run(["study", path("n.yaml"), "-dry"])
    assert done.returncode == 2 and "n.yaml: line 2: set: horizon is set by every run that takes it" in done.stderr, done


def unwritten():
    """What a measure names and the runs of this problem do not write has a line; and so has a reference that is each point itself."""
    write("un.yaml", "problem: %s\nset: {space: reachable, horizon: 1}\nvary: [{quantize.cells: [4, 8]}]\nreference: {horizon: 1}\n"
          "measure:\n  cost: cost\n  test: solve/rollout@test_loss\n  error: {of: cost, minus: reference}\n" % XOR)
    done = run(["study", path("un.yaml"), "-o", path("un.h5")])
    assert done.returncode == 0 and done.stderr.splitlines() == [
        "bellformer: warning: the reference is each point itself: every difference to it is 0",
        "bellformer: warning: measure: test: the runs at 4 of 4 points have written no number solve/rollout@test_loss"], done
    assert [row["error"] for row in table("un.csv")] == [0, 0]


def waste():
    """Runs that nothing uses and formulas that are finite nowhere have a line; points beyond the memory are counted: 10^16 measures, two layers of V and a policy of 20 bytes each."""
    write("v.yaml", (STUDY % (XOR, "4, 8")).replace("  flow: refined/rollout@cost\n  loss: there@loss\n", "  never: {formula: 1 / (quantize.cells - quantize.cells)}\n"
                                                    "  once: {formula: 1 / (quantize.cells - 4)}\n  later: {formula: value / 0}\n"))
    done = run(["study", path("v.yaml"), "-dry", "-memory", 4])
    assert done.returncode == 0 and "may need more" not in done.stdout, done
    assert done.stderr.splitlines() == ["bellformer: warning: the run there is measured by nothing and used by no later run",
                                        "bellformer: warning: measure: never: 1 / (quantize.cells - quantize.cells) is finite at no point"], done
    done = run(["study", XOR, "-vary", "quantize_cells 2 10", "-space", "full", "-horizon", 1, "-control_A_levels", 2, "-measure", "cost", "-memory", 1, "-dry"])
    assert done.returncode == 0 and not done.stderr, done
    assert "  1 of 2 points may need more than the 1 GB a node has, up to 200 PB" in done.stdout, done


tap([("columns are the numbers of single runs", single_runs), ("the same on two ranks, and in parts", ranks_and_parts),
     ("parts are joined of one study", gathers_its_own), ("the same line goes on, a changed study keeps its points", goes_on),
     ("results are kept by what points are", keeps), ("what is measured anew is looked for", measures_more), ("another problem", another_problem),
     ("points that fail are listed", fails), ("wrong input", wrong), ("a key that has no effect", nowhere),
     ("what is not written is told", unwritten), ("waste is told", waste)])
