/* Any octets as what a server told of a reported message: a text never exceeds its bounds. */
#include <stdlib.h>
#include <string.h>

#include "monitor/analyzer/reported_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_slice octets = {(const char *)data, size}, text, packed;
    struct weir_arena *arena = weir_arena_new(1 << 20);
    struct weir_reported_text told = {.spam = true}, again;
    struct weir_message message;
    char *buffer;

    if (weir_reported_text_read(octets, &told) == 1) {
        must(told.len <= WEIR_REPORTED_TEXT_MAX);
        buffer = malloc(told.len + 1);
        (void)weir_reported_text_unpack(&told, buffer);
        free(buffer);
    }
    must(weir_message_parse(octets.at, octets.len, arena, &message) == 0);
    must(weir_reported_text_cut(&message, 4096, arena, &text, &told.cut) == 0);
    must(text.len <= 4096 + 1 && weir_reported_text_pack(&told, text, arena, &packed) == 0);
    must(weir_reported_text_read(packed, &again) == 1 && again.len == text.len);
    buffer = malloc(again.len + 1);
    must(weir_reported_text_unpack(&again, buffer) == 0 && memcmp(buffer, text.at, text.len) == 0);
    free(buffer);
    weir_arena_free(&arena);
    return 0;
}
