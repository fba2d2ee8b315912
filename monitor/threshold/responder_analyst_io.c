/*
 * What analysts decide and take back, and a clock that was put back; each action is one
 * transaction, told once it is written.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_ladder_io.h"
#include "monitor/database/database_rebase_io.h"
#include "monitor/threshold/responder_impl.h"

/* What waits to be written comes first. */
static int begin(struct weir_responder *responder, weir_time now)
{
    int done = responder->items > 0 ? weir_responder_write(responder) : 0;

    responder->now = now;
    responder->generation = 0;
    return done < 0 ? done : weir_database_begin(responder->options.database);
}

/* rc, or what went wrong with it; tells the servers when something has changed. */
static int end(struct weir_responder *responder, int rc)
{
    struct weir_database *database = responder->options.database;
    int done = rc < 0 ? rc : weir_database_commit(database);

    if (rc < 0)
        weir_database_abandon(database);
    if (done < 0)
        return done;
    if (responder->generation > 0)
        responder->options.changed(responder->options.context, responder->generation);
    return rc;
}

struct standing_below {
    const struct weir_prefix *prefix;
    int64_t number[64];
    size_t count;
};

static int note_standing(void *context, const struct weir_event *event)
{
    struct standing_below *below = context;

    if (!event->has_prefix || event->prefix.bits < below->prefix->bits ||
        !weir_prefix_contains(below->prefix, &event->prefix.address))
        return 0;
    if (below->count == sizeof below->number / sizeof below->number[0])
        return 1;
    below->number[below->count++] = event->number;
    return 0;
}

static int clear_below(struct weir_responder *responder, const struct weir_prefix *prefix)
{
    struct weir_event_filter filter = {.open = true};
    struct standing_below below = {.prefix = prefix};
    int done;

    do {
        below.count = 0;
        done = weir_database_events(responder->options.database, &filter, note_standing, &below);
        for (size_t i = 0; i < below.count && done >= 0; i++)
            done = weir_database_event_clear(responder->options.database, below.number[i],
                                             responder->now);
        if (below.count > 0) /* newest first */
            filter.before = below.number[below.count - 1];
    } while (done >= 0 && below.count > 0);
    return done < 0 ? done : 0;
}

/* what the audit says --------------------------------------------------------------- */

static void put_reason(struct weir_line *line, const char *before, const char *reason)
{
    weir_line_text(line, reason[0] ? before : "");
    weir_line_text(line, reason);
}

/* "refused until 2026-11-23T01:00:00Z: newsletters" */
static void put_decided(struct weir_line *line, const struct weir_database_decision *decision)
{
    char time[WEIR_TIME_TEXT];

    if (strcmp(decision->list, "score") == 0) {
        weir_line_number(line, decision->points, 2);
        weir_line_text(line, " points");
    } else if (strcmp(decision->list, "accept") == 0) {
        weir_line_text(line, "accepted");
    } else {
        weir_line_text(line, decision->defer ? "deferred" : "refused");
    }
    weir_line_text(line, decision->ends ? " until " : " for good");
    weir_line_text(line, decision->ends ? weir_time_format(decision->ends, time) : "");
    put_reason(line, ": ", decision->reason);
}

struct stood {
    struct weir_line *line;
    unsigned count;
};

static int put_stood(void *context, const struct weir_database_decision *decision)
{
    struct stood *stood = context;
    char prefix[WEIR_PREFIX_TEXT];

    weir_line_text(stood->line, stood->count++ == 0 ? "; was " : ", and ");
    weir_line_text(stood->line, weir_prefix_format(&decision->prefix, prefix));
    weir_line_text(stood->line, " ");
    put_decided(stood->line, decision);
    weir_line_text(stood->line, ", by ");
    weir_line_text(stood->line, decision->origin);
    return 0;
}

/* What stands about exactly this prefix, before it does no more. */
static int put_standing(struct weir_responder *responder, struct weir_line *line,
                        const struct weir_prefix *prefix, const char *list)
{
    struct stood stood = {.line = line};

    return weir_database_decisions_about(responder->options.database, prefix, list,
                                         responder->now, put_stood, &stood);
}

/* The same of what is taken back: a prefix, and its own where that is wider. */
static int put_undone(struct weir_responder *responder, struct weir_line *line,
                      const struct weir_prefix *prefix, const struct weir_prefix *own)
{
    static const char *const lists[] = {"blacklist", "score"};
    int done = 0;

    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && done >= 0; i++) {
        done = put_standing(responder, line, prefix, lists[i]);
        if (done >= 0 && own->bits < prefix->bits)
            done = put_standing(responder, line, own, lists[i]);
    }
    return done;
}

/* Those about exactly this prefix. */
static int undo_at(struct weir_responder *responder, const struct weir_prefix *prefix,
                   const char *who, weir_time now)
{
    static const char *const lists[] = {"blacklist", "score"};
    int undone = 0, done = 0;

    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && done >= 0; i++) {
        done = weir_database_decisions_undo(responder->options.database, prefix, lists[i], who,
                                            now, &responder->generation);
        undone += done;
    }
    return done < 0 ? done : undone;
}

static int undo_decisions(struct weir_responder *responder, const struct weir_prefix *prefix,
                          const struct weir_prefix *own, const char *who, weir_time now)
{
    int undone = weir_database_decisions_undo_below(responder->options.database, prefix, who, now,
                                                    &responder->generation), more = 0;

    if (undone >= 0 && own->bits < prefix->bits)
        more = undo_at(responder, own, who, now);
    return undone < 0 ? undone : more < 0 ? more : undone + more;
}

