# Goal: Ctrl-C, SIGTERM and SIGKILL each leave a run that can be resumed; while a driver
# is at work nobody else touches the run.  (bash says "Killed" on stderr, sooner or later.)
experiment exp.yaml
# Long enough for all that happens beside it: 8 s.
sed -i 's/^config:/config:\n  sleep_ms: 40/; s/iteration: 20/iteration: 100/' exp.yaml
# The driver that was started as the N-th has a result: it listens to signals, too.
has_result() {
    grep -q '"k":"result"' "runs/exp/journal/00000$1.jsonl"
}
start() {
    pbt "$@" --quiet >>out 2>>err &
    driver=$!
}

start run exp.yaml
wait_for has_result 1
pbt status exp | tail -1 | sed 's/pid [0-9]* on .*/pid N/'
expect 75 pbt rebuild exp 2>refused
expect 75 pbt gc exp 2>refused
grep -q "another pbt is driving this run: pid $driver on" refused
expect 75 pbt run exp.yaml --quiet 2>refused
tail -1 refused | sed 's/pid [0-9]* on .*/pid N/'
pbt resume exp | head -1
kill -INT $driver
expect 130 wait $driver
tail -2 err | sed 's/^stopping.* (/stopping (/'
pbt status exp | tail -1

start run exp.yaml
wait_for has_result 2
kill -TERM $driver
expect 143 wait $driver
tail -2 err | sed 's/^stopping.* (/stopping (/'

start resume exp
wait_for has_result 3
pbt ls exp --plain | cut -f2 | grep -c RUNNING
kill -KILL $driver
expect 137 wait $driver
# Its workers went with it, and all that reads knows that.
pbt status exp | tail -1
pbt status exp --all | grep -cE 'RUNNING|Resources requested: [1-9]' || true
pbt ls exp --plain | cut -f2 | grep -c RUNNING || true
pbt ls exp --json | python3 -c 'import json, sys
read = json.load(sys.stdin)
print(read["run"]["state"], read["run"]["status"]["RUNNING"], read["run"]["driver"],
      *(trial["pid"] for trial in read["trials"]))'

# It goes on and ends; the record up to here is unchanged.
cat runs/exp/journal/*.jsonl >journal
pbt resume exp --quiet >out
cat runs/exp/journal/*.jsonl >after
cmp -n "$(wc -c <journal)" journal after
pbt status exp | tail -1
grep 'resuming' err
