# Goal: the table's columns and rows as the file has them.
experiment exp.yaml
cat >>exp.yaml <<'EOF'
table:
  metric_columns: {score: "s e", training_iteration: it, absent: x}
  parameter_columns: {net/depth: depth}
  max_progress_rows: 2
EOF
nested='scheduler.hyperparam_mutations.net={depth: [1, 2, 3]}'
pbt run exp.yaml "$nested" scheduler.synch=true --quiet >out
frame() { sed -n '/^+/,/shown/p'; }
pbt status exp | frame
pbt status exp --all | frame | wc -l
grep -A3 ^table runs/exp/experiment.yaml
# A list takes the names for labels; none at all is none.
pbt run exp.yaml "$nested" name=list table.metric_columns='[score]' table.parameter_columns='[]' \
    scheduler.synch=true --quiet >out
pbt status list | frame
pbt check exp.yaml --all "$nested" | grep '^  table'
