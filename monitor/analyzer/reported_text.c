/*
 * Parts that are leaves follow each other in a message's octets, so that what is between two
 * attachments is copied as it stands: header fields, boundaries, text, encoded or not.
 *
 * What is unpacked is bounded by the length it claims, and that by a limit: a bomb of zeros ends
 * there.
 */
#include "monitor/analyzer/reported_text.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/store/line_words.h"

#define ROOM_OF_MARK 256       /* octets of the line in an attachment's place */
#define FRONT_MAX (WEIR_INFO_TEXT_MAX + 256)
#define NAME_MAX_SHOWN 80

/* Cutting. ------------------------------------------------------------------ */

/* MARK TYPE NAMED NAME SIZED N HASHED HEX ] */
#define MARK "[attachment left out: "
#define NAMED ", \""
#define SIZED "\", "
#define HASHED " octets, sha256 "

static bool is_left_out(const struct weir_part *part)
{
    if (part->media == WEIR_MEDIA_MULTIPART)
        return false;
    if (part->media == WEIR_MEDIA_MESSAGE)
        return part->transfer != WEIR_TRANSFER_NONE;
    return part->attachment || part->media == WEIR_MEDIA_OTHER;
}

static void put_sha256(struct weir_line *out, struct weir_slice octets)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[2 * sizeof hash + 1];

    crypto_hash_sha256(hash, (const unsigned char *)octets.at, octets.len);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    weir_line_text(out, text);
}

/* Of the file as it was before it was encoded. */
static int put_mark(struct weir_line *out, const struct weir_part *part)
{
    char *octets = malloc(part->body.len + 1); /* it may be larger than an arena */
    struct weir_line file = weir_line(octets, octets ? part->body.len + 1 : 0);
    struct weir_slice name = part->name;
    unsigned defects;

    if (!octets)
        return WEIR_ENOMEM;
    weir_transfer_decode(part->transfer, part->body, &file, &defects);
    if (name.len > NAME_MAX_SHOWN)
        name.len = NAME_MAX_SHOWN;
    weir_line_text(out, MARK);
    weir_line_foreign(out, (struct weir_slice){part->type.at, part->type.len < NAME_MAX_SHOWN
                                                                  ? part->type.len
                                                                  : NAME_MAX_SHOWN}, false);
    weir_line_text(out, NAMED);
    weir_line_foreign(out, name, true);
    weir_line_text(out, SIZED);
    weir_line_count(out, (uint64_t)(file.at - octets));
    weir_line_text(out, HASHED);
    put_sha256(out, (struct weir_slice){octets, (size_t)(file.at - octets)});
    weir_line_text(out, "]\n");
    free(octets);
    return 0;
}

static bool read_count(struct weir_slice digits, uint64_t *count_r)
{
    *count_r = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (!weir_is_digit(digits.at[i]))
            return false;
        *count_r = 10 * *count_r + (uint64_t)(digits.at[i] - '0');
    }
    return digits.len > 0 && digits.len <= 18;
}

/* A name can have quotes: the last are those behind it. */
bool weir_reported_mark_read(struct weir_slice line, struct weir_reported_mark *mark_r)
{
    const char *end = line.at + line.len, *name, *size, *hash;

    if (line.len <= strlen(MARK) || memcmp(line.at, MARK, strlen(MARK)) != 0 || end[-1] != ']')
        return false;
    line = weir_slice_behind(line, strlen(MARK));
    name = memmem(line.at, line.len, NAMED, strlen(NAMED));
    size = name ? memrchr(name, '"', (size_t)(end - name)) : NULL;
    hash = size ? memmem(size, (size_t)(end - size), HASHED, strlen(HASHED)) : NULL;
    if (!hash || size < name + strlen(NAMED) || size + strlen(SIZED) > hash)
        return false;
    *mark_r = (struct weir_reported_mark){
        .type = weir_slice_between(line.at, name),
        .name = weir_slice_between(name + strlen(NAMED), size),
        .hash = weir_slice_between(hash + strlen(HASHED), end - 1)};
    return read_count(weir_slice_between(size + strlen(SIZED), hash), &mark_r->octets);
}

int weir_reported_text_cut(const struct weir_message *message, size_t most,
                           struct weir_arena *arena, struct weir_slice *text_r, bool *cut_r)
{
    struct weir_slice whole = message->whole;
    const char *from = whole.at, *end = whole.at + whole.len;
    size_t room = whole.len + message->parts * ROOM_OF_MARK;
    char *text = weir_arena_take(arena, (room < most ? room : most) + 1);
    struct weir_line out = weir_line(text, text ? (room < most ? room : most) + 1 : 0);

