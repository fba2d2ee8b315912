/*
 * sniffer_options - reads the command line of weir-sniffer.  -r takes the file behind it and
 * all further words.  Refuses what it does not know, and options that contradict each other.
 */
#include "sniffer/sniffer_options.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "core/engine/config.h"

static const char help[] =
    "weir-sniffer - listens to SMTP traffic and counts it by originating address\n\n"
    "  -i, --interface NAME  listen at this interface, not the configured one (any: at all)\n"
    "                            weir-sniffer -d -i eth0\n"
    "  -r, --read FILE...    read capture files (pcap, pcapng; - for standard input) instead\n"
    "                            weir-sniffer -r monday.pcap tuesday.pcap\n"
    "                            tcpdump -w - port 25 | weir-sniffer -r -\n"
    "  -j, --json            with -r: one line of JSON for each connection, message, address\n"
    "                            weir-sniffer -r monday.pcap --json | jq 'select(.accepted>9)'\n"
    "  -p, --ports LIST      the mail servers' ports, not the configured ones\n"
    "                            weir-sniffer -r monday.pcap -p 25,2525\n"
    "  -P, --proxies LIST    believe PROXY headers and XCLIENT of these\n"
    "                            weir-sniffer -r monday.pcap -P 10.0.0.0/8\n"
    "  -c, --config FILE     read FILE instead of " WEIR_CONFIG_PATH "\n"
    "                            weir-sniffer -c /etc/weir/test.conf\n"
    "  -t, --test            test the configuration: 0 when it is sound, 78 when it is not\n"
    "                            weir-sniffer -t -c /etc/weir/weir.conf\n"
    "  -d, --debug           log everything, to standard error\n"
    "                            weir-sniffer -d\n"
    "  -V, --version         print the version\n"
    "                            weir-sniffer -V\n"
    "  -h, --help            print this:  weir-sniffer --help\n\n"
    "Listening, it stays in the foreground and writes what it counts to the spool, from where\n"
    "weir-agent(8) takes it.  SIGHUP: read the configuration again; SIGTERM: stop.\n"
    "See weir-sniffer(8), weir.conf(5).\n";

static int usage(const struct weir_sniffer_options *options, const char *what)
{
    if (what)
        fprintf(stderr, "%s: %s\n", options->program, what);
    fprintf(stderr, "%s: see %s --help\n", options->program, options->program);
    return EX_USAGE;
}

static int show(const struct weir_sniffer_options *options, bool version)
{
    int done = version ? printf("%s %s\n", options->program, WEIR_VERSION) : fputs(help, stdout);

    return done < 0 || fflush(stdout) != 0 ? EX_IOERR : EX_OK;
}

/* One option: -1 to go on. */
static int take(struct weir_sniffer_options *options, int letter, char *value, char **first)
{
    switch (letter) {
    case 'c': options->config_path = value; return -1;
    case 'i': options->interface = value; return -1;
    case 'p': options->ports = value; return -1;
    case 'P': options->proxies = value; return -1;
    case 'j': options->json = true; return -1;
    case 'd': options->debug = true; return -1;
    case 't': options->test = true; return -1;
    case 'r':
        if (*first)
            return usage(options, "-r is given once, with all files behind it");
        *first = value;
        return -1;
    case 'V':
    case 'h': return show(options, letter == 'V');
    default: return usage(options, NULL);
    }
}

/* The words behind the options are files, if there is a -r.  getopt put them at the end, and
 * there is room for the first one before them: the option -r or its own word stood there. */
static int take_files(struct weir_sniffer_options *options, int argc, char **argv, char *first)
{
    if (!first && optind < argc)
        return usage(options, "files are read with -r");
    if (!first && options->json)
        return usage(options, "--json goes with -r");
    if (first && options->interface)
        return usage(options, "-i and -r exclude each other");
    if (first) {
        options->file = argv + optind - 1;
        options->file[0] = first;
        options->files = (size_t)(argc - optind) + 1;
    }
    return -1;
}

int weir_sniffer_options_read(struct weir_sniffer_options *options, int argc, char **argv)
{
    static const struct option longer[] = {
        {"interface", required_argument, NULL, 'i'}, {"read", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},            {"ports", required_argument, NULL, 'p'},
        {"proxies", required_argument, NULL, 'P'},   {"config", required_argument, NULL, 'c'},
        {"test", no_argument, NULL, 't'},            {"debug", no_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'V'},         {"help", no_argument, NULL, 'h'},
        {0},
    };
    char *first = NULL;
    int letter, done = -1;

    while (done < 0 && (letter = getopt_long(argc, argv, "i:r:jp:P:c:tdVh", longer, NULL)) >= 0)
        done = take(options, letter, optarg, &first);
    return done < 0 ? take_files(options, argc, argv, first) : done;
}
