# `pbt explain`: one id in any spelling, an unknown one, all of them.
pbt explain E0104
pbt explain e0104 >first
pbt explain 0104 >second
cmp first second
pbt explain w0103 | head -n 1
expect 2 pbt explain E0199
expect 2 pbt explain E9104
expect 2 pbt explain key
expect 2 pbt explain E0104 E0105
pbt explain >all
grep -q '^  E0104  an unknown key$' all
