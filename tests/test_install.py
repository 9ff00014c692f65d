#!/usr/bin/env python3
"""An installed copy, moved to another place, is all that anybody needs.

    tests/test_install.py BUILD [CMAKE]

Installs into a fresh DESTDIR, moves the tree, and there compiles and runs README.md's
example with nothing but pkg-config, shared and static, and with CMake's find_package;
reads the man pages, and completes in the shells that are here.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(sys.argv[1]).resolve()
CMAKE = sys.argv[2] if len(sys.argv) > 2 else "cmake"
TIMEOUT_S = 100
CMAKE_LISTS = """
cmake_minimum_required(VERSION 3.16)
project(mine LANGUAGES C)
find_package(pbt 99 QUIET)
if(pbt_FOUND)
  message(FATAL_ERROR "no such version can be here")
endif()
find_package(pbt 0.1 REQUIRED)
add_executable(shared train.c)
target_link_libraries(shared PRIVATE pbt::pbt)
add_executable(static train.c)
target_link_libraries(static PRIVATE pbt::static)
"""


def environment(**more):
    """Ours, without what could lead to another copy."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("PBT_", "PKG_CONFIG", "CMAKE_", "LD_"))}
    return {**env, "LC_ALL": "C", **more}


def run(*words, env=None, cwd=None, code=0):
    """What a command printed; it has to end with `code`."""
    done = subprocess.run([str(word) for word in words], env=env or environment(), cwd=cwd,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


class Copy:
    """An installed copy that was moved."""

    def __init__(self, scratch):
        stage, self.prefix = scratch / "stage", scratch / "moved"
        run(CMAKE, "--install", BUILD, "--prefix", "/opt/pbt",
            env=environment(DESTDIR=str(stage)))
        (stage / "opt/pbt").rename(self.prefix)
        shutil.rmtree(stage)
        self.pbt = self.prefix / "bin/pbt"
        self.lib = next(self.prefix.rglob("libpbt.pc")).parent.parent
        self.env = environment(PKG_CONFIG_PATH=str(self.lib / "pkgconfig"))

    def flags(self, *options):
        return run("pkg-config", "--cflags", "--libs", *options, "libpbt",
                   env=self.env).split()


def check_files(copy):
    names = {str(path.relative_to(copy.prefix)) for path in copy.prefix.rglob("*")
             if not path.is_dir()}
    for name in ("bin/pbt", "bin/pbt-shim", "include/pbt/pbt.h", "share/man/man1/pbt.1",
                 "share/man/man1/pbt-run.1", "share/bash-completion/completions/pbt",
                 "share/zsh/site-functions/_pbt", "share/fish/vendor_completions.d/pbt.fish"):
        assert name in names, (name, sorted(names))
    headers = {path.name for path in (SOURCE / "include/pbt").iterdir()}
    assert {path.name for path in (copy.prefix / "include/pbt").iterdir()} == headers
    # Nothing in it knows where it was built or meant to be.
    for name in names:
        content = (copy.prefix / name).read_bytes()
        assert b"/opt/pbt" not in content, name
        if not name.endswith(".a") and not content.startswith(b"\x7fELF"):
            assert str(SOURCE).encode() not in content, name


def check_library(copy):
    real = (copy.lib / "libpbt.so").resolve()
    assert re.fullmatch(r"libpbt\.so\.\d+\.\d+\.\d+", real.name), real
    assert "SONAME" in run("readelf", "-d", real)
    assert re.search(r"SONAME.*\[libpbt\.so\.\d+\]", run("readelf", "-d", real))
    # libpbt.a brings the public names along, and no other.
    listed = {line.split()[0] for line in open(SOURCE / "docs/symbols.txt", encoding="utf-8")}
    names = run("nm", "-g", "--defined-only", "--format=posix", copy.lib / "libpbt.a")
    found = {line.split()[0] for line in names.splitlines() if " " in line}
    assert found == listed, found ^ listed


def mine(scratch):
    """README.md's own experiment."""
    directory = scratch / "mine"
    directory.mkdir()
    shutil.copy(SOURCE / "examples/toy/toy.c", directory / "train.c")
    readme = (SOURCE / "README.md").read_text(encoding="utf-8")
    text = re.search(r"^cat > mine/exp.yaml <<'EOF'\n(.*?)^EOF$", readme, re.M | re.S).group(1)
    (directory / "exp.yaml").write_text(text, encoding="utf-8")
    return directory


def check_trains(copy, directory, program, env):
    """`pbt run` from the moved tree, on this program."""
    run(copy.pbt, "run", "exp.yaml", f"command=[{program}]", f"name={program.name}",
        "stop.training_iteration=10", "--quiet", cwd=directory, env=env)
    tables = list((directory / "runs" / program.name).glob("*/progress.csv"))
    assert len(tables) == 8, tables
    for table in tables:
        assert len(table.read_text(encoding="utf-8").splitlines()) >= 11, table


def is_dynamic(program, library):
    return library in run("readelf", "-d", program)


def check_pkg_config(copy, directory):
    cc = [os.environ.get("CC", "cc"), "-Wall", "-Wextra", "-Werror"]
    shared, static = directory / "with-so", directory / "with-a"
    run(*cc, "train.c", "-o", shared, *copy.flags(), cwd=directory)
    assert is_dynamic(shared, "libpbt.so.")
    check_trains(copy, directory, shared, environment(LD_LIBRARY_PATH=str(copy.lib)))
    run(*cc, "-static", "train.c", "-o", static, *copy.flags("--static"), cwd=directory)
    assert not is_dynamic(static, "NEEDED")
    check_trains(copy, directory, static, environment())


def block(number):
    """A program of docs/c-api.md."""
    text = (SOURCE / "docs/c-api.md").read_text(encoding="utf-8")
    return re.findall(r"^```c\n(.*?)^```$", text, re.M | re.S)[number]


def check_own_program(copy, directory):
    """docs/c-api.md: a program that runs its own experiment finds pbt-shim."""
    text = re.split(r"^int main", block(0), flags=re.M)[0] + block(1)
    (directory / "own.c").write_text(text, encoding="utf-8")
    exp = (directory / "exp.yaml").read_text(encoding="utf-8")
    exp = re.sub(r"^command:.*\n", "", exp, flags=re.M).replace("200}", "10}")
    (directory / "experiment.yaml").write_text(exp, encoding="utf-8")
    cc = os.environ.get("CC", "cc")
    run(cc, "own.c", "-o", "own", *copy.flags(), cwd=directory)
    run("./own", cwd=directory, env=environment(LD_LIBRARY_PATH=str(copy.lib)))
    # It can be anywhere, and so can what it runs, if libpbt is in it.
    run(cc, "-static", "own.c", "-o", "own", *copy.flags("--static"), cwd=directory)
    run("./own", cwd=directory, code=69)
    path = f"{copy.prefix / 'bin'}:{os.environ['PATH']}"
    assert "results in" in run("./own", cwd=directory, env=environment(PATH=path))


def check_cmake(copy, directory):
    (directory / "CMakeLists.txt").write_text(CMAKE_LISTS, encoding="utf-8")
    build = directory / "build"
    run(CMAKE, "-S", directory, "-B", build, f"-DCMAKE_PREFIX_PATH={copy.prefix}")
    run(CMAKE, "--build", build)
    assert is_dynamic(build / "shared", "libpbt.so.")
    assert not is_dynamic(build / "static", "libpbt.so.")
    for name in ("shared", "static"):
        check_trains(copy, directory, build / name, environment())


def check_python(copy, scratch):
    """The client, as installed and as pip installs it: the same files, and they train."""
    directory = scratch / "python"
    shutil.copytree(SOURCE / "python", directory, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
        "--no-build-isolation", "--target", scratch / "pip", directory)
    found = list(copy.prefix.glob("lib/python3*/*-packages/libpbt"))
    assert len(found) == 1, found
    names = [sorted(path.name for path in package.iterdir() if path.is_file())
             for package in (found[0], scratch / "pip/libpbt", SOURCE / "python/libpbt")]
    assert names[0] == names[1] == names[2] and "py.typed" in names[0], names
    text = (SOURCE / "docs/python.md").read_text(encoding="utf-8")
    script, line = re.search(r"^```python\n(.*?)^```\n\n```sh\n(.*?)^```", text,
                             re.M | re.S).groups()
    (directory / "model.py").write_text(script, encoding="utf-8")
    for parent in (found[0].parent, scratch / "pip"):
        path = f"{copy.prefix / 'bin'}:{os.environ['PATH']}"
        said = run("sh", "-c", line.replace("python3", sys.executable) + "exit $?", cwd=directory,
                   env=environment(PATH=path, PYTHONPATH=str(parent),
                                   PYTHONDONTWRITEBYTECODE="1"))
        assert "best result: score" in said, said
        shutil.rmtree(directory / "runs")


def check_man(copy):
    if shutil.which("man") is None:
        return
    for name in ("pbt", "pbt-run", "pbt-completion"):
        text = run("man", "-M", copy.prefix / "share/man", name, env=environment(MANPAGER="cat"))
        assert name.upper() + "(1)" in text and "SYNOPSIS" in text, text


def check_completions(copy):
    share = copy.prefix / "share"
    words = run("bash", "-c", 'source "$0"; COMP_WORDS=(pbt re) COMP_CWORD=1; _pbt;'
                ' echo "${COMPREPLY[@]}"; complete -p pbt',
                share / "bash-completion/completions/pbt")
    assert "rebuild" in words and "resume" in words and "stop" not in words, words
    if shutil.which("zsh"):
        words = run("zsh", "-f", "-c", 'fpath=($1 $fpath); autoload -Uz compinit;'
                    ' compinit -D -u; echo $_comps[pbt]; autoload +X _pbt && whence -w _pbt',
                    "zsh", share / "zsh/site-functions")
        assert words == "_pbt\n_pbt: function\n", words
    if shutil.which("fish"):
        words = run("fish", "--no-config", "-c", 'source $argv[1]; complete -C "pbt re"',
                    share / "fish/vendor_completions.d/pbt.fish")
        found = [line.split("\t")[0] for line in words.splitlines()]
        assert found == sorted(["rebuild", "replay", "resume"]), words


def main():
    with tempfile.TemporaryDirectory(prefix="pbt-install-") as name:
        scratch = pathlib.Path(name)
        copy = Copy(scratch)
        directory = mine(scratch)
        check_files(copy)
        check_library(copy)
        check_pkg_config(copy, directory)
        check_own_program(copy, directory)
        check_cmake(copy, directory)
        check_python(copy, scratch)
        check_man(copy)
        check_completions(copy)
    print("installed, moved, used: ok")


main()
