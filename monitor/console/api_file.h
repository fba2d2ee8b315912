/*
 * api_file - a list of the API as a file, CSV or JSON: all of it, page after page of what the route
 * answers anyway, so that little of it is in memory as JSON at a time.
 *
 * Owner:    the caller frees the text.  Threads: as api.h.
 * Limits:   WEIR_API_FILE_ROWS rows, or as many as are in WEIR_API_FILE_OCTETS: what is cut says
 *           so (CSV: in its last line; JSON: "cut": true), and `more` is the cursor of what
 *           follows ("" where there is none).  Where not all was looked at that was asked for,
 *           looked_to says how far back it was, and the file as well (CSV: in a last line; JSON:
 *           "looked_to").
 * Errors:   as api.h has them: false, and the question is refused.
 */
#ifndef WEIR_CONSOLE_API_FILE_H
#define WEIR_CONSOLE_API_FILE_H

#include "monitor/console/api.h"

#define WEIR_API_FILE_ROWS 100000
#define WEIR_API_FILE_OCTETS (32u << 20)
#define WEIR_API_FILE_PAGE 5000 /* rows that are read at once */

struct weir_api_file {
    char *text;
    bool csv;
    bool cut;
    char more[32];
    char looked_to[WEIR_TIME_TEXT]; /* "": all of it */
};

/* Whether a file is asked for: format=... */
bool weir_api_file_wanted(const struct weir_api_question *question);

bool weir_api_file(struct weir_api_question *question, struct weir_api_file *file_r);

#endif
