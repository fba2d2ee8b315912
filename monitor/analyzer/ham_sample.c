/*
 * An open table of tokens, each with a chain of the texts it is part of.  A text counts how many of
 * its tokens the message at hand has; the count is of a message's number, so that nothing has to be
 * cleared between messages.  Tokens are keyed hashes already.
 */
#include "monitor/analyzer/ham_sample.h"

#include <stdlib.h>

#include "core/base/error.h"

#define USES_MAX (WEIR_HAM_WANTED_MAX * WEIR_HAM_TOKENS_MAX)
#define PLACES (1u << 19)      /* more than there may be tokens */

struct text {
    uint64_t message;          /* that count is of */
    uint8_t tokens, count;
    bool had;
};

struct use {
    uint32_t text, next;       /* next: + 1, or 0 */
};

struct place {
    uint64_t token;
    uint32_t first;            /* use + 1; 0: empty */
};

struct weir_ham_sample {
    struct text *text;
    struct use *use;
    struct place *place;
    uint32_t texts, uses;
    uint64_t messages;
};

_Static_assert(PLACES > USES_MAX, "the table of tokens is never full");

int weir_ham_sample_new(struct weir_ham_sample **sample_r)
{
    struct weir_ham_sample *sample = calloc(1, sizeof *sample);

    if (!sample)
        return WEIR_ENOMEM;
    sample->text = calloc(WEIR_HAM_WANTED_MAX, sizeof *sample->text);
    sample->use = calloc(USES_MAX, sizeof *sample->use);
    sample->place = calloc(PLACES, sizeof *sample->place);
    if (!sample->text || !sample->use || !sample->place) {
        weir_ham_sample_free(&sample);
        return WEIR_ENOMEM;
    }
    *sample_r = sample;
    return 0;
}

void weir_ham_sample_free(struct weir_ham_sample **sample)
{
    if (!*sample)
        return;
    free((*sample)->text);
    free((*sample)->use);
    free((*sample)->place);
    free(*sample);
    *sample = NULL;
}

static struct place *place_of(const struct weir_ham_sample *sample, uint64_t token)
{
    size_t at = token % PLACES;

    while (sample->place[at].first != 0 && sample->place[at].token != token)
        at = (at + 1) % PLACES;
    return &sample->place[at];
}

static bool is_used(const struct weir_ham_sample *sample, const struct place *place, uint32_t text)
{
    for (uint32_t at = place->first; at != 0; at = sample->use[at - 1].next)
        if (sample->use[at - 1].text == text)
            return true;
    return false;
}

int weir_ham_sample_want(struct weir_ham_sample *sample, const uint64_t *token, size_t tokens)
{
    uint32_t number = sample->texts;
    struct text *text = &sample->text[number];

    if (number == WEIR_HAM_WANTED_MAX || tokens == 0 || tokens > WEIR_HAM_TOKENS_MAX)
        return WEIR_ELIMIT;
    sample->texts++;
    for (size_t i = 0; i < tokens; i++) {
        struct place *place = place_of(sample, token[i]);

        if (is_used(sample, place, number))
            continue;
        sample->use[sample->uses++] = (struct use){.text = number, .next = place->first};
        *place = (struct place){.token = token[i], .first = sample->uses};
        text->tokens++;
    }
    return (int)number;
}

static void note(struct weir_ham_sample *sample, const struct place *place)
{
    for (uint32_t at = place->first; at != 0; at = sample->use[at - 1].next) {
        struct text *text = &sample->text[sample->use[at - 1].text];

        if (text->message != sample->messages) {
            text->message = sample->messages;
            text->count = 0;
        }
        text->had = ++text->count == text->tokens || text->had;
    }
}

void weir_ham_sample_look(struct weir_ham_sample *sample, struct weir_slice tokens)
{
    const unsigned char *octet = (const unsigned char *)tokens.at;

    sample->messages++;
    for (size_t i = 0; i + 8 <= tokens.len; i += 8) {
        uint64_t token = 0;

        for (size_t j = 0; j < 8; j++)
            token = token << 8 | octet[i + j];
        note(sample, place_of(sample, token));
    }
}

bool weir_ham_sample_has(const struct weir_ham_sample *sample, int number)
{
    return sample->text[number].had;
}

uint64_t weir_ham_sample_messages(const struct weir_ham_sample *sample)
{
    return sample->messages;
}

size_t weir_ham_sample_wanted(const struct weir_ham_sample *sample)
{
    return sample->texts;
}
