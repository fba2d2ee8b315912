/*
 * The spool's handle: one open file, and what is known of the folder's size.  Every failure ends
 * in a dropped line that is counted; nothing here waits for anybody, and nothing is
 * tried twice for one line.
 */
#include "core/store/spool_io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/spool_impl.h"

#define LOOK_AGAIN WEIR_SECOND /* at the folder's size */
#define NAME_MAX_LEN 64

struct weir_spool {
    struct weir_spool_options options; /* folder and name point to the two below */
    char folder[WEIR_SPOOL_PATH], name[NAME_MAX_LEN + 1], boot[WEIR_SPOOL_BOOT];
    const struct weir_log *log;
    struct weir_spool_file file;
    int claim;                         /* -1: none */
    uint64_t others;                   /* octets in other files, when last looked */
    weir_time looked, told;            /* told: when the log was last written to */
    uint64_t dropped, untold;          /* untold: not yet a line in the spool */
};

/* Who can write nothing there disturbs nobody, and is told so by each line that is dropped. */
static int claim(struct weir_spool *spool)
{
    spool->claim = weir_spool_claim(spool->folder, spool->name);
    if (spool->claim == WEIR_EBUSY)
        return WEIR_EBUSY;
    if (spool->claim < 0)
        weir_log(spool->log, WEIR_LOG_WARNING, "spool %s: whether another %s writes there cannot "
                 "be told: %s", spool->folder, spool->name, strerror(errno));
    return 0;
}

int weir_spool_open(const struct weir_spool_options *options, const struct weir_log *log,
                    struct weir_spool **spool_r)
{
    size_t folder = strlen(options->folder), name = strlen(options->name);
    if (name == 0 || name > NAME_MAX_LEN || strchr(options->name, '/') ||
        folder + name + 64 > WEIR_SPOOL_PATH)
        return WEIR_ELIMIT;
    struct weir_spool *spool = calloc(1, sizeof(*spool));
    if (!spool)
        return WEIR_ENOMEM;
    memcpy(spool->folder, options->folder, folder);
    memcpy(spool->name, options->name, name);
    spool->options = *options;
    spool->options.folder = spool->folder;
    spool->options.name = spool->name;
    spool->log = log;
    if (!options->boot)
        weir_spool_boot(spool->boot);
    else
        snprintf(spool->boot, sizeof(spool->boot), "%s", options->boot);
    spool->file.fd = spool->claim = -1;
    spool->told = INT64_MIN;
    int rc = options->alone ? claim(spool) : 0;
    if (rc < 0)
        weir_spool_free(&spool);
    else
        *spool_r = spool;
    return rc;
}

void weir_spool_free(struct weir_spool **spool)
{
    if (!*spool)
        return;
    if ((*spool)->untold > 0)
        weir_spool_dropped_leave((*spool)->folder, (*spool)->untold);
    if ((*spool)->file.fd >= 0 && (*spool)->options.leave && (*spool)->file.len > 0)
        close((*spool)->file.fd);
    else
        weir_spool_finish(&(*spool)->file);
    if ((*spool)->claim >= 0)
        close((*spool)->claim);
    free(*spool);
    *spool = NULL;
}

uint64_t weir_spool_dropped(const struct weir_spool *spool)
{
    return spool->dropped;
}

/* Counts a line that is lost, and tells so once a minute. */
static int drop(struct weir_spool *spool, weir_time now, int error)
{
    int reason = errno;
    spool->dropped++;
    spool->untold++;
    if (spool->told == INT64_MIN || now - spool->told >= WEIR_MINUTE || now < spool->told) {
        spool->told = now;
        weir_log(spool->log, WEIR_LOG_WARNING, "spool %s: lines are dropped (%" PRIu64
                 " so far): %s", spool->folder, spool->dropped,
                 error == WEIR_EFULL ? "it is full" : strerror(reason));
    }
    return error;
}

static bool is_over(const struct weir_spool *spool, weir_time now)
{
    weir_time age = now - spool->file.opened;
    return age >= spool->options.turn || age <= -spool->options.turn; /* the clock was set */
}

void weir_spool_turn(struct weir_spool *spool, weir_time now)
{
    if (spool->file.fd >= 0 && is_over(spool, now))
        weir_spool_finish(&spool->file);
}

