"""docs/files.md names every record kind, member, word and field that there is, and
docs/control.md every outcome of a request.

    docs_files.py SOURCE_DIR
"""
import re
import sys

source = sys.argv[1]


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
