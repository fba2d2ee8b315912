/*
 * settings_impl - what the parts of settings share; not for others.
 *
 *     settings.c          lines, sections, names: the file's structure
 *     settings_value.c    one value of each kind
 *     settings_number.c   numbers with units
 *     settings_suggest.c  "did you mean"
 *     settings_manual.c   sample file and man page
 *     settings_io.c       fetching the file
 */
#ifndef WEIR_BASE_SETTINGS_IMPL_H
#define WEIR_BASE_SETTINGS_IMPL_H

#include <stdint.h>

#include "core/base/settings.h"

#define WEIR_SETTING_NUMBER 40 /* room for any number with its unit */

/* Parses text (one line, as joined from the file's) and writes the row's field.
 * 0; WEIR_EINVAL and *why_r (in the arena, "... is not ..."); WEIR_ENOMEM. */
int weir_setting_parse(const struct weir_setting *row, const char *text,
                       struct weir_arena *arena, void *values, const char **why_r);

/* Reads COUNT, SIZE, PERIOD, BITS.  0; WEIR_EINVAL for a wrong form; WEIR_ELIMIT
 * for a number that does not fit. */
int weir_setting_read_whole(enum weir_setting_kind kind, const char *text, int64_t *whole_r);

/* Reads NUMBER, RATE; errors as above. */
int weir_setting_read_fraction(enum weir_setting_kind kind, const char *text, double *number_r);

/* Write what the two above read again as the same number. */
void weir_setting_show_whole(enum weir_setting_kind kind, int64_t whole,
                             char buffer[static WEIR_SETTING_NUMBER]);
void weir_setting_show_fraction(enum weir_setting_kind kind, double number,
                                char buffer[static WEIR_SETTING_NUMBER]);

/* True when the row's numbers have bounds. */
bool weir_setting_bounded(const struct weir_setting *row);

/* Writes one of the row's bounds as in the file, "30d"; returns buffer. */
const char *weir_setting_bound(const struct weir_setting *row, double bound,
                               char buffer[static WEIR_SETTING_NUMBER]);

/* The length of the name when text begins like a setting, "name =" with a blank
 * between, or 0.  No indented line may begin so; "name=value" may, since lists
 * of such items are common. */
size_t weir_setting_name_span(const char *text);

/* The octets of text before an inline comment: a ';' in front or behind a
 * blank.  Blanks at the end are not counted. */
size_t weir_setting_value_span(const char *text);

/* True when known is so near to given that it may have been meant, and nearer
 * than *nearest, which then is lowered; start with UINT_MAX. */
bool weir_setting_nearer(const char *given, const char *known, unsigned *nearest);

/* Tells the report, if there is one. */
void weir_settings_problem(const struct weir_settings_report *report, const char *file,
                           unsigned line, const char *reason);

#endif
