/*
 * scratch - a directory of a test's own, gone afterwards.
 */
#ifndef WEIR_TESTS_SCRATCH_H
#define WEIR_TESTS_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scratch {
    char directory[128];
    char path[256]; /* of the last scratch_path() */
};

static inline struct scratch *scratch_new(void)
{
    struct scratch *s = calloc(1, sizeof(*s));
    const char *base = getenv("TMPDIR");
    if (!s)
        abort();
    snprintf(s->directory, sizeof(s->directory), "%s/weir-test-XXXXXX",
             base && strlen(base) < 100 ? base : "/tmp");
    if (!mkdtemp(s->directory))
        abort();
    return s;
}

static inline const char *scratch_path(struct scratch *s, const char *name)
{
    snprintf(s->path, sizeof(s->path), "%s/%s", s->directory, name);
    return s->path;
}

static inline void scratch_free(struct scratch *s)
{
    char path[512];
    DIR *dir = opendir(s->directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", s->directory, entry->d_name);
        unlink(path);
        rmdir(path);
    }
    if (dir)
        closedir(dir);
    rmdir(s->directory);
    free(s);
}

#endif
