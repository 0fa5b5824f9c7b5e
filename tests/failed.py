"""The tests of a meson log (testlog.json) that did not pass, each in quotes for a shell.  failed.py LOG"""
import json
import shlex
import sys

with open(sys.argv[1]) as log:
    tests = [json.loads(line) for line in log if line.strip()]
names = [test["name"].split(" / ", 1)[-1] for test in tests if test["result"] in ("FAIL", "ERROR", "TIMEOUT", "UNEXPECTEDPASS", "INTERRUPT")]
if not names:
    sys.exit("failed.py: no test of %s has failed" % sys.argv[1])
print(" ".join(shlex.quote(name) for name in names))
