/*
 * Declarations of styles, as far as they hide text.  Declarations are read one after the other,
 * the last one wins; comments, escapes and character references are undone before, because
 * they are written to be overlooked.  Of a style that needs that, the first
 * WEIR_HTML_STYLE_MAX octets are read.  What cannot be understood changes nothing, as in
 * browsers.
 */
#include "core/mail/html_impl.h"

#include <string.h>

enum { PIXEL = 100, PERCENT = 100, NORMAL = 16 * PIXEL };

static struct weir_slice up_to(struct weir_slice text, char mark)
{
    const char *at = memchr(text.at, mark, text.len);
    return (struct weir_slice){text.at, at ? (size_t)(at - text.at) : text.len};
}

/* A number such as 12, .5 or 1e9 (then: much), in hundredths, and what is behind it. */
static bool number(struct weir_slice text, long *hundredths_r, struct weir_slice *unit_r)
{
    size_t i = 0;
    long value = 0, digits = 0, scale = 100;
    bool minus = text.len > 0 && text.at[0] == '-';
    if (minus || (text.len > 0 && text.at[0] == '+'))
        i++;
    for (; i < text.len && weir_is_digit(text.at[i]); i++, digits++)
        value = value < 1000000 ? value * 10 + (text.at[i] - '0') * 100 : value;
    if (i < text.len && text.at[i] == '.') {
        for (i++; i < text.len && weir_is_digit(text.at[i]); i++, digits++)
            value += (text.at[i] - '0') * (scale /= 10);
    }
    *hundredths_r = minus ? -value : value;
    *unit_r = (struct weir_slice){text.at + i, text.len - i};
    return digits > 0;
}

static void font_size(struct weir_slice value, struct weir_html_style *style)
{
    static const struct {
        const char *name;
        unsigned size, sets;
    } units[] = {
        {"px", PIXEL, WEIR_SETS_SIZE},   {"pt", 133, WEIR_SETS_SIZE},
        {"em", 10000, WEIR_SETS_SCALE},  {"%", PERCENT, WEIR_SETS_SCALE},
        {"rem", NORMAL, WEIR_SETS_SIZE}, {"ex", 5000, WEIR_SETS_SCALE},
        {"vw", 600, WEIR_SETS_SIZE},     {"vh", 600, WEIR_SETS_SIZE},
        {"mm", 378, WEIR_SETS_SIZE},     {"cm", 3780, WEIR_SETS_SIZE},
        {"in", 9600, WEIR_SETS_SIZE},    {"pc", NORMAL, WEIR_SETS_SIZE},
    };
    long hundredths;
    struct weir_slice unit;
    unsigned sets = WEIR_SETS_SIZE;
    uint32_t size = NORMAL;
    if (number(value, &hundredths, &unit)) {
        unsigned of = PIXEL;
        for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
            if (weir_html_begins(unit, units[i].name))
                of = units[i].size, sets = units[i].sets;
        if (hundredths < 0)
            return;
        size = (uint32_t)((uint64_t)hundredths * of / 100);
    } else if (weir_html_begins(value, "inherit") || weir_html_begins(value, "larger") ||
               weir_html_begins(value, "smaller") || value.len == 0) {
        return;
    } else if (!weir_html_is_letter(value.at[0])) {
        return;
    }
    style->size = size;
    style->sets = (style->sets & ~(unsigned)(WEIR_SETS_SIZE | WEIR_SETS_SCALE)) | sets;
}

static void font(struct weir_slice value, struct weir_html_style *style)
{
    /* "italic bold 12px/1.5 Arial": the first number with a unit, or 0, is the size */
    for (size_t i = 0; i < value.len; i++) {
        struct weir_slice rest = {value.at + i, value.len - i}, unit;
        long hundredths;
        if (i > 0 && value.at[i - 1] != ' ')
            continue;
        if (!number(rest, &hundredths, &unit))
            continue;
        if (hundredths == 0 ||
            (unit.len > 0 && (unit.at[0] == '%' || weir_html_is_letter(unit.at[0])))) {
            font_size(rest, style);
            return;
        }
    }
}

static void ink(struct weir_slice value, struct weir_html_style *style)
{
    uint32_t colour = weir_html_colour(value);
    if (colour == WEIR_COLOUR_UNKNOWN)
        return;
    style->ink = colour;
    style->sets |= WEIR_SETS_INK;
}

static void paper(struct weir_slice value, struct weir_html_style *style)
{
    uint32_t colour = weir_html_colour(value);
    if (colour == WEIR_COLOUR_UNKNOWN)
        return;
    style->paper = colour;
    style->sets |= WEIR_SETS_PAPER;
}

/* The first word of a background that is a colour; a picture may have any. */
static void background(struct weir_slice value, struct weir_html_style *style)
{
    size_t start = 0, depth = 0;
    bool picture = false;
    for (size_t i = 0; i <= value.len; i++) {
        char c = i < value.len ? value.at[i] : ' ';
        if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        if (i < value.len && (c != ' ' || depth > 0))
            continue;
        struct weir_slice word = {value.at + start, i - start};
        picture |= memchr(word.at, '(', word.len) && weir_html_colour(word) == WEIR_COLOUR_UNKNOWN;
        paper(word, style);
        start = i + 1;
    }
    if (picture) {
        style->paper = WEIR_COLOUR_UNKNOWN;
        style->sets |= WEIR_SETS_PAPER;
    }
}

