/*
 * ctl_open - configuration and stores, opened as a verb needs them.
 *
 * A verb about lists must work while counters are broken, and the other way
 * round; so what goes wrong while opening is kept, and told only to whom it
 * concerns.  Owns what it opens until weir_ctl_close().
 */
#include "monitor/ctl/ctl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

#define ARENA 65536
#define PATIENCE WEIR_SECOND /* with memcached: no mail waits for us */

static void write_line(void *context, enum weir_log_level level, const char *line)
{
    (void)level;
    weir_ctl_error(context, 0, "%s", line);
}

static void keep_note(void *context, enum weir_log_level level, const char *line)
{
    struct weir_ctl *ctl = context;
    if (level == WEIR_LOG_ERROR && ctl->notes < WEIR_CTL_NOTES)
        snprintf(ctl->note[ctl->notes++], WEIR_CTL_NOTE, "%s", line);
}

weir_time weir_ctl_now(void)
{
    struct weir_clock clock = weir_clock_system();
    return weir_clock_now(&clock);
}

bool weir_ctl_has_agent(const struct weir_ctl *ctl)
{
    return access(ctl->config.agent_identity, F_OK) == 0 || errno == EACCES;
}

int weir_ctl_make_arena(struct weir_ctl *ctl)
{
    if (ctl->arena == NULL)
        ctl->arena = weir_arena_new(ARENA);
    return ctl->arena != NULL ? 0 : weir_ctl_error(ctl, EX_OSERR, "memory is short");
}

int weir_ctl_configure(struct weir_ctl *ctl)
{
    ctl->log = (struct weir_log){write_line, ctl, WEIR_LOG_WARNING};
    int code = weir_ctl_make_arena(ctl);
    if (code != 0)
        return code;
    struct weir_settings_report report = weir_settings_report_stderr();
    if (weir_config_load(ctl->option[WEIR_CTL_CONFIG], ctl->arena, &report, &ctl->config) != 0)
        return weir_ctl_error(ctl, EX_CONFIG, "the configuration cannot be used; correct it and "
                              "test it with weirctl -t");
    return 0;
}

int weir_ctl_make_engine(struct weir_ctl *ctl)
{
    struct weir_engine_parts parts = {
        .config = &ctl->config,
        .key = &ctl->stores.key,
        .domains = ctl->stores.domains,
        .lists = ctl->stores.lists,
        .counters = ctl->stores.counters,
        .log = &ctl->log,
    };
    if (ctl->stores.domains == NULL || weir_engine_new(&parts, &ctl->engine) != 0)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    return 0;
}

int weir_ctl_open(struct weir_ctl *ctl, unsigned use)
{
    int code = weir_ctl_configure(ctl);
    if (code != 0)
        return code;
    if (ctl->config.wait < PATIENCE)
        ctl->config.wait = PATIENCE;
    ctl->config.near = 0; /* people want to see what is there now */
    ctl->log.write = keep_note;
    (void)weir_stores_open(&ctl->config, use, &ctl->log, &ctl->stores);
    ctl->log.write = write_line;
    return weir_ctl_make_engine(ctl);
}

/* Says why something could not be opened, and what to do. */
static int missing(struct weir_ctl *ctl, const char *what)
{
    bool rights = false;
    for (size_t i = 0; i < ctl->notes; i++) {
        weir_ctl_error(ctl, 0, "%s", ctl->note[i]);
        rights |= strstr(ctl->note[i], strerror(EACCES)) != NULL;
    }
    if (rights)
        return weir_ctl_error(ctl, EX_NOPERM, "%s cannot be opened; try again as root, or as a "
                              "member of the files' group", what);
    return weir_ctl_error(ctl, EX_UNAVAILABLE, "%s cannot be opened; weirctl config shows where "
                          "they are looked for", what);
}

int weir_ctl_open_lists(struct weir_ctl *ctl, unsigned use)
{
    int code = weir_ctl_open(ctl, use);
    return code == 0 && ctl->stores.lists == NULL ? missing(ctl, "the lists") : code;
}

int weir_ctl_open_counters(struct weir_ctl *ctl, unsigned use)
{
    int code = weir_ctl_open(ctl, use);
    return code == 0 && ctl->stores.counters == NULL ? missing(ctl, "the counters") : code;
}

int weir_ctl_open_votes(struct weir_ctl *ctl)
{
    int code = weir_ctl_open_counters(ctl, WEIR_STORES_WRITE_COUNTERS);
    return code == EX_UNAVAILABLE ? EX_TEMPFAIL : code;
}

void weir_ctl_close(struct weir_ctl *ctl)
{
    weir_engine_free(&ctl->engine);
    weir_stores_close(&ctl->stores);
    weir_ctl_close_scratch(ctl);
    weir_arena_free(&ctl->arena);
}
