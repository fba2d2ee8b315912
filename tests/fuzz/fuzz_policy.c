/*
 * The policy protocol on hostile bytes: the first octet says how they are cut, the rest is
 * what a client sends.  However it is cut the same requests are found, all slices lie
 * within them, and whatever is answered with their text is one well-formed answer.
 */
#include <stdlib.h>
#include <string.h>

#include "postfix-policy/policy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
    if (!true_)
        abort();
}

static void answer(const char *bytes, size_t len, struct weir_slice slice)
{
    char text[WEIR_POLICY_REQUEST_MAX + 1], said[WEIR_POLICY_ANSWER_MAX];

    must(slice.len == 0 || (slice.at >= bytes && slice.at + slice.len <= bytes + len));
    must(slice.len < sizeof text);
    memcpy(text, slice.len ? slice.at : "", slice.len);
    text[slice.len] = '\0';
    size_t octets = weir_policy_answer(said, text, text);
    must(octets == strlen(said) && octets < sizeof said);
    must(memcmp(said, "action=", 7) == 0 && strstr(said, "\n\n") == said + octets - 2);
    for (size_t i = 0; i < octets - 2; i++)
        must(said[i] >= ' ' && said[i] <= '~');
}

static void use(const char *bytes, size_t len)
{
    struct weir_envelope envelope;
    enum weir_policy_kind kind;
    const char *why = NULL;

    if (weir_policy_parse(bytes, len, &kind, &envelope, &why) < 0) {
        must(why != NULL);
        return;
    }
    answer(bytes, len, envelope.client_name);
    answer(bytes, len, envelope.helo);
    answer(bytes, len, envelope.sender);
    answer(bytes, len, envelope.recipient);
    answer(bytes, len, envelope.instance);
    answer(bytes, len, envelope.queue_id);
}

/* Scans in pieces of so many octets; what it finds, or 0, or the error. */
static int scan(const char *bytes, size_t size, size_t piece, size_t *len_r)
{
    struct weir_policy_scan scan = {0};
    const char *why = NULL;
    int found = 0;

    for (size_t given = 0; found == 0 && given < size;) {
        given = size - given < piece ? size : given + piece;
        found = weir_policy_scan(&scan, bytes, given, len_r, &why);
        must(found >= 0 || why != NULL);
        must(found <= 0 || *len_r <= given);
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 1, *end = (const char *)data + size;
    size_t piece = size > 0 ? 1u + data[0] : 1, len, again;

    while (size > 0 && bytes < end) {
        int found = scan(bytes, (size_t)(end - bytes), piece, &len);
        int whole = scan(bytes, (size_t)(end - bytes), (size_t)(end - bytes), &again);

        must((found > 0) == (whole > 0) && (found != 1 || len == again));
        use(bytes, (size_t)(end - bytes)); /* also without a scan */
        if (found <= 0)
            break;
        use(bytes, len);
        bytes += len;
    }
    return 0;
}
