# Runs that are not there, and what is no run.
expect 66 pbt status toy
mkdir -p runs/toy-1 runs/mnist runs/.hidden runs/no-run other/convnet
touch runs/toy-1/experiment.yaml runs/mnist/experiment.yaml other/convnet/experiment.yaml
expect 66 pbt status toy
expect 66 pbt status toy_1
expect 66 pbt status convnet --dir other/convne
PBT_DIR=other expect 66 pbt status convent
expect 66 pbt status runs/absent
expect 66 pbt status runs/no-run
expect 66 pbt status runs
expect 66 pbt status runs/mnist/experiment.yaml
expect 66 pbt status ''
expect 66 pbt status .
expect 66 pbt rebuild toy
