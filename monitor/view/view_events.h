/*
 * view_events - events and decisions as JSON (view.h).
 */
#ifndef WEIR_VIEW_VIEW_EVENTS_H
#define WEIR_VIEW_VIEW_EVENTS_H

#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/view/view.h"

/* server: the name of the event's, or "". */
json_t *weir_view_event(const struct weir_event *event, const char *server);
json_t *weir_view_decision(const struct weir_database_decision *decision);

#endif
