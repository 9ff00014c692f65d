# Goal: what only the machine can tell: the program, the CPUs.  And what can never be
# a perturbation is a warning.
experiment exp.yaml
expect 78 pbt check exp.yaml 'command=[./absent]' >out
expect 78 pbt check exp.yaml 'command=[absent-program]' >out
touch plain
expect 78 pbt check exp.yaml 'command=[./plain]' >out
expect 78 pbt check exp.yaml 'command=[plain]' >out
# A run that can't begin leaves nothing behind; PATH may be the worker's own.
expect 78 pbt run exp.yaml 'command=[./plain]'
test ! -e runs
mkdir bin
cp "$BUILD/examples/toy" bin/own-toy
pbt run exp.yaml 'command=[own-toy]' env.PATH="$PWD/bin:$PATH" -q >out
expect 78 pbt check exp.yaml 'command=[/]' >out
expect 78 pbt check exp.yaml 'scheduler.custom_explore=[./gone, x]' >out
expect 78 pbt check exp.yaml scheduler.hyperparam_mutations= >out
expect 78 pbt check exp.yaml resources.cpu=0 resources_per_trial.cpu=100000 >out \
    2>err
grep -Eqx 'error\[E0809\]: a trial takes 100000 CPUs \(resources_per_trial.cpu\), this machine gives us [0-9.]+: no trial can run' err
pbt check exp.yaml 'stop={training_iteration: 5}' >out
pbt check exp.yaml num_samples=1 >out
pbt check exp.yaml scheduler.quantile_fraction=0 >out
pbt check exp.yaml 'command=[sh]' >out
