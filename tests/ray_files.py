"""What Ray would have written for the records of a run, and whether our files are that.

    ray_files.py RECORDS RUN_DIR DRAWN MUTATED

RECORDS holds lines of records, RUN_DIR the files that libpbt made of them; DRAWN and MUTATED
are the names of hyperparameters, with commas.  Computed from the records with Python's
own json and csv, as Ray does it (docs/files.md says where we differ on purpose).
"""
import csv
import io
import json
import os
import re
import sys
import time


def clean(value):
    if isinstance(value, float):
        return "%.4f" % value
    return re.sub("[^a-zA-Z0-9_-]+", "_", str(value)).strip("_")


def tag(config, names):
    pairs = []
    for name in sorted(names):
        value = config
        for part in name.split("/"):
            value = value[part]
        pairs.append(clean(name.split("/")[-1]) + "=" + clean(value))
    return ",".join(pairs)


def flatten(prefix, value, out):
    for key, member in value.items():
        if isinstance(member, dict):
            flatten(prefix + key + "/", member, out)
        else:
            out[prefix + key] = member


def plain(value):
    return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(
        value, value) if isinstance(value, str) else value


def date(wall):
    return time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(wall // 10**9))


FILLED = ["done", "training_iteration", "time_this_iter_s", "time_total_s",
          "trial_id", "date", "timestamp", "pid", "hostname", "node_ip",
          "config", "time_since_restore", "iterations_since_restore",
          "experiment_tag", "pbt_epoch", "pbt_seq", "pbt_lineage",
          "pbt_parent"]


class Trial:
    def __init__(self, name, initial, drawn):
        self.name = name
        self.initial = initial
        self.config = initial
        self.orig = name.split("_")[1].lstrip("0") or "0"
        if drawn:
            self.orig += "_" + tag(initial, drawn)
        self.perturbed = False
        self.lived = False
        self.pid = 0
        self.host = ""
        self.life = None
        self.policy = []
        self.history = []  # before each exploit, and its line
        self.results = []
        self.failures = 0
        self.errors = ""


class Run:
    def __init__(self, ids, drawn, mutated):
        self.ids = ids
        self.drawn = drawn
        self.mutated = mutated
        self.trials = {}
        self.everything = []  # pbt_global.txt
        self.base = 0
        self.driver_host = None

    def feed(self, r):
        getattr(self, "feed_" + r["k"], lambda r: None)(r)

    def feed_opened(self, r):
        self.base = r["data"]["wall"] - r["t"]
        self.driver_host = r["data"]["host"]

    def feed_trial(self, r):
        name = self.ids[r["trial"]]
        self.trials[r["trial"]] = Trial(name, r["config"], self.drawn)
        self.trials[r["trial"]].lineage = r["lineage"]

    def begin(self, t, config, iteration, checkpoint):
        t.config = config
        t.parent = checkpoint and "%s/checkpoint_%06d" % (
            self.ids[checkpoint["trial"]], checkpoint["number"])
        t.lived = True
        t.first = iteration
        t.seconds = 0.0
        self.set_life(t)

    def set_life(self, t):
        full = t.orig
        if t.perturbed:
            full += "@perturbed[" + tag(t.config, self.mutated) + "]"
        local = t.host in ("", self.driver_host)
        t.life = {"pid": t.pid, "hostname": t.host,
                  "node_ip": "127.0.0.1" if local else t.host,
                  "config": t.config, "tag": full}

    def feed_start(self, r):
        t = self.trials[r["trial"]]
        t.pid = 0
        t.perturbed = t.perturbed and r["config"] != t.initial
        self.begin(t, r["config"], r["it"], r.get("checkpoint"))

    def feed_ready(self, r):
        t = self.trials[r["trial"]]
        t.pid = r.get("data", {}).get("pid", t.pid)
        t.host = r.get("data", {}).get("host", t.host)
        self.set_life(t)

    def feed_exploit(self, r):
        t = self.trials[r["trial"]]
        donor = self.trials[r["donor"]]
        line = json.dumps([t.orig, donor.orig, r["it"], r["donor_it"],
                           r["old_config"], r["config"]])
        self.everything.append(line)
        t.history.append((t.policy, line))
        t.policy = donor.policy + [line]
        t.perturbed = True
        t.lineage = r["lineage"]
        self.begin(t, r["config"], r["donor_it"], r["checkpoint"])

    def feed_undo(self, r):
        t = self.trials[r["trial"]]
        while len(t.history) > r["exploits"]:
            t.policy, line = t.history.pop()
            # The last one that reads so.
            at = len(self.everything) - 1 - self.everything[::-1].index(line)
            del self.everything[at]
        t.lineage = r["lineage"]
        t.config = r["config"]
        t.perturbed = t.config != t.initial

    def feed_result(self, r):
        t = self.trials[r["trial"]]
        wall = self.base + r["t"]
        spent = r["data"]["time_this_iter_s"]
        t.seconds += spent
        result = {k: v for k, v in r["data"]["metrics"].items()
                  if k not in FILLED}
        result.update({
            "done": r.get("done", False) or r.get("stop", 0) > 0,
            "training_iteration": r["it"], "time_this_iter_s": spent,
            "time_total_s": r["total"], "trial_id": t.name,
            "date": date(wall), "timestamp": wall // 10**9,
            "pid": t.life["pid"], "hostname": t.life["hostname"],
            "node_ip": t.life["node_ip"], "config": t.life["config"],
            "time_since_restore": t.seconds,
            "iterations_since_restore": r["it"] - t.first,
            "experiment_tag": t.life["tag"], "pbt_epoch": r["epoch"],
            "pbt_seq": r["seq"], "pbt_lineage": t.lineage,
            "pbt_parent": t.parent})
        t.results.append(result)

    def feed_exited(self, r):
        t = self.trials[r["trial"]]
        data = r.get("data", {})
        t.pid = 0
        if r["leave"] not in ("retry", "error"):
            return
        t.failures += 1
        if data.get("text"):
            text = data["text"]
        elif "signal" in data:
            text = "killed by signal %d" % data["signal"]
        elif "exit_code" in data:
            text = "exit code %d" % data["exit_code"]
        else:
            text = "the process ended"
        t.errors += "Failure # %d (occurred at %s)\n%s\n" % (
            t.failures, date(self.base + r["t"]), text)


def progress(results):
    """Ray's progress.csv, but with a header that widens."""
    rows = []
    columns = []
    for result in results:
        row = {}
        flatten("", {k: v for k, v in result.items() if k != "config"}, row)
        rows.append({k: plain(v) for k, v in row.items()})
        columns += [k for k in row if k not in columns]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def expect(directory, name, text):
    path = os.path.join(directory, name)
    try:
        with open(path, newline="", encoding="utf-8") as file:
            there = file.read()
    except FileNotFoundError:
        there = None
    if there != text:
        if text is None or there is None:
            sys.exit("%s: %s" % (path, "too much" if text is None
                                 else "missing"))
        for i, (a, b) in enumerate(zip(there.split("\n"), text.split("\n"))):
            if a != b:
                sys.exit("%s:%d:\n  is   %s\n  must %s" % (path, i + 1, a, b))
        sys.exit("%s: %d bytes, must be %d" % (path, len(there), len(text)))


def lines(items):
    return "".join(item + "\n" for item in items) if items else None


def expect_status(directory, run, last):
    """status.json: ours, not Ray's."""
    with open(directory + "/status.json", encoding="utf-8") as file:
        status = json.load(file)
    scores = [r["score"] for t in run.trials.values() for r in t.results]
    best = max(s for s in scores if not isinstance(s, str))
    there = (status["record"], status["clock"], status["wall"],
             status["results"], status["perturbations"],
             status["best"]["score"],
             [(t["id"], t["config"], t["failures"])
              for t in status["trials"]])
    must = (last["n"], last["t"], run.base + last["t"], len(scores),
            len(run.everything), best,
            [(t.name, t.config, t.failures)
             for _, t in sorted(run.trials.items())])
    if there != must:
        sys.exit("status.json:\n  is   %s\n  must %s" % (there, must))


def main():
    records, directory, drawn, mutated = sys.argv[1:5]
    ids = sorted(name for name in os.listdir(directory)
                 if os.path.isdir(os.path.join(directory, name)))
    run = Run(ids, drawn.split(",") if drawn else [], mutated.split(","))
    exploits = failures = results = 0
    with open(records, encoding="utf-8") as file:
        for line in file:
            last = json.loads(line)
            run.feed(last)
    expect_status(directory, run, last)
    expect(directory, "pbt_global.txt", lines(run.everything))
    for t in run.trials.values():
        expect(directory, "pbt_policy_%s.txt" % t.name, lines(t.policy))
        expect(directory, t.name + "/params.json",
               json.dumps(t.config, indent=2, sort_keys=True)
               if t.lived else None)
        expect(directory, t.name + "/result.json",
               lines(json.dumps(result) for result in t.results)
               if t.results else None)
        expect(directory, t.name + "/progress.csv",
               progress(t.results) if t.results else None)
        expect(directory, t.name + "/error.txt", t.errors or None)
        exploits += len(t.policy)
        failures += t.failures
        results += len(t.results)
    if not (exploits and failures and results):
        sys.exit("nothing was compared: %d exploits, %d failures, %d results"
                 % (exploits, failures, results))


main()
