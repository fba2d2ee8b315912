/*
 * view - values of the database as JSON, for weirctl and the console alike: one row of a table is
 * one object, in the same words wherever it is read.
 *
 *     view_accounts.h   users, tokens        view_events.h    events, decisions
 *     view_traffic.h    addresses, minutes   view_servers.h   mail servers
 *     view_rules.h      changes, sets, messages, reports      view_policy.h   thresholds
 *     view_decision.h   why a message was decided so
 *
 * Owner:    the caller.  Threads: pure.  Errors: NULL when memory is short, which json_pack(),
 *           json_array_append_new() and json_object_set_new() take for what it is.
 */
#ifndef WEIR_VIEW_VIEW_H
#define WEIR_VIEW_VIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "core/base/clock.h"

/* A number; null when it is not finite. */
json_t *weir_view_number(double number);

/* Text that may hold anything: octets that are no UTF-8 become U+FFFD. */
json_t *weir_view_octets(const char *text, size_t len);
json_t *weir_view_text(const char *text);

/* The same; null for an empty one. */
json_t *weir_view_text_or_null(const char *text);

/* Points: as many digits as a float has. */
json_t *weir_view_points(float points);

/* RFC 3339; null for 0. */
json_t *weir_view_time(weir_time time);

/* A message's number as it is written: 16 hexadecimal digits; and read: false for all else, NULL,
 * too. */
json_t *weir_view_uid(uint64_t uid);
bool weir_view_uid_read(const char *text, uint64_t *uid_r);

#endif
