/*
 * weir-policyd - answers Postfix' policy requests.  Options, then open, run, close.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "postfix-policy/policy_server_io.h"
#include "postfix-policy/service_io.h"

#define LISTEN_MOST 16

static const char version[] = "weir-policyd " WEIR_VERSION "\n";
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

struct choices {
    struct weir_policy_server_options server;
    const char *listen[LISTEN_MOST];
    bool test;
};

static int usage(void)
{
    fputs("weir-policyd: see weir-policyd --help\n", stderr);
    return EX_USAGE;
}

static int add_listen(struct choices *choices, const char *address)
{
    const char *why = "too many addresses";

    struct weir_strings *listen = &choices->server.listen;

    if (listen->count == LISTEN_MOST || weir_endpoint_parse(address, NULL, &why) < 0) {
        fprintf(stderr, "weir-policyd: -l %s: %s\n", address, why);
        return EX_USAGE;
    }
    choices->listen[listen->count++] = address;
    return -1;
}

/* -1 to go on, else the exit code. */
static int read_options(int argc, char **argv, struct choices *choices)
{
    static const struct option longer[] = {
        {"config", required_argument, NULL, 'c'}, {"test", no_argument, NULL, 't'},
        {"listen", required_argument, NULL, 'l'}, {"debug", no_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'V'},      {"help", no_argument, NULL, 'h'}, {0},
    };
    int letter, done = -1;

    while (done < 0 && (letter = getopt_long(argc, argv, "c:tl:dVh", longer, NULL)) >= 0)
        if (letter == 'c')
            choices->server.config_path = optarg;
        else if (letter == 't')
            choices->test = true;
        else if (letter == 'l')
            done = add_listen(choices, optarg);
        else if (letter == 'd')
            choices->server.debug = true;
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

static int test_configuration(const struct choices *choices)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_service *service;
    int done = weir_service_read(choices->server.config_path, &report, &service);

    if (done < 0)
        return EX_CONFIG;
    weir_service_free(&service);
    puts("configuration is sound");
    return EX_OK;
}

int main(int argc, char **argv)
{
    struct choices choices = {.server = {.program = "weir-policyd"}};
    struct weir_policy_server *server;
    int done;

    choices.server.listen.item = choices.listen;
    if ((done = read_options(argc, argv, &choices)) >= 0)
        return done;
    if (choices.test)
        return test_configuration(&choices);
    done = weir_policy_server_open(&choices.server, &server);
    if (done < 0)
        return exit_code(done);
    done = weir_policy_server_run(server);
    weir_policy_server_close(&server);
    return exit_code(done);
}
