/*
 * Colours: CSS Color 4's names, #rgb and its longer forms, rgb() and hsl() as far as text
 * can be hidden with them (hsl only by its lightness), and what HTML's own
 * attributes accept, which is anything (HTML 2.4.6).  A colour with an alpha below a
 * tenth is as good as transparent.
 */
#include "core/mail/html_impl.h"

#include <string.h>

struct named {
    char name[21];
    uint32_t colour;
};

/* sorted */
static const struct named names[] = {
    {"aliceblue", 0xf0f8ff}, {"antiquewhite", 0xfaebd7}, {"aqua", 0x00ffff},
    {"aquamarine", 0x7fffd4}, {"azure", 0xf0ffff}, {"beige", 0xf5f5dc}, {"bisque", 0xffe4c4},
    {"black", 0x000000}, {"blanchedalmond", 0xffebcd}, {"blue", 0x0000ff},
    {"blueviolet", 0x8a2be2}, {"brown", 0xa52a2a}, {"burlywood", 0xdeb887},
    {"cadetblue", 0x5f9ea0}, {"chartreuse", 0x7fff00}, {"chocolate", 0xd2691e},
    {"coral", 0xff7f50}, {"cornflowerblue", 0x6495ed}, {"cornsilk", 0xfff8dc},
    {"crimson", 0xdc143c}, {"cyan", 0x00ffff}, {"darkblue", 0x00008b}, {"darkcyan", 0x008b8b},
    {"darkgoldenrod", 0xb8860b}, {"darkgray", 0xa9a9a9}, {"darkgreen", 0x006400},
    {"darkgrey", 0xa9a9a9}, {"darkkhaki", 0xbdb76b}, {"darkmagenta", 0x8b008b},
    {"darkolivegreen", 0x556b2f}, {"darkorange", 0xff8c00}, {"darkorchid", 0x9932cc},
    {"darkred", 0x8b0000}, {"darksalmon", 0xe9967a}, {"darkseagreen", 0x8fbc8f},
    {"darkslateblue", 0x483d8b}, {"darkslategray", 0x2f4f4f}, {"darkslategrey", 0x2f4f4f},
    {"darkturquoise", 0x00ced1}, {"darkviolet", 0x9400d3}, {"deeppink", 0xff1493},
    {"deepskyblue", 0x00bfff}, {"dimgray", 0x696969}, {"dimgrey", 0x696969},
    {"dodgerblue", 0x1e90ff}, {"firebrick", 0xb22222}, {"floralwhite", 0xfffaf0},
    {"forestgreen", 0x228b22}, {"fuchsia", 0xff00ff}, {"gainsboro", 0xdcdcdc},
    {"ghostwhite", 0xf8f8ff}, {"gold", 0xffd700}, {"goldenrod", 0xdaa520}, {"gray", 0x808080},
    {"green", 0x008000}, {"greenyellow", 0xadff2f}, {"grey", 0x808080}, {"honeydew", 0xf0fff0},
    {"hotpink", 0xff69b4}, {"indianred", 0xcd5c5c}, {"indigo", 0x4b0082}, {"ivory", 0xfffff0},
    {"khaki", 0xf0e68c}, {"lavender", 0xe6e6fa}, {"lavenderblush", 0xfff0f5},
    {"lawngreen", 0x7cfc00}, {"lemonchiffon", 0xfffacd}, {"lightblue", 0xadd8e6},
    {"lightcoral", 0xf08080}, {"lightcyan", 0xe0ffff}, {"lightgoldenrodyellow", 0xfafad2},
    {"lightgray", 0xd3d3d3}, {"lightgreen", 0x90ee90}, {"lightgrey", 0xd3d3d3},
    {"lightpink", 0xffb6c1}, {"lightsalmon", 0xffa07a}, {"lightseagreen", 0x20b2aa},
    {"lightskyblue", 0x87cefa}, {"lightslategray", 0x778899}, {"lightslategrey", 0x778899},
    {"lightsteelblue", 0xb0c4de}, {"lightyellow", 0xffffe0}, {"lime", 0x00ff00},
    {"limegreen", 0x32cd32}, {"linen", 0xfaf0e6}, {"magenta", 0xff00ff}, {"maroon", 0x800000},
    {"mediumaquamarine", 0x66cdaa}, {"mediumblue", 0x0000cd}, {"mediumorchid", 0xba55d3},
    {"mediumpurple", 0x9370db}, {"mediumseagreen", 0x3cb371}, {"mediumslateblue", 0x7b68ee},
    {"mediumspringgreen", 0x00fa9a}, {"mediumturquoise", 0x48d1cc}, {"mediumvioletred", 0xc71585},
    {"midnightblue", 0x191970}, {"mintcream", 0xf5fffa}, {"mistyrose", 0xffe4e1},
    {"moccasin", 0xffe4b5}, {"navajowhite", 0xffdead}, {"navy", 0x000080}, {"oldlace", 0xfdf5e6},
    {"olive", 0x808000}, {"olivedrab", 0x6b8e23}, {"orange", 0xffa500}, {"orangered", 0xff4500},
    {"orchid", 0xda70d6}, {"palegoldenrod", 0xeee8aa}, {"palegreen", 0x98fb98},
    {"paleturquoise", 0xafeeee}, {"palevioletred", 0xdb7093}, {"papayawhip", 0xffefd5},
    {"peachpuff", 0xffdab9}, {"peru", 0xcd853f}, {"pink", 0xffc0cb}, {"plum", 0xdda0dd},
    {"powderblue", 0xb0e0e6}, {"purple", 0x800080}, {"rebeccapurple", 0x663399}, {"red", 0xff0000},
    {"rosybrown", 0xbc8f8f}, {"royalblue", 0x4169e1}, {"saddlebrown", 0x8b4513},
    {"salmon", 0xfa8072}, {"sandybrown", 0xf4a460}, {"seagreen", 0x2e8b57}, {"seashell", 0xfff5ee},
    {"sienna", 0xa0522d}, {"silver", 0xc0c0c0}, {"skyblue", 0x87ceeb}, {"slateblue", 0x6a5acd},
    {"slategray", 0x708090}, {"slategrey", 0x708090}, {"snow", 0xfffafa},
    {"springgreen", 0x00ff7f}, {"steelblue", 0x4682b4}, {"tan", 0xd2b48c}, {"teal", 0x008080},
    {"thistle", 0xd8bfd8}, {"tomato", 0xff6347}, {"turquoise", 0x40e0d0}, {"violet", 0xee82ee},
    {"wheat", 0xf5deb3}, {"white", 0xffffff}, {"whitesmoke", 0xf5f5f5}, {"yellow", 0xffff00},
    {"yellowgreen", 0x9acd32},
};

