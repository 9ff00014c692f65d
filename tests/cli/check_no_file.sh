# Files that can't be read, and files that are no experiment.
expect 66 pbt check absent.yaml
mkdir dir
expect 66 pbt check dir
: >empty.yaml
expect 78 pbt check empty.yaml
head -c 65536 /dev/urandom >noise.yaml
expect 78 pbt check noise.yaml 2>err
grep -q noise.yaml err
expect 78 pbt check /dev/zero 2>err
[ "$(wc -c <err)" -lt 65536 ]
# The program itself in the place of an experiment: how one is made for it.
printf '#!/bin/sh\necho score=1\n' >train.sh
printf 'import sys\n' >train.py
expect 78 pbt run train.py 2>err
tail -1 err >&2
chmod +x train.sh
expect 78 pbt run train.sh 2>err
tail -1 err >&2
# Without a file there is no place in it, but what is missing is said.
expect 78 pbt run -- ./train.sh
