"""Restarts: the same bits as an uninterrupted run, on another number of ranks each time, and every refusal."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import SMALL, Result, await_hearing, await_that, finish, oracle, reference, run, same, spaces, start  # noqa: E402
from harness import only_root, tap  # noqa: E402


def folder():
    return tempfile.TemporaryDirectory(prefix="bf_restart_")


def stopped_in_a_row(space, row=((1, 0), (2, 1), (3, 2), (4, 0), (7, 3))):
    """A time limit stops the run on 1, 2, 3, 4 and 7 ranks in a row; each goes on where the one before it stopped."""
    with folder() as f:
        problem, options = spaces(f)[space]
        wanted, out = reference(problem, options, f), os.path.join(f, "run.h5")
        stops = 0
        for ranks, node_size in row:
            arguments = [problem, "-o", out, "-restart", "auto", *options] if stops % 2 == 0 else ["-restart", out]
            done = run(["solve", *arguments, "-maxh", 0.0001, "-checkpoint_interval", 0, "-node_size", node_size], ranks)
            assert done.returncode in (0, 75), (done.returncode, done.stderr)
            stops += done.returncode == 75
            if done.returncode == 75:
                assert len(done.stderr.splitlines()) == 1 and "go on with: bellformer solve -restart" in done.stderr, done.stderr
        assert stops >= 3, stops
        done = run(["solve", "-restart", out], 2)
        assert done.returncode == 0, done.stderr
        result = Result(out)
        same(wanted, result, space)
        assert not os.path.exists(out + ".checkpoint") and not os.path.exists(out + ".part")
        assert result.attributes["provenance"]["starts"] == stops + 1
        assert abs(result.attributes["provenance"]["q_values"] / wanted.attributes["provenance"]["q_values"] - 1) < 0.5
        assert "finished" in run(["solve", "-restart", out]).stdout


def tables_after_layers():
    """A run without tables that is gone on with by one with tables keeps its layers, also where that is stopped while it builds them."""
    with folder() as f:
        problem, options = spaces(f)["untabled"]
        wanted, out = reference(problem, options, f), os.path.join(f, "run.h5")
        for tables in ("none", "stored", "stored", "none", "stored"):
            arguments = ["-restart", out] if os.path.exists(out + ".checkpoint") else [problem, "-o", out, *options]
            done = run(["solve", *arguments, "-tables", tables, "-maxh", 0.0001, "-checkpoint_interval", 0])
            assert done.returncode in (0, 75), (tables, done.stderr)
        last = run(["solve", "-restart", out])
        assert last.returncode == 0, last.stderr
        same(wanted, Result(out), "tables after layers")
        passed = Result(out).attributes["provenance"]["q_values"] / wanted.attributes["provenance"]["q_values"]
        assert passed < 1.01, passed


def signals_and_files():
    """SIGUSR1 to mpirun, and a STOP file: the piece at hand, a checkpoint, exit 75; the next start takes a STOP file away."""
    with folder() as f:
        problem, options = spaces(f)["full"]
        wanted, out = reference(problem, options, f), os.path.join(f, "run.h5")
        for arguments in ([problem, "-o", out, *options], ["-restart", out]):
            with start(arguments, 2) as process:
                await_hearing(process, signal.SIGUSR1, 2)  # by then a file STOP of an earlier start is gone
                if arguments[0] == problem:
                    process.send_signal(signal.SIGUSR1)
                else:
                    open(os.path.join(f, "STOP"), "w").close()
                status, _, err = finish(process)
            assert status == 75, (status, err)
        assert run(["solve", "-restart", out]).returncode == 0 and not os.path.exists(os.path.join(f, "STOP"))
        same(wanted, Result(out), "signals")


def one_checkpoint(f):
    """A small run that stopped at its first layer's end."""
    path, out = oracle.write(SMALL, f), os.path.join(f, "run.h5")
    done = run(["solve", path, "-o", out, "-space", "full", "-maxh", 1e-9, "-checkpoint_interval", 0])
    assert done.returncode == 75, (done.returncode, done.stderr)
    return path, out


def refuses(arguments, words, status=2):
    done = run(["solve", *arguments])
    assert done.returncode == status and len(done.stderr.splitlines()) == 1, (arguments, done.returncode, done.stderr)
    for word in words:
        assert word in done.stderr, (word, done.stderr)


def refusals():
    with folder() as f:
        path, out = one_checkpoint(f)
        kept = sorted(os.listdir(out + ".checkpoint"))
        refuses([path, "-o", out], ["run.h5.checkpoint", "-restart", "-overwrite"])
        refuses([path, "-o", out, "-restart", "auto", "-space", "reachable"], ["-space was full, now reachable"])
        refuses([path, "-o", out, "-restart", "auto", "-space", "full", "-horizon", "4"], ["horizon was 3, now 4"])
        refuses(["-restart", out, "-horizon", "4"], ["horizon"])
        refuses(["-restart", out, "-o", out + "2"], ["two results"])
        refuses(["-restart", os.path.join(f, "none.h5")], ["none.h5", "neither a checkpoint"])
        refuses(["-restart", "auto"], ["problem file"])
        changed = oracle.write({**SMALL, "step": 0.25}, f)
        refuses([changed, "-o", out, "-restart", "auto"], ["run.h5.checkpoint: step was", "now 0.25"])
        assert sorted(os.listdir(out + ".checkpoint")) == kept