static void picture(struct weir_slice value, struct weir_html_style *style)
{
    if (weir_html_begins(value, "none"))
        return;
    style->paper = WEIR_COLOUR_UNKNOWN;
    style->sets |= WEIR_SETS_PAPER;
}

static void display(struct weir_slice value, struct weir_html_style *style)
{
    style->sets &= ~(unsigned)(WEIR_SETS_GONE | WEIR_SETS_SHOWN);
    style->sets |= weir_html_equals(value, "none") ? WEIR_SETS_GONE : WEIR_SETS_SHOWN;
}

static void visibility(struct weir_slice value, struct weir_html_style *style)
{
    unsigned sets = 0;
    if (weir_html_equals(value, "hidden") || weir_html_equals(value, "collapse"))
        sets = WEIR_SETS_UNSEEN;
    else if (weir_html_equals(value, "visible"))
        sets = WEIR_SETS_SEEN;
    if (sets)
        style->sets = (style->sets & ~(unsigned)(WEIR_SETS_SEEN | WEIR_SETS_UNSEEN)) | sets;
}

static void opacity(struct weir_slice value, struct weir_html_style *style)
{
    long hundredths;
    struct weir_slice unit;
    if (!number(value, &hundredths, &unit))
        return;
    bool clear = hundredths < (unit.len > 0 && unit.at[0] == '%' ? 500 : 5);
    style->sets &= ~(unsigned)(WEIR_SETS_CLEAR | WEIR_SETS_OPAQUE);
    style->sets |= clear ? WEIR_SETS_CLEAR : WEIR_SETS_OPAQUE;
}

struct property {
    const char *name;
    void (*read)(struct weir_slice value, struct weir_html_style *style);
};

static const struct property properties[] = {
    {"display", display},        {"visibility", visibility},        {"opacity", opacity},
    {"font-size", font_size},    {"font", font},                    {"color", ink},
    {"background-color", paper}, {"background-image", picture},     {"background", background},
};

struct box { /* a box of no height or width that shows nothing of what overflows it */
    bool flat, clipped;
};

static void box_read(struct weir_slice name, struct weir_slice value, struct box *box)
{
    long hundredths;
    struct weir_slice unit;
    if (weir_html_equals(name, "overflow"))
        box->clipped = weir_html_equals(value, "hidden");
    else if ((weir_html_equals(name, "max-height") || weir_html_equals(name, "height") ||
              weir_html_equals(name, "max-width") || weir_html_equals(name, "width")) &&
             number(value, &hundredths, &unit))
        box->flat |= hundredths == 0;
}

static void declaration(struct weir_slice text, struct weir_html_style *style,
                        struct weir_html_style *important, struct box *box)
{
    struct weir_slice name = up_to(text, ':'), value, all;
    if (name.len == text.len)
        return;
    all.at = text.at + name.len + 1;
    all.len = text.len - name.len - 1;
    value = up_to(all, '!');
    if (value.len < all.len)
        style = important;
    value = weir_html_trim(value);
    name = weir_html_trim(name);
    for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++) {
        if (weir_html_equals(name, properties[i].name)) {
            properties[i].read(value, style);
            return;
        }
    }
    box_read(name, value, box);
}

static void declarations(struct weir_slice text, struct weir_html_style *style,
                         struct weir_html_style *important)
{
    struct box box = {false, false};
    while (text.len > 0) {
        struct weir_slice one = up_to(text, ';');
        declaration(one, style, important, &box);
        if (one.len == text.len)
            break;
        text.at += one.len + 1;
        text.len -= one.len + 1;
    }
    if (box.flat && box.clipped)
        style->sets |= WEIR_SETS_GONE;
}

/* An escape behind its backslash: octets it takes; CSS Syntax 4.3.7. */
static size_t escape(const char *at, const char *end, char *out_r)
{
    size_t len = 0;
    int code = 0;
    for (; len < 6 && at + len < end && weir_hex_value(at[len]) >= 0; len++)
        code = code * 16 + weir_hex_value(at[len]);
    if (len == 0) {
        *out_r = at < end ? *at : ' ';
        return at < end;
    }
    *out_r = code > ' ' && code < 0x7f ? (char)code : '?';
    return len + (at + len < end && weir_html_is_blank(at[len]));
}

size_t weir_html_style_plain(char *text, size_t len)
{
    char *out = text;
    const char *at = text, *end = text + len;
    while (at < end) {
        if (*at == '\\') {
            char c;
            at++;
            at += escape(at, end, &c);
            *out++ = c;
        } else if (*at == '/' && at + 1 < end && at[1] == '*') {
            const char *close = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
            at = close ? close + 2 : end;
            *out++ = ' '; /* it parts words */
        } else {
            *out++ = *at++;
        }
    }
    return (size_t)(out - text);
}

