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
