/*
 * Phrases are counted in an open table by a keyed hash, once a message; when it is full new ones
 * are passed over, so that what the first messages have is known whatever follows.
 */
#include "monitor/analyzer/candidates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/base/visible.h"

struct phrase {
    uint64_t hash;             /* 0: empty */
    struct weir_slice text;
    uint32_t covers, last;     /* last: the message that had it last, + 1 */
    uint8_t words;
};

struct finding {
    const struct weir_hash_key *key;
    const struct weir_features *const *member;
    size_t members, phrases, mask;
    struct phrase *place;
    struct weir_candidate *best;
    size_t bests;
};

/* Whether a rule about it would say something about the sender. */
bool weir_candidate_is_common(const char *domain)
{
    static const char *const common[] = {
        "adobe.com", "aka.ms", "amazon.com", "amazonaws.com", "apple.com", "azureedge.net",
        "bing.com", "bit.ly", "blogspot.com", "cloudflare.com", "cloudfront.net",
        "constantcontact.com", "doubleclick.net", "dropbox.com", "ebay.com", "facebook.com",
        "fbcdn.net", "flickr.com", "forms.gle", "ggpht.com", "github.com", "github.io", "gmail.com",
        "goo.gl", "google.com", "googleapis.com", "googleusercontent.com", "gstatic.com",
        "hotmail.com", "icloud.com", "instagram.com", "is.gd", "linkedin.com", "list-manage.com",
        "live.com", "mailchimp.com", "mcusercontent.com", "medium.com", "microsoft.com",
        "microsoftonline.com", "msn.com", "netflix.com", "office.com", "office365.com",
        "outlook.com", "ow.ly", "paypal.com", "pinterest.com", "qualtrics.com", "reddit.com",
        "sendgrid.net", "sharepoint.com", "skype.com", "surveymonkey.com", "t.co", "t.me",
        "telegram.org", "tiktok.com", "tinyurl.com", "twitter.com", "vimeo.com", "w3.org", "wa.me",
        "whatsapp.com", "wikipedia.org", "windows.net", "wordpress.com", "x.com", "yahoo.com",
        "youtu.be", "youtube.com", "ytimg.com", "zoom.us",
    };

    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (strcmp(domain, common[i]) == 0)
            return true;
    return false;
}

/* The best. ------------------------------------------------------------------- */

static bool is_better(const struct weir_candidate *a, const struct weir_candidate *b)
{
    if (a->covers != b->covers)
        return a->covers > b->covers;
    if (a->link != b->link)
        return a->link;
    if (a->words != b->words)
        return a->words > b->words;
    return a->text.len > b->text.len;
}

static bool overlaps(const struct weir_candidate *a, const struct weir_candidate *b)
{
    return !a->link && !b->link && a->text.at < b->text.at + b->text.len &&
           b->text.at < a->text.at + a->text.len;
}

/* Takes out those behind a place that overlap what stands there. */
static void thin(struct finding *finding, size_t at)
{
    size_t left = at + 1;

    for (size_t i = at + 1; i < finding->bests; i++)
        if (!overlaps(&finding->best[at], &finding->best[i]))
            finding->best[left++] = finding->best[i];
    finding->bests = left;
}

/* A phrase that overlaps a better one says the same once more. */
static void offer(struct finding *finding, const struct weir_candidate *one)
{
    size_t at = 0;

    while (at < finding->bests && !is_better(one, &finding->best[at])) {
        if (overlaps(one, &finding->best[at]))
            return;
        at++;
    }
    if (at == WEIR_CANDIDATES_MAX)
        return;
    if (finding->bests < WEIR_CANDIDATES_MAX)
        finding->bests++;
    memmove(&finding->best[at + 1], &finding->best[at],
            (finding->bests - at - 1) * sizeof *finding->best);
    finding->best[at] = *one;
    thin(finding, at);
}

/* Domains. -------------------------------------------------------------------- */

static void offer_domains(struct finding *finding)
{
    for (size_t i = 0; i < finding->members; i++)
        for (size_t j = 0; j < finding->member[i]->domains; j++) {
            const char *domain = finding->member[i]->domain[j];
            struct weir_candidate one = {.link = true, .text = weir_slice_of(domain)};
            size_t first = finding->members;

            if (weir_candidate_is_common(domain))
                continue;
            for (size_t k = 0; k < finding->members; k++)
                if (weir_candidate_hits(&one, finding->member[k])) {
                    first = first < k ? first : k;
                    one.covers++;
                }
            if (first == i)
                offer(finding, &one);
        }
}

/* Phrases. -------------------------------------------------------------------- */

static struct phrase *place_of(struct finding *finding, uint64_t hash)
{
    size_t at = hash & finding->mask;

