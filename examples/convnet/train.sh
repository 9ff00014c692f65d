#!/bin/sh
# train.sh LR MOMENTUM: the ConvNet for `trainable: command`, around a program that knows
# nothing of pbt.  docs/command.md has the variables; docs/guide.md runs it.
set -eu

lr=$1 momentum=$2

build/examples/convnet-train --lr "$lr" --momentum "$momentum" --seed "$PBT_SEED" \
    --iterations "$PBT_STEPS" --from "$PBT_CHECKPOINT_IN" --to "$PBT_CHECKPOINT_OUT" |
    sed -n 's/^iteration .* loss \(.*\)  accuracy \(.*\)/{"mean_loss": \1, "mean_accuracy": \2}/p' \
        >"$PBT_METRICS"
