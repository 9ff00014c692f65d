# Goal: the summary says what would run, here and with overrides.
experiment exp.yaml
check exp.yaml
echo
check exp.yaml num_samples=2 resources.cpu=0.5 resources_per_trial.cpu=0.25 \
    'stop_all={score: 0.5, training_iteration: 1000}' time_budget_s=60 \
    'stop={loss: {min: 0.5}}' \
    mode=min 'config.net={act: {choice: [relu, tanh]}, depth: 3}' \
    'config.a={qrandint: [0, 10, 5]}' 'config.b={randn: []}' \
    'scheduler.hyperparam_mutations.momentum=[0.8, 0.9]' \
    scheduler.burn_in_period=10 checkpoint.frequency=3 checkpoint.at_end=true \
    checkpoint.num_to_keep=2 failure.max_failures=3
echo
check exp.yaml scheduler= scheduler.type=fifo stop= metric= mode= failure.max_failures=-1
echo
check exp.yaml scheduler.exploit=tournament scheduler.exploit_gap=0.5 | grep -A 1 ^scheduler
check exp.yaml scheduler.exploit=t_test scheduler.t_test_scores=20 \
    scheduler.exploit_gap_relative=0.05 scheduler.exploit_gap_sd=0.5 | grep -A 3 ^scheduler
for copies in both weights hyperparameters; do
    check exp.yaml 'config.width={choice: [8, 16]}' 'config.depth={choice: [1, 2]}' \
        config.constant=1 scheduler.exploit_copies=$copies scheduler.donors=best_ever |
        grep -A 2 ^scheduler
done
pbt check exp.yaml num_samples=1 2>err | grep ^scheduler
pbt check exp.yaml num_samples=1 --json 2>err | grep -o '"first":5.0,"last":null,"of_each_trial":0.0'
# Nothing was started or written.
rm err
[ "$(ls)" = exp.yaml ]
