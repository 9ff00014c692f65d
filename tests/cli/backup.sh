# Goal: a run is verified, backed up, rid of what nobody needs; damage is named, refused,
# and salvaged as far as it goes.
expect 66 pbt verify none
experiment exp.yaml
pbt run exp.yaml scheduler.synch=true --quiet >out
sizes() { sed -E 's/[0-9.]+ (bytes|[KMG]iB)/SIZE/g; s/[0-9]+ records/N records/'; }
pbt verify exp | sizes
pbt verify exp --json | python3 -c 'import json, sys
found = json.load(sys.stdin)
print(found["whole"], *found, *found["journal"], *found["checkpoints"])'

# The copy is a run like any other; log files are as the original's.
pbt backup exp copy/ | sizes
pbt verify copy | sizes
for file in $(rebuildable runs/exp | grep -v status.json); do
    cmp "runs/exp/$file" "copy/$file"
done
cmp runs/exp/8b684_00001/stdout copy/8b684_00001/stdout
pbt resume copy
expect 73 pbt backup exp copy
expect 73 pbt backup exp no/such/parent
expect 2 pbt backup exp
[ -z "$(find . -name '*.tmp')" ]

# What crashes leave goes; nothing else does.
pbt gc exp
mkdir runs/exp/8b684_00001/.checkpoint_000099.tmp runs/exp/8b684_00001/checkpoint_000099
printf 0123456789 >runs/exp/8b684_00001/checkpoint_000099/model
printf 0123456789 >runs/exp/8b684_00002/params.json.tmp
printf 0123456789 >runs/exp/snapshots/000000000007.bin.tmp
printf mine >runs/exp/8b684_00002/notes.tmp
cp -r runs/exp littered
pbt gc exp -n | sort
diff -r -x lock runs/exp littered
cp -r runs/exp runs/swept
pbt gc exp | tail -1
# As does the resume of a run that is over: its driver may have been killed before it came to that.
pbt resume swept
diff -r -x lock runs/swept runs/exp
rm -r runs/swept
pbt gc exp
cat runs/exp/8b684_00002/notes.tmp && echo
pbt verify exp >out

# A damaged checkpoint, and another that is gone.
set -- "$(find copy -path '*checkpoint_*/toy.txt' | sort | head -1)"
printf '?' | dd of="$1" conv=notrunc status=none
rm -r "$(find copy -name 'checkpoint_*' | sort | tail -1)"
expect 65 pbt verify copy | sizes
expect 65 pbt verify copy --json 2>err | python3 -c 'import json, sys
found = json.load(sys.stdin)
print(found["whole"], [item["what"] for item in found["damaged"]])'
expect 65 pbt backup copy again
[ ! -e again ]
pbt backup copy again --salvage | sizes

# A damaged journal: each of these says the line where the batch begins.
sed -i '0,/"k":"saved"/s//"k":"saves"/' copy/journal/000001.jsonl
{
    expect 65 pbt verify copy | sizes
    expect 65 pbt backup copy once-more
    pbt backup copy once-more --salvage | sizes
    expect 65 pbt gc copy
} 2>err
sed -E 's/jsonl:[0-9]+:/jsonl:LINE:/' err
pbt status once-more | tail -1
sed -i '2s/"k":"/"k":"?/' copy/journal/000001.jsonl
expect 65 pbt backup copy nothing --salvage
[ -z "$(find . -maxdepth 1 -name '*.tmp' -o -maxdepth 1 -name nothing)" ]

# An empty journal needs no checkpoint: what there is stays.
rm once-more/journal/*
expect 66 pbt verify once-more
expect 66 pbt gc once-more
expect 66 pbt backup once-more twice