int weir_responder_undo(struct weir_responder *responder, const struct weir_prefix *prefix,
                        const char *who, const char *reason, weir_time now)
{
    struct weir_prefix own = weir_watch_own(prefix);
    char detail[WEIR_DATABASE_TEXT_MAX + 1], text[WEIR_PREFIX_TEXT];
    struct weir_line line = weir_line(detail, sizeof detail);
    int undone = 0, done = begin(responder, now);

    if (done < 0)
        return done;
    weir_line_text(&line, weir_prefix_format(prefix, text));
    put_reason(&line, ": ", reason);
    done = put_undone(responder, &line, prefix, &own);
    done = undone = done < 0 ? done : undo_decisions(responder, prefix, &own, who, now);
    weir_line_text(&line, "; taken back: ");
    weir_line_count(&line, undone > 0 ? (uint64_t)undone : 0);
    done = done < 0 ? done : clear_below(responder, &own);
    if (done >= 0)
        done = weir_database_ladder_forget(responder->options.database, &own);
    if (done >= 0)
        done = weir_responder_audit(responder, who, "undo", weir_line_end(&line));
    done = end(responder, done < 0 ? done : undone);
    if (done >= 0)
        weir_ladder_undo(responder->ladder, &own);
    return done;
}

static int note_made(void *context, const struct weir_database_decision *decision)
{
    *(weir_time *)context = decision->made;
    return 1;
}

/* What an acceptance took back, it took back when it was made. */
static int restore_accepted(struct weir_responder *responder, const struct weir_prefix *prefix,
                            weir_time made)
{
    struct weir_prefix own = weir_watch_own(prefix);

    return weir_database_decisions_restore(responder->options.database, &own, made, responder->now,
                                           &responder->generation);
}

int weir_responder_restore(struct weir_responder *responder, const struct weir_prefix *prefix,
                           weir_time undone, const char *who, const char *reason, weir_time now)
{
    struct weir_prefix own = weir_watch_own(prefix);
    char detail[WEIR_DATABASE_TEXT_MAX + 1], text[WEIR_PREFIX_TEXT];
    struct weir_line line = weir_line(detail, sizeof detail);
    int restored, done = begin(responder, now);

    if (done < 0)
        return done;
    weir_line_text(&line, weir_prefix_format(prefix, text));
    put_reason(&line, ": ", reason);
    restored = weir_database_decisions_restore(responder->options.database, &own, undone, now,
                                               &responder->generation);
    done = restored <= 0 ? restored
                         : weir_responder_audit(responder, who, "restore", weir_line_end(&line));
    return end(responder, done < 0 ? done : restored);
}

int weir_responder_unaccept(struct weir_responder *responder, const struct weir_prefix *prefix,
                            const char *who, const char *reason, weir_time now, int *restored_r)
{
    char detail[WEIR_DATABASE_TEXT_MAX + 1], text[WEIR_PREFIX_TEXT];
    struct weir_line line = weir_line(detail, sizeof detail);
    struct weir_database *database = responder->options.database;
    weir_time made = 0;
    int undone = 0, done = begin(responder, now);

    *restored_r = 0;
    if (done < 0)
        return done;
    weir_line_text(&line, weir_prefix_format(prefix, text));
    put_reason(&line, ": ", reason);
    done = put_standing(responder, &line, prefix, "accept");
    if (done >= 0)
        done = weir_database_decisions_about(database, prefix, "accept", now, note_made, &made);
    undone = done < 0 ? done : weir_database_decisions_undo(database, prefix, "accept", who, now,
                                                            &responder->generation);
    done = undone <= 0 ? undone
                       : weir_responder_audit(responder, who, "unaccept", weir_line_end(&line));
    if (undone > 0 && done >= 0)
        *restored_r = done = restore_accepted(responder, prefix, made);
    return end(responder, done < 0 ? done : undone);
}

int weir_responder_decide(struct weir_responder *responder, const char *name,
                          const struct weir_list_entry *entry, const char *who, weir_time now)
{
    const struct weir_database_decision decision = {
        .list = name, .ends = entry->ends, .defer = entry->defer, .points = entry->points,
        .reason = entry->reason};
    char detail[WEIR_DATABASE_TEXT_MAX + 1], prefix[WEIR_PREFIX_TEXT];
    struct weir_line line = weir_line(detail, sizeof detail);
    int done = begin(responder, now);

    if (done < 0)
        return done;
    weir_line_text(&line, name);
    weir_line_text(&line, " ");
    weir_line_text(&line, weir_prefix_format(&entry->prefix, prefix));
    weir_line_text(&line, ": ");
    put_decided(&line, &decision);
    done = put_standing(responder, &line, &entry->prefix, name);
    done = done < 0 ? done
                    : weir_database_decisions_undo(responder->options.database, &entry->prefix,
                                                   name, who, now, &responder->generation);
    done = done < 0 ? done : weir_responder_list(responder, name, entry, who, 0);
    if (done == 0)
        done = weir_responder_audit(responder, who, "decide", weir_line_end(&line));
    return end(responder, done);
}

static int rebase_stored(struct weir_responder *responder, weir_time now)
{
    int done = begin(responder, now);

    if (done < 0)
        return done;
    return end(responder, weir_database_rebase(responder->options.database, now,
                                               &responder->generation));
}

int weir_responder_rebase(struct weir_responder *responder, weir_time now, bool stored)
{
    int moved = stored ? rebase_stored(responder, now) : 0;

    pthread_mutex_lock(&responder->lock);
    responder->clock = now;
    for (unsigned i = 0; i < sizeof responder->alone.of / sizeof responder->alone.of[0]; i++)
        weir_allowance_rebase(&responder->alone.of[i], now);
    pthread_mutex_unlock(&responder->lock);
    weir_ladder_rebase(responder->ladder, now);
    return moved;
}
