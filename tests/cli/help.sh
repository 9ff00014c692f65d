# The help names every verb and exit code; `pbt` alone shows it, too, but as an error.
pbt --help
pbt help >again
pbt -h | cmp - again
expect 2 pbt >again2
cmp again again2
pbt --version | grep -Eqx 'pbt [0-9]+\.[0-9]+\.[0-9]+'
# One screen of 24 lines and 80 columns, the prompt below it included.
[ "$(wc -l <again)" -le 23 ]
[ "$(wc -L <again)" -le 79 ]
pbt help --verbs >verbs
while read -r verb; do
    grep -Eq "^.......($verb  *[a-z]|also: .*\<$verb\>)" again
done <verbs
