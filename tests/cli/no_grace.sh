# Goal: with a grace time of 0, an interruption does not wait for the step under way; the
# trial goes back to its start when the run is resumed.
experiment exp.yaml
sed -i 's/^config:/config:\n  sleep_ms: 3600000/' exp.yaml
pbt run exp.yaml grace=0 --quiet >out 2>err &
driver=$!
# Its steps are under way.
wait_for grep -q '"k":"ready"' runs/exp/journal/000001.jsonl
kill -TERM $driver
expect 143 wait $driver
tail -1 err
