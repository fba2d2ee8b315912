/*
 * Style sheets, as far as they hide text: "td.x, #y { display: none }".  A table under a key of its
 * own finds the rules for a tag, a class, an id, or a tag with one of both; each element asks
 * for the few that it may have, whatever the sheet.
 *
 * Not understood, and so without effect: descendants and siblings (but "body .x" is ".x"), several
 * classes at once, attributes, pseudo-classes, everything that begins with '@' and what is in
 * its block, sheets for some media only.  When one of them sets a colour or a size, no colour or
 * size of any sheet is believed: white text may well stand on a background that was not
 * understood.
 *
 * Names are compared without case, as browsers do for mail without a DOCTYPE.  Past
 * WEIR_HTML_SHEET_MAX octets nothing is read, and what is there may set any colour and size.  New
 * selectors past WEIR_HTML_RULES_MAX, or WEIR_HTML_COLOUR_RULES_MAX, are not understood either.
 */
#include "core/mail/html_impl.h"

#include <string.h>

/* Kinds of selectors, the less specific first. */
enum level { LEVEL_TAG, LEVEL_CLASS, LEVEL_TAG_CLASS, LEVEL_ID, LEVEL_TAG_ID };

static const unsigned colours = WEIR_SETS_INK | WEIR_SETS_PAPER;
static const unsigned sizes = WEIR_SETS_SIZE | WEIR_SETS_SCALE;

/* The table. ------------------------------------------------------------------------ */

/* The slot where a name is, or the free one where it belongs. */
static size_t find(const struct weir_html_sheet *sheet, uint64_t name)
{
    enum { SLOTS = sizeof(sheet->slot) / sizeof(*sheet->slot) };
    size_t at = name % SLOTS;
    while (sheet->slot[at] && sheet->rule[sheet->slot[at] - 1].name != name)
        at = (at + 1) % SLOTS;
    return at;
}

/* Rules that set nothing but colours and sizes do not fill the table: they are many in honest
 * mail, and those that take text away must find room behind them. */
static struct weir_html_rule *rule_of(struct weir_html_sheet *sheet, uint64_t name, unsigned sets)
{
    size_t slot = find(sheet, name);
    size_t most = sets & ~(colours | sizes) ? WEIR_HTML_RULES_MAX : WEIR_HTML_COLOUR_RULES_MAX;
    if (sheet->slot[slot])
        return &sheet->rule[sheet->slot[slot] - 1];
    if (sheet->rules >= most)
        return NULL;
    struct weir_html_rule *rule = &sheet->rule[sheet->rules++];
    sheet->slot[slot] = (uint16_t)sheet->rules;
    *rule = (struct weir_html_rule){.name = name};
    return rule;
}

static void mark(uint64_t bits[static WEIR_ELEMENTS_MOST / 64], unsigned element)
{
    bits[element / 64] |= UINT64_C(1) << (element % 64);
}

static bool marked(const uint64_t bits[static WEIR_ELEMENTS_MOST / 64], unsigned element)
{
    return bits[element / 64] >> (element % 64) & 1;
}

/* Selectors. ------------------------------------------------------------------------- */

static bool is_name_octet(char c)
{
    return weir_html_is_letter(c) || weir_is_digit(c) || c == '-' || c == '_' ||
           (unsigned char)c >= 0x80;
}

static size_t name_len(struct weir_slice text)
{
    size_t len = 0;
    while (len < text.len && is_name_octet(text.at[len]))
        len++;
    return len;
}

static size_t lower(struct weir_slice text, char *out)
{
    for (size_t i = 0; i < text.len; i++)
        out[i] = weir_html_lower(text.at[i]);
    return text.len;
}

static struct weir_slice behind(struct weir_slice text, size_t len)
{
    return (struct weir_slice){text.at + len, text.len - len};
}

/* "html body .x" is ".x". */
static struct weir_slice without_body(struct weir_slice text)
{
    for (;;) {
        size_t len = name_len(text);
        struct weir_slice name = {text.at, len};
        bool around = len < text.len && weir_html_is_blank(text.at[len]) &&
                      (weir_html_equals(name, "html") || weir_html_equals(name, "body"));
        if (!around)
            return text;
        text = weir_html_trim(behind(text, len));
    }
}

/* A selector's level, or -1 when it is none that is understood. */
static int level_of(struct weir_slice text, struct weir_slice *tag_r)
{
    size_t len = name_len(text);
    *tag_r = (struct weir_slice){text.at, len};
    if (len == text.len)
        return len > 0 ? LEVEL_TAG : -1;
    char sign = text.at[len];
    struct weir_slice name = behind(text, len + 1);
    if ((sign != '.' && sign != '#') || name.len == 0 || name_len(name) < name.len)
        return -1;
    return (sign == '.' ? LEVEL_CLASS : LEVEL_ID) + (len > 0);
}

