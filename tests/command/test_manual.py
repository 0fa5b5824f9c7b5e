"""Help and manual pages come from one table: every option stands in both; pages render; what a run without -o says."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "solve"))
from harness import BELLFORMER, run, tap  # noqa: E402

XOR = os.path.join(os.environ["BELLFORMER_PROBLEMS"], "xor", "xor.yaml")
README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")


def said(*words):
    done = run(words)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


# The program's own table: what `bellformer help` lists.
COMMANDS = [name for name in re.findall(r"^  (\w+) ", said("help").split("commands:\n")[1], re.M) if name != "help"]


def options(command):
    return re.findall(r"^  -(\w+)", said("help", command), re.M)


def one_table():
    """Every option of help in the page, in the same order; lines of help end by column 100."""
    for command in COMMANDS:
        names = options(command)
        shared = {"best", "init"} if command == "info" else set()  # of two trainers, each with its own meaning
        assert "quiet" in names and all(names.count(name) == 1 + (name in shared) for name in names), names
        assert re.findall(r'^\.BI \\-(\w+) ', said("help", "-man", command), re.M) == names, command
        assert max(len(line) for line in said("help", command).splitlines()) <= 100, command
    assert {"o", "overwrite", "restart", "maxh", "checkpoint_interval"} <= set(options("solve")) & set(options("flow"))


def lists():
    """help, help help and the page of the program list every command."""
    assert {"solve", "flow", "info", "eval"} <= set(COMMANDS), COMMANDS
    assert said() == said("help") == said("help", "help") == said("--help")
    for command in COMMANDS:
        assert "\n  " + command in said("help") and "bellformer\\-" + command in said("help", "-man") == said("help", "-man", "help")
    assert run(["help", "-man", "solv"]).returncode == 2


def taken():
    """What the tables list is taken, with the range that they say."""
    for command, option, value, words in (("solve", "stability", "1001", "between 0 and 1000, got 1001"), ("solve", "stability", "x", "whole number"),
                                          ("flow", "tolerance", "2", "between 1e-15 and 1, got 2"), ("flow", "scheme", "rk5", "rk4"),
                                          ("solve", "space", "ful", "full or reachable, got 'ful'"), ("solve", "maxh", "-1", "between 0 and"),
                                          ("solve", "store_value", "2", "1 or 0"), ("flow", "seed", "-1", "between 0 and 9223372036854775807")):
        done = run([command, XOR, "-" + option, value])
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and words in done.stderr, (option, done.stderr)
    for i in ("layers", "euler", "rk4", "bs3", "dopri5"):
        assert i in said("help", "flow")


def readme():
    """Options that the README names in a line of bellformer are options of that command, of PETSc or keys of a problem."""
    text = open(README).read()
    lines = re.findall(r"^.*bellformer (%s) (.*)$" % "|".join(COMMANDS), text, re.M)
    assert len(lines) > 4, lines
    for command, rest in lines:
        for name in re.findall(r"(?:^|[ `])-([a-z]\w*)", rest.split("#")[0].split("`")[0]):
            assert name in options(command), (command, name, rest)


def rendered():
    """troff finds nothing to warn of, and all of the text comes out."""
    if not shutil.which("groff"):
        raise AssertionError("groff is missing: apt-get install groff-base")
    for command in (None, *COMMANDS):
        page = said("help", "-man", *([command] if command else []))
        done = subprocess.run(["groff", "-man", "-Tascii", "-P-c", "-ww", "-rLL=200n"], input=page, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, (command, done.stderr)
        text = re.sub(".\b", "", done.stdout)
        for name in options(command) if command else COMMANDS:
            assert ("-" if command else "") + name in text, (command, name)
        for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"):
            assert heading in text, (command, heading)


def nothing_saved():
    """Without -o: said at the start, and at the end the line that would have saved it, which does."""
    with tempfile.TemporaryDirectory(prefix="bf_manual_") as f:
        for command, more in (("solve", ["-space", "reachable"]), ("flow", ["-scheme", "euler", "-tao_max_it", "2"])):
            for ranks in (0, 2):
                words = [command, XOR, *more, "-name", "two words"]
                done = run(words, ranks, cwd=f)
                lines = done.stdout.splitlines()
                start = [i for i, line in enumerate(lines) if "without -o nothing will be saved" in line]
                end = [i for i, line in enumerate(lines) if line.startswith("nothing was saved; this line would have: ")]
                assert done.returncode == 0 and len(start) == len(end) == 1 and start < end, done.stdout
                line = shlex.split(lines[end[0]].split(": ", 1)[1])
                launch = ["mpirun", "-n", "2"] if ranks else []
                out = line[-1]
                assert line == [*launch, BELLFORMER, *words, "-o", out] and not os.path.exists(os.path.join(f, out)), line
                again = subprocess.run(line, cwd=f, capture_output=True, text=True)
                assert again.returncode == 0 and os.path.exists(os.path.join(f, out)) and "nothing was saved" not in again.stdout, again
            quiet = run([command, XOR, *more, "-quiet"], cwd=f)
            assert quiet.returncode == 0 and quiet.stdout == "", quiet.stdout
        assert sorted(os.listdir(f)) == ["xor-2.h5", "xor-3.h5", "xor-4.h5", "xor.h5"]


def usage_under_mpirun():
    """One line where mpirun is told not to add its own; its exit code is ours."""
    for words in (["solv"], ["solve", "none.yaml"], ["solve", XOR, "-space", "ful"]):
        done = subprocess.run(["mpirun", "-n", "3", BELLFORMER, *words], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "OMPI_MCA_orte_execute_quiet": "1"})
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and done.stderr.startswith("bellformer: "), done


tap([("one table", one_table), ("lists", lists), ("ranges", taken), ("README", readme), ("pages render", rendered),
     ("without -o", nothing_saved), ("usage errors under mpirun", usage_under_mpirun)])
