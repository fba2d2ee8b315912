/*
 * view_events - what was noticed, and what was done, as JSON.
 */
#include "monitor/view/view_events.h"

json_t *weir_view_event(const struct weir_event *event, const char *server)
{
    char prefix[WEIR_PREFIX_TEXT] = "";

    if (event->has_prefix)
        weir_prefix_format(&event->prefix, prefix);
    return json_pack(
        "{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o,"
        " s:o, s:I, s:o, s:o}",
        "number",
        (json_int_t)event->number, "kind", event->kind, "raised", weir_view_time(event->raised),
        "cleared", weir_view_time(event->cleared), "prefix",
        event->has_prefix ? json_string(prefix) : json_null(), "server",
        event->server ? json_string(server) : json_null(), "quantity",
        event->quantity[0] ? json_string(event->quantity) : json_null(), "threshold",
        event->class_name, "observed", event->observed, "limit_rate",
        weir_view_number(event->limit_rate), "limit_most", weir_view_number(event->limit_maximum),
        "rate", weir_view_number(event->rate), "children", (json_int_t)event->children, "text",
        weir_view_text(event->text), "acknowledged", weir_view_time(event->acknowledged),
        "acknowledged_by", event->acknowledged ? weir_view_text(event->acknowledged_by)
                                               : json_null(),
        "note", event->acknowledged ? weir_view_text(event->note) : json_null(), "told",
        weir_view_time(event->told), "told_again", (json_int_t)event->told_again, "silence",
        event->silence ? json_integer((json_int_t)event->silence) : json_null(), "silenced_until",
        event->silence ? weir_view_time(event->silenced) : json_null());
}

json_t *weir_view_decision(const struct weir_database_decision *decision)
{
    char prefix[WEIR_PREFIX_TEXT];

    return json_pack("{s:I, s:s, s:s, s:o, s:o, s:b, s:f, s:o, s:o, s:o, s:o}", "number",
                     (json_int_t)decision->number, "list", decision->list, "prefix",
                     weir_prefix_format(&decision->prefix, prefix), "made",
                     weir_view_time(decision->made), "ends", weir_view_time(decision->ends),
                     "defer", decision->defer, "points", decision->points, "reason",
                     weir_view_text(decision->reason), "by", weir_view_text(decision->origin),
                     "undone", weir_view_time(decision->undone), "undone_by",
                     decision->undone ? weir_view_text(decision->undone_by) : json_null());
}
