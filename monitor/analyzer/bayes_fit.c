/*
 * Messages are runs of hashes, newest first, so that the pass goes from the last to the first.
 * They are only copied when they are taken in, for whoever does so holds a lock; the run gives
 * words numbers, found by an array of these with open addressing, and puts them in the hashes'
 * place.
 * Words beyond the limit have no number: they count for the length of a message, but get no weight.
 *
 * Chance is SplitMix64 (G. Steele and others, 2014), begun anew for each pass and kind.  Arithmetic
 * is in one order, on one thread: the same messages give the same octets of a word list.
 */
#include "monitor/analyzer/bayes_fit.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/limits.h"
#include "core/engine/lesson.h"

#define SURE 0.01   /* nearer to what a message is, it teaches nothing */
#define FIRST 1e-6f /* G before anything was learned: next to nothing */

enum { ROOM_FIRST = 1024, PART_MOST = 3 /* of 4 places are taken */ };

#define NO_NUMBER UINT64_MAX

struct word {
    uint64_t hash;
    float weight, moved, sum; /* moved: G; sum: of the weights that passes ended with */
};

struct message {
    size_t first, tokens;
    float x[WEIR_BAYES_VIEWS];
    bool spam;
};

struct weir_bayes_fit {
    struct word *word;
    uint32_t *place;          /* a word's number and one, or 0 */
    size_t words, word_room, mask;
    uint64_t *token;          /* words' numbers, then hashes */
    size_t numbered, tokens, token_room, most;
    struct message *message;
    size_t messages, message_room;
    size_t kind[2];           /* messages that are ham, spam */
};

int weir_bayes_fit_new(size_t most, struct weir_bayes_fit **fit_r)
{
    struct weir_bayes_fit *fit = calloc(1, sizeof *fit);

    if (!fit)
        return WEIR_ENOMEM;
    fit->place = calloc(ROOM_FIRST, sizeof *fit->place);
    if (!fit->place) {
        free(fit);
        return WEIR_ENOMEM;
    }
    fit->mask = ROOM_FIRST - 1;
    fit->most = most > 0 && most < WEIR_BAYES_FIT_TOKENS_MAX ? most : WEIR_BAYES_FIT_TOKENS_MAX;
    *fit_r = fit;
    return 0;
}

void weir_bayes_fit_free(struct weir_bayes_fit **fit)
{
    if (*fit) {
        free((*fit)->word);
        free((*fit)->place);
        free((*fit)->token);
        free((*fit)->message);
    }
    free(*fit);
    *fit = NULL;
}

/* Places of words. ----------------------------------------------------------------------- */

/* The place of a word, or the empty one where it would be. */
static size_t place_of(const struct weir_bayes_fit *fit, uint64_t hash)
{
    size_t at = (size_t)(hash >> 1) & fit->mask; /* the lowest bit is the view */

    while (fit->place[at] > 0 && fit->word[fit->place[at] - 1].hash != hash)
        at = (at + 1) & fit->mask;
    return at;
}

static int more_places(struct weir_bayes_fit *fit, size_t words)
{
    size_t places = fit->mask + 1;
    uint32_t *place;

    while (places / 4 * PART_MOST < words)
        places *= 2;
    if (places == fit->mask + 1)
        return 0;
    place = calloc(places, sizeof *place);
    if (!place)
        return WEIR_ENOMEM;
    free(fit->place);
    fit->place = place;
    fit->mask = places - 1;
    for (size_t i = 0; i < fit->words; i++)
        place[place_of(fit, fit->word[i].hash)] = (uint32_t)i + 1;
    return 0;
}

/* Messages. ------------------------------------------------------------------------------ */

static int make_room(struct weir_bayes_fit *fit, size_t tokens)
{
    uint64_t *token =
        weir_grown(fit->token, fit->tokens + tokens, &fit->token_room, sizeof *token);
    struct message *message =
        weir_grown(fit->message, fit->messages, &fit->message_room, sizeof *message);

    fit->token = token ? token : fit->token;
    fit->message = message ? message : fit->message;
    return token && message ? 0 : WEIR_ENOMEM;
}

int weir_bayes_fit_add(struct weir_bayes_fit *fit, const uint8_t *token, size_t tokens, bool spam)
{
    struct message message = {.first = fit->tokens, .tokens = tokens, .spam = spam};
    size_t of_view[WEIR_BAYES_VIEWS] = {0};

    if (tokens > fit->most - fit->tokens)
        return 0;
    if (make_room(fit, tokens) < 0)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < tokens; i++) {
        uint64_t hash = weir_lesson_token(token, i);

        of_view[weir_bayes_view_of(hash)]++;
        fit->token[fit->tokens++] = hash;
    }
    for (unsigned view = 0; view < WEIR_BAYES_VIEWS; view++)
        message.x[view] = of_view[view] > 0 ? (float)(1 / sqrt((double)of_view[view])) : 0;
    fit->message[fit->messages++] = message;
    fit->kind[spam]++;
    return 1;
}

size_t weir_bayes_fit_messages(const struct weir_bayes_fit *fit, bool spam)
{
    return fit->kind[spam];
}

/* Numbers. ------------------------------------------------------------------------------- */

