/*
 * api_request - what a console or a program asks: a path, arguments, a body, all of them anybody's.
 *
 *     GET /api/v1/messages?domain=example.com&verdict=spam&most=50
 *
 * A path is cut at its '/' into words, each decoded (%41) once: what decodes to '/', to nothing, to
 * ".", "..", to a control character or to no UTF-8 makes the whole path none.  Arguments are
 * decoded the same way ('+' is a blank), may hold anything of UTF-8 but controls, and a name that
 * comes twice is refused.  A body is one JSON object in UTF-8.
 *
 * Owner:    the caller; everything points into one buffer of the request's own.  Threads: pure.
 * Errors:   a status of HTTP and *why_r, a sentence: 400, 413 (body), 414 (path), 415 (a body that
 *           is no JSON).
 * Limits:   WEIR_API_PATH_MAX octets of a path, WEIR_API_WORDS_MAX words, WEIR_API_ARGUMENTS_MAX
 *           arguments of WEIR_API_ARGUMENT_MAX octets, WEIR_API_BODY_MAX octets of a body,
 *           WEIR_API_DEPTH_MAX of its nesting.
 */
#ifndef WEIR_CONSOLE_API_REQUEST_H
#define WEIR_CONSOLE_API_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/cursor.h"

#define WEIR_API_PATH_MAX 1024
#define WEIR_API_WORDS_MAX 8
#define WEIR_API_ARGUMENTS_MAX 16
#define WEIR_API_ARGUMENT_MAX 512
#define WEIR_API_BODY_MAX (1u << 20)
#define WEIR_API_DEPTH_MAX 16

struct weir_api_request {
    const char *method;                          /* "GET", "POST", "PUT", "DELETE" */
    const char *word[WEIR_API_WORDS_MAX];        /* of the path behind /api/v1 */
    size_t words;
    struct weir_api_argument { const char *name, *value; } argument[WEIR_API_ARGUMENTS_MAX];
    size_t arguments;
    json_t *body;                                /* an object, or NULL: there is none */
    char text[WEIR_API_PATH_MAX + 1 +
              WEIR_API_ARGUMENTS_MAX * (2 * WEIR_API_ARGUMENT_MAX + 2)]; /* all of the above */
    size_t used;
};

/* The path as it came, before any decoding.  0, or a status. */
int weir_api_request_path(struct weir_api_request *request, const char *path, const char **why_r);

/* One more argument, as it came.  0, or a status. */
int weir_api_request_argument(struct weir_api_request *request, struct weir_slice name,
                              struct weir_slice value, const char **why_r);

/* The body; type: of its Content-Type field.  0, or a status. */
int weir_api_request_body(struct weir_api_request *request, const char *type,
                          struct weir_slice octets, const char **why_r);

void weir_api_request_forget(struct weir_api_request *request);

/* An argument's value; NULL when it was not given. */
const char *weir_api_argument(const struct weir_api_request *request, const char *name);

/* The same as a number of [least, most], or as a point in time (RFC 3339, seconds since 1970, or an
 * age: 20d): `none` when it was not given.  False: it is something else. */
bool weir_api_number(const struct weir_api_request *request, const char *name, int64_t least,
                     int64_t most, int64_t none, int64_t *number_r);
bool weir_api_time(const struct weir_api_request *request, const char *name, weir_time now,
                   weir_time none, weir_time *time_r);

#endif
