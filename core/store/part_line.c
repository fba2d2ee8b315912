/*
 * Words in a fixed order, told apart by blanks, as in report_line.c.  A number is written one way
 * only, and so is base64: what is read and written again is the same line.
 *
 * Refused are a part beyond the last, a length that is not the one its place asks for, kinds that
 * are no small letters.
 */
#include "core/store/part_line.h"

#include <sodium.h>
#include <string.h>

#include "core/base/keyed_hash.h"
#include "core/base/slice.h"
#include "core/store/line_words.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define OCTETS_TEXT sodium_base64_ENCODED_LEN(WEIR_PART_OCTETS, BASE64)

uint32_t weir_part_lines(size_t len)
{
    if (len > WEIR_PART_WHOLE_MAX)
        return 0;
    return (uint32_t)((len + WEIR_PART_OCTETS - 1) / WEIR_PART_OCTETS);
}

/* Under a key that everybody knows: it is a sum, and no seal. */
uint64_t weir_part_sum(struct weir_slice octets)
{
    static const struct weir_hash_key key = {"weir part line"};

    return weir_hash64(&key, octets.at, octets.len);
}

static uint32_t octets_of(uint32_t number, uint32_t len)
{
    uint32_t rest = len - number * WEIR_PART_OCTETS;

    return rest < WEIR_PART_OCTETS ? rest : WEIR_PART_OCTETS;
}

bool weir_part_place(struct weir_part_line *part)
{
    if (part->number >= part->of.parts)
        return false;
    part->from = part->number * WEIR_PART_OCTETS;
    part->octets = octets_of(part->number, part->of.len);
    return true;
}

/* Writing. ------------------------------------------------------------------ */

void weir_part_line_write(const struct weir_part_whole *whole, uint32_t number,
                          struct weir_line *line)
{
    uint32_t parts = weir_part_lines(whole->octets.len), from = number * WEIR_PART_OCTETS;
    char time[WEIR_TIME_TEXT], text[OCTETS_TEXT];

    if (number >= parts)
        return;
    weir_line_text(line, "at=");
    weir_line_text(line, weir_time_format(whole->at, time));
    weir_line_text(line, " part=");
    weir_line_text(line, whole->kind);
    weir_word_put_hex(line, " uid=", whole->uid);
    weir_line_text(line, " of=");
    weir_line_count(line, number + 1);
    weir_line_text(line, "/");
    weir_line_count(line, parts);
    weir_line_text(line, " len=");
    weir_line_count(line, whole->octets.len);
    weir_word_put_hex(line, " sum=", whole->sum);
    weir_line_text(line, " octets=");
    weir_line_text(line, sodium_bin2base64(text, sizeof text,
                                           (const uint8_t *)whole->octets.at + from,
                                           octets_of(number, (uint32_t)whole->octets.len),
                                           BASE64));
}

/* Reading. ------------------------------------------------------------------ */

static bool take_kind(struct weir_slice *text, char kind_r[static WEIR_PART_KIND_MAX + 1])
{
    struct weir_slice kind;

    if (!weir_word_take(text, "part=", &kind) || kind.len == 0 || kind.len > WEIR_PART_KIND_MAX)
        return false;
    for (size_t i = 0; i < kind.len; i++)
        if (kind.at[i] < 'a' || kind.at[i] > 'z')
            return false;
    memcpy(kind_r, kind.at, kind.len);
    kind_r[kind.len] = '\0';
    return true;
}

/* From 1, as we write it; all of them are below a million. */
static bool read_count(struct weir_slice value, uint32_t *count_r)
{
    *count_r = 0;
    if (value.len == 0 || value.len > 6 || value.at[0] == '0')
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (!weir_is_digit(value.at[i]))
            return false;
        *count_r = 10 * *count_r + (uint32_t)(value.at[i] - '0');
    }
    return true;
}

/* "<number>/<parts>", and then the length that asks for so many. */
static bool take_place(struct weir_slice *text, struct weir_part_line *part)
{
    struct weir_slice value, len;
    const char *mark;

    if (!weir_word_take(text, "of=", &value) || !weir_word_take(text, "len=", &len) ||
        value.len == 0)
        return false;
    mark = memchr(value.at, '/', value.len);
    if (!mark || !read_count(weir_slice_between(value.at, mark), &part->number) ||
        !read_count(weir_slice_between(mark + 1, value.at + value.len), &part->of.parts) ||
        !read_count(len, &part->of.len))
        return false;
    part->number--;
    return part->of.parts == weir_part_lines(part->of.len) && weir_part_place(part);
}

static bool take_octets(struct weir_slice *text, uint8_t *buffer, struct weir_part_line *part)
{
    struct weir_slice value;
    char again[OCTETS_TEXT];
    size_t len;

    if (!weir_word_take(text, "octets=", &value) ||
        value.len != sodium_base64_encoded_len(part->octets, BASE64) - 1 ||
        sodium_base642bin(buffer, WEIR_PART_OCTETS, value.at, value.len, NULL, &len, NULL,
                          BASE64) != 0 || len != part->octets)
        return false;
    part->octet = buffer;
    sodium_bin2base64(again, sizeof again, buffer, len, BASE64);
    return memcmp(again, value.at, value.len) == 0; /* bits behind the last octet are 0 */
}

bool weir_part_line_is(struct weir_slice text)
{
    char kind[WEIR_PART_KIND_MAX + 1];
    struct weir_slice at;

    return weir_word_take(&text, "at=", &at) && take_kind(&text, kind);
}

int weir_part_line_read(struct weir_slice text, uint8_t buffer[static WEIR_PART_OCTETS],
                        struct weir_part_line *part_r)
{
    struct weir_slice at;

    if (text.len > WEIR_SPOOL_LINE_MAX)
        return 0;
    return weir_word_take(&text, "at=", &at) && take_kind(&text, part_r->of.kind) &&
           weir_word_take_hex(&text, "uid=", &part_r->of.uid) && take_place(&text, part_r) &&
           weir_word_take_hex(&text, "sum=", &part_r->of.sum) &&
           take_octets(&text, buffer, part_r) && text.len == 0;
}
