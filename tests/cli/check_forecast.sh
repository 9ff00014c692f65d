# Goal: what checkpoints will take is known from an earlier run, and too much is a warning.
experiment exp.yaml
check exp.yaml | grep '^disk'
pbt run exp.yaml checkpoint.at_end=true --quiet >out
pbt run exp.yaml checkpoint.at_end=true --quiet >out 2>err # exp-2
check exp.yaml | grep '^disk' | sed 's/of [0-9.]* bytes/of N bytes/; s/: [0-9.]* .*/: N/'
start=$(find runs/exp/*_00000 -name 'checkpoint_*' -print -quit)
pbt check exp.yaml name=other "start_checkpoint=$start" | grep '^disk' | grep -c '_00000/checkpoint_'
pbt check exp.yaml checkpoint.num_to_keep=4000000000 num_samples=1000000 >out 2>err
grep -c 'warning\[W0205\]: checkpoints may take .* as large as in runs/exp-2' err
check exp.yaml scheduler= scheduler.type=fifo stop= metric= mode= | grep -c '^disk' || true
# For programs.
pbt check exp.yaml --json num_samples=3 | python3 -c '
import json, sys
c = json.load(sys.stdin)
print(*c)
print(c["trials"], c["perturbations"], sorted(c["disk"]), c["disk"]["seen_in"])
print([s for s in c["settings"] if s["key"] in ("num_samples", "metric", "grace")])'
expect 78 pbt check exp.yaml --json nun_samples=3
