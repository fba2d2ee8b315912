/*
 * link - libcurl's multi interface under a few errands.  The secret is in a header of libcurl's and
 * nowhere else; no log line and no error text has it.
 */
#include "monitor/agent/link_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <sodium.h>
#include <zlib.h>

#include "core/base/error.h"

#define CONNECT_TIMEOUT (10 * WEIR_SECOND)
#define COMPRESS_LEVEL 1

struct errand {
    struct weir_link *link;
    CURL *easy;
    struct curl_slist *headers, *compressed_headers;
    char *body, *answer;
    size_t len;
    bool travels;
    weir_time rest, until;  /* how long it rests after a failure, and until when */
    bool useless;           /* the answer that came, as ended() says */
    struct weir_link_said said;
    uint64_t ended, failed;
};

struct weir_link {
    struct weir_link_options options;
    const struct weir_log *log;
    CURLM *multi;
    char base[WEIR_MONITOR_URL_MAX + 1];
    char pin[WEIR_PIN_TEXT];
    struct errand errand[WEIR_ERRANDS];
    bool told;              /* of a failure, until something works again */
};

/* making ----------------------------------------------------------------------- */

static size_t take_answer(char *octets, size_t one, size_t count, void *context)
{
    struct errand *errand = context;
    size_t len = one * count;
    char *more;

    if (len > WEIR_LINK_ANSWER_MAX - errand->len)
        return 0;
    more = realloc(errand->answer, errand->len + len + 1);
    if (!more)
        return 0;
    errand->answer = more;
    memcpy(more + errand->len, octets, len);
    errand->len += len;
    more[errand->len] = '\0';
    return len;
}

static bool add_header(struct curl_slist **headers, const char *name, const char *value,
                       const char *more)
{
    char line[WEIR_IDENTITY_TEXT + 64];
    struct curl_slist *longer;

    snprintf(line, sizeof line, "%s: %s%s", name, value, more);
    longer = curl_slist_append(*headers, line);
    sodium_memzero(line, sizeof line);
    if (longer)
        *headers = longer;
    return longer != NULL;
}

static bool make_headers(const struct weir_link *link, bool compressed,
                         struct curl_slist **headers_r)
{
    const struct weir_identity *identity = link->options.identity;
    char bearer[WEIR_IDENTITY_TEXT];
    bool good;

    snprintf(bearer, sizeof bearer, "Bearer %s:", identity->server);
    good = add_header(headers_r, "Authorization", bearer, identity->secret) &&
           add_header(headers_r, "Weir-Instance", link->options.instance, "") &&
           add_header(headers_r, "Expect", "", "") && /* no 100-continue: a round trip saved */
           add_header(headers_r, "Content-Type", "application/octet-stream", "");
    if (good && link->options.previous[0])
        good = add_header(headers_r, "Weir-Previous", link->options.previous, "");
    if (good && compressed)
        good = add_header(headers_r, "Content-Encoding", "deflate", "");
    return good;
}

/* How the monitor is known.  All other checks go only when libcurl has taken the pin. */
static CURLcode set_trust(const struct weir_link *link, CURL *easy)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");

    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (code == CURLE_OK && link->pin[0]) /* the key itself is known: no authority has a say */
        code = curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, link->pin);
    else if (code == CURLE_OK && link->options.authorities)
        code = curl_easy_setopt(easy, CURLOPT_CAINFO, link->options.authorities);
    if (code == CURLE_OK && link->pin[0])
        code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    if (code == CURLE_OK && link->pin[0])
        code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    return code;
}

/* Where its answer goes, and who it is. */
static CURLcode set_answer(struct errand *errand)
{
    CURLcode code = curl_easy_setopt(errand->easy, CURLOPT_PRIVATE, errand);

    if (code == CURLE_OK)
        code = curl_easy_setopt(errand->easy, CURLOPT_WRITEFUNCTION, take_answer);
    if (code == CURLE_OK)
        code = curl_easy_setopt(errand->easy, CURLOPT_WRITEDATA, errand);
    return code;
}

static int make_errand(struct weir_link *link, struct errand *errand)
{
    CURL *easy = errand->easy = curl_easy_init();
    CURLcode code;

    errand->link = link;
    if (!easy || !make_headers(link, false, &errand->headers) ||
        !make_headers(link, true, &errand->compressed_headers))
        return WEIR_ENOMEM;
    code = set_answer(errand);
    if (code == CURLE_OK)
        code = set_trust(link, easy);
    if (code != CURLE_OK) {
        weir_log(link->log, WEIR_LOG_ERROR, "this libcurl cannot be held to the monitor's %s: %s; "
                 "nothing is sent", link->pin[0] ? "pin" : "certificate", curl_easy_strerror(code));
        return code == CURLE_OUT_OF_MEMORY ? WEIR_ENOMEM : WEIR_EIO;
    }
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(CONNECT_TIMEOUT / 1000));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    if (errand == &link->errand[WEIR_ERRAND_RULES])
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "deflate");
    return 0;
}

