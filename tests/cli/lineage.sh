# Goal: the family tree, and one line of it, for people and as JSON.
experiment exp.yaml
# Rounds: the same at each run.
pbt run exp.yaml scheduler.synch=true num_samples=6 config.batch=32 --quiet >out
pbt lineage exp
LC_ALL=C.UTF-8 pbt lineage exp | sed -n 1,3p
pbt lineage exp --all | wc -l
pbt lineage exp 3
python3 - <(pbt lineage exp --json) runs/exp/experiment.db <<'END'
import json, sqlite3, sys

found = json.load(open(sys.argv[1]))
db = sqlite3.connect(sys.argv[2])
rows = db.execute("SELECT trial_id, pbt_generation, trained_by, first_iteration, last_iteration, "
                  "exploit, config FROM lineage").fetchall()
steps = [(trial["trial"], step["generation"], step["trained_by"], step["first"], step["last"],
          step["exploit"], json.dumps(step["config"], separators=(",", ":")))
         for trial in found["trials"] for step in trial["lineage"]]
assert sorted(steps, key=str) == sorted(rows, key=str), (steps, rows)
print(len(steps), "steps", found["name"], sorted(found["trials"][0]))
END
pbt lineage exp 3 --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["trials"]))'
expect 66 pbt lineage exp 17
