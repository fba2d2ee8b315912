/*
 * ctl_monitor - one question, one answer, by libcurl over a Unix socket.
 *
 * libcurl brings some twenty-five libraries along, which are more work for the loader than all of
 * weirctl: so it is loaded when it is asked for, and verbs about lists and rules stay as
 * quick as they are.  Owns nothing beyond a call; libcurl stays until the process ends.
 */
#include "monitor/ctl/ctl_monitor_io.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "monitor/ctl/ctl_output.h"

#define LIBRARY "libcurl.so.4"
#define PLACE "http://localhost/admin/v1/do"
#define PATIENCE 5       /* s */
#define PATIENCE_LONG 600 /* of what may be much work: buckets made anew, a large rulebook */

/* libcurl. ------------------------------------------------------------------------ */

struct curl {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *easy);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *easy);
};

static int load(struct weir_ctl *ctl, struct curl *curl_r)
{
    const struct {
        const char *name;
        void *function; /* where the pointer to it is */
    } rows[] = {
        {"curl_global_init", &curl_r->global_init},   {"curl_easy_init", &curl_r->easy_init},
        {"curl_easy_setopt", &curl_r->easy_setopt},   {"curl_easy_perform", &curl_r->easy_perform},
        {"curl_easy_getinfo", &curl_r->easy_getinfo}, {"curl_easy_cleanup", &curl_r->easy_cleanup},
        {"curl_easy_strerror", &curl_r->easy_strerror},
    };
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL), *function;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        function = library ? dlsym(library, rows[i].name) : NULL;
        if (!function)
            return weir_ctl_error(ctl, EX_OSERR, "libcurl is needed to ask the monitor: %s",
                                  dlerror());
        memcpy(rows[i].function, &function, sizeof function);
    }
    if (curl_r->global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    return 0;
}

/* Asking. ------------------------------------------------------------------------- */

struct asking {
    struct weir_ctl *ctl;
    struct curl curl;
    const char *path;           /* of the socket */
    long patience;              /* s */
    char *octets;               /* of the answer */
    size_t len;
    long code;
    weir_time began, told;      /* told: that it takes long; 0: not yet */
};

/* Called about once a second: who waits is told that, and on a terminal for how long. */
static int tell_waiting(void *context, curl_off_t all, curl_off_t now, curl_off_t all_up,
                        curl_off_t now_up)
{
    struct asking *asking = context;
    weir_time at = weir_ctl_now();
    bool terminal = isatty(STDERR_FILENO);

    (void)all, (void)now, (void)all_up, (void)now_up;
    if (at - asking->began < PATIENCE * WEIR_SECOND || (asking->told > 0 && !terminal))
        return 0;
    asking->told = at;
    fprintf(stderr, "%sthe monitor has much to do: waiting for it%s", terminal ? "\r" : "",
            terminal ? "" : "\n");
    if (terminal)
        fprintf(stderr, ", %d s so far ", (int)((at - asking->began) / WEIR_SECOND));
    return 0;
}

static size_t take(char *octets, size_t one, size_t count, void *context)
{
    struct asking *asking = context;
    size_t len = one * count;
    char *more = len <= WEIR_CTL_ANSWER_MAX - asking->len
                     ? realloc(asking->octets, asking->len + len + 1)
                     : NULL;

    if (!more)
        return 0;
    asking->octets = more;
    memcpy(more + asking->len, octets, len);
    asking->len += len;
    return len;
}

/* Why nobody answers there, in the words of who has to mend it. */
static int unanswered(struct asking *asking, CURLcode code)
{
    bool refused = code == CURLE_COULDNT_CONNECT;

    if (refused && access(asking->path, W_OK) < 0 && errno == EACCES)
        return weir_ctl_error(asking->ctl, EX_NOPERM, "no permission to ask the monitor at %s; "
                              "try again as root, or as a member of the socket's group",
                              asking->path);
    if (refused)
        return weir_ctl_error(asking->ctl, EX_UNAVAILABLE, "nobody answers at %s: weir-monitor "
                              "does not run there", asking->path);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return weir_ctl_error(asking->ctl, EX_UNAVAILABLE, "the monitor at %s does not answer "
                              "within %ld s: it hangs, or has much to do", asking->path,
                              asking->patience);
    return weir_ctl_error(asking->ctl, EX_UNAVAILABLE, "the monitor at %s does not answer: %s",
                          asking->path, asking->curl.easy_strerror(code));
}

static int perform(struct asking *asking, const char *body)
{
    const struct curl *curl = &asking->curl;
    CURL *easy = curl->easy_init();
    CURLcode code;

    if (!easy)
        return weir_ctl_error(asking->ctl, EX_OSERR, "memory is short");
    code = curl->easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, asking->path);
    if (code == CURLE_OK) /* whatever the environment says */
        code = curl->easy_setopt(easy, CURLOPT_PROXY, "");
    if (code == CURLE_OK)
        code = curl->easy_setopt(easy, CURLOPT_URL, PLACE);
    curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl->easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, asking);
    curl->easy_setopt(easy, CURLOPT_TIMEOUT, asking->patience);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, tell_waiting);
    curl->easy_setopt(easy, CURLOPT_XFERINFODATA, asking);
    curl->easy_setopt(easy, CURLOPT_NOPROGRESS, asking->patience > PATIENCE ? 0L : 1L);
    asking->began = weir_ctl_now();
    if (code == CURLE_OK) /* else somebody else would be asked, by TCP */
        code = curl->easy_perform(easy);
    if (asking->told > 0 && isatty(STDERR_FILENO))
        putc('\n', stderr);
    if (code == CURLE_OK)
        curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &asking->code);
    curl->easy_cleanup(easy);
    return code == CURLE_OK ? 0 : unanswered(asking, code);
}

