/*
 * Words for the codes.  Static text, owned by nobody; refuses no number.
 */
#include "core/base/error.h"

#include <errno.h>
#include <string.h>

const char *weir_error_text(int error)
{
    switch (error) {
    case WEIR_EINVAL:
        return "malformed";
    case WEIR_ENOMEM:
        return "out of memory";
    case WEIR_ELIMIT:
        return "a limit is passed";
    case WEIR_EIO:
        return "input/output error";
    case WEIR_ECORRUPT:
        return "damaged";
    case WEIR_EDOWN:
        return "not answering";
    case WEIR_EFULL:
        return "full";
    case WEIR_EBUG:
        return "internal error";
    case WEIR_EBUSY:
        return "another process has it";
    default:
        return "unknown error";
    }
}

const char *weir_error_reason(int error)
{
    return error == WEIR_EIO && errno != 0 ? strerror(errno) : weir_error_text(error);
}
