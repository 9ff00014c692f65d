"""experiment.db: the same from any beginning, after any mishap, for any number of readers.

    index.py BUILD_DIR [SEED]

Of a run with crashes and exploits the journal is given to `pbt` bit by bit, batch by batch, so that
the index is brought up to date in many steps; what it holds then is compared with one that is made
at once.  The same after pbt was killed in the middle, the file was damaged or deleted, the journal
was cut, and with ten readers at a time.
"""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import results

BUILD = os.path.abspath(sys.argv[1])
SEED = results.SEED
check = results.check


def pbt(*words, home=None, env=None):
    done = subprocess.run([BUILD + "/pbt", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, cwd=home,
                          env=env, check=False)
    check(done.returncode == 0, "pbt %s: %s", " ".join(words), done.stderr)
    return done.stdout


def dump(path):
    """All that is in the file: tables, row by row."""
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as db:
        names = [name for (name,) in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        return {name: db.execute("SELECT * FROM %s" % name).fetchall()
                for name in names}


def views(path):
    """And what people query: each view can be read."""
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as db:
        names = [name for (name,) in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")]
        found = {}
        for name in names:
            rows = db.execute("SELECT * FROM %s" % name)
            columns = [item[0] for item in rows.description]
            found[name] = [dict(zip(columns, row)) for row in rows]
        return found


def said(directory, trials):
    """What verbs say of the run; paths are the same in all copies."""
    texts = [pbt("ls", ".", "--json", home=directory)]
    texts += [pbt("show", ".", str(i), "--json", home=directory)
              for i in range(trials)]
    return texts


def batches(directory):
    """Each segment's name, and the lengths at which a batch of it ends."""
    found = []
    for name in sorted(os.listdir(directory + "/journal")):
        with open(os.path.join(directory, "journal", name), "rb") as file:
            ends, length = [], 0
            for line in file:
                length += len(line)
                if line.startswith(b'{"batch":'):
                    ends.append(length)
        found.append((name, ends))
    return found


def copy(directory, to):
    """A run that is not begun: the specification alone."""
    os.makedirs(to + "/journal")
    shutil.copy(directory + "/experiment.yaml", to)


def give(directory, to, name, length):
    with open(os.path.join(directory, "journal", name), "rb") as file:
        data = file.read(length)
    with open(os.path.join(to, "journal", name), "wb") as file:
        file.write(data)


def look_at_pieces(directory, scratch, draw, expected):
    """Brought up to date after every few batches; each time as if made at once."""
    grown = os.path.join(scratch, "grown/run")
    copy(directory, grown)
    looks = 0
    for name, ends in batches(directory):
        for end in ends:
            if end != ends[-1] and draw.random() < 0.8:
                continue
            give(directory, grown, name, end)
            pbt("ls", ".", home=grown)
            looks += 1
            if draw.random() < 0.1:
                fresh = os.path.join(scratch, "fresh%d/run" % looks)
                shutil.copytree(grown, fresh)
                os.remove(fresh + "/experiment.db")
                pbt("ls", ".", home=fresh)
                check(dump(grown + "/experiment.db") == dump(fresh + "/experiment.db"),
                      "after %d looks, %s at %d", looks, name, end)
    check(dump(grown + "/experiment.db") == expected, "all in %d looks", looks)
    return grown, looks


def look_at_new_alone(directory, scratch):
    """What is in the file already is not read again."""
    run = os.path.join(scratch, "new/run")
    copy(directory, run)
    name, ends = batches(directory)[0]
    give(directory, run, name, ends[len(ends) // 2])
    pbt("ls", ".", home=run)
    with sqlite3.connect(run + "/experiment.db") as db:
        db.execute("UPDATE raw_results SET time_total = -1 WHERE record = "
                   "(SELECT min(record) FROM raw_results)")
    db.close()
    give(directory, run, name, ends[-1])
    pbt("ls", ".", home=run)
    rows = dump(run + "/experiment.db")["raw_results"]
    check(rows[0][5] == -1 and len(rows) > 1, "made anew: %s", rows[0])


def look_after(grown, what, expected, texts):
    check(said(grown, len(texts) - 1) == texts, "%s: other answers", what)
    path = grown + "/experiment.db"
    if os.path.isfile(path):
        check(dump(path) == expected, "%s: another index", what)


def mishaps(grown, draw, expected, texts):
    path = grown + "/experiment.db"
    os.remove(path)
    look_after(grown, "deleted", expected, texts)
    size = os.path.getsize(path)
    for where in (0, draw.randrange(100, size - 8000)):
        with open(path, "r+b") as file:
            file.seek(where)
            file.write(bytes(draw.randrange(256) for _ in range(8000)))
        pbt("rebuild", ".", home=grown)
        look_after(grown, "rebuilt after damage at %d" % where, expected, texts)
    with open(path, "wb") as file:
        file.write(b"no database " * 1000)
    look_after(grown, "garbage", expected, texts)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE raw_run SET sum = 'other'")
        db.execute("DELETE FROM raw_results")
    db.close()
    look_after(grown, "of another version", expected, texts)
    # Nowhere: a directory is in its place, and in that of the cache.
    os.remove(path)
    os.mkdir(path)
    cache = grown + ".cache"
    env = dict(os.environ, XDG_CACHE_HOME=cache)
    best = pbt("best", ".", "--json", home=grown, env=env)
    check(len(os.listdir(cache + "/pbt")) == 2, "the cache is not used")
    check(pbt("best", ".", "--json", home=grown, env=env) == best, "from the cache")
    env = dict(os.environ, XDG_CACHE_HOME="/proc/nowhere")
    check(pbt("best", ".", "--json", home=grown, env=env) == best, "temporary")
    os.rmdir(path)
    return best


def killed(grown, draw, expected, texts):
    """While it is made; and nothing has to be waited for."""
    path = grown + "/experiment.db"
    for _ in range(20):
        if os.path.exists(path):
            os.remove(path)
        with subprocess.Popen([BUILD + "/pbt", "ls", "."], cwd=grown,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(draw.random() * 0.06)
            process.send_signal(signal.SIGKILL)
        if draw.random() < 0.3:
            look_after(grown, "killed", expected, texts)
    look_after(grown, "killed", expected, texts)


def large(scratch, draw):
    """So many results that one transaction doesn't hold them: what a kill leaves is gone on with."""
    results_each = 10000
    with open(scratch + "/large.yaml", "w") as file:
        file.write("name: large\ncommand: [%s/bench/nothing]\nnum_samples: 8\nmetric: score\n"
                   "mode: max\nstop: {training_iteration: %d}\nresources: {cpu: 8}\nseed: 1\n"
                   "config: {warm: 100, last: 0, x: {uniform: [0, 1]}}\n"
                   "scheduler: {type: fifo}\n" % (BUILD, results_each))
    pbt("run", "large.yaml", "--quiet", home=scratch)
    run = scratch + "/runs/large"
    pbt("ls", ".", home=run)
    expected = dump(run + "/experiment.db")
    check(len(expected["raw_results"]) == 8 * results_each, "%d rows",
          len(expected["raw_results"]))
    os.remove(run + "/experiment.db")
    most = 0
    for _ in range(15):
        with subprocess.Popen([BUILD + "/pbt", "ls", "."], cwd=run,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(draw.random() * 0.4)
            process.kill()
        try:
            there = len(dump(run + "/experiment.db")["raw_results"])
        except (sqlite3.OperationalError, KeyError):
            there = 0  # no file, no table, or a journal to be rolled back by a writer
        check(there == 0 or there >= most, "%d rows after %d", there, most)
        most = max(most, there)
    pbt("ls", ".", home=run)
    check(dump(run + "/experiment.db") == expected, "a large one after kills")


def stalled(scratch):
    """Who reads an export slowly keeps nobody from bringing the index up to date."""
    large_run, run = scratch + "/runs/large", scratch + "/stalled/run"
    copy(large_run, run)
    name, ends = batches(large_run)[0]
    give(large_run, run, name, next(end for end in ends if end > ends[-1] // 2))
    pbt("ls", ".", home=run)
    rows = len(dump(run + "/experiment.db")["raw_results"])
    with subprocess.Popen([BUILD + "/pbt", "export", "."], cwd=run, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as process:
        process.stdout.read(1)  # the rest doesn't fit in the pipe
        give(large_run, run, name, ends[-1])
        pbt("ls", ".", home=run)
        check(dump(run + "/experiment.db") == dump(large_run + "/experiment.db"),
              "an index that was kept from")
        rest = process.stdout.read().count(b"\n")
    check(process.returncode == 0 and rest == rows + 1 > 30000, "stalled: %d of %d rows",
          rest, rows)


def another_user(grown, best, scratch):
    """Who may only read has an index elsewhere, or the one that is there if it is up to date."""
    home = os.path.join(scratch, "home")
    os.mkdir(home)
    os.chown(home, 65534, 65534)
    program = shutil.copy(BUILD + "/pbt", scratch)  # the build may lie where others can't look
    for directory in (scratch, os.path.dirname(grown)):
        os.chmod(directory, 0o755)
    for base, names, files in os.walk(grown):
        for name in names:
            os.chmod(os.path.join(base, name), 0o755)
        for name in files:
            os.chmod(os.path.join(base, name), 0o644)
    os.chmod(grown, 0o755)

    def attempt(*words, cwd=grown):
        return subprocess.run([program, *words], cwd=cwd, user=65534, group=65534,
                              extra_groups=[], env={"HOME": home}, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                              check=False)

    def ask(*words, cwd=grown):
        done = attempt(*words, cwd=cwd)
        check(done.returncode == 0 and not done.stderr, "another user: %s", done.stderr)
        return done.stdout
    check(ask("best", ".", "--json") == best, "another user")
    check(not os.path.exists(home + "/.cache"), "it was up to date")
    check("nothing left to do" in ask("resume", "."), "another user resumes a finished run")
    done = attempt("run", "--dir", "..", "-n", "2", "--name", "new", "-s", "training_iteration=1",
                   "scheduler.type=fifo", "--", "/bin/true", cwd=grown)
    check(done.returncode == 73 and "can't make ../new: Permission denied" in done.stderr,
          "another user makes a run: %s", done.stderr)
    os.chmod(grown, 0o700)
    done = attempt("status", os.path.abspath(grown), cwd=scratch)
    check(done.returncode == 77 and "can't look into" in done.stderr,
          "another user's own run: %s", done.stderr)
    os.chmod(grown, 0o755)
    os.remove(grown + "/experiment.db")
    check(ask("best", ".", "--json") == best, "another user, without an index")
    first = sorted(os.listdir(home + "/.cache/pbt"))
    check([name[16:] for name in first] == [".db", ".run"], "another user's cache: %s", first)
    # Of a run that was removed nothing stays behind, once another one is first read.
    other = os.path.join(os.path.dirname(grown), "other")
    shutil.copytree(grown, other)
    check(ask("best", ".", "--json", cwd=other).split('"dir"')[0] == best.split('"dir"')[0],
          "a copy, for another user")
    check(len(os.listdir(home + "/.cache/pbt")) == 4, "another user's cache of two")
    with open(home + "/.cache/pbt/note.db", "w"):
        pass
    others = set(os.listdir(home + "/.cache/pbt")) - {*first, "note.db"}
    shutil.rmtree(other)
    check(ask("best", ".", "--json") == best, "another user, again")
    third = os.path.join(os.path.dirname(grown), "third")
    shutil.copytree(grown, third)
    ask("best", ".", cwd=third)
    left = os.listdir(home + "/.cache/pbt")
    check(len(left) == 5 and {*first, "note.db"} < set(left) and not others & set(left),
          "what another user's cache is left with: %s", left)
    check(not os.path.exists(grown + "/experiment.db"), "another user has written")


def ten(grown, best, expected):
    os.remove(grown + "/experiment.db")
    readers = [subprocess.Popen([BUILD + "/pbt", "best", ".", "--json"], cwd=grown,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
               for _ in range(10)]
    for reader in readers:
        out, _ = reader.communicate(timeout=120)
        check(reader.returncode == 0 and out.decode() == best, "one of ten: %s", out)
    check(dump(grown + "/experiment.db") == expected, "after ten at once")


def cut(directory, scratch, draw):
    """A power loss takes the end of a journal that was indexed, and the run goes on otherwise."""
    run = os.path.join(scratch, "cut/run")
    copy(directory, run)
    name, ends = batches(directory)[-1]
    for each, _ in batches(directory):
        give(directory, run, each, -1)
    pbt("ls", ".", home=run)
    give(directory, run, name, ends[draw.randrange(len(ends) - 1)])
    short = pbt("ls", ".", "--json", home=run)
    os.remove(run + "/experiment.db")
    check(pbt("ls", ".", "--json", home=run) == short, "after a cut")


def look_at_views(directory, path, journal):
    """Rows are those of result.json; what counts is what read_results says."""
    found = views(path)
    rows = found["results"]
    wanted = {}
    for name in sorted(os.listdir(directory)):
        try:
            with open(os.path.join(directory, name, "result.json")) as file:
                for line in file:
                    row = json.loads(line)
                    wanted[row["trial_id"], row["pbt_epoch"], row["pbt_seq"]] = row
        except OSError:
            pass
    check(len(rows) == len(wanted) > 0, "%d rows of %d", len(rows), len(wanted))
    ids = {row["trial_id"]: row["number"] for row in found["trials"]}
    for row in rows:
        same = wanted[row["trial_id"], row["pbt_epoch"], row["pbt_seq"]]
        for key in ("training_iteration", "time_total_s", "time_this_iter_s", "score",
                    "pbt_lineage", "pbt_parent"):
            check(row[key] == same[key], "%s: %s, not %s", key, row[key], same[key])
        check(row["config/lr"] == same["config"]["lr"], "config of %s", row)
        check((row["pbt_parent"] or "").split("/")[0] == (row["pbt_parent_trial"] or ""),
              "parents of %s", row)
    ways = results.counting(directory)
    for trial, number in ids.items():
        check(ways[number] == [
            (row["training_iteration"], row["pbt_epoch"], row["pbt_seq"])
            for row in sorted(rows, key=lambda row: row["pbt_record"])
            if row["trial_id"] == trial and not row["pbt_undone"]], "what counts of %s", trial)
    by_kind = [record for record in journal if record["k"] == "exploit"]
    check(len(found["exploits"]) == len(by_kind), "exploits")
    check(len(found["failures"]) == sum(
        record["k"] == "exited" and record.get("leave") in ("retry", "error")
        for record in journal), "failures")
    for row in found["lineage"]:
        check(row["first_iteration"] <= row["last_iteration"] + 1, "lineage %s", row)
    for trial in ids:
        line = [row for row in found["lineage"] if row["trial_id"] == trial]
        check(sorted(row["pbt_generation"] for row in line) ==
              list(range(len(line))), "generations of %s", trial)


REPORTER = '''
import json, os, random
draw = random.Random(int(os.environ["PBT_FROM"]) + 1000 * int(os.environ["TOY_SEED"]))
def value():
    return draw.choice([draw.random(), draw.randrange(9), True, False, None, "text", "Infinity",
                        "NaN", [1, 2], [], {}, -0.5, 1e300])
def some(names):
    return {name: value() for name in names if draw.random() < 0.5}
with open(os.environ["PBT_METRICS"], "w") as file:
    for i in range(int(os.environ["PBT_STEPS"])):
        row = {"score": draw.random(), **some(["train/loss", "a/b", "a", "x", "flag"])}
        for outer in ("a", "x", "deep/er"):
            if outer not in row and draw.random() < 0.5:
                row[outer] = {**some(["b", "c/d", "plain"]), "c": some(["d", "e"])}
        items = list(row.items())
        draw.shuffle(items)
        print(json.dumps(dict(items)), file=file)
'''


def member(metrics, name):
    """As pbt_json_member() has it; (), if there is none."""
    if not isinstance(metrics, dict):
        return ()
    if name in metrics:
        return metrics[name]
    found = ()
    for i, char in enumerate(name):
        if char == "/" and found == ():
            found = member(metrics.get(name[:i]), name[i + 1:])
    return found


def odd_names(scratch):
    """Whatever metrics are called, and whatever they are, all of it comes back."""
    with open(scratch + "/reporter.py", "w") as file:
        file.write(REPORTER)
    with open(scratch + "/odd.yaml", "w") as file:
        file.write("name: odd\ncommand: [%s, reporter.py]\ntrainable: command\nstateless: true\n"
                   "num_samples: 4\n"
                   "metric: score\nmode: max\nstop: {training_iteration: 60}\n"
                   "env: {TOY_SEED: '%d'}\nscheduler: {perturbation_interval: 20, "
                   "hyperparam_mutations: {lr: {uniform: [0, 1]}}}\n" % (sys.executable, SEED))
    pbt("run", "odd.yaml", "--quiet", home=scratch)
    run = scratch + "/runs/odd"
    wanted = {record["n"]: record["data"]["metrics"] for record in results.records(run)
              if record["k"] == "result"}
    exported = json.loads(pbt("export", "odd", "--all", "--json", home=scratch))["results"]
    rows = results.read(run)["row"]
    check(len(exported) == len(rows) == len(wanted) >= 240, "%d, %d rows of %d", len(exported),
          len(rows), len(wanted))
    names = [name for (name,) in sqlite3.connect(run + "/experiment.db").execute(
        "SELECT name FROM metrics")]
    for row, item, metrics in zip(rows, exported, wanted.values()):
        check(row["metrics"] == metrics, "%s came back as %s", metrics, row["metrics"])
        for name in names:
            value = member(metrics, name)
            if isinstance(value, dict) and value:
                value = ()  # its members are metrics of their own
            got = item.get(name, ())
            check(got == value, "%s of %s is %s", name, metrics, got)


def main():
    draw = random.Random(SEED)
    with tempfile.TemporaryDirectory() as scratch:
        directory = results.run(scratch, draw)
        journal = list(results.records(directory))
        trials = sum(record["k"] == "trial" for record in journal)
        whole = os.path.join(scratch, "whole/run")
        copy(directory, whole)
        for name, _ in batches(directory):
            give(directory, whole, name, -1)
        texts = said(whole, trials)
        expected = dump(whole + "/experiment.db")
        check(os.stat(whole + "/experiment.db").st_mode & 0o77 == 0, "others can read it")
        look_at_views(directory, whole + "/experiment.db", journal)
        grown, looks = look_at_pieces(directory, scratch, draw, expected)
        look_after(grown, "all in pieces", expected, texts)
        best = mishaps(grown, draw, expected, texts)
        killed(grown, draw, expected, texts)
        ten(grown, best, expected)
        cut(directory, scratch, draw)
        look_at_new_alone(directory, scratch)
        large(scratch, draw)
        odd_names(scratch)
        stalled(scratch)
        if os.geteuid() == 0:
            another_user(grown, best, scratch)
    print("seed %d: %d records, %d looks" % (SEED, len(journal), looks))


main()
