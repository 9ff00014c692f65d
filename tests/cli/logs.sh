# Goal: what programs printed is read, to its end or as it comes.
experiment exp.yaml
cat >train.sh <<'EOF'
#!/bin/sh
i=0
while [ $i -lt 3 ]; do
    i=$((i + 1))
    echo "out $PBT_TRIAL $i"
    echo "err $i" >&2
done
echo '{"score": 1}'
EOF
chmod +x train.sh
pbt run exp.yaml trainable=command command='[./train.sh]' stateless=true stop.training_iteration=1 \
    num_samples=2 --quiet >out
pbt logs exp 0 2>err | sed 's/out [^ ]*/out/'
cat err
pbt logs exp 1 --stderr -n 2
pbt logs exp 1 --stdout --lines 1
pbt logs exp 1 -f --stderr # it is over: nothing to wait for
pbt run exp.yaml name=mute resources.cpu=1 num_samples=1 -q >out
pbt logs mute 0 2>err # not a line: said on stderr
sed 's/^[^ ]*/TRIAL/' err
expect 2 pbt logs exp 0 -n few
expect 2 pbt logs exp
# At work: what comes is shown, until the run has stopped.
pbt run exp.yaml name=slow command="[$BUILD/tests/bad_toy]" num_samples=1 resources.cpu=1 \
    stop.training_iteration=100000 --quiet >out 2>&1 &
wait_for test -s runs/slow/journal/000001.jsonl
wait_for grep -q '"k":"result"' runs/slow/journal/000001.jsonl
pbt logs slow 0 -f >followed &
echo 'by hand' >>runs/slow/*_00000/stdout
wait_for grep -q 'by hand' followed
pbt stop slow >out
wait
# Driven on another host: followed for as long as the lease there is not given back.
lease() {
    printf '{"lease":%20d,"nonce":"%032d","pid":7,"host":"elsewhere","boot":"b"}\n' "$1" 0 >lock
    mv lock runs/slow/lock
}
lease 7
pbt logs slow 0 -f -n 1 >afar &
follower=$!
wait_for test -s afar
sleep 2 # it has looked who drives
echo 'from afar' >>runs/slow/*_00000/stdout
wait_for grep -q 'from afar' afar
lease 0
wait $follower
pbt status slow | tail -1
