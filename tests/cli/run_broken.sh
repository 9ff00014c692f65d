# Goal: programs that can't train say so, with the program's own words, and no mess.
experiment exp.yaml
expect 78 pbt run exp.yaml scheduler.perturbation_interval=never 2>err
grep -q perturbation_interval err
[ ! -e runs ]
expect 66 pbt run absent.yaml
expect 78 pbt run exp.yaml 'command=[./absent]' --quiet 2>err
grep -q 'absent: No such file or directory' err
[ ! -e runs ]
cat >fails <<'EOF'
#!/bin/sh
echo "no digits in this directory" >&2
exit 3
EOF
chmod +x fails
expect 1 pbt run exp.yaml name=fails 'command=[./fails]' --quiet >out 2>err
grep -q 'no digits in this directory' err
grep -rq 'no digits in this directory' runs/fails/*/error.txt
pbt status fails | tail -1
# Mended, it goes on from the start.
ln -sf "$BUILD/examples/toy" fails
pbt resume fails --quiet >out 2>err
pbt status fails | tail -1
# Where no directory can be made.
touch file
expect 73 pbt run exp.yaml --dir file/runs 2>err
grep -q 'file/runs' err
