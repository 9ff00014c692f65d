# Verbs and options that do not exist.
expect 2 pbt chekc exp.yaml
expect 2 pbt rnu exp.yaml
expect 2 pbt frobnicate
# The beginning of one verb alone, and what it is called elsewhere.
expect 2 pbt stat toy
expect 2 pbt list
expect 2 pbt sto toy
expect 2 pbt re toy
expect 2 pbt --verison
expect 2 pbt ''
expect 2 pbt --frobnicate
expect 2 pbt help statsu
expect 2 pbt help check now
expect 2 pbt check --frobnicate exp.yaml
expect 2 pbt status toy --dri=x
expect 2 pbt status toy -x
expect 2 pbt status toy --dir
expect 2 pbt status toy --all=yes
# A file in the place of a verb.
experiment exp.yaml
expect 2 pbt exp.yaml
