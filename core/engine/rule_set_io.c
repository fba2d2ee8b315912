/*
 * rule_set - from rule files to the image that every program maps.
 *
 * A set is stale when the folder (a file came or went) or one of its rule files is newer than the
 * image.  The new image gets the old one's serial and one; a damaged old image counts as none.
 */
#include "core/engine/rule_set_io.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/evidence/rules_io.h"

#define ARENA_FIRST (1u << 20)
#define PATH_MOST 4096

static uint32_t serial_at(const char *path)
{
    const struct weir_rule_file_options options = {.full = false};
    struct weir_rule_file *file;
    struct weir_matcher *matcher;
    const char *why;
    uint32_t serial = 0;

    if (weir_rule_file_open(path, &options, NULL, &file, &why) < 0)
        return 0;
    matcher = weir_rule_file_take(file, 0);
    if (matcher) {
        serial = weir_rules_serial(weir_matcher_rules(matcher));
        weir_rule_file_give(file, &matcher);
    }
    weir_rule_file_free(&file);
    return serial;
}

static int make(const struct weir_config *config, bool write, struct weir_arena *arena,
                weir_rule_report *report, void *context, struct weir_rule_set_made *made_r)
{
    const char *path = weir_config_path(config, config->rules_file, arena);
    struct weir_rule_sources sources;
    struct weir_rules_options options = {0};
    void *octets;
    int done;

    if (!path)
        return WEIR_ENOMEM;
    done = weir_rules_read_files(config->rules_folder, arena, report, context, &sources);
    if (done < 0)
        return done;
    if (sources.errors > 0)
        return WEIR_EINVAL;
    options.serial = serial_at(path) + 1;
    done = weir_rules_build(&sources, &options, report, context, &octets, &made_r->octets);
    if (done < 0)
        return done;
    made_r->serial = options.serial;
    made_r->rules = 0;
    for (size_t i = 0; i < sources.rules; i++)
        made_r->rules += sources.rule[i].state != WEIR_RULE_DRAFT &&
                         sources.rule[i].state != WEIR_RULE_RETIRED;
    if (write)
        done = weir_rules_write_image(path, octets, made_r->octets);
    free(octets);
    return done;
}

int weir_rule_set_make(const struct weir_config *config, bool write, weir_rule_report *report,
                       void *context, struct weir_rule_set_made *made_r)
{
    struct weir_arena *arena = weir_arena_new(ARENA_FIRST);
    int done;

    if (!arena)
        return WEIR_ENOMEM;
    done = make(config, write, arena, report, context, made_r);
    weir_arena_free(&arena);
    return done;
}

static bool newer(const struct stat *a, const struct stat *b)
{
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
        return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
    return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* Whether the folder has rule files, and one that is newer than the image (NULL: there is none). */
static bool changed_since(const char *folder, const struct stat *image)
{
    struct stat there;
    DIR *open = opendir(folder);
    bool any = false, changed = false;

    if (!open)
        return false;
    if (image && fstat(dirfd(open), &there) == 0 && newer(&there, image))
        changed = true;
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        if (!weir_rules_is_file(entry->d_name) ||
            fstatat(dirfd(open), entry->d_name, &there, 0) < 0)
            continue;
        any = true;
        changed |= !image || newer(&there, image);
    }
    closedir(open);
    return any && changed;
}

/* Whether there is an image that cannot be used: damaged, or of another version. */
static bool unusable(const struct weir_config *config)
{
    struct weir_arena *arena = weir_arena_new(PATH_MOST);
    const char *path = arena ? weir_config_path(config, config->rules_file, arena) : NULL, *why;
    const struct weir_rule_file_options options = {.full = true};
    struct weir_rule_file *file = NULL;
    bool bad = path && weir_rule_file_open(path, &options, NULL, &file, &why) == WEIR_ECORRUPT;

    weir_rule_file_free(&file);
    weir_arena_free(&arena);
    return bad;
}

bool weir_rule_set_stale(const struct weir_config *config)
{
    struct weir_arena *arena = weir_arena_new(PATH_MOST);
    const char *path = arena ? weir_config_path(config, config->rules_file, arena) : NULL;
    struct stat image;
    bool there = path && stat(path, &image) == 0;
    bool stale = path && changed_since(config->rules_folder, there ? &image : NULL);

    weir_arena_free(&arena);
    return stale;
}

void weir_rule_set_refresh(const struct weir_config *config, const struct weir_log *log)
{
    struct weir_log copy = log ? *log : (struct weir_log){0};
    struct weir_rule_set_made made;
    int done;

    if (!weir_rule_set_stale(config) && !unusable(config))
        return;
    done = weir_rule_set_make(config, true, log ? weir_log_problem : NULL, &copy, &made);
    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "%s: no rule set was made of it (%s); the one at work "
                 "stays", config->rules_folder, weir_error_reason(done));
    else
        weir_log(log, WEIR_LOG_INFO, "rule set %u made of %s: %zu rules", made.serial,
                 config->rules_folder, made.rules);
}
