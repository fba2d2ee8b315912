/*
 * view_silences - what is kept of a silence, in an order for people.
 */
#include "monitor/view/view_silences.h"

#include "monitor/threshold/silencing.h"

#define WORDS 1200 /* octets; a line of weirctl's, and of the first page */

static void put_named(struct weir_line *line, bool *first, const char *what, const char *name)
{
    if (!name[0])
        return;
    weir_line_text(line, *first ? "" : ", ");
    weir_line_text(line, what);
    weir_line_text(line, name); /* octets are looked at before it is stored */
    *first = false;
}

void weir_view_silence_put(struct weir_line *line, const struct weir_silenced *silence)
{
    char text[WEIR_PREFIX_TEXT > WEIR_TIME_TEXT ? WEIR_PREFIX_TEXT : WEIR_TIME_TEXT];
    bool first = true;

    if (silence->has_prefix)
        put_named(line, &first, "address ", weir_prefix_format(&silence->prefix, text));
    put_named(line, &first, "threshold ", silence->threshold);
    put_named(line, &first, "server ", silence->server);
    put_named(line, &first, "kind ", silence->kind);
    weir_line_text(line, " until ");
    weir_line_text(line, weir_time_format(silence->ends, text));
}

json_t *weir_view_silence(const struct weir_silenced *silence)
{
    char prefix[WEIR_PREFIX_TEXT] = "";

    if (silence->has_prefix)
        weir_prefix_format(&silence->prefix, prefix);
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "number",
                     (json_int_t)silence->number, "made", weir_view_time(silence->made), "ends",
                     weir_view_time(silence->ends), "prefix", weir_view_text_or_null(prefix),
                     "threshold", weir_view_text_or_null(silence->threshold), "server",
                     weir_view_text_or_null(silence->server), "kind",
                     weir_view_text_or_null(silence->kind), "reason",
                     weir_view_text(silence->reason), "by", weir_view_text(silence->who), "ended",
                     weir_view_time(silence->ended), "ended_by",
                     weir_view_text_or_null(silence->ended_by), "wide",
                     weir_silence_wide(silence));
}

/* those that stand ----------------------------------------------------------------------------- */

static bool stands(const struct weir_silenced *silence, weir_time now)
{
    return silence->ended == 0 && now < silence->ends;
}

/* Names those that are wide, or those that are not; how many are named by then. */
static size_t name_some(struct weir_line *line, const struct weir_silenced *silences, size_t count,
                        weir_time now, bool wide, size_t named)
{
    for (size_t i = 0; i < count && named < WEIR_VIEW_SILENCES_NAMED; i++) {
        if (!stands(&silences[i], now) || weir_silence_wide(&silences[i]) != wide)
            continue;
        weir_line_text(line, named > 0 ? "; " : "");
        weir_view_silence_put(line, &silences[i]);
        named++;
    }
    return named;
}

static void put_count(struct weir_line *line, uint64_t count, const char *one, const char *many)
{
    weir_line_count(line, count);
    weir_line_text(line, count == 1 ? one : many);
}

static void put_alerts(struct weir_line *line, const uint64_t *alerts, bool one)
{
    if (alerts)
        put_count(line, *alerts, one ? " alert is under it" : " alert is under them",
                  one ? " alerts are under it" : " alerts are under them");
    else
        weir_line_text(line, one ? "how many alerts are under it is not known"
                                 : "how many alerts are under them is not known");
}

json_t *weir_view_standing(const struct weir_silenced *silences, size_t count, weir_time now,
                           const uint64_t *alerts)
{
    char words[WORDS] = "";
    struct weir_line line = weir_line(words, sizeof words);
    size_t standing = 0, wide = 0, named;

    for (size_t i = 0; i < count; i++) {
        standing += stands(&silences[i], now);
        wide += stands(&silences[i], now) && weir_silence_wide(&silences[i]);
    }
    if (standing > 0) {
        put_count(&line, standing, " silence stands, nobody is told of alerts about ",
                  " silences stand, nobody is told of alerts about ");
        named = name_some(&line, silences, count, now, true, 0);
        named = name_some(&line, silences, count, now, false, named);
        if (standing > named) {
            weir_line_text(&line, "; and ");
            put_count(&line, standing - named, " more", " more");
        }
        weir_line_text(&line, "; ");
        put_alerts(&line, alerts, standing == 1);
        weir_line_end(&line);
    }
    return json_pack("{s:I, s:I, s:o, s:s}", "standing", (json_int_t)standing, "wide",
                     (json_int_t)wide, "alerts",
                     alerts ? json_integer((json_int_t)*alerts) : json_null(), "text", words);
}
