/*
 * Raises the soft limit, never the hard one.
 */
#include "core/base/descriptors_io.h"

#include <stdint.h>
#include <sys/resource.h>

static size_t count(rlim_t limit)
{
    return limit == RLIM_INFINITY || limit > SIZE_MAX ? SIZE_MAX : (size_t)limit;
}

size_t weir_descriptors_allow(size_t wanted)
{
    struct rlimit limit, more;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (count(limit.rlim_cur) >= wanted)
        return count(limit.rlim_cur);
    more = limit;
    more.rlim_cur = count(limit.rlim_max) < wanted || wanted == SIZE_MAX ? limit.rlim_max : wanted;
    return setrlimit(RLIMIT_NOFILE, &more) == 0 ? count(more.rlim_cur) : count(limit.rlim_cur);
}
