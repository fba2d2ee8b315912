/*
 * api_shapes - what answers and bodies of the API look like: members and their types, one row a
 * route.  Heads of files and the description (OpenAPI) are written from it, and a test holds real
 * answers against it.
 *
 *     "number:integer time:time ends:time? reason:string! ..."
 *
 * A type is string, time (RFC 3339), integer, number, boolean, object, array or any; '?': it may be
 * null; '!': a body has to have it.
 *
 * Owner:    static.  Threads: any.
 */
#ifndef WEIR_CONSOLE_API_SHAPES_H
#define WEIR_CONSOLE_API_SHAPES_H

#include "monitor/console/api.h"

struct weir_api_shape {
    weir_api_function *run;
    bool rows;                   /* {"now", "rows", "more"}, and members are a row's */
    bool open;                   /* it may have others */
    const char *members;         /* of the answer; NULL: not JSON */
    const char *body;            /* NULL: it has none */
};

/* Of what a route runs; NULL: it has none (GET /live). */
const struct weir_api_shape *weir_api_shape(weir_api_function *run);

struct weir_api_member {
    char name[32], type[12];
    bool nullable, required;
};

/* The next member of a text; NULL at its end, else what follows. */
const char *weir_api_member(const char *text, struct weir_api_member *member_r);

#endif
