/* A selector up to a line end, then a message: nothing may happen but text. */
#include <stdlib.h>
#include <string.h>

#include "core/mail/header_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char room[4096];

static void read_all(struct weir_message *message, struct weir_slice selector)
{
    struct weir_line out = weir_line(room, sizeof room);
    weir_header_text(message, NULL, selector, &out);
    for (size_t i = 0; i < message->fields; i++) {
        struct weir_slice value = message->field[i].value;
        bool several;
        struct weir_slice address = weir_header_address(value, &several);
        if (address.len > 0 && (address.at < value.at ||
                                address.at + address.len > value.at + value.len))
            abort();
        unsigned defects;
        out = weir_line(room, sizeof room);
        weir_header_decode(NULL, value, &out, &defects);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    struct weir_arena *arena = weir_arena_new(1024);
    struct weir_message message;
    if (!arena || !end) {
        weir_arena_free(&arena);
        return 0;
    }
    size_t len = (size_t)(end - data);
    if (weir_message_parse((const char *)end + 1, size - len - 1, arena, &message) == 0)
        read_all(&message, (struct weir_slice){(const char *)data, len});
    weir_arena_free(&arena);
    return 0;
}
