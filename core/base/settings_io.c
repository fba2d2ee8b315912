/*
 * Fetches the configuration file into memory of its own and gives it back
 * before returning.  Refuses to read beyond WEIR_CONFIG_FILE_MAX.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/settings_impl.h"

/* Reads at most size octets.  0, or WEIR_EIO with errno set. */
static int fetch(const char *path, char *bytes, size_t size, size_t *len_r)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return WEIR_EIO;
    *len_r = fread(bytes, 1, size, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    errno = error;
    return error != 0 ? WEIR_EIO : 0;
}

int weir_settings_read(const struct weir_settings *settings, const char *path,
                       struct weir_arena *arena, const struct weir_settings_report *report,
                       void *values)
{
    size_t room = WEIR_CONFIG_FILE_MAX + 1; /* one more: the reader sees that it is too large */
    char *bytes = malloc(room);
    if (!bytes)
        return WEIR_ENOMEM;
    size_t len;
    int rc = fetch(path, bytes, room, &len);
    if (rc == 0) {
        rc = weir_settings_read_bytes(settings, path, bytes, len, arena, report, values);
    } else {
        char words[128];
        weir_settings_problem(report, path, 0, strerror_r(errno, words, sizeof(words)));
    }
    free(bytes);
    return rc;
}

static void print_problem(void *context, const char *file, unsigned line, const char *reason)
{
    (void)context;
    if (line > 0)
        fprintf(stderr, "%s:%u: %s\n", file, line, reason);
    else
        fprintf(stderr, "%s: %s\n", file, reason);
}

struct weir_settings_report weir_settings_report_stderr(void)
{
    return (struct weir_settings_report){print_problem, NULL};
}
