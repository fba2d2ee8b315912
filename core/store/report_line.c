/*
 * Words are told apart by blanks, as in spool_line.c: the writer lets no value have one.  The order
 * is fixed; a line with a word missing or in another place is none of ours.
 */
#include "core/store/report_line.h"

#include <string.h>

#include "core/base/slice.h"
#include "core/store/line_words.h"

/* Writing. ------------------------------------------------------------------ */

static void put_value(struct weir_line *line, const char *name, struct weir_slice value,
                      size_t most)
{
    if (value.len > most)
        value.len = most;
    weir_line_text(line, name);
    if (value.len == 0)
        weir_line_text(line, "-");
    weir_line_foreign(line, value, false);
}

/* A string is folded where it was found. */
static void put_info(struct weir_line *line, struct weir_slice info)
{
    char text[WEIR_INFO_TEXT_MAX + 1];
    size_t len = 0;

    for (size_t i = 0; i < info.len && len < sizeof text; i++)
        if (!weir_is_blank(info.at[i]))
            text[len++] = info.at[i];
    put_value(line, " info=", (struct weir_slice){text, len}, len);
}

void weir_report_line_write(const struct weir_report_line *report, struct weir_line *line)
{
    const size_t word = 16;
    char time[WEIR_TIME_TEXT];

    weir_line_text(line, "at=");
    weir_line_text(line, weir_time_format(report->at, time));
    weir_line_text(line, report->spam ? " report=spam" : " report=ham");
    weir_line_text(line, report->back ? " back=yes" : " back=no");
    put_value(line, " way=", report->way, word);
    put_value(line, " told=", report->told, word);
    put_value(line, " state=", report->state, word);
    weir_word_put_hex(line, " reporter=", report->reporter);
    put_value(line, " user=", report->user, WEIR_REPORT_USER_MAX);
    weir_word_put_hex(line, " binding=", report->binding);
    put_info(line, report->info);
}

/* Reading. ------------------------------------------------------------------ */

static bool take_told(struct weir_slice *text, const char *name, struct weir_slice *value_r)
{
    if (!weir_word_take(text, name, value_r))
        return false;
    if (weir_slice_equals(*value_r, "-"))
        value_r->len = 0;
    return true;
}

static bool take_choice(struct weir_slice *text, const char *name, const char *yes,
                        const char *no, bool *yes_r)
{
    struct weir_slice value;

    if (!weir_word_take(text, name, &value))
        return false;
    *yes_r = weir_slice_equals(value, yes);
    return *yes_r || weir_slice_equals(value, no);
}

int weir_report_line_read(struct weir_slice text, struct weir_report_line *report_r)
{
    struct weir_slice at;

    *report_r = (struct weir_report_line){.at = 0};
    if (text.len > WEIR_SPOOL_LINE_MAX)
        return 0;
    return weir_word_take(&text, "at=", &at) &&
           take_choice(&text, "report=", "spam", "ham", &report_r->spam) &&
           take_choice(&text, "back=", "yes", "no", &report_r->back) &&
           take_told(&text, "way=", &report_r->way) &&
           take_told(&text, "told=", &report_r->told) &&
           take_told(&text, "state=", &report_r->state) &&
           weir_word_take_hex(&text, "reporter=", &report_r->reporter) &&
           take_told(&text, "user=", &report_r->user) &&
           weir_word_take_hex(&text, "binding=", &report_r->binding) &&
           take_told(&text, "info=", &report_r->info) && text.len == 0;
}
