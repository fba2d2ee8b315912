/* Any octets as a line of the spool: a report that is read is written and read as the same. */
#include <stdlib.h>

#include "core/base/slice.h"
#include "core/store/report_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_report_line report, again;
    char text[WEIR_SPOOL_LINE_MAX];
    struct weir_line line = weir_line(text, sizeof text);
    if (weir_report_line_read((struct weir_slice){(const char *)data, size}, &report) != 1)
        return 0;
    weir_report_line_write(&report, &line);
    must(!line.cut && weir_report_line_read(weir_slice_of(weir_line_end(&line)), &again) == 1);
    must(again.spam == report.spam && again.back == report.back);
    must(again.reporter == report.reporter && again.binding == report.binding);
    must(again.user.len <= WEIR_REPORT_USER_MAX && again.info.len <= WEIR_INFO_TEXT_MAX + 1);
    return 0;
}
