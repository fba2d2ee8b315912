/*
 * sniffer_options - the command line of weir-sniffer.
 *
 * Owner:    texts are the command line's own.
 * Errors:   told on standard error; what is asked for (help, version) goes to standard output.
 */
#ifndef WEIR_SNIFFER_OPTIONS_H
#define WEIR_SNIFFER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct weir_sniffer_options {
    const char *program;
    const char *config_path;     /* NULL: the usual place */
    const char *interface;       /* instead of the configuration's, as are the next two */
    const char *ports, *proxies;
    char **file;                 /* to be read; none: listen */
    size_t files;
    bool json, debug, test;
};

/* Reads the command line, whose words it may put into another order: -1 to go on, else the exit
 * code. */
int weir_sniffer_options_read(struct weir_sniffer_options *options, int argc, char **argv);

#endif
