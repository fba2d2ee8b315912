/*
 * Compiled expressions of a rule set, for processes that read one message: what all of them
 * begin with (PCRE2's head and its tables of characters, more than most expressions) once, and
 * of each the rest.
 *
 * Owns nothing beyond one call.  An expression whose rest is longer than
 * WEIR_RULE_READY_MAX has none and is compiled by whoever wants it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_regex.h"
#include "core/evidence/rules_build_impl.h"

enum { ALIGNMENT = 8 };

_Static_assert(sizeof(((struct weir_image_ready_head *)0)->maker) == WEIR_REGEX_MAKER,
               "the head holds a maker");

static size_t shared(struct weir_slice a, struct weir_slice b)
{
    size_t least = a.len < b.len ? a.len : b.len, n = 0;
    while (n < least && a.at[n] == b.at[n])
        n++;
    return n;
}

/* What all begin with. */
static struct weir_slice common_of(const struct weir_build *build)
{
    struct weir_slice common = {"", 0};
    for (size_t i = 0; i < build->rules; i++) {
        if (build->ready[i].len == 0)
            continue;
        if (common.len == 0)
            common = build->ready[i];
        common.len = shared(common, build->ready[i]);
        common.len -= common.len % ALIGNMENT;
    }
    if (common.len > WEIR_RULE_READY_MAX) /* a single one */
        common.len = WEIR_RULE_READY_MAX;
    return common;
}

static size_t own_len(const struct weir_build *build, size_t number, size_t common)
{
    size_t len = build->ready[number].len;
    return len > common && len - common <= WEIR_RULE_READY_MAX ? len - common : 0;
}

static size_t rounded(size_t len)
{
    return (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t size_of(const struct weir_build *build, size_t common)
{
    size_t size = sizeof(struct weir_image_ready_head) + rounded(common);
    for (size_t i = 0; i < build->rules; i++)
        size += rounded(own_len(build, i, common));
    return size;
}

static struct weir_image_span append(char *octets, size_t *len, struct weir_slice more)
{
    struct weir_image_span span = {(uint32_t)*len, (uint32_t)more.len};
    memcpy(octets + *len, more.at, more.len);
    *len += rounded(more.len);
    return span;
}

int weir_build_add_ready(struct weir_build *build, struct weir_image_writer *writer)
{
    struct weir_slice common = common_of(build);
    size_t size = size_of(build, common.len), len = sizeof(struct weir_image_ready_head);
    struct weir_image_ready_head head = {.checksum = weir_regex_checksum(common)};
    struct weir_image_ready *ready = weir_arena_zero(build->arena, build->rules + 1,
                                                     sizeof(*ready));
    char *octets = calloc(1, size);
    if (!ready || !octets) {
        free(octets);
        return WEIR_ENOMEM;
    }
    weir_regex_maker(head.maker);
    head.common = append(octets, &len, common);
    memcpy(octets, &head, sizeof(head));
    for (size_t i = 0; i < build->rules; i++) {
        const struct weir_slice own = {build->ready[i].at + common.len,
                                       own_len(build, i, common.len)};
        if (own.len == 0)
            continue;
        ready[i].own = append(octets, &len, own);
        ready[i].checksum = weir_regex_checksum(own);
    }
    weir_image_add(writer, WEIR_IMAGE_READY, ready, build->rules);
    weir_image_add(writer, WEIR_IMAGE_READY_OCTETS, octets, size);
    free(octets);
    return 0;
}
