# Goal: first configurations that are given, a checkpoint that all start from, so many trials at a
# time, and an experiment that ends with its first failure.
experiment exp.yaml
cat >>exp.yaml <<END
points_to_evaluate: [{lr: 0.0003}, {}, {lr: 0.0007}]
max_concurrent: 1
END
pbt check exp.yaml | grep '^trials'
pbt run exp.yaml --quiet >out
cat runs/exp/journal/*.jsonl | grep '"k":"trial"' | sed -n 's/.*"config":{"lr":\([0-9.]*\).*/\1/p' >first
sed -n '1p;3p' first
# Never two processes at a time: each start comes after the end of the one before.
cat runs/exp/journal/*.jsonl | grep -Eo '"k":"(start|exited)"' | uniq -c | awk '$1 > 1' | wc -l
grep -A2 points_to_evaluate runs/exp/experiment.yaml

# More than one, and fewer than there are slots: as many as may, and never one more.
pbt run exp.yaml name=two max_concurrent=2 resources.cpu=4 --quiet >out
python3 - <<'EOF'
import glob, json
alive = most = 0
for name in sorted(glob.glob('runs/two/journal/*.jsonl')):
    for record in map(json.loads, open(name)):
        alive += {'start': 1, 'exited': -1}.get(record.get('k'), 0)
        most = max(most, alive)
print('at most', most, 'at a time')
EOF

# All start from a checkpoint of another run, at iteration 0, also after the original is gone.
from=$(find runs/exp/*_00000 -name 'checkpoint_*' | sort | sed -n 1p)
cp -r "$from" pretrained
pbt run exp.yaml name=second start_checkpoint=pretrained checkpoint.num_to_keep=100 \
    max_concurrent= --quiet >out
cat runs/second/start_checkpoint/.pbt_manifest.json | grep -c '"start_checkpoint"'
grep -m 1 '"k":"result"' runs/second/journal/000001.jsonl | grep -c '"it":1'
rm -r pretrained
cp -r runs/second/start_checkpoint damaged
find damaged -type f ! -name '.*' -exec sh -c 'echo x >>"$1"' sh {} \;
expect 66 pbt run exp.yaml name=third start_checkpoint=damaged --quiet >out
[ ! -e runs/third ]
expect 66 pbt run exp.yaml name=third start_checkpoint=absent --quiet >out

# The first that fails for good ends it; the others have saved, and it can go on.
experiment fast.yaml
sed -i "s|^command:.*|command: [$BUILD/tests/bad_toy]|" fast.yaml
cp -r runs/second/start_checkpoint plain
rm plain/.pbt_manifest.json
echo 0 >plain/iteration.txt
expect 1 env TOY_EXIT=3:8 pbt run fast.yaml failure.fail_fast=true start_checkpoint=plain --quiet >out 2>err
grep -c 'failure.fail_fast ends the experiment' err
pbt status fast | tail -1
env TOY_EXIT=3:8 TOY_SLEEP_MS=5 pbt run fast.yaml name=saved 'scheduler={type: fifo}' \
    resources.cpu=4 failure.fail_fast=true --quiet >out 2>err || true
python3 - <<'EOF'
import glob, json
last = {'result': {}, 'saved': {}}
for name in sorted(glob.glob('runs/saved/journal/*.jsonl')):
    for record in map(json.loads, open(name)):
        if record.get('k') in last:
            last[record['k']][record['trial']] = record['it']
del last['result'][3]
print('saved where they were:', last['result'] == last['saved'], 'trials', sorted(last['saved']))
EOF
# What all start from is looked at before anybody goes on.
echo x >>runs/fast/start_checkpoint/iteration.txt
expect 65 pbt resume fast --quiet >out
echo 0 >runs/fast/start_checkpoint/iteration.txt
pbt resume fast --quiet >out
pbt status fast | tail -1
