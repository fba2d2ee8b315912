/*
 * api_live - what is told to live pages, and how often it is looked at: the same functions that
 * answer their questions.  Of rules only that they are others is told: pages read them anew.
 */
#ifndef WEIR_CONSOLE_API_LIVE_H
#define WEIR_CONSOLE_API_LIVE_H

#include "monitor/console/api.h"

#define WEIR_API_LIVE 7

struct weir_api_live {
    const char *name;            /* of the event */
    unsigned every;              /* seconds */
    weir_api_function *run;
};

extern const struct weir_api_live weir_api_live[WEIR_API_LIVE];

#endif
