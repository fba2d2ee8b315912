/*
 * alert_text - alerts as people and programs read them: a sentence, a mail, a JSON object.
 *
 * Whatever came from outside or an analyst is made visible ASCII on the way, so that it cannot
 * forge a header or a line.
 *
 * Owner:    the caller frees what is returned with free().  Threads: pure functions.
 * Errors:   NULL: memory is short, or it is not an address.
 * Limits:   WEIR_ALERT_LINE_ROOM octets of a sentence with its NUL; longer ones are cut.  A line
 *           of a mail stays below the 998 octets of RFC 5322, 2.1.1.
 */
#ifndef WEIR_THRESHOLD_ALERT_TEXT_H
#define WEIR_THRESHOLD_ALERT_TEXT_H

#include "core/base/cursor.h"
#include "monitor/threshold/alert.h"

struct weir_template;

#define WEIR_ALERT_LINE_ROOM 960

/* "203.0.113.7: 12.3 connections a second, allowed 50 at once and 1 a second (default); seen by
 * mx1, mx2; response: reject until 2026-11-21T18:13:00Z; to undo it: weirctl unblock 203.0.113.7;
 * see https://weir.example.org/#/alerts/17"; console: alert_link.h; returns buffer. */
const char *weir_alert_sentence(const struct weir_alert *alert, const char *console,
                                char buffer[static WEIR_ALERT_LINE_ROOM]);

/* A whole group in one line: "30 alerts from 2026-11-21T18:13:00Z to 2026-11-21T18:14:00Z: reject
 * 30; 198.51.0.9, 198.51.1.9, 198.51.2.9, 198.51.3.9, 198.51.4.9 and 25 more"; returns buffer. */
const char *weir_alert_summary(const struct weir_alert_group *group,
                               char buffer[static WEIR_ALERT_LINE_ROOM]);

/* The command that takes it back; "" where nothing was done.  Returns buffer. */
#define WEIR_ALERT_UNDO_ROOM (WEIR_PREFIX_TEXT + 24)
const char *weir_alert_undo(const struct weir_alert *alert,
                            char buffer[static WEIR_ALERT_UNDO_ROOM]);

/* Who writes, to whom, and when. */
struct weir_alert_letter {
    const char *host;            /* of the monitor: letters, digits, '.', '-' */
    const char *to;              /* as in the field To */
    const char *console;         /* alert_link.h; "" where there is none */
    const struct weir_template *template; /* in its words (template.h); NULL: in ours */
    weir_time now;
    uint64_t number;             /* of the message, for its Message-ID */
};

/* A whole message of RFC 5322, with line ends as sendmail(8) wants them: \n. */
char *weir_alert_mail(const struct weir_alert_group *group,
                      const struct weir_alert_letter *letter);

/* {"program", "host", "text", "count", "more", "first", "last", "responses": {name: count},
 *  "alerts": [{"time", "address", "quantity", "rate", "limit": {"rate", "maximum"},
 *              "class", "servers": [name], "response", "wanted", "withheld", "ends", "undo",
 *              "event", "link", "again"}], "link"} */
char *weir_alert_json(const struct weir_alert_group *group,
                      const struct weir_alert_letter *letter);

/* Whether sendmail may be given text as a recipient: no option, nothing that quotes. */
bool weir_alert_recipient_fit(struct weir_slice text);

#endif
