/* Any octets as a line of the spool: a part that is read lies within its whole. */
#include <stdlib.h>

#include "core/store/part_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t buffer[WEIR_PART_OCTETS];
    struct weir_part_line part;

    if (weir_part_line_read((struct weir_slice){(const char *)data, size}, buffer, &part) != 1)
        return 0;
    must(weir_part_line_is((struct weir_slice){(const char *)data, size}));
    must(part.of.len <= WEIR_PART_WHOLE_MAX && part.octets > 0);
    must(part.from + part.octets <= part.of.len && part.number < part.of.parts);
    must(part.of.kind[0] >= 'a' && part.octet == buffer);
    return 0;
}