void weir_html_style_read(struct weir_slice text, struct weir_html_style *style,
                          struct weir_html_style *important)
{
    char room[WEIR_HTML_STYLE_MAX + 1];
    if (memchr(text.at, '&', text.len) || memchr(text.at, '\\', text.len) ||
        memchr(text.at, '*', text.len)) {
        struct weir_line line = weir_line(room, sizeof(room));
        weir_html_undo(text, true, &line);
        text = (struct weir_slice){room,
                                   weir_html_style_plain(room, (size_t)(line.at - line.start))};
    }
    declarations(text, style, important);
}

void weir_html_style_rule(struct weir_slice text, struct weir_html_style *style,
                          struct weir_html_style *important)
{
    char room[WEIR_HTML_STYLE_MAX];
    if (memchr(text.at, '\\', text.len) || memchr(text.at, '*', text.len)) {
        size_t len = text.len < sizeof(room) ? text.len : sizeof(room);
        memcpy(room, text.at, len);
        text = (struct weir_slice){room, weir_html_style_plain(room, len)};
    }
    declarations(text, style, important);
}

static const unsigned groups[WEIR_HTML_GROUPS] = {
    WEIR_SETS_INK, WEIR_SETS_PAPER, WEIR_SETS_SIZE | WEIR_SETS_SCALE,
    WEIR_SETS_SEEN | WEIR_SETS_UNSEEN, WEIR_SETS_GONE | WEIR_SETS_SHOWN,
    WEIR_SETS_CLEAR | WEIR_SETS_OPAQUE,
};

/* What a stronger style says about the things in a mask. */
static void take(struct weir_html_style *style, const struct weir_html_style *stronger,
                 unsigned mask)
{
    style->sets = (style->sets & ~mask) | (stronger->sets & mask);
    if (mask & WEIR_SETS_INK)
        style->ink = stronger->ink;
    if (mask & WEIR_SETS_PAPER)
        style->paper = stronger->paper;
    if (mask & (WEIR_SETS_SIZE | WEIR_SETS_SCALE))
        style->size = stronger->size;
}

void weir_html_style_over(struct weir_html_style *style, const struct weir_html_style *stronger)
{
    unsigned mask = 0;
    for (size_t i = 0; i < WEIR_HTML_GROUPS; i++)
        if (stronger->sets & groups[i])
            mask |= groups[i];
    take(style, stronger, mask);
}

void weir_html_layer_merge(struct weir_html_layer *layer, const struct weir_html_layer *other)
{
    unsigned mask = 0, sets = other->style.sets;
    for (size_t i = 0; sets != 0 && i < WEIR_HTML_GROUPS; i++) {
        bool said = layer->style.sets & groups[i];
        if (!(sets & groups[i]) || (said && layer->order[i] >= other->order[i]))
            continue;
        layer->order[i] = other->order[i];
        mask |= groups[i];
    }
    if (mask)
        take(&layer->style, &other->style, mask);
}

void weir_html_layer_add(struct weir_html_layer *layer, const struct weir_html_style *style,
                         uint32_t order)
{
    struct weir_html_layer one = {.style = *style};
    for (size_t i = 0; i < WEIR_HTML_GROUPS; i++)
        one.order[i] = order;
    weir_html_layer_merge(layer, &one);
}

static uint32_t sized(const struct weir_html_look *parent, const struct weir_html_style *style)
{
    if (style->sets & WEIR_SETS_SIZE)
        return style->size;
    if (!(style->sets & WEIR_SETS_SCALE))
        return parent->size;
    /* nothing grows out of nothing, and nothing overflows */
    uint64_t size = (uint64_t)parent->size * style->size / (100 * PERCENT);
    return size < 1000 * PIXEL ? (uint32_t)size : 1000 * PIXEL;
}

struct weir_html_look weir_html_look(const struct weir_html_look *parent,
                                     const struct weir_html_style *style)
{
    struct weir_html_look look = *parent;
    if (!style->sets)
        return look;
    if (style->sets & WEIR_SETS_INK)
        look.ink = style->ink;
    if (style->sets & WEIR_SETS_PAPER && style->paper != WEIR_COLOUR_CLEAR)
        look.paper = style->paper;
    look.size = sized(parent, style);
    look.small = look.size <= 3 * PIXEL;
    unsigned hidden = parent->hidden & (WEIR_HIDDEN_GONE | WEIR_HIDDEN_CLEAR);
    if (style->sets & WEIR_SETS_GONE)
        hidden |= WEIR_HIDDEN_GONE;
    if (style->sets & WEIR_SETS_CLEAR)
        hidden |= WEIR_HIDDEN_CLEAR;
    if (style->sets & WEIR_SETS_UNSEEN ||
        (!(style->sets & WEIR_SETS_SEEN) && parent->hidden & WEIR_HIDDEN_UNSEEN))
        hidden |= WEIR_HIDDEN_UNSEEN;
    if (look.size <= PIXEL)
        hidden |= WEIR_HIDDEN_TINY;
    if (look.ink == WEIR_COLOUR_CLEAR || weir_html_colour_same(look.ink, look.paper))
        hidden |= WEIR_HIDDEN_COLOUR;
    look.hidden = (uint8_t)hidden;
    return look;
}
