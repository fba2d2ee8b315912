/*
 * What a setting may say, and which of them do not go together.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/engine/config_impl.h"
#include "core/store/memcached_server.h"

int weir_config_check_prefix(const char *item, const char **why_r)
{
    struct weir_prefix prefix;
    return weir_prefix_parse(item, strlen(item), &prefix, why_r);
}

int weir_config_check_endpoint(const char *item, const char **why_r)
{
    return weir_endpoint_parse(item, NULL, why_r);
}

int weir_config_check_endpoint_or_none(const char *item, const char **why_r)
{
    return item[0] ? weir_config_check_endpoint(item, why_r) : 0;
}

int weir_config_check_listen(const char *item, const char **why_r)
{
    struct weir_endpoint endpoint;
    int done = weir_endpoint_parse(item, &endpoint, why_r);

    if (done < 0 || !endpoint.is_unix)
        return done;
    *why_r = "it has to be inet:host:port";
    return WEIR_EINVAL;
}

int weir_config_check_socket_or_none(const char *item, const char **why_r)
{
    struct weir_endpoint endpoint;
    int done = item[0] ? weir_endpoint_parse(item, &endpoint, why_r) : 0;

    if (item[0] && done == 0 && !endpoint.is_unix) {
        *why_r = "it has to be a Unix socket, unix:/path";
        return WEIR_EINVAL;
    }
    return done;
}

int weir_config_check_absolute(const char *item, const char **why_r)
{
    if (item[0] == '/')
        return 0;
    *why_r = "it has to begin with a slash";
    return WEIR_EINVAL;
}

int weir_config_check_server(const char *item, const char **why_r)
{
    struct weir_memcached_server server;
    return weir_memcached_server_parse(item, &server, why_r);
}

int weir_config_check_port(const char *item, const char **why_r)
{
    size_t digits = strspn(item, "0123456789");

    if (digits > 0 && digits <= 5 && item[digits] == '\0' && atoi(item) > 0 &&
        atoi(item) <= UINT16_MAX)
        return 0;
    *why_r = "a port is a number from 1 to 65535";
    return WEIR_EINVAL;
}

int weir_config_check_name(const char *item, const char **why_r)
{
    size_t len = strspn(item, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    if (len > 0 && item[len] == '\0' && item[len - 1] != '.')
        return 0;
    *why_r = "it has to be a host's name alone: no scheme, port, path, or dot at its end";
    return WEIR_EINVAL;
}

/* Two files of one name would destroy each other. */
static const char *same_files(const struct weir_config *config)
{
    const char *const file[] = {config->lists_file,    config->counters_file,
                                config->key_file,      config->gateways_file,
                                config->rules_file,    config->info_key_file};
    const size_t n = sizeof file / sizeof file[0];

    if (strcmp(config->lists_file, config->counters_file) == 0)
        return "[weir] lists_file and counters_file are the same file";
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (strcmp(file[i], file[j]) == 0)
                return "two of lists_file, counters_file, key_file, gateways_file, [rules] file "
                       "and [info] key_file are the same file";
    return NULL;
}

const char *weir_config_conflict(const struct weir_config *config)
{
    const struct weir_reputation_settings *reputation = &config->reputation;

    if (config->counters == WEIR_COUNTERS_MEMCACHED && config->servers.count == 0)
        return "counters = memcached needs at least one of [memcached] servers";
    if (config->retry_least > config->retry_most)
        return "[memcached] retry_least is longer than retry_most";
    if (reputation->prior_least > reputation->prior_most)
        return "[reputation] prior_least is above prior_most";
    if (reputation->weight_user <= 0 && reputation->weight_computer <= 0)
        return "[reputation] weight_user and weight_computer are both 0: no vote would count";
    if (config->unsure_probability > config->spam_probability)
        return "[decision] unsure_probability is above spam_probability";
    if (config->unsure_score > config->spam_score)
        return "[message] unsure_score is above spam_score";
    if (config->reject_score < config->spam_score)
        return "[message] reject_score is below spam_score";
    if (config->bayes_use == WEIR_BAYES_ON && config->bayes_spam_points >= config->reject_score)
        return "[bayes] spam_points is not below [message] reject_score: it would refuse alone";
    if (config->bayes_learn_ham >= config->bayes_learn_spam)
        return "[bayes] learn_ham is not below learn_spam";
    if (!config->console_certificate[0] != !config->console_key[0])
        return "[console] certificate and key are needed both, or none of them";
    if (config->sniffer_ports.count > WEIR_SNIFFER_PORTS_MAX)
        return "[sniffer] ports are more than 16";
    return same_files(config);
}
