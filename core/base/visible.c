/*
 * A terminal that is lax with UTF-8 makes a control character of an overlong one: so these are no
 * characters, and neither are halves of surrogates.
 */
#include "core/base/visible.h"

#include <stdint.h>

#include "core/base/slice.h"

struct range { uint32_t first, last; };

/* What is there and not seen, or turns what is. */
static const struct range hidden[] = {
    {0x00, 0x1f},         {0x7f, 0x9f},         {0xad, 0xad},         {0x61c, 0x61c},
    {0x180e, 0x180e},     {0x200b, 0x200b},     {0x200e, 0x200f},     {0x2028, 0x202e},
    {0x2060, 0x206f},     {0xd800, 0xdfff},     {0xfeff, 0xfeff},     {0xfff9, 0xfffb},
    {0xe0000, 0xe007f},   {0x110000, UINT32_MAX},
};

static bool is_hidden(uint32_t character)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (character >= hidden[i].first && character <= hidden[i].last)
            return true;
    return false;
}

size_t weir_visible_octets(struct weir_slice text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* that needs so many octets */
    const unsigned char *at = (const unsigned char *)text.at;
    size_t octets;
    uint32_t character;

    if (text.len == 0)
        return 0;
    octets = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if ((at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4 || octets > text.len)
        return 0;
    character = octets == 1 ? at[0] : at[0] & (0xffu >> (octets + 1));
    for (size_t i = 1; i < octets; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (at[i] & 0x3f);
    }
    return character < least[octets] || is_hidden(character) ? 0 : octets;
}

bool weir_visible(struct weir_slice text)
{
    size_t octets = 1;

    while (text.len > 0 && (octets = weir_visible_octets(text)) > 0)
        text = weir_slice_behind(text, octets);
    return octets > 0;
}
