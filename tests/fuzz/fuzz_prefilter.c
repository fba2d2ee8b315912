/*
 * A prefilter's built octets with some of them changed: three octets of input say where and
 * how, the rest is the text.  Attaching and scanning must stay inside, whatever they say.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/prefilter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const rules[] = {"free offer", "\\bviagra\\b", "a[b-f]{2}x.*zz", "^x-\\d+",
                                    "[v\\xe4][\\W_]{0,3}[i1!][\\W_]{0,3}[a4@][\\W_]{0,3}g",
                                    ".*", "(?:one|two|three){3}", "\\w{4}-\\w{4}$"};

static void *build(size_t *len_r)
{
    struct weir_prefilter_builder *builder;
    enum weir_prefilter_means means;
    void *octets = NULL;
    if (weir_prefilter_builder_new(&builder) < 0)
        abort();
    for (uint32_t i = 0; i < 2 * sizeof rules / sizeof *rules; i++) {
        const char *text = rules[i / 2];
        struct weir_prefilter_pattern pattern = {
            .rule = i, .area = i & 1 ? WEIR_AREA_BODY : WEIR_AREA_HEADER, .selector = i & 1 ? 0 : 1,
            .pattern = {text, strlen(text)}, .caseless = true};
        if (weir_prefilter_add(builder, &pattern, &means) < 0)
            abort();
    }
    if (weir_prefilter_build(builder, &octets, len_r) < 0)
        abort();
    weir_prefilter_builder_free(&builder);
    return octets;
}

static void scan(const struct weir_prefilter *prefilter, const char *text, size_t len)
{
    struct weir_prefilter_scratch *scratch;
    const struct weir_candidate *candidate;
    const uint32_t *always, selector[2] = {1, 2};
    const uint32_t start[3] = {0, (uint32_t)len / 2, (uint32_t)len};
    struct weir_area area = {text, start, 2};
    uint32_t sum = 0;
    if (weir_prefilter_scratch_new(prefilter, &scratch) < 0)
        abort();
    for (int kind = 0; kind < WEIR_AREAS; kind++) {
        size_t n = weir_prefilter_scan(prefilter, scratch, (enum weir_area_kind)kind, &area,
                                       kind == WEIR_AREA_HEADER ? selector : NULL, &candidate);
        for (size_t i = 0; i < n; i++)
            if (candidate[i].rule >= prefilter->rules || candidate[i].line >= 2)
                abort();
        n = weir_prefilter_always(prefilter, (enum weir_area_kind)kind, &always);
        for (size_t i = 0; i < n; i++)
            sum |= always[i];
    }
    if (prefilter->rules && sum >= 4 * prefilter->rules + 64)
        abort();
    weir_prefilter_scratch_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *built;
    static size_t len;
    built = built ? built : build(&len);
    uint8_t *octets = malloc(len);
    memcpy(octets, built, len);
    struct weir_prefilter prefilter;
    size_t changes = size ? data[0] % 8u : 0, at = 1;
    for (; changes > 0 && at + 4 <= size; changes--, at += 4) {
        size_t place = (size_t)data[at] | (size_t)data[at + 1] << 8 | (size_t)data[at + 2] << 16;
        octets[place % len] = data[at + 3];
    }
    if (weir_prefilter_attach(octets, len, &prefilter) == 0)
        scan(&prefilter, (const char *)data + (at < size ? at : size), at < size ? size - at : 0);
    free(octets);
    return 0;
}
