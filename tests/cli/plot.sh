# Goal: a run is drawn, to a file or to the terminal, and what can't be drawn is said.
experiment exp.yaml
# Rounds, one after another: the same at each run.
pbt run exp.yaml scheduler.synch=true checkpoint.at_end=true --quiet >out
export COLUMNS=60 LINES=16
pbt plot exp
pbt plot exp -y training_iteration --log
pbt plot exp --log | sed -n 2,3p
pbt plot exp parameters
pbt plot exp lineage
# Time is never the same: only its axes are looked at.
pbt plot exp timeline | grep -o 'time since the start (s)'
pbt plot exp -x timestamp | grep -o 'time since the start (s)'
pbt plot exp -x time_total_s | grep -o 'time trained (s)'
CLICOLOR_FORCE=1 pbt plot exp | grep -q "$(printf '\033')\[38;5;"
# Files are what their names say; the same run gives the same picture.
for kind in metric parameters lineage timeline; do
    pbt plot exp $kind -o $kind.svg
    pbt plot exp $kind -o $kind.png
    pbt plot exp $kind -o $kind.pdf
    python3 -c 'import sys, xml.dom.minidom as m
svg = m.parse(sys.argv[1]).documentElement
print(svg.tagName, svg.getAttribute("width"), len(svg.getElementsByTagName("path")) > 20)' $kind.svg
    head -c 8 $kind.png | od -An -tx1
    head -c 5 $kind.pdf
    echo
    pbt plot exp $kind -o again.svg
    cmp again.svg $kind.svg
done
[ "$(stat -c %a metric.svg)" = "$(printf %o $((0666 & ~$(umask))))" ]
# A population that is drawn as bands.
pbt run exp.yaml name=many num_samples=40 scheduler.synch=true --quiet >out
pbt plot many
pbt plot many -o many.png
# What can't be drawn.
expect 1 pbt run exp.yaml name=empty command='[false]' --quiet >out 2>err
for kind in metric parameters lineage timeline; do
    expect 66 pbt plot empty $kind
    expect 66 pbt plot empty $kind -o empty.svg 2>err
done
[ ! -e empty.svg ]
expect 2 pbt plot exp histogram
expect 2 pbt plot exp -x time
expect 2 pbt plot exp --x timestamp
expect 2 pbt plot exp -y acuracy
expect 2 pbt plot exp lineage -x timestamp
expect 2 pbt plot exp -o picture.jpg
expect 66 pbt plot none
expect 73 pbt plot exp -o no/such/parent.svg
[ ! -e picture.jpg ]
[ -z "$(find . -name '*.tmp')" ]
