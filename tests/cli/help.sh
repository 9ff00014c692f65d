# The help names every verb and exit code; `pbt` alone shows it, too, but as an error.
pbt --help
pbt help >again
pbt -h | cmp - again
expect 2 pbt >again2
cmp again again2
pbt --version | grep -Eqx 'pbt [0-9]+\.[0-9]+\.[0-9]+'
