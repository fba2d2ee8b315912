/*
 * What the Content-... fields say of a part.  What cannot be read counts as not said: then it is
 * text/plain (RFC 2045 5.2), which is what mail readers show.
 */
#include <string.h>

#include "core/base/slice.h"
#include "core/mail/message_impl.h"

static enum weir_media media_of(struct weir_slice type)
{
    static const struct {
        const char *type;
        enum weir_media media;
    } known[] = {
        {"text/plain", WEIR_MEDIA_PLAIN},           {"text/html", WEIR_MEDIA_HTML},
        {"application/xhtml+xml", WEIR_MEDIA_HTML}, {"message/rfc822", WEIR_MEDIA_MESSAGE},
        {"message/global", WEIR_MEDIA_MESSAGE},     {"message/partial", WEIR_MEDIA_OTHER},
        {"message/external-body", WEIR_MEDIA_OTHER},
    };
    static const struct {
        const char *top;
        enum weir_media media;
    } top[] = {
        {"text/", WEIR_MEDIA_TEXT}, {"message/", WEIR_MEDIA_TEXT}, /* delivery reports */
        {"multipart/", WEIR_MEDIA_MULTIPART},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (weir_slice_is(type, known[i].type))
            return known[i].media;
    }
    for (size_t i = 0; i < sizeof(top) / sizeof(top[0]); i++) {
        if (weir_slice_begins(type, top[i].top))
            return top[i].media;
    }
    return WEIR_MEDIA_OTHER;
}

/* A top-level type, one slash, a subtype. */
static bool is_type(struct weir_slice type)
{
    const char *slash = type.len > 0 ? memchr(type.at, '/', type.len) : NULL;
    const char *end = type.at + type.len;
    return slash && slash > type.at && slash + 1 < end &&
           !memchr(slash + 1, '/', (size_t)(end - (slash + 1)));
}

/* Whatever is behind the type is looked at for parameters, with a ';' or without. */
static void type_read(struct weir_message *message, struct weir_part *part,
                      struct weir_slice value)
{
    part->type = weir_mime_word(&value);
    part->parameters = value;
    if (is_type(part->type)) {
        part->media = media_of(part->type);
    } else {
        part->media = WEIR_MEDIA_PLAIN;
        weir_message_note(message, WEIR_DEFECT_BAD_TYPE);
    }
}

static void transfer_read(struct weir_message *message, struct weir_part *part,
                          struct weir_slice value)
{
    bool known = false;
    part->transfer = weir_transfer_named(value, &known);
    bool container = part->media == WEIR_MEDIA_MULTIPART;
    if (!known || (container && part->transfer != WEIR_TRANSFER_NONE))
        weir_message_note(message, WEIR_DEFECT_BAD_ENCODING);
    if (container)
        part->transfer = WEIR_TRANSFER_NONE;
}

/* 1, 0 or WEIR_ENOMEM. */
static int parameter_take(struct weir_parse *parse, struct weir_slice parameters,
                          const char *name, struct weir_parameter *found_r)
{
    int rc = weir_parameter_take(parameters, name, parse->arena, found_r);
    if (found_r->bad)
        weir_message_note(parse->message, WEIR_DEFECT_BAD_PARAMETER);
    return rc;
}

/* No charset has a blank in its name; words that nothing parted from it are not its. */
static int charset_read(struct weir_parse *parse, struct weir_part *part)
{
    struct weir_parameter charset;
    int rc = parameter_take(parse, part->parameters, "charset", &charset);
    part->charset = weir_slice_word(&charset.value);
    return rc;
}

static int name_read(struct weir_parse *parse, struct weir_part *part)
{
    struct weir_parameter name;
    struct weir_slice disposition = part->disposition;
    int rc = parameter_take(parse, disposition, "filename", &name);
    if (rc == 0)
        rc = parameter_take(parse, part->parameters, "name", &name);
    part->name = name.value;
    part->name_charset = name.charset;
    part->attachment = weir_slice_is(weir_mime_word(&disposition), "attachment") ||
                       (rc == 1 && part->media == WEIR_MEDIA_OTHER);
    return rc;
}

int weir_part_describe(struct weir_parse *parse, struct weir_part *part,
                       const struct weir_mime_fields *mime, bool digest)
{
    static const struct weir_slice none = {"", 0};
    struct weir_message *message = parse->message;
    part->media = digest ? WEIR_MEDIA_MESSAGE : WEIR_MEDIA_PLAIN;
    part->type = part->parameters = part->disposition = none;
    if (mime->type.at)
        type_read(message, part, mime->type);
    if (mime->transfer.at)
        transfer_read(message, part, mime->transfer);
    if (mime->disposition.at)
        part->disposition = mime->disposition;
    if (weir_slice_is(part->type, "message/partial") ||
        weir_slice_is(part->type, "message/external-body"))
        weir_message_note(message, WEIR_DEFECT_PARTIAL);
    int rc = charset_read(parse, part);
    if (rc >= 0)
        rc = name_read(parse, part);
    return rc < 0 ? rc : 0;
}
