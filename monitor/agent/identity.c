/*
 * identity - reads and writes the five lines, and makes and compares secrets.
 *
 * Refuses a whole file for one line it does not understand: an agent with half an identity would
 * knock at the wrong door.
 */
#include "monitor/agent/identity.h"

#include <sodium.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"

bool weir_server_name_fit(struct weir_slice name)
{
    if (name.len == 0 || name.len > WEIR_SERVER_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i], low = (char)(c | 0x20);
        bool plain = weir_is_digit(c) || (low >= 'a' && low <= 'z');

        if (!plain && (i == 0 || (c != '-' && c != '_' && c != '.')))
            return false;
    }
    return true;
}

bool weir_instance_fit(struct weir_slice text)
{
    size_t len = 0;

    while (len < text.len && text.at[len] && strchr("0123456789abcdef", text.at[len]))
        len++;
    return len == text.len && len == WEIR_INSTANCE_TEXT - 1;
}

bool weir_instances_next(struct weir_slice *list, char instance_r[static WEIR_INSTANCE_TEXT])
{
    const size_t len = WEIR_INSTANCE_TEXT - 1;

    if (list->len < len || !weir_instance_fit((struct weir_slice){list->at, len}) ||
        (list->len > len && list->at[len] != ',' && list->at[len] != '\n'))
        return false;
    memcpy(instance_r, list->at, len);
    instance_r[len] = '\0';
    *list = weir_slice_behind(*list, list->len > len ? len + 1 : len);
    return true;
}

bool weir_instances_fit(struct weir_slice list)
{
    char instance[WEIR_INSTANCE_TEXT];
    size_t count = 0;

    while (weir_instances_next(&list, instance))
        count++;
    return list.len == 0 && count <= WEIR_INSTANCES_KNOWN;
}

static bool secret_fit(struct weir_slice text)
{
    unsigned char octets[WEIR_SECRET_OCTETS];
    size_t len;
    bool fit = text.len == WEIR_SECRET_TEXT - 1 &&
               sodium_base642bin(octets, sizeof octets, text.at, text.len, NULL, &len, NULL,
                                 sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
               len == sizeof octets;

    sodium_memzero(octets, sizeof octets);
    return fit;
}

static bool pin_fit(struct weir_slice text)
{
    unsigned char octets[32];
    size_t len, scheme = strlen("sha256//");

    return text.len == WEIR_PIN_TEXT - 1 && weir_slice_begins(text, "sha256//") &&
           sodium_base642bin(octets, sizeof octets, text.at + scheme, text.len - scheme, NULL, &len,
                             NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
           len == sizeof octets;
}

static bool rules_fit(struct weir_slice text)
{
    uint8_t open[WEIR_PARCEL_PUBLIC];

    return weir_parcel_public_read(text, open);
}

bool weir_monitor_url_fit(struct weir_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return text.len > strlen("https://") && text.len <= WEIR_MONITOR_URL_MAX &&
           weir_slice_begins(text, "https://") && text.at[text.len - 1] != '/';
}

/* Why a line is wrong, or NULL; blank lines and comments are none. */
static const char *take_line(struct weir_slice line, struct weir_identity *identity)
{
    const struct {
        const char *name;
        char *room;
        bool (*fit)(struct weir_slice value);
        const char *why;
    } rows[] = {
        {"server", identity->server, weir_server_name_fit, "server is no name"},
        {"secret", identity->secret, secret_fit, "secret is not 43 characters of base64url"},
        {"monitor", identity->monitor, weir_monitor_url_fit,
         "monitor is not https://host:port without a slash at the end"},
        {"pin", identity->pin, pin_fit, "pin is not sha256// and 44 characters of base64"},
        {"rules", identity->rules, rules_fit, "rules is not 43 characters of base64url"},
    };
    const char *equals = line.len ? memchr(line.at, '=', line.len) : NULL;

    if (line.len == 0 || line.at[0] == '#')
        return NULL;
    if (!equals)
        return "a line is not name = value";
    struct weir_slice name = weir_slice_trim(weir_slice_between(line.at, equals));
    struct weir_slice value =
        weir_slice_trim(weir_slice_between(equals + 1, line.at + line.len));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!weir_slice_equals(name, rows[i].name))
            continue;
        if (rows[i].room[0])
            return "a line is there twice";
        if (!rows[i].fit(value))
            return rows[i].why;
        memcpy(rows[i].room, value.at, value.len);
        return NULL;
    }
    return "a name is not one of server, secret, monitor, pin, rules";
}

int weir_identity_read(struct weir_slice text, struct weir_identity *identity_r,
                       const char **why_r, unsigned *line_r)
{
    struct weir_identity identity = {0};

    *line_r = 0;
    *why_r = text.len > WEIR_IDENTITY_FILE_MAX ? "the file is too long" : NULL;
    while (!*why_r && text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : text.len;

        ++*line_r;
        *why_r = take_line(weir_slice_trim((struct weir_slice){text.at, len}), &identity);
        text = weir_slice_behind(text, end ? len + 1 : len);
    }
    if (!*why_r && (!identity.server[0] || !identity.secret[0] || !identity.monitor[0])) {
        *why_r = "server, secret or monitor is missing";
        *line_r = 0;
    }
    if (!*why_r)
        *identity_r = identity;
    weir_identity_forget(&identity);
    return *why_r ? WEIR_EINVAL : 0;
}

const char *weir_identity_write(const struct weir_identity *identity,
                                char buffer[static WEIR_IDENTITY_TEXT])
{
    struct weir_line line = weir_line(buffer, WEIR_IDENTITY_TEXT);

    weir_line_text(&line, "# Keep this secret: whoever has it can speak for this server.\n");
    weir_line_text(&line, "server = ");
    weir_line_text(&line, identity->server);
    weir_line_text(&line, "\nsecret = ");
    weir_line_text(&line, identity->secret);
    weir_line_text(&line, "\nmonitor = ");
    weir_line_text(&line, identity->monitor);
    if (identity->pin[0]) {
        weir_line_text(&line, "\npin = ");
        weir_line_text(&line, identity->pin);
    }
    if (identity->rules[0]) {
        weir_line_text(&line, "\nrules = ");
        weir_line_text(&line, identity->rules);
    }
    weir_line_text(&line, "\n");
    return weir_line_end(&line);
}

void weir_secret_new(char secret_r[static WEIR_SECRET_TEXT])
{
    unsigned char octets[WEIR_SECRET_OCTETS];

    randombytes_buf(octets, sizeof octets);
    sodium_bin2base64(secret_r, WEIR_SECRET_TEXT, octets, sizeof octets,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(octets, sizeof octets);
}

void weir_secret_hash(struct weir_slice secret, unsigned char hash_r[static WEIR_SECRET_HASH])
{
    crypto_generichash(hash_r, WEIR_SECRET_HASH, (const unsigned char *)secret.at, secret.len, NULL,
                       0);
}

bool weir_secret_is(struct weir_slice secret, const unsigned char hash[static WEIR_SECRET_HASH])
{
    unsigned char own[WEIR_SECRET_HASH];

    weir_secret_hash(secret, own);
    return sodium_memcmp(own, hash, sizeof own) == 0;
}

void weir_identity_forget(struct weir_identity *identity)
{
    sodium_memzero(identity, sizeof *identity);
}
