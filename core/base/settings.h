/*
 * settings - a configuration file read against one typed table.
 *
 * The file is INI (libinih): [section], key = value, # and ; comments, a value
 * goes on in indented lines.  Each setting is one row of a table: the parser,
 * --help, `weirctl config`, the commented sample file and the man page are all
 * made from it, so they cannot disagree.
 *
 * Values by kind, and the field they are written to:
 *     TEXT     const char *        as written
 *     CHOICE   int                 index in choices, "a|b|c"
 *     YESNO    bool                yes no true false on off 1 0
 *     COUNT    int64_t             digits, or with k M G (powers of 1000)
 *     SIZE     int64_t octets      digits with k M G (powers of 1024)
 *     NUMBER   double              decimal, or 12 % as 0.12
 *     PERIOD   weir_time           500us 500ms 10s 15m 4h 30d 2w; a bare 0 is allowed
 *     RATE     double per second   10/s 2.5/min 500/h 1000/d
 *     BITS     int64_t             a prefix length, /24 or 24
 *     LIST     struct weir_strings items parted by commas or white space
 *
 * What a file may look like:
 *     - '#' or ';' begins a comment line; " ;" (a blank before it) begins a
 *       comment behind a value, so that no value can hold it.
 *     - A value goes on in indented lines, each joined by one blank; comment
 *       lines may stand between, an empty line ends it.
 *     - There are no quotes and no escapes: a value is what it looks like.
 *     - UTF-8 or any other superset of ASCII, LF or CR LF.
 * An indented line that reads "known_name = ..." is an error and not a part of
 * the value above.
 *
 * Errors:   every problem is reported as "file:line: reason" (unknown keys
 *           with the nearest known one); reading goes on to find them all, up
 *           to WEIR_CONFIG_PROBLEMS_MAX.  For a value, line is its first.
 * Owner:    texts and lists live in the arena.
 * Limits:   WEIR_CONFIG_LINE_MAX, WEIR_CONFIG_FILE_MAX, WEIR_CONFIG_VALUE_MAX,
 *           WEIR_LIST_ITEMS_MAX (limits.h); sections and names up to 48 octets.
 */
#ifndef WEIR_BASE_SETTINGS_H
#define WEIR_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/base/arena.h"

enum weir_setting_kind {
    WEIR_TEXT,
    WEIR_CHOICE,
    WEIR_YESNO,
    WEIR_COUNT,
    WEIR_SIZE,
    WEIR_NUMBER,
    WEIR_PERIOD,
    WEIR_RATE,
    WEIR_BITS,
    WEIR_LIST,
};

struct weir_strings {
    const char *const *item;
    size_t count;
};

struct weir_setting {
    const char *section, *name;
    enum weir_setting_kind kind;
    const char *fallback; /* the default, as one would write it in the file */
    double least, most;   /* for numbers, in the field's unit; 0, 0 = unbounded */
    const char *choices;  /* for CHOICE: "observe|enforce"; else NULL */
    size_t offset;        /* of the field in the values struct */
    const char *sentence; /* what it does, for people */
    /* Of a TEXT, or of each item of a LIST: 0, or WEIR_EINVAL and a reason.  NULL:
     * any text will do. */
    int (*check)(const char *text, const char **why_r);
};

struct weir_settings {
    const struct weir_setting *row;
    size_t count;
};

/* Where problems go: line is 0 when the trouble is with the whole file.  The
 * reason lives only as long as the call.  Either pointer may be NULL: silence. */
struct weir_settings_report {
    void (*problem)(void *context, const char *file, unsigned line, const char *reason);
    void *context;
};

/* A report that prints "file:line: reason" to standard error (settings_io.c). */
struct weir_settings_report weir_settings_report_stderr(void);

/* Sets every field of values to its default.  0, WEIR_ENOMEM, or WEIR_EBUG
 * when a row's own default does not parse or could not stand in a file. */
int weir_settings_default(const struct weir_settings *settings, struct weir_arena *arena,
                          void *values);

/* Sets defaults, then reads the file at path over them.  0; WEIR_EIO when the
 * file cannot be read (reported); WEIR_EINVAL when anything in it is wrong (all
 * reported), values then being half set and not to be used. */
int weir_settings_read(const struct weir_settings *settings, const char *path,
                       struct weir_arena *arena, const struct weir_settings_report *report,
                       void *values);

/* The same from len octets in memory; name stands for the file in reports. */
int weir_settings_read_bytes(const struct weir_settings *settings, const char *name,
                             const char *bytes, size_t len, struct weir_arena *arena,
                             const struct weir_settings_report *report, void *values);

/* Writes a field as one would write it behind "name = " in the file (in the
 * arena; NULL when memory is short): used for `weirctl config`.  Reading it
 * again gives the same value.  Long texts and lists go on in indented lines. */
const char *weir_setting_show(const struct weir_setting *row, const void *values,
                              struct weir_arena *arena);

/* Prints all rows as a commented sample file, every default commented out. */
void weir_settings_sample(const struct weir_settings *settings, FILE *out);

/* Prints all rows as man page source (.TP paragraphs by section). */
void weir_settings_manual(const struct weir_settings *settings, FILE *out);

#endif
