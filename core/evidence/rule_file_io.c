/*
 * A rule set at work, changed for a new one without a pause: mapped where processes live short, in
 * memory of its own in a daemon.
 *
 * A struct set is one image with its handle and the matchers that nobody uses just
 * now.  The file owns a list of sets: the current one first, behind it old ones that are
 * still in use; whoever gives back an old set's last matcher frees it.  All of
 * it is changed under one mutex, which is never held while an image is read.
 *
 * Refuses images that are not in order, keeps what it has then, and says so once for each
 * bad file, known by device, inode, size and time.
 */
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
#include "core/base/replace_io.h"
#include "core/evidence/rules_io.h"

enum { IDLE_MOST = 64 };

struct identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct set {
    struct set *next;
    void *octets; /* mapped */
    size_t len;
    struct weir_rules *rules;
    struct weir_matcher *idle[IDLE_MOST];
    size_t idles;
    size_t users; /* matchers handed out, and whoever makes one */
};

struct weir_rule_file {
    pthread_mutex_t mutex;
    char *path;
    const struct weir_log *log;
    struct weir_rule_file_options options; /* after opening changed by who looks only */
    struct set *set;        /* the current one, then old ones; NULL: no rules yet */
    struct identity seen;   /* what was last tried, good or bad */
    weir_time next_look;
    bool looking;           /* somebody is reading a new image */
};

/* Sets. ------------------------------------------------------------------------------ */

static void set_free(struct set *set)
{
    if (!set)
        return;
    while (set->idles > 0)
        weir_matcher_free(&set->idle[--set->idles]);
    weir_rules_free(&set->rules);
    if (set->octets)
        munmap(set->octets, set->len);
    free(set);
}

static struct identity identity_of(const struct stat *status)
{
    return (struct identity){.device = status->st_dev, .inode = status->st_ino,
                             .size = status->st_size, .changed = status->st_mtim};
}

