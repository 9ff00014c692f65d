# Goal: bash completes verbs, options, runs and trials; the other shells' scripts are whole.
experiment exp.yaml
pbt run exp.yaml --quiet >out
pbt completion bash >pbt.bash
bash -n pbt.bash
complete() {
    bash -c 'source ./pbt.bash
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _pbt
        printf "%s\n" "${COMPREPLY[@]}" | sort' bash "$@"
}
complete pbt re
complete pbt status --a
complete pbt status ex | head -1
complete pbt status --dir ru
complete pbt completion z
complete pbt help comp
complete pbt stop exp '' | sed 's/^[0-9a-f]*_/ID_/' | head -2
complete pbt run exp.y
for shell in zsh fish; do
    pbt completion $shell >script
    if command -v $shell >have; then
        $shell -n script
    fi
done
expect 2 pbt completion tcsh
