# Goal: which checkpoints are kept, as pbt check says it and as a run does it.
experiment exp.yaml
pbt check exp.yaml checkpoint.num_to_keep=3 checkpoint.score_attribute=score | grep '^checkpoints'
pbt check exp.yaml checkpoint.score_attribute=gap checkpoint.score_order=min checkpoint.max_bytes='50 GiB' |
    grep '^checkpoints\|^disk' | sed 's/; [^;]* are free//'

# The two best of each trial, its newest, and what is needed: the others are gone.
pbt run exp.yaml name=best checkpoint.frequency=1 checkpoint.num_to_keep=2 \
    checkpoint.score_attribute=score --quiet >out
grep -A5 '^checkpoint:' runs/best/experiment.yaml
cat >kept.py <<'EOF'
import glob, json, os, sys
run = 'runs/' + sys.argv[1]
saved, gone, bytes = {}, set(), {}
for name in sorted(glob.glob(run + '/journal/*.jsonl')):
    for record in map(json.loads, open(name)):
        if record.get('k') == 'saved':
            one = record['checkpoint']
            saved.setdefault(one['trial'], []).append((record['score'], one['number']))
            bytes[one['trial'], one['number']] = record['bytes']
        elif record.get('k') == 'delete':
            gone.add(tuple(record['checkpoint'].values()))
for trial, ones in sorted(saved.items()):
    best = [number for _, number in sorted(ones)[-2:]] + [max(number for _, number in ones)]
    dirs = glob.glob('%s/*_%05d/checkpoint_*' % (run, trial))
    there = {int(dir[-6:]) for dir in dirs}
    print('trial', trial, 'has the best and the newest:', set(best) <= there,
          'and few others:', len(there) <= len(set(best)) + 4,
          'as recorded:', there == {number for _, number in ones} - {n for t, n in gone if t == trial})
print('some are given up:', len(gone) > 0)
EOF
python3 kept.py best

# What is needed is kept, however little it may take.
pbt run exp.yaml name=small checkpoint.frequency=1 checkpoint.num_to_keep=100 \
    checkpoint.max_bytes=1 --quiet >out 2>err
grep -c 'W0306' err
sed -n 's/take .*, and/take ..., and/p' err
find runs/small -name 'checkpoint_*' | wc -l | awk '{ print ($1 <= 16 ? "few" : "many"), "are left" }'