/* How a link looks that was clicked on, or is pointed at, hides nothing. */
static bool is_passing(struct weir_slice text)
{
    static const char *const state[] = {"hover", "active", "focus", "visited"};
    const char *colon = memrchr(text.at, ':', text.len);
    struct weir_slice name = {colon + 1, colon ? (size_t)(text.at + text.len - colon - 1) : 0};
    for (size_t i = 0; colon && i < sizeof(state) / sizeof(*state); i++)
        if (weir_html_begins(name, state[i]))
            return true;
    return false;
}

static void selector_add(struct weir_html_sheet *sheet, struct weir_slice text,
                         const struct weir_html_style *style,
                         const struct weir_html_style *important)
{
    char room[WEIR_HTML_SELECTOR_MAX];
    struct weir_slice tag = {"", 0};
    int level = -1;
    text = weir_html_trim(text);
    if (text.len <= sizeof(room)) {
        text = (struct weir_slice){room, weir_html_style_plain(room, lower(text, room))};
        text = without_body(weir_html_trim(text));
        level = level_of(text, &tag);
    }
    unsigned sets = style->sets | important->sets;
    struct weir_html_rule *rule =
        level >= 0 ? rule_of(sheet, weir_hash64(&sheet->key, text.at, text.len), sets) : NULL;
    if (!rule) {
        if (!is_passing(text))
            sheet->unsure |= sets;
        return;
    }
    uint32_t order = (uint32_t)level << 24 | sheet->order++;
    weir_html_layer_add(&rule->plain, style, order);
    weir_html_layer_add(&rule->important, important, order);
    if (level == LEVEL_TAG)
        mark(sheet->tags, weir_html_element(tag));
    else if (tag.len > 0)
        mark(sheet->parts_of, weir_html_element(tag));
}

/* Rules. ------------------------------------------------------------------------------ */

static const char *comment_end(const char *at, const char *end)
{
    const char *close = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
    return close ? close + 2 : end;
}

/* A string ends at its quote, or with its line. */
static const char *string_end(const char *at, const char *end)
{
    char quote = *at++;
    for (; at < end && *at != quote && *at != '\n'; at++)
        at += *at == '\\' && end - at > 1;
    return at < end ? at + 1 : end;
}

/* The next octet that is one of both, outside of comments and strings; or the end. */
static const char *next_of(const char *at, const char *end, char one, char other)
{
    while (at < end && *at != one && *at != other) {
        if (*at == '/' && end - at > 1 && at[1] == '*')
            at = comment_end(at, end);
        else if (*at == '"' || *at == '\'')
            at = string_end(at, end);
        else
            at += *at == '\\' && end - at > 1 ? 2 : 1;
    }
    return at;
}

/* The '}' of the block that begins at `at`, or the end. */
static const char *block_end(const char *at, const char *end)
{
    for (size_t depth = 1; (at = next_of(at, end, '{', '}')) < end; at++) {
        depth += *at == '{';
        if (*at == '}' && --depth == 0)
            return at;
    }
    return end;
}

static const char *skip_blanks(const char *at, const char *end)
{
    for (;;) {
        if (at < end && weir_html_is_blank(*at))
            at++;
        else if (end - at >= 2 && at[0] == '/' && at[1] == '*')
            at = comment_end(at, end);
        else if (end - at >= 4 && memcmp(at, "<!--", 4) == 0)
            at += 4;
        else if (end - at >= 3 && memcmp(at, "-->", 3) == 0)
            at += 3;
        else
            return at;
    }
}

/* What makes it worth reading a text again that stood before it. */
static bool may_hide(const struct weir_html_style *style)
{
    return style->sets & (WEIR_SETS_GONE | WEIR_SETS_UNSEEN | WEIR_SETS_CLEAR | WEIR_SETS_INK) ||
           (style->sets & sizes && style->size <= 100);
}

static bool rule_add(struct weir_html_sheet *sheet, struct weir_slice selectors,
                     struct weir_slice block)
{
    struct weir_html_style style = {0}, important = {0};
    const char *at = selectors.at, *end = at + selectors.len;
    weir_html_style_rule(block, &style, &important);
    if (!(style.sets | important.sets))
        return false;
    while (at < end) {
        const char *comma = next_of(at, end, ',', ',');
        selector_add(sheet, (struct weir_slice){at, (size_t)(comma - at)}, &style, &important);
        at = comma < end ? comma + 1 : end;
    }
    return may_hide(&style) || may_hide(&important);
}

void weir_html_sheet_init(struct weir_html_sheet *sheet)
{
    sheet->rules = 0;
    sheet->begun = false;
}

/* Nothing of it is set before there is a sheet: few texts have one. */
static void begin(struct weir_html_sheet *sheet)
{
    if (sheet->begun)
        return;
    sheet->begun = true;
    sheet->octets = 0;
    sheet->key = weir_hash_key_random();
    sheet->order = 0;
    sheet->unsure = 0;
    memset(sheet->tags, 0, sizeof(sheet->tags));
    memset(sheet->parts_of, 0, sizeof(sheet->parts_of));
    memset(sheet->slot, 0, sizeof(sheet->slot));
}

