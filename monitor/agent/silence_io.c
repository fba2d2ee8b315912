/*
 * A file that is there or not; what stands in it is for whoever looks.
 */
#include "monitor/agent/silence_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/replace_io.h"

struct weir_silence weir_silence_begin(const char *path)
{
    return (struct weir_silence){.ever = access(path, F_OK) == 0};
}

void weir_silence_remember(const char *path, const struct weir_log *log)
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
