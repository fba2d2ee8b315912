/*
 * Frames of any kind through the whole of the sniffer: a link type, then frames with a length of
 * two octets in front.  What is told must add up, and be valid JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sniffer/record.h"

static void message(void *context, const struct weir_flow *flow, const struct weir_heard *heard,
                    const struct weir_heard_message *heard_message)
{
    if (heard->accepted + heard->rejected + heard->unfinished != heard->messages ||
        weir_record_message(context, NULL, flow, heard, heard_message) < 0)
        abort();
}

static void connection(void *context, const struct weir_flow *flow,
                       const struct weir_heard *heard, enum weir_flow_end end)
{
    if (weir_record_connection(context, "\xff", flow, heard, end) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t port[] = {25, 465};
    static const struct weir_prefix all[] = {{{{0}}, 0}};
    struct weir_sessions_options options = {.ports = port, .port_count = 2, .proxies = all,
                                            .proxy_count = size % 2, .name_addresses = true};
    FILE *nowhere = fopen("/dev/null", "w");
    struct weir_sessions *sessions;
    struct weir_tally *tally;

    struct weir_sessions_handler handler = {nowhere, message, connection};
    if (!nowhere || weir_tally_new(4, 8, &options.key, &tally) < 0 ||
        weir_sessions_new(&options, &handler, tally, &sessions) < 0)
        abort();
    enum weir_link link = (enum weir_link)((size > 0 ? data[0] : 0) % (WEIR_LINK_COOKED2 + 1));
    for (size_t at = 1, len; at + 2 <= size; at += 2 + len) {
        len = (size_t)(data[at] << 8 | data[at + 1]);
        if (len > size - at - 2)
            len = size - at - 2;
        weir_sessions_frame(sessions, (weir_time)at * 100000, link, data + at + 2, len, len);
    }
    weir_sessions_free(&sessions);
    weir_tally_free(&tally);
    fclose(nowhere);
    return 0;
}
