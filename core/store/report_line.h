/*
 * report_line - a line of the spool (spool_io.h) that tells what a person said about a message.
 *
 *     at=<time> report=<spam|ham> back=<yes|no> way=<itself|attached|arf> told=<option|from|nobody>
 *     state=<as the server found it> reporter=<16 hex digits> user=<text or -> binding=<16 hex>
 *     info=<v1;... or ->
 *
 * Nothing of the mail is in it but the signed string and the digest that binds it (its text comes
 * in lines of its own, part_line.h); the reader
 * verifies both itself and takes the state for the server's opinion.  user is for people; votes are
 * told apart by reporter, a keyed hash.
 *
 * Owner:    slices point into the line.  Threads: pure functions.
 * Limits:   WEIR_SPOOL_LINE_MAX; of user WEIR_REPORT_USER_MAX octets are written; a string
 *           that is too long is cut, and then malformed.
 */
#ifndef WEIR_STORE_REPORT_LINE_H
#define WEIR_STORE_REPORT_LINE_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/limits.h"
#include "core/base/line.h"

struct weir_report_line {
    weir_time at;            /* written; the reader goes by its own clock */
    bool spam, back;         /* back: what was said before is taken back */
    struct weir_slice way, told, state, user, info; /* empty where the line has "-" */
    uint64_t reporter, binding;
};

/* Appends the line, without a line end. */
void weir_report_line_write(const struct weir_report_line *report, struct weir_line *line);

/* 1, without the time; 0 for a line that is no such one. */
int weir_report_line_read(struct weir_slice text, struct weir_report_line *report_r);

#endif
