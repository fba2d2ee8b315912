/* Any octets of both sides, with holes: sums agree, and pieces change nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sniffer/dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void told(void *context, const struct weir_heard *heard,
                 const struct weir_heard_message *message)
{
    size_t *octets = context;

    if (heard->messages != heard->accepted + heard->rejected + heard->unfinished)
        abort();
    *octets += message->mail_from.len;
    for (size_t i = 0; i < message->rcpt_tos; i++)
        *octets += message->rcpt_to[i].len + (message->rcpt_to[i].at[0] == '<');
}

static void feed(struct weir_dialogue *dialogue, enum weir_side side, struct weir_slice octets,
                 size_t most)
{
    for (size_t at = 0; at < octets.len;) {
        size_t len = octets.len - at < most ? octets.len - at : most;

        weir_dialogue_octets(dialogue, 1, side, (struct weir_slice){octets.at + at, len});
        at += len;
    }
}

/* A turn is a control octet and so many lines; a control of 0xf0 and more is a hole, of 0xe0 and
 * more a contradiction. */
static struct weir_heard hear(const uint8_t *data, size_t size, size_t most, size_t *octets_r)
{
    struct weir_dialogue_options options = {.trusted_proxy = data[0] & 1,
                                            .midstream = data[0] & 2,
                                            .name_addresses = data[0] & 4};
    struct weir_dialogue_handler handler = {.context = octets_r, .message = told};
    struct weir_dialogue *dialogue = weir_dialogue_new(&options, &handler);

    for (size_t at = 1; at < size;) {
        uint8_t control = data[at++];
        enum weir_side side = control & 1 ? WEIR_SIDE_SERVER : WEIR_SIDE_CLIENT;
        const uint8_t *end = memchr(data + at, 0xff, size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;

        if (control >= 0xf0)
            weir_dialogue_gap(dialogue, 1, side, (control & 8 ? 256u : 1u) * (control & 0x0eu));
        else if (control >= 0xe0)
            weir_dialogue_forged(dialogue, 1, control & 15);
        feed(dialogue, side, (struct weir_slice){(const char *)data + at, len}, most);
        at += len + (end != NULL);
    }
    weir_dialogue_end(dialogue, 2);
    struct weir_heard heard = *weir_dialogue_heard(dialogue);
    weir_dialogue_free(&dialogue);
    return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t octets[2] = {0, 0};

    if (size < 2)
        return 0;
    struct weir_heard whole = hear(data, size, SIZE_MAX, &octets[0]);
    struct weir_heard pieces = hear(data, size, 1, &octets[1]);
    if (whole.accepted != pieces.accepted || whole.rejected != pieces.rejected ||
        whole.unfinished != pieces.unfinished || whole.recipients != pieces.recipients ||
        whole.odd != pieces.odd || whole.lost != pieces.lost || whole.tls != pieces.tls ||
        octets[0] != octets[1])
        abort();
    return 0;
}
