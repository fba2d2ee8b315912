/*
 * The boundary lines of open multiparts: "--", a boundary, "--" when it is the last,
 * blanks (RFC 2046 5.1.1).  They are looked for only where a line begins with "--", and
 * such lines are found in blocks of fixed size without a branch.
 */
#include <string.h>

#include "core/base/slice.h"
#include "core/mail/message_impl.h"

enum { BLOCK = 64 };

/* Whether "\n--" begins somewhere in BLOCK octets; two more must be there. */
static bool block_has_dashes(const char *at)
{
    unsigned char any = 0;
    for (size_t i = 0; i < BLOCK; i++)
        any = (unsigned char)(any | ((at[i] == '\n') & (at[i + 1] == '-') & (at[i + 2] == '-')));
    return any != 0;
}

static bool are_dashes(const char *at, const char *end)
{
    return end - at >= 3 && at[0] == '\n' && at[1] == '-' && at[2] == '-';
}

/* The next "--" behind a line end at or behind at, or NULL. */
static const char *dashes_find(const char *at, const char *end)
{
    if (are_dashes(at, end)) /* where each line has them, blocks would cost more */
        return at + 1;
    while (end - at >= BLOCK + 2 && !block_has_dashes(at))
        at += BLOCK;
    while (end - at >= 3 && !are_dashes(at, end))
        at++;
    return end - at >= 3 ? at + 1 : NULL;
}

/* The innermost open multipart a line (behind its dashes) is a boundary of, or opens. */
static size_t level_of(const struct weir_parse *parse, struct weir_slice line, bool *closing_r)
{
    bool dashes = line.len > 2 && line.at[line.len - 1] == '-' && line.at[line.len - 2] == '-';
    for (size_t level = parse->opens; level-- > 0;) {
        const struct weir_open_multipart *open = &parse->open[level];
        *closing_r = dashes && open->len == line.len - 2;
        bool as_long = *closing_r || open->len == line.len;
        if (as_long && memcmp(open->boundary, line.at, open->len) == 0)
            return level;
    }
    return parse->opens;
}

/* Where a body ends that is followed by a boundary line at line. */
static const char *before_line_end(const struct weir_parse *parse, const char *line)
{
    const char *start = parse->message->whole.at;
    if (line > start && line[-1] == '\n')
        line--;
    if (line > start && line[-1] == '\r')
        line--;
    return line;
}

/* Whether the line at line, which begins with "--", is a boundary; *lf_r is its end. */
static bool is_boundary(const struct weir_parse *parse, const char *line, const char **lf_r,
                        struct weir_delimiter *delimiter_r)
{
    const char *lf = memchr(line, '\n', (size_t)(parse->end - line));
    const char *stop = *lf_r = lf ? lf : parse->end;
    while (weir_is_blank(stop[-1])) /* ends at the dashes */
        stop--;
    struct weir_slice rest = {line + 2, (size_t)(stop - (line + 2))};
    delimiter_r->level = level_of(parse, rest, &delimiter_r->closing);
    delimiter_r->body_end = before_line_end(parse, line);
    delimiter_r->next = lf ? lf + 1 : parse->end;
    return delimiter_r->level < parse->opens;
}

static bool has_dashes(const struct weir_parse *parse, const char *line)
{
    return parse->end - line >= 2 && line[0] == '-' && line[1] == '-';
}

bool weir_multipart_is_boundary(const struct weir_parse *parse, const char *line)
{
    struct weir_delimiter ignored;
    const char *lf;
    return has_dashes(parse, line) && is_boundary(parse, line, &lf, &ignored);
}

bool weir_multipart_find(const struct weir_parse *parse, struct weir_delimiter *delimiter_r)
{
    if (parse->opens == 0)
        return false;
    const char *line = parse->at;
    if (!has_dashes(parse, line))
        line = dashes_find(line, parse->end);
    while (line) {
        const char *lf;
        if (is_boundary(parse, line, &lf, delimiter_r))
            return true;
        line = dashes_find(lf, parse->end);
    }
    return false;
}

bool weir_multipart_open(struct weir_parse *parse, size_t part)
{
    struct weir_message *message = parse->message;
    struct weir_slice charset, parameters = message->part[part].parameters;
    struct weir_open_multipart *open = &parse->open[parse->opens];
    struct weir_line line = weir_line(open->boundary, sizeof(open->boundary));
    bool bad = false;
    int found = weir_parameter(parameters, "boundary", &line, &charset, &bad);
    while (line.at > line.start && weir_is_blank(line.at[-1]))
        line.at--;
    if (bad)
        weir_message_note(message, WEIR_DEFECT_BAD_PARAMETER);
    if (line.cut)
        weir_message_note(message, WEIR_DEFECT_LIMIT);
    if (!found || line.cut || line.at == line.start) {
        weir_message_note(message, WEIR_DEFECT_NO_BOUNDARY);
        return false;
    }
    open->len = (size_t)(line.at - line.start);
    open->part = (uint16_t)part;
    open->digest = weir_slice_is(message->part[part].type, "multipart/digest");
    parse->opens++;
    return true;
}
