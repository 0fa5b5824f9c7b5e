"""Studies that are stopped and killed: only points in flight are lost, they go on from their checkpoints, the table has the bits of a study in
peace on any ranks and groups; a point that was in flight in two crashes is set aside. Seeds are fixed."""
import functools
import glob
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checkpoint"))
from faults import PROBLEMS, Started as start, await_that, claim, finish, kill_all, ranks_of  # noqa: E402
from harness import PATIENCE, run, tap  # noqa: E402

import h5py  # noqa: E402

STATES = ("begun", "stopped", "done", "failed", "set aside")


def line(folder, large=True):
    """Six points of some 10 ms; or six of up to a second, whose checkpoints are written after every piece of work."""
    out = os.path.join(folder, "s.h5")
    common = ["-measure", "cost,loss", "-o", out, "-quiet"]
    if not large:
        return out, ["study", os.path.join(PROBLEMS, "xor", "xor.yaml"), "-vary", "horizon 1 2; cost_weight_decay 0 0.001 0.002",
                     "-quantize_cells", "2", "-store_value", "0", "-store_policy", "0", *common]
    return out, ["study", os.path.join(PROBLEMS, "iris", "iris.yaml"), "-vary", "action_count 18 25; action_seed 1..3",
                 "-horizon", "3", "-over", "action_seed", "-checkpoint_interval", "0", *common]


def table(out):
    with open(out[:-3] + ".csv") as f:
        return f.read()


@functools.cache
def wanted(large, ranks=0, *options):
    with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
        out, words = line(folder, large)
        done = run(words + list(options), ranks)
        assert done.returncode == 0, done.stderr
        assert not os.path.exists(out + ".checkpoint"), os.listdir(out + ".checkpoint")
        return table(out)


def read_logs(out):
    """Bytes of all logs; again from the list where a study takes some away meanwhile, for one that has all that they had."""
    while True:
        try:
            return [open(path, "rb").read() for path in sorted(glob.glob(out + ".checkpoint/*.log"), key=lambda name: name.replace(".log", "").replace("-", "~"))]
        except FileNotFoundError:
            continue


def states(out):
    """key: state, from the logs, as src/study/record.c writes them."""
    found = {}
    for rest in read_logs(out):
        while rest[:4] == b"BFr1":
            size, key, state = struct.unpack("<q32si", rest[4:48])
            if len(rest) >= size:
                found[key] = STATES[state]
            rest = rest[size:]
    return found


def done_of(out):
    return {key for key, state in states(out).items() if state == "done"}


def is_over(out):
    """Whether the result has every point and the logs are going, the newest start's own first: a kill there finds no record in them."""
    if glob.glob(out + ".checkpoint/[0-9][0-9][0-9][0-9].log") or not os.path.exists(out):
        return False
    with h5py.File(out) as f:
        return int(f["study"].attrs["done"]) == 6


def starts(out):
    """Number of the newest start."""
    return max([int(os.path.basename(path)[:4]) for path in glob.glob(out + ".checkpoint/*.log")], default=0)


def await_flight(process, out, before=0):
    """Until a point is in flight in a start behind number `before`: its key."""
    def begun():
        return [key for key, state in states(out).items() if state == "begun"] if starts(out) > before else []
    keys = await_that(process, begun)
    assert keys, "no point in flight: " + str(finish(process))
    return keys[0]


def same_bits():
    first = wanted(False)
    assert first.count("\n") == 7, first
    for ranks, options in ((2, ["-ranks", "1"]), (2, ["-ranks", "2"]), (3, ["-ranks", "2"]), (3, [])):
        assert wanted(False, ranks, *options) == first, (ranks, options)


def await_end(out):
    """A rank may outlive its launcher: what it still does in the next start's place is lost, as it should be."""
    until = time.monotonic() + PATIENCE
    while subprocess.run(["pgrep", "-f", out], capture_output=True).stdout:
        assert time.monotonic() < until, "a rank that does not end"
        time.sleep(0.02)


def all_kept(out, keys):
    """Whether -keep has the whole result of each of these points."""
    for key in keys:
        with h5py.File(os.path.join(out[:-3] + ".d", key.decode(), "solve.h5")) as f:
            assert f["rollout"].attrs["cost"] > 0


