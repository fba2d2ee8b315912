/*
 * daemon_options - reads a daemon's command line.
 *
 * Owns nothing.  Refuses what it does not know, words that are no options, and addresses that
 * cannot be listened at or are more than the daemon can serve.
 */
#include "core/program/daemon_options.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "core/program/service_io.h"

static int usage(const struct weir_daemon_options *options)
{
    fprintf(stderr, "%s: see %s --help\n", options->program, options->program);
    return EX_USAGE;
}

static int add_listen(struct weir_daemon_options *options, const char *address)
{
    const char *why = "too many addresses";

    if (options->listen.count == options->listen_most ||
        weir_endpoint_parse(address, NULL, &why) < 0) {
        fprintf(stderr, "%s: -l %s: %s\n", options->program, address, why);
        return EX_USAGE;
    }
    options->address[options->listen.count++] = address;
    return -1;
}

static int show(const struct weir_daemon_options *options, bool version)
{
    int done = version ? fprintf(stdout, "%s %s\n", options->program, WEIR_VERSION)
                       : fputs(options->help, stdout);
    return done < 0 ? EX_IOERR : EX_OK;
}

int weir_daemon_options_read(struct weir_daemon_options *options, int argc, char **argv)
{
    static const struct option longer[] = {
        {"config", required_argument, NULL, 'c'}, {"test", no_argument, NULL, 't'},
        {"listen", required_argument, NULL, 'l'}, {"debug", no_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'V'},      {"help", no_argument, NULL, 'h'}, {0},
    };
    int letter, done = -1;

    options->listen = (struct weir_strings){.item = options->address};
    while (done < 0 && (letter = getopt_long(argc, argv, "c:tl:dVh", longer, NULL)) >= 0)
        if (letter == 'c')
            options->config_path = optarg;
        else if (letter == 't')
            options->test = true;
        else if (letter == 'l')
            done = add_listen(options, optarg);
        else if (letter == 'd')
            options->debug = true;
        else if (letter == 'V' || letter == 'h')
            done = show(options, letter == 'V');
        else
            done = usage(options);
    return done < 0 && optind < argc ? usage(options) : done;
}

int weir_daemon_test(const char *config_path)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_service *service;

    int done = weir_service_read(config_path, &report, &service);

    if (done == 0)
        weir_service_free(&service);
    return weir_daemon_tested(done);
}

int weir_daemon_tested(int error)
{
    if (error < 0)
        return EX_CONFIG;
    puts("configuration is sound");
    return EX_OK;
}

int weir_daemon_exit_code(int error)
{
    return error == 0             ? EX_OK
           : error == WEIR_EINVAL ? EX_CONFIG
           : error == WEIR_EBUSY  ? EX_TEMPFAIL
                                  : EX_OSERR;
}
