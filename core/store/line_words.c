/*
 * A line with a word missing or in another place is none of ours: nothing is looked for, the next
 * word has to be the one.
 */
#include "core/store/line_words.h"

#include <string.h>

#include "core/base/slice.h"

bool weir_word_take(struct weir_slice *text, const char *name, struct weir_slice *value_r)
{
    size_t len = strlen(name);
    const char *end = text->len > 0 ? memchr(text->at, ' ', text->len) : NULL;
    struct weir_slice word = {text->at, end ? (size_t)(end - text->at) : text->len};

    if (word.len < len || memcmp(word.at, name, len) != 0)
        return false;
    *value_r = weir_slice_behind(word, len);
    *text = weir_slice_behind(*text, word.len + (end != NULL));
    return true;
}

bool weir_word_take_hex(struct weir_slice *text, const char *name, uint64_t *number_r)
{
    struct weir_slice value;

    if (!weir_word_take(text, name, &value) || value.len != WEIR_WORD_HEX)
        return false;
    *number_r = 0;
    for (size_t i = 0; i < WEIR_WORD_HEX; i++) {
        int digit = value.at[i] >= 'A' && value.at[i] <= 'F' ? -1 : weir_hex_value(value.at[i]);

        if (digit < 0)
            return false;
        *number_r = *number_r << 4 | (uint64_t)digit;
    }
    return true;
}

void weir_word_put_hex(struct weir_line *line, const char *name, uint64_t number)
{
    char digit[WEIR_WORD_HEX];

    for (size_t i = WEIR_WORD_HEX; i-- > 0; number >>= 4)
        digit[i] = "0123456789abcdef"[number & 15];
    weir_line_text(line, name);
    weir_line_octets(line, digit, WEIR_WORD_HEX);
}
