#!/bin/sh
# Logistic regression, did a student pass after so many hours of study?  No client: pbt runs
# this once from comparison to comparison.  The model is two numbers: weight and bias.
# shellcheck disable=SC2154
set -eu
here=$(dirname "$0")
model="0 0"
if [ -n "$PBT_CHECKPOINT_IN" ]; then
    model=$(cat "$PBT_CHECKPOINT_IN/model.txt")
fi
awk -v model="$model" -v lr="$PBT_PARAM_lr" -v steps="$PBT_STEPS" \
    -v out="$PBT_CHECKPOINT_OUT/model.txt" '
{ x[NR] = $1; y[NR] = $2 }
END {
    split(model, m, " "); w = m[1]; b = m[2]
    for (step = 1; step <= steps; step++) {
        dw = db = loss = 0
        for (i = 1; i <= NR; i++) {
            p = 1 / (1 + exp(-w * x[i] - b))
            loss -= log(y[i] ? p : 1 - p) / NR
            dw += (p - y[i]) * x[i] / NR; db += (p - y[i]) / NR
        }
        w -= lr * dw; b -= lr * db
        printf "{\"loss\": %.17g}\n", loss > ENVIRON["PBT_METRICS"]
    }
    printf "%.17g %.17g\n", w, b > out
}' "$here/points.txt"
