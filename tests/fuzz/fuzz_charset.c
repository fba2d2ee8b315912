/* A charset's name up to a line end, then text in it: what comes out is UTF-8, with and
 * without room for all of it. */
#include <stdlib.h>
#include <string.h>

#include "core/mail/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void convert(struct weir_charsets *charsets, struct weir_slice name,
                    struct weir_slice text, size_t room)
{
    char *octets = malloc(room);
    unsigned defects;
    if (!octets)
        return;
    struct weir_line out = weir_line(octets, room);
    weir_charset_convert(charsets, name, text, &out, &defects);
    if (!weir_charset_is_utf8((struct weir_slice){octets, (size_t)(out.at - octets)}))
        abort();
    free(octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t len = end ? (size_t)(end - data) : 0, skip = end ? len + 1 : 0;
    struct weir_slice name = {(const char *)data, len};
    struct weir_slice text = {(const char *)data + skip, size - skip};
    struct weir_charsets *charsets;
    if (weir_charsets_new(&charsets) != 0)
        return 0;
    convert(charsets, name, text, 4 * size + 16);
    convert(charsets, name, text, size / 2 + 1);
    convert(NULL, name, text, size + 1);
    weir_charsets_free(&charsets);
    return 0;
}
