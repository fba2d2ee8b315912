/*
 * A tag: which element it is of, and those of its attributes that matter, as slices.
 * Read as browsers do (HTML 13.2.5.6 to 40): any octet makes a name, a slash is a
 * blank, '<' and quotes in the middle of a name are part of it, of two attributes of one
 * name the first counts, and a NUL in a name makes it another name.  Attributes past
 * WEIR_HTML_ATTRIBUTES_MAX are stepped over.
 */
#include "core/mail/html_impl.h"

#include <string.h>

enum {
    VOID = WEIR_KIND_VOID,
    BLOCK = WEIR_KIND_BLOCK,
    FORMAT = WEIR_KIND_FORMAT,
    SCOPE = WEIR_KIND_SCOPE,
    ENDS_P = WEIR_KIND_ENDS_P,
    RAW = WEIR_KIND_RAW,
    REFERENCES = WEIR_KIND_REFERENCES,
    NO_TEXT = WEIR_KIND_NO_TEXT,
    UNSHOWN = WEIR_KIND_UNSHOWN,
    ONLY_ONE = WEIR_KIND_ONLY_ONE,
    AT_NONE = WEIR_BREAK_NONE,
    AT_BLANK = WEIR_BREAK_BLANK,
    AT_LINE = WEIR_BREAK_LINE,
    AT_PARAGRAPH = WEIR_BREAK_PARAGRAPH,
};

/* Sorted.  Breaks are SpamAssassin's, so that its rules find the text they were written
 * for; where a browser breaks a line and it does not, there is a blank. */
