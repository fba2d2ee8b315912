/*
 * view_traffic - sums of addresses and minutes, as JSON.
 */
#include "monitor/view/view_traffic.h"

json_t *weir_view_sums(json_t *json, const uint64_t sum[static WEIR_TRAFFIC_QUANTITIES])
{
    for (unsigned q = 0; json && q < WEIR_TRAFFIC_QUANTITIES; q++)
        json_object_set_new(json, weir_traffic_quantity_name(q), json_integer((json_int_t)sum[q]));
    return json;
}

json_t *weir_view_address(const struct weir_address_row *row, const char *name)
{
    return weir_view_sums(json_pack("{s:s}", "address", name), row->sum);
}

json_t *weir_view_minute(const struct weir_minute_row *row)
{
    return weir_view_sums(json_pack("{s:o}", "time", weir_view_time(row->minute * WEIR_MINUTE)),
                          row->sum);
}
