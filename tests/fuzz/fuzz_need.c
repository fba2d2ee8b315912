/*
 * An expression, '\n', a text: where PCRE2 matches, what need.h calls necessary must be there,
 * and what it calls exact must be the same.  The first octet has the flags.
 */
#include <stdlib.h>

#include "tests/unit/expression_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool unjudged(const char *pattern, size_t len)
{
    return memmem(pattern, len, "\\K", 2) || memmem(pattern, len, "(*", 2);
}

static void judge(const char *pattern, size_t len, const char *text, size_t text_len,
                  const struct weir_need_flags *flags, const struct weir_need *need)
{
    size_t start = 0, end = 0;
    pcre2_code *code = unjudged(pattern, len) ? NULL : model_compile(pattern, len, flags);
    if (!code)
        return;
    bool hit = model_match(code, text, text_len, 0, PCRE2_UNSET, &start, &end);
    pcre2_code_free(code);
    if (hit && !model_need_holds(need, text, text_len, start))
        abort();
    if (need->exact && !hit && model_places(need, text, text_len, 0, text_len) > 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    const char *pattern = (const char *)data + 1, *line = memchr(pattern, '\n', size - 1);
    size_t len = line ? (size_t)(line - pattern) : size - 1;
    struct weir_need_flags flags = {data[0] & 1, data[0] & 2, data[0] & 4, data[0] & 8};
    struct weir_arena *arena = weir_arena_new(1 << 16);
    const struct weir_need_node *tree;
    struct weir_need need = {0};
    if (weir_need_read(arena, (struct weir_slice){pattern, len}, &flags, &tree) > 0 &&
        weir_need_find(arena, tree, (struct weir_slice){"", 0}, &need) == 0 && need.runs > 0 &&
        line)
        judge(pattern, len, line + 1, size - 2 - len, &flags, &need);
    weir_arena_free(&arena);
    return 0;
}
