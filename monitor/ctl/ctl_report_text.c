/*
 * The reported message itself on its way to the monitor, in parts, behind the line that reports it.
 * It is for people and for drafts only: a part that the spool has no room for costs nobody his
 * report, and neither does memory that is short.
 */
#include "monitor/ctl/ctl_report.h"

#include "core/base/error.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/analyzer/texts_io.h"

void weir_ctl_report_text(struct weir_ctl_report *report, const struct weir_message *message,
                          struct weir_slice string, uint64_t binding, struct weir_arena *arena,
                          struct weir_ctl_report_item *item)
{
    struct weir_reported_text told = {.spam = item->spam, .reporter = item->reporter,
                                      .binding = binding, .info = string};
    bool proven = item->has_info && item->state == WEIR_INFO_VALID;
    struct weir_part_whole whole = {.at = weir_ctl_now(), .kind = WEIR_TEXTS_KIND,
                                    .uid = proven ? item->info.uid : binding};
    size_t most = (size_t)report->ctl->config.reports_text;
    struct weir_slice text;
    int rc;

    if (!report->spool || report->back || most == 0 || message->whole.len == 0)
        return;
    rc = weir_reported_text_cut(message, most, arena, &text, &told.cut);
    rc = rc < 0 ? rc : weir_reported_text_pack(&told, text, arena, &whole.octets);
    if (rc < 0)
        return;
    whole.sum = weir_part_sum(whole.octets);
    item->text = weir_spool_write_parts(report->spool, &whole) == 0 ? text.len : 0;
}
