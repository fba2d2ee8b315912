/*
 * view - numbers, times and strangers' texts as JSON.
 */
#include "monitor/view/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/store/line_words.h"

json_t *weir_view_number(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

/* The length of the UTF-8 sequence at text, 0 when it is none.  jansson decides:
 * it knows overlong forms and surrogates. */
static size_t sequence(const char *text, size_t len)
{
    size_t most = len < 4 ? len : 4;

    for (size_t n = 1; n <= most; n++) {
        json_t *trial = json_stringn(text, n);
        if (trial) {
            json_decref(trial);
            return n;
        }
    }
    return 0;
}

json_t *weir_view_octets(const char *text, size_t len)
{
    json_t *value = json_stringn(text, len);
    size_t out = 0;
    char *mended;

    if (value)
        return value;
    mended = malloc(3 * len + 1);
    for (size_t at = 0, n; mended && at < len; at += n > 0 ? n : 1) {
        n = sequence(text + at, len - at);
        memcpy(mended + out, n > 0 ? text + at : "\xEF\xBF\xBD", n > 0 ? n : 3);
        out += n > 0 ? n : 3;
    }
    value = mended ? json_stringn(mended, out) : NULL;
    free(mended);
    return value;
}

json_t *weir_view_text(const char *text)
{
    return weir_view_octets(text, strlen(text));
}

json_t *weir_view_text_or_null(const char *text)
{
    return text[0] ? weir_view_text(text) : json_null();
}

json_t *weir_view_time(weir_time time)
{
    char text[WEIR_TIME_TEXT];

    return time == 0 ? json_null() : json_string(weir_time_format(time, text));
}

json_t *weir_view_points(float points)
{
    char text[32];

    snprintf(text, sizeof text, "%.7g", (double)points);
    return weir_view_number(strtod(text, NULL));
}

json_t *weir_view_uid(uint64_t uid)
{
    return json_sprintf("%016llx", (unsigned long long)uid);
}

bool weir_view_uid_read(const char *text, uint64_t *uid_r)
{
    struct weir_slice rest = weir_slice_maybe(text);

    return rest.len == 16 && weir_word_take_hex(&rest, "", uid_r);
}
