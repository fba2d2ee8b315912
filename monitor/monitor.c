/*
 * weir-monitor - hears all servers and answers for all of them.  Options, then open, run, close.
 */
#include "core/engine/config.h"
#include "core/program/daemon_options.h"
#include "monitor/monitor_io.h"

static const char help[] =
    "weir-monitor - learns from all mail servers and protects all of them\n\n"
    "  -c, --config FILE     read FILE instead of " WEIR_CONFIG_PATH "\n"
    "                            weir-monitor -c /etc/weir/test.conf\n"
    "  -t, --test            test the configuration: 0 when it is sound, 78 when it is not\n"
    "                            weir-monitor -t -c /etc/weir/weir.conf\n"
    "  -l, --listen ADDRESS  hear agents there and not where the configuration says\n"
    "                            weir-monitor -l inet:127.0.0.1:8425\n"
    "  -d, --debug           log everything, to standard error\n"
    "                            weir-monitor -d -c /etc/weir/weir.conf\n"
    "  -V, --version         print the version\n"
    "                            weir-monitor -V\n"
    "  -h, --help            print this:  weir-monitor --help\n\n"
    "It stays in the foreground.  SIGTERM: stop; SIGHUP: read the configuration anew.  See\n"
    "weir-monitor(8), `weirctl server add`, and weir.conf(5).\n";

int main(int argc, char **argv)
{
    struct weir_daemon_options options = {
        .program = "weir-monitor", .help = help, .listen_most = 1};
    struct weir_monitor_options wanted;
    struct weir_monitor *monitor;
    int done = weir_daemon_options_read(&options, argc, argv);

    if (done >= 0)
        return done;
    wanted = (struct weir_monitor_options){
        .program = options.program,
        .config_path = options.config_path,
        .listen = options.listen.count ? options.address[0] : NULL,
        .debug = options.debug,
        .test = options.test,
    };
    if (options.test)
        return weir_daemon_tested(weir_monitor_test(&wanted));
    done = weir_monitor_open(&wanted, &monitor);
    if (done < 0)
        return weir_daemon_exit_code(done);
    done = weir_monitor_run(monitor);
    weir_monitor_close(&monitor);
    return weir_daemon_exit_code(done);
}
