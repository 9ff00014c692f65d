# Goal: with durability: power a run is the same, only each batch is on the disk before it counts.
experiment exp.yaml
pbt run exp.yaml scheduler.synch=true --quiet >out
pbt run exp.yaml scheduler.synch=true durability=power name=power --quiet >out
grep durability runs/power/experiment.yaml
records() { grep '"k":"exploit"' "runs/$1"/journal/*.jsonl | sed -E 's/"(n|t|total)":[^,]*,//g'; }
records exp >one
records power >two
[ -s one ]
cmp one two
