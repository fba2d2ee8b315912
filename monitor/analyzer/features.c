/*
 * The text is copied once in lower case and cut at its blanks.  A shingle's hash is made of the
 * hashes of its words; the numbers of a signature are the least of as many mixtures of it.
 */
#include "monitor/analyzer/features.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"

/* Text and words. ------------------------------------------------------------ */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int copy_text(const struct weir_area *body, struct weir_arena *arena,
                     struct weir_features *features)
{
    const char *end;
    size_t all = weir_area_len(body);
    size_t len = all < WEIR_FEATURES_TEXT_MAX ? all : WEIR_FEATURES_TEXT_MAX;
    char *text = weir_arena_take(arena, len);

    if (!text)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < len; i++)
        text[i] = lower(body->text[i]);
    features->text = (struct weir_slice){text, len};
    end = len > 0 ? memchr(text, '\n', len) : NULL;
    features->body = end ? weir_slice_between(end + 1, text + len) : (struct weir_slice){text, 0};
    return 0;
}

static size_t count_words(struct weir_slice text)
{
    size_t words = 0;

    for (size_t i = 0; i < text.len; i++)
        words += !weir_is_blank(text.at[i]) && (i == 0 || weir_is_blank(text.at[i - 1]));
    return words < WEIR_FEATURES_WORDS_MAX ? words : WEIR_FEATURES_WORDS_MAX;
}

static int cut_words(struct weir_arena *arena, struct weir_features *features)
{
    size_t most = count_words(features->text);
    struct weir_slice *word = weir_arena_take(arena, most * sizeof *word);
    uint32_t *paragraph = weir_arena_take(arena, most * sizeof *paragraph);
    const char *at = features->text.at, *end = at + features->text.len;
    uint32_t line = 0;

    if (!word || !paragraph)
        return WEIR_ENOMEM;
    while (at < end && features->words < most) {
        const char *from = at;

        while (at < end && !weir_is_blank(*at))
            at++;
        if (at > from) {
            word[features->words] = weir_slice_between(from, at);
            paragraph[features->words++] = line;
        }
        line += at < end && *at == '\n';
        at++;
    }
    features->word = word;
    features->paragraph = paragraph;
    return 0;
}

/* Domains. --------------------------------------------------------------------- */

static bool has_domain(const struct weir_features *features, const char *domain)
{
    for (size_t i = 0; i < features->domains; i++)
        if (strcmp(features->domain[i], domain) == 0)
            return true;
    return false;
}

/* What is written in plain text may just be two sentences without a blank: "...proposal.Mr". */
static bool is_meant(const struct weir_link *link)
{
    return link->kind != WEIR_LINK_TEXT || weir_slice_begins(link->target, "www.") ||
           memmem(link->target.at, link->target.len, "://", 3) != NULL;
}

static int note_domains(struct weir_domains *domains, const struct weir_content *content,
                        struct weir_arena *arena, struct weir_features *features)
{
    for (size_t i = 0; i < content->links; i++) {
        char host[2 * WEIR_DOMAIN_TEXT], domain[WEIR_DOMAIN_TEXT];
        struct weir_line line = weir_line(host, sizeof host);
        size_t len;

        if (features->domains == WEIR_FEATURES_DOMAINS_MAX)
            return 0;
        if (!is_meant(&content->link[i]))
            continue;
        weir_link_host(content->link[i].target, &line);
        len = strlen(weir_line_end(&line));
        if (line.cut || len == 0 || !memchr(host, '.', len) ||
            weir_domain_organizational(domains, host, len, domain) != 1 ||
            has_domain(features, domain))
            continue;
        features->domain[features->domains] = weir_arena_copy(arena, domain, strlen(domain));
        if (!features->domain[features->domains++])
            return WEIR_ENOMEM;
    }
    return 0;
}

