/*
 * weir-milter - judges whole messages for Postfix.  Options, then open, run, close.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "postfix-policy/milter_io.h"
#include "postfix-policy/service_io.h"

static const char version[] = "weir-milter " WEIR_VERSION "\n";
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

static int usage(void)
{
    fputs("weir-milter: see weir-milter --help\n", stderr);
    return EX_USAGE;
}

static int check_listen(const char *address)
{
    const char *why;

    if (weir_endpoint_parse(address, NULL, &why) == 0)
        return -1;
    fprintf(stderr, "weir-milter: -l %s: %s\n", address, why);
    return EX_USAGE;
}

/* -1 to go on, else the exit code. */
static int read_options(int argc, char **argv, struct weir_milter_options *options, bool *test_r)
{
    static const struct option longer[] = {
        {"config", required_argument, NULL, 'c'}, {"test", no_argument, NULL, 't'},
        {"listen", required_argument, NULL, 'l'}, {"debug", no_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'V'},      {"help", no_argument, NULL, 'h'}, {0},
    };
    int letter, done = -1;

    while (done < 0 && (letter = getopt_long(argc, argv, "c:tl:dVh", longer, NULL)) >= 0)
        if (letter == 'c')
            options->config_path = optarg;
        else if (letter == 't')
            *test_r = true;
        else if (letter == 'l')
            done = check_listen(options->listen = optarg);
        else if (letter == 'd')
            options->debug = true;
        else if (letter == 'V' || letter == 'h')
            done = fputs(letter == 'V' ? version : help, stdout) < 0 ? EX_IOERR : EX_OK;
        else
            done = usage();
    return done < 0 && optind < argc ? usage() : done;
}

static int exit_code(int error)
{
    return error == 0 ? EX_OK : error == WEIR_EINVAL ? EX_CONFIG : EX_OSERR;
}

static int test_configuration(const char *path)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_service *service;

    if (weir_service_read(path, &report, &service) < 0)
        return EX_CONFIG;
    weir_service_free(&service);
    puts("configuration is sound");
    return EX_OK;
}

int main(int argc, char **argv)
{
    struct weir_milter_options options = {.program = "weir-milter"};
    struct weir_milter_service *service;
    bool test = false;
    int done = read_options(argc, argv, &options, &test);

    if (done >= 0)
        return done;
    if (test)
        return test_configuration(options.config_path);
    done = weir_milter_service_open(&options, &service);
    if (done < 0)
        return exit_code(done);
    done = weir_milter_run(service);
    weir_milter_service_end(&service);
    return exit_code(done);
}
