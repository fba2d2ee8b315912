/*
 * A file that does not begin with "From " is one message; in it such lines mean nothing.  Lines
 * that were quoted, ">From ", stay so.
 */
#include "monitor/ctl/mbox.h"

#include <string.h>

#include "core/base/slice.h"

static bool is_from(struct weir_slice rest)
{
    return rest.len >= 5 && memcmp(rest.at, "From ", 5) == 0;
}

/* Where the next line begins; the end when there is none. */
static size_t next_line(struct weir_slice text, size_t from)
{
    const char *end = memchr(text.at + from, '\n', text.len - from);

    return end ? (size_t)(end - text.at) + 1 : text.len;
}

static bool is_empty(struct weir_slice text, size_t from, size_t to)
{
    return text.at[from] == '\n' || (to - from == 2 && text.at[from] == '\r');
}

bool weir_mbox_next(struct weir_slice *rest, struct weir_slice *message_r)
{
    bool many = is_from(*rest), empty = false;
    size_t from = many ? next_line(*rest, 0) : 0, at = from;

    if (rest->len == 0)
        return false;
    while (at < rest->len) {
        size_t next = next_line(*rest, at);

        if (many && empty && is_from(weir_slice_behind(*rest, at)))
            break;
        empty = is_empty(*rest, at, next);
        at = next;
    }
    *message_r = weir_slice_between(rest->at + from, rest->at + at);
    *rest = weir_slice_behind(*rest, at);
    return true;
}
