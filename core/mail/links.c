/*
 * Links in plain text.
 *
 * Text is cut at blanks, quotes and brackets, as mail readers cut it.  In a piece, what begins
 * with http://, https://, ftp://, mailto:, www. or ftp. is a link from there to the end,
 * without closing punctuation; so is a name under a top-level domain that is the whole
 * piece ("example.com/x").  Addresses of people are not.
 */
#include "core/mail/html_impl.h"

#include <string.h>

/* Domains of countries are any two letters; of the others those with names in use. */
static bool is_top_level(struct weir_slice label)
{
    static const char *const names[] = {
        "academy", "accountant", "aero", "agency", "app", "art", "asia", "autos", "band", "bar",
        "beauty", "best", "bet", "bid", "bike", "bio", "biz", "blog", "boats", "bond", "build",
        "business", "buzz", "cam", "care", "cash", "casino", "cat", "center", "cfd", "chat",
        "city", "click", "cloud", "club", "coach", "codes", "coffee", "com", "community",
        "company", "consulting", "cool", "coop", "coupons", "credit", "cricket", "cyou", "date",
        "deals", "delivery", "dental", "design", "dev", "digital", "direct", "discount",
        "download", "earth", "edu", "education", "email", "energy", "events", "exchange",
        "expert", "express", "faith", "family", "farm", "fashion", "finance", "financial", "fit",
        "fitness", "foundation", "fun", "fund", "fyi", "gallery", "games", "gift", "gives",
        "global", "gold", "gov", "group", "guide", "guru", "hair", "haus", "health", "healthcare",
        "help", "host", "house", "icu", "inc", "info", "ink", "institute", "insurance", "int",
        "international", "investments", "jobs", "land", "lat", "law", "legal", "life", "link",
        "live", "llc", "loan", "loans", "lol", "london", "love", "ltd", "makeup", "management",
        "market", "marketing", "mba", "media", "men", "mil", "mobi", "mom", "money", "monster",
        "mortgage", "museum", "name", "net", "network", "news", "ninja", "nyc", "one", "onl",
        "online", "ooo", "org", "page", "partners", "party", "pet", "photo", "photos", "pics",
        "plus", "post", "press", "pro", "promo", "properties", "pub", "quest", "race", "racing",
        "realty", "red", "rent", "rest", "review", "reviews", "rip", "rocks", "run", "sale",
        "sbs", "school", "science", "security", "services", "shop", "shopping", "show", "site",
        "skin", "social", "software", "solutions", "space", "sport", "store", "stream", "studio",
        "style", "supply", "support", "surf", "systems", "tax", "team", "tech", "technology",
        "tel", "tips", "today", "tokyo", "tools", "top", "tours", "town", "trade", "trading",
        "training", "travel", "university", "uno", "vacations", "ventures", "video", "vin", "vip",
        "vote", "wang", "watch", "webcam", "website", "wiki", "win", "work", "works", "world",
        "wtf", "xin", "xyz", "yoga", "zip", "zone",
    };
    size_t low = 0, high = sizeof(names) / sizeof(*names);
    if (label.len == 2)
        return weir_html_is_letter(label.at[0]) && weir_html_is_letter(label.at[1]);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncasecmp(names[middle], label.at, label.len);
        if (order == 0)
            order = names[middle][label.len] != '\0';
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool is_name_character(char c)
{
    return weir_html_is_letter(c) || weir_is_digit(c) || c == '-' || c == '_';
}

/* Where a link in text cannot go on. */
static bool ends_link(char c)
{
    static const bool ends[256] = {
        [0x00] = true, true, true, true, true, true, true, true, true, true, true, /* to 0x0a */
        true, true, true, true, true, true, true, true, true, true, true,          /* to 0x15 */
        true, true, true, true, true, true, true, true, true, true, true,          /* to 0x20 */
        ['"'] = true, ['<'] = true, ['>'] = true, ['['] = true, [']'] = true,
        ['`'] = true, ['{'] = true, ['|'] = true, ['}'] = true, [0x7f] = true,
    };
    return ends[(unsigned char)c];
}

static bool is_punctuation(char c)
{
    return strchr("-~!@#^&*()_+=:;'?,.", c) != NULL && c != '\0';
}

/* Without a ')' that was not opened in it and what follows, and without closing punctuation. */
static struct weir_slice without_tail(struct weir_slice link)
{
    for (size_t i = 0; i < link.len && link.at[i] != '('; i++)
        if (link.at[i] == ')')
            link.len = i;
    while (link.len > 0 && is_punctuation(link.at[link.len - 1]))
        link.len--;
    return link;
}

/* How long the mark of a link is at the beginning of a piece: "http://", "www3.", ... */
static size_t mark_len(struct weir_slice piece)
{
    static const char *const marks[] = {"http://", "https://", "ftp://", "ftp.", "mailto:"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (weir_html_begins(piece, marks[i]))
            return strlen(marks[i]);
    if (!weir_html_begins(piece, "www"))
        return 0;
    size_t len = 3;
    while (len < 5 && len < piece.len && weir_is_digit(piece.at[len]))
        len++;
    return len < piece.len && piece.at[len] == '.' ? len + 1 : 0;
}

static bool may_begin(char c)
{
    c = weir_html_lower(c);
    return c == 'h' || c == 'f' || c == 'w' || c == 'm';
}

/* A link with a mark somewhere in a piece. */
static bool marked(struct weir_slice piece, struct weir_slice *link_r)
{
    for (size_t i = 0; i < piece.len; i++) {
        if (!may_begin(piece.at[i]))
            continue;
        if (i > 0 && (is_name_character(piece.at[i - 1]) || piece.at[i - 1] == '@'))
            continue;
        struct weir_slice rest = {piece.at + i, piece.len - i};
        size_t mark = mark_len(rest);
        if (mark == 0)
            continue;
        rest = without_tail(rest);
        if (rest.len <= mark)
            continue;
        if (rest.len > WEIR_LINK_MAX)
            rest.len = WEIR_LINK_MAX;
        *link_r = rest;
        return true;
    }
    return false;
}

/* A host name with at least two labels under a known domain: its octets, or 0. */
static size_t host_len(struct weir_slice text)
{
    size_t i = 0, label = 0, labels = 0;
    struct weir_slice last = {text.at, 0};
    for (; i <= text.len && i <= WEIR_DOMAIN_MAX; i++) {
        if (i < text.len && is_name_character(text.at[i]))
            continue;
        if (i == label || i - label > WEIR_LABEL_MAX || text.at[label] == '-')
            break;
        last = (struct weir_slice){text.at + label, i - label};
        labels++;
        if (i == text.len || text.at[i] != '.')
            break;
        label = i + 1;
    }
    if (labels < 2 || !is_top_level(last))
        return 0;
    return (size_t)(last.at - text.at) + last.len;
}

/* A piece that is a host name, perhaps with port and path. */
static bool unmarked(struct weir_slice piece, struct weir_slice *link_r)
{
    while (piece.len > 0 && !is_name_character(piece.at[0]) && (unsigned char)piece.at[0] < 0x80)
        piece.at++, piece.len--;
    size_t len = host_len(piece), i = len;
    if (len == 0)
        return false;
    if (i < piece.len && piece.at[i] == '.')
        i++;
    if (i < piece.len && piece.at[i] == ':')
        for (i++; i < piece.len && weir_is_digit(piece.at[i]);)
            i++;
    if (i < piece.len && piece.at[i] != '/')
        return false;
    piece = without_tail(piece);
    if (piece.len > WEIR_LINK_MAX)
        piece.len = WEIR_LINK_MAX;
    *link_r = piece;
    return piece.len >= len;
}

bool weir_link_next(struct weir_slice text, size_t *from, struct weir_slice *link_r)
{
    for (size_t i = *from; i < text.len;) {
        while (i < text.len && ends_link(text.at[i]))
            i++;
        size_t start = i;
        bool dot = false, colon = false;
        for (; i < text.len && !ends_link(text.at[i]); i++) {
            dot |= text.at[i] == '.';
            colon |= text.at[i] == ':';
        }
        struct weir_slice piece = {text.at + start, i - start};
        *from = i;
        if ((dot || colon) && (marked(piece, link_r) || (dot && unmarked(piece, link_r))))
            return true;
    }
    *from = text.len;
    return false;
}

void weir_links_find(struct weir_slice text, struct weir_html *html)
{
    size_t from = 0;
    struct weir_slice link;
    while (html->links < html->links_most && weir_link_next(text, &from, &link))
        html->link[html->links++] = (struct weir_link){.kind = WEIR_LINK_TEXT, .target = link,
                                                       .text = {"", 0}};
}
