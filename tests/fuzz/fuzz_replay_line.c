/* Any bytes as a line of a replayed log: what is taken lies inside the line, within
 * its limits, and is read the same way again. */
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "monitor/ctl/replay_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
    if (!true_)
        abort();
}

static void inside(const char *text, size_t size, struct weir_slice slice)
{
    must(slice.at >= text && slice.len <= size && slice.at + slice.len <= text + size);
    must(memchr(slice.at, '\0', slice.len) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *why = NULL;
    struct weir_replay_line line, again;
    if (weir_replay_line_parse(text, size, &line, &why) != 0) {
        must(why != NULL);
        return 0;
    }
    must(size <= WEIR_REPLAY_LINE_MAX + 2 && line.time >= 0);
    inside(text, size, line.address_text);
    inside(text, size, line.domain_text);
    inside(text, size, line.domain);
    inside(text, size, line.verdict_text);
    must(weir_replay_line_parse(text, size, &again, &why) == 0 && again.time == line.time &&
         weir_address_equal(&again.address, &line.address) &&
         again.authenticated == line.authenticated);
    return 0;
}
