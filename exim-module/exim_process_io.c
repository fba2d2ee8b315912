/*
 * exim_process - reads, opens, and tells its own from what was inherited.
 *
 * Owns the arena of the configuration, stores, engine and judges.  What a parent opened is
 * forgotten, not closed: its files and sockets are still the parent's.
 */
#include "exim-module/exim_process_io.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

#define ARENA_FIRST 16384

static void forget(struct weir_exim_process *process)
{
    process->opened = false;
    process->stores = (struct weir_stores){0};
    process->numbers = NULL;
    process->engine = NULL;
    process->judges = NULL;
}

static void close_all(struct weir_exim_process *process)
{
    weir_judges_free(&process->judges);
    weir_engine_free(&process->engine);
    if (process->opened && process->stores.counters) {
        (void)weir_counters_flush(process->stores.counters, NULL);
        weir_numbers_counters(process->numbers, process->stores.counters, false);
    }
    if (process->opened)
        weir_stores_close(&process->stores);
    weir_numbers_close(&process->numbers);
    forget(process);
}

/* After a fork nothing that is open is ours. */
static void be_oneself(struct weir_exim_process *process)
{
    pid_t pid = getpid();

    if (process->pid == pid)
        return;
    forget(process);
    process->pid = pid;
    process->busy = false;
}

static int load(struct weir_exim_process *process, const char *path)
{
    struct weir_settings_report report = {weir_log_problem, &process->log};
    int done;

    weir_arena_free(&process->arena);
    memset(&process->config, 0, sizeof process->config); /* accept, observe */
    if (snprintf(process->path, sizeof process->path, "%s", path) >= (int)sizeof process->path) {
        weir_log(&process->log, WEIR_LOG_ERROR, "the configuration's path is too long");
        return WEIR_ELIMIT;
    }
    process->arena = weir_arena_new(ARENA_FIRST);
    if (!process->arena)
        return WEIR_ENOMEM;
    done = weir_config_load(path[0] ? process->path : NULL, process->arena, &report,
                            &process->config);
    if (done == 0)
        process->log.most = (enum weir_log_level)process->config.log_level;
    return done;
}

int weir_exim_process_use(struct weir_exim_process *process, const char *path)
{
    if (!path)
        path = "";
    be_oneself(process);
    if (process->arena && process->trouble == 0 && strcmp(process->path, path) == 0)
        return 0;
    close_all(process);
    process->trouble = load(process, path);
    return process->trouble;
}

struct weir_numbers *weir_exim_process_numbers(struct weir_exim_process *process)
{
    if (!process->numbers)
        (void)weir_numbers_open(&process->config, WEIR_NUMBERS_EXIM, false, &process->log,
                                &process->numbers);
    return process->numbers;
}

static void open_stores(struct weir_exim_process *process)
{
    unsigned use = process->config.learn ? WEIR_STORES_ADD_IF_MAY : WEIR_STORES_READ;

    if (process->opened)
        return;
    (void)weir_stores_open(&process->config, use, &process->log, &process->stores);
    weir_numbers_measure(weir_exim_process_numbers(process), process->stores.counters);
    process->opened = true;
}

struct weir_engine *weir_exim_process_engine(struct weir_exim_process *process)
{
    struct weir_engine_parts parts = {.config = &process->config, .log = &process->log};

    if (process->engine)
        return process->engine;
    open_stores(process);
    parts.key = &process->stores.key;
    parts.domains = process->stores.domains;
    parts.lists = process->stores.lists;
    parts.counters = process->stores.counters;
    if (parts.domains)
        (void)weir_engine_new(&parts, &process->engine);
    return process->engine;
}

struct weir_judges *weir_exim_process_judges(struct weir_exim_process *process)
{
    struct weir_judges_options options = {.program = "weir-exim", .brief = true, .spool = true};

    if (process->judges)
        return process->judges;
    open_stores(process);
    options.numbers = process->numbers;
    if (process->stores.domains)
        (void)weir_judges_open(&process->config, &process->stores, &options, &process->log,
                               &process->judges);
    return process->judges;
}

void weir_exim_process_end(struct weir_exim_process *process)
{
    if (process->pid == getpid() && !process->busy)
        close_all(process);
}
