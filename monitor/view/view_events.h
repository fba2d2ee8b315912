/*
 * view_events - events and decisions as JSON (view.h).
 */
#ifndef WEIR_VIEW_VIEW_EVENTS_H
#define WEIR_VIEW_VIEW_EVENTS_H

#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/view/view.h"

/* The kinds of events there are, from 0 on: "threshold" (a limit was passed), "instance" (a second
 * agent of a server was refused); NULL: there are no more. */
const char *weir_event_kind(size_t number);

/* server: the name of the event's, or "". */
json_t *weir_view_event(const struct weir_event *event, const char *server);
json_t *weir_view_decision(const struct weir_database_decision *decision);

#endif
