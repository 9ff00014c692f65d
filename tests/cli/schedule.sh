# Goal: the schedule behind weights, for people and for programs; what can't be is said.
experiment exp.yaml
# Rounds: the same at each run.
pbt run exp.yaml scheduler.synch=true config.batch=32 --quiet >out
pbt schedule exp
pbt schedule exp 1
pbt schedule exp --format json | cmp - <(pbt schedule exp --best --format json)
pbt schedule exp --format csv | head -1 | tr -d '\r'
pbt schedule exp --format c >schedule.h
printf '#include "schedule.h"\nint main(void) { return (int)pbt_schedule_at(3)->batch; }\n' >main.c
cc -std=c99 -Wall -Wextra -pedantic -Werror main.c -o main
expect 32 ./main
pbt schedule exp --format python >schedule.py
python3 -c 'import schedule; print(schedule.schedule(3)["batch"])'
expect 2 pbt schedule exp 1 --best
expect 2 pbt schedule exp --format yaml
expect 66 pbt schedule exp 4
expect 66 pbt schedule none
