# Goal: `pbt doctor` tries what a run needs, says what to do, and leaves nothing behind.
unset CUDA_VISIBLE_DEVICES HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES
unset PBT_SHIM
mkdir here
pbt doctor --dir here >out
grep -qx "ok       pbt-shim     $BUILD/pbt-shim, version [0-9.]*" out
grep -qx 'ok       writing      files can be made, synced, renamed and locked' out
grep -qx 'ok       control      a socket can be made' out
grep -q '^ok       runs         here$' out
grep -Eqx '0 errors, ([0-9]* warnings|1 warning)' out
[ -z "$(ls -A here)" ]
# A name that isn't there yet is looked at where it would be made.
pbt doctor --dir here/a/b | grep 'ok       runs '
[ -z "$(ls -A here)" ]

# What is wrong, and only that: `errors COMMAND` prints its error lines.
errors() {
    expect 1 "$@" >out
    sed -n '/^error/{N;p}' out
}
LC_ALL=C pbt doctor --dir here | grep -A1 '^warning  locale'
errors pbt doctor --dir "$BUILD/pbt-shim/x"
errors pbt doctor --dir /proc | sed 's/ \(in .proc\): .*/ \1/'
CUDA_VISIBLE_DEVICES=0,0 errors pbt doctor
(ulimit -n 32 && errors pbt doctor)
PBT_SHIM=./none errors pbt doctor
cat >other <<'END'
#!/bin/sh
echo pbt-shim 0.0.9
END
chmod +x other
PBT_SHIM=./other errors pbt doctor
PBT_SHIM=./none expect 1 pbt doctor --json >out
python3 - <<'END'
import json
found = json.load(open("out"))
bad = [check for check in found["checks"] if check["level"] == "error"]
assert found["errors"] == len(bad) == 1, found
assert bad[0]["name"] == "pbt-shim" and bad[0]["todo"], bad
assert len(found["checks"]) >= 13, found
END