def await_progress(process, out, before, count):
    """Until it has claimed the study, since a launcher that loses a rank as it starts it may wait for good; and so many points are done."""
    await_that(process, lambda: claim(out) != before and len(done_of(out)) >= count)


def kill_one(draw, process):
    try:
        os.kill(draw.choice(ranks_of(process)), signal.SIGKILL)
    except ProcessLookupError:  # it has just ended
        pass


def kills():
    """What was done stays, with its results where they are kept."""
    draw, first, seen = random.Random(5), wanted(True), set()
    with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
        out, words = line(folder)
        words.append("-keep")
        hurt = 0
        for number in range(6):
            before = claim(out)
            with start(words + ["-retry", "-ranks", draw.choice("12")], draw.choice((0, 2, 3))) as process:
                await_progress(process, out, before, len(seen) + number % 2)
                time.sleep(draw.uniform(0, 0.8))
                if process.poll() is None:
                    hurt += 1
                    kill_all(process) if draw.random() < 0.5 else kill_one(draw, process)
                status, _, err = finish(process)
            assert "taken over" not in err, err
            await_end(out)
            if status == 0 or is_over(out):
                assert table(out) == first
                break
            now = done_of(out)
            assert now >= seen, "a point that was done is not any more"
            seen = now
            all_kept(out, seen)
        told = "all 6 points were run before" if len(seen) == 6 or is_over(out) else "kept %d of 6 points" % len(seen)
        last = run([w for w in words if w != "-quiet"] + ["-retry"], 2)
        assert last.returncode == 0, last.stderr
        assert not seen or status == 0 or told in last.stdout, (len(seen), last.stdout)
        assert table(out) == first and not os.path.exists(out + ".checkpoint")
        assert len(os.listdir(out[:-3] + ".d")) == 6
        all_kept(out, [key.encode() for key in os.listdir(out[:-3] + ".d")])
        assert hurt and seen, "no kill came behind a point that was done"
        print("# killed %d times, %d points were done before the last start" % (hurt, len(seen)))


def stop(how, ranks, *options):
    first = wanted(True)
    with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
        out, words = line(folder)
        with start(words + list(options), ranks) as process:
            key = await_flight(process, out)
            if how == "STOP":
                open(os.path.join(folder, "STOP"), "w").close()
            else:
                process.send_signal(how)
            status, _, err = finish(process)
        lines = [text for text in err.splitlines() if text.startswith("bellformer: ")]
        assert status == (1 if how == signal.SIGTERM and ranks else 75) and len(lines) == 1 and "the same line goes on" in lines[0], (status, err)
        now = states(out)
        if "stopped" in lines[0]:
            assert "begun" not in now.values() and now[key] in ("done", "stopped"), now
            with h5py.File(out) as f:
                assert int(f["study"].attrs["done"]) == len(done_of(out)) < 6
        else:  # there was no time for a checkpoint: no crash
            assert glob.glob(out + ".checkpoint/*.interrupted"), os.listdir(out + ".checkpoint")
        last = run(words, 3 - ranks)
        assert last.returncode == 0, last.stderr
        assert table(out) == first and not os.path.exists(out + ".checkpoint")


def hold(out, words):
    """A start that is killed once a point is in flight and has a checkpoint."""
    with start(words) as process:
        await_flight(process, out)
        assert await_that(process, lambda: glob.glob(out + ".checkpoint/points/*/*/*.checkpoint/*.h5")), finish(process)
        kill_all(process)
        finish(process)


def goes_on():
    """What was in flight has its checkpoint, and is gone on from: the number of its starts tells."""
    with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
        out, words = line(folder)
        hold(out, words)
        crashed = [k for k, state in states(out).items() if state == "begun"]
        assert run(words).returncode == 0
        begun = {}
        with h5py.File(out) as f:
            for number in f["runs"]:
                begun[f["runs"][number].attrs["key"]] = int(f["runs"][number]["solve/provenance"].attrs["starts"])
        text = {k.decode() if isinstance(k, bytes) else str(k): n for k, n in begun.items()}
        assert [n for k, n in text.items() if k.encode() in crashed] == [2], (crashed, text)
        assert sorted(text.values()) == [1] * 5 + [2], text


