/*
 * ctl_input - a buffer over read(2) that is parted at line ends.
 *
 * Owns the descriptor and the buffer, which has room for the longest line.
 * Refuses longer lines: they are read to their end and thrown away.
 */
#include "monitor/ctl/ctl_input_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_output.h"

#define READ_AT_ONCE 65536

struct weir_ctl_input {
    int fd;
    const char *name;
    size_t line_most;
    unsigned long number;
    uint64_t done, total;
    char *buffer;
    size_t room, from, to; /* what is read and not yet given lies in from..to */
    bool ended;
};

bool weir_ctl_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

int weir_ctl_input_check(struct weir_ctl *ctl, const char *path)
{
    struct stat is;
    if (strcmp(path, "-") == 0)
        return 0;
    int rc = stat(path, &is) != 0 ? errno : S_ISDIR(is.st_mode) ? EISDIR : 0;
    if (rc == 0 && access(path, R_OK) != 0)
        rc = errno;
    return rc == 0 ? 0 : weir_ctl_error(ctl, EX_NOINPUT, "%s: %s", path, strerror(rc));
}

void weir_ctl_error_at(struct weir_ctl *ctl, const struct weir_ctl_input *input, const char *why)
{
    if (ctl->bar)
        fputs("\r\033[K", stderr);
    ctl->bar = false;
    fprintf(stderr, "%s:%lu: %s\n", input->name, input->number, why);
}

static bool prepare(struct weir_ctl_input *input, const char *path, size_t line_most)
{
    struct stat is;
    bool standard = strcmp(path, "-") == 0;
    input->name = standard ? "stdin" : path;
    input->line_most = line_most;
    input->room = line_most + 1 + READ_AT_ONCE;
    input->buffer = malloc(input->room);
    input->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (input->buffer == NULL || input->fd < 0 || fstat(input->fd, &is) != 0)
        return false;
    if (S_ISDIR(is.st_mode)) {
        errno = EISDIR;
        return false;
    }
    if (S_ISREG(is.st_mode))
        input->total = (uint64_t)is.st_size;
    return true;
}

int weir_ctl_input_open(struct weir_ctl *ctl, const char *path, size_t line_most,
                        struct weir_ctl_input **input_r)
{
    struct weir_ctl_input *input = calloc(1, sizeof *input);
    if (input == NULL)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    if (!prepare(input, path, line_most)) {
        int code = weir_ctl_error(ctl, EX_NOINPUT, "%s: %s", path, strerror(errno));
        weir_ctl_input_free(&input);
        return code;
    }
    *input_r = input;
    return 0;
}

void weir_ctl_input_free(struct weir_ctl_input **inputp)
{
    struct weir_ctl_input *input = *inputp;
    if (input == NULL)
        return;
    *inputp = NULL;
    if (input->fd > STDERR_FILENO)
        close(input->fd);
    free(input->buffer);
    free(input);
}

/* Reads more behind what is there.  1, 0 at the end, or WEIR_EIO. */
static int fill(struct weir_ctl_input *input)
{
    memmove(input->buffer, input->buffer + input->from, input->to - input->from);
    input->to -= input->from;
    input->from = 0;
    ssize_t got;
    do {
        got = read(input->fd, input->buffer + input->to, input->room - input->to);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return WEIR_EIO;
    input->ended = got == 0;
    input->to += (size_t)got;
    input->done += (uint64_t)got;
    return got > 0;
}

/* The next line end in the buffer, reading more as long as a line may go on. */
static int find_end(struct weir_ctl_input *input, size_t *len_r)
{
    size_t looked = 0;
    for (;;) {
        const char *start = input->buffer + input->from;
        size_t there = input->to - input->from;
        const char *end = memchr(start + looked, '\n', there - looked);
        *len_r = end != NULL ? (size_t)(end - start) : there;
        if (*len_r > input->line_most)
            return WEIR_ELIMIT;
        if (end != NULL || input->ended)
            return end != NULL || there > 0;
        looked = there;
        int rc = fill(input);
        if (rc < 0)
            return rc;
    }
}

/* Throws away the rest of a line that is too long. */
static int skip(struct weir_ctl_input *input)
{
    for (;;) {
        char *start = input->buffer + input->from;
        char *end = memchr(start, '\n', input->to - input->from);
        input->from = end != NULL ? (size_t)(end + 1 - input->buffer) : input->to;
        if (end != NULL || input->ended)
            return WEIR_ELIMIT;
        int rc = fill(input);
        if (rc < 0)
            return rc;
    }
}

int weir_ctl_input_line(struct weir_ctl_input *input, struct weir_slice *line_r)
{
    size_t len;
    int rc = find_end(input, &len);
    input->number++;
    if (rc == WEIR_ELIMIT)
        return skip(input);
    if (rc <= 0)
        return rc;
    *line_r = (struct weir_slice){input->buffer + input->from, len};
    input->from += len;
    input->from += input->from < input->to; /* the LF */
    return 1;
}

bool weir_ctl_input_ready(const struct weir_ctl_input *input)
{
    return memchr(input->buffer + input->from, '\n', input->to - input->from) != NULL;
}

unsigned long weir_ctl_input_number(const struct weir_ctl_input *input)
{
    return input->number;
}

const char *weir_ctl_input_name(const struct weir_ctl_input *input)
{
    return input->name;
}

uint64_t weir_ctl_input_done(const struct weir_ctl_input *input)
{
    return input->done - (input->to - input->from);
}

uint64_t weir_ctl_input_total(const struct weir_ctl_input *input)
{
    return input->total;
}
