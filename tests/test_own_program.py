"""pbt_run(): a program that runs its own experiment, with a custom explore function that
works, fails, is slow, and is open when the program is killed.

    test_own_program.py BUILD_DIR
"""

import json
import operator
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
DEADLINE_S = 60

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
    """The records of a run, read without any of our code."""
    found = []
    for segment in sorted((root / "runs" / name / "journal").iterdir()):
        for line in segment.read_text().splitlines():
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
        assert "failed for trial" in done.stderr
        found = records(root, how)
        assert not of_kind(found, "exploit")
        assert of_kind(found, "pass")
        assert int(done.stdout.split()[1]) == 4  # all went on to their end


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


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory(prefix="pbt-own-") as root:
                test(pathlib.Path(root))
            print("ok", name)


main()
