# Goal: a worker that rests after each step, before its grant is used up, is told to go on.
# (It would wait for ever: the same grant again is no news.)
sed 's/halted=iteration >= until, /halted=True, /' "$SOURCE/tests/client.py" >early.py
echo '        until = iteration' >>early.py
cat >exp.yaml <<END
command: [python3, early.py]
num_samples: 2
metric: score
mode: max
stop: {training_iteration: 10}
config: {lr: {uniform: [0.01, 0.2]}}
scheduler:
  perturbation_interval: 5
  hyperparam_mutations: {lr: {uniform: [0.01, 0.2]}}
resources: {cpu: 2}
seed: 1
END
timeout 60 pbt run exp.yaml --quiet >out
[ "$(cat runs/exp/journal/*.jsonl | grep -c '"k":"result"')" -ge 20 ]
! grep '"k":"result"' runs/exp/journal/*.jsonl | grep '"halted":false'
