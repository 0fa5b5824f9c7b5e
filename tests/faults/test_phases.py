"""The rule of bellformer/run.h, read from the sources: a collective function (one that calls MPI, or a function that does) takes its
local steps that can fail only within bf_together or bf_store_together, so that no rank returns where the others wait for it."""
import os
import re
import sys

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")
TOGETHER = ("bf_together", "bf_store_together")
# By MPI, HDF5 in a store, or by what they are given: a function pointer that is collective.
SEEDS = re.compile(r"\b(MPI_(?!Comm_rank|Comm_size|Win_sync|Wtime|Test|Initialized|Finalized|Abort|Error|Comm_get_attr|Comm_set_attr|Comm_set_errhandler|"
                   r"Comm_create|Comm_get_errhandler|Errhandler|Win_set|Win_create_err|Get_lib|Type_)\w+|H5Fclose|H5Dcreate2|H5Acreate2)\(|"
                   r"trainer(_at\(i\))?->(?!parse|input|only|report|destroy)\w+\(|pause\.ask\(")  # functions of a trainer; of a descent
COLLECTIVE = {"bf_store_check", "bf_agree"} | set(TOGETHER)
# Where a rank that fails goes straight to an agreement (of bf_program; of bf_problem_read), and the others' next collective call is
# one too (bf_run_create; bf_files_get).
RETURNS_TO_AN_AGREEMENT = ("command/command.c", "problem/")
# Rank 0's part of a search tells the others itself how it ended; the last call of the other one makes a text.
SERVED = {"lead", "bf_restart_check_result"}
# Local, though they hold a communicator, or end the run themselves; TAO on rank 0, which the others serve (flow/search.c).
LOCAL = {"bf_end_run_at_once", "end_by", "take_turn", "channel_of", "bf_has_failed", "bf_search_evaluate",
         "bf_search_minimize", "is_whole", "open_image", "bf_table_hdf5_open", "bf_table_hdf5_read", "on_error",
         "bf_outcome_read", "bf_outcome_records", "bf_outcome_is_whole", "bf_queue_add", "bf_queue_take", "bf_work_pass"}
# What fails alike on all ranks: it depends on the command line, or on bytes that all have, and takes nothing.
ALIKE = {"bf_fail", "bf_fail_for", "find_file", "check_given", "check_loop", "same_problem", "bf_checkpoint_stopped", "bf_flow_settle", "bf_answer_ending"}
FUNCTION = re.compile(r"^(?:static |_Noreturn |inline )*([A-Za-z_][\w ]*?[ *]+)(\w+)\(([^;{}]*)\) \{$(.*?)^\}", re.M | re.S)
WORDS = {"if", "for", "while", "switch", "return", "sizeof", "BF_TRY", "BF_GOTO", "BF_NEW", "TRY"}


def strip(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r'"(\\.|[^"\\])*"', '""', text)


def functions():
    """(file, name) -> (returns a status, body)."""
    found = {}
    for where, _, names in os.walk(SOURCES):
        for name in names:
            if name.endswith((".c", ".h")) and "kernel" not in where:
                path = os.path.join(where, name)
                for match in FUNCTION.finditer(strip(open(path).read())):
                    found[os.path.relpath(path, SOURCES), match.group(2)] = ("BfStatus" in match.group(1), match.group(4))
    return found


def calls(body):
    return {name for name in re.findall(r"\b(\w+)\(", body) if name not in WORDS}


def resolve(found, file, name):
    """The function that a name means in a file: its own static one, else that of any file."""
    if (file, name) in found:
        return file, name
    return next((key for key in found if key[1] == name and name.startswith("bf_")), None)


def argument(body, at):
    """The text within the bracket that opens at `at`."""
    depth = 0
    for i in range(at, len(body)):
        depth += {"(": 1, ")": -1}.get(body[i], 0)
        if depth == 0:
            return body[at + 1:i]
    return body[at + 1:]


def collective(found):
    known = {key for key, (_, body) in found.items()
             if key[1] in COLLECTIVE or (key[1] not in LOCAL and (SEEDS.search(body) or calls(body) & COLLECTIVE))}
    while True:
        more = {key for key, (_, body) in found.items() if key not in known and key[1] not in LOCAL and
                any(resolve(found, key[0], name) in known for name in calls(body))}
        if not more:
            return known
        known |= more


def steps(body):
    """The calls whose failure returns: BF_TRY(...), BF_GOTO(...), return f(...); status = f(...), unless that is agreed on then."""
    for match in re.finditer(r"\b(BF_TRY|BF_GOTO|TRY)\(", body):
        yield argument(body, match.end() - 1).strip()
    agreed = re.search(r"\b(?:%s)\([^;]*\bstatus, error\)" % "|".join(TOGETHER), body)
    for match in re.finditer(r"\b%s ([^;]*);" % ("return" if agreed else r"(?:return|status\s+=)"), body):
        yield match.group(1).strip()


def outer_calls(step):
    """Names called in a step outside bf_together."""
    for name in TOGETHER:
        while (match := re.search(r"\b%s\(" % name, step)):
            step = step[:match.start()] + step[match.end() + len(argument(step, match.end() - 1)) + 1:]
    return re.findall(r"\b(\w+)\(", step)


def main():
    found = functions()
    known = collective(found)
    bad = []
    for key in sorted(known):
        status, body = found[key]
        if not status or key[1] in COLLECTIVE | SERVED or key[0].startswith(RETURNS_TO_AN_AGREEMENT):
            continue
        for step in steps(body):
            for name in outer_calls(step):
                to = resolve(found, key[0], name)
                if name in ("BF_NEW", "bf_calloc") or (to and to not in known and found[to][0] and name not in ALIKE):
                    bad.append("%s: %s takes the local step %s alone" % (key[0], key[1], name))
    print("1..1\n%sok 1 - local steps of %d collective functions, of %d" % ("not " if bad else "", len(known), len(found)))
    for line in sorted(set(bad)):
        print("# " + line)
    sys.exit(bool(bad) or len(known) < 100)


main()
