/* Any octets in each transfer encoding: never more comes out than went in, and uuencoded
 * pieces lie one behind the other inside the text. */
#include <stdlib.h>
#include <string.h>

#include "core/mail/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_slice text = {(const char *)data, size}, name, lines;
    char *room = malloc(size + 1);
    size_t from = 0, before = 0;
    unsigned defects;
    bool known;
    for (int transfer = 0; room && transfer <= WEIR_TRANSFER_UUENCODE; transfer++) {
        struct weir_line out = weir_line(room, size + 1);
        weir_transfer_decode((enum weir_transfer)transfer, text, &out, &defects);
        if (out.cut)
            abort();
        out = weir_line(room, size / 3 + 1);
        weir_transfer_decode((enum weir_transfer)transfer, text, &out, &defects);
    }
    for (; weir_transfer_find_uuencode(text, &from, &name, &lines); before = from)
        if (from <= before || from > size || lines.at + lines.len > text.at + from)
            abort();
    weir_transfer_named(text, &known);
    free(room);
    return 0;
}
