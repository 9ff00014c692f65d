#include "base/list.h"

#include <stdint.h>
#include <stdlib.h>

/* Lists double whenever `count` is a power of two: it alone says how much room there is. */
void *pbt_list_room(void *list, size_t count, size_t size)
{
    if (count == 0) {
        return realloc(list, size);
    }
    if ((count & (count - 1)) != 0) {
        return list;
    }
    return count > SIZE_MAX / 2 / size ? NULL : realloc(list, 2 * count * size);
}
