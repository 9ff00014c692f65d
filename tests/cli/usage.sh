# Too few arguments, and too many.
expect 2 pbt check
expect 2 pbt status
expect 2 pbt rebuild
expect 2 pbt status a b
expect 2 pbt rebuild a b --dir c
