# Goal: a program without a client: its command line as trial 0 begins.
cat > cmd.yaml <<'END'
command: [sh, '--lr={lr}', '--in={checkpoint_in}', '--to={checkpoint_out}', 'a b{{lr}', '{deck.in}', '{net/depth}']
trainable: command
templates: {deck.in: deck.tmpl}
metric: loss
mode: min
num_samples: 2
stop: {training_iteration: 10}
config: {lr: 0.25, net: {depth: {choice: [3]}}}
scheduler: {perturbation_interval: 5, hyperparam_mutations: {lr: {uniform: [0, 1]}}}
seed: 1
END
echo 'rate {lr}' > deck.tmpl
pbt check cmd.yaml | grep -E '^(program|first run)'
echo 'rate {lrr}' > deck.tmpl
expect 78 pbt check cmd.yaml >out