    if (!text)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < message->parts && !out.cut; i++) {
        const struct weir_part *part = &message->part[i];

        if (!is_left_out(part) || part->body.len == 0 || part->body.at < from)
            continue;
        weir_line_octets(&out, from, (size_t)(part->body.at - from));
        if (put_mark(&out, part) < 0)
            return WEIR_ENOMEM;
        from = part->body.at + part->body.len;
    }
    weir_line_octets(&out, from, (size_t)(end - from));
    *cut_r = out.cut;
    *text_r = (struct weir_slice){text, (size_t)(out.at - text)};
    return 0;
}

/* Packing. ------------------------------------------------------------------ */

static void put_front(const struct weir_reported_text *told, size_t len, bool packed,
                      struct weir_line *out)
{
    weir_line_text(out, told->spam ? "report=spam" : "report=ham");
    weir_line_text(out, told->cut ? " cut=yes" : " cut=no");
    weir_word_put_hex(out, " reporter=", told->reporter);
    weir_word_put_hex(out, " binding=", told->binding);
    weir_line_text(out, " info=");
    if (told->info.len == 0)
        weir_line_text(out, "-");
    for (size_t i = 0; i < told->info.len; i++) /* it is folded where it was found */
        if (!weir_is_blank(told->info.at[i]))
            weir_line_foreign(out, (struct weir_slice){told->info.at + i, 1}, false);
    weir_line_text(out, " len=");
    weir_line_count(out, len);
    weir_line_text(out, packed ? " packed=zlib\n" : " packed=no\n");
}

int weir_reported_text_pack(const struct weir_reported_text *told, struct weir_slice text,
                            struct weir_arena *arena, struct weir_slice *octets_r)
{
    uLongf packed = compressBound(text.len);
    char *octets = weir_arena_take(arena, FRONT_MAX + packed), *body = octets + FRONT_MAX;
    struct weir_reported_text short_told = *told;
    struct weir_line front = weir_line(octets, FRONT_MAX);
    bool pays;

    if (!octets || text.len > WEIR_REPORTED_TEXT_MAX)
        return octets ? WEIR_ELIMIT : WEIR_ENOMEM;
    if (short_told.info.len > WEIR_INFO_TEXT_MAX)
        short_told.info.len = WEIR_INFO_TEXT_MAX;
    pays = compress2((Bytef *)body, &packed, (const Bytef *)text.at, text.len, 6) == Z_OK &&
           packed < text.len;
    put_front(&short_told, text.len, pays, &front);
    if (pays) {
        memmove(front.at, body, packed);
        front.at += packed;
    } else {
        memcpy(front.at, text.at, text.len);
        front.at += text.len;
    }
    *octets_r = (struct weir_slice){octets, (size_t)(front.at - octets)};
    return 0;
}

/* Reading. ------------------------------------------------------------------ */

static bool take_len(struct weir_slice *text, size_t *len_r)
{
    struct weir_slice value;

    if (!weir_word_take(text, "len=", &value) || value.len == 0 || value.len > 7)
        return false;
    *len_r = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!weir_is_digit(value.at[i]))
            return false;
        *len_r = 10 * *len_r + (size_t)(value.at[i] - '0');
    }
    return *len_r <= WEIR_REPORTED_TEXT_MAX;
}

int weir_reported_text_read(struct weir_slice octets, struct weir_reported_text *told_r)
{
    const char *end = octets.len > 0 ? memchr(octets.at, '\n', octets.len) : NULL;
    struct weir_slice front;

    *told_r = (struct weir_reported_text){.len = 0};
    if (!end || end - octets.at > FRONT_MAX)
        return 0;
    front = weir_slice_between(octets.at, end);
    told_r->octets = weir_slice_behind(octets, front.len + 1);
    if (!weir_word_take_choice(&front, "report=", "spam", "ham", &told_r->spam) ||
        !weir_word_take_choice(&front, "cut=", "yes", "no", &told_r->cut) ||
        !weir_word_take_hex(&front, "reporter=", &told_r->reporter) ||
        !weir_word_take_hex(&front, "binding=", &told_r->binding) ||
        !weir_word_take(&front, "info=", &told_r->info) || !take_len(&front, &told_r->len) ||
        !weir_word_take_choice(&front, "packed=", "zlib", "no", &told_r->packed) || front.len > 0)
        return 0;
    if (weir_slice_equals(told_r->info, "-"))
        told_r->info.len = 0;
    return told_r->packed || told_r->octets.len == told_r->len;
}

int weir_reported_text_unpack(const struct weir_reported_text *told, char *buffer)
{
    uLongf len = told->len;

    if (!told->packed) {
        memcpy(buffer, told->octets.at, told->len);
        return 0;
    }
    if (uncompress((Bytef *)buffer, &len, (const Bytef *)told->octets.at, told->octets.len) != Z_OK)
        return WEIR_ECORRUPT;
    return len == told->len ? 0 : WEIR_ECORRUPT;
}
