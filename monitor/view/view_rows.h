/*
 * view_rows - rows of JSON objects as CSV (RFC 4180), for download.
 *
 * The head has all names that occur, in the order in which they come; what is no text, number or
 * truth stands there as JSON.  A cell that a spreadsheet would take for a formula has a ' before
 * it, unless it is a number.
 *
 * Owner:    the caller frees the text.  Threads: pure.  Errors: NULL when memory is short.
 */
#ifndef WEIR_VIEW_VIEW_ROWS_H
#define WEIR_VIEW_VIEW_ROWS_H

#include <jansson.h>

char *weir_view_csv(const json_t *rows);

#endif
