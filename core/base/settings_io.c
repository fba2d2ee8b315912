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

enum { ROOM_FIRST = 16384 };

/* Reads what there is, but no more than one octet past the limit, by which the reader sees that
 * it is too large: 0 with bytes (malloc'ed), WEIR_ENOMEM, or WEIR_EIO with errno set.
 *
 * The memory grows with the file, and does not begin at the limit: glibc, when so much is given
 * back, no longer asks the system for pieces of that size, and clears what it has instead. */
static int fetch(const char *path, char **bytes_r, size_t *len_r)
{
    const size_t most = WEIR_CONFIG_FILE_MAX + 1;
    size_t room = ROOM_FIRST;
    char *bytes = NULL;
    FILE *file = fopen(path, "re");
    *bytes_r = NULL;
    *len_r = 0;
    if (!file)
        return WEIR_EIO;
    do {
        room = !bytes ? room : 2 * room < most ? 2 * room : most;
        bytes = realloc(*bytes_r, room);
        if (!bytes)
            break;
        *bytes_r = bytes;
        *len_r += fread(bytes + *len_r, 1, room - *len_r, file);
    } while (*len_r == room && room < most);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    errno = error;
    return !bytes ? WEIR_ENOMEM : error != 0 ? WEIR_EIO : 0;
}

int weir_settings_read(const struct weir_settings *settings, const char *path,
                       struct weir_arena *arena, const struct weir_settings_report *report,
                       void *values)
{
    char *bytes;
    size_t len;
    int rc = fetch(path, &bytes, &len);
    if (rc == 0) {
        rc = weir_settings_read_bytes(settings, path, bytes, len, arena, report, values);
    } else if (rc == WEIR_EIO) {
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