def starts_afresh():
    """-restart auto without a checkpoint, and -overwrite with one."""
    with folder() as f:
        path, out = one_checkpoint(f)
        wanted = reference(path, ["-space", "full"], f)
        assert run(["solve", path, "-o", out, "-space", "full", "-overwrite"]).returncode == 0
        same(wanted, Result(out), "overwrite")
        done = run(["solve", path, "-o", os.path.join(f, "new.h5"), "-space", "full", "-restart", "auto"])
        assert done.returncode == 0, done.stderr
        same(wanted, Result(os.path.join(f, "new.h5")), "auto")


def linked():
    """The folder of checkpoints is a link, as to a scratch disk: a run goes on through it and ends well; link and folder stay, empty."""
    with folder() as f:
        path, out = oracle.write(SMALL, f), os.path.join(f, "run.h5")
        wanted = reference(path, ["-space", "full"], f)
        os.mkdir(os.path.join(f, "scratch"))
        os.symlink("scratch", out + ".checkpoint")
        done = run(["solve", path, "-o", out, "-space", "full", "-maxh", 1e-9, "-checkpoint_interval", 0])
        assert done.returncode == 75 and os.listdir(os.path.join(f, "scratch")), done
        for ranks in (2, 0):
            done = run(["solve", path, "-o", out, "-space", "full", "-restart" if ranks else "-overwrite", *(["auto"] if ranks else [])], ranks)
            assert done.returncode == 0 and not done.stderr, done
            same(wanted, Result(out), "linked")
            assert os.path.islink(out + ".checkpoint") and not os.listdir(os.path.join(f, "scratch"))


def lost_claim():
    """A run whose claim another has taken stops, and leaves the other's files alone."""
    with folder() as f:
        problem, options = spaces(f)["full"]
        out = os.path.join(f, "run.h5")
        claim = os.path.join(out + ".checkpoint", "claim")
        with start([problem, "-o", out, "-checkpoint_interval", "0", *options]) as process:
            assert await_that(process, lambda: os.path.exists(out + ".checkpoint/0000.h5")), finish(process)
            with open(claim, "w") as file:
                file.write("another 1 2.3\n")
            status, _, err = finish(process)
        assert status == 1 and "another run (another 1 2.3) has taken over" in err, (status, err)
        assert open(claim).read().startswith("another") and not os.path.exists(out)


ROOM = 500  # KiB: some of six layers


def disk_full():
    """A disk that fills while a checkpoint is written: one line that names what stands; with room the run goes on."""
    only_root("mount a small disk")
    with folder() as f:
        path = oracle.write({**SMALL, "horizon": 6}, f)
        wanted = reference(path, ["-space", "full"], f)
        disk = os.path.join(f, "disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk" % ROOM, "none", disk], check=True)
        try:
            out = os.path.join(disk, "run.h5")
            for ranks in (0, 2, 3):
                done = run(["solve", path, "-o", out, "-space", "full", "-store_value", 0, "-store_policy", 0, "-checkpoint_interval", 0], ranks)
                if done.returncode == 0:
                    raise AssertionError("the disk was not too small")
                assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, (done.returncode, done.stderr)
                assert "No space left" in done.stderr and "stands" in done.stderr, done.stderr
                shutil.copytree(out + ".checkpoint", os.path.join(f, "run.h5.checkpoint"), dirs_exist_ok=True)
                assert run(["solve", "-restart", os.path.join(f, "run.h5")], ranks).returncode == 0
                got = Result(os.path.join(f, "run.h5"))
                assert got.value == wanted.value and got.actions == wanted.actions
                os.remove(os.path.join(f, "run.h5"))
                shutil.rmtree(out + ".checkpoint")
        finally:
            subprocess.run(["umount", "-l", disk])


QUICK = [("tables after layers", tables_after_layers), ("stopped in a row, reachable", lambda: stopped_in_a_row("reachable")), ("refusals", refusals), ("starting afresh", starts_afresh), ("a linked folder", linked),
         ("a lost claim", lost_claim), ("a full disk", disk_full)]
# All of them where they share most: of the rest, which is saved in the same ways, three.
LONG = [("stopped in a row, full", lambda: stopped_in_a_row("full"))] + [
    ("stopped in a row, %s" % space, lambda space=space: stopped_in_a_row(space, ((3, 2), (1, 0), (4, 0)))) for space in ("unquantized", "tables", "untabled")]
tap(QUICK if "quick" in sys.argv else QUICK + LONG + [("signals and files", signals_and_files)])
