/*
 * The configuration, with what the command line says instead of it.
 */
#include "sniffer/live_setup_io.h"

#include <pwd.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/stores_io.h"

enum { ARENA_FIRST = 8192 };

void weir_live_setup_shut(struct weir_live_setup *setup)
{
    weir_spool_free(&setup->spool);
    weir_witness_files_free(&setup->files);
    weir_arena_free(&setup->arena);
}

/* Whether there is whom it is to become; nobody becomes another who is not root. */
static bool has_user(const struct weir_sniffer_options *options, const struct weir_config *config)
{
    return !config->sniffer_user[0] || (geteuid() != 0 && !options->test) ||
           getpwnam(config->sniffer_user) != NULL;
}

int weir_live_setup_read(const struct weir_sniffer_options *options,
                         const struct weir_settings_report *report,
                         struct weir_live_setup *setup_r)
{
    struct weir_live_setup setup = {.arena = weir_arena_new(ARENA_FIRST)};
    const char *why;
    int done = WEIR_ENOMEM;

    if (setup.arena)
        done = weir_config_load(options->config_path, setup.arena, report, &setup.config);
    if (done == 0) {
        done = weir_scope_read(&setup.config, options->ports, options->proxies,
                               &setup.scope, &why);
        if (done < 0) {
            report->problem(report->context, "[sniffer] ports, proxies", 0, why);
            done = WEIR_EINVAL;
        }
    }
    if (done == 0 && !has_user(options, &setup.config)) {
        report->problem(report->context, "[sniffer] user", 0, "there is no such user");
        done = WEIR_EINVAL;
    }
    if (done == 0 && options->debug) {
        setup.config.log = WEIR_LOG_STDERR;
        setup.config.log_level = WEIR_LOG_DEBUG;
    }
    if (done < 0)
        weir_live_setup_shut(&setup);
    else
        *setup_r = setup;
    return done;
}
