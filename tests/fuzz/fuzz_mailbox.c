/* Any bytes as a mailbox: its parts lie inside it and make it up. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mail/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const roles[] = {"postmaster", "abuse"};
    const struct weir_envelope envelope = {
        .stage = WEIR_STAGE_RCPT,
        .sender = {(const char *)data, size},
        .recipient = {(const char *)data, size},
    };
    struct weir_slice local = weir_mailbox_local(envelope.recipient);
    struct weir_slice domain = weir_mailbox_domain(envelope.recipient);
    if (local.len + domain.len + (local.len < size) != size)
        abort();
    if (domain.len > 0 && (domain.at[-1] != '@' || domain.at + domain.len != local.at + size))
        abort();
    if (weir_envelope_null_sender(&envelope) && size > 2)
        abort();
    weir_envelope_role_recipient(&envelope, roles, 2);
    return 0;
}
