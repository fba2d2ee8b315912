/* Any octets as a published word list, looked up and judged by without the full check; then its
 * head made whole, so that what is behind it is reached. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/evidence/bayes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS = 16, HEAD = 64 };

static void use(const struct weir_bayes_table *table)
{
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_bayes_settings settings = weir_bayes_defaults();
    struct weir_bayes_token token[TOKENS] = {{.view = WEIR_BAYES_HEAD}};
    struct weir_bayes_tokens tokens = {.token = token, .tokens = TOKENS};
    struct weir_bayes_count count;
    struct weir_bayes_result result;
    settings.least_spam = settings.least_ham = 1;
    for (size_t i = 0; i < TOKENS; i++)
        if (weir_bayes_table_get(table, i, &count))
            token[i].hash = count.hash;
    if (!arena || weir_bayes_judge(table, &settings, &tokens, arena, &result) != 0 ||
        !isfinite(result.weight) || !(result.probability >= 0 && result.probability <= 1))
        abort();
    weir_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_bayes_table table;
    uint8_t *octets = malloc(size + 1);
    if (!octets)
        abort();
    memcpy(octets, data, size);
    if (weir_bayes_table_attach(octets, size, false, &table) == 0)
        use(&table);
    if (size >= HEAD + 8) {
        uint32_t version = 1 + octets[13] % 2, bits = octets[12] % 4;
        size_t index = ((size_t)(1u << bits) + 2) / 2 * 8, entry = version == 1 ? 16 : 18;
        uint64_t entries = size > HEAD + index ? (size - HEAD - index) / entry : 0;
        memcpy(octets, "WEIRBAY\n", 8);
        memcpy(octets + 8, &version, 4);
        memcpy(octets + 12, &bits, 4);
        memcpy(octets + 48, &entries, 8);
        if (HEAD + index + entries * entry <= size &&
            weir_bayes_table_attach(octets, HEAD + index + entries * entry, false, &table) == 0)
            use(&table);
    }
    free(octets);
    return 0;
}
