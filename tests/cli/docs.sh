# Goal: the documents' programs and commands work as they stand there.
cc=${CC:-cc}
flags="-std=c99 -Wall -Wextra -Werror -I$SOURCE/include"
# The first program of docs/c-api.md; and the second, with the first one's functions.
block() {
    awk -v want="$1" '/^```c$/ { n++; on = n == want; next } /^```$/ { on = 0 } on' \
        "$SOURCE/docs/c-api.md"
}
block 1 >one.c
(sed '/^int main/,$d' one.c; block 2) >two.c
block 3 >three.c
$cc $flags -fsyntax-only one.c two.c three.c
# A program of ours can't be linked with a library under a sanitizer.
if grep -q __asan_init "$BUILD/libpbt.so" || grep -q __tsan_init "$BUILD/libpbt.so"; then
    exit 0
fi
build() {
    $cc $flags "$1.c" -o "$1" "-L$BUILD" -lpbt "-Wl,-rpath,$BUILD"
}
build one
build two
experiment experiment.yaml
pbt run experiment.yaml 'command=[./one]' name=one --quiet >out
grep -v '^command' experiment.yaml >two.yaml
mv two.yaml experiment.yaml
./two >out
grep -qx "results in $SCRATCH/runs/experiment" out
build three
./three runs/experiment >out
[ "$(grep -c '^[0-9a-f]*_0000[0-3] [0-9]* ' out)" -ge 60 ]
tail -1 out | grep -q '^best: .*, in runs/experiment/'
expect 66 ./three runs/none 2>err
# README.md: the five minutes, each block as it stands, where the tree is.
mkdir tree
for name in examples include tests; do ln -s "$SOURCE/$name" tree; done
ln -s "$BUILD" tree/build
(
    cd tree
    sed -n '/^## Your own experiment/,/^## Read on/p' "$SOURCE/README.md" |
        sed -n '/^```sh$/,/^```$/p' | grep -v '^```' >../five-minutes
    bash -eu ../five-minutes >../five.out 2>../five.err || { cat ../five.*; exit 1; }
    test -s mine/model/weight
    test "$(grep -c ' TERMINATED ' ../five.out)" -ge 24
    grep -q '^trial  *[0-9a-f]*_00003 ' ../five.out
)
# docs/cli.md names every verb with every option of its own, and every exit code.
verbs=$(pbt help --verbs)
[ "$(echo "$verbs" | wc -l)" -ge 9 ]
for verb in $verbs; do
    awk -v head="## \`pbt $verb\`" 'index($0, "## ") == 1 { on = index($0, head) == 1 } on' \
        "$SOURCE/docs/cli.md" >section
    [ -s section ] || { echo "docs/cli.md has no section on pbt $verb"; exit 1; }
    pbt "$verb" --help | sed -n '/^options:/,$s/.*\(--[a-z-]*\).*/\1/p' |
        grep -vx -e --help -e --dir -e --quiet -e --color -e --ask-fd >options || true
    while read -r option; do
        grep -q -e "\`$option" section ||
            { echo "docs/cli.md: pbt $verb has $option"; exit 1; }
    done <options
done
pbt help --man | sed -n '/EXIT STATUS/,/^\.El/s/^\.It //p' >codes
[ "$(wc -l <codes)" -ge 15 ]
while read -r code; do
    grep -q "^| $code |" "$SOURCE/docs/cli.md"
done <codes
