# Goal: runs are listed, trials shown, the best found and exported, and what programs said read.
expect 66 pbt ls
mkdir -p runs/no-run
pbt ls # nothing there: said on stderr
experiment exp.yaml
experiment other.yaml
# Rounds: the same at each run.
pbt run exp.yaml scheduler.synch=true checkpoint.at_end=true --quiet >out
pbt run other.yaml command="[$BUILD/tests/bad_toy]" num_samples=1 --quiet >out 2>err
clock() { sed -E 's/20[0-9]{2}-[0-9-]+ [0-9:]+/TIME/; s/ [0-9.e-]+s / SECONDS /; s/, [0-9.e-]+s$/, SECONDS/'; }
pbt ls | clock
pbt ls --plain | cut -f1-5
pbt ls exp | clock | sed 's/  */ /g'
pbt ls exp --plain | cut -f1-3,5- | sort -t"$(printf '\t')" -k4 -g | tail -1
pbt show exp 3 | clock
pbt show exp 00002 | head -1
expect 66 pbt show exp 4
expect 66 pbt show exp 8b684_00
expect 66 pbt show exp 8b684_00004
pbt best exp
pbt best exp --scope avg --mode min
pbt best exp --export model/ | tail -1
cmp model/toy.txt "$(pbt best exp --json | sed -E 's/.*"checkpoint":\{"path":"([^"]*)".*/\1/')/toy.txt"
expect 73 pbt best exp --export model
expect 73 pbt best exp --export no/such/parent
[ -z "$(find . -name '*.tmp')" ]
expect 2 pbt best exp --metric acuracy
expect 2 pbt best exp --scope median
expect 66 pbt best none
# JSON that is JSON, with what docs/cli.md promises.
members() { python3 -c 'import json, sys; print(*sorted(json.load(sys.stdin)'"${1-}"'))'; }
pbt ls --json | members '["runs"][0]'
pbt ls exp --json | members '["trials"][0]'
pbt status exp --json >status.json
pbt ls exp --json | cmp - status.json
pbt show exp 3 --json | members
pbt show exp 3 --json | members '["lineage"][0]'
pbt best exp --json | members
pbt best exp --json | members '["checkpoint"]'
# A damaged journal hides no other run.
printf 'garbage\n' >>runs/exp/journal/000001.jsonl
printf '{"n":1}\n' >runs/other/journal/000001.jsonl
expect 65 pbt ls --plain >out
cut -f1 out
