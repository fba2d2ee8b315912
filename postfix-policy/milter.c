/*
 * weir-milter - judges whole messages for Postfix.  Options, then open, run, close.
 */
#include "core/engine/config.h"
#include "core/program/daemon_options.h"
#include "postfix-policy/milter_io.h"

static const char help[] =
    "weir-milter - judges whole messages: tags, holds or refuses them\n\n"
    "  -c, --config FILE     read FILE instead of " WEIR_CONFIG_PATH "\n"
    "                            weir-milter -c /etc/weir/test.conf\n"
    "  -t, --test            test the configuration: 0 when it is sound, 78 when it is not\n"
    "                            weir-milter -t -c /etc/weir/weir.conf\n"
    "  -l, --listen ADDRESS  listen there and not where the configuration says\n"
    "                            weir-milter -l unix:/tmp/weir-milter.sock\n"
    "  -d, --debug           log everything, to standard error\n"
    "                            weir-milter -d -c /etc/weir/weir.conf\n"
    "  -V, --version         print the version\n"
    "                            weir-milter -V\n"
    "  -h, --help            print this:  weir-milter --help\n\n"
    "It stays in the foreground.  SIGHUP: read the configuration again; SIGTERM: stop.\n"
    "See weir-milter(8) for how Postfix is told of it, and weir.conf(5).\n";

int main(int argc, char **argv)
{
    struct weir_daemon_options options = {
        .program = "weir-milter", .help = help, .listen_most = 1};
    struct weir_milter_service *service;
    int done = weir_daemon_options_read(&options, argc, argv);

    if (done >= 0)
        return done;
    if (options.test)
        return weir_daemon_test(options.config_path);
    done = weir_milter_service_open(
        &(struct weir_milter_options){
            .program = options.program,
            .config_path = options.config_path,
            .listen = options.listen.count > 0 ? options.listen.item[0] : NULL,
            .debug = options.debug},
        &service);
    if (done < 0)
        return weir_daemon_exit_code(done);
    done = weir_milter_run(service);
    weir_milter_service_end(&service);
    return weir_daemon_exit_code(done);
}
