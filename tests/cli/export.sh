# Goal: the table of results, the same as CSV, JSON and SQLite.
experiment exp.yaml
# Rounds: the same at each run.
pbt run exp.yaml scheduler.synch=true config.batch=32 checkpoint.at_end=true --quiet >out
pbt export exp | sed -n 1p | tr -d '\r'
pbt export exp | wc -l
pbt export exp -o all.csv
pbt export exp | cmp - all.csv
pbt export exp 3 | tail -n +2 | cut -d, -f1 | sort -u
pbt export exp --format json | cmp - <(pbt export exp --json)
pbt export exp -o all.json
pbt export exp -o all.db --format sqlite
python3 - <<'END'
import csv, json, sqlite3

rows = list(csv.DictReader(open("all.csv", newline="")))
found = json.load(open("all.json"))
db = sqlite3.connect("all.db")
db.row_factory = sqlite3.Row
views = [dict(row) for row in
         db.execute("SELECT * FROM results WHERE NOT pbt_undone ORDER BY pbt_record")]
print(len(rows), len(found["results"]), len(views), sorted(found), sorted(found["trials"][0]))
for row, item, view in zip(rows, found["results"], views, strict=True):
    assert list(row) == list(item), (row, item)
    assert set(view) == set(item), (view, item)
    for name, value in item.items():
        same = view[name] == value
        assert same, (name, view[name], value)
        assert row[name] == ("" if value is None else str(int(value) if value is False else value)), (
            name, row[name], value)
# What json and the views say of trials, exploits and checkpoints.
assert [(t["trial"], t["generation"]) for t in found["trials"]] == [
    tuple(r) for r in db.execute("SELECT trial_id, pbt_generation FROM trials ORDER BY number")]
assert [(e["trial"], e["donor"], e["donor_iteration"], e["config"]) for e in found["exploits"]] == [
    (*r[:3], json.loads(r[3])) for r in db.execute(
        "SELECT trial_id, donor, donor_iteration, config FROM exploits ORDER BY exploit")]
assert sorted(c["path"].split("/", 2)[2] for t in found["trials"] for c in t["checkpoints"]) == [
    r[0] for r in db.execute("SELECT path FROM checkpoints WHERE kept ORDER BY path")]
END
expect 2 pbt export exp --format sqlite
expect 2 pbt export exp 3 -o one.db
expect 2 pbt export exp --format parquet
expect 66 pbt export exp 9
expect 66 pbt export none
expect 74 pbt export exp >/dev/full
expect 73 pbt export exp -o no/such/parent.csv
mkdir there.csv
expect 73 pbt export exp -o there.csv
[ -z "$(find . -name '*.tmp')" ]
