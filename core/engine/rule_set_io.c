/*
 * rule_set - from the published set and rule files to the image that every program maps.
 *
 * A set is stale when the published set, the folder (a file came or went) or one of its rule files
 * is newer than the image.  A new image has the published set's serial; without one, the old
 * image's and one, of which a damaged one counts as none.
 *
 * Programs that make it at the same time wait for each other, so that nobody's older one takes the
 * place of a newer; where the lock's file cannot be made, nobody else could write there either.
 */
#include "core/engine/rule_set_io.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/lock_io.h"
#include "core/engine/parcels_io.h"
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

uint32_t weir_rule_set_serial(const struct weir_config *config)
{
    struct weir_arena *arena = weir_arena_new(PATH_MOST);
    const char *path = arena ? weir_config_path(config, config->rules_file, arena) : NULL;
    uint32_t serial = path ? serial_at(path) : 0;

    weir_arena_free(&arena);
    return serial;
}

/* The published set, the newest that lies there: 1; 0 when there is none; or an error, reported. */
static int read_published(const struct weir_config *config, weir_rule_report *report,
                          void *context, void **octets_r, struct weir_rule_parcel *parcel_r)
{
    const char *folder = config->state_directory, *why = "";
    uint32_t serial = weir_parcels_newest(folder);
    char path[WEIR_PATH_MAX];
    int done = serial > 0 ? weir_parcels_read(folder, serial, octets_r, parcel_r, &why) : 0;

    if (done < 0 && report)
        report(context, weir_parcels_path(folder, serial, path), 0, why);
    return done == WEIR_EIO || done == WEIR_ENOMEM || done >= 0 ? done : WEIR_EINVAL;
}

/* The published rules first, so that local lines win; a line about a rule that is not published
 * any more is no reason to have none. */
static int read_sources(const struct weir_config *config, const struct weir_rule_parcel *published,
                        struct weir_rule_reader *reader, struct weir_arena *arena)
{
    char name[WEIR_PARCEL_NAME];
    int done = 0;

    if (published) {
        weir_rule_reader_forgive(reader);
        done = weir_rule_reader_add(reader, weir_parcel_name(published->serial, name),
                                    published->section[WEIR_PARCEL_RULES]);
    }
    if (done == 0)
        done = weir_rules_add_files(reader, config->rules_folder, arena);
    return done == WEIR_EIO && errno == ENOENT && published ? 0 : done;
}

struct making {
    const struct weir_config *config;
    weir_rule_report *report;
    void *context;
    struct weir_arena *arena;
};

static int build(const struct making *making, const struct weir_rule_sources *sources,
                 uint32_t serial, const char *path, struct weir_rule_set_made *made_r)
{
    const struct weir_rules_options options = {.serial = serial};
    void *octets;
    int done = weir_rules_build(sources, &options, making->report, making->context, &octets,
                                &made_r->octets);

    if (done < 0)
        return done;
    made_r->serial = serial;
    made_r->rules = 0;
    for (size_t i = 0; i < sources->rules; i++)
        made_r->rules += sources->rule[i].state != WEIR_RULE_DRAFT &&
                         sources->rule[i].state != WEIR_RULE_RETIRED;
    if (path)
        done = weir_rules_write_image(path, octets, made_r->octets);
    free(octets);
    return done;
}

static int make_of(const struct making *making, const struct weir_rule_parcel *published,
                   const char *path, bool write, struct weir_rule_set_made *made_r)
{
    struct weir_rule_sources sources;
    struct weir_rule_reader *reader;
    int done = weir_rule_reader_new(making->arena, making->report, making->context, &reader);

    if (done == 0)
        done = read_sources(making->config, published, reader, making->arena);
    if (done == 0)
        done = weir_rule_reader_end(reader, &sources);
    if (done < 0)
        return done;
    if (sources.errors > 0)
        return WEIR_EINVAL;
    return build(making, &sources, published ? published->serial : serial_at(path) + 1,
                 write ? path : NULL, made_r);
}

static int make(const struct making *making, const char *path, bool write,
                struct weir_rule_set_made *made_r)
{
    struct weir_rule_parcel parcel;
    void *octets = NULL;
    int done = read_published(making->config, making->report, making->context, &octets, &parcel);

    if (done >= 0)
        done = make_of(making, done == 1 ? &parcel : NULL, path, write, made_r);
    free(octets);
    return done;
}

/* Waits for its turn: a descriptor, or an error. */
static int take_turn(const struct weir_config *config, struct weir_arena *arena)
{
    const char *path = weir_config_path(config, config->rules_file, arena);
    const char *lock = path ? weir_arena_printf(arena, "%s.lock", path) : NULL;

    return lock ? weir_lock_take(lock, 0644, true) : WEIR_ENOMEM;
}

int weir_rule_set_make(const struct weir_config *config, bool write, weir_rule_report *report,
                       void *context, struct weir_rule_set_made *made_r)
{
    struct making making = {config, report, context, weir_arena_new(ARENA_FIRST)};
    const char *path =
        making.arena ? weir_config_path(config, config->rules_file, making.arena) : NULL;
    int turn = -1, done = WEIR_ENOMEM, kept;

    if (path) {
        turn = write ? take_turn(config, making.arena) : -1;
        done = make(&making, path, write, made_r);
    }
    kept = errno;
    if (turn >= 0)
        close(turn);
    weir_arena_free(&making.arena);
    errno = kept;
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

/* Whether there is a published set that is newer than the image (NULL: there is none). */
static bool published_since(const struct weir_config *config, const struct stat *image)
{
    uint32_t serial = weir_parcels_newest(config->state_directory);
    char path[WEIR_PATH_MAX];
    struct stat there;

    return serial > 0 &&
           stat(weir_parcels_path(config->state_directory, serial, path), &there) == 0 &&
           (!image || newer(&there, image));
}

bool weir_rule_set_stale(const struct weir_config *config)
{
    struct weir_arena *arena = weir_arena_new(PATH_MOST);
    const char *path = arena ? weir_config_path(config, config->rules_file, arena) : NULL;
    struct stat image;
    bool there = path && stat(path, &image) == 0;
    bool stale = path && (changed_since(config->rules_folder, there ? &image : NULL) ||
                          published_since(config, there ? &image : NULL));

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
