/*
 * view_traffic - what addresses do, as JSON (view.h): quantities under the words of the spool's
 * lines.
 */
#ifndef WEIR_VIEW_VIEW_TRAFFIC_H
#define WEIR_VIEW_VIEW_TRAFFIC_H

#include "monitor/database/database_traffic_io.h"
#include "monitor/view/view.h"

/* Adds "connections", "syns", ... to an object (NULL: it stays so). */
json_t *weir_view_sums(json_t *json, const uint64_t sum[static WEIR_TRAFFIC_QUANTITIES]);

/* {"address", "connections", ...}: name as it is to be shown. */
json_t *weir_view_address(const struct weir_address_row *row, const char *name);

/* {"time", "connections", ...} */
json_t *weir_view_minute(const struct weir_minute_row *row);

#endif