/* What the declarations between any braces set is not known to hold, or not to. */
static void unsure_of(struct weir_html_sheet *sheet, const char *at, const char *end)
{
    while (at < end) {
        const char *brace = next_of(at, end, '{', '}');
        struct weir_html_style style = {0}, important = {0};
        weir_html_style_rule((struct weir_slice){at, (size_t)(brace - at)}, &style, &important);
        sheet->unsure |= style.sets | important.sets;
        at = brace < end ? brace + 1 : end;
    }
}

bool weir_html_sheet_pass(struct weir_html_sheet *sheet, struct weir_slice text)
{
    begin(sheet);
    unsigned before = sheet->unsure;
    unsure_of(sheet, text.at, text.at + text.len);
    return sheet->unsure != before;
}

/* As much of a text as is read; what is cut off may set anything. */
static struct weir_slice within_limit(struct weir_html_sheet *sheet, struct weir_slice text)
{
    size_t most = WEIR_HTML_SHEET_MAX - sheet->octets;
    if (text.len > most) {
        text.len = most;
        sheet->unsure |= colours | sizes;
    }
    sheet->octets += text.len;
    return text;
}

bool weir_html_sheet_read(struct weir_html_sheet *sheet, struct weir_slice text)
{
    begin(sheet);
    unsigned before = sheet->unsure;
    text = within_limit(sheet, text);
    const char *at = text.at, *end = at + text.len;
    bool hides = false;
    while ((at = skip_blanks(at, end)) < end) {
        bool special = *at == '@';
        const char *open = next_of(at, end, '{', special ? ';' : '{');
        if (open == end)
            break;
        const char *close = *open == '{' ? block_end(open + 1, end) : open;
        if (special && *open == '{')
            unsure_of(sheet, open + 1, close);
        else if (!special)
            hides |= rule_add(sheet, (struct weir_slice){at, (size_t)(open - at)},
                              (struct weir_slice){open + 1, (size_t)(close - open) - 1});
        at = close < end ? close + 1 : end;
    }
    return hides || sheet->unsure != before;
}

/* Elements. ---------------------------------------------------------------------------- */

struct matches {
    const struct weir_html_sheet *sheet;
    struct weir_slice tag;
    struct weir_html_layer plain, important; /* of all rules found so far */
};

/* Looks for tag, sign and name, each perhaps empty. */
static void match(struct matches *matches, struct weir_slice tag, char sign,
                  struct weir_slice name)
{
    const struct weir_html_sheet *sheet = matches->sheet;
    char room[WEIR_HTML_SELECTOR_MAX];
    if (tag.len + name.len + 1 > sizeof(room))
        return;
    size_t len = lower(tag, room);
    if (sign)
        room[len++] = sign;
    len += lower(name, room + len);
    size_t slot = find(sheet, weir_hash64(&sheet->key, room, len));
    if (!sheet->slot[slot])
        return;
    const struct weir_html_rule *rule = &sheet->rule[sheet->slot[slot] - 1];
    weir_html_layer_merge(&matches->plain, &rule->plain);
    weir_html_layer_merge(&matches->important, &rule->important);
}

/* The names in a class or id attribute. */
static void match_names(struct matches *matches, const struct weir_html_tag *tag,
                        enum weir_html_attribute attribute, char sign)
{
    static const struct weir_slice none = {"", 0};
    char room[WEIR_HTML_STYLE_MAX];
    if (!weir_html_has(tag, attribute))
        return;
    struct weir_slice rest = tag->value[attribute];
    if (memchr(rest.at, '&', rest.len)) {
        struct weir_line line = weir_line(room, sizeof(room));
        weir_html_undo(rest, true, &line);
        rest = (struct weir_slice){line.start, (size_t)(line.at - line.start)};
    }
    for (rest = weir_html_trim(rest); rest.len > 0; rest = weir_html_trim(rest)) {
        struct weir_slice name = {rest.at, 0};
        while (name.len < rest.len && !weir_html_is_blank(name.at[name.len]))
            name.len++;
        match(matches, none, sign, name);
        if (marked(matches->sheet->parts_of, tag->element))
            match(matches, matches->tag, sign, name);
        rest = behind(rest, name.len);
    }
}

void weir_html_sheet_style(const struct weir_html_sheet *sheet, const struct weir_html_tag *tag,
                           struct weir_html_style *style, struct weir_html_style *important)
{
    struct matches matches = {.sheet = sheet, .tag = tag->name};
    if (marked(sheet->tags, tag->element))
        match(&matches, tag->name, '\0', (struct weir_slice){"", 0});
    match_names(&matches, tag, WEIR_ATTR_CLASS, '.');
    match_names(&matches, tag, WEIR_ATTR_ID, '#');
    unsigned believed = ~0u;
    if (sheet->unsure & colours)
        believed &= ~colours;
    if (sheet->unsure & sizes)
        believed &= ~sizes;
    matches.plain.style.sets &= believed;
    matches.important.style.sets &= believed;
    weir_html_style_over(style, &matches.plain.style);
    *important = matches.important.style;
}