    while (finding->place[at].hash != 0 && finding->place[at].hash != hash)
        at = (at + 1) & finding->mask;
    return &finding->place[at];
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || weir_is_digit(c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Half of it has to be letters: lines of stars and numbers say nothing. */
static bool is_telling(struct weir_slice text)
{
    size_t letters = 0;

    for (size_t i = 0; i < text.len; i++)
        letters += is_word(text.at[i]) && !weir_is_digit(text.at[i]);
    return 2 * letters >= text.len;
}

/* Words of one line, but not of the subject, without what is no letter at both ends. */
static bool phrase_of(const struct weir_features *features, size_t from, unsigned words,
                      struct weir_slice *text_r)
{
    size_t last = from + words - 1;
    struct weir_slice text;

    if (last >= features->words || features->paragraph[from] == 0 ||
        features->paragraph[last] != features->paragraph[from])
        return false;
    text = weir_slice_between(features->word[from].at,
                              features->word[last].at + features->word[last].len);
    while (text.len > 0 && !is_word(text.at[0]))
        text = weir_slice_behind(text, 1);
    while (text.len > 0 && !is_word(text.at[text.len - 1]))
        text.len--;
    *text_r = text;
    return text.len >= WEIR_PHRASE_LEAST && text.len <= WEIR_PHRASE_MOST && is_telling(text);
}

static void count_phrase(struct finding *finding, uint32_t member, struct weir_slice text,
                         unsigned words)
{
    uint64_t hash = weir_hash64(finding->key, text.at, text.len) | 1;
    struct phrase *phrase = place_of(finding, hash);

    if (phrase->hash == 0) {
        if (finding->phrases >= WEIR_CANDIDATES_PHRASES)
            return;
        finding->phrases++;
        *phrase = (struct phrase){.hash = hash, .text = text, .words = (uint8_t)words};
    }
    phrase->covers += phrase->last != member + 1;
    phrase->last = member + 1;
}

static void count_phrases(struct finding *finding, uint32_t member)
{
    const struct weir_features *features = finding->member[member];
    struct weir_slice text;

    for (size_t from = 0; from < features->words; from++)
        for (unsigned words = WEIR_PHRASE_WORDS_LEAST; words <= WEIR_PHRASE_WORDS_MOST; words++)
            if (phrase_of(features, from, words, &text))
                count_phrase(finding, member, text, words);
}

static void offer_phrases(struct finding *finding)
{
    for (size_t i = 0; i <= finding->mask; i++) {
        const struct phrase *phrase = &finding->place[i];
        const struct weir_candidate one = {.text = phrase->text, .words = phrase->words,
                                           .covers = phrase->covers};

        if (phrase->hash != 0)
            offer(finding, &one);
    }
}

int weir_candidates_find(const struct weir_hash_key *key,
                         const struct weir_features *const *member, size_t members,
                         struct weir_candidate candidate_r[static WEIR_CANDIDATES_MAX])
{
    struct finding finding = {.key = key, .member = member, .members = members,
                              .best = candidate_r};
    size_t words = 0, places = 1024;

    if (finding.members > WEIR_CANDIDATES_MEMBERS)
        finding.members = WEIR_CANDIDATES_MEMBERS;
    for (size_t i = 0; i < finding.members; i++)
        words += member[i]->words * (WEIR_PHRASE_WORDS_MOST - WEIR_PHRASE_WORDS_LEAST + 1);
    while (places < 2 * words && places < 2 * WEIR_CANDIDATES_PHRASES)
        places *= 2;
    finding.mask = places - 1;
    finding.place = calloc(places, sizeof *finding.place);
    if (!finding.place)
        return WEIR_ENOMEM;
    offer_domains(&finding);
    for (uint32_t i = 0; i < finding.members; i++)
        count_phrases(&finding, i);
    offer_phrases(&finding);
    free(finding.place);
    return (int)finding.bests;
}

/* Using one. ------------------------------------------------------------------- */

static bool has_phrase(struct weir_slice text, struct weir_slice phrase)
{
    const char *end = text.at + text.len, *at = text.at;

    while ((at = memmem(at, (size_t)(end - at), phrase.at, phrase.len)) != NULL) {
        if ((at == text.at || !is_word(at[-1])) &&
            (at + phrase.len == end || !is_word(at[phrase.len])))
            return true;
        at++;
    }
    return false;
}

bool weir_candidate_hits(const struct weir_candidate *candidate,
                         const struct weir_features *features)
{
    if (!candidate->link)
        return has_phrase(features->body, candidate->text);
    for (size_t i = 0; i < features->domains; i++)
        if (weir_slice_equals(candidate->text, features->domain[i]))
            return true;
    return false;
}

/* As an expression that matches just this: ASCII that is no letter, digit or blank escaped, and
 * what nobody who is to approve it would see written in numbers. */
static void put_literal(struct weir_line *line, struct weir_slice text)
{
    for (size_t i = 0, octets; i < text.len; i += octets) {
        octets = weir_visible_octets(weir_slice_behind(text, i));
        if (octets == 0) {
            char number[8];

            snprintf(number, sizeof number, "\\x%02x", (unsigned char)text.at[i]);
            weir_line_text(line, number);
            octets = 1;
            continue;
        }
        if (!is_word(text.at[i]) && text.at[i] != ' ')
            weir_line_text(line, "\\");
        weir_line_octets(line, &text.at[i], octets);
    }
}

/* A boundary of words as expressions know it: only ASCII is of words there. */
static const char *edge_at(char c)
{
    return (unsigned char)c < 0x80 ? "\\b" : "";
}

const char *weir_candidate_rule(const struct weir_candidate *candidate, const char *name,
                                char text_r[static WEIR_CANDIDATE_RULE])
{
    struct weir_line line = weir_line(text_r, WEIR_CANDIDATE_RULE);
    struct weir_slice text = candidate->text;

    weir_line_text(&line, candidate->link ? "uri " : "body ");
    weir_line_text(&line, name);
    weir_line_text(&line, " /");
    weir_line_text(&line, candidate->link ? "\\/\\/(?:[^\\/?\\#]*\\.)?" : edge_at(text.at[0]));
    put_literal(&line, text);
    weir_line_text(&line, candidate->link ? "(?:[\\/:?\\#]|$)" : edge_at(text.at[text.len - 1]));
    weir_line_text(&line, "/i");
    return weir_line_end(&line);
}
