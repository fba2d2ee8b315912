/*
 * template_io - one octet more than a template may have is read, so that a longer one is refused.
 */
#include "monitor/threshold/template_io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

static ssize_t read_file(const char *path, char *octets, size_t room)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t len = 0, more = 1;

    if (file < 0)
        return -1;
    while (more > 0 && (size_t)len < room) {
        more = read(file, octets + len, room - (size_t)len);
        len += more > 0 ? more : 0;
    }
    close(file);
    return more < 0 ? -1 : len;
}

int weir_template_read(const char *path, enum weir_template_use use, const struct weir_log *log,
                       struct weir_template **template_r)
{
    char octets[WEIR_TEMPLATE_MAX + 1];
    struct weir_template_error error;
    ssize_t len;
    int done;

    *template_r = NULL;
    if (!path[0])
        return 0;
    len = read_file(path, octets, sizeof octets);
    if (len < 0) {
        weir_log(log, WEIR_LOG_ERROR, "%s: %s", path, strerror(errno));
        return WEIR_EIO;
    }
    done = weir_template_parse((struct weir_slice){octets, (size_t)len}, use, template_r, &error);
    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "%s:%u: %s", path, error.line, error.why);
    return done;
}
