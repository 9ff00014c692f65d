# `pbt help VERB` and `pbt VERB --help` are the same, and never an error.
for verb in $(pbt help --verbs); do
    pbt help $verb >first
    pbt $verb --help >second
    pbt $verb -h FILE >third
    cmp first second
    cmp first third
    grep -q "^usage: pbt $verb " first
    echo "$verb: ok"
done
