# A stdout that is full, closed or not read any more.
expect 74 pbt --help >/dev/full
expect 74 pbt --help >&-
# Who closed the pipe knows it: nothing is said, and it is no error.
experiment exp.yaml
exec 3> >(exec 0<&-)
wait $!
pbt check exp.yaml >&3
expect 2 pbt chekc 2>&-
# A closed stdin is nobody's file.
pbt check exp.yaml <&- >/dev/null
