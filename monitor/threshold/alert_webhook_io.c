/*
 * A message to a webhook: one POST with a deadline.  Any status of 2xx is good, whatever becomes of
 * the rest of the answer, which is thrown away: told again, an analyst would have it twice.
 * Redirections are not followed, certificates are checked.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "monitor/threshold/alert_impl.h"

#define CONNECT_MS 5000L
#define ANSWER_MOST 65536

static size_t throw_away(char *octets, size_t size, size_t count, void *context)
{
    (void)octets, (void)context;
    return size * count;
}

/* Stops it when the monitor closes, and an answer that is long. */
static int go_on(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                 curl_off_t up)
{
    struct alert_channel *channel = context;

    (void)down_all, (void)up_all, (void)up;
    return down > ANSWER_MOST ||
           weir_clock_now(&channel->steady) >= atomic_load(&channel->deadline);
}

static CURLcode set_up(CURL *easy, struct alert_channel *channel)
{
    weir_time left = weir_alert_deadline(channel) - weir_clock_now(&channel->steady);
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, channel->options->webhook);

    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left > 1000 ? (long)(left / 1000) : 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, go_on);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, channel);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "weir-monitor/" WEIR_VERSION);
    return code;
}

static bool post(struct alert_channel *channel, CURL *easy, const char *text,
                 struct curl_slist *headers, char why[static WEIR_ALERT_WHY])
{
    long status = 0;
    CURLcode code = set_up(easy, channel);

    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, text);
    if (code == CURLE_OK)
        code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 0)
        snprintf(why, WEIR_ALERT_WHY, "%s", curl_easy_strerror(code));
    else
        snprintf(why, WEIR_ALERT_WHY, "its status was %ld", status);
    return status >= 200 && status <= 299;
}

bool weir_alert_hand_to_webhook(struct alert_channel *channel, char why[static WEIR_ALERT_WHY])
{
    const struct weir_alert_letter letter = {.host = channel->host,
                                             .console = channel->options->console,
                                             .template = channel->options->webhook_template};
    char *text = weir_alert_json(&channel->sending, &letter);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *easy = curl_easy_init();
    bool done = false;

    snprintf(why, WEIR_ALERT_WHY, "memory is short");
    if (text && headers && easy)
        done = post(channel, easy, text, headers, why);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    free(text);
    return done;
}
