/*
 * ctl_files - finds files first, so that the progress of the work on them can be shown, and
 * reads them one by one into one buffer that grows with the largest.
 */
#include "monitor/ctl/ctl_files_io.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/base/visible.h"

struct weir_ctl_files {
    char **name;
    size_t names, room, next;
    char *octets;
    size_t octets_room;
};

static int add(struct weir_ctl_files *files, const char *name)
{
    if (files->names == files->room) {
        size_t room = files->room ? 2 * files->room : 64;
        char **larger = realloc(files->name, room * sizeof *larger);

        if (!larger)
            return WEIR_ENOMEM;
        files->name = larger;
        files->room = room;
    }
    files->name[files->names] = strdup(name);
    return files->name[files->names++] ? 0 : WEIR_ENOMEM;
}

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name), end = strlen(suffix);
    return len >= end && strcmp(name + len - end, suffix) == 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct weir_ctl_files *files, char *folder, const char *suffix)
{
    char *paths[] = {folder, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    int done = walk ? 0 : WEIR_ENOMEM;

    for (FTSENT *it; done == 0 && (it = fts_read(walk)) != NULL;) {
        if (it->fts_level > 0 && it->fts_name[0] == '.')
            (void)fts_set(walk, it, FTS_SKIP);
        else if (it->fts_info == FTS_F && ends_in(it->fts_name, suffix))
            done = add(files, it->fts_path);
        else if (it->fts_info == FTS_DNR || it->fts_info == FTS_ERR || it->fts_info == FTS_NS)
            done = add(files, it->fts_path); /* said when it is its turn to be read */
    }
    if (walk)
        fts_close(walk);
    return done;
}

static int find(struct weir_ctl *ctl, struct weir_ctl_files *files, char *path,
                const char *suffix)
{
    struct stat there;
    int done;

    if (strcmp(path, "-") != 0 && stat(path, &there) < 0)
        return weir_ctl_files_error(ctl, path, WEIR_EIO);
    done = strcmp(path, "-") != 0 && S_ISDIR(there.st_mode) ? walk(files, path, suffix)
                                                            : add(files, path);
    return done == 0 ? 0 : weir_ctl_error(ctl, EX_OSERR, "memory is short");
}

int weir_ctl_files_open(struct weir_ctl *ctl, char **path, int paths, const char *suffix,
                        struct weir_ctl_files **files_r)
{
    static char standard_input[] = "-";
    struct weir_ctl_files *files = calloc(1, sizeof *files);
    int code = files ? 0 : weir_ctl_error(ctl, EX_OSERR, "memory is short");

    if (code == 0 && paths == 0)
        code = find(ctl, files, standard_input, suffix);
    for (int i = 0; code == 0 && i < paths; i++)
        code = find(ctl, files, path[i], suffix);
    if (code == 0)
        *files_r = files;
    else
        weir_ctl_files_free(&files);
    return code;
}

void weir_ctl_files_free(struct weir_ctl_files **files)
{
    struct weir_ctl_files *it = *files;

    if (!it)
        return;
    for (size_t i = 0; i < it->names; i++)
        free(it->name[i]);
    free(it->name);
    free(it->octets);
    free(it);
    *files = NULL;
}

/* Reads to the end, or as much as is looked at. */
static int read_all(struct weir_ctl_files *files, FILE *file, size_t *len_r)
{
    size_t len = 0;

    for (;;) {
        size_t got;

        if (len == files->octets_room) {
            size_t room = len ? 2 * len : 65536;
            char *larger = len < WEIR_MESSAGE_MAX ? realloc(files->octets, room) : NULL;

            if (len >= WEIR_MESSAGE_MAX)
                break;
            if (!larger)
                return WEIR_ENOMEM;
            files->octets = larger;
            files->octets_room = room;
        }
        got = fread(files->octets + len, 1, files->octets_room - len, file);
        len += got;
        if (got == 0)
            break;
    }
    *len_r = len;
    return ferror(file) ? WEIR_EIO : 1;
}

int weir_ctl_files_name(struct weir_ctl_files *files, const char **name_r)
{
    if (files->next == files->names)
        return 0;
    *name_r = files->name[files->next++];
    return 1;
}

int weir_ctl_files_next(struct weir_ctl_files *files, const char **name_r,
                        struct weir_slice *octets_r)
{
    const char *name;
    FILE *file;
    bool standard;
    int done;

    if (files->next == files->names)
        return 0;
    name = files->name[files->next++];
    standard = strcmp(name, "-") == 0;
    *name_r = standard ? "stdin" : name;
    file = standard ? stdin : fopen(name, "re");
    if (!file)
        return WEIR_EIO;
    done = read_all(files, file, &octets_r->len);
    octets_r->at = files->octets;
    if (!standard) {
        int saved = errno;

        fclose(file);
        errno = saved;
    }
    return done;
}

bool weir_ctl_files_seen(void)
{
    return isatty(STDOUT_FILENO);
}

const char *weir_ctl_visible(struct weir_slice text, char *buffer, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < text.len && used + 5 <= size;) {
        size_t octets = weir_visible_octets(weir_slice_behind(text, i));

        if (octets == 0) {
            buffer[used++] = '?';
            i++;
            continue;
        }
        memcpy(buffer + used, text.at + i, octets);
        used += octets;
        i += octets;
    }
    buffer[used] = '\0';
    return buffer;
}

int weir_ctl_files_error(struct weir_ctl *ctl, const char *name, int error)
{
    const char *why = weir_error_reason(error);
    char shown[WEIR_CTL_NAME];

    weir_ctl_visible((struct weir_slice){name, strlen(name)}, shown, sizeof shown);
    return weir_ctl_error(ctl, EX_NOINPUT, "%s: %s", shown, why);
}

size_t weir_ctl_files_count(const struct weir_ctl_files *files)
{
    return files->names;
}
