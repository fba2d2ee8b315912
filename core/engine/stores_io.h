/*
 * stores - opens what the configuration names: lists, counters, key, suffixes.
 *
 * What every program does after reading its configuration, in one place.
 */
#ifndef WEIR_ENGINE_STORES_IO_H
#define WEIR_ENGINE_STORES_IO_H

#include "core/engine/config.h"
#include "core/mail/domain.h"
#include "core/store/lists_io.h"

struct weir_stores {
    struct weir_lists *lists;       /* NULL when it could not be opened */
    struct weir_counters *counters; /* NULL when it could not be opened */
    struct weir_domains *domains;
    struct weir_hash_key key;
};

enum weir_stores_use {
    WEIR_STORES_READ = 0,
    WEIR_STORES_WRITE_LISTS = 1,
    WEIR_STORES_WRITE_COUNTERS = 2,
    WEIR_STORES_ADD_IF_MAY = 4, /* write counters where this user may, else read them */
};

/* Opens them; the key is made when there is none and it may be written.  A store
 * that cannot be opened is NULL, logged with path and reason; 0 when all are
 * open, else an error, that of counters before that of lists: daemons go on,
 * tools stop. */
int weir_stores_open(const struct weir_config *config, unsigned use, const struct weir_log *log,
                     struct weir_stores *stores_r);
void weir_stores_close(struct weir_stores *stores);

/* The lists alone, for programs that need nothing else.  0 or an error, which was logged. */
int weir_stores_open_lists(const struct weir_config *config, unsigned use,
                           const struct weir_log *log, struct weir_lists **lists_r);

/* The counters and their key alone. */
int weir_stores_open_counters(const struct weir_config *config, unsigned use,
                              const struct weir_log *log, struct weir_hash_key *key_r,
                              struct weir_counters **counters_r);

/* Reads a 16-octet key (32 hex digits) from path, or makes one (mode 0640) when
 * there is no file.  0, WEIR_EIO, WEIR_EINVAL. */
int weir_key_file(const char *path, struct weir_hash_key *key_r);

/* Reads the configuration for a program; problems go to the report.  path NULL:
 * WEIR_CONFIG_PATH when it exists, else defaults.  0 or an error. */
int weir_config_load(const char *path, struct weir_arena *arena,
                     const struct weir_settings_report *report, struct weir_config *config_r);

/* The same for a program that refuses more texts than the table does: its own check stands in the
 * place of the table's, so that what it cannot use is told with file and line.  The default must
 * pass it. */
struct weir_config_check {
    const char *section, *name;
    int (*fit)(const char *text, const char **why_r); /* as a row's check */
};
int weir_config_load_checked(const char *path, struct weir_arena *arena,
                             const struct weir_settings_report *report,
                             const struct weir_config_check *check, size_t checks,
                             struct weir_config *config_r);

/* Whether the state directory is there: 0, or WEIR_EIO and it was logged. */
int weir_config_check_state(const struct weir_config *config, const struct weir_log *log);

/* The log the configuration asks for.  program must live as long as the log. */
int weir_config_log(const struct weir_config *config, const char *program,
                    struct weir_log *log_r);

#endif
