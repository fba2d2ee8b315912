/* Any octets as what an agent brings: each line is counted once, and what is read keeps its
 * limits; and as what it says of itself. */
#include <stdlib.h>

#include "core/base/slice.h"
#include "monitor/agent/identity.h"
#include "monitor/intake/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW (INT64_C(1795312463) * WEIR_SECOND)

static void must(bool holds)
{
    if (!holds)
        abort();
}

static size_t lines_of(struct weir_slice octets)
{
    size_t lines = 0;

    for (size_t i = 0; i < octets.len; i++)
        lines += octets.at[i] == '\n' || i + 1 == octets.len;
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_slice octets = {(const char *)data, size};
    struct weir_bare bare = {.of = {{.minute = 0}}};
    struct weir_lines lines;

    must(weir_lines_read(octets, NOW - WEIR_LINES_BEHIND, NOW, &lines) == 0);
    must(lines.lines == lines_of(octets) && lines.ahead <= lines.count);
    must(lines.count + lines.decisions + lines.bad + lines.old <= lines.lines);
    must(lines.last <= NOW + WEIR_LINES_AHEAD);
    for (size_t i = 0; i < lines.decisions; i++)
        must(lines.decision[i].at >= octets.at &&
             lines.decision[i].at + lines.decision[i].len <= octets.at + octets.len);
    weir_lines_lump(&lines, &bare);
    for (size_t i = 0; i < lines.count; i++)
        must(lines.traffic[i].time >= NOW - WEIR_LINES_BEHIND &&
             lines.traffic[i].time <= NOW + WEIR_LINES_AHEAD);
    weir_lines_clear(&lines);
    (void)(weir_server_name_fit(octets) + weir_instance_fit(octets) + weir_instances_fit(octets));
    return 0;
}
