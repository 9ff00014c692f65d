# Goal: all errors of a file at once, each with its place; overrides have places, too.
cat >exp.yaml <<'EOF'
comand: [./train]
num_samples: none
metric: loss
mode: minimum
stop: {training_iterations: 0}
scheduler:
  quantile_fracton: 0.25
  hyperparam_mutations:
    lr: {unifrom: [0, 1]}
EOF
expect 78 pbt check exp.yaml checkpoint.frequency=often
