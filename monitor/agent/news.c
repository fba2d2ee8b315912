/*
 * Three words of one line.  Refuses whatever is not exactly that; a time that is too long is the
 * longest.
 */
#include "monitor/agent/news.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/slice.h"

const char *weir_news_write(const struct weir_news *news, char text_r[static WEIR_NEWS_TEXT])
{
    char key[WEIR_PARCEL_KEY_TEXT];

    snprintf(text_r, WEIR_NEWS_TEXT, "%" PRIu32 " %s %" PRId64, news->serial,
             weir_parcel_public_text(news->open, key), news->within / 1000);
    return text_r;
}

static bool number(struct weir_slice word, uint64_t most, uint64_t *number_r)
{
    uint64_t value = 0;

    for (size_t i = 0; i < word.len; i++) {
        if (!weir_is_digit(word.at[i]) || value > most)
            return false;
        value = value * 10 + (uint64_t)(word.at[i] - '0');
    }
    *number_r = value;
    return word.len > 0 && value <= most;
}

bool weir_news_read(struct weir_slice text, struct weir_news *news_r)
{
    struct weir_slice serial = weir_slice_word(&text), key = weir_slice_word(&text);
    struct weir_slice within = weir_slice_word(&text);
    uint64_t one, other;

    if (text.len > 0 || !number(serial, WEIR_RULE_SERIAL_MAX, &one) ||
        !number(within, UINT32_MAX, &other) || !weir_parcel_public_read(key, news_r->open))
        return false;
    news_r->serial = (uint32_t)one;
    news_r->within = (weir_time)other * 1000;
    if (news_r->within > WEIR_NEWS_WITHIN_MAX)
        news_r->within = WEIR_NEWS_WITHIN_MAX;
    return true;
}
