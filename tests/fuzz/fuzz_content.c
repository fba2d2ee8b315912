/* Any octets as a message whose texts are read: each text is whole lines, none too long. */
#include <stdlib.h>

#include "core/base/limits.h"
#include "core/mail/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
    if (!true_)
        abort();
}

static void use(const struct weir_area *area, size_t most)
{
    unsigned sum = 0;
    must(area->lines <= WEIR_AREA_LINES_MAX && area->start[0] == 0);
    for (size_t i = 0; i < area->lines; i++) {
        struct weir_slice line = weir_area_line(area, i);
        must(line.len > 0 && line.len <= most);
        sum += (unsigned char)line.at[0] + (unsigned char)line.at[line.len - 1];
    }
    must(weir_area_len(area) <= WEIR_AREA_MAX && (area->lines > 0 || sum == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_charsets *charsets = NULL;
    struct weir_message message;
    struct weir_content content;
    must(arena && weir_charsets_new(&charsets) == 0);
    must(weir_message_parse((const char *)data, size, arena, &message) == 0);
    must(weir_content_read(&message, charsets, arena, &content) == 0);
    use(&content.area[WEIR_AREA_BODY], WEIR_AREA_LINE_MAX + 1);
    use(&content.area[WEIR_AREA_RAW], 2 * WEIR_AREA_LINE_MAX);
    use(&content.area[WEIR_AREA_HTML], WEIR_AREA_LINE_MAX + 1);
    use(&content.area[WEIR_AREA_URI], WEIR_LINK_MAX + 32);
    use(&content.area[WEIR_AREA_FULL], WEIR_AREA_MAX);
    must(content.links <= WEIR_LINKS_MAX && content.attachments <= WEIR_PARTS_MAX);
    weir_charsets_free(&charsets);
    weir_arena_free(&arena);
    return 0;
}
