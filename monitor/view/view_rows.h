/*
 * view_rows - rows of JSON objects as CSV (RFC 4180), for download.
 *
 * What is no text, number or truth stands there as JSON.  A cell that a spreadsheet would take for
 * a formula has a ' before it, unless it is a number.
 *
 * Owner:    nothing.  Threads: pure.  Errors: the file's own (ferror).
 */
#ifndef WEIR_VIEW_VIEW_ROWS_H
#define WEIR_VIEW_VIEW_ROWS_H

#include <jansson.h>
#include <stdio.h>

/* The head: the names of an object's members, in their order. */
void weir_view_csv_head(FILE *out, const json_t *names);

/* A row's members of these names; what it has not is empty. */
void weir_view_csv_row(FILE *out, const json_t *names, const json_t *row);

#endif
