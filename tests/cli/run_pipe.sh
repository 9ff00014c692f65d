# Goal: who closes the pipe that the status goes to does not end the run.
experiment exp.yaml
exec 3> >(exec 0<&-)
wait $!
pbt run exp.yaml >&3
pbt status exp | tail -1
# Nor is it an error of what only prints, little or much.
pbt run exp.yaml name=large num_samples=300 scheduler= scheduler.type=fifo metric= mode= \
    stop.training_iteration=1 --quiet >out
for verb in --help "ls" "ls large" "status large --all" "plot exp" "best exp" "check exp.yaml --all" \
    explain "completion zsh" "show exp 1" "schedule exp" "logs exp 1" "ls large --json"; do
    # shellcheck disable=SC2086 # words
    pbt $verb >&3 2>err || echo "$verb: $?"
    grep -v 'has printed nothing' err || true
done
expect 74 pbt run exp.yaml name=full >/dev/full
pbt status full | tail -1
# A standard stream that is closed is no file of the run.
pbt run exp.yaml name=closed --quiet <&- >out
pbt status closed | tail -1
