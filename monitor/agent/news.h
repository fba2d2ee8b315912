/*
 * news - what the monitor's answers say of its newest rule set, in a header field:
 *
 *     Weir-Rules: 12 43-characters-of-base64url 20000
 *
 * its serial, the public half of the key it is signed with, and within how many milliseconds agents
 * are to come for it, each when it likes, so that a thousand do not come at once.
 *
 * Threads:  pure functions.
 */
#ifndef WEIR_AGENT_NEWS_H
#define WEIR_AGENT_NEWS_H

#include "core/evidence/rule_parcel.h"

#define WEIR_NEWS_FIELD "Weir-Rules"
#define WEIR_NEWS_TEXT 80
#define WEIR_NEWS_WITHIN_MAX (30 * WEIR_SECOND)

struct weir_news {
    uint32_t serial;           /* 0: nothing was published yet */
    uint8_t open[WEIR_PARCEL_PUBLIC];
    weir_time within;
};

/* The field's value.  Returns text_r. */
const char *weir_news_write(const struct weir_news *news, char text_r[static WEIR_NEWS_TEXT]);

/* False when it is none. */
bool weir_news_read(struct weir_slice text, struct weir_news *news_r);

#endif
