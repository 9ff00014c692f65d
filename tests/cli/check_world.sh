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
# What only the machine says is shown where it was asked for, and nothing is made of it.
sed -i 's/^  hyperparam_mutations:/  hyperparam_mutations: {}/; /^    lr:/d; /^resources/d' exp.yaml
printf 'resources_per_trial: {cpu: 100000}\n' >>exp.yaml
expect 78 pbt check exp.yaml resources_per_trial.cpu=1 >out
expect 78 pbt run exp.yaml scheduler.type=fifo resources_per_trial.cpu=200000 name=large 2>err
grep -v '^error' err
sed 's/gives us .*: no/gives us N: no/' err | head -1
[ ! -e runs/large ]
expect 78 pbt check exp.yaml scheduler.type=fifo resources_per_trial.cpu=1 env.CUDA_VISIBLE_DEVICES=first >out
