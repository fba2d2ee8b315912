/*
 * weir-agent - between a mail server and its monitor.  Options, then open, run, close.
 */
#include <string.h>
#include <sysexits.h>

#include "core/engine/config.h"
#include "core/program/daemon_options.h"
#include "monitor/agent/agent_io.h"
#include "monitor/agent/firewall_io.h"

static const char help[] =
    "weir-agent - carries a mail server's records to the monitor, and its lists back\n\n"
    "  -c, --config FILE     read FILE instead of " WEIR_CONFIG_PATH "\n"
    "                            weir-agent -c /etc/weir/test.conf\n"
    "  -t, --test            test the configuration: 0 when it is sound, 78 when it is not\n"
    "                            weir-agent -t -c /etc/weir/weir.conf\n"
    "  -d, --debug           log everything, to standard error\n"
    "                            weir-agent -d -c /etc/weir/weir.conf\n"
    "      --clear-nftables  take away what [agent] nftables made in the kernel, and end\n"
    "                            weir-agent --clear-nftables\n"
    "  -V, --version         print the version\n"
    "                            weir-agent -V\n"
    "  -h, --help            print this:  weir-agent --help\n\n"
    "It stays in the foreground.  SIGTERM: stop; a new configuration: start it again, nothing is\n"
    "lost meanwhile.  See weir-agent(8), `weirctl server add`, and weir.conf(5).\n";

static int clear_nftables(void)
{
    struct weir_firewall *firewall = NULL;
    struct weir_log log;
    int done = weir_log_open("weir-agent", "stderr", WEIR_LOG_WARNING, &log);

    if (done == 0)
        done = weir_firewall_open(&(struct weir_firewall_options){.observe = true}, &log,
                                  &firewall);
    if (done == 0)
        done = weir_firewall_clear(firewall);
    weir_firewall_free(&firewall);
    return done < 0 ? EX_OSERR : EX_OK;
}

int main(int argc, char **argv)
{
    struct weir_daemon_options options = {.program = "weir-agent", .help = help};
    struct weir_agent_options wanted;
    struct weir_agent *agent;
    int done;

    if (argc == 2 && strcmp(argv[1], "--clear-nftables") == 0)
        return clear_nftables();
    done = weir_daemon_options_read(&options, argc, argv);
    if (done >= 0)
        return done;
    wanted = (struct weir_agent_options){.program = options.program,
                                         .config_path = options.config_path,
                                         .debug = options.debug,
                                         .test = options.test};
    if (options.test)
        return weir_daemon_tested(weir_agent_test(&wanted));
    done = weir_agent_open(&wanted, &agent);
    if (done < 0)
        return weir_daemon_exit_code(done);
    done = weir_agent_run(agent);
    weir_agent_close(&agent);
    return weir_daemon_exit_code(done);
}
