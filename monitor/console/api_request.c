/*
 * api_request - cuts a request into words, arguments and a body.
 *
 * Refuses instead of mending: a path that can be read in two ways, an argument given twice, a body
 * nested deeper than anything here is.
 */
#include "monitor/console/api_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/mail/charset.h"
#include "monitor/view/view_time.h"

#define BAD 400
#define TOO_LONG 413
#define PATH_TOO_LONG 414
#define NO_JSON 415

static int refuse(int status, const char *why, const char **why_r)
{
    *why_r = why;
    return status;
}

/* decoding --------------------------------------------------------------------------- */

/* One octet of a text, decoded; -1: it is none that may be there. */
static int octet(struct weir_slice *text, bool form)
{
    unsigned char c = (unsigned char)text->at[0];
    int high, low;

    *text = weir_slice_behind(*text, 1);
    if (c == '+' && form)
        return ' ';
    if (c != '%')
        return c;
    if (text->len < 2)
        return -1;
    high = weir_hex_value(text->at[0]);
    low = weir_hex_value(text->at[1]);
    *text = weir_slice_behind(*text, 2);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Whether it is UTF-8 without control characters. */
static bool is_plain(struct weir_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c < ' ' || c == 0x7f)
            return false;
        if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.at[i + 1] < 0xa0)
            return false;
    }
    return weir_charset_is_utf8(text);
}

/* Decodes into the request's own room; NULL: it cannot be.  What is longer than there is room for
 * was refused before. */
static const char *decode(struct weir_api_request *request, struct weir_slice text, bool form)
{
    char *begin = request->text + request->used, *at = begin;

    if (text.len >= sizeof request->text - request->used)
        return NULL;
    while (text.len > 0) {
        int c = octet(&text, form);

        if (c < 0)
            return NULL;
        *at++ = (char)c;
    }
    if (!is_plain(weir_slice_between(begin, at)))
        return NULL;
    *at++ = '\0';
    request->used += (size_t)(at - begin);
    return begin;
}

/* path and arguments ------------------------------------------------------------------- */

static bool is_word(const char *word)
{
    return word && word[0] && strcmp(word, "/") != 0 && strcmp(word, ".") != 0 &&
           strcmp(word, "..") != 0;
}

int weir_api_request_path(struct weir_api_request *request, const char *path, const char **why_r)
{
    size_t len = strnlen(path, WEIR_API_PATH_MAX + 1);

    if (len > WEIR_API_PATH_MAX)
        return refuse(PATH_TOO_LONG, "the path is too long", why_r);
    while (path[0]) {
        size_t word;

        if (*path++ != '/' || request->words == WEIR_API_WORDS_MAX)
            return refuse(BAD, "that is no path", why_r);
        word = strcspn(path, "/");
        request->word[request->words] =
            decode(request, (struct weir_slice){path, word}, false);
        if (!is_word(request->word[request->words]))
            return refuse(BAD, "that is no path", why_r);
        request->words++;
        path += word;
    }
    return 0;
}

int weir_api_request_argument(struct weir_api_request *request, struct weir_slice name,
                              struct weir_slice value, const char **why_r)
{
    struct weir_api_argument *argument = &request->argument[request->arguments];

    if (request->arguments == WEIR_API_ARGUMENTS_MAX)
        return refuse(BAD, "too many arguments", why_r);
    if (name.len > WEIR_API_ARGUMENT_MAX || value.len > WEIR_API_ARGUMENT_MAX)
        return refuse(BAD, "an argument is too long", why_r);
    argument->name = decode(request, name, true);
    argument->value = decode(request, value, true);
    if (!argument->name || !argument->value || !argument->name[0])
        return refuse(BAD, "an argument cannot be read", why_r);
    if (weir_api_argument(request, argument->name))
        return refuse(BAD, "an argument comes twice", why_r);
    request->arguments++;
    return 0;
}

/* body ------------------------------------------------------------------------------------ */

/* How deep it is nested, before it is read. */
static size_t depth_of(struct weir_slice octets)
{
    size_t depth = 0, most = 0;
    bool text = false;

    for (size_t i = 0; i < octets.len; i++) {
        char c = octets.at[i];

        if (text && c == '\\')
            i++;
        else if (c == '"')
            text = !text;
        else if (!text && (c == '{' || c == '['))
            most = ++depth > most ? depth : most;
        else if (!text && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return most;
}

static bool is_json(const char *type)
{
    struct weir_slice name = weir_slice_maybe(type);

    name.len = strcspn(name.at, ";");
    return weir_slice_is(weir_slice_trim(name), "application/json");
}

int weir_api_request_body(struct weir_api_request *request, const char *type,
                          struct weir_slice octets, const char **why_r)
{
    if (octets.len == 0)
        return 0;
    if (octets.len > WEIR_API_BODY_MAX)
        return refuse(TOO_LONG, "the body is too long", why_r);
    if (!is_json(type))
        return refuse(NO_JSON, "a body is JSON, and its type application/json", why_r);
    if (depth_of(octets) > WEIR_API_DEPTH_MAX)
        return refuse(BAD, "the body is nested too deeply", why_r);
    request->body = json_loadb(octets.at, octets.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(request->body))
        return 0;
    json_decref(request->body);
    request->body = NULL;
    return refuse(BAD, "the body is no JSON object", why_r);
}

void weir_api_request_forget(struct weir_api_request *request)
{
    json_decref(request->body);
    request->body = NULL;
}

/* asking ------------------------------------------------------------------------------------ */

const char *weir_api_argument(const struct weir_api_request *request, const char *name)
{
    for (size_t i = 0; i < request->arguments; i++)
        if (strcmp(request->argument[i].name, name) == 0)
            return request->argument[i].value;
    return NULL;
}

bool weir_api_number(const struct weir_api_request *request, const char *name, int64_t least,
                     int64_t most, int64_t none, int64_t *number_r)
{
    const char *text = weir_api_argument(request, name);
    long long number;
    char *end;

    *number_r = none;
    if (!text)
        return true;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || !(weir_is_digit(text[0]) || text[0] == '-') ||
        number < least || number > most)
        return false;
    *number_r = number;
    return true;
}

bool weir_api_time(const struct weir_api_request *request, const char *name, weir_time now,
                   weir_time none, weir_time *time_r)
{
    const char *text = weir_api_argument(request, name);
    weir_time span;

    *time_r = none;
    if (!text)
        return true;
    if (weir_view_period_read(text, &span) == 0 && strspn(text, "0123456789") < strlen(text)) {
        *time_r = now - span;
        return true;
    }
    return weir_view_time_read(text, time_r) == 0;
}
