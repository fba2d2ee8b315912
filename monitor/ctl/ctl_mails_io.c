/*
 * Files are read line by line into one buffer that grows with the largest message.
 */
#include "monitor/ctl/ctl_mails_io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_input_io.h"

#define NAME_ROOM 4200

struct weir_ctl_mails {
    struct weir_ctl *ctl;
    struct weir_ctl_files *files;
    size_t done, unread;
    struct weir_ctl_input *input; /* the file that is read; NULL: the next one is due */
    bool mbox, blank;             /* blank: the line before was empty */
    unsigned number;              /* of a message in its mbox */
    char *octets;
    size_t len, room;
    const char *path;
    char name[NAME_ROOM];
};

int weir_ctl_mails_open(struct weir_ctl *ctl, char **path, int paths,
                        struct weir_ctl_mails **mails_r)
{
    struct weir_ctl_mails *mails = calloc(1, sizeof *mails);
    int code = mails ? weir_ctl_files_open(ctl, path, paths, "", &mails->files)
                     : weir_ctl_error(ctl, EX_OSERR, "memory is short");

    if (code != 0) {
        weir_ctl_mails_free(&mails);
        return code;
    }
    mails->ctl = ctl;
    *mails_r = mails;
    return 0;
}

void weir_ctl_mails_free(struct weir_ctl_mails **mails)
{
    struct weir_ctl_mails *it = *mails;

    if (!it)
        return;
    weir_ctl_input_free(&it->input);
    weir_ctl_files_free(&it->files);
    free(it->octets);
    free(it);
    *mails = NULL;
}

/* Whether beside what stands in the first octets of a path is a folder cur, as in a Maildir. */
static bool has_cur(const char *path, size_t len)
{
    char beside[NAME_ROOM];
    struct stat there;

    return snprintf(beside, sizeof beside, "%.*scur", (int)len, path) < (int)sizeof beside &&
           stat(beside, &there) == 0 && S_ISDIR(there.st_mode);
}

/* Of a Maildir only what lies in its cur and new: what is in tmp is still being written, and beside
 * them are files of the mail server. */
static bool is_mail(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0, above;

    if (folder == 0) /* somebody has named it, or it is the standard input */
        return true;
    for (above = folder - 1; above > 0 && path[above - 1] != '/'; above--)
        ;
    if (strncmp(path + above, "cur/", folder - above) == 0 ||
        strncmp(path + above, "new/", folder - above) == 0)
        return true;
    return !has_cur(path, folder) && !has_cur(path, above);
}

/* Puts a line into the message, as far as there may be more of it. */
static int put(struct weir_ctl_mails *mails, struct weir_slice line)
{
    size_t len = line.len + 1, room = mails->room ? mails->room : 65536;

    if (mails->len + len > WEIR_MESSAGE_MAX)
        return 0;
    while (room < mails->len + len)
        room *= 2;
    if (room > mails->room) {
        char *larger = realloc(mails->octets, room);

        if (!larger)
            return WEIR_ENOMEM;
        mails->octets = larger;
        mails->room = room;
    }
    if (line.len > 0)
        memcpy(mails->octets + mails->len, line.at, line.len);
    mails->octets[mails->len + line.len] = '\n';
    mails->len += len;
    return 0;
}

static bool begins(struct weir_slice line, const char *text)
{
    size_t len = strlen(text);

    return line.len >= len && memcmp(line.at, text, len) == 0;
}

/* ">>From ...": one less. */
static struct weir_slice unquoted(struct weir_slice line)
{
    size_t marks = 0;

    while (marks < line.len && line.at[marks] == '>')
        marks++;
    if (marks > 0 && begins((struct weir_slice){line.at + marks, line.len - marks}, "From "))
        return (struct weir_slice){line.at + 1, line.len - 1};
    return line;
}

/* A line of the file: 1 when it ends a message, 0 when it does not. */
static int take_line(struct weir_ctl_mails *mails, struct weir_slice line)
{
    bool first = weir_ctl_input_number(mails->input) == 1;
    bool parts = begins(line, "From ") && (first || (mails->mbox && mails->blank));

    if (first)
        mails->mbox = parts;
    mails->blank = line.len == 0 || (line.len == 1 && line.at[0] == '\r');
    if (parts)
        return !first;
    return put(mails, mails->mbox ? unquoted(line) : line);
}

/* The next message of the file: 1, 0 when it has no more, or an error. */
static int read_message(struct weir_ctl_mails *mails)
{
    struct weir_slice line;
    int rc = 0, got;

    mails->len = 0;
    while (rc == 0 && (got = weir_ctl_input_line(mails->input, &line)) != 0) {
        if (got == WEIR_ELIMIT)
            continue;
        if (got < 0)
            return got;
        rc = take_line(mails, line);
    }
    if (rc != 0)
        return rc;
    return mails->len > 0;
}

static int open_next(struct weir_ctl_mails *mails)
{
    do {
        if (weir_ctl_files_name(mails->files, &mails->path) == 0)
            return 0;
        mails->done++;
    } while (!is_mail(mails->path));
    mails->mbox = mails->blank = false;
    mails->number = 0;
    if (weir_ctl_input_open(mails->ctl, mails->path, WEIR_MESSAGE_MAX, &mails->input) != 0)
        mails->unread++;
    return 1;
}

static void name(struct weir_ctl_mails *mails)
{
    const char *path = strcmp(mails->path, "-") == 0 ? "stdin" : mails->path;

    mails->number++;
    if (mails->mbox)
        snprintf(mails->name, sizeof mails->name, "%s:%u", path, mails->number);
    else
        snprintf(mails->name, sizeof mails->name, "%s", path);
}

int weir_ctl_mails_next(struct weir_ctl_mails *mails, const char **name_r,
                        struct weir_slice *octets_r)
{
    for (;;) {
        int got = mails->input ? read_message(mails) : 0;

        if (got == 1) {
            name(mails);
            *name_r = mails->name;
            *octets_r = (struct weir_slice){mails->octets, mails->len};
            return 1;
        }
        if (got < 0) {
            (void)weir_ctl_files_error(mails->ctl, mails->path, got);
            mails->unread++;
        }
        weir_ctl_input_free(&mails->input);
        if (open_next(mails) == 0)
            return 0;
    }
}

size_t weir_ctl_mails_unread(const struct weir_ctl_mails *mails)
{
    return mails->unread;
}

size_t weir_ctl_mails_done(const struct weir_ctl_mails *mails)
{
    return mails->done;
}

size_t weir_ctl_mails_files(const struct weir_ctl_mails *mails)
{
    return weir_ctl_files_count(mails->files);
}
