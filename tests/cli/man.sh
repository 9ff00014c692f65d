# Goal: every man page is one that man can show without a complaint.
for verb in '' $(pbt help --verbs); do
    # shellcheck disable=SC2086
    pbt help --man $verb >page.1
    if command -v mandoc >have; then
        mandoc -Tlint -W warning page.1
    fi
    if command -v man >have; then
        LC_ALL=C man --warnings -l page.1 >text 2>said
        cat said
        grep -q 'SYNOPSIS' text
    fi
done
