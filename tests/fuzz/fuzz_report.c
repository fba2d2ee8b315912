/* Any octets as a letter: what it reports lies in it, or is no longer than what it was encoded in;
 * limits hold, whatever is wished for. */
#include <stdlib.h>

#include "core/mail/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t sum(struct weir_slice slice)
{
    uint64_t all = 0;
    for (size_t i = 0; i < slice.len; i++)
        all += (unsigned char)slice.at[i];
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_message message;
    struct weir_report report;
    uint64_t all = 0;
    must(arena && weir_message_parse((const char *)data, size, arena, &message) == 0);
    for (enum weir_report_way wish = 0; wish < WEIR_REPORT_WAYS; wish++) {
        must(weir_report_read(&message, wish, arena, &report) == 0);
        must(report.originals <= WEIR_REPORT_ORIGINALS_MAX && report.way != WEIR_REPORT_ANY);
        must(wish != WEIR_REPORT_ITSELF || report.originals == 1);
        for (size_t i = 0; i < report.originals; i++) {
            must(report.original[i].octets.len <= size);
            all += sum(report.original[i].octets);
        }
        all += sum(report.from) + sum(report.feedback) + sum(report.source) + sum(report.sender);
    }
    must(all <= 255 * (uint64_t)size * 16);
    weir_arena_free(&arena);
    return 0;
}
