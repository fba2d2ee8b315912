/*
 * The host of a link, as browsers find it (URL Standard 4.4): blanks and control octets at
 * the ends and tabs and line ends anywhere are not there, backslashes are slashes, any number
 * of them may follow the scheme, %-signs in the host are undone, what is before the last
 * '@' is a user, what is behind ':' a port, and a number in any notation is an IPv4 address.
 * A name with other than ASCII octets is brought to its one form (domain.h) where it has one.
 */
#include "core/mail/html_impl.h"

#include <stdio.h>
#include <string.h>

#include "core/mail/domain.h"

enum { HOST_MOST = 4 * WEIR_DOMAIN_MAX }; /* octets of a host before it is brought to its form */

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* Behind the scheme and its slashes; NULL when there is no host to come. */
static const char *authority(const char *at, const char *end)
{
    struct weir_slice rest = {at, (size_t)(end - at)};
    size_t scheme = 0;
    while (scheme < rest.len && at[scheme] != '\0' &&
           (weir_html_is_letter(at[scheme]) || weir_is_digit(at[scheme]) ||
            strchr("+-.", at[scheme])))
        scheme++;
    bool web = weir_html_begins(rest, "http:") || weir_html_begins(rest, "https:") ||
               weir_html_begins(rest, "ftp:");
    bool slashes = false;
    if (scheme < rest.len && at[scheme] == ':' && scheme > 0 && (web || !memchr(at, '.', scheme)))
        at += scheme + 1;
    else if (weir_html_begins(rest, "www") || weir_html_begins(rest, "ftp.") ||
             (scheme > 0 && memchr(at, '.', scheme)))
        return at;
    while (at < end && is_slash(*at)) {
        slashes |= at + 1 < end && is_slash(at[1]);
        at++;
    }
    return web || slashes ? at : NULL;
}

/* Undoes %-signs and takes out what is not there, up to the end of the host. */
static size_t host_octets(const char *at, const char *end, char host[static HOST_MOST])
{
    size_t len = 0;
    while (at < end && len < HOST_MOST) {
        char c = *at++;
        if (c == '%' && end - at >= 2 && weir_hex_value(at[0]) >= 0 && weir_hex_value(at[1]) >= 0) {
            c = (char)(weir_hex_value(at[0]) << 4 | weir_hex_value(at[1]));
            at += 2;
        }
        if ((unsigned char)c > ' ' && c != 0x7f)
            host[len++] = weir_html_lower(c);
    }
    return len;
}

/* A number as in inet_aton(3): 10, 012, 0xa.  False when it is none. */
static bool number(const char *at, size_t len, uint64_t *number_r)
{
    unsigned base = 10;
    uint64_t value = 0;
    if (len == 0)
        return false;
    if (len >= 2 && at[0] == '0' && at[1] == 'x')
        base = 16, at += 2, len -= 2;
    else if (len >= 2 && at[0] == '0')
        base = 8, at++, len--;
    for (size_t i = 0; i < len; i++) {
        int digit = weir_hex_value(at[i]);
        if (digit < 0 || digit >= (int)base)
            return false;
        value = value < UINT64_C(1) << 40 ? value * base + (unsigned)digit : value;
    }
    *number_r = value;
    return true;
}

/* Whether a host is an IPv4 address in one to four numbers. */
static bool ipv4(const char *host, size_t len, uint32_t *address_r)
{
    uint64_t part[4], address = 0;
    size_t parts = 0, start = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && host[i] != '.')
            continue;
        if (parts == 4 || !number(host + start, i - start, &part[parts++]))
            return false;
        start = i + 1;
    }
    for (size_t i = 0; i + 1 < parts; i++) {
        if (part[i] > 255)
            return false;
        address |= part[i] << (24 - 8 * i);
    }
    if (part[parts - 1] >= UINT64_C(1) << (8 * (5 - parts)))
        return false;
    *address_r = (uint32_t)(address | part[parts - 1]);
    return true;
}

static void write_host(const char *host, size_t len, struct weir_line *out)
{
    char normal[WEIR_DOMAIN_TEXT], text[16];
    uint32_t address;
    bool ascii = true;
    while (len > 0 && host[len - 1] == '.')
        len--;
    for (size_t i = 0; i < len; i++)
        ascii &= (unsigned char)host[i] < 0x80;
    if (!ascii && weir_domain_normal(host, len, normal)) {
        weir_line_text(out, normal);
    } else if (ipv4(host, len, &address)) {
        snprintf(text, sizeof(text), "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
                 address >> 8 & 255, address & 255);
        weir_line_text(out, text);
    } else {
        weir_line_octets(out, host, len);
    }
}

void weir_link_host(struct weir_slice target, struct weir_line *out)
{
    char octets[WEIR_LINK_MAX], host[HOST_MOST];
    size_t len = 0;
    target = weir_html_trim(target);
    for (size_t i = 0; i < target.len && len < sizeof(octets); i++)
        if (!strchr("\t\r\n", target.at[i])) /* finds the NUL too */
            octets[len++] = target.at[i];
    const char *end = octets + len, *at = authority(octets, end);
    if (!at)
        return;
    const char *stop = at;
    while (stop < end && !is_slash(*stop) && *stop != '?' && *stop != '#')
        stop++;
    const char *user = memrchr(at, '@', (size_t)(stop - at));
    if (user)
        at = user + 1;
    bool bracket = at < stop && *at == '[';
    const char *port = memchr(at, bracket ? ']' : ':', (size_t)(stop - at));
    size_t found = host_octets(at, port ? port + bracket : stop, host);
    write_host(host, found, out);
}
