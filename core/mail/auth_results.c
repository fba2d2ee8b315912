/*
 * Authentication-Results (RFC 8601 2.2), read leniently: comments may stand anywhere and in
 * each other, values may be quoted, results of words nobody registered are WEIR_AUTH_NONE.
 * A field whose version is not 1 says nothing (RFC 8601 2.5), and so does one
 * whose first word is a result already, as Microsoft writes them: it names no server, so
 * nobody can trust it (but "*" and "" do).  Slices point into the value; nothing is copied.
 */
#include "core/mail/auth_results.h"

#include <string.h>

#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/mail/domain.h"

struct reading {
    const char *at, *end;
};

/* Blanks, line ends and comments, which may hold comments. */
static void skip(struct reading *r)
{
    unsigned depth = 0;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '(')
            depth++;
        else if (depth == 0 && !weir_is_blank(*r->at))
            return;
        else if (*r->at == ')')
            depth--;
        else if (*r->at == '\\' && depth > 0 && r->at + 1 < r->end)
            r->at++;
    }
}

static bool next_is(struct reading *r, char c)
{
    skip(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* Behind an opening quote: what is in it. */
static struct weir_slice quoted(struct reading *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at != '"')
        r->at += *r->at == '\\' && r->at + 1 < r->end ? 2 : 1;
    struct weir_slice text = {start, (size_t)(r->at - start)};
    if (r->at < r->end)
        r->at++;
    return text;
}

/* A word up to a blank, ';', '(' or one of `stops`. */
static struct weir_slice word(struct reading *r, const char *stops)
{
    skip(r);
    if (r->at < r->end && *r->at == '"') {
        r->at++;
        return quoted(r);
    }
    const char *start = r->at;
    while (r->at < r->end && !weir_is_blank(*r->at) && *r->at != ';' && *r->at != '(' &&
           (*r->at == '\0' || !strchr(stops, *r->at)))
        r->at++;
    return (struct weir_slice){start, (size_t)(r->at - start)};
}

/* A property's value; "a b"@example.org is one. */
static struct weir_slice property_value(struct reading *r)
{
    struct weir_slice value = word(r, "");
    if (r->at < r->end && *r->at == '@' && value.len > 0)
        value = word(r, "");
    return value;
}

/* Past what is left of a result, and its ';'. */
static void skip_result(struct reading *r)
{
    while (skip(r), r->at < r->end) {
        if (*r->at++ == ';')
            return;
        if (r->at[-1] == '"')
            quoted(r);
    }
}

static const char *const methods[] = {"spf", "dkim", "dmarc", "arc", "iprev", "other"};
static const char *const results[] = {"none",    "pass",      "fail",     "softfail",
                                      "neutral", "temperror", "permerror"};

static enum weir_auth_method method_of(struct weir_slice name)
{
    for (unsigned i = 0; i < WEIR_AUTH_OTHER; i++)
        if (weir_slice_is(name, methods[i]))
            return i;
    return WEIR_AUTH_OTHER;
}

static enum weir_auth_result result_of(struct weir_slice name)
{
    static const struct {
        const char *name;
        enum weir_auth_result result;
    } old[] = { /* RFC 5451 and RFC 7001 */
        {"hardfail", WEIR_AUTH_FAIL},
        {"policy", WEIR_AUTH_NEUTRAL},
        {"error", WEIR_AUTH_TEMPERROR},
        {"unknown", WEIR_AUTH_PERMERROR},
    };
    for (unsigned i = 0; i < sizeof(results) / sizeof(*results); i++)
        if (weir_slice_is(name, results[i]))
            return i;
    for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++)
        if (weir_slice_is(name, old[i].name))
            return old[i].result;
    return WEIR_AUTH_NONE;
}

/* Which property says the domain; the last one of a method's is the best. */
static unsigned rank(enum weir_auth_method method, struct weir_slice property)
{
    static const struct {
        enum weir_auth_method method;
        const char *property;
    } ranks[] = {
        {WEIR_AUTH_SPF, "smtp.helo"},     {WEIR_AUTH_SPF, "smtp.mfrom"},
        {WEIR_AUTH_SPF, "smtp.mail"},     {WEIR_AUTH_SPF, "envelope-from"},
        {WEIR_AUTH_SPF, "smtp.mailfrom"}, {WEIR_AUTH_DKIM, "header.i"},
        {WEIR_AUTH_DKIM, "header.d"},     {WEIR_AUTH_DMARC, "header.from"},
        {WEIR_AUTH_ARC, "header.d"},      {WEIR_AUTH_IPREV, "smtp.remote-ip"},
        {WEIR_AUTH_IPREV, "policy.iprev"},
    };
    for (unsigned i = 0; i < sizeof(ranks) / sizeof(*ranks); i++)
        if (ranks[i].method == method && weir_slice_is(property, ranks[i].property))
            return i + 1;
    return 0;
}