static int add_word(struct weir_bayes_fit *fit, uint64_t hash)
{
    struct word *word = weir_grown(fit->word, fit->words, &fit->word_room, sizeof *word);

    if (!word)
        return WEIR_ENOMEM;
    fit->word = word;
    if (more_places(fit, fit->words + 1) < 0)
        return WEIR_ENOMEM;
    word[fit->words++] = (struct word){.hash = hash};
    fit->place[place_of(fit, hash)] = (uint32_t)fit->words;
    return 0;
}

/* In the place of each hash the number of its word. */
static int number_all(struct weir_bayes_fit *fit)
{
    for (; fit->numbered < fit->tokens; fit->numbered++) {
        uint64_t *token = &fit->token[fit->numbered];
        size_t at = place_of(fit, *token);
        uint32_t number = fit->place[at];

        if (number == 0 && fit->words < WEIR_BAYES_FIT_WORDS_MAX) {
            if (add_word(fit, *token) < 0)
                return WEIR_ENOMEM;
            number = (uint32_t)fit->words;
        }
        *token = number > 0 ? number - 1 : NO_NUMBER;
    }
    return 0;
}

/* Fitting. ------------------------------------------------------------------------------- */

static double x_of(const struct message *message, const struct word *word)
{
    return (double)message->x[weir_bayes_view_of(word->hash)];
}

static void move(struct word *word, double by)
{
    double weight;

    word->moved = (float)((double)word->moved + by * by);
    weight = (double)word->weight + by / sqrt((double)word->moved);
    word->weight = (float)fmax(-WEIR_BAYES_FIT_WEIGHT_MOST,
                               fmin(WEIR_BAYES_FIT_WEIGHT_MOST, weight));
}

static void learn(struct weir_bayes_fit *fit, const struct message *message)
{
    const uint64_t *token = fit->token + message->first;
    double z = 0, off;

    for (size_t i = 0; i < message->tokens; i++)
        if (token[i] != NO_NUMBER) {
            const struct word *word = &fit->word[token[i]];
            z += (double)word->weight * x_of(message, word);
        }
    off = (message->spam ? 1 : 0) - 1 / (1 + exp(-z));
    if (fabs(off) < SURE)
        return;
    for (size_t i = 0; i < message->tokens; i++)
        if (token[i] != NO_NUMBER) {
            struct word *word = &fit->word[token[i]];
            move(word, off * x_of(message, word));
        }
}

/* Orders. -------------------------------------------------------------------------------- */

static uint64_t chance(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

/* Numbers of all messages of a kind, oldest first, shuffled (Fisher and Yates) by a chance that
 * depends on pass and kind alone. */
static void shuffle(const struct weir_bayes_fit *fit, unsigned pass, bool spam, size_t *order)
{
    uint64_t state = (uint64_t)pass << 1 | spam;
    size_t n = 0;

    for (size_t i = fit->messages; i > 0; i--)
        if (fit->message[i - 1].spam == spam)
            order[n++] = i - 1;
    for (; n > 1; n--) {
        size_t other = (size_t)(chance(&state) % n), moved = order[other];
        order[other] = order[n - 1];
        order[n - 1] = moved;
    }
}

/* order: room for all messages; first those that are ham. */
static void pass(struct weir_bayes_fit *fit, unsigned number, size_t *order)
{
    const size_t *next[2] = {order, order + fit->kind[false]};
    size_t done[2] = {0, 0};

    shuffle(fit, number, false, order);
    shuffle(fit, number, true, order + fit->kind[false]);
    for (size_t i = 0; i < fit->words; i++) {
        fit->word[i].weight = 0;
        fit->word[i].moved = FIRST;
    }
    for (size_t i = 0; i < fit->messages; i++) {
        bool spam = done[true] < fit->kind[true] &&
                    (done[false] == fit->kind[false] ||
                     ((double)done[true] + 0.5) * (double)fit->kind[false] <=
                         ((double)done[false] + 0.5) * (double)fit->kind[true]);
        learn(fit, &fit->message[next[spam][done[spam]++]]);
    }
    for (size_t i = 0; i < fit->words; i++)
        fit->word[i].sum += fit->word[i].weight;
}

int weir_bayes_fit_run(struct weir_bayes_fit *fit)
{
    int rc = number_all(fit);
    size_t *order = rc == 0 ? calloc(fit->messages + 1, sizeof *order) : NULL;

    if (rc == 0 && !order)
        rc = WEIR_ENOMEM;
    for (size_t i = 0; i < fit->words; i++)
        fit->word[i].sum = 0;
    for (unsigned number = 0; rc == 0 && number < WEIR_BAYES_FIT_PASSES; number++)
        pass(fit, number, order);
    free(order);
    return rc;
}

int16_t weir_bayes_fit_weight(const struct weir_bayes_fit *fit, uint64_t hash)
{
    uint32_t number = fit->place[place_of(fit, hash)];

    return number == 0 ? (int16_t)0
                       : (int16_t)lrint((double)fit->word[number - 1].sum /
                                        WEIR_BAYES_FIT_PASSES * WEIR_BAYES_WEIGHT_ONE);
}
