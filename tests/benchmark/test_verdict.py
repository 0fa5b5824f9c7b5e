"""A missed target is printed, and fails a benchmark where BELLFORMER_STRICT asks for it and only there: test_verdict.py PROGRAM"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = [sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); from verdict import *; "
          "verdict('test', float(sys.argv[2]), float(sys.argv[3])); end()", HERE]
print("1..2")
failed = False
for number, (name, program) in enumerate((("C", sys.argv[1:2]), ("Python", PYTHON)), 1):
    got = []
    for strict in (None, "0", "1"):
        for value in ("2", "1"):
            environment = {k: v for k, v in os.environ.items() if k != "BELLFORMER_STRICT"}
            done = subprocess.run([*program, value, "1.5"], capture_output=True, text=True,
                                  env={**environment, **({"BELLFORMER_STRICT": strict} if strict else {})})
            got.append((done.returncode, "MISSED" in done.stdout))
    good = got == [(0, False), (0, True), (0, False), (0, True), (0, False), (1, True)]
    failed |= not good
    print("%s %d - %s" % ("ok" if good else "not ok", number, name))
    if not good:
        print("#", got)
sys.exit(failed)