/* What the answer says: 0 and an object, or its error told. */
static int understand(struct asking *asking, json_t **answer_r)
{
    json_t *answer = json_loadb(asking->octets ? asking->octets : "", asking->len, 0, NULL);
    const char *error = json_string_value(json_object_get(answer, "error"));
    int code = asking->code == 404   ? WEIR_CTL_NOT_THERE
               : asking->code == 400 ? EX_DATAERR
                                     : EX_IOERR;

    if (json_is_object(answer) && asking->code == 200) {
        *answer_r = answer;
        return 0;
    }
    if (error)
        code = weir_ctl_error(asking->ctl, code, "%s", error);
    else
        code = weir_ctl_error(asking->ctl, EX_UNAVAILABLE, "whoever answers at %s is not "
                              "weir-monitor", asking->path);
    json_decref(answer);
    return code;
}

static int ask(struct asking *asking, const char *body, json_t **answer_r)
{
    const char *address = asking->ctl->config.monitor_admin, *why = "it is empty";
    struct weir_endpoint place;
    int code;

    if (!address[0] || weir_endpoint_parse(address, &place, &why) < 0 || !place.is_unix)
        return weir_ctl_error(asking->ctl, EX_CONFIG, "[monitor] admin says where the monitor is "
                              "asked: %s", why ? why : "it is no Unix socket");
    asking->path = place.host;
    code = load(asking->ctl, &asking->curl);
    if (code == 0)
        code = perform(asking, body);
    return code == 0 ? understand(asking, answer_r) : code;
}

static long patience_for(const json_t *question)
{
    static const char *const long_ones[] = {"threshold set", "threshold remove", "undo",
                                            "rules add", "analyze", "publish", "rollback",
                                            "bayes learn"};
    const char *verb = json_string_value(json_object_get(question, "do"));

    for (size_t i = 0; i < sizeof long_ones / sizeof long_ones[0]; i++)
        if (verb && strcmp(verb, long_ones[i]) == 0)
            return PATIENCE_LONG;
    return PATIENCE;
}

int weir_ctl_monitor_ask(struct weir_ctl *ctl, json_t *question, json_t **answer_r)
{
    struct asking asking = {.ctl = ctl, .patience = patience_for(question)};
    char *body = question ? json_dumps(question, JSON_COMPACT) : NULL;
    int code = body ? ask(&asking, body, answer_r)
                    : weir_ctl_error(ctl, EX_OSERR, "memory is short");

    if (asking.octets)
        explicit_bzero(asking.octets, asking.len); /* a secret may be in it */
    free(asking.octets);
    free(body);
    json_decref(question);
    return code;
}

int weir_ctl_monitor_name(struct weir_ctl *ctl, const char *verb, const char *then)
{
    const char *name = ctl->argument[0];
    json_t *answer = NULL;
    int code = weir_ctl_configure(ctl);

    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, json_pack("{s:s, s:s}", "do", verb, "name", name),
                                    &answer);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        code = weir_ctl_json(ctl, json_incref(answer));
    else if (code == 0)
        printf("%s is %s\n", name, then);
    json_decref(answer);
    return code;
}

/* The database. --------------------------------------------------------------------- */

int weir_ctl_monitor_database(struct weir_ctl *ctl, struct weir_database **database_r)
{
    struct weir_database_options options = {.reading = true};
    char why[WEIR_DATABASE_WHY];
    int code = ctl->arena ? 0 : weir_ctl_configure(ctl);

    if (code != 0)
        return code;
    options.path = weir_config_path(&ctl->config, ctl->config.monitor_database, ctl->arena);
    if (!options.path)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    if (access(options.path, R_OK) < 0)
        return weir_ctl_error(ctl, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE, "%s: %s; it is "
                              "the monitor's, and made at its first start", options.path,
                              strerror(errno));
    if (weir_database_open(&options, why, database_r) < 0)
        return weir_ctl_error(ctl, EX_UNAVAILABLE, "%s", why);
    return 0;
}

bool weir_ctl_monitor_is_here(const struct weir_ctl *ctl)
{
    const char *path = weir_config_path(&ctl->config, ctl->config.monitor_database, ctl->arena);

    return path && access(path, R_OK) == 0;
}

int weir_ctl_monitor_read(struct weir_ctl *ctl, const struct weir_database *database, int rc)
{
    return rc < 0 ? weir_ctl_error(ctl, EX_IOERR, "%s", rc == WEIR_ENOMEM
                                                            ? "memory is short"
                                                            : weir_database_why(database))
                  : 0;
}

void weir_ctl_wait(weir_time span)
{
    (void)poll(NULL, 0, (int)(span / 1000));
}
