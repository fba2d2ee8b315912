/*
 * ladder_text - word by word; refuses whatever is not exactly a ladder, since what is half
 * understood here blocks mail.
 */
#include "monitor/threshold/ladder_text.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"

#define NUMBER_MOST 24

/* A number that takes all of a word, or -1. */
static double number_of(struct weir_slice word)
{
    char text[NUMBER_MOST];
    char *end;
    double number;

    if (word.len == 0 || word.len >= sizeof text || !weir_is_digit(word.at[0]))
        return -1;
    memcpy(text, word.at, word.len);
    text[word.len] = '\0';
    if (strspn(text, "0123456789.") != word.len)
        return -1;
    number = strtod(text, &end);
    return *end == '\0' ? number : -1;
}

static weir_time period_of(struct weir_slice word)
{
    static const struct {
        char letter;
        weir_time unit;
    } units[] = {{'s', WEIR_SECOND}, {'m', WEIR_MINUTE}, {'h', WEIR_HOUR}, {'d', WEIR_DAY}};
    double count;

    if (word.len < 2)
        return -1;
    count = number_of((struct weir_slice){word.at, word.len - 1});
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (word.at[word.len - 1] == units[i].letter && count >= 0 && count <= 31536000)
            return (weir_time)(count * (double)units[i].unit);
    return -1;
}

static const char *read_step(struct weir_slice text, struct weir_ladder_step *step)
{
    struct weir_slice word = weir_slice_word(&text);
    enum weir_response response = 0;

    while (response < WEIR_RESPONSES && !weir_slice_is(word, weir_response_name(response)))
        response++;
    if (response == WEIR_RESPONSES)
        return "a step is not one of observe, alert, score, defer, reject";
    *step = (struct weir_ladder_step){.response = response};
    if (response == WEIR_RESPONSE_SCORE) {
        step->points = number_of(weir_slice_word(&text));
        if (step->points < 0.01 || step->points > WEIR_RULE_SCORE_MAX)
            return "a score has no points within 0.01..100";
    }
    step->lasts = period_of(weir_slice_word(&text));
    if (step->lasts < WEIR_SECOND || step->lasts > 365 * WEIR_DAY)
        return "a step does not say how long it lasts, as 15m or 4h, within 1s..365d";
    return text.len > 0 ? "a step has a word too many" : NULL;
}

int weir_ladder_text_read(struct weir_slice text, struct weir_ladder_class *ladder_r,
                          const char **why_r)
{
    struct weir_ladder_class ladder = *ladder_r;

    ladder.steps = 0;
    *why_r = NULL;
    while (!*why_r) {
        const char *comma = text.len ? memchr(text.at, ',', text.len) : NULL;
        size_t len = comma ? (size_t)(comma - text.at) : text.len;

        if (ladder.steps == WEIR_LADDER_STEPS_MAX)
            *why_r = "it has too many steps";
        else
            *why_r = read_step((struct weir_slice){text.at, len}, &ladder.step[ladder.steps++]);
        if (!comma)
            break;
        text = weir_slice_behind(text, len + 1);
    }
    if (*why_r)
        return WEIR_EINVAL;
    *ladder_r = ladder;
    return 0;
}
