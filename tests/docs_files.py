"""docs/files.md names every record kind, member, word and field that there is,
docs/control.md every outcome of a request, and the tests that docs/scheduler.md names
are there.

    docs_files.py SOURCE_DIR
"""
import glob
import os
import re
import sys

source = sys.argv[1]
SETTINGS = ("burn_in_period", "perturbation_interval", "require_attrs",
            "out_of_range", "exploit_copies", "resample_probability", "fail_fast",
            "population_size")


def read(path):
    with open(source + "/" + path, encoding="utf-8") as file:
        return file.read()


def quoted(text, pattern, least):
    found = re.findall(pattern, text)
    if len(found) < least:
        sys.exit("only %d matches of %s: has the source moved?"
                 % (len(found), pattern))
    return found


record = read("src/core/record.h")
names = quoted(record, r'X\(PBT_RECORD_\w+, "(\w+)"\)', 18)
names += quoted(record, r'X\(PBT_LEAVE_\w+, "(\w+)"\)', 6)
names += quoted(record, r'X\(PBT_REQUEST_\w+, "(\w+)"\)', 4)
names += quoted(record, r'X\(PBT_END_\w+, "(\w+)"\)', 5)
names += quoted(read("src/journal/members.h"), r'X\(\w+, "(\w+)",', 27)
names += quoted(read("src/journal/entry.c"), r'return "(\w+)";', 3)
names += quoted(read("src/wire/metric.c").split("names[] = {")[1]
                .split("}")[0], r'"(\w+)"', 18)
names += quoted(read("src/log/status_json.c"), r'\\"(\w+)\\":', 20)
outcomes = quoted(read("src/wire/control.h"),
                  r'X\(PBT_OUTCOME_\w+, "(\w+)"\)', 9)
for path, wanted in (("docs/files.md", names), ("docs/control.md", outcomes)):
    document = read(path)
    missing = sorted({name for name in wanted if "`%s`" % name not in document})
    if missing:
        sys.exit(path + " does not have: " + ", ".join(missing))

rules = read("docs/scheduler.md").split("## Each rule has its test\n")[1]
rules = "\n".join(line for line in rules.split("\n## ")[0].splitlines()
                  if line.startswith("|"))
tests = "".join(read(os.path.relpath(path, source)) for path in
                glob.glob(source + "/tests/*.c") +
                glob.glob(source + "/tests/*.py"))
there = set(re.findall(r"(\w+)\(void \*\*state\)", tests) +
            re.findall(r"def (\w+)\(", tests))
named = quoted(rules.split("|---|---|", 1)[1], r"`([\w/.]+)`", 100)
missing = [name for name in named
           if ("_" in name or "/" in name) and name not in SETTINGS
           and name not in there and not os.path.exists(source + "/" + name)]
if missing:
    sys.exit("docs/scheduler.md names tests that aren't there: " +
             ", ".join(missing))
