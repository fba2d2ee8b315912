/* Any octets as a message: parts and fields lie within it, in order, the names of fields are
 * found again, and parameters, which may be put together elsewhere, are bounded. */
#include <stdlib.h>

#include "core/base/limits.h"
#include "core/mail/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
    if (!true_)
        abort();
}

static int within(struct weir_slice inner, struct weir_slice outer)
{
    return inner.len == 0 || (inner.at >= outer.at && inner.at + inner.len <= outer.at + outer.len);
}

static void use(const struct weir_message *message, size_t index)
{
    const struct weir_part *part = &message->part[index];
    size_t from = 0;
    must(within(part->head, message->whole) && within(part->body, message->whole));
    must(within(part->type, part->head));
    must(part->charset.len <= WEIR_PARAMETER_MAX && part->name.len <= WEIR_PARAMETER_MAX);
    must(part->depth <= WEIR_PART_DEPTH_MAX && (index == 0 || part->parent < index));
    weir_message_field(message, index, "subject", &from);
    must(from <= part->fields && part->field + part->fields <= message->fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_message message;
    must(arena && weir_message_parse((const char *)data, size, arena, &message) == 0);
    must(message.parts >= 1 && message.parts <= WEIR_PARTS_MAX);
    for (size_t i = 0; i < message.parts; i++)
        use(&message, i);
    weir_arena_free(&arena);
    return 0;
}