/* What is behind the last '@', without angle brackets and a dot at the end. */
static struct weir_slice domain_in(struct weir_slice value)
{
    const char *sign = value.len > 0 ? memrchr(value.at, '@', value.len) : NULL;
    if (sign) {
        value.len -= (size_t)(sign - value.at) + 1;
        value.at = sign + 1;
    }
    while (value.len > 0 && *value.at == '<')
        value.at++, value.len--;
    while (value.len > 0 && strchr(">.,", value.at[value.len - 1]) && value.at[value.len - 1])
        value.len--;
    return value;
}

static bool same(struct weir_slice a, struct weir_slice b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

/* "name = value" pairs behind a result, up to its ';'.  One that says two things says
 * nothing: servers copy addresses into comments, and a ')' in one ends the comment. */
static void read_properties(struct reading *r, struct weir_auth *auth)
{
    unsigned best = 0;
    while (skip(r), r->at < r->end && *r->at != ';') {
        const char *start = r->at;
        struct weir_slice name = word(r, "=");
        if (next_is(r, '=')) {
            struct weir_slice domain = domain_in(property_value(r));
            unsigned here = rank(auth->method, name);
            if (here > 0 && here == best && !same(domain, auth->domain))
                auth->domain.len = 0;
            if (here > best) {
                best = here;
                auth->domain = domain;
            }
        }
        if (r->at == start)
            r->at++;
    }
}

/* One result; false: there is none here. */
static bool read_result(struct reading *r, struct weir_auth *auth)
{
    struct weir_slice name = word(r, "=/");
    if (name.len == 0)
        return false;
    if (next_is(r, '/') && !weir_slice_is(word(r, "="), "1"))
        return false;
    if (!next_is(r, '='))
        return false;
    struct weir_slice result = word(r, "");
    *auth = (struct weir_auth){method_of(name), result_of(result), {"", 0}};
    read_properties(r, auth);
    return result.len > 0;
}

static bool is_trusted(struct weir_slice id, const char *const *trusted, size_t trusteds)
{
    for (size_t i = 0; i < trusteds; i++)
        if (strcmp(trusted[i], "*") == 0 || weir_slice_is(id, trusted[i]))
            return true;
    return false;
}

/* The id and the version in front; false: what follows says nothing. */
static bool read_front(struct reading *r, const char *const *trusted, size_t trusteds)
{
    const char *start = r->at;
    struct weir_slice id = word(r, "="), version;
    if (next_is(r, '=')) {
        r->at = start;
        return is_trusted((struct weir_slice){"", 0}, trusted, trusteds);
    }
    version = word(r, "");
    skip_result(r);
    return id.len > 0 && is_trusted(id, trusted, trusteds) &&
           (version.len == 0 || weir_slice_is(version, "1"));
}

size_t weir_auth_value_read(struct weir_slice value, const char *const *trusted, size_t trusteds,
                            struct weir_auth *auth_r, size_t most)
{
    struct reading r = {value.at, value.at + value.len};
    size_t found = 0;
    if (value.len == 0 || !read_front(&r, trusted, trusteds))
        return 0;
    while (skip(&r), r.at < r.end && found < most) {
        found += read_result(&r, &auth_r[found]);
        skip_result(&r);
    }
    return found;
}

size_t weir_auth_results_read(const struct weir_message *message, const char *const *trusted,
                              size_t trusteds,
                              struct weir_auth auth_r[static WEIR_AUTH_RESULTS_MAX])
{
    size_t from = 0, found = 0;
    const struct weir_field *field;
    while (found < WEIR_AUTH_RESULTS_MAX &&
           (field = weir_message_field(message, 0, "Authentication-Results", &from)) != NULL)
        found += weir_auth_value_read(field->value, trusted, trusteds, auth_r + found,
                                      WEIR_AUTH_RESULTS_MAX - found);
    return found;
}

/* Whether a trusted server found that the sender's policy forbids this use of its name: then
 * nothing below, which may be forged, is listened to. */
static bool fails_dmarc(const struct weir_auth *auth, size_t auths)
{
    for (size_t i = 0; i < auths; i++)
        if (auth[i].method == WEIR_AUTH_DMARC && auth[i].result == WEIR_AUTH_FAIL)
            return true;
    return false;
}

bool weir_auth_vouches(const struct weir_auth *auth, size_t auths, const char *domain)
{
    char name[WEIR_DOMAIN_TEXT];
    if (fails_dmarc(auth, auths))
        return false;
    for (size_t i = 0; i < auths; i++) {
        bool domains = auth[i].method == WEIR_AUTH_SPF || auth[i].method == WEIR_AUTH_DKIM ||
                       auth[i].method == WEIR_AUTH_DMARC;
        if (domains && auth[i].result == WEIR_AUTH_PASS &&
            weir_domain_normal(auth[i].domain.at, auth[i].domain.len, name) &&
            weir_domain_within(name, domain))
            return true;
    }
    return false;
}
