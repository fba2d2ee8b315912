/*
 * Whoever reads the file can speak for this server; as ssh with a private key, one that is open to
 * all is not used.
 */
#include "monitor/agent/identity_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/engine/secret_io.h"

static bool is_open_to_all(const char *path, const struct weir_log *log)
{
    unsigned mode;

    if (!weir_secret_is_open(path, &mode))
        return false;
    weir_log(log, WEIR_LOG_ERROR, "%s: its mode is %04o: everybody may use it, and "
             "whoever has read it can speak for this server; chmod 0640 or 0600, and if that was "
             "so for long, revoke the server and add it again", path, mode);
    return true;
}

int weir_identity_file(const char *path, const struct weir_log *log,
                       struct weir_identity *identity_r)
{
    char text[WEIR_IDENTITY_FILE_MAX + 1], place[16] = "";
    const char *why = NULL;
    unsigned line = 0;
    size_t len;
    int done;

    if (is_open_to_all(path, log))
        return WEIR_EINVAL;
    done = weir_secret_read(path, text, sizeof text, &len);
    if (done < 0)
        why = done == WEIR_EIO ? strerror(errno) : "too long to be an identity";
    else
        done = weir_identity_read((struct weir_slice){text, len}, identity_r, &why, &line);
    sodium_memzero(text, sizeof text);
    if (done == 0)
        return 0;
    if (line > 0)
        snprintf(place, sizeof place, ":%u", line);
    weir_log(log, WEIR_LOG_ERROR, "%s%s: %s", path, place, why);
    return WEIR_EINVAL;
}
