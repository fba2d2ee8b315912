/*
 * What operators say about alerts: that they know of one, and that they do not after all; that for
 * so long nobody is to be told of some, and that this is over.  Each with its line in the audit.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_servers_io.h"
#include "monitor/database/database_thresholds_io.h"
#include "monitor/monitor_verbs_impl.h"
#include "monitor/threshold/silencing.h"
#include "monitor/view/view_silences.h"

#define MOST_NAMED 8 /* of what there is, when something is not */
#define WIDE "that hides so much that it needs the role administrator; an analyst's silence " \
    "names an address or network, of a " WEIR_PREFIX_WIDE " at most, and lasts " \
    WEIR_SILENCE_NARROW_TEXT " at most"

/* acknowledging -------------------------------------------------------------------- */

struct knew {
    int64_t number;
    bool known;                  /* somebody says that he knows of it */
    char was[2 * WEIR_REASON_MAX]; /* who, when, and what he noted; or "" */
};

static int describe_knew(void *context, const struct weir_event *event)
{
    struct knew *knew = context;
    char time[WEIR_TIME_TEXT];

    knew->known = event->number == knew->number && event->acknowledged > 0;
    if (knew->known)
        snprintf(knew->was, sizeof knew->was, "; was acknowledged by %s at %s%s%s",
                 event->acknowledged_by, weir_time_format(event->acknowledged, time),
                 event->note[0] ? ": " : "", event->note);
    return 1;
}

/* Who acknowledged it until now. */
static int find_knew(struct weir_question *question, struct knew *knew)
{
    const struct weir_event_filter filter = {.before = knew->number + 1, .most = 1};

    if (knew->number < 1 || knew->number == INT64_MAX)
        return 0;
    return weir_database_events(question->monitor->database, &filter, describe_knew, knew);
}

json_t *weir_verb_acknowledge(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    const char *note = weir_verb_text(question, "note");
    json_int_t number = json_integer_value(json_object_get(question->json, "number"));
    struct knew knew = {.number = number};
    char detail[WEIR_DATABASE_TEXT_MAX + 1];
    int done;

    done = weir_database_begin(database);
    if (done == 0)
        done = find_knew(question, &knew);
    snprintf(detail, sizeof detail, "%lld%s%s%s", (long long)number, note[0] ? ": " : "", note,
             knew.was);
    if (done >= 0)
        done = weir_database_event_acknowledge(database, number, question->now, question->who,
                                               note);
    done = weir_verb_end(question, done, done > 0, "events acknowledge", detail);
    if (done == 0)
        return weir_verb_unknown(question, "there is no such event");
    if (done < 0)
        return weir_verb_trouble(question);
    return json_pack("{s:I, s:o, s:s, s:s}", "number", number, "acknowledged",
                     weir_view_time(question->now), "acknowledged_by", question->who, "note", note);
}

json_t *weir_verb_unacknowledge(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    struct knew knew = {
        .number = json_integer_value(json_object_get(question->json, "number"))};
    char detail[2 * WEIR_REASON_MAX + 24];
    int done = weir_database_begin(database);

    if (done == 0)
        done = find_knew(question, &knew);
    snprintf(detail, sizeof detail, "%lld%s", (long long)knew.number, knew.was);
    if (done >= 0)
        done = knew.known ? weir_database_event_unacknowledge(database, knew.number, question->now)
                          : 0;
    done = weir_verb_end(question, done, done > 0, "events unacknowledge", detail);
    if (done == 0)
        return weir_verb_unknown(question, "there is no such event, or nobody acknowledged it");
    if (done < 0)
        return weir_verb_trouble(question);
    return json_pack("{s:I, s:n}", "number", (json_int_t)knew.number, "acknowledged");
}

/* silences ------------------------------------------------------------------------- */

/* What is left out is anything; what is given as nothing, as from a variable that is not set, was
 * meant to be something. */
static bool is_given(struct weir_question *question, const char *name)
{
    char why[96];

    if (!json_object_get(question->json, name))
        return false;
    if (weir_verb_text(question, name)[0])
        return true;
    snprintf(why, sizeof why, "%s is empty, or no text: leave it out for any", name);
    (void)weir_verb_refuse(question, why);
    return false;
}

