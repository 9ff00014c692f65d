"""pbt_run(): a program that runs its own experiment, with a custom explore function that
works, fails, is slow, and is open when the program is killed.

    test_own_program.py BUILD_DIR
"""

import json
import operator
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
DEADLINE_S = 300

# One slot for all: they take turns, so that there is always somebody to be compared with.
EXPERIMENT = """
name: own
num_samples: 4
metric: score
mode: max
stop: {training_iteration: 20}
config: {lr: {loguniform: [0.0001, 0.02]}}
scheduler:
  perturbation_interval: 5
  out_of_range: allow
  hyperparam_mutations: {lr: {loguniform: [0.0001, 0.02]}}
resources: {cpu: 1}
seed: 3
"""


def environment(**more):
    return {**os.environ, "PBT_SHIM": str(BUILD / "pbt-shim"), **more}


def command(root, *overrides):
    file = root / "own.yaml"
    file.write_text(EXPERIMENT)
    return [str(BUILD / "tests" / "own_program"), str(file), str(root / "runs"),
            *overrides]


def run(root, *overrides, status=0, **more):
    done = subprocess.run(command(root, *overrides), env=environment(**more),
                          capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def records(root, name="own"):
    """The records of a run, perhaps at work, read without any of our code."""
    found = []
    for segment in sorted((root / "runs" / name / "journal").iterdir()):
        for line in segment.read_text().split("\n")[:-1]:  # whole ones
            record = json.loads(line)
            if "k" in record:
                found.append(record)
    return found


def of_kind(found, kind):
    return [record for record in found if record["k"] == kind]


def wait_until(what, happened):
    limit = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < limit, what
        time.sleep(0.005)


def test_plain(root):
    done = run(root)
    path, counts = done.stdout.splitlines()
    assert path == str(root / "runs" / "own")
    terminated, errors, unfinished, results, perturbations = map(int, counts.split())
    assert (terminated, errors, unfinished) == (4, 0, 0)
    found = records(root)
    assert results == len(of_kind(found, "result"))
    assert perturbations == len(of_kind(found, "exploit")) > 0
    again = run(root)
    assert again.stdout.splitlines()[0] == str(root / "runs" / "own-2")


def test_double(root):
    run(root, OWN_EXPLORE="double")
    found = records(root)
    by_trial = operator.itemgetter("trial", "n")
    asks = sorted(of_kind(found, "ask"), key=by_trial)
    exploits = sorted(of_kind(found, "exploit"), key=by_trial)
    assert exploits and len(asks) == len(exploits)
    for ask, exploit in zip(asks, exploits):
        assert (exploit["trial"], exploit["it"]) == (ask["trial"], ask["it"])
        assert exploit["config"]["lr"] == 2 * ask["config"]["lr"]
        assert exploit["old_config"] == ask["old_config"]


def test_failing(root):
    for how, words in (("fail", "no idea what to explore"), ("wrong", '"batch"')):
        done = run(root, f"name={how}", OWN_EXPLORE=how)
        assert words in done.stderr, done.stderr
        assert "got no new configuration" in done.stderr
        found = records(root, how)
        assert not of_kind(found, "exploit")
        assert of_kind(found, "pass")
        assert int(done.stdout.split()[1]) == 4  # all went on to their end


def test_its_seed_makes_it_repeatable(root):
    """On one slot and on four, by itself and beside a program that reads the same seeds."""
    synch = ("scheduler.synch=true", "stop.training_iteration=40")
    for cpus in (1, 4):
        run(root, *synch, f"name=cpu-{cpus}", f"resources.cpu={cpus}", OWN_EXPLORE="seed",
            OWN_CALLS=str(root / f"calls-{cpus}"))
    made = [{seed for _, seed in calls(root / f"calls-{cpus}")} for cpus in (1, 4)]
    assert made[0] == made[1] and len(made[0]) > 4 and "0" not in made[0]
    found = [of_kind(records(root, f"cpu-{cpus}"), "exploit") for cpus in (1, 4)]
    assert len(made[0]) == len(found[0])  # each its own
    assert [e["config"] for e in found[0]] == [e["config"] for e in found[1]]
    program = root / "explore.py"
    program.write_text(f"""#!/usr/bin/python3
import json, sys
asked = json.load(sys.stdin)
open({str(root / 'seeds')!r}, "a").write("explore " + asked["seed"] + "\\n")
asked["config"]["lr"] += 1e-4 * (int(asked["seed"]) >> 11) * 2.0 ** -53
json.dump(asked["config"], sys.stdout)
""")
    program.chmod(0o755)
    run(root, *synch, "name=program", f"scheduler.custom_explore={program}")
    assert {seed for _, seed in calls(root / "seeds")} == made[0]


def test_slow_delays_one_trial(root):
    mark = root / "mark"
    # Who waits keeps its slot: the others have theirs.
    running = subprocess.Popen(command(root, "resources.cpu=4"),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=environment(OWN_EXPLORE="slow", OWN_MARK=str(mark)))

    def another_got_through():
        found = records(root) if (root / "runs" / "own" / "journal").is_dir() else []
        asking = {ask["trial"] for ask in of_kind(found, "ask")}
        return asking and any(record["it"] == 20 and record["trial"] not in asking
                              for record in of_kind(found, "result"))

    try:
        wait_until("the others were held up", lambda: mark.exists() and another_got_through())
        while running.poll() is None:
            mark.unlink(missing_ok=True)
            time.sleep(0.005)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0


def test_open_at_a_kill(root):
    mark = root / "mark"
    more = {"OWN_EXPLORE": "slow", "OWN_MARK": str(mark)}
    running = subprocess.Popen(command(root), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment(**more))
    wait_until("nothing was asked", mark.exists)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = records(root)
    open_ask = of_kind(before, "ask")[-1]
    # Nobody else may go on with it: the function is this program's.
    refused = subprocess.run([str(BUILD / "pbt"), "resume", str(root / "runs" / "own")],
                             capture_output=True, text=True, timeout=DEADLINE_S)
    assert refused.returncode == 2 and "that program" in refused.stderr, refused.stderr
    mark.unlink()
    run(root, OWN_EXPLORE="double")
    after = records(root)
    assert after[: len(before)] == before
    exploit = of_kind(after[len(before):], "exploit")[0]
    assert exploit["trial"] == open_ask["trial"], "the open ask was not asked again"
    assert exploit["checkpoint"] == open_ask["checkpoint"]
    assert exploit["config"]["lr"] == 2 * open_ask["config"]["lr"]
    assert not (root / "runs" / "own-2").exists()


# lr comes from the program's function, at first and when it is drawn anew.
DRAWN = ("config={}", "scheduler.hyperparam_mutations.lr={function: my_lr}",
         "scheduler.resample_probability=0.5", "stop.training_iteration=60")


def answered(found):
    """(ask, the exploit that answers it) for each ask that led to one."""
    waiting, pairs = {}, []
    for record in found:
        if record["k"] == "ask":
            waiting[record["trial"]] = record
        elif record["k"] == "exploit" and record["trial"] in waiting:
            pairs.append((waiting.pop(record["trial"]), record))
    return pairs


def drawn(seed):
    return 0.0001 + 0.01 * (int(seed) >> 11) * 2.0 ** -53


def calls(path):
    return [line.split() for line in path.read_text().splitlines()]


def test_a_function_is_a_source(root):
    log = root / "calls"
    run(root, *DRAWN, OWN_DRAW="seed", OWN_CALLS=str(log))
    found = records(root)
    firsts = of_kind(found, "ask_first")
    assert [first["trial"] for first in firsts] == [0, 1, 2, 3]
    assert all(first["config"]["lr"] is None for first in firsts)
    made = calls(log)
    assert {name for name, _ in made} == {"lr"}
    assert len({seed for _, seed in made}) == len(made)
    values = [drawn(seed) for _, seed in made]
    trials = of_kind(found, "trial")
    assert [trial["config"]["lr"] for trial in trials] == values[:4]
    # Exploring asks it where the value is drawn anew; else a factor moves it.
    asks = answered(found)
    exploits = of_kind(found, "exploit")
    assert 0 < len(asks) < len(exploits)
    assert values[4:] == [exploit["config"]["lr"] for _, exploit in asks]
    for exploit in exploits:
        new, old = exploit["config"]["lr"], exploit["old_config"]["lr"]
        assert new in values or abs(new / old - 1) < 0.21
    # The same again: nothing depends on who was asked first.
    before = sorted((t["trial"], t["config"]["lr"]) for t in trials)
    run(root, *DRAWN, "resources.cpu=4", "name=again", OWN_DRAW="seed")
    again = of_kind(records(root, "again"), "trial")
    assert sorted((t["trial"], t["config"]["lr"]) for t in again) == before


def test_a_source_and_a_custom_explore(root):
    run(root, *DRAWN, OWN_DRAW="seed", OWN_EXPLORE="double")
    found = records(root)
    asks = answered(found)
    assert asks and len(asks) == len(of_kind(found, "exploit"))
    assert any(ask["config"]["lr"] is None for ask, _ in asks)
    for ask, exploit in asks:
        proposed = ask["config"]["lr"]
        assert proposed is None or exploit["config"]["lr"] == 2 * proposed
    # First values are not explored.
    assert max(t["config"]["lr"] for t in of_kind(found, "trial")) < 0.0101


def test_a_source_and_a_program_that_explores(root):
    program = root / "explore"
    program.write_text("#!/bin/sh\nsed 's/.*\"config\"://; s/}}$/}/'\n")
    program.chmod(0o755)
    run(root, *DRAWN, f"scheduler.custom_explore={program}", OWN_DRAW="seed")
    found = records(root)
    assert of_kind(found, "exploit") and not of_kind(found, "pass")
    assert any(ask["config"]["lr"] is None for ask in of_kind(found, "ask"))


def test_only_first_values(root):
    run(root, "config={lr: {function: my_lr}}", OWN_DRAW="seed")
    found = records(root)
    assert len(of_kind(found, "ask_first")) == 4
    assert of_kind(found, "exploit") and not of_kind(found, "ask")


def test_a_source_that_fails(root):
    for how, words in (("fail", "no idea what to draw"), ("none", "set no value")):
        failed = run(root, *DRAWN, f"name={how}", status=1, OWN_DRAW=how)
        assert words in failed.stderr, failed.stderr
        assert "`my_lr` for `lr`" in failed.stderr
        assert "no first configuration" in failed.stderr
        found = records(root, how)
        assert not of_kind(found, "trial")
        assert of_kind(found, "end")[0]["end"] == "failed"
        # Mended, it goes on: the same is asked again.
        run(root, *DRAWN, f"name={how}", OWN_DRAW="seed")
        assert len(of_kind(records(root, how), "trial")) == 4
        assert not (root / "runs" / f"{how}-2").exists()


def test_a_source_that_fails_later(root):
    """A first value that is given, so that exploring is the first to ask."""
    done = run(root, "scheduler.hyperparam_mutations.lr={function: my_lr}",
               "scheduler.resample_probability=1", OWN_DRAW="fail")
    assert "got no new configuration" in done.stderr
    found = records(root)
    assert of_kind(found, "pass") and not of_kind(found, "exploit")
    assert int(done.stdout.split()[1]) == 4


def test_a_source_open_at_a_kill(root):
    mark, log = root / "mark", root / "calls"
    more = {"OWN_DRAW": "slow", "OWN_MARK": str(mark), "OWN_CALLS": str(log)}
    running = subprocess.Popen(command(root, *DRAWN), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment(**more))
    wait_until("nothing was asked", mark.exists)
    running.send_signal(signal.SIGKILL)
    running.wait()
    refused = subprocess.run([str(BUILD / "pbt"), "resume", str(root / "runs" / "own")],
                             capture_output=True, text=True, timeout=DEADLINE_S)
    assert refused.returncode == 78 and "`my_lr`" in refused.stderr, refused
    mark.unlink()
    run(root, *DRAWN, OWN_DRAW="seed", OWN_CALLS=str(log))
    made = calls(log)
    assert made[0] == made[1]
    assert len(of_kind(records(root), "ask_first")) == 4


def change(root, *words, status=0):
    done = subprocess.run([str(BUILD / "pbt"), "resume", str(root / "runs" / "own"), *words,
                           "--change"], capture_output=True, text=True, timeout=DEADLINE_S,
                          env=environment())
    assert done.returncode == status, done.stderr
    assert "own is changed" in done.stderr, done.stderr
    return done.stderr


def ends(found):
    """{trial: its last iteration}"""
    return {record["trial"]: record["it"] for record in of_kind(found, "result")}


LONGER = ("stop.training_iteration=30", "num_samples=6")


def test_a_change(root):
    """Nothing in the program but its training: pbt goes on with it."""
    run(root)
    before = records(root)
    change(root, *LONGER)
    after = records(root)
    assert after[: len(before)] == before
    assert ends(after) == dict.fromkeys(range(6), 30)


def test_a_change_for_functions(root):
    """The run is changed for the program that has them; that goes on with it."""
    explored = ("config={lr: {loguniform: [0.0001, 0.02]}}",
                "scheduler.hyperparam_mutations={}")
    for overrides, more, status, code in (
            (explored, {"OWN_EXPLORE": "double"}, 2, "E0808"),
            (DRAWN[:-1], {"OWN_DRAW": "seed", "OWN_CALLS": str(root / "calls")}, 78, "E0326")):
        run(root, *overrides, **more)
        before = records(root)
        # The trials that are added come from a function, too.
        said = change(root, *LONGER, status=status)
        assert code in said and "with that program" in said, said
        assert records(root) == before
        run(root, *overrides, *LONGER, **more)
        after = records(root)
        assert after[: len(before)] == before
        assert sorted(r["trial"] for r in of_kind(after, "reopen")) == [0, 1, 2, 3]
        assert ends(after) == dict.fromkeys(range(6), 30)
        assert not (root / "runs" / "own-2").exists()
        shutil.rmtree(root / "runs")


# As Ray writes it: three changes, two of them at one step, and a torn last line.
POLICY = ("""["4_lr=0.1", "1_lr=0.01", 6, 5, {"lr": 0.01}, {"lr": 0.012}]
["0_lr=0.2", "4_lr=0.1", 12, 10, {"lr": 0.012}, {"lr": 0.0096}]
["2_lr=0.3", "0_lr=0.2", 13, 10, {"lr": 0.0096}, {"lr": 0.008}]
["3_lr=0.3", "2_lr=""")
REPLAY = ("name=replay", "num_samples=1", "scheduler={type: replay, policy: ../policy.txt}")


def steps(root):
    """{iteration: lr} as the trainable was given it."""
    [result] = (root / "runs" / "replay").glob("*/result.json")
    rows = [json.loads(line) for line in result.read_text().splitlines()]
    return {row["training_iteration"]: row["config"]["lr"] for row in rows}


def test_a_replay(root):
    (root / "at").mkdir()
    (root / "policy.txt").write_text(POLICY)
    done = run(root / "at", *REPLAY)
    assert "policy.txt:4: skipped: the last line is torn" in done.stderr, done.stderr
    # Two changes at iteration 10: one change a result, so the second a step later.
    expected = [0.01] * 5 + [0.012] * 5 + [0.0096] + [0.008] * 9
    assert steps(root / "at") == dict(enumerate(expected, 1))
    assert len(of_kind(records(root / "at", "replay"), "change")) == 3
    # The run has the schedule itself: the file may go, and be another one later.
    spec = (root / "at" / "runs" / "replay" / "experiment.yaml").read_text()
    assert "policy" not in spec and '"training_iteration": 10' in spec, spec


def test_a_replay_that_is_killed_goes_on(root):
    (root / "at").mkdir()
    (root / "policy.txt").write_text(POLICY)
    long = (*REPLAY, "stop.training_iteration=4000")
    running = subprocess.Popen(command(root / "at", *long), env=environment(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def changed():
        journal = root / "at" / "runs" / "replay" / "journal" / "000001.jsonl"
        return journal.exists() and journal.read_text().count('"k":"change"') == 3
    wait_until("three changes were not made", changed)
    running.send_signal(signal.SIGKILL)
    running.wait()
    run(root / "at", *long)
    seen = steps(root / "at")
    assert len(seen) == 4000 and seen[10] == 0.012 and seen[4000] == 0.008, len(seen)
    assert len(of_kind(records(root / "at", "replay"), "change")) == 3


def test_a_replay_that_can_not_be(root):
    (root / "at").mkdir()
    done = run(root / "at", *REPLAY, status=66)
    assert "policy.txt`: No such file" in done.stderr, done.stderr
    (root / "policy.txt").write_text("[1]\n" + POLICY)
    done = run(root / "at", *REPLAY, status=65)
    assert "policy.txt:1: a line is an array of six" in done.stderr, done.stderr
    (root / "policy.txt").write_text("# nothing here\n")
    done = run(root / "at", *REPLAY, status=65)
    assert "no changes to replay" in done.stderr, done.stderr
    # A trial that never exploited has no file, and what it was given can be trained.
    (root / "ab_00001").mkdir()
    (root / "ab_00001" / "params.json").write_text("{}")
    replay = "scheduler={type: replay, policy: ../pbt_policy_ab_00001.txt}"
    done = run(root / "at", *REPLAY, replay, status=65)
    assert "ab_00001 never took over" in done.stderr, done.stderr
    assert not (root / "at" / "runs").exists()


def test_a_function_that_is_not_given(root):
    done = run(root, *DRAWN, status=78)
    assert "`lr` comes from the function `my_lr`" in done.stderr, done.stderr
    refused = subprocess.run([str(BUILD / "pbt"), "check", str(root / "own.yaml"),
                              "command=[sh]", *DRAWN],
                             capture_output=True, text=True, timeout=DEADLINE_S)
    assert refused.returncode == 78 and "E0326" in refused.stderr, refused


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory(prefix="pbt-own-") as root:
                test(pathlib.Path(root))
            print("ok", name)


main()
