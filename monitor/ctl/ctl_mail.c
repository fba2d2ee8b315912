/*
 * ctl_mail - a message that was delivered begins with what its reader's server wrote down.
 */
#include "core/mail/header_text.h"
#include "monitor/ctl/ctl_mails_io.h"

/* The envelope sender as that server wrote it down; where nobody did the author stands for it:
 * without one the message would be a bounce, which always passes. */
static void read_sender(const struct weir_message *message, struct weir_mail *mail)
{
    const struct weir_field *field;
    size_t from = 0;
    bool several;

    field = weir_message_field(message, 0, "Return-Path", &from);
    from = 0;
    if (!field)
        field = weir_message_field(message, 0, "From", &from);
    if (field)
        mail->envelope.sender = weir_header_address(field->value, &several);
}

void weir_ctl_mail_read(struct weir_slice octets, struct weir_arena *arena, bool client,
                        struct weir_mail *mail)
{
    struct weir_message message;
    struct weir_peer peer;

    if (weir_message_parse(octets.at, octets.len, arena, &message) < 0)
        return;
    read_sender(&message, mail);
    if (!client || !weir_peer_of_message(&message, &peer))
        return;
    mail->envelope.has_client = peer.has_address;
    mail->envelope.client = peer.address;
    mail->envelope.client_name = peer.name;
    mail->envelope.helo = peer.helo;
    mail->envelope.authenticated = peer.authenticated;
    mail->received_skip = peer.skip;
}
