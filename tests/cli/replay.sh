# Goal: a policy file is replayed with the experiment that it lies beside, with another
# file, or with a command; what can't be replayed is said.
experiment exp.yaml
pbt run exp.yaml --quiet >out
policy=$(find runs/exp -name 'pbt_policy_*' | sort | sed -n 1p)
cp "$policy" mine.txt
pbt replay "$policy" -q >out 2>err
grep -c 'to replay' err
[ -d runs/replay-* ]
pbt replay mine.txt exp.yaml --name again stop.training_iteration=12 -q >out
grep -h '"k":"result"' runs/again/journal/*.jsonl | tail -1 | grep -o '"it":[0-9]*'
printf '["0", "1", 3, ' >>mine.txt
cp "$BUILD/examples/toy" train
pbt replay mine.txt --stop training_iteration=12 --name third -q -- ./train >out
expect 2 pbt replay mine.txt
expect 2 pbt replay
expect 66 pbt replay absent.txt -- ./train
echo '{}' >bad.txt
cat mine.txt >>bad.txt
expect 65 pbt replay bad.txt -- ./train
: >empty.txt
expect 65 pbt replay empty.txt -- ./train
# A trial that never exploited has no file: what is said then does train what it was given.
for trial in runs/exp/*_0000?; do
    [ -e "runs/exp/pbt_policy_$(basename "$trial").txt" ] || break
done
expect 65 pbt replay "runs/exp/pbt_policy_$(basename "$trial").txt" 2>said
plain=$(sed -n 's/^error.* configuration: //p' said)
eval "$plain --name plain -q" >out
grep -h '"k":"trial"' runs/plain/journal/*.jsonl | grep -c '"config":'"$(tr -d ' \n' <"$trial/params.json")"
