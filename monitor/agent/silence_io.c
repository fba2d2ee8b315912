/*
 * A file that is there or not; what stands in it is for whoever looks.
 */
#include "monitor/agent/silence_io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/replace_io.h"

struct weir_silence weir_silence_begin(const char *path)
{
    return (struct weir_silence){.ever = access(path, F_OK) == 0};
}

static void remember(const char *path, const struct weir_log *log)
{
    struct weir_replacement file;
    int done = weir_replace_begin(path, 0640, &file);

    if (done == 0)
        done = weir_replace_end(&file, fputs("This server has a sniffer: its silence is told.  "
                                             "Remove this file when it has none any more.\n",
                                             file.file) >= 0);
    if (done < 0)
        weir_log(log, WEIR_LOG_WARNING, "%s cannot be written: %s", path, strerror(errno));
}

bool weir_silence_listen(struct weir_silence *silence, bool wrote, weir_time steady,
                         const char *path, const struct weir_log *log)
{
    weir_time lasted = 0;
    bool ever = silence->ever;
    enum weir_silence_news news = weir_silence_look(silence, wrote, steady, &lasted);

    if (!ever && silence->ever)
        remember(path, log);
    if (news == WEIR_SILENCE_BEGAN)
        weir_log(log, WEIR_LOG_WARNING, "the sniffer writes nothing: who comes now is counted late "
                 "or never");
    else if (news == WEIR_SILENCE_ENDED)
        weir_log(log, WEIR_LOG_INFO, "the sniffer writes again, after %" PRId64 " s",
                 lasted / WEIR_SECOND);
    return news != WEIR_SILENCE_AS_IT_WAS;
}
