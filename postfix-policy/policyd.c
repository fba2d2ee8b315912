/*
 * weir-policyd - answers Postfix' policy requests.  Options, then open, run, close.
 */
#include "core/engine/config.h"
#include "core/program/daemon_options.h"
#include "postfix-policy/policy_server_io.h"

static const char help[] =
    "weir-policyd - decides about mail before Postfix accepts it\n\n"
    "  -c, --config FILE     read FILE instead of " WEIR_CONFIG_PATH "\n"
    "                            weir-policyd -c /etc/weir/test.conf\n"
    "  -t, --test            test the configuration: 0 when it is sound, 78 when it is not\n"
    "                            weir-policyd -t -c /etc/weir/weir.conf\n"
    "  -l, --listen ADDRESS  listen there and not where the configuration says; repeatable\n"
    "                            weir-policyd -l inet:127.0.0.1:10041 -l unix:/tmp/weir.sock\n"
    "  -d, --debug           log everything, to standard error\n"
    "                            weir-policyd -d -c /etc/weir/weir.conf\n"
    "  -V, --version         print the version\n"
    "                            weir-policyd -V\n"
    "  -h, --help            print this:  weir-policyd --help\n\n"
    "It stays in the foreground.  SIGHUP: read the configuration again; SIGTERM: stop.\n"
    "See weir-policyd(8) for how Postfix is told of it, and weir.conf(5).\n";

int main(int argc, char **argv)
{
    struct weir_daemon_options options = {
        .program = "weir-policyd", .help = help, .listen_most = WEIR_DAEMON_LISTEN_MAX};
    struct weir_policy_server *server;
    int done = weir_daemon_options_read(&options, argc, argv);

    if (done >= 0)
        return done;
    if (options.test)
        return weir_daemon_test(options.config_path);
    done = weir_policy_server_open(
        &(struct weir_policy_server_options){.program = options.program,
                                             .config_path = options.config_path,
                                             .listen = options.listen,
                                             .debug = options.debug},
        &server);
    if (done < 0)
        return weir_daemon_exit_code(done);
    done = weir_policy_server_run(server);
    weir_policy_server_close(&server);
    return weir_daemon_exit_code(done);
}