int weir_link_new(const struct weir_link_options *options, const struct weir_log *log,
                  struct weir_link **link_r)
{
    struct weir_link *link = calloc(1, sizeof *link);
    int done = 0;

    if (!link)
        return WEIR_ENOMEM;
    link->options = *options;
    link->log = log;
    snprintf(link->base, sizeof link->base, "%s", options->identity->monitor);
    snprintf(link->pin, sizeof link->pin, "%s", options->identity->pin);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(link->multi = curl_multi_init()))
        done = WEIR_ENOMEM;
    for (int i = 0; i < WEIR_ERRANDS && done == 0; i++)
        done = make_errand(link, &link->errand[i]);
    link->options.identity = NULL; /* it was read; the caller may forget it now */
    if (done < 0)
        weir_link_free(&link);
    *link_r = link;
    return done;
}

void weir_link_free(struct weir_link **link)
{
    if (!link || !*link)
        return;
    for (int i = 0; i < WEIR_ERRANDS; i++) {
        struct errand *errand = &(*link)->errand[i];

        if (errand->travels)
            curl_multi_remove_handle((*link)->multi, errand->easy);
        curl_easy_cleanup(errand->easy);
        curl_slist_free_all(errand->headers);
        curl_slist_free_all(errand->compressed_headers);
        free(errand->body);
        free(errand->answer);
    }
    curl_multi_cleanup((*link)->multi);
    free(*link);
    *link = NULL;
}

/* sending ---------------------------------------------------------------------- */

bool weir_link_free_for(const struct weir_link *link, enum weir_errand errand, weir_time steady)
{
    return !link->errand[errand].travels && link->errand[errand].until <= steady;
}

/* A body of the errand's own: as it is, or deflated where that makes it smaller. */
static int take_body(struct errand *errand, struct weir_slice body, size_t *len_r, bool *compress)
{
    uLongf room = *compress ? compressBound(body.len) : body.len;

    free(errand->body);
    errand->body = malloc(room ? room : 1);
    if (!errand->body)
        return WEIR_ENOMEM;
    *compress = *compress && compress2((Bytef *)errand->body, &room, (const Bytef *)body.at,
                                       body.len, COMPRESS_LEVEL) == Z_OK && room < body.len;
    if (!*compress)
        memcpy(errand->body, body.at, room = body.len);
    *len_r = room;
    return 0;
}

/* A GET, or a POST of the errand's own body. */
static CURLcode set_request(struct errand *errand, const char *url, bool post, bool compressed,
                            size_t len, weir_time timeout)
{
    CURL *easy = errand->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, url);

    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(timeout / 1000));
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                                compressed ? errand->compressed_headers : errand->headers);
    if (code == CURLE_OK && !post)
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_POST, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, errand->body);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)len) : code;
}

int weir_link_send(struct weir_link *link, enum weir_errand which, const char *place,
                   struct weir_slice body, bool compress, weir_time timeout)
{
    struct errand *errand = &link->errand[which];
    char url[WEIR_MONITOR_URL_MAX + 512];
    size_t len = 0;

    if (errand->travels)
        return WEIR_EBUG;
    if (body.at && take_body(errand, body, &len, &compress) < 0)
        return WEIR_ENOMEM;
    if (snprintf(url, sizeof url, "%s%s", link->base, place) >= (int)sizeof url)
        return WEIR_EBUG;
    free(errand->answer);
    errand->answer = NULL;
    errand->len = 0;
    if (set_request(errand, url, body.at, body.at && compress, len, timeout) != CURLE_OK ||
        curl_multi_add_handle(link->multi, errand->easy) != CURLM_OK)
        return WEIR_ENOMEM;
    errand->travels = true;
    return 0;
}

void weir_link_drop(struct weir_link *link, enum weir_errand which)
{
    struct errand *errand = &link->errand[which];

    if (!errand->travels)
        return;
    curl_multi_remove_handle(link->multi, errand->easy);
    errand->travels = false;
}

/* ending ----------------------------------------------------------------------- */

/* Who says "later" is there, and soon has room or hears us: no reason to stay away for long. */
#define LATER 503
#define ELSEWHERE 409
#define LATER_MOST (4 * WEIR_SECOND)

/* ELSEWHERE may be where a stream is to go on. */
static bool is_failure(int status)
{
    return (status < 200 || status > 299) && status != ELSEWHERE;
}