static uint32_t by_name(struct weir_slice text)
{
    char name[sizeof(names->name)] = "";
    size_t low = 0, high = sizeof(names) / sizeof(*names);
    if (text.len >= sizeof(name))
        return WEIR_COLOUR_UNKNOWN;
    for (size_t i = 0; i < text.len; i++)
        name[i] = weir_html_lower(text.at[i]);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(names[middle].name, name);
        if (order == 0)
            return names[middle].colour;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return WEIR_COLOUR_UNKNOWN;
}

static uint32_t hex_digit(char c)
{
    if (weir_is_digit(c))
        return (uint32_t)(c - '0');
    c = weir_html_lower(c);
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

/* Behind '#': 3, 4, 6 or 8 digits. */
static uint32_t by_hex(const char *digit, size_t len)
{
    uint32_t value[8] = {0};
    size_t each = len >= 6 ? 2 : 1;
    if (len != 3 && len != 4 && len != 6 && len != 8)
        return WEIR_COLOUR_UNKNOWN;
    for (size_t i = 0; i < len; i++)
        if ((value[i] = hex_digit(digit[i])) > 15)
            return WEIR_COLOUR_UNKNOWN;
    uint32_t colour = 0;
    for (size_t i = 0; i < 3; i++)
        colour = colour << 8 | value[i * each] << 4 | value[i * each + each - 1];
    if (len % 4 == 0 && value[3 * each] <= 1)
        return WEIR_COLOUR_CLEAR;
    return colour;
}

struct number {
    double value;
    bool percent;
};

/* The numbers in "(1, 2 3 / 40%)". */
static size_t arguments(struct weir_slice text, struct number *number, size_t most)
{
    size_t found = 0, i = 0;
    while (i < text.len && text.at[i] != ')' && found < most) {
        if (!weir_is_digit(text.at[i]) && text.at[i] != '.') {
            i++;
            continue;
        }
        double value = 0, unit = 1;
        for (; i < text.len && (weir_is_digit(text.at[i]) || text.at[i] == '.'); i++) {
            if (text.at[i] == '.')
                unit = 0.1;
            else if (unit < 1)
                value += (text.at[i] - '0') * unit, unit /= 10;
            else if (value < 100000)
                value = value * 10 + (text.at[i] - '0');
        }
        bool percent = i < text.len && text.at[i] == '%';
        number[found++] = (struct number){value, percent};
    }
    return found;
}

static uint32_t by_function(struct weir_slice text)
{
    struct number number[4];
    bool lightness = weir_html_begins(text, "hsl");
    if (!lightness && !weir_html_begins(text, "rgb"))
        return WEIR_COLOUR_UNKNOWN;
    size_t numbers = arguments(text, number, 4);
    if (numbers < 3)
        return WEIR_COLOUR_UNKNOWN;
    if (numbers == 4 && number[3].value < (number[3].percent ? 10 : 0.1))
        return WEIR_COLOUR_CLEAR;
    if (lightness && number[2].value > 1 && number[2].value < 99 && number[1].value > 1)
        return WEIR_COLOUR_UNKNOWN;
    uint32_t colour = 0;
    for (size_t i = 0; i < 3; i++) {
        struct number part = number[lightness ? 2 : i];
        double value = part.percent || lightness ? part.value * 2.55 : part.value;
        colour = colour << 8 | (value > 255 ? 255 : (uint32_t)value);
    }
    return colour;
}

uint32_t weir_html_colour(struct weir_slice text)
{
    text = weir_html_trim(text);
    if (text.len == 0)
        return WEIR_COLOUR_UNKNOWN;
    if (text.at[0] == '#')
        return by_hex(text.at + 1, text.len - 1);
    if (weir_html_equals(text, "transparent"))
        return WEIR_COLOUR_CLEAR;
    uint32_t colour = by_function(text);
    return colour != WEIR_COLOUR_UNKNOWN ? colour : by_name(text);
}

/* One third of a colour written in `len` digits: strange ones are 0, of eight the
 * leading zeros that all three have are taken off, then two digits count. */
static uint32_t third(const char *digit, size_t len, size_t skip)
{
    uint32_t value = 0;
    for (size_t i = skip; i < len && i < skip + 2; i++) {
        uint32_t one = hex_digit(digit[i]);
        value = value << 4 | (one > 15 ? 0 : one);
    }
    return value;
}

uint32_t weir_html_colour_attribute(struct weir_slice text)
{
    char digit[128 + 3];
    text = weir_html_trim(text);
    if (text.len == 0 || weir_html_equals(text, "transparent"))
        return WEIR_COLOUR_UNKNOWN;
    uint32_t colour = by_name(text);
    if (colour == WEIR_COLOUR_UNKNOWN && text.len == 4 && text.at[0] == '#')
        colour = by_hex(text.at + 1, 3);
    if (colour != WEIR_COLOUR_UNKNOWN)
        return colour;
    if (text.at[0] == '#')
        text.at++, text.len--;
    size_t len = text.len < 128 ? text.len : 128;
    memcpy(digit, text.at, len);
    while (len == 0 || len % 3 != 0)
        digit[len++] = '0';
    size_t each = len / 3, skip = each > 8 ? each - 8 : 0;
    while (each - skip > 2 && hex_digit(digit[skip]) % 16 == 0 &&
           hex_digit(digit[each + skip]) % 16 == 0 && hex_digit(digit[2 * each + skip]) % 16 == 0)
        skip++;
    return third(digit, each, skip) << 16 | third(digit + each, each, skip) << 8 |
           third(digit + 2 * each, each, skip);
}

bool weir_html_colour_same(uint32_t a, uint32_t b)
{
    /* Weights are those of luminance (BT.709), in thousandths; 12 of 191 cannot be read. */
    static const int weight[] = {72, 715, 213};
    int64_t distance = 0;
    if (a > 0xffffff || b > 0xffffff)
        return false;
    for (unsigned i = 0; i < 3; i++) {
        int64_t part = weight[i] * ((int)(a >> (8 * i) & 255) - (int)(b >> (8 * i) & 255));
        distance += part * part;
    }
    return distance < INT64_C(12000) * 12000;
}
