/*
 * dialogue_word - codes first, then a few texts.
 *
 * Only 2xx says anything.  An enhanced code 2.1.x is about an address, and never about a message,
 * whatever text stands behind it.
 */
#include "sniffer/dialogue_word.h"

#include "core/base/slice.h"

enum { CODE = 4 }; /* octets of "250 " */

/* A text of several words in the midst of others, in any case of letters. */
static bool is_queued(struct weir_slice text)
{
    static const char *const phrases[] = {" queued as ", " accepted for delivery",
                                          " mail for delivery"};
    const char *end = text.at + text.len, *blank = text.at;

    if (weir_slice_begins(text, "OK id="))
        return true;
    while ((blank = memchr(blank, ' ', (size_t)(end - blank))) != NULL) {
        for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
            if (weir_slice_begins(weir_slice_between(blank, end), phrases[i]))
                return true;
        blank++;
    }
    return false;
}

enum weir_word weir_word_read(struct weir_slice line)
{
    if (line.len <= CODE || line.at[0] != '2')
        return WEIR_WORD_NONE;
    struct weir_slice text = weir_slice_behind(line, CODE);
    if (weir_slice_begins(text, "2.1.0"))
        return WEIR_WORD_SENDER;
    if (weir_slice_begins(text, "2.1.5") || weir_slice_is(text, "Accepted"))
        return WEIR_WORD_RECIPIENT;
    if (weir_slice_begins(text, "2.1.") || !is_queued(text))
        return WEIR_WORD_NONE;
    return WEIR_WORD_QUEUED;
}