/* The signature. ------------------------------------------------------------------ */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* Of its letters; 0: it has none. */
static uint64_t hash_word(const struct weir_hash_key *key, struct weir_slice word)
{
    char letter[64];
    size_t len = 0;

    for (size_t i = 0; i < word.len && len < sizeof letter; i++)
        if (is_letter(word.at[i]))
            letter[len++] = word.at[i];
    return len > 0 ? weir_hash64(key, letter, len) : 0;
}

/* Murmur's last steps: every bit of a number in every bit of what comes out. */
static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 33) * UINT64_C(0xff51afd7ed558ccd);
    number = (number ^ number >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return number ^ number >> 33;
}

static void take_shingle(uint64_t shingle, uint32_t signature[static WEIR_SIGNATURE])
{
    for (uint64_t i = 0; i < WEIR_SIGNATURE; i++) {
        uint32_t number = (uint32_t)mix(shingle + i * UINT64_C(0x9e3779b97f4a7c15));

        if (number < signature[i])
            signature[i] = number;
    }
}

/* How many shingles there are. */
static size_t sign_text(const struct weir_hash_key *key, struct weir_features *features)
{
    uint64_t last[WEIR_SHINGLE] = {0};
    size_t words = 0;

    for (size_t i = 0; i < features->words; i++) {
        uint64_t hash = hash_word(key, features->word[i]);

        if (hash == 0)
            continue;
        memmove(last, last + 1, sizeof last - sizeof last[0]);
        last[WEIR_SHINGLE - 1] = hash;
        if (++words >= WEIR_SHINGLE)
            take_shingle(weir_hash64(key, last, sizeof last), features->signature);
    }
    return words >= WEIR_SHINGLE ? words - WEIR_SHINGLE + 1 : 0;
}

/* The names of tags in their order. */
static uint64_t hash_bones(const struct weir_hash_key *key, const struct weir_area *html)
{
    const char *at = html->text, *end = at + weir_area_len(html);
    uint64_t hash = 0;

    while (at < end && (at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        const char *from = ++at;
        uint64_t both[2] = {hash};

        while (at < end && (weir_is_digit(*at) || is_letter(lower(*at)) || *at == '/'))
            at++;
        both[1] = weir_hash64(key, from, (size_t)(at - from));
        hash = weir_hash64(key, both, sizeof both);
    }
    return hash;
}

/* Of the subject, which is the first line, and the bones. */
static void sign_short(const struct weir_hash_key *key, const struct weir_content *content,
                       struct weir_features *features)
{
    uint64_t hash = hash_bones(key, &content->area[WEIR_AREA_HTML]);

    for (size_t i = 0; i < features->words; i++) {
        uint64_t both[2] = {hash, hash_word(key, features->word[i])};

        if (features->paragraph[i] == 0 && both[1] != 0)
            hash = weir_hash64(key, both, sizeof both);
    }
    memset(features->signature, 0xff, sizeof features->signature);
    take_shingle(hash, features->signature);
}

int weir_features_read(const struct weir_hash_key *key, struct weir_domains *domains,
                       const struct weir_content *content, struct weir_arena *arena,
                       struct weir_features *features_r)
{
    int rc;

    *features_r = (struct weir_features){.words = 0};
    memset(features_r->signature, 0xff, sizeof features_r->signature);
    rc = copy_text(&content->area[WEIR_AREA_BODY], arena, features_r);
    rc = rc < 0 ? rc : cut_words(arena, features_r);
    rc = rc < 0 ? rc : note_domains(domains, content, arena, features_r);
    if (rc == 0 && sign_text(key, features_r) < WEIR_SHINGLES_LEAST)
        sign_short(key, content, features_r);
    return rc;
}

double weir_features_alike(const struct weir_features *a, const struct weir_features *b)
{
    unsigned equal = 0;

    for (size_t i = 0; i < WEIR_SIGNATURE; i++)
        equal += a->signature[i] == b->signature[i];
    return (double)equal / WEIR_SIGNATURE;
}
