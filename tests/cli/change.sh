# Goal: the same experiment again goes on, another one is told apart; --change extends a run.
experiment exp.yaml
sed -i 's/^seed: 1/seed: 1\ncheckpoint: {at_end: true}/' exp.yaml
pbt run exp.yaml --quiet >out
now() { grep -E "^($1):" runs/exp/experiment.yaml; }
statuses() { pbt status exp | grep -c "TERMINATED *| .* $1 |"; }
iterations() { pbt status exp --all | awk -F'|' '/^\|.*_0000/ {gsub(/ /, "", $6); print $6}' | sort | uniq -c; }
# It says the same: it is that experiment, which is finished.
pbt resume exp num_samples=4 -s training_iteration=20 --interval 5
# It says something else: nothing is done.
cp runs/exp/experiment.yaml before
expect 2 pbt resume exp num_samples=6 -s training_iteration=40 --metric loss 'config.lr={uniform: [0, 1]}' \
    env.API_TOKEN=abcdefgh env.MODE=fast -- "$BUILD/examples/toy" --other
cmp before runs/exp/experiment.yaml
# What can't change isn't changed by --change either, nor what could together with it.
expect 2 pbt resume exp --change num_samples=2 'stop={training_iteration: 15}' mode=min seed=2 name=other \
    max_concurrent=1
expect 2 pbt resume exp --change 'stop={training_iteration: 40, accuracy: 1}'
expect 2 pbt resume exp --change 'stop={}'
expect 2 pbt resume exp --change stop_all.score=5
expect 78 pbt resume exp --change stop.training_iteration=0
expect 78 pbt resume exp --change max_concurrent=1 -- ./no-such-program
expect 78 pbt resume exp --change resources_per_trial.cpu=1000
expect 2 pbt resume exp --change
expect 2 pbt resume exp 3 --change
cmp before runs/exp/experiment.yaml
[ "$(ls runs/exp/journal | wc -l)" = 1 ]
# How it runs is changed; nothing is left to do for all that.
pbt resume exp --change max_concurrent=3 time_budget_s=3600
now max_concurrent
# More trials, among themselves: the others have finished.
pbt resume exp --change num_samples=6 --quiet >out
iterations
# A longer stop: all go on from their last step.
pbt resume exp --change stop.training_iteration=40 --quiet >out
iterations
grep -h '"reopen"' runs/exp/journal/*.jsonl | jq -c '[.trial, .it]'
jq -c 'select(.k == "opened") | .data.experiment | [.num_samples, .stop, .max_concurrent]' runs/exp/journal/*.jsonl
now 'num_samples|stop'
# All that can be made anew is the same as if it had been made in one go.
rebuildable runs/exp >files
mkdir was
xargs -a files -I{} sh -c 'mkdir -p "was/$(dirname "{}")" && cp "runs/exp/{}" "was/{}"'
pbt rebuild exp >out
while read -r file; do case $file in */status.json) ;; *) cmp "was/$file" "runs/exp/$file" ;; esac; done <files
pbt verify exp | sed 's/[0-9][0-9]* records/N records/; s/[0-9][0-9]*, [0-9][0-9]* bytes/N, N bytes/'
pbt backup exp copy >out
pbt verify copy >out
pbt resume copy
pbt best exp | grep -o 'iteration [0-9]*'
# What it is now is the same experiment again; what the file says is another one.
pbt resume exp num_samples=6 stop.training_iteration=40
pbt run exp.yaml --quiet >out
pbt run exp.yaml --quiet num_samples=5 >out
ls runs
