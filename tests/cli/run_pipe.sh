# Goal: who closes the pipe that the status goes to does not end the run.
experiment exp.yaml
exec 3> >(exec 0<&-)
wait $!
expect 74 pbt run exp.yaml >&3
pbt status exp | tail -1
expect 74 pbt run exp.yaml name=full >/dev/full
pbt status full | tail -1
# A standard stream that is closed is no file of the run.
pbt run exp.yaml name=closed --quiet <&- >out
pbt status closed | tail -1