static int look(struct weir_spool *spool, weir_time now)
{
    struct weir_spool_look look = {.folder = spool->folder, .boot = spool->boot, .now = now,
                                   .turn = spool->options.turn,
                                   .name = spool->file.fd < 0 ? spool->name : NULL,
                                   .own = spool->file.fd < 0 ? NULL : spool->file.path};
    struct weir_spool_seen seen;
    int rc = weir_spool_look(&look, &seen);
    if (rc < 0)
        return rc;
    spool->others = seen.bytes;
    spool->looked = now;
    if (spool->file.fd < 0)
        spool->file = seen.file;
    else if (!seen.own)
        return WEIR_EIO; /* the folder is another one now */
    return 0;
}

static void forget_file(struct weir_spool *spool)
{
    if (spool->file.fd >= 0)
        close(spool->file.fd);
    spool->file.fd = -1;
}

/* Whether the open file still has a name. */
static bool is_there(const struct weir_spool *spool)
{
    struct stat status;
    return fstat(spool->file.fd, &status) == 0 && status.st_nlink > 0;
}

static int open_file(struct weir_spool *spool, weir_time now)
{
    spool->others = 0;
    spool->looked = now;
    look(spool, now); /* the folder may be missing yet */
    int rc = spool->file.fd >= 0 ? 0
             : weir_spool_begin(spool->folder, spool->name, spool->boot, now, &spool->file);
    if (rc < 0)
        spool->file.fd = -1;
    else
        spool->untold += weir_spool_dropped_take(spool->folder);
    return rc;
}

/* An open file with its size and the others' known. */
static int make_ready(struct weir_spool *spool, weir_time now)
{
    weir_spool_turn(spool, now);
    if (spool->file.fd >= 0 && !is_there(spool))
        forget_file(spool);
    if (spool->file.fd >= 0 && (now - spool->looked >= LOOK_AGAIN || now < spool->looked) &&
        look(spool, now) < 0)
        forget_file(spool);
    return spool->file.fd >= 0 ? 0 : open_file(spool, now);
}

/* One line with one write(); what does not fit whole is taken back. */
static int append(struct weir_spool *spool, const char *line, size_t len)
{
    uint64_t used = spool->others + spool->file.len;
    ssize_t written;
    if (used > spool->options.bytes_most || len > spool->options.bytes_most - used)
        return WEIR_EFULL;
    do
        written = write(spool->file.fd, line, len);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)len) {
        spool->file.len += len;
        return 0;
    }
    int reason = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(spool->file.fd, (off_t)spool->file.len) != 0)
        forget_file(spool); /* the next process that takes it over cuts it */
    errno = reason;
    return WEIR_EIO;
}

/* How many lines were dropped, before the first one that is not. */
static int tell_dropped(struct weir_spool *spool)
{
    char line[40];
    if (spool->untold == 0)
        return 0;
    int len = snprintf(line, sizeof(line), "dropped=%" PRIu64 "\n", spool->untold);
    int rc = append(spool, line, (size_t)len);
    if (rc == 0)
        spool->untold = 0;
    return rc;
}

int weir_spool_write(struct weir_spool *spool, weir_time now, const char *line)
{
    char text[WEIR_SPOOL_LINE_MAX + 1];
    size_t len = strnlen(line, WEIR_SPOOL_LINE_MAX);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(line[i] == '\n' || line[i] == '\r' ? ' ' : line[i]);
    text[len++] = '\n';

    errno = 0;
    int rc = make_ready(spool, now);
    if (rc == 0)
        rc = tell_dropped(spool);
    if (rc == 0)
        rc = append(spool, text, len);
    return rc < 0 ? drop(spool, now, rc) : 0;
}

int weir_spool_write_parts(struct weir_spool *spool, const struct weir_part_whole *whole)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < weir_part_lines(whole->octets.len); i++) {
        char text[WEIR_SPOOL_LINE_MAX];
        struct weir_line line = weir_line(text, sizeof text);

        weir_part_line_write(whole, i, &line);
        rc = weir_spool_write(spool, whole->at, weir_line_end(&line));
    }
    return rc;
}
