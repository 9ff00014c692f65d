# Goal: what rounding has added to a number is for programs, not for people: 0.1 at an
# excluded bound is 0.09999999999999999 in files and in JSON.
experiment exp.yaml
pbt run exp.yaml num_samples=2 scheduler.synch=true scheduler.resample_probability=0 \
    'config.lr=0.08' 'config.batch=32' 'scheduler.perturbation_factors=[1.5]' \
    'scheduler.hyperparam_mutations.lr={uniform: [0, 0.1]}' --quiet >out
grep -c '0\.0999999' out || true
loser=$(pbt ls exp --plain | awk -F'\t' '$6 > 0 { print $1; exit }')
pbt show exp "$loser" | grep -e ^config -e ' took over ' | sed -E 's/[0-9a-f]{5}_0000[0-9]/TRIAL/g'
pbt show exp "$loser" --json | grep -o '"config":{"lr":0.09999999999999999' | uniq
pbt schedule exp "$loser" | grep -o '0\.1 ' | uniq
pbt schedule exp "$loser" --format csv | tr -d '\r' | tail -1 | cut -d, -f4
