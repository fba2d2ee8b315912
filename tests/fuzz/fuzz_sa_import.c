/*
 * Any octets as two SpamAssassin files, parted by a NUL: nothing but memory
 * makes the import fail, and what is taken keeps to the limits.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/ctl/sa_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Text up to the next NUL, and *text behind it. */
static struct weir_slice part(struct weir_slice *text)
{
    size_t len = strnlen(text->at, text->len), taken = len + (len < text->len);
    struct weir_slice first = {text->at, len};
    *text = (struct weir_slice){text->at + taken, text->len - taken};
    return first;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct weir_arena *arena = weir_arena_new(65536);
    struct weir_slice text = {len ? (const char *)bytes : "", len};
    struct weir_sa_file file[2] = {{"a", part(&text)}, {"b", part(&text)}};
    struct weir_sa_import import;
    if (!arena)
        return 0;
    if (weir_sa_import(file, 2, arena, &import) == 0) {
        for (size_t i = 0; i < import.rules; i++) {
            require(import.rule[i].name.len <= WEIR_RULE_NAME_MAX);
            require(import.rule[i].pattern.len <= WEIR_RULE_PATTERN_MAX ||
                    import.rule[i].kind == WEIR_RULE_META);
            require(import.rule[i].description.len <= WEIR_RULE_DESCRIPTION_MAX);
            require(import.rule[i].id == 0);
        }
        for (size_t i = 0; i < import.missing; i++)
            require(import.missed[i].why && import.missed[i].file && import.missed[i].name);
    }
    weir_arena_free(&arena);
    return 0;
}
