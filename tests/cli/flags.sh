# Goal: an experiment without a file: flags are keys in other words, on top of a file, too.
cp "$BUILD/examples/toy" train
set -- -n 4 --metric score --mode=max -p lr=loguniform:0.0001:0.02 -i 5 -s training_iteration=20
check "$@" -m lr=loguniform:0.0001:0.02 --seed 1 -- ./train | grep -v '^program'
pbt run "$@" -m lr=loguniform:1e-4:0.02 --seed 1 -q --param a/b=x,y -- ./train >out
# All of it is in the run.
sed -n '/^config/,/^points/p' runs/train/experiment.yaml
# It goes on under its own name; a file's values give way to flags, flags to key=value.
experiment exp.yaml
pbt check exp.yaml -n 8 -i 10 num_samples=6 --name other | head -3 | grep -v '^program'
pbt check exp.yaml --all seed=3 | grep -E '^  (seed|num_samples|grace|config) '
# What is wrong is said of the words that were given.
expect 2 pbt check -p lr=unifrom:0:1 -- ./train
expect 2 pbt check -p 0.1 -- ./train
expect 2 pbt check --stop =3 -- ./train
expect 2 pbt check --mode most -- ./train
expect 2 pbt check -n 4
expect 78 pbt check -n four --metric m --mode max -i 5 -m lr=1,2 -- ./train
# The name is the script's, not the interpreter's.
pbt check --metric m --mode max -i 5 -m lr=1,2 --seed 1 -- sh -u sub/go.sh 2>said | head -1
