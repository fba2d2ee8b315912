/*
 * stores - opens what the configuration names: lists, counters, key, suffixes.
 *
 * A store that cannot be opened is logged with its path and left NULL: daemons go
 * on without it, because mail must flow; tools look at the result and stop.
 */
#include "core/engine/stores_io.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/secret_io.h"

#define LISTS_MODE 0660
#define COUNTERS_MODE 0660

int weir_key_file(const char *path, struct weir_hash_key *key_r)
{
    struct weir_hash_key fresh = weir_hash_key_random();
    char hex[2 * WEIR_HASH_KEY + 2], text[2 * WEIR_HASH_KEY + 2];
    size_t got, len;
    int done;

    sodium_bin2hex(hex, sizeof hex - 1, fresh.octet, sizeof fresh.octet);
    strcat(hex, "\n");
    done = weir_secret_file(path, hex, text, sizeof text, &got);
    if (done < 0)
        return done == WEIR_ELIMIT ? WEIR_EINVAL : done; /* longer than any key */
    if (sodium_hex2bin(key_r->octet, sizeof key_r->octet, text, got, "\n", &len, NULL) != 0)
        return WEIR_EINVAL;
    return len == WEIR_HASH_KEY ? 0 : WEIR_EINVAL;
}

static int trouble(const struct weir_log *log, const char *path, int error, const char *why)
{
    bool told = error != WEIR_EIO && why && why[0];

    weir_log(log, WEIR_LOG_ERROR, "%s: %s", path, told ? why : weir_error_reason(error));
    return error;
}

/* Parses the never-list; an item that is no prefix is an error of configuration. */
static int parse_never(const struct weir_config *config, const struct weir_log *log,
                       struct weir_arena *arena, struct weir_prefix **never_r)
{
    struct weir_prefix *never = weir_arena_zero(arena, config->never.count + 1, sizeof *never);

    if (!never)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < config->never.count; i++) {
        const char *item = config->never.item[i], *why = NULL;
        int done = weir_prefix_parse(item, strlen(item), &never[i], &why);

        if (done < 0) {
            weir_log(log, WEIR_LOG_ERROR, "[weir] never: \"%s\": %s", item, why);
            return done;
        }
    }
    *never_r = never;
    return 0;
}

static int open_lists(const struct weir_config *config, unsigned use, const struct weir_log *log,
                      struct weir_arena *arena, struct weir_lists **lists_r)
{
    struct weir_lists_options options = {
        .path = weir_config_path(config, config->lists_file, arena),
        .write = use & WEIR_STORES_WRITE_LISTS,
        .mode = LISTS_MODE,
        .nevers = config->never.count,
    };
    struct weir_prefix *never;
    const char *why = NULL;
    int done = parse_never(config, log, arena, &never);

    if (done < 0)
        return done;
    options.never = never;
    done = options.path ? weir_lists_open(&options, log, lists_r, &why) : WEIR_ENOMEM;
    return done < 0 ? trouble(log, options.path ? options.path : "lists", done, why) : 0;
}

static int open_local(const struct weir_config *config, unsigned use, const struct weir_log *log,
                      struct weir_arena *arena, struct weir_counters **counters_r)
{
    struct weir_counters_local_options options = {
        .path = weir_config_path(config, config->counters_file, arena),
        .bytes_most = (uint64_t)config->counters_size,
        .read_only = !(use & WEIR_STORES_WRITE_COUNTERS),
        .mode = COUNTERS_MODE,
    };
    if (use & WEIR_STORES_ADD_IF_MAY && options.path && access(options.path, W_OK) == 0)
        options.read_only = false;
    const char *why = NULL;
    int done = options.path ? weir_counters_open_local(&options, log, counters_r, &why)
                            : WEIR_ENOMEM;

    return done < 0 ? trouble(log, options.path ? options.path : "counters", done, why) : 0;
}

static int open_memcached(const struct weir_config *config, const struct weir_log *log,
                          struct weir_counters **counters_r)
{
    struct weir_counters_memcached_options options = {
        .server = config->servers.item,
        .servers = config->servers.count,
        .wait = config->wait,
        .near = config->near,
        .near_entities = (size_t)config->near_entities,
        .retry_least = config->retry_least,
        .retry_most = config->retry_most,
        .steady = weir_clock_steady(),
    };
    const char *why = NULL;
    int done = weir_counters_open_memcached(&options, log, counters_r, &why);

    return done < 0 ? trouble(log, "[memcached] servers", done, why) : 0;
}

static int open_counters(const struct weir_config *config, unsigned use,
                         const struct weir_log *log, struct weir_arena *arena,
                         struct weir_hash_key *key_r, struct weir_counters **counters_r)
{
    const char *path = weir_config_path(config, config->key_file, arena);
    int done = path ? weir_key_file(path, key_r) : WEIR_ENOMEM;

