/*
 * ctl_output - what weirctl prints: JSON, counts and times for people, a
 * progress bar.
 *
 * Errors:   what cannot be written is noticed once, at the end, by
 *           weir_ctl_end().
 */
#ifndef WEIR_CTL_OUTPUT_H
#define WEIR_CTL_OUTPUT_H

#include <jansson.h>

#include "monitor/ctl/ctl.h"
#include "monitor/view/view.h"

/* Prints a value, indented and with a line end, and forgets it (it may be NULL
 * when memory was short).  0 or EX_OSERR. */
int weir_ctl_json(struct weir_ctl *ctl, json_t *value);

/* As the console has them, too (monitor/view/view.h). */
static inline json_t *weir_ctl_json_number(double number)
{
    return weir_view_number(number);
}

static inline json_t *weir_ctl_json_text(const char *text, size_t len)
{
    return weir_view_octets(text, len);
}

static inline json_t *weir_ctl_json_time(weir_time time)
{
    return weir_view_time(time);
}

/* An entry of a list, as object. */
json_t *weir_ctl_json_entry(enum weir_list list, const struct weir_list_entry *entry,
                            weir_time now);

/* "blacklist", "acceptable list", ...: a list in a sentence. */
const char *weir_ctl_list_words(enum weir_list list);

#define WEIR_CTL_TEXT 320

/* The prefix or domain of an entry; returns buffer. */
const char *weir_ctl_what(const struct weir_list_entry *entry, char buffer[static WEIR_CTL_TEXT]);

/* "until 2026-11-22T10:00:00Z", "ended 2026-...", "for ever"; returns buffer. */
const char *weir_ctl_ends(const struct weir_list_entry *entry, weir_time now,
                          char buffer[static WEIR_CTL_TEXT]);

/* "12.3 MB"; returns buffer. */
const char *weir_ctl_bytes(uint64_t bytes, char buffer[static WEIR_CTL_TEXT]);

/* Whether the standard error is a terminal (ctl_input_io.c). */
bool weir_ctl_terminal(void);

/* Long work, shown on standard error when that is a terminal. */
struct weir_ctl_progress {
    struct weir_ctl *ctl;
    const char *steps_are;
    weir_time started, shown;
    bool terminal;
    uint64_t steps;
};

/* steps_are: what it goes through, "lines", "messages". */
struct weir_ctl_progress weir_ctl_progress(struct weir_ctl *ctl, const char *steps_are);

/* One step done; of total units of work done are behind us (total 0: unknown). */
void weir_ctl_progress_step(struct weir_ctl_progress *progress, uint64_t done, uint64_t total);

/* Wipes the bar; returns the seconds it took. */
double weir_ctl_progress_end(struct weir_ctl_progress *progress);

/* Flushes the standard output: code, or EX_IOERR when it could not be written. */
int weir_ctl_end(struct weir_ctl *ctl, int code);

#endif
