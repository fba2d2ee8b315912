/*
 * view_trial - counts, and a row for each address or network.
 */
#include "monitor/view/view_trial.h"

#include <stdio.h>
#include <string.h>

const char *weir_view_caught_by(const struct weir_caught_row *row,
                                char text[static WEIR_VIEW_QUANTITIES])
{
    text[0] = '\0';
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        if (row->quantities >> q & 1) {
            size_t len = strlen(text);

            snprintf(text + len, WEIR_VIEW_QUANTITIES - len, "%s%s", len > 0 ? "," : "",
                     weir_quantity_name((enum weir_quantity)q));
        }
    return text;
}

static json_t *row_json(const struct weir_caught_row *row)
{
    bool accepted = weir_caught_mostly_accepted(row);
    char prefix[WEIR_PREFIX_TEXT], by[WEIR_VIEW_QUANTITIES];

    return json_pack("{s:s, s:b, s:i, s:i, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:b, s:b, s:b}",
                     "prefix", weir_prefix_format(&row->prefix, prefix), "certain", row->sure > 0,
                     "times_certain", (int)row->sure, "times_at_once", (int)row->perhaps, "by",
                     weir_view_caught_by(row, by), "first", weir_view_time(row->first), "last",
                     weir_view_time(row->last), "connections", (json_int_t)row->sum[0],
                     "messages", (json_int_t)row->sum[2], "accepted", (json_int_t)row->sum[3],
                     "recipients", (json_int_t)row->sum[4], "acceptable", row->spared,
                     "mostly_accepted", accepted, "good", row->spared || accepted);
}

json_t *weir_view_trial(const struct weir_trial *trial, const char *name, size_t most)
{
    const struct weir_trial_counts counts = weir_trial_count(trial);
    json_t *rows = json_array();

    for (size_t i = 0; i < trial->caught.count && i < most; i++)
        json_array_append_new(rows, row_json(&trial->caught.row[i]));
    return json_pack("{s:s, s:o, s:o, s:o, s:b, s:I, s:i, s:i, s:i, s:i, s:o}", "threshold", name,
                     "from", weir_view_time(trial->from * WEIR_MINUTE), "to",
                     weir_view_time((trial->to + 1) * WEIR_MINUTE), "data_from",
                     weir_view_time(trial->first * WEIR_MINUTE), "cut", trial->cut, "rows",
                     (json_int_t)trial->rows, "certain", (int)counts.certain, "perhaps",
                     (int)counts.perhaps, "good", (int)counts.good, "spared", (int)counts.spared,
                     "caught", rows);
}
