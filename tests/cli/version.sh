# Goal: versions for people and for scripts, and they are the same.
pbt version >out
[ "$(head -1 out)" = "$(pbt --version)" ]
pbt version --json >json
python3 - <<'END'
import json
found = json.load(open("json"))
lines = dict(line.rstrip("\n").split(None, 1) for line in open("out") if " " in line.strip())
assert lines["pbt"] == found["version"]
assert int(lines["protocol"]) == found["protocol"] >= 1
assert int(lines["journal"]) == found["journal"] >= 1
assert lines["compiler"] == found["compiler"]
assert set(found["libraries"]) == {"libuv", "jansson", "libfyaml", "SQLite"}
assert "assertions" in found["features"]
END
expect 2 pbt version now