static bool read_prefix(struct weir_question *question, struct weir_silenced *silence)
{
    const char *prefix = weir_verb_text(question, "prefix"), *why = "";

    if (!is_given(question, "prefix"))
        return !question->why[0];
    if (weir_prefix_parse(prefix, strlen(prefix), &silence->prefix, &why) < 0) {
        (void)weir_verb_refuse(question, "prefix is no address or prefix");
        return false;
    }
    silence->prefix = weir_watch_own(&silence->prefix); /* which alerts are about */
    silence->has_prefix = true;
    return true;
}

static bool read_end(struct weir_question *question, struct weir_silenced *silence)
{
    json_int_t ends = json_integer_value(json_object_get(question->json, "ends"));

    if (ends <= question->now / WEIR_SECOND ||
        ends - question->now / WEIR_SECOND > WEIR_SILENCE_LONGEST_DAYS * (WEIR_DAY / WEIR_SECOND)) {
        (void)weir_verb_refuse(question, "a silence needs an end in the future, within a year");
        return false;
    }
    silence->ends = (weir_time)ends * WEIR_SECOND;
    return true;
}

/* what there is */

struct there {
    const char *name;            /* is looked for */
    bool found;
    size_t count, unsaid;
    struct weir_line line;       /* the others */
};

static void note_there(struct there *there, const char *name)
{
    there->found |= strcmp(name, there->name) == 0;
    if (there->count++ >= MOST_NAMED) {
        there->unsaid++;
        return;
    }
    weir_line_text(&there->line, there->count > 1 ? ", " : "");
    weir_line_text(&there->line, name);
}

static int note_server(void *context, const struct weir_server *server)
{
    note_there(context, server->name);
    return 0;
}

static int note_threshold(void *context, const struct weir_threshold *threshold)
{
    if (strcmp(threshold->name, WEIR_POLICY_DEFAULT) != 0)
        note_there(context, threshold->name);
    return 0;
}

static int note_all(struct weir_question *question, const char *what, struct there *there)
{
    struct weir_database *database = question->monitor->database;

    if (strcmp(what, "server") == 0)
        return weir_database_servers(database, note_server, there);
    if (strcmp(what, "threshold") == 0) {
        note_there(there, WEIR_POLICY_DEFAULT); /* always is: the configuration's, or another one */
        return weir_database_thresholds(database, note_threshold, there);
    }
    for (size_t i = 0; weir_alert_kind(i); i++)
        note_there(there, weir_alert_kind(i));
    return 0;
}

/* Reads the name of something that there is, where one is given: a silence of nothing would let
 * whoever made it wait in vain. */
static bool read_name(struct weir_question *question, const char *what, char *name_r, size_t size)
{
    char why[WEIR_DATABASE_WHY], names[MOST_NAMED * (WEIR_SERVER_NAME_MAX + 2) + 1] = "";
    struct there there = {.name = weir_verb_text(question, what),
                          .line = weir_line(names, sizeof names)};

    if (!is_given(question, what))
        return !question->why[0];
    if (!weir_verb_fits(question, what, size - 1))
        return false;
    if (note_all(question, what, &there) < 0) {
        (void)weir_verb_trouble(question);
        return false;
    }
    snprintf(name_r, size, "%s", there.name);
    weir_line_end(&there.line);
    snprintf(why, sizeof why, "there is no %s %s; there %s %s%s", what, there.name,
             there.count == 0 ? "is none" : there.count == 1 ? "is" : "are", names,
             there.unsaid > 0 ? " and others" : "");
    if (!there.found)
        (void)weir_verb_unknown(question, why);
    return there.found;
}

static bool read_silence(struct weir_question *question, struct weir_silenced *silence_r)
{
    struct weir_silenced silence = {.made = question->now};

    if (!read_name(question, "threshold", silence.threshold, sizeof silence.threshold) ||
        !read_name(question, "kind", silence.kind, sizeof silence.kind) ||
        !read_name(question, "server", silence.server, sizeof silence.server) ||
        !read_prefix(question, &silence) || !read_end(question, &silence))
        return false;
    snprintf(silence.reason, sizeof silence.reason, "%s", weir_verb_text(question, "reason"));
    snprintf(silence.who, sizeof silence.who, "%s", question->who);
    if (!silence.has_prefix && !silence.threshold[0] && !silence.kind[0] && !silence.server[0])
        (void)weir_verb_refuse(question, "a silence is about a prefix, threshold, server or kind");
    else if (!silence.reason[0])
        (void)weir_verb_refuse(question, "a silence needs a reason");
    else if (question->narrow && weir_silence_wide(&silence))
        (void)weir_verb_forbid(question, WIDE);
    *silence_r = silence;
    return !question->why[0];
}

