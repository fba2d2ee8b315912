/* Any octets as a message: its tokens are bounded, none comes twice, and none is empty. */
#include <stdlib.h>

#include "core/base/limits.h"
#include "core/evidence/bayes_tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
    if (!true_)
        abort();
}

static int by_hash(const void *a, const void *b)
{
    const struct weir_bayes_token *x = *(const struct weir_bayes_token *const *)a;
    const struct weir_bayes_token *y = *(const struct weir_bayes_token *const *)b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct weir_bayes_token *sorted[WEIR_BAYES_TOKENS_MAX];
    static const struct weir_hash_key key;
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_charsets *charsets = NULL;
    struct weir_message message;
    struct weir_content content;
    struct weir_bayes_tokens tokens;
    struct weir_bayes_source source = {.message = &message, .content = &content};
    must(arena && weir_charsets_new(&charsets) == 0);
    source.charsets = charsets;
    must(weir_message_parse((const char *)data, size, arena, &message) == 0);
    must(weir_content_read(&message, charsets, arena, &content) == 0);
    must(weir_bayes_tokens_read(&key, &source, arena, &tokens) == 0);
    must(tokens.tokens <= WEIR_BAYES_TOKENS_MAX);
    for (size_t i = 0; i < tokens.tokens; i++) {
        sorted[i] = &tokens.token[i];
        must(tokens.token[i].text.len > 0 && tokens.token[i].view < WEIR_BAYES_VIEWS);
        must((weir_hash64(&key, tokens.token[i].text.at, tokens.token[i].text.len) | 1) ==
             (tokens.token[i].hash | 1)); /* the lowest bit tells the view */
    }
    qsort(sorted, tokens.tokens, sizeof(sorted[0]), by_hash);
    for (size_t i = 1; i < tokens.tokens; i++)
        must(sorted[i - 1]->hash != sorted[i]->hash);
    weir_charsets_free(&charsets);
    weir_arena_free(&arena);
    return 0;
}
