# Goal: one truth. What is rebuilt from the journal equals what the run wrote, byte for
# byte; also beside nothing, beside damage, and twice.
experiment exp.yaml
pbt run exp.yaml --quiet num_samples=6 >out
cp -r runs/exp before
rebuildable before >files
[ "$(wc -l <files)" -ge 19 ]
same() {
    while read -r file; do
        cmp "before/$file" "runs/exp/$file"
    done <files
    rebuildable runs/exp | cmp - files
}
same
(cd runs/exp && xargs rm) <files
pbt rebuild exp | sed 's/[0-9][0-9]* records/N records/'
same
pbt rebuild runs/exp >out
same
echo garbage >>runs/exp/pbt_global.txt
echo garbage >runs/exp/log_cursor.json
pbt rebuild runs/exp/ >out
same
# A driver that was killed behind its last record leaves the files short.
for file in runs/exp/*_00001/result.json runs/exp/*_00002/progress.csv; do
    truncate -s -100 "$file"
done
pbt resume exp >out
same
# A journal that is damaged in the middle is refused, with its place.
sed -i '3s/"trial"/"tri"/' runs/exp/journal/000001.jsonl
expect 65 pbt rebuild exp
expect 65 pbt status exp
expect 65 pbt resume exp
rm runs/exp/journal/000001.jsonl
expect 66 pbt status exp