static const char *detail_of(const struct weir_silenced *silence, const char *before,
                             char detail[static WEIR_DATABASE_TEXT_MAX + 1])
{
    struct weir_line line = weir_line(detail, WEIR_DATABASE_TEXT_MAX + 1);

    weir_line_count(&line, (uint64_t)silence->number);
    weir_line_text(&line, before);
    weir_line_text(&line, ", ");
    weir_view_silence_put(&line, silence);
    weir_line_text(&line, ": ");
    weir_line_text(&line, silence->reason);
    return weir_line_end(&line);
}

struct covered {
    struct weir_monitor *monitor;
    const struct weir_alert_silences *by;
    weir_time now;
    int64_t number[64];
    size_t count;
};

static int note_covered(void *context, const struct weir_event *event)
{
    struct covered *covered = context;
    char names[WEIR_ALERT_NAMES_MAX + 1];

    weir_monitor_event_servers(covered->monitor, event, names);
    if (weir_alert_silence_event(covered->by, event, names, covered->now))
        covered->number[covered->count++] = event->number;
    return covered->count == sizeof covered->number / sizeof covered->number[0];
}

/* What stands already, and is about the same, is shown as silenced. */
static int mark_covered(struct weir_question *question, struct weir_silenced *silence)
{
    const struct weir_alert_silences by = {silence, 1};
    struct covered covered = {question->monitor, &by, question->now, {0}, 0};
    struct weir_event_filter filter = {.open = true};
    struct weir_database *database = question->monitor->database;
    int done;

    do {
        covered.count = 0;
        done = weir_database_events(database, &filter, note_covered, &covered);
        for (size_t i = 0; i < covered.count && done >= 0; i++)
            done = weir_database_event_silenced(database, covered.number[i], silence->number);
        if (covered.count > 0) /* newest first */
            filter.before = covered.number[covered.count - 1];
    } while (done >= 0 && covered.count > 0);
    return done < 0 ? done : 0;
}

json_t *weir_verb_silence_add(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    char detail[WEIR_DATABASE_TEXT_MAX + 1] = "";
    struct weir_silenced silence;
    int done, ended;

    if (!read_silence(question, &silence))
        return NULL;
    done = weir_database_begin(database);
    if (done == 0)
        done = weir_database_silence_add(database, &silence, &silence.number);
    if (done == 0)
        done = mark_covered(question, &silence);
    ended = weir_verb_end(question, done, true, "silence add", detail_of(&silence, "", detail));
    if (done == WEIR_ELIMIT)
        return weir_verb_refuse(question, weir_database_why(database));
    if (ended < 0)
        return weir_verb_trouble(question);
    if (weir_monitor_read_silences(question->monitor) < 0)
        return weir_verb_stored_only(question);
    return weir_view_silence(&silence);
}

struct sought {
    int64_t number;
    bool found;
    struct weir_silenced silence;
};

static int seek(void *context, const struct weir_silenced *silence)
{
    struct sought *sought = context;

    sought->found = silence->number == sought->number;
    sought->silence = *silence;
    return 1;
}

json_t *weir_verb_silence_end(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    struct sought sought = {
        .number = json_integer_value(json_object_get(question->json, "number"))};
    char detail[WEIR_DATABASE_TEXT_MAX + 1] = "";
    int done;

    if (sought.number < 1 || sought.number == INT64_MAX)
        return weir_verb_unknown(question, "there is no such silence");
    done = weir_database_begin(database);
    if (done == 0)
        done = weir_database_silences(database, true, sought.number + 1, question->now, seek,
                                      &sought);
    if (done >= 0)
        done = sought.found ? weir_database_silence_end(database, sought.number, question->who,
                                                        question->now)
                            : 0;
    if (sought.found)
        (void)detail_of(&sought.silence, " ended; was", detail);
    done = weir_verb_end(question, done, done > 0, "silence end", detail);
    if (done == 0)
        return weir_verb_unknown(question, "there is no such silence, or it is over");
    if (done < 0)
        return weir_verb_trouble(question);
    if (weir_monitor_read_silences(question->monitor) < 0)
        return weir_verb_stored_only(question);
    sought.silence.ended = question->now;
    snprintf(sought.silence.ended_by, sizeof sought.silence.ended_by, "%s", question->who);
    return weir_view_silence(&sought.silence);
}
