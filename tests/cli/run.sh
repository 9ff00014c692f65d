# Goal: a run from its file to its end, and what is there afterwards.
experiment exp.yaml
pbt run exp.yaml --quiet
# Every worker was told to end, and did so in peace.
cat runs/exp/*/stderr
! grep -h '"k":"exited"' runs/exp/journal/*.jsonl | grep -v '"exit_code":0'
[ "$(ls runs/exp/*/result.json | wc -l)" = 4 ]
[ "$(cat runs/exp/*/result.json | wc -l)" = \
    "$(cat runs/exp/journal/*.jsonl | grep -c '"k":"result"')" ]
ls -d runs/exp/*/checkpoint_* >out
# Every file that follows from the journal is there.
[ "$(rebuildable runs/exp | wc -l)" -ge 13 ]
pbt status exp | tail -1
pbt resume exp
# The same again is a run of its own.
pbt run --quiet exp.yaml >out
[ -d runs/exp-2 ]
# Elsewhere, by --dir and by PBT_DIR, with another name.
pbt run exp.yaml --dir there name=b --quiet >out
PBT_DIR=there pbt status b | tail -1
pbt status --dir there b | tail -1
pbt status there/b | tail -1
# The specification as run gives the same run again: same seed, same decisions.
pbt check runs/exp/experiment.yaml >out
