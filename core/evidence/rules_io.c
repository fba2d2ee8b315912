/*
 * Rule files read whole, and images written beside their place and renamed into it.
 * rule_file_io.c has sets at work.
 *
 * Text read is the reader's for one call; what it keeps is in the arena.  Refuses what is no
 * regular file: a pipe would keep us waiting for somebody who writes.  The reader tells a file that
 * is too long.
 */
#include "core/evidence/rules_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "core/base/limits.h"

/* Sources. ---------------------------------------------------------------------- */

/* Opens a regular file: 1 with it; 0 when it is something else; WEIR_EIO. */
static int open_regular(const char *path, FILE **file_r)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENXIO ? 0 : WEIR_EIO; /* a socket */
    int rc = fstat(fd, &status) < 0 ? WEIR_EIO : S_ISREG(status.st_mode) != 0;
    if (rc == 1 && !(*file_r = fdopen(fd, "r")))
        rc = WEIR_EIO;
    int saved = errno;
    if (rc != 1)
        close(fd);
    errno = saved;
    return rc;
}

/* Reads a file, but no more than one octet past the limit: 0 with text (malloc'ed), WEIR_EIO,
 * WEIR_ENOMEM. */
static int read_whole(FILE *file, char **text_r, size_t *len_r)
{
    const size_t most = (size_t)WEIR_RULE_FILE_MAX + 1;
    size_t room = 65536, len = 0, got = 1;
    char *text = NULL;
    int rc = 0;
    while (rc == 0 && got > 0 && len < most) {
        if (!text || len == room) {
            room = text ? 2 * room : room;
            char *more = realloc(text, room);
            rc = more ? 0 : WEIR_ENOMEM;
            text = more ? more : text;
        }
        size_t want = room < most ? room - len : most - len;
        got = rc == 0 ? fread(text + len, 1, want, file) : 0;
        len += got;
    }
    if (rc == 0 && ferror(file))
        rc = WEIR_EIO;
    if (rc < 0) {
        free(text);
        return rc;
    }
    *text_r = text;
    *len_r = len;
    return 0;
}

static int read_file(struct weir_rule_reader *reader, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = NULL;
    int rc = open_regular(path, &file);
    if (rc == 0)
        weir_rule_reader_refuse(reader, path, "it is no regular file");
    if (rc != 1)
        return rc;
    rc = read_whole(file, &text, &len);
    int saved = errno;
    fclose(file);
    errno = saved;
    if (rc == 0)
        rc = weir_rule_reader_add(reader, path, (struct weir_slice){text, len});
    free(text);
    return rc;
}

bool weir_rules_is_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot && strcmp(dot, ".rules") == 0;
}

static int is_rule_file(const struct dirent *entry)
{
    return weir_rules_is_file(entry->d_name);
}

static int read_folder(struct weir_rule_reader *reader, struct weir_arena *arena, const char *path)
{
    struct dirent **entry = NULL;
    int n = scandir(path, &entry, is_rule_file, alphasort), rc = n < 0 ? WEIR_EIO : 0;
    for (int i = 0; i < n; i++) {
        char *name = weir_arena_printf(arena, "%s/%s", path, entry[i]->d_name);
        if (rc == 0)
            rc = name ? read_file(reader, name) : WEIR_ENOMEM;
        free(entry[i]);
    }
    free(entry);
    return rc;
}

int weir_rules_add_files(struct weir_rule_reader *reader, const char *path,
                         struct weir_arena *arena)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return WEIR_EIO;
    return S_ISDIR(status.st_mode) ? read_folder(reader, arena, path) : read_file(reader, path);
}

int weir_rules_read_files(const char *path, struct weir_arena *arena, weir_rule_report *report,
                          void *context, struct weir_rule_sources *sources_r)
{
    struct weir_rule_reader *reader = NULL;
    int rc = weir_rule_reader_new(arena, report, context, &reader);
    if (rc == 0)
        rc = weir_rules_add_files(reader, path, arena);
    return rc < 0 ? rc : weir_rule_reader_end(reader, sources_r);
}

/* Writing an image. --------------------------------------------------------------- */

int weir_rules_write_image(const char *path, const void *octets, size_t len)
{
    struct weir_replacement new;
    int rc = weir_replace_begin(path, 0644, &new);
    if (rc < 0)
        return rc;
    return weir_replace_end(&new, fwrite(octets, 1, len, new.file) == len);
}