const struct weir_html_element weir_html_elements[] = {
    {"", 0, AT_NONE, WEIR_ROLE_NONE}, /* WEIR_ELEMENT_UNKNOWN */
    {"a", FORMAT | ONLY_ONE, AT_NONE, WEIR_ROLE_ANCHOR},
    {"abbr", 0, AT_NONE, WEIR_ROLE_NONE},
    {"acronym", 0, AT_NONE, WEIR_ROLE_NONE},
    {"address", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"applet", BLOCK | SCOPE, AT_NONE, WEIR_ROLE_EMBED},
    {"area", VOID, AT_NONE, WEIR_ROLE_ANCHOR},
    {"article", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"aside", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"b", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"base", VOID, AT_NONE, WEIR_ROLE_BASE},
    {"basefont", VOID, AT_NONE, WEIR_ROLE_NONE},
    {"bdo", 0, AT_NONE, WEIR_ROLE_NONE},
    {"bgsound", VOID, AT_NONE, WEIR_ROLE_FRAME},
    {"big", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"blockquote", BLOCK | ENDS_P, AT_PARAGRAPH, WEIR_ROLE_NONE},
    {"body", 0, AT_NONE, WEIR_ROLE_BODY},
    {"br", VOID, AT_LINE, WEIR_ROLE_NONE},
    {"button", BLOCK | ONLY_ONE, AT_BLANK, WEIR_ROLE_BUTTON},
    {"caption", BLOCK | SCOPE, AT_BLANK, WEIR_ROLE_NONE},
    {"center", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"cite", 0, AT_NONE, WEIR_ROLE_NONE},
    {"code", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"col", VOID, AT_NONE, WEIR_ROLE_NONE},
    {"colgroup", BLOCK, AT_NONE, WEIR_ROLE_NONE},
    {"datalist", UNSHOWN, AT_NONE, WEIR_ROLE_NONE},
    {"dd", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_TERM},
    {"del", 0, AT_NONE, WEIR_ROLE_NONE},
    {"details", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"dfn", 0, AT_NONE, WEIR_ROLE_NONE},
    {"dir", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"div", BLOCK | ENDS_P, AT_LINE, WEIR_ROLE_NONE},
    {"dl", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"dt", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_TERM},
    {"em", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"embed", VOID, AT_BLANK, WEIR_ROLE_EMBED},
    {"fieldset", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"figcaption", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"figure", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"font", FORMAT, AT_NONE, WEIR_ROLE_FONT},
    {"footer", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"form", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_FORM},
    {"frame", VOID, AT_NONE, WEIR_ROLE_FRAME},
    {"frameset", BLOCK, AT_BLANK, WEIR_ROLE_NONE},
    {"h1", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"h2", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"h3", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"h4", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"h5", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"h6", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"head", VOID, AT_NONE, WEIR_ROLE_NONE},
    {"header", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"hgroup", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"hr", VOID | ENDS_P, AT_PARAGRAPH, WEIR_ROLE_NONE},
    {"html", 0, AT_NONE, WEIR_ROLE_BODY},
    {"i", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"iframe", BLOCK | RAW | UNSHOWN, AT_BLANK, WEIR_ROLE_FRAME},
    {"image", VOID, AT_NONE, WEIR_ROLE_IMAGE},
    {"img", VOID, AT_NONE, WEIR_ROLE_IMAGE},
    {"input", VOID, AT_NONE, WEIR_ROLE_IMAGE},
    {"ins", 0, AT_NONE, WEIR_ROLE_NONE},
    {"isindex", VOID, AT_BLANK, WEIR_ROLE_NONE},
    {"kbd", 0, AT_NONE, WEIR_ROLE_NONE},
    {"keygen", VOID, AT_NONE, WEIR_ROLE_NONE},
    {"label", 0, AT_NONE, WEIR_ROLE_NONE},
    {"legend", 0, AT_NONE, WEIR_ROLE_NONE},
    {"li", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_ITEM},
    {"link", VOID, AT_NONE, WEIR_ROLE_LINK},
    {"listing", BLOCK | ENDS_P, AT_PARAGRAPH, WEIR_ROLE_NONE},
    {"main", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"map", 0, AT_NONE, WEIR_ROLE_NONE},
    {"marquee", BLOCK | SCOPE, AT_NONE, WEIR_ROLE_NONE},
    {"menu", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"meta", VOID, AT_NONE, WEIR_ROLE_META},
    {"nav", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"nobr", FORMAT | ONLY_ONE, AT_NONE, WEIR_ROLE_NONE},
    {"noembed", BLOCK | UNSHOWN, AT_NONE, WEIR_ROLE_NONE},
    {"noframes", BLOCK | UNSHOWN, AT_BLANK, WEIR_ROLE_NONE},
    {"noscript", BLOCK, AT_NONE, WEIR_ROLE_NONE},
    {"object", BLOCK | SCOPE, AT_NONE, WEIR_ROLE_EMBED},
    {"ol", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"optgroup", 0, AT_NONE, WEIR_ROLE_NONE},
    {"option", ONLY_ONE, AT_BLANK, WEIR_ROLE_NONE},
    {"p", BLOCK | ENDS_P, AT_PARAGRAPH, WEIR_ROLE_PARAGRAPH},
    {"param", VOID, AT_NONE, WEIR_ROLE_NONE},
    {"plaintext", BLOCK | ENDS_P | RAW, AT_PARAGRAPH, WEIR_ROLE_NONE},
    {"pre", BLOCK | ENDS_P, AT_PARAGRAPH, WEIR_ROLE_NONE},
    {"q", 0, AT_NONE, WEIR_ROLE_NONE},
    {"s", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"samp", 0, AT_NONE, WEIR_ROLE_NONE},
    {"script", BLOCK | RAW | NO_TEXT, AT_NONE, WEIR_ROLE_SCRIPT},
    {"section", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"select", BLOCK, AT_BLANK, WEIR_ROLE_NONE},
    {"small", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"source", VOID, AT_NONE, WEIR_ROLE_NONE},
    {"span", 0, AT_NONE, WEIR_ROLE_NONE},
    {"strike", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"strong", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"style", BLOCK | RAW | NO_TEXT, AT_NONE, WEIR_ROLE_STYLE},
    {"sub", 0, AT_NONE, WEIR_ROLE_NONE},
    {"summary", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"sup", 0, AT_NONE, WEIR_ROLE_NONE},
    {"table", BLOCK | SCOPE, AT_BLANK, WEIR_ROLE_TABLE},
    {"tbody", BLOCK, AT_BLANK, WEIR_ROLE_GROUP},
    {"td", BLOCK | SCOPE, AT_BLANK, WEIR_ROLE_CELL},
    {"template", BLOCK | SCOPE | UNSHOWN, AT_NONE, WEIR_ROLE_NONE},
    {"textarea", BLOCK | RAW | REFERENCES, AT_BLANK, WEIR_ROLE_NONE},
    {"tfoot", BLOCK, AT_BLANK, WEIR_ROLE_GROUP},
    {"th", BLOCK | SCOPE, AT_BLANK, WEIR_ROLE_CELL},
    {"thead", BLOCK, AT_BLANK, WEIR_ROLE_GROUP},
    {"title", BLOCK | RAW | REFERENCES | UNSHOWN, AT_PARAGRAPH, WEIR_ROLE_TITLE},
    {"tr", BLOCK, AT_BLANK, WEIR_ROLE_ROW},
    {"track", VOID, AT_NONE, WEIR_ROLE_NONE},
    {"tt", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"u", FORMAT, AT_NONE, WEIR_ROLE_NONE},
    {"ul", BLOCK | ENDS_P, AT_BLANK, WEIR_ROLE_NONE},
    {"var", 0, AT_NONE, WEIR_ROLE_NONE},
    {"wbr", VOID, AT_NONE, WEIR_ROLE_WBR},
    {"x-sigsep", 0, AT_NONE, WEIR_ROLE_NONE},
    {"x-tab", 0, AT_NONE, WEIR_ROLE_NONE},
    {"xmp", BLOCK | ENDS_P | RAW, AT_PARAGRAPH, WEIR_ROLE_NONE},
};

enum { ELEMENTS = sizeof(weir_html_elements) / sizeof(*weir_html_elements) };

_Static_assert((int)ELEMENTS <= (int)WEIR_ELEMENTS_MOST, "the tree has room for each element");

static uint64_t key(const char *octets)
{
    uint64_t number;
    memcpy(&number, octets, sizeof(number));
    return number;
}