def set_aside():
    first = wanted(True)
    with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
        out, words = line(folder)
        keys = []
        while len(set(keys)) == len(keys):  # estimates are measured: which of two points is the longest is not the same in all starts
            before = starts(out)
            with start(words) as process:
                keys.append(await_flight(process, out, before))
                kill_all(process)
                assert finish(process)[0] != 0 and len(keys) < 4, keys
        done = run(words)
        assert done.returncode == 1 and "1 of 6 points failed" in done.stderr and "two crashes" in done.stderr, done.stderr
        again = run(words)
        assert again.returncode == 1, "it is not run again without -retry"
        assert run(words + ["-retry"]).returncode == 0 and table(out) == first


def one_dies():
    """mpirun ends the others where one rank dies: what is in flight there has not crashed, and they leave word of that."""
    with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
        out, words = line(folder)
        with start(words + ["-ranks", "1"], 2) as process:
            assert await_that(process, lambda: list(states(out).values()).count("begun") >= 2), finish(process)
            os.kill(ranks_of(process)[0], signal.SIGKILL)
            assert finish(process)[0] not in (0, 75)
        marks = glob.glob(out + ".checkpoint/0001-*.interrupted")
        assert len(marks) == 1, os.listdir(out + ".checkpoint")


def taken_over():
    """A second start of the same study while the first lives: the first stops, and writes nothing more."""
    first = wanted(True)
    with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
        out, words = line(folder)
        with start(words) as one:
            await_flight(one, out)
            other = run(words)
            status, _, err = finish(one)
        assert other.returncode == 0, other.stderr
        assert status == 1 and "taken over" in err and len(err.splitlines()) == 1, (status, err)
        assert table(out) == first


def long_points(folder):
    """Four points of three runs each, of some tenths of a second: two starts are in one of them together."""
    study = os.path.join(folder, "study.yaml")
    with open(study, "w") as f:
        f.write("problem: %s\nvary:\n  - {action.seed: [1, 2, 3, 4]}\n" % os.path.join(PROBLEMS, "iris", "iris.yaml")
                + "set: {horizon: 2, action.count: 20}\n"
                + "runs:\n  - {name: program, command: solve, set: {checkpoint_interval: 0}}\n"
                + "".join("  - {name: population%d, command: eval, set: {model: program}}\n" % i for i in range(8))
                + "measure: {cost: program/rollout@cost%s}\n" % "".join(", loss%d: population%d/@loss" % (i, i) for i in range(8)))
    out = os.path.join(folder, "s.h5")
    return out, ["study", study, "-o", out, "-quiet"]


def at_once(ranks=0):
    """Whoever claims last wins, and has what a study in peace has; the other says so, and damages nothing."""
    with tempfile.TemporaryDirectory(prefix="bf_study_") as folder:
        out, words = long_points(folder)
        done = run(words)
        assert done.returncode == 0, done.stderr
        first = table(out)
        assert first.count("\n") == 5, first
        lost = 0
        for delay in (0, 0, 0.1, 0.3):
            for path in (out, out[:-3] + ".csv"):
                os.remove(path)
            with start(words, ranks) as one:
                time.sleep(delay)
                with start(words, ranks) as other:
                    ends = sorted((status, err) for status, _, err in map(finish, (one, other)))
            assert ends[0] == (0, "") and table(out) == first, (delay, ends)
            assert not os.path.exists(out + ".checkpoint"), os.listdir(out + ".checkpoint")
            if ends[1][0]:
                lost += 1
                assert ends[1][0] == 1 and "taken over" in ends[1][1] and ends[1][1].count("bellformer: ") == 1, (delay, ends)
        assert lost, "no two starts have met"
        print("# %d of 4 pairs of starts have met" % lost)


tap([("the same bits on any ranks and groups", same_bits),
     ("kill -9 at random instants", kills),
     ("a point in flight goes on from its checkpoint", goes_on),
     ("USR1", lambda: stop(signal.SIGUSR1, 0)),
     ("TERM, two ranks", lambda: stop(signal.SIGTERM, 2, "-ranks", "1")),
     ("a file STOP", lambda: stop("STOP", 1)),
     ("in flight in two crashes", set_aside),
     ("one rank dies", one_dies),
     ("a second start of the same study", taken_over),
     ("two starts at once", at_once),
     ("two starts at once on two ranks", lambda: at_once(2))])
