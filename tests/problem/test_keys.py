"""share/doc/keys.md and the program say the same: every key with type, default, range, kinds and meaning, both ways; every example is read;
every message is what the program says; every key is in a message, so that it is known to be read."""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "solve"))
from harness import ALONE, BELLFORMER, tap  # noqa: E402

PRINT_KEYS = sys.argv[1]
XOR = os.path.join(ROOT, "share", "problems", "xor")
TABLES = {"u.csv": "a,v\n1,0.5\n2,-0.5\n", "r.csv": "4,0,-4,0,0,0\n0,4,0,-4,0,0\n", "points.csv": "0,0\n1,1\n-1,1\n",
          "y.csv": "sequence,position,y0,y1,z0,z1\n0,0,1,1,-1,1\n0,1,-1,1,1,1\n"}
with open(os.path.join(ROOT, "share", "doc", "keys.md")) as f:
    DOCUMENT = f.read()


def sections(text):
    """The top-level keys of a piece of YAML, each with its lines."""
    found, name = {}, None
    for line in text.splitlines():
        start = re.match(r"(\w+)\s*:", line)
        name = start.group(1) if start else name
        if name:
            found[name] = found.get(name, "") + line + "\n"
    return found


def cells(line):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def tables(columns, document=DOCUMENT):
    """The rows below every header of these columns."""
    rows, inside = [], False
    for line in document.splitlines():
        if line.startswith("| "):
            inside = inside or cells(line) == columns
            if inside and cells(line) != columns:
                rows.append(cells(line))
        elif not line.startswith("|---"):
            inside = False
    return rows


def bare(cell):
    assert re.fullmatch(r"`[^`]+`", cell), cell
    return cell[1:-1]


with open(os.path.join(XOR, "xor.yaml")) as f:
    BASE = sections("".join(line for line in f if not line.startswith("#")))
KEYS = tables(["key", "type", "default", "range", "used where", "meaning"])
MESSAGES = [(bare(left), right) for left, right in tables(["you write", "bellformer says"])]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.S)


def info(changed, options):
    """What `bellformer info` says of xor.yaml with some of its sections replaced."""
    with tempfile.TemporaryDirectory(prefix="bf_keys_") as folder:
        for name, text in TABLES.items():
            with open(os.path.join(folder, name), "w") as out:
                out.write(text)
        os.symlink(os.path.join(XOR, "xor.csv"), os.path.join(folder, "xor.csv"))
        with open(os.path.join(folder, "x.yaml"), "w") as out:
            out.write("".join({**BASE, **changed}.values()))
        done = subprocess.run([BELLFORMER, "info", "x.yaml"] + options, cwd=folder, capture_output=True, text=True, timeout=60,
                              env=ALONE)
    return done.returncode, done.stderr


def keys_of_the_program():
    said = subprocess.run([PRINT_KEYS], capture_output=True, text=True, check=True).stdout
    return {line.split("\t")[0]: line.split("\t")[1:] for line in said.splitlines()}


def the_keys_are_those_of_the_program():
    program = keys_of_the_program()
    document = {bare(row[0]): row[1:6] for row in KEYS}
    assert len(document) == len(KEYS), "a key stands there twice"
    assert set(program) == set(document), set(program) ^ set(document)
    for key, columns in program.items():
        assert columns == document[key], (key, columns, document[key])
    assert all(columns[4] for columns in program.values()), "a key without a meaning"


def readme_keys():
    """The key table of README: `layer.residual`, `.heads` with defaults 1, 1; the last have none where there are fewer."""
    with open(os.path.join(ROOT, "README.md")) as file:
        rows = tables(["key", "meaning", "default"], file.read())
    for names, _, defaults in rows:
        names, defaults = names.split(", "), [text.strip("`") for text in defaults.split(", ") if text]
        if "...." in names[0]:
            names = [names[0].replace("....", "control.A.")]
        if names[0].strip("`") in ("control.A", "control.A.row_0_column_2"):  # maps
            continue
        first = bare(names[0])
        keys = [bare(name) for name in names]
        keys = [first[:first.rindex(".")] + key if key.startswith(".") else key for key in keys]
        assert len(defaults) <= len(keys), keys
        yield from zip(keys, defaults + ["required"] * len(keys))


def readme_has_every_default():
    program = {key: columns[1] for key, columns in keys_of_the_program().items()}
    told = dict(readme_keys())
    for key, default in told.items():
        assert program[key] == default, (key, default, program[key])
    missing = {key for key, default in program.items() if default != "required" and "row_I" not in key} - set(told)
    assert not missing and len(told) > 30, missing


def every_key_has_a_message_and_an_example():
    for row in KEYS:
        option = "-" + bare(row[0]).replace(".", "_").replace("row_I_column_J", r"row_\d\w*")
        dotted = re.escape(bare(row[0]))
        assert any(re.search(r"%s\b" % option, left) or re.search(r"\b%s\b" % dotted, right) for left, right in MESSAGES), row[0]
        last = bare(row[0]).split(".")[-1]
        assert any(re.search(r"\b%s: " % last, example) for example in EXAMPLES), row[0]


def example(text):
    def check():
        status, said = info(sections(text), [])
        assert status == 0, said
    return check


def message(left, right):
    def check():
        status, said = info({}, left.split()) if left.startswith("-") else info({re.match(r"\w+", left).group(): left + "\n"}, [])
        if right == "nothing":
            assert status == 0 and not said, said
        else:
            assert status == 2 and said == "bellformer: %s\n" % right, said
    return check


assert len(KEYS) > 35 and len(MESSAGES) > 45 and len(EXAMPLES) > 12, (len(KEYS), len(MESSAGES), len(EXAMPLES))
tap([("the keys are those of the program", the_keys_are_those_of_the_program),
     ("README has every default", readme_has_every_default),
     ("every key has a message and an example", every_key_has_a_message_and_an_example)] +
    [("example %d" % k, example(text)) for k, text in enumerate(EXAMPLES)] +
    [("message of " + left, message(left, right)) for left, right in MESSAGES])
