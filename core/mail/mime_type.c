/*
 * What the Content-... fields say of a part.  What cannot be read counts as not said: then it is
 * text/plain (RFC 2045 5.2), which is what mail readers show.
 */
#include <string.h>
#include <strings.h>

#include "core/mail/message_impl.h"

bool weir_slice_is(struct weir_slice slice, const char *word)
{
    return slice.len == strlen(word) && strncasecmp(slice.at, word, slice.len) == 0;
}

static bool begins(struct weir_slice slice, const char *word)
{
    size_t len = strlen(word);
    return slice.len >= len && strncasecmp(slice.at, word, len) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Length of a comment, nested ones included; an endless one reaches to the end. */
static size_t comment_len(struct weir_slice text)
{
    size_t depth = 0, i = 0;
    for (; i < text.len; i++) {
        if (text.at[i] == '(')
            depth++;
        else if (text.at[i] == '\\' && i + 1 < text.len)
            i++;
        else if (text.at[i] == ')' && --depth == 0)
            return i + 1;
    }
    return i;
}

static void skip(struct weir_slice *text, size_t len)
{
    text->at += len;
    text->len -= len;
}

/* Steps over blanks, folding and comments. */
static void skip_blanks(struct weir_slice *text)
{
    while (text->len > 0) {
        if (is_blank(text->at[0]))
            skip(text, 1);
        else if (text->at[0] == '(')
            skip(text, comment_len(*text));
        else
            break;
    }
}

/* Takes the octets up to a blank or one of stops. */
static struct weir_slice take_until(struct weir_slice *text, const char *stops)
{
    struct weir_slice taken = {text->at, 0};
    while (taken.len < text->len && !is_blank(text->at[taken.len]) &&
           (text->at[taken.len] == '\0' || !strchr(stops, text->at[taken.len])))
        taken.len++;
    skip(text, taken.len);
    return taken;
}

/* Takes a quoted string; its closing quote may be missing. */
static struct weir_slice take_quoted(struct weir_slice *text)
{
    skip(text, 1);
    struct weir_slice taken = {text->at, 0};
    while (taken.len < text->len && text->at[taken.len] != '"')
        taken.len += text->at[taken.len] == '\\' && taken.len + 1 < text->len ? 2 : 1;
    skip(text, taken.len);
    if (text->len > 0)
        skip(text, 1);
    return taken;
}

/* Steps to behind the next ';', over quoted strings. */
static bool next_parameter(struct weir_slice *text)
{
    while (text->len > 0 && text->at[0] != ';') {
        if (text->at[0] == '"')
            take_quoted(text);
        else
            skip(text, 1);
    }
    if (text->len == 0)
        return false;
    skip(text, 1);
    return true;
}

/* "name", "name*" or "name*0", "name*0*". */
static bool names(struct weir_slice attribute, const char *name)
{
    size_t len = strlen(name);
    return begins(attribute, name) && (attribute.len == len || attribute.at[len] == '*');
}

struct weir_slice weir_parameter_raw(struct weir_slice parameters, const char *name)
{
    while (next_parameter(&parameters)) {
        skip_blanks(&parameters);
        struct weir_slice attribute = take_until(&parameters, "=;\"");
        skip_blanks(&parameters);
        if (parameters.len == 0 || parameters.at[0] != '=' || !names(attribute, name))
            continue;
        skip(&parameters, 1);
        skip_blanks(&parameters);
        if (parameters.len > 0 && parameters.at[0] == '"')
            return take_quoted(&parameters);
        return take_until(&parameters, ";");
    }
    return (struct weir_slice){0};
}

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
        if (begins(type, top[i].top))
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

static void type_read(struct weir_message *message, struct weir_part *part,
                      struct weir_slice value)
{
    skip_blanks(&value);
    struct weir_slice type = take_until(&value, ";,(");
    const char *semicolon = value.len > 0 ? memchr(value.at, ';', value.len) : NULL;
    if (semicolon)
        part->parameters = (struct weir_slice){semicolon,
                                               (size_t)(value.at + value.len - semicolon)};
    part->type = type;
    if (is_type(type)) {
        part->media = media_of(type);
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

static bool is_attachment(const struct weir_part *part)
{
    struct weir_slice rest = part->disposition;
    skip_blanks(&rest);
    if (weir_slice_is(take_until(&rest, ";"), "attachment"))
        return true;
    return part->media == WEIR_MEDIA_OTHER &&
           (weir_parameter_raw(part->disposition, "filename").at ||
            weir_parameter_raw(part->parameters, "name").at);
}

void weir_part_describe(struct weir_message *message, struct weir_part *part,
                        const struct weir_mime_fields *mime, bool digest)
{
    static const struct weir_slice none = {"", 0};
    part->media = digest ? WEIR_MEDIA_MESSAGE : WEIR_MEDIA_PLAIN;
    part->type = part->parameters = part->disposition = none;
    if (mime->type.at)
        type_read(message, part, mime->type);
    if (mime->transfer.at)
        transfer_read(message, part, mime->transfer);
    if (mime->disposition.at)
        part->disposition = mime->disposition;
    struct weir_slice charset = weir_parameter_raw(part->parameters, "charset");
    part->charset = charset.at ? charset : none;
    part->attachment = is_attachment(part);
    if (weir_slice_is(part->type, "message/partial") ||
        weir_slice_is(part->type, "message/external-body"))
        weir_message_note(message, WEIR_DEFECT_PARTIAL);
}