    if (done < 0)
        return trouble(log, path ? path : "key", done,
                       done == WEIR_EINVAL ? "not 32 hexadecimal digits" : NULL);
    if (config->counters == WEIR_COUNTERS_MEMCACHED)
        return open_memcached(config, log, counters_r);
    return open_local(config, use, log, arena, counters_r);
}

int weir_stores_open_counters(const struct weir_config *config, unsigned use,
                              const struct weir_log *log, struct weir_hash_key *key_r,
                              struct weir_counters **counters_r)
{
    struct weir_arena *arena = weir_arena_new(1024);
    int done = arena ? open_counters(config, use, log, arena, key_r, counters_r) : WEIR_ENOMEM;

    weir_arena_free(&arena);
    return done;
}

int weir_stores_open_lists(const struct weir_config *config, unsigned use,
                           const struct weir_log *log, struct weir_lists **lists_r)
{
    struct weir_arena *arena = weir_arena_new(1024);
    int done = arena ? open_lists(config, use, log, arena, lists_r) : WEIR_ENOMEM;

    weir_arena_free(&arena);
    return done;
}

int weir_stores_open(const struct weir_config *config, unsigned use, const struct weir_log *log,
                     struct weir_stores *stores_r)
{
    struct weir_arena *arena = weir_arena_new(4096);
    int domains, lists, counters;

    *stores_r = (struct weir_stores){0};
    if (!arena)
        return WEIR_ENOMEM;
    domains = weir_domains_open(config->suffix_list, &stores_r->domains);
    if (domains < 0) {
        trouble(log, config->suffix_list, domains, NULL);
        weir_log(log, WEIR_LOG_WARNING, "the suffix list built into libpsl serves instead");
        (void)weir_domains_open(NULL, &stores_r->domains);
    }
    lists = open_lists(config, use, log, arena, &stores_r->lists);
    counters = open_counters(config, use, log, arena, &stores_r->key, &stores_r->counters);
    weir_arena_free(&arena);
    return counters < 0 ? counters : lists < 0 ? lists : domains;
}

void weir_stores_close(struct weir_stores *stores)
{
    weir_lists_free(&stores->lists);
    weir_counters_free(&stores->counters);
    weir_domains_free(&stores->domains);
    sodium_memzero(&stores->key, sizeof stores->key);
}

int weir_config_load(const char *path, struct weir_arena *arena,
                     const struct weir_settings_report *report, struct weir_config *config_r)
{
    return weir_config_load_checked(path, arena, report, NULL, 0, config_r);
}

/* The table with a program's own checks in it; NULL when memory is short. */
static struct weir_setting *checked_rows(const struct weir_settings *settings,
                                         struct weir_arena *arena,
                                         const struct weir_config_check *check, size_t checks)
{
    struct weir_setting *row = weir_arena_take(arena, settings->count * sizeof *row);

    if (!row)
        return NULL;
    memcpy(row, settings->row, settings->count * sizeof *row);
    for (size_t i = 0; i < settings->count; i++)
        for (size_t j = 0; j < checks; j++)
            if (strcmp(row[i].section, check[j].section) == 0 &&
                strcmp(row[i].name, check[j].name) == 0)
                row[i].check = check[j].fit;
    return row;
}

int weir_config_load_checked(const char *path, struct weir_arena *arena,
                             const struct weir_settings_report *report,
                             const struct weir_config_check *check, size_t checks,
                             struct weir_config *config_r)
{
    struct weir_settings settings = *weir_config_settings();

    settings.row = checks > 0 ? checked_rows(&settings, arena, check, checks) : settings.row;
    if (!settings.row)
        return WEIR_ENOMEM;
    if (!path && access(WEIR_CONFIG_PATH, F_OK) == 0)
        path = WEIR_CONFIG_PATH;
    if (!path)
        return weir_settings_default(&settings, arena, config_r);
    int done = weir_settings_read(&settings, path, arena, report, config_r);
    const char *conflict = done == 0 ? weir_config_conflict(config_r) : NULL;

    if (conflict)
        report->problem(report->context, path, 0, conflict);
    return conflict ? WEIR_EINVAL : done;
}

int weir_config_check_state(const struct weir_config *config, const struct weir_log *log)
{
    const char *folder = config->state_directory, *why = "it is no folder";
    struct stat there;

    if (stat(folder, &there) < 0)
        why = strerror(errno);
    else if (S_ISDIR(there.st_mode))
        return 0;
    weir_log(log, WEIR_LOG_ERROR, "[weir] state_directory = %s: %s", folder, why);
    return WEIR_EIO;
}

int weir_config_log(const struct weir_config *config, const char *program,
                    struct weir_log *log_r)
{
    return weir_log_open(program, config->log == WEIR_LOG_SYSLOG ? "syslog" : "stderr",
                         (enum weir_log_level)config->log_level, log_r);
}
