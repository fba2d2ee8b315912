/*
 * What is wrong with the lines of a message as a whole: NUL, CR without LF, line ends
 * mixed, lines too long.  Counting is done in blocks of fixed size without a branch,
 * which compilers make vector instructions of, so that no input is slower than another.
 */
#include <string.h>

#include "core/mail/message_impl.h"

enum {
    BLOCK = 192,    /* octets counted at once: a count fits into one octet */
    LONGEST = 998    /* RFC 5322 2.1.1 */
};

struct line_ends {
    size_t lf, cr, crlf;
};

static void block_count(const unsigned char *at, struct line_ends *ends)
{
    unsigned char lf = 0, cr = 0, crlf = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        unsigned char is_cr = at[i] == '\r';
        lf = (unsigned char)(lf + (at[i] == '\n'));
        cr = (unsigned char)(cr + is_cr);
        crlf = (unsigned char)(crlf + (is_cr & (at[i + 1] == '\n')));
    }
    ends->lf += lf;
    ends->cr += cr;
    ends->crlf += crlf;
}

static struct line_ends line_ends_count(struct weir_slice text)
{
    struct line_ends ends = {0};
    const unsigned char *at = (const unsigned char *)text.at, *end = at + text.len;
    for (; end - at > BLOCK; at += BLOCK)
        block_count(at, &ends);
    for (; at < end; at++) {
        ends.lf += *at == '\n';
        ends.cr += *at == '\r';
        ends.crlf += *at == '\r' && at + 1 < end && at[1] == '\n';
    }
    return ends;
}

/* Goes from line to line in leaps: the last line end within reach is as good as the
 * next one. */
static bool has_long_line(struct weir_slice text)
{
    const char *at = text.at, *end = at + text.len;
    while (end - at > LONGEST) {
        const char *lf = memrchr(at, '\n', LONGEST + 1);
        if (lf)
            at = lf + 1;
        else if (end - at > LONGEST + 1 && at[LONGEST] == '\r' && at[LONGEST + 1] == '\n')
            at += LONGEST + 2;
        else
            return true;
    }
    return false;
}

void weir_lines_check(struct weir_message *message)
{
    struct weir_slice whole = message->whole;
    if (memchr(whole.at, '\0', whole.len))
        weir_message_note(message, WEIR_DEFECT_NUL);
    if (has_long_line(whole))
        weir_message_note(message, WEIR_DEFECT_LONG_LINE);
    if (!memchr(whole.at, '\r', whole.len))
        return;
    struct line_ends ends = line_ends_count(whole);
    if (ends.cr > ends.crlf)
        weir_message_note(message, WEIR_DEFECT_BARE_CR);
    if (ends.crlf > 0 && ends.lf > ends.crlf)
        weir_message_note(message, WEIR_DEFECT_MIXED_LINE_ENDS);
}
