/*
 * What lies in a spool's folder, for people who ask: how many files, how large, and how many lines
 * the producers had to drop, as they wrote it there themselves.
 *
 * Changes nothing, locks nothing, owns nothing.  Refuses to follow links, and to read on
 * when WEIR_SPOOL_SURVEY_MAX octets were read; what could not be read is counted.
 */
#include "core/store/spool_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/store/spool_impl.h"

struct survey {
    struct weir_spool_survey *result;
    uint64_t read;
};

/* As fgets(), but tells how long it was: a line may hold NULs, and files may be full of them. */
static size_t read_line(FILE *file, char *line, size_t room)
{
    size_t len = 0;
    int c = 0;
    while (len + 1 < room && c != '\n' && (c = getc_unlocked(file)) != EOF)
        line[len++] = (char)c;
    line[len] = '\0';
    return len;
}

/* The numbers in lines that begin with this word. */
static void read_numbers(struct survey *survey, FILE *file, const char *word)
{
    char line[WEIR_SPOOL_LINE_MAX + 2]; /* with its end */
    size_t len = strlen(word), got;
    bool begins = true;
    while (survey->read < WEIR_SPOOL_SURVEY_MAX &&
           (got = read_line(file, line, sizeof(line))) > 0) {
        if (begins && strncmp(line, word, len) == 0)
            survey->result->dropped += strtoull(line + len, NULL, 10);
        survey->read += got;
        begins = line[got - 1] == '\n';
    }
}

static bool is_log(const char *name)
{
    size_t len = strlen(name);
    return name[0] != '.' && ((len > 4 && strcmp(name + len - 4, ".log") == 0) ||
                              (len > 9 && strcmp(name + len - 9, ".log.part") == 0));
}

static void look_at(struct survey *survey, int folder, const char *name)
{
    struct stat status;
    bool left = strcmp(name, WEIR_SPOOL_DROPPED) == 0;
    if ((!left && !is_log(name)) || fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
        return;
    survey->result->files += !left;
    survey->result->bytes += left ? 0 : (uint64_t)status.st_size;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (file)
        read_numbers(survey, file, left ? "" : "dropped=");
    if (!file || survey->read >= WEIR_SPOOL_SURVEY_MAX)
        survey->result->unread++;
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
}

int weir_spool_survey(const char *folder, struct weir_spool_survey *survey_r)
{
    struct survey survey = {.result = survey_r};
    *survey_r = (struct weir_spool_survey){0};
    DIR *open = opendir(folder);
    if (!open)
        return errno == ENOENT ? 0 : WEIR_EIO;
    for (struct dirent *entry; (entry = readdir(open));)
        look_at(&survey, dirfd(open), entry->d_name);
    closedir(open);
    return 1;
}
