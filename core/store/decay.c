/*
 * Forward decay: how much an event adds to its epoch's number, how much that
 * number counts later, and what the number is called in memcached.  Pure
 * arithmetic.  Times are split into whole epochs (integers, exact) and the rest,
 * so that precision does not depend on how far from 1970 we are.
 */
#include "core/store/counters_impl.h"

#include <math.h>
#include <string.h>

#define HALF_LIVES_PER_EPOCH 16
#define SCALE 4096.0
/* Behind these what is left of the epoch before is 2^-14 of it: below a thousandth of the whole
 * even where mail comes fifteen times slower now than it did then. */
#define LOOK_BACK_HALF_LIVES 14
#define EPOCH_SHRINKS (1.0 / 65536) /* 2^-HALF_LIVES_PER_EPOCH */
#define GROWTH_MOST 900.0 /* half-lives: even a number from the far future gives no infinity */

uint64_t weir_decay_epoch_seconds(uint32_t half_life)
{
    const uint64_t half_a_year = 180 * (uint64_t)(WEIR_DAY / WEIR_SECOND);
    return half_life > 0 ? HALF_LIVES_PER_EPOCH * (uint64_t)half_life : half_a_year;
}

static uint64_t epoch_length(uint32_t half_life)
{
    return weir_decay_epoch_seconds(half_life) * (uint64_t)WEIR_SECOND;
}

static uint64_t since_1970(weir_time time)
{
    return time > 0 ? (uint64_t)time : 0;
}

uint32_t weir_decay_epoch(weir_time time, uint32_t half_life)
{
    uint64_t epoch = since_1970(time) / epoch_length(half_life);
    return epoch < UINT32_MAX ? (uint32_t)epoch : UINT32_MAX;
}

static double half_lives(uint64_t length, uint32_t half_life)
{
    return (double)length / ((double)half_life * (double)WEIR_SECOND);
}

/* Half-lives since the time's own epoch began: 0 up to 16. */
static double phase(weir_time time, uint32_t half_life)
{
    return half_lives(since_1970(time) % epoch_length(half_life), half_life);
}

uint64_t weir_decay_amount(weir_time time, uint32_t half_life, double weight)
{
    double grown = half_life > 0 ? exp2(phase(time, half_life)) : 1.0;
    return (uint64_t)llround(weight * SCALE * grown);
}

uint32_t weir_decay_expires(uint32_t epoch, uint32_t half_life)
{
    uint64_t grace = half_life > 0 ? half_life : (uint64_t)(WEIR_DAY / WEIR_SECOND);
    uint64_t length = weir_decay_epoch_seconds(half_life);
    uint64_t epochs = (uint64_t)epoch + 2;
    if (epochs > WEIR_DECAY_NEVER / length)
        return WEIR_DECAY_NEVER;
    uint64_t expires = epochs * length + grace;
    return expires < WEIR_DECAY_NEVER ? (uint32_t)expires : WEIR_DECAY_NEVER;
}

double weir_decay_factor(weir_time time, uint32_t epoch, uint32_t half_life)
{
    if (half_life == 0)
        return 1.0 / SCALE;
    double epochs = (double)weir_decay_epoch(time, half_life) - (double)epoch;
    double passed = phase(time, half_life) + HALF_LIVES_PER_EPOCH * epochs;
    return exp2(fmin(-passed, GROWTH_MOST)) / SCALE;
}

/* Microseconds of an epoch in which the one before still matters. */
static uint64_t look_back_length(uint32_t half_life)
{
    if (half_life == 0)
        return epoch_length(half_life);
    return LOOK_BACK_HALF_LIVES * (uint64_t)half_life * (uint64_t)WEIR_SECOND;
}

bool weir_decay_looks_back(weir_time time, uint32_t half_life)
{
    return since_1970(time) % epoch_length(half_life) < look_back_length(half_life);
}

/* A division for each number asked for above would be too slow here. */
struct weir_decay_plan weir_decay_plan(weir_time now, uint32_t half_life)
{
    uint64_t length = epoch_length(half_life);
    uint64_t epoch = since_1970(now) / length;
    uint64_t into_epoch = since_1970(now) - epoch * length;
    bool looks_back = into_epoch < look_back_length(half_life);
    struct weir_decay_plan plan = {
        .now = now,
        .half_life = half_life,
        .epoch = epoch < UINT32_MAX ? (uint32_t)epoch : UINT32_MAX,
        .factor = 1 / SCALE,
    };
    if (half_life > 0)
        plan.factor = exp2(-half_lives(into_epoch, half_life)) / SCALE;
    if (looks_back && epoch > 0)
        plan.before = half_life > 0 ? EPOCH_SHRINKS : 1;
    uint64_t left = (looks_back ? look_back_length(half_life) : length) - into_epoch;
    plan.until = now > INT64_MAX - (weir_time)left ? INT64_MAX : now + (weir_time)left;
    return plan;
}

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);
    memcpy(at, text, len);
    return at + len;
}

/* By hand, because snprintf() for each of thousands of keys a call is too slow. */
static char *put_number(char *at, uint32_t number)
{
    char digit[10];
    size_t digits = 0;
    do {
        digit[digits++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (digits > 0)
        *at++ = digit[--digits];
    return at;
}

static char *put_base64url(char *at, const struct weir_entity *entity)
{
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < sizeof entity->id; i++) {
        bits = bits << 8 | entity->id[i];
        for (have += 8; have >= 6; have -= 6)
            *at++ = letter[bits >> (have - 6) & 63];
    }
    *at++ = letter[bits << (6 - have) & 63]; /* 128 bits leave two over */
    return at;
}

size_t weir_counter_key(const struct weir_counter *counter, uint32_t epoch,
                        char key[static WEIR_COUNTER_KEY_MAX])
{
    static const char name[WEIR_RARE_MARK + 1][3] = {
        [WEIR_SPAM_USER] = "su",     [WEIR_GOOD_USER] = "gu",     [WEIR_SPAM_COMPUTER] = "sc",
        [WEIR_GOOD_COMPUTER] = "gc", [WEIR_INDETERMINATE] = "in", [WEIR_SPAM_EVENTS] = "sr",
        [WEIR_GROUP_GOOD] = "ug",    [WEIR_GROUP_NEW] = "nw",
        [WEIR_RARE_MARK] = "rm",
    };
    bool known = (unsigned)counter->variable <= WEIR_RARE_MARK;
    char *at = put_text(key, "v1:");
    at = put_text(at, known ? name[counter->variable] : "xx");
    at = put_number(at, counter->half_life);
    *at++ = ':';
    at = put_number(at, epoch);
    *at++ = ':';
    at = put_base64url(at, &counter->entity);
    *at = '\0';
    return (size_t)(at - key);
}