static bool same(const struct identity *a, const struct identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Reads the file into octets that are there; a file that was cut meanwhile is none of ours. */
static int fill(int fd, uint8_t *octets, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t got = read(fd, octets + at, len - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? WEIR_EIO : WEIR_ECORRUPT;
        at += (size_t)got;
    }
    return 0;
}

/* Brief processes use the file where it lies.  The others read it: somebody who writes over it
 * instead of replacing it would take down whoever has it mapped. */
static int map(int fd, const struct stat *status, bool brief, struct set *set)
{
    if (!S_ISREG(status->st_mode) || status->st_size <= 0 || status->st_size > UINT32_MAX)
        return WEIR_ECORRUPT;
    set->len = (size_t)status->st_size;
    void *octets = brief ? mmap(NULL, set->len, PROT_READ, MAP_SHARED, fd, 0)
                         : mmap(NULL, set->len, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (octets == MAP_FAILED)
        return WEIR_EIO;
    set->octets = octets;
    return brief ? 0 : fill(fd, octets, set->len);
}

/* Mail is judged without it, too: what goes wrong is only logged, once when it will not change. */
static void use_hyperscan(struct weir_rule_file *file, struct set *set)
{
    int rc = file->options.hyperscan ? weir_rules_use_hyperscan(set->rules) : 0;
    if (rc < 0)
        weir_log(file->log, WEIR_LOG_WARNING, "rules: engine = hyperscan cannot be used (%s), the "
                 "built-in engine is", rc == WEIR_EDOWN
                     ? "not in this program, or not for this processor" : weir_error_reason(rc));
    if (rc == WEIR_EDOWN)
        file->options.hyperscan = false;
}

static bool is_folder_owners(const char *path, const struct stat *status)
{
    char folder[WEIR_PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat at;

    if (snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
                 slash ? path : ".") >= (int)sizeof folder)
        return false;
    return stat(folder[0] ? folder : "/", &at) == 0 && at.st_uid == status->st_uid;
}

/* Whether only we, the system's administrator, or who was said to be trusted, could have written
 * the file. */
static bool is_ours(const struct weir_rule_file *file, const struct stat *status)
{
    if (status->st_mode & (S_IWGRP | S_IWOTH))
        return false;
    return status->st_uid == 0 || status->st_uid == geteuid() ||
           (file->options.trust_folder && is_folder_owners(file->path, status));
}

/* Opens the image.  0 with a set, or with NULL when there is no such file. */
static int set_open(struct weir_rule_file *file, struct set **set_r, struct identity *identity_r)
{
    struct stat status;
    *set_r = NULL;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is none */
    if (fd < 0)
        return errno == ENOENT ? 0 : WEIR_EIO;
    struct set *set = calloc(1, sizeof(*set));
    int rc = !set ? WEIR_ENOMEM : fstat(fd, &status) < 0 ? WEIR_EIO : 0;
    if (rc == 0) {
        *identity_r = identity_of(&status);
        rc = map(fd, &status, !file->options.full, set);
    }
    if (rc == 0)
        rc = weir_rules_attach(set->octets, set->len, file->options.full, &set->rules);
    if (rc == 0 && !file->options.full && is_ours(file, &status))
        (void)weir_rules_trust(set->rules);
    if (rc == 0)
        use_hyperscan(file, set);
    int saved = errno;
    close(fd);
    if (rc < 0)
        set_free(set);
    else
        *set_r = set;
    errno = saved;
    return rc;
}

/* The file. ---------------------------------------------------------------------------- */

static const char *why(int rc)
{
    return rc == WEIR_ECORRUPT ? "it is damaged, or made by another version of Weir"
                               : weir_error_reason(rc);
}

int weir_rule_file_open(const char *path, const struct weir_rule_file_options *options,
                        const struct weir_log *log, struct weir_rule_file **file_r,
                        const char **why_r)
{
    struct weir_rule_file *file = calloc(1, sizeof(*file));
    int rc = WEIR_ENOMEM;
    *why_r = "";
    if (file && pthread_mutex_init(&file->mutex, NULL) != 0) {
        free(file);
        file = NULL;
    }
    if (file) {
        file->path = strdup(path);
        file->options = *options;
        file->log = log;
        rc = file->path ? set_open(file, &file->set, &file->seen) : WEIR_ENOMEM;
    }
    if (rc < 0) {
        *why_r = why(rc);
        weir_rule_file_free(&file);
        return rc;
    }
    *file_r = file;
    return 0;
}

void weir_rule_file_free(struct weir_rule_file **file)
{
    if (!file || !*file)
        return;
    while ((*file)->set) {
        struct set *set = (*file)->set;
        (*file)->set = set->next;
        set_free(set);
    }
    pthread_mutex_destroy(&(*file)->mutex);
    free((*file)->path);
    free(*file);
    *file = NULL;
}

/* Takes old sets that nobody uses out of the list; they are freed without the mutex. */
static struct set *unused_take(struct weir_rule_file *file)
{
    struct set *unused = NULL;
    for (struct set **link = file->set ? &file->set->next : &file->set; *link;) {
        struct set *set = *link;
        if (set->users > 0) {
            link = &set->next;
            continue;
        }
        *link = set->next;
        set->next = unused;
        unused = set;
    }
    return unused;
}

static void sets_free(struct set *set)
{
    while (set) {
        struct set *next = set->next;
        set_free(set);
        set = next;
    }
}

/* Whether it is this caller's turn to look at the file. */
static bool look_begins(struct weir_rule_file *file, weir_time now)
{
    bool due = now >= file->next_look || now + WEIR_SECOND < file->next_look;
    if (!due || file->looking)
        return false;
    file->next_look = now + WEIR_SECOND;
    file->looking = true;
    return true;
}

/* Looks whether there is a new image; called and left with the mutex held, which is open in
 * between.  A file that is gone, or bad, changes nothing. */
static void look(struct weir_rule_file *file)
{
    struct identity identity, seen = file->seen;
    struct set *set = NULL, *unused = NULL;
    struct stat status;
    int rc = 0;
    pthread_mutex_unlock(&file->mutex);
    bool tried = false;
    if (stat(file->path, &status) == 0) {
        identity = identity_of(&status);
        tried = !same(&identity, &seen);
    }
    if (tried)
        rc = set_open(file, &set, &identity);
    if (rc < 0)
        weir_log(file->log, WEIR_LOG_ERROR, "rules: %s cannot be used, the old rules stay: %s",
                 file->path, why(rc));
    pthread_mutex_lock(&file->mutex);
    file->looking = false;
    if (tried)
        file->seen = identity;
    if (set) {
        set->next = file->set;
        file->set = set;
        unused = unused_take(file);
        weir_log(file->log, WEIR_LOG_INFO, "rules: serial %u, %zu rules, is at work",
                 (unsigned)weir_rules_serial(set->rules), weir_rules_count(set->rules));
    }
    pthread_mutex_unlock(&file->mutex);
    sets_free(unused);
    pthread_mutex_lock(&file->mutex);
}

/* The set as it is now, with one user more; NULL when there is none. */
static struct set *set_take(struct weir_rule_file *file, weir_time now)
{
    pthread_mutex_lock(&file->mutex);
    if (look_begins(file, now))
        look(file);
    struct set *set = file->set;
    if (set)
        set->users++;
    pthread_mutex_unlock(&file->mutex);
    return set;
}

/* Gives a set back, and a matcher of it (or NULL), which is kept or freed. */
static void set_give(struct weir_rule_file *file, struct set *set, struct weir_matcher *matcher)
{
    pthread_mutex_lock(&file->mutex);
    if (matcher && set == file->set && set->idles < IDLE_MOST) {
        set->idle[set->idles++] = matcher;
        matcher = NULL;
    }
    if (matcher) { /* freed while the set still counts us: it is in use by its matchers */
        pthread_mutex_unlock(&file->mutex);
        weir_matcher_free(&matcher);
        pthread_mutex_lock(&file->mutex);
    }
    set->users--;
    struct set *unused = unused_take(file);
    pthread_mutex_unlock(&file->mutex);
    sets_free(unused);
}

size_t weir_rule_file_compile(struct weir_rule_file *file, weir_time now)
{
    struct set *set = set_take(file, now);
    size_t bad = set ? weir_rules_compile_all(set->rules) : 0;
    if (set)
        set_give(file, set, NULL);
    return bad;
}

struct weir_matcher *weir_rule_file_take(struct weir_rule_file *file, weir_time now)
{
    struct weir_matcher *matcher = NULL;
    struct set *set = set_take(file, now);
    if (!set)
        return NULL;
    pthread_mutex_lock(&file->mutex);
    if (set->idles > 0)
        matcher = set->idle[--set->idles];
    pthread_mutex_unlock(&file->mutex);
    if (!matcher && weir_matcher_new(set->rules, &matcher) < 0)
        set_give(file, set, NULL);
    return matcher;
}

void weir_rule_file_give(struct weir_rule_file *file, struct weir_matcher **matcher)
{
    if (!*matcher)
        return;
    pthread_mutex_lock(&file->mutex);
    struct set *set = file->set;
    while (set && set->rules != weir_matcher_rules(*matcher))
        set = set->next;
    pthread_mutex_unlock(&file->mutex);
    if (set)
        set_give(file, set, *matcher);
    *matcher = NULL;
}
