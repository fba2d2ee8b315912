/*
 * dialogue_word - codes first, then a few texts.
 *
 * Only 2xx says anything.  An enhanced code 2.1.x is about an address, and never about a message,
 * whatever text stands behind it.
 */
#include "sniffer/dialogue_word.h"

#include "core/base/slice.h"

enum { CODE = 4, ENHANCED = 5 }; /* octets of "250 " and of "2.1.5" */

/* A text of several words in the midst of others, in any case of letters. */
static bool is_queued(struct weir_slice text)
{
    static const char *const phrases[] = {"queued as ", "accepted for delivery",
                                          "mail for delivery"};
    const char *end = text.at + text.len, *word = text.at;

    if (text.at[0] == 'O' && weir_slice_begins(text, "OK id="))
        return true;
    while ((word = memchr(word, ' ', (size_t)(end - word))) != NULL && ++word < end) {
        for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
            if ((*word | 0x20) == phrases[i][0] &&
                weir_slice_begins(weir_slice_between(word, end), phrases[i]))
                return true;
    }
    return false;
}

enum weir_word weir_word_read(struct weir_slice line)
{
    if (line.len <= CODE || line.at[0] != '2')
        return WEIR_WORD_NONE;
    struct weir_slice text = weir_slice_behind(line, CODE);
    if (text.len >= ENHANCED && memcmp(text.at, "2.1.", ENHANCED - 1) == 0)
        return text.at[ENHANCED - 1] == '0'   ? WEIR_WORD_SENDER
               : text.at[ENHANCED - 1] == '5' ? WEIR_WORD_RECIPIENT
                                              : WEIR_WORD_NONE;
    if (weir_slice_is(text, "Accepted"))
        return WEIR_WORD_RECIPIENT;
    return is_queued(text) ? WEIR_WORD_QUEUED : WEIR_WORD_NONE;
}
