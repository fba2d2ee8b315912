/*
 * The bucket is looked at when the first decision after a clearing comes, and pays when it is
 * cleared; a clock that goes back fills nothing.
 */
#include "monitor/analyzer/sample.h"

#include <stdlib.h>

#include "core/base/error.h"

struct weir_sample {
    struct weir_hash_key key;
    uint64_t drawn;            /* random numbers so far */
    double tokens;
    weir_time filled;          /* up to when; 0: never */
    uint64_t seen;             /* since it was cleared */
    size_t kept, room;
    uint64_t left_out;
    struct weir_record record[WEIR_SAMPLE_BURST];
};

int weir_sample_new(const struct weir_hash_key *key, struct weir_sample **sample_r)
{
    struct weir_sample *sample = calloc(1, sizeof(*sample));

    if (!sample)
        return WEIR_ENOMEM;
    sample->key = *key;
    sample->tokens = WEIR_SAMPLE_BURST;
    *sample_r = sample;
    return 0;
}

void weir_sample_free(struct weir_sample **sample)
{
    free(*sample);
    *sample = NULL;
}

static void fill(struct weir_sample *sample, weir_time now)
{
    double seconds = (double)(now - sample->filled) / WEIR_SECOND;

    if (sample->filled == 0 || now > sample->filled) {
        if (sample->filled > 0)
            sample->tokens += seconds * WEIR_SAMPLE_RATE;
        if (sample->tokens > WEIR_SAMPLE_BURST)
            sample->tokens = WEIR_SAMPLE_BURST;
        sample->filled = now;
    }
    sample->room = (size_t)sample->tokens;
}

/* 0 to below. */
static uint64_t draw(struct weir_sample *sample, uint64_t below)
{
    sample->drawn++;
    return weir_hash64(&sample->key, &sample->drawn, sizeof(sample->drawn)) % below;
}

void weir_sample_take(struct weir_sample *sample, const struct weir_record *record,
                      weir_time now)
{
    uint64_t at;

    if (sample->seen == 0)
        fill(sample, now);
    sample->seen++;
    if (sample->kept < sample->room) {
        sample->record[sample->kept++] = *record;
        return;
    }
    sample->left_out++; /* this one, or the one in whose place it comes */
    at = draw(sample, sample->seen);
    if (at < sample->kept)
        sample->record[at] = *record;
}

void weir_sample_take_if_room(struct weir_sample *sample, const struct weir_record *record,
                              weir_time now)
{
    if (sample->seen == 0)
        fill(sample, now);
    if (sample->kept < sample->room)
        weir_sample_take(sample, record, now);
}

const struct weir_record *weir_sample_kept(const struct weir_sample *sample, size_t *kept_r)
{
    *kept_r = sample->kept;
    return sample->record;
}

void weir_sample_clear(struct weir_sample *sample)
{
    sample->tokens -= (double)sample->kept;
    sample->kept = 0;
    sample->seen = 0;
}

uint64_t weir_sample_left_out(const struct weir_sample *sample)
{
    return sample->left_out;
}
