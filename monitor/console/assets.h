/*
 * assets - the console's pages, as they were when it was built: what lies in monitor/console/web,
 * packed (gzip), the same for everybody.  The modules that every page needs are one file,
 * console.js; index.html names the others in a folder that has another name when one of them is
 * another.
 *
 * Made by the Makefile.  Threads: constant.
 */
#ifndef WEIR_CONSOLE_ASSETS_H
#define WEIR_CONSOLE_ASSETS_H

#include <stddef.h>

struct weir_asset {
    const char *name;            /* "index.html"; NULL behind the last one */
    const unsigned char *octets; /* packed */
    size_t len;
};

extern const struct weir_asset weir_assets[];
extern const char weir_assets_folder[]; /* "6ae307b7910a8025" */

#endif
