/*
 * Files of published sets, mapped.  A struct mapped is one of them; the file owns a list of those:
 * the one at work first, behind it older ones that somebody still reads, whose last reader unmaps
 * them.  A set without a word list is one, too, so that it is not looked for again; one that could
 * not be used is tried again when RETRY has passed, and told of when the reason is another.
 *
 * Refuses what is no regular file, or longer than a set may be, before it is mapped.
 */
#include "core/engine/bayes_file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/parcels_io.h"

#define RETRY (10 * WEIR_SECOND)

struct mapped {
    struct weir_bayes_list list; /* first: it is what is given out */
    struct mapped *next;
    void *octets;
    size_t len;
    bool empty;                  /* the set has no word list */
    size_t users;
};

struct weir_bayes_file {
    pthread_mutex_t mutex;
    char folder[WEIR_PATH_MAX];
    bool full;
    const struct weir_log *log;
    struct mapped *first;
    bool opening;                /* somebody reads a new one */
    uint32_t failed;             /* serial of what could not be used; 0: none */
    weir_time failed_at;
    const char *why;             /* static text, of that */
};

int weir_bayes_file_new(const char *folder, bool full, const struct weir_log *log,
                        struct weir_bayes_file **file_r)
{
    struct weir_bayes_file *file = calloc(1, sizeof *file);

    if (!file)
        return WEIR_ENOMEM;
    pthread_mutex_init(&file->mutex, NULL);
    if (snprintf(file->folder, sizeof file->folder, "%s", folder) >= (int)sizeof file->folder)
        file->folder[0] = '\0'; /* is nowhere */
    file->full = full;
    file->log = log;
    *file_r = file;
    return 0;
}

static void unmap(struct mapped *mapped)
{
    while (mapped) {
        struct mapped *next = mapped->next;

        if (mapped->octets)
            munmap(mapped->octets, mapped->len);
        free(mapped);
        mapped = next;
    }
}

void weir_bayes_file_free(struct weir_bayes_file **file)
{
    if (!*file)
        return;
    unmap((*file)->first);
    pthread_mutex_destroy(&(*file)->mutex);
    free(*file);
    *file = NULL;
}

/* Opening. ----------------------------------------------------------------------------- */

/* Maps a regular file of at most WEIR_RULE_PARCEL_MAX octets. */
static int map(const char *path, struct mapped *mapped)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
    struct stat status;

    if (fd < 0)
        return WEIR_EIO;
    if (fstat(fd, &status) < 0)
        rc = WEIR_EIO;
    else if (!S_ISREG(status.st_mode) || status.st_size <= 0)
        rc = WEIR_ECORRUPT;
    else if (status.st_size > WEIR_RULE_PARCEL_MAX)
        rc = WEIR_ELIMIT;
    if (rc == 0) {
        mapped->len = (size_t)status.st_size;
        mapped->octets = mmap(NULL, mapped->len, PROT_READ, MAP_SHARED, fd, 0);
        if (mapped->octets == MAP_FAILED) {
            mapped->octets = NULL;
            rc = WEIR_EIO;
        }
    }
    close(fd);
    return rc;
}

static int attach(struct mapped *mapped, const uint8_t *open, const char **why_r)
{
    struct weir_rule_parcel parcel;
    int rc = weir_rule_parcel_read(mapped->octets, mapped->len, open, &parcel, why_r);
    struct weir_slice section;

    if (rc < 0)
        return rc;
    if (parcel.serial != mapped->list.serial) {
        *why_r = "its name says another serial than it has";
        return WEIR_ECORRUPT;
    }
    section = parcel.section[WEIR_PARCEL_BAYES];
    mapped->empty = section.len == 0;
    rc = mapped->empty ? 0 : weir_bayes_table_attach(section.at, section.len, false,
                                                     &mapped->list.table);
    if (rc < 0)
        *why_r = "its word list is damaged, or made by another version of Weir";
    return rc;
}