unsigned weir_html_element(struct weir_slice name)
{
    /* where names with each letter begin */
    static const uint8_t first[27] = {
        1, 9, 19, 25, 34, 36, 44, 44, 55, 62, 62, 64, 69, 74,
        79, 83, 87, 88, 88, 102, 114, 116, 117, 118, 121, 121, 121,
    };
    char lower[sizeof(weir_html_elements->name)] = "";
    if (name.len == 0 || name.len >= sizeof(lower) || !weir_html_is_letter(name.at[0]))
        return WEIR_ELEMENT_UNKNOWN;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = weir_html_lower(name.at[i]);
    uint64_t front = key(lower), back = key(lower + 8);
    for (unsigned i = first[lower[0] - 'a']; i < first[lower[0] - 'a' + 1]; i++)
        if (key(weir_html_elements[i].name) == front && key(weir_html_elements[i].name + 8) == back)
            return i;
    return WEIR_ELEMENT_UNKNOWN;
}

static enum weir_html_attribute attribute(struct weir_slice name)
{
    static const struct {
        char name[20];
        uint8_t len, attribute;
    } names[] = {
        {"href", 4, WEIR_ATTR_HREF},
        {"src", 3, WEIR_ATTR_SRC},
        {"style", 5, WEIR_ATTR_STYLE},
        {"color", 5, WEIR_ATTR_COLOR},
        {"bgcolor", 7, WEIR_ATTR_BGCOLOR},
        {"text", 4, WEIR_ATTR_TEXT},
        {"background", 10, WEIR_ATTR_BACKGROUND},
        {"hidden", 6, WEIR_ATTR_HIDDEN},
        {"action", 6, WEIR_ATTR_ACTION},
        {"http-equiv", 10, WEIR_ATTR_HTTP_EQUIV},
        {"content", 7, WEIR_ATTR_CONTENT},
        {"data", 4, WEIR_ATTR_DATA},
        {"formaction", 10, WEIR_ATTR_FORMACTION},
        {"data-saferedirecturl", 20, WEIR_ATTR_REDIRECT},
        {"class", 5, WEIR_ATTR_CLASS},
        {"id", 2, WEIR_ATTR_ID},
        {"media", 5, WEIR_ATTR_MEDIA},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].len == name.len && names[i].name[0] == weir_html_lower(name.at[0]) &&
            strncasecmp(names[i].name, name.at, name.len) == 0)
            return names[i].attribute;
    return WEIR_ATTRS;
}

/* What ends a name: blanks, '/' and '>', of an attribute '=' too. */
static const uint8_t ends_name[256] = {
    ['\t'] = 1, ['\n'] = 1, ['\f'] = 1, ['\r'] = 1, [' '] = 1, ['/'] = 1, ['>'] = 1, ['='] = 2,
};

static const char *name_end(const char *at, const char *end, uint8_t ends)
{
    while (at < end && (uint8_t)(ends_name[(unsigned char)*at] - 1) >= ends)
        at++;
    return at;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (weir_html_is_blank(*at) || *at == '\v'))
        at++;
    return at;
}

/* The value behind '=': where it ends, or NULL when its quote never does. */
static const char *value(const char *at, const char *end, struct weir_slice *value_r)
{
    at = skip_blanks(at, end);
    if (at == end)
        return NULL;
    if (*at == '"' || *at == '\'') {
        const char *close = memchr(at + 1, *at, (size_t)(end - at) - 1);
        if (!close)
            return NULL;
        *value_r = (struct weir_slice){at + 1, (size_t)(close - at) - 1};
        return close + 1;
    }
    const char *start = at;
    while (at < end && *at != '>' && !weir_html_is_blank(*at))
        at++;
    *value_r = (struct weir_slice){start, (size_t)(at - start)};
    return at;
}

static void keep(struct weir_html_tag *tag, struct weir_slice name, struct weir_slice text)
{
    enum weir_html_attribute which = attribute(name);
    tag->event |= name.len > 4 && weir_html_begins(name, "on") && text.len > 0;
    if (which == WEIR_ATTRS || weir_html_has(tag, which))
        return;
    tag->has |= 1u << which;
    tag->value[which] = text;
}

const char *weir_html_tag_read(const char *at, const char *end, struct weir_html_tag *tag_r)
{
    const char *start = at;
    at = name_end(at, end, 1);
    tag_r->name = (struct weir_slice){start, (size_t)(at - start)};
    tag_r->element = weir_html_element(tag_r->name);
    tag_r->has = 0;
    tag_r->event = false;
    for (unsigned seen = 0; at < end;) {
        while (at < end && (*at == '/' || weir_html_is_blank(*at)))
            at++;
        if (at == end)
            break;
        if (*at == '>')
            return at + 1;
        start = at;
        at = name_end(at + 1, end, 2);
        struct weir_slice name = {start, (size_t)(at - start)}, text = {at, 0};
        const char *sign = skip_blanks(at, end);
        if (sign < end && *sign == '=')
            at = value(sign + 1, end, &text);
        if (!at)
            break;
        if (seen++ < WEIR_HTML_ATTRIBUTES_MAX)
            keep(tag_r, name, text);
    }
    return NULL;
}
