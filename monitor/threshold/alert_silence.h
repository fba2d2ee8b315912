/*
 * alert_silence - whether somebody said that for now nobody is to be told of an alert.
 *
 *     silences that stand (database) -> weir_alert_silence_find(what an alert is about) -> one
 *
 * A silence holds for what all that it names fits: an alert of an address or network that lies in
 * its prefix, of its threshold, of its kind, seen by its server and no other.
 *
 * Owner:    the caller; weir_alert_silences_read() puts another set in the place of the one there.
 *           All zero is an empty one.
 * Threads:  any number may look, while nobody reads.
 * Errors:   WEIR_ENOMEM, or the database's; the set stays then.
 * Limits:   WEIR_SILENCES_MAX.
 */
#ifndef WEIR_THRESHOLD_ALERT_SILENCE_H
#define WEIR_THRESHOLD_ALERT_SILENCE_H

#include "monitor/database/database_events_io.h"
#include "monitor/database/database_silences_io.h"

struct weir_alert_silences {
    struct weir_silenced *silence;
    size_t count;
};

/* What an alert is about. */
struct weir_alert_about {
    const struct weir_prefix *prefix; /* or NULL */
    const char *threshold, *kind;
    const char *servers;          /* their names with ", " between */
};

/* Those that stand now. */
int weir_alert_silences_read(struct weir_database *database, weir_time now,
                             struct weir_alert_silences *silences);
void weir_alert_silences_free(struct weir_alert_silences *silences);

/* The one that holds for it now, and of several the one that ends last; NULL: none. */
const struct weir_silenced *weir_alert_silence_find(const struct weir_alert_silences *silences,
                                                    const struct weir_alert_about *about,
                                                    weir_time now);

/* The same of an event; servers: their names, as above. */
const struct weir_silenced *weir_alert_silence_event(const struct weir_alert_silences *silences,
                                                     const struct weir_event *event,
                                                     const char *servers, weir_time now);

#endif
