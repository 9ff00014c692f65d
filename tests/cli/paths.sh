# Goal: a run is called as the user called it, wherever it is spoken of; and a command that is
# suggested can be pasted into a shell.
experiment exp.yaml
sed -i 's/^config:/config:\n  sleep_ms: 40/; s/iteration: 20/iteration: 100000/' exp.yaml
mkdir -p 'my runs/ünï'
said() { grep -h -e ^results -e ^next -e 'resume ' -e 'is finished' -e ^note "$@" || true; }
at_work() { pbt status "$1" | grep -q '^A driver is at work'; }
# Started here, stopped by its name in another directory, resumed and stopped by its path.
pbt run exp.yaml --quiet --dir 'my runs/ünï/' >out 2>&1 &
wait_for at_work 'my runs/ünï/exp'
(cd 'my runs' && PBT_DIR=ünï pbt stop exp | grep -v ^stopping)
wait || true
said out
pbt status 'my runs/ünï/exp' | tail -1
PBT_DIR=$PWD/my\ runs/ünï expect 75 pbt pause exp
next=$(pbt stop "my runs/ünï/exp" | sed -n 's/^next: //p')
eval "$next --quiet" >out 2>&1 &
wait_for at_work 'my runs/ünï/exp'
pbt stop "my runs/../my runs/ünï/exp/" | grep -v ^stopping
wait || true
said out
pbt run exp.yaml name=short stop.training_iteration=2 --quiet >out 2>err
said out
pbt resume "$PWD/runs/short"
pbt run exp.yaml name=short stop.training_iteration=2 --quiet --dir "$PWD/runs" >out 2>err
said out err
