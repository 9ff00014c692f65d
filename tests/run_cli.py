#!/usr/bin/env python3
"""Runs the tests of the command line: tests/cli/NAME.sh, as files.

    tests/run_cli.py --build build [NAME ...]

Each script runs under bash -eu in a scratch directory of its own, with pbt in the
PATH and tests/cli/prelude sourced before it.  It has to end with 0, and to print exactly
what NAME.sh.stdout and NAME.sh.stderr hold (no file: nothing).  In NAME.sh.stdout.glob
and NAME.sh.stderr.glob instead, `*` stands for any text within a line, and a line
`...` for any number of lines.  Paths are printed as $SOURCE, $BUILD and $SCRATCH.

PBT_UPDATE_GOLDEN=1 rewrites the exact ones: read the difference before it is
committed.
"""
import argparse
import difflib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE / "cli"
TIMEOUT_S = 120


def environment(build, scratch):
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("PBT_", "COLUMNS", "LINES", "LC_"))}
    env.update(PATH=f"{build}:{os.environ['PATH']}", HOME=str(scratch), LC_ALL="C",
               SOURCE=str(HERE.parent), BUILD=str(build), SCRATCH=str(scratch))
    for name in ("PBT_SHIM",):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


def execute(script, build, scratch):
    """The exit code (None: too late), stdout and stderr."""
    command = ["bash", "-euo", "pipefail", "-c", 'source "$1"; source "$2"', script.name,
               str(SCRIPTS / "prelude"), str(script)]
    # Into files: what a left-over process holds open must not hold us up.
    with open(scratch.parent / "stdout", "w+b") as out, \
            open(scratch.parent / "stderr", "w+b") as err:
        process = subprocess.Popen(command, cwd=scratch, env=environment(build, scratch),
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   start_new_session=True)
        try:
            code = process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = None
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        texts = []
        for stream in (out, err):
            stream.seek(0)
            text = stream.read().decode(errors="backslashreplace")
            for name, path in (("$SCRATCH", scratch), ("$BUILD", build),
                               ("$SOURCE", HERE.parent)):
                text = text.replace(str(path), name)
            texts.append(text)
    return code, texts[0], texts[1]


def glob_pattern(expected):
    parts = []
    for line in expected.splitlines(keepends=True):
        if line.rstrip("\n") == "...":
            parts.append(r"(?:[^\n]*\n)*")
        else:
            parts.append("[^\n]*".join(re.escape(part) for part in line.split("*")))
    return "".join(parts)


def difference(expected, got, name):
    lines = difflib.unified_diff(expected.splitlines(keepends=True),
                                 got.splitlines(keepends=True), f"expected {name}", "got")
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def compare(script, stream, got):
    """None, or what differs."""
    glob = script.with_name(f"{script.name}.{stream}.glob")
    exact = script.with_name(f"{script.name}.{stream}")
    if glob.exists():
        expected = glob.read_text()
        if re.fullmatch(glob_pattern(expected), got):
            return None
        return difference(expected, got, glob.name)
    expected = exact.read_text() if exact.exists() else ""
    if got == expected:
        return None
    if os.environ.get("PBT_UPDATE_GOLDEN") == "1":
        if got:
            exact.write_text(got)
        else:
            exact.unlink()
        print(f"{script.name}: {exact.name} rewritten")
        return None
    return difference(expected, got, exact.name)


def run_script(script, build):
    top = pathlib.Path(tempfile.mkdtemp(prefix="pbt-cli-")).resolve()
    scratch = top / "scratch"
    scratch.mkdir()
    try:
        code, out, err = execute(script, build, scratch)
    finally:
        subprocess.run(["chmod", "-R", "u+rwx", str(top)], check=False)
        shutil.rmtree(top)
    if code != 0:
        why = f"took longer than {TIMEOUT_S} s" if code is None else f"ended with {code}"
        return f"{script.name} {why}\n--- stdout\n{out}--- stderr\n{err}"
    problems = [compare(script, "stdout", out), compare(script, "stderr", err)]
    return "\n".join(problem for problem in problems if problem)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    build = pathlib.Path(arguments.build).resolve()
    scripts = [SCRIPTS / f"{name.removesuffix('.sh')}.sh" for name in arguments.names] \
        or sorted(SCRIPTS.glob("*.sh"))
    failed = 0
    for script in scripts:
        problem = run_script(script, build)
        print(f"{'FAILED' if problem else 'ok':6} {script.stem}", flush=True)
        if problem:
            print(problem)
            failed += 1
    print(f"{len(scripts) - failed} of {len(scripts)} passed")
    return 1 if failed or not scripts else 0


if __name__ == "__main__":
    sys.exit(main())
