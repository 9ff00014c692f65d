# Goal: from a script that is there to its first perturbation, with what pbt init guesses.
cat >train.sh <<'EOF'
#!/bin/sh
# A student of this world: --lr=X IN OUT
lr=${1#--lr=} from=$2 to=$3
weight=0
[ -z "$from" ] || weight=$(cat "$from/weight")
awk -v w="$weight" -v lr="$lr" -v n="$PBT_STEPS" -v out="$to/weight" \
    'BEGIN { for (; n > 0; n--) w += lr * (1 - w); print w >out; print "score=" w }'
EOF
chmod +x train.sh
pbt init -- ./train.sh --lr={lr} {checkpoint_in} {checkpoint_out}
pbt check train.yaml | grep -E '^(experiment|program|trials|metric|trial ends)' | sed -E 's/seed [0-9]+/seed N/; s/ \(.*//; s/, [0-9]+ at a time//'
pbt run train.yaml stop.training_iteration=20 resources.cpu=2 scheduler.synch=true seed=1 --quiet >out
grep -c . runs/train/pbt_global.txt
pbt best train --export model | sed -n 1p
test -s model/weight
# Through a pipe, too.
pbt init - -- ./train.sh --lr={lr} {checkpoint_in} {checkpoint_out} | pbt check - | head -1 | sed 's/seed .*//'
expect 78 pbt check - <<'EOF'
metrik: score
EOF
# Nothing is written over, and nothing is left when it can't be written.
cp train.yaml before.yaml
expect 73 pbt init -- ./train.sh
cmp train.yaml before.yaml
expect 73 pbt init no/such/dir/exp.yaml -- ./train.sh
# A program that isn't there yet may come later, but that is said.
pbt init -- ./later
# What is said isn't guessed; what is guessed is marked.
pbt init - -n 4 --metric loss --mode min -p lr=loguniform:1e-4:1 -p net/depth=2,4,8 -i 3 \
    -s training_iteration=30 --seed 7 resources_per_trial.gpu=0.5 checkpoint.num_to_keep=2 \
    -- python3 -u my.train.py >full.yaml
grep -c 'a guess' full.yaml || true
cat full.yaml
grep -c 'a guess' train.yaml
# Whatever is asked for, pbt check takes the file as far as it can.
for words in 'make train' 'sh -c {x}' './a.out' 'perl {lr} {wd} {lr}' 'bash x {seed}'; do
    rm -f one.yaml
    pbt init one.yaml -- $words 2>err
    grep -E '^(name|command|trainable):' one.yaml
    { pbt check one.yaml >out 2>err || true; }
    grep -E '^(error|warning)' err | grep -v -e E0705 -e W0102 || true
done
expect 2 pbt init
expect 2 pbt init exp.yaml
expect 78 pbt init - --metric acc scheduler.perturbation_intervall=3 -- ./train.sh
