# Goal: a grid makes the population, in the run and when it is resumed.
experiment exp.yaml
sed -i 's/^num_samples.*/num_samples: 2/' exp.yaml
grid='config={lr: {grid_search: [0.001, 0.002]}, opt: {name: {grid_search: [a, b, c]}}}'
pbt check exp.yaml "$grid" | grep -E '^trials|^  (lr|opt)|perturb|worst'
firsts() {
    cat "runs/$1"/journal/*.jsonl | grep '"k":"trial"' |
        sed -E 's/.*"config":(.*\}).*"lineage.*/\1/' | grep -o '{"lr".*}}' | uniq -c
}
pbt run exp.yaml "$grid" 'points_to_evaluate=[{}, {opt: {name: given}}]' --quiet >out
firsts exp
grep -E 'num_samples|grid_search' runs/exp/experiment.yaml

# A run that has to be resumed has all its trials from what it wrote down itself.
experiment fast.yaml
sed -i "s|^command:.*|command: [$BUILD/tests/bad_toy]|" fast.yaml
expect 1 env TOY_EXIT=3:8 pbt run fast.yaml num_samples=1 "$grid" failure.fail_fast=true --quiet >out 2>err
pbt resume fast --quiet >out
pbt status fast | tail -1
firsts fast
