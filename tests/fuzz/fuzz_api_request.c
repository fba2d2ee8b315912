/* Any bytes as a request of the console: a path, arguments (name=value) and a body, a line each.
 * What is taken lies in the request's own room, has no control characters, and is within its
 * limits. */
#include <stdlib.h>
#include <string.h>

#include "monitor/console/api.h"
#include "core/program/host_field.h"
#include "monitor/console/door.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void own(const struct weir_api_request *request, const char *text)
{
    must(text >= request->text && text < request->text + request->used);
    for (; *text; text++)
        must((unsigned char)*text >= ' ' && *text != 0x7f);
    must(text < request->text + sizeof request->text);
}

/* The next line as a text of its own. */
static char *line_of(const char **at, const char *end)
{
    const char *begin = *at, *stop = memchr(begin, '\n', (size_t)(end - begin));
    size_t len = (size_t)((stop ? stop : end) - begin);

    *at = stop ? stop + 1 : end;
    return strndup(begin, len);
}

static void ask(struct weir_api_request *request)
{
    int64_t number;
    weir_time time;

    must(request->words <= WEIR_API_WORDS_MAX && request->arguments <= WEIR_API_ARGUMENTS_MAX);
    for (size_t i = 0; i < request->words; i++)
        own(request, request->word[i]);
    for (size_t i = 0; i < request->arguments; i++) {
        own(request, request->argument[i].name);
        own(request, request->argument[i].value);
        if (weir_api_number(request, request->argument[i].name, 1, 500, 50, &number))
            must(number >= 1 && number <= 500);
        (void)weir_api_time(request, request->argument[i].name, WEIR_DAY, 0, &time);
    }
    request->method = "GET";
    must(weir_api_find(request) >= -405);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct weir_api_request request;
    const char *at = (const char *)data, *end = at + size, *why = "";
    char *path = line_of(&at, end), *line = NULL, token[WEIR_TOKEN_TEXT];
    bool good = weir_api_request_path(memset(&request, 0, sizeof request), path, &why) == 0;

    (void)weir_door_cookie(path, token);
    (void)weir_door_bearer(path, token);
    (void)weir_host_fits(path, "mon", "desk.example");
    while (good && at < end && *at != '{') {
        size_t name;

        free(line);
        line = line_of(&at, end);
        name = strcspn(line, "=");
        good = weir_api_request_argument(&request, (struct weir_slice){line, name},
                                         (struct weir_slice){line + name + (line[name] == '='),
                                                             strlen(line + name + (line[name] ==
                                                                                   '='))},
                                         &why) == 0;
    }
    good = good && weir_api_request_body(&request, "application/json",
                                         (struct weir_slice){at, (size_t)(end - at)}, &why) == 0;
    must(good || why[0]);
    if (good)
        ask(&request);
    weir_api_request_forget(&request);
    free(line);
    free(path);
    return 0;
}