static int open_set(const struct weir_bayes_file *file, struct mapped *mapped, const char **why_r)
{
    uint8_t open[WEIR_PARCEL_PUBLIC];
    char path[WEIR_PATH_MAX];
    int rc = file->full ? weir_parcels_key(file->folder, open) : 1;

    *why_r = "the key to it, in " WEIR_PARCELS_KEY ", is none";
    if (rc <= 0) {
        errno = rc == 0 ? ENOENT : errno; /* no monitor was here yet */
        return rc < 0 ? rc : WEIR_EIO;
    }
    rc = map(weir_parcels_path(file->folder, mapped->list.serial, path), mapped);
    *why_r = rc == WEIR_EIO ? "it cannot be read" : weir_error_text(rc);
    return rc < 0 ? rc : attach(mapped, file->full ? open : NULL, why_r);
}

/* Old ones that nobody reads, out of the list. */
static struct mapped *take_unused(struct weir_bayes_file *file)
{
    struct mapped *unused = NULL;

    for (struct mapped **link = file->first ? &file->first->next : &file->first; *link;) {
        struct mapped *mapped = *link;

        if (mapped->users > 0) {
            link = &mapped->next;
            continue;
        }
        *link = mapped->next;
        mapped->next = unused;
        unused = mapped;
    }
    return unused;
}

static void tell(struct weir_bayes_file *file, uint32_t serial, const char *why)
{
    char path[WEIR_PATH_MAX];

    weir_log(file->log, WEIR_LOG_ERROR, "%s: its word list is not used: %s",
             weir_parcels_path(file->folder, serial, path), why);
}

/* Puts the list of a serial to work; with the mutex, which is open in between.  A set of one's own,
 * made of local files only, has no file: that is nothing to tell. */
static void open_next(struct weir_bayes_file *file, uint32_t serial, weir_time now)
{
    struct mapped *mapped = calloc(1, sizeof *mapped), *unused = NULL;
    const char *why = "memory is short";
    bool missing = false, news;
    int rc = WEIR_ENOMEM;

    file->opening = true;
    pthread_mutex_unlock(&file->mutex);
    if (mapped) {
        mapped->list.serial = serial;
        rc = open_set(file, mapped, &why);
        missing = rc == WEIR_EIO && errno == ENOENT;
    }
    pthread_mutex_lock(&file->mutex);
    file->opening = false;
    if (rc == 0) {
        mapped->next = file->first;
        file->first = mapped;
        file->failed = 0;
        unused = take_unused(file);
    } else {
        news = file->failed != serial || file->why != why;
        file->failed = serial;
        file->failed_at = now;
        file->why = why;
        if (news && !missing)
            tell(file, serial, why);
        unused = mapped;
    }
    unmap(unused);
}

const struct weir_bayes_list *weir_bayes_file_take(struct weir_bayes_file *file, uint32_t serial,
                                                   weir_time now)
{
    struct mapped *mapped;

    pthread_mutex_lock(&file->mutex);
    if (serial != 0 && !file->opening && (!file->first || file->first->list.serial != serial) &&
        (file->failed != serial || now - file->failed_at >= RETRY || now < file->failed_at))
        open_next(file, serial, now);
    mapped = file->first && !file->first->empty ? file->first : NULL;
    if (mapped)
        mapped->users++;
    pthread_mutex_unlock(&file->mutex);
    return mapped ? &mapped->list : NULL;
}

void weir_bayes_file_give(struct weir_bayes_file *file, const struct weir_bayes_list **list)
{
    struct mapped *unused;

    if (!*list)
        return;
    pthread_mutex_lock(&file->mutex);
    for (struct mapped *mapped = file->first; mapped; mapped = mapped->next)
        if (&mapped->list == *list)
            mapped->users--;
    unused = take_unused(file);
    pthread_mutex_unlock(&file->mutex);
    unmap(unused);
    *list = NULL;
}
