"""pbt/results.h against a run's journal and log files, read without any code of pbt's.

    results.py BUILD_DIR [SEED]

Runs in which trials crash and exploit, so that results are undone, are read while nobody is at
work on them; which results count, where each trial goes on, and the best of every scope and
mode are worked out here a second time, from the journal alone.
"""
import json
import math
import os
import random
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
EXPERIMENT = """
command: [%s/tests/bad_toy]
num_samples: %d
metric: score
mode: %s
stop: {training_iteration: 30}
config: {lr: {loguniform: [0.0001, 0.02]}}
scheduler:
  perturbation_interval: 5
  hyperparam_mutations: {lr: {loguniform: [0.0001, 0.02]}}
resources: {cpu: %d}
failure: {max_failures: 10}
checkpoint: {frequency: %d}
seed: %d
"""


def check(good, text, *values):
    if not good:
        sys.exit("seed %d: %s" % (SEED, text % values))


def run(where, draw):
    """A run with crashes; returns its directory."""
    trials = draw.randint(2, 8)
    with open(os.path.join(where, "exp.yaml"), "w") as file:
        file.write(EXPERIMENT % (BUILD, trials, draw.choice(["max", "min"]),
                                 draw.randint(1, 4), draw.choice([0, 3]),
                                 draw.randrange(10**6)))
    crashes = "%d:%d" % (draw.randrange(trials), draw.randint(2, 29))
    marks = os.path.join(where, "marks")
    os.mkdir(marks)
    env = dict(os.environ, TOY_ONCE=marks, TOY_CRASH=crashes)
    with open(os.path.join(where, "out"), "wb") as out:
        code = subprocess.run([BUILD + "/pbt", "run", "exp.yaml", "-q"], cwd=where,
                              env=env, stdout=out, stderr=out,
                              stdin=subprocess.DEVNULL, timeout=120).returncode
    check(code in (0, 1), "pbt run ended with %d in %s", code, where)
    return os.path.join(where, "runs/exp")


def records(directory):
    folder = os.path.join(directory, "journal")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                if "k" in record:
                    yield record


def name(record):
    """Of the record's checkpoint."""
    checkpoint = record.get("checkpoint")
    return checkpoint and (checkpoint["trial"], checkpoint["number"])


def counting(directory):
    """Of each trial the list of (epoch, seq) that count, in their order."""
    ways, kept = {}, {}
    for record in records(directory):
        kind, trial = record["k"], record.get("trial")
        if kind == "trial":
            ways[trial] = []
            kept[trial] = {None: []}
        elif kind == "result":
            ways[trial].append((record["it"], record["epoch"], record["seq"]))
        elif kind == "saved":
            kept[trial][name(record)] = list(ways[trial])
        elif kind == "start":
            ways[trial] = list(kept[trial][name(record)])
        elif kind == "exploit":
            ways[trial] = [row for row in ways[trial]
                           if row[0] <= record["donor_it"]]
            kept[trial][name(record)] = list(ways[trial])
    return ways


def read(directory, *more):
    got = subprocess.run([BUILD + "/tests/read_results", directory, *more],
                         capture_output=True, text=True, timeout=120)
    check(got.returncode == 0, "read_results: %s", got.stderr)
    seen = {}
    for line in got.stdout.splitlines():
        item = json.loads(line)
        seen.setdefault(item["is"], []).append(item)
    return seen


def logged(directory, trial):
    """result.json's rows by (epoch, seq)."""
    rows = {}
    with open(os.path.join(directory, trial, "result.json"), encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            rows[row["pbt_epoch"], row["pbt_seq"]] = row
    return rows


def value_of(values, scope, better):
    if not values:
        return None
    return {"all": better(values), "last": values[-1],
            "avg": sum(values) / len(values),
            "last-5-avg": sum(values[-5:]) / len(values[-5:]),
            "last-10-avg": sum(values[-10:]) / len(values[-10:])}[scope]


def compare(directory, seen):
    """Returns how many results were undone."""
    ways = counting(directory)
    saved = {(*name(record), record["it"]) for record in records(directory)
             if record["k"] == "saved"}
    undone = 0
    by_trial = {}
    for row in seen["row"]:
        by_trial.setdefault(row["trial"], []).append(row)
    for number, trial in enumerate(seen["trial"]):
        rows = by_trial.get(number, [])
        counts = [(r["iteration"], r["epoch"], r["seq"]) for r in rows if not r["undone"]]
        check(counts == ways[number], "%s of %s: %s count, not %s", trial["id"],
              directory, counts, ways[number])
        check(all(a[0] < b[0] for a, b in zip(counts, counts[1:])),
              "the iterations of %s fall: %s", trial["id"], counts)
        undone += len(rows) - len(counts)
        files = logged(directory, trial["id"])
        check(len(files) == len(rows) == trial["results"], "%s has %d rows, not %d",
              trial["id"], len(rows), len(files))
        for row in rows:
            file = files[row["epoch"], row["seq"]]
            check(file["config"] == row["config"] and file["score"] == row["score"] and
                  file["training_iteration"] == row["iteration"] and
                  file["time_total_s"] == row["time_total_s"] and
                  row["metrics"]["score"] == row["score"] and
                  set(row["names"]) == set(row["metrics"]),
                  "%s differs from %s", row, file)
            parent = file["pbt_parent"]
            check(row["from"] == (parent or "") and row["lineage"] == file["pbt_lineage"] and
                  (parent is None or
                   seen["trial"][row["from_trial"]]["id"] == parent.split("/")[0] and
                   (row["from_trial"], int(parent[-6:]), row["from_iteration"]) in saved),
                  "descent of %s, not of %s", row, file)
        for path in trial["kept"] + [trial["checkpoint"] or directory]:
            check(os.path.isdir(path), "no %s", path)
    experiment_min = "mode: min" in open(directory + "/experiment.yaml").read()
    for best in seen["best"]:
        smaller = best["mode"] == 2 or (best["mode"] == 0 and experiment_min)
        better = min if smaller else max
        values = {}
        for number, trial in enumerate(seen["trial"]):
            value = value_of([r["score"] for r in by_trial.get(number, [])
                              if not r["undone"]], best["scope"], better)
            if value is not None:
                values[trial["id"]] = value
        want = better(values.values())
        check(math.isclose(best["value"], want, rel_tol=1e-12) and
              math.isclose(values[best["trial"]], want, rel_tol=1e-12),
              "best %s: %s", best, values)
    return undone


def main():
    print("seed %d" % SEED)
    draw = random.Random(SEED)
    undone = exploits = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(6):
            where = os.path.join(scratch, str(number))
            os.mkdir(where)
            directory = run(where, draw)
            seen = read(directory)
            undone += compare(directory, seen)
            state = seen["run"][0]
            exploits += state["exploits"]
            check(state["state"] == "finished" and state["trials"] == state["ended"],
                  "%s", state)
        check(undone > 0 and exploits > 0, "nothing was undone (%d), or exploited (%d)",
              undone, exploits)
        errors = {best["error"] for best in read(directory, "acc")["best"]}
        check(errors == {"E0850"}, "%s", errors)
    print("%d results were undone, %d exploits" % (undone, exploits))


if __name__ == "__main__":
    main()