static void tell(struct weir_link *link, CURLcode code, int status)
{
    bool bad = code != CURLE_OK || is_failure(status);

    if (bad && !link->told)
        weir_log(link->log, WEIR_LOG_WARNING, "the monitor at %s %s%s", link->base,
                 code != CURLE_OK ? "cannot be reached: "
                 : status == 401  ? "does not know this server, or has revoked it"
                 : status >= 500  ? "has trouble of its own"
                                  : "answers as no monitor does",
                 code != CURLE_OK ? curl_easy_strerror(code) : "");
    else if (!bad && link->told)
        weir_log(link->log, WEIR_LOG_INFO, "the monitor at %s answers again", link->base);
    link->told = bad;
}

static void rest(struct weir_link *link, struct errand *errand, int status, weir_time steady)
{
    bool failed = is_failure(status) || errand->useless;
    weir_time most = link->options.rest_most;

    errand->ended++;
    errand->failed += failed;
    if ((status == LATER || status == ELSEWHERE) && most > LATER_MOST)
        most = LATER_MOST;
    if (!failed) {
        errand->rest = 0;
        errand->until = 0;
        return;
    }
    errand->rest = errand->rest ? 2 * errand->rest : link->options.rest_least;
    if (errand->rest > most)
        errand->rest = most;
    /* a quarter either way, so that a thousand agents do not come back in one moment */
    errand->until = steady + errand->rest - errand->rest / 4 +
                    (weir_time)randombytes_uniform((uint32_t)(errand->rest / 2 / 1000 + 1)) * 1000;
}

static struct weir_link_said said_by(CURL *easy)
{
    struct curl_header *date;
    curl_off_t took = 0;
    time_t when = -1;

    if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK)
        when = curl_getdate(date->value, NULL);
    if (when <= 0 || curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &took) != CURLE_OK)
        return (struct weir_link_said){0};
    return (struct weir_link_said){(weir_time)when * WEIR_SECOND, (weir_time)took};
}

struct weir_link_said weir_link_said(const struct weir_link *link, enum weir_errand errand)
{
    return link->errand[errand].said;
}

struct weir_link_counts weir_link_counts(const struct weir_link *link, enum weir_errand which)
{
    const struct errand *errand = &link->errand[which];

    return (struct weir_link_counts){errand->ended, errand->failed, errand->rest};
}

static void end(struct weir_link *link, CURLMsg *message, weir_time steady)
{
    struct errand *errand;
    long status = 0;
    CURLcode code = message->data.result;

    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&errand);
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(link->multi, errand->easy);
    errand->travels = false;
    if (code != CURLE_OK)
        status = code == CURLE_SSL_PINNEDPUBKEYNOTMATCH || code == CURLE_PEER_FAILED_VERIFICATION
                     ? -1 : 0;
    tell(link, code, (int)status);
    errand->useless = false;
    errand->said = said_by(errand->easy);
    link->options.ended(link->options.context, (enum weir_errand)(errand - link->errand),
                        (int)status,
                        (struct weir_slice){errand->answer ? errand->answer : "", errand->len});
    rest(link, errand, (int)status, steady);
}

struct weir_slice weir_link_field(const struct weir_link *link, enum weir_errand errand,
                                  const char *name)
{
    struct curl_header *field;

    if (curl_easy_header(link->errand[errand].easy, name, 0, CURLH_HEADER, -1, &field) != CURLHE_OK)
        return (struct weir_slice){"", 0};
    return (struct weir_slice){field->value, strlen(field->value)};
}

uint64_t weir_link_came(const struct weir_link *link, enum weir_errand errand)
{
    curl_off_t octets = 0;

    (void)curl_easy_getinfo(link->errand[errand].easy, CURLINFO_SIZE_DOWNLOAD_T, &octets);
    return octets > 0 ? (uint64_t)octets : 0;
}

void weir_link_rest(struct weir_link *link, enum weir_errand errand)
{
    link->errand[errand].useless = true;
}

void weir_link_turn(struct weir_link *link, weir_time steady, weir_time wait, struct pollfd *files,
                    unsigned count)
{
    struct curl_waitfd extra[4];
    CURLMsg *message;
    int running, left;

    if (count > sizeof extra / sizeof extra[0])
        count = sizeof extra / sizeof extra[0];
    for (unsigned i = 0; i < count; i++)
        extra[i] = (struct curl_waitfd){.fd = files[i].fd, .events = CURL_WAIT_POLLIN};
    curl_multi_perform(link->multi, &running);
    curl_multi_poll(link->multi, extra, count, (int)(wait / 1000), NULL);
    for (unsigned i = 0; i < count; i++)
        files[i].revents = extra[i].revents ? POLLIN : 0;
    curl_multi_perform(link->multi, &running);
    while ((message = curl_multi_info_read(link->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            end(link, message, steady);
}
