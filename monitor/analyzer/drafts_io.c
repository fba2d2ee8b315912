/*
 * Texts are read one after the other: taken apart in an arena that is used again, and what is
 * needed of them is kept in another.  Good ones are kept as features, too, so that candidates are
 * looked for in what rules would look at.  What is decided is stored by drafts_store_io.c.
 */
#include "monitor/analyzer/drafts_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/slice.h"
#include "core/evidence/bayes_tokens.h"
#include "monitor/analyzer/drafts_impl.h"
#include "monitor/analyzer/reported_text.h"

#define ARENA_FIRST (1u << 20)
#define SCRATCH_KEPT (8u << 20)

/* A text. ------------------------------------------------------------------- */

struct read {
    struct weir_message message;
    struct weir_content content;
    const struct weir_features *features;
};

/* 1; 0: it cannot be read, or there is no more room; or an error. */
static int read_text(struct weir_drafts *drafts, struct weir_slice octets, struct read *read)
{
    struct weir_features *features = weir_arena_take(drafts->arena, sizeof *features);
    struct weir_reported_text told;
    char *buffer;
    int rc;

    weir_arena_reset(drafts->scratch, SCRATCH_KEPT);
    if (!features || weir_arena_used(drafts->arena) > WEIR_DRAFTS_OCTETS_MAX ||
        weir_reported_text_read(octets, &told) != 1)
        return features ? 0 : WEIR_ENOMEM;
    buffer = weir_arena_take(drafts->scratch, told.len + 1);
    if (!buffer)
        return WEIR_ENOMEM;
    if (weir_reported_text_unpack(&told, buffer) < 0)
        return 0;
    rc = weir_message_parse(buffer, told.len, drafts->scratch, &read->message);
    rc = rc < 0 ? rc : weir_content_read(&read->message, drafts->charsets, drafts->scratch,
                                         &read->content);
    rc = rc < 0 ? rc : weir_features_read(&drafts->drafting.key, drafts->domains, &read->content,
                                          drafts->arena, features);
    read->features = features;
    return rc < 0 ? rc : 1;
}

/* Votes. -------------------------------------------------------------------- */

static int note_own(struct weir_drafts *drafts, const char *domain)
{
    const char **more;

    for (size_t i = 0; i < drafts->owns; i++)
        if (strcmp(drafts->own[i], domain) == 0)
            return 0;
    more = weir_grown(drafts->own, drafts->owns, &drafts->own_room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    drafts->own = more;
    drafts->own[drafts->owns] = weir_arena_copy(drafts->arena, domain, strlen(domain));
    return drafts->own[drafts->owns++] ? 0 : WEIR_ENOMEM;
}

/* A person without a domain is in his server's. */
static int domain_of(struct weir_drafts *drafts, const char *name, uint32_t server,
                     uint64_t *domain_r)
{
    const char *at = strrchr(name, '@');
    char domain[WEIR_DOMAIN_TEXT];

    *domain_r = server;
    if (!at || weir_domain_organizational(drafts->domains, at + 1, strlen(at + 1), domain) != 1)
        return 0;
    *domain_r = weir_hash64(&drafts->drafting.key, domain, strlen(domain));
    return note_own(drafts, domain);
}

static int take_person(void *context, uint64_t user, uint32_t server, const char *name)
{
    struct weir_drafts *drafts = context;
    struct weir_draft_vote *more = weir_grown(drafts->vote, drafts->votes, &drafts->vote_room,
                                              sizeof *more);

    (void)name;
    if (!more)
        return WEIR_ENOMEM;
    drafts->vote = more;
    drafts->vote[drafts->votes++] = (struct weir_draft_vote){.user = user, .server = server};
    return 0;
}

static int take_vote(void *context, uint64_t user, uint32_t server, const char *name)
{
    struct weir_drafts *drafts = context;
    int rc = take_person(context, user, server, name);

    return rc < 0 ? rc : domain_of(drafts, name, server, &drafts->vote[drafts->votes - 1].domain);
}

static int read_votes(struct weir_drafts *drafts, uint64_t uid, const char *kind,
                      int (*take)(void *context, uint64_t user, uint32_t server, const char *name))
{
    drafts->votes = 0;
    return weir_database_drafts_votes(drafts->reading, uid, kind, take, drafts);
}

static int keep_votes(struct weir_drafts *drafts, struct weir_draft_message *message)
{
    struct weir_draft_vote *copy;
    int rc = read_votes(drafts, message->uid, "spam", take_vote);

    if (rc < 0)
        return rc;
    copy = weir_arena_take(drafts->arena, drafts->votes * sizeof *copy);
    if (!copy)
        return WEIR_ENOMEM;
    if (drafts->votes > 0)
        memcpy(copy, drafts->vote, drafts->votes * sizeof *copy);
    message->vote = copy;
    message->votes = drafts->votes;
    return 0;
}

/* All texts. ---------------------------------------------------------------- */

static int take_ham(struct weir_drafts *drafts, uint64_t uid, const struct weir_features *features)
{
    struct ham *more = weir_grown(drafts->ham, drafts->hams, &drafts->ham_room, sizeof *more);
    uint64_t *person;
    int rc;

    if (!more)
        return WEIR_ENOMEM;
    drafts->ham = more;
    rc = read_votes(drafts, uid, "ham", take_person);
    if (rc < 0)
        return rc;
    person = weir_arena_take(drafts->arena, drafts->votes * sizeof *person);
    if (!person)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < drafts->votes; i++)
        person[i] = drafts->vote[i].user;
    drafts->ham[drafts->hams++] = (struct ham){features, person, drafts->votes};
    return 0;
}

static int take_spam(struct weir_drafts *drafts, const struct weir_drafts_text *text,
                     struct read *read)
{
    double points;
    bool drafted;
    int rc = weir_rescan_message(drafts->rescan, &read->message, &read->content, drafts->charsets,
                                 drafts->scratch, &points, &drafted);
    struct weir_draft_message *more;

    if (rc < 0) /* nobody knows whether it was missed: nothing is drafted of it */
        return rc == WEIR_EINVAL ? 0 : rc;
    more = weir_grown(drafts->message, drafts->messages, &drafts->message_room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    drafts->message = more;
    more += drafts->messages++;
    *more = (struct weir_draft_message){
        .uid = text->uid, .features = read->features, .rejected = text->rejected,
        .caught = text->judged || points >= drafts->options.spam_score, .covered = drafted};
    drafts->counts.missed++;
    drafts->counts.caught += more->caught;
    drafts->counts.covered += more->covered && !more->caught;
    rc = keep_votes(drafts, more);
    return rc < 0 ? rc : weir_revive_take(drafts, text);
}

static int take_text(void *context, const struct weir_drafts_text *text)
{
    struct weir_drafts *drafts = context;
    struct read read;
    int rc = read_text(drafts, text->octets, &read);

    if (rc <= 0)
        return rc;
    return text->spam ? take_spam(drafts, text, &read)
                      : take_ham(drafts, text->uid, read.features);
}

/* Good mail. ------------------------------------------------------------------ */

/* Whether every message has the token that has the candidate: pairs of a phrase's words; hosts. */
static bool is_telling(const struct weir_candidate *candidate, struct weir_slice token)
{
    return candidate->link ? weir_slice_begins(token, "url:")
                           : memchr(token.at, ' ', token.len) != NULL;
}

/* As a message with nothing else in it. */
static int tokens_of(struct weir_drafts *drafts, const struct weir_candidate *candidate,
                     uint64_t *token_r, size_t most)
{
    const char *octets = weir_arena_printf(drafts->scratch, "From: a@b.example\n\n%s%.*s\n",
                                           candidate->link ? "http://" : "",
                                           (int)candidate->text.len, candidate->text.at);
    struct read read;
    struct weir_bayes_source source = {.message = &read.message, .content = &read.content,
                                       .charsets = drafts->charsets};
    struct weir_bayes_tokens tokens;
    size_t count = 0;
    int rc = octets ? weir_message_parse(octets, strlen(octets), drafts->scratch, &read.message)
                    : WEIR_ENOMEM;

    rc = rc < 0 ? rc : weir_content_read(&read.message, drafts->charsets, drafts->scratch,
                                         &read.content);
    rc = rc < 0 ? rc : weir_bayes_tokens_read(&drafts->options.token_key, &source, drafts->scratch,
                                              &tokens);
    for (size_t i = 0; rc == 0 && i < tokens.tokens && count < most; i++)
        if (tokens.token[i].view == WEIR_BAYES_TEXT && is_telling(candidate, tokens.token[i].text))
            token_r[count++] = tokens.token[i].hash;
    return rc < 0 ? rc : (int)count;
}

/* The number of a candidate in the sample; less than 0 when no token tells of it. */
static int want(struct weir_drafts *drafts, const struct weir_candidate *candidate)
{
    uint64_t token[WEIR_HAM_TOKENS_MAX];
    int count;

    weir_arena_reset(drafts->scratch, SCRATCH_KEPT);
    count = tokens_of(drafts, candidate, token, sizeof token / sizeof token[0]);
    return count < 0 ? count : weir_ham_sample_want(drafts->sample, token, (size_t)count);
}

static int collect(struct weir_drafts *drafts, const struct weir_candidate *candidate,
                   const char *name)
{
    struct wanted *more = weir_grown(drafts->wanted, drafts->wanteds, &drafts->wanted_room,
                                     sizeof *more);
    int number = want(drafts, candidate);

    if (!more || number == WEIR_ENOMEM)
        return WEIR_ENOMEM;
    drafts->wanted = more;
    more += drafts->wanteds++;
    more->number = number;
    snprintf(more->name, sizeof more->name, "%s", name);
    return 1;
}

static int by_name(const void *a, const void *b)
{
    const struct wanted *one = a, *other = b;

    return strcmp(one->name, other->name);
}

static bool is_in_sample(const struct weir_drafts *drafts, const char *name)
{
    struct wanted key;
    const struct wanted *found;

    snprintf(key.name, sizeof key.name, "%s", name);
    found = drafts->wanteds == 0 ? NULL : bsearch(&key, drafts->wanted, drafts->wanteds, sizeof key,
                                                  by_name);
    return !found || found->number < 0 || weir_ham_sample_has(drafts->sample, found->number);
}

/* How many more people say so of a message; at most so many are counted that are enough. */
static size_t note_persons(const struct weir_drafts *drafts, const struct ham *ham, size_t persons)
{
    for (size_t i = 0; i < ham->persons && persons < drafts->options.people; i++) {
        size_t at = 0;

        while (at < persons && drafts->person[at] != ham->person[i])
            at++;
        if (at == persons)
            drafts->person[persons++] = ham->person[i];
    }
    return persons;
}

/* How many people reported mail as good that has it. */
static size_t objections(const struct weir_drafts *drafts, const struct weir_candidate *candidate)
{
    size_t persons = 0;

    for (size_t i = 0; i < drafts->hams; i++)
        if (weir_candidate_hits(candidate, drafts->ham[i].features))
            persons = note_persons(drafts, &drafts->ham[i], persons);
    return persons;
}

/* Whether a message that is known to be good has it. */
static bool is_good(const struct weir_drafts *drafts, const struct weir_candidate *candidate,
                    const char *name)
{
    return objections(drafts, candidate) >= drafts->options.people ||
           (drafts->lessons > 0 && is_in_sample(drafts, name));
}

static bool is_own_domain(const struct weir_drafts *drafts, struct weir_slice domain)
{
    for (size_t i = 0; i < drafts->owns; i++)
        if (weir_slice_equals(domain, drafts->own[i]))
            return true;
    return false;
}

static int hits_ham(void *context, const struct weir_candidate *candidate, const char *name)
{
    struct weir_drafts *drafts = context;
    if (weir_rescan_knows(drafts->rescan, name) ||
        (candidate->link && is_own_domain(drafts, candidate->text)))
        return 1;
    return drafts->collecting ? collect(drafts, candidate, name) : is_good(drafts, candidate, name);
}

/* A run. ---------------------------------------------------------------------- */

/* What is left of a day's drafts. */
static int read_left(struct weir_drafts *drafts)
{
    struct weir_drafting_settings *settings = &drafts->drafting.settings;
    weir_time since = drafts->options.now - WEIR_DAY;
    uint64_t all, one;
    int rc = weir_database_drafts_since(drafts->reading, since, false, &all);

    rc = rc < 0 ? rc : weir_database_drafts_since(drafts->reading, since, true, &one);
    if (rc < 0)
        return rc;
    settings->left -= all < settings->left ? (size_t)all : settings->left;
    settings->left_server -= one < settings->left_server ? (size_t)one : settings->left_server;
    return 0;
}

static int open_parts(struct weir_drafts *drafts)
{
    const uint32_t *retired = NULL;
    size_t count = 0;
    int rc = weir_domains_open(drafts->options.suffixes, &drafts->domains);

    if (rc == WEIR_EIO || rc == WEIR_ECORRUPT) /* whoever opened it at the start told of it */
        rc = weir_domains_open(NULL, &drafts->domains);
    drafts->arena = weir_arena_new(ARENA_FIRST);
    drafts->scratch = weir_arena_new(ARENA_FIRST);
    if (!drafts->arena || !drafts->scratch)
        return WEIR_ENOMEM;
    rc = rc < 0 ? rc : weir_charsets_new(&drafts->charsets);
    rc = rc < 0 ? rc : weir_revive_read(drafts, &retired, &count);
    return rc < 0 ? rc : weir_rescan_new(drafts->reading, retired, count, &drafts->rescan);
}

static int look(void *context, struct weir_slice tokens)
{
    weir_ham_sample_look(context, tokens);
    return 0;
}

/* A first run collects what candidates say, and drafts nothing; then good mail is read once. */
static int look_at_ham(struct weir_drafts *drafts)
{
    struct weir_drafting first = drafts->drafting;
    int rc = weir_ham_sample_new(&drafts->sample);

    if (rc < 0)
        return rc;
    drafts->collecting = true;
    for (size_t i = 0; rc >= 0 && i < drafts->lives; i++)
        rc = collect(drafts, &drafts->live[i].says, drafts->live[i].name);
    rc = rc < 0 ? rc : weir_drafting_run(&first);
    weir_drafting_free(&first);
    drafts->collecting = false;
    if (rc == 0 && drafts->wanteds > 0) {
        qsort(drafts->wanted, drafts->wanteds, sizeof *drafts->wanted, by_name);
        rc = weir_database_drafts_ham(drafts->reading, drafts->options.people, look,
                                      drafts->sample);
    }
    return rc < 0 ? rc : 0;
}

static int take_live(void *context, const struct weir_drafts_row *draft)
{
    struct weir_drafts *drafts = context;
    struct live *more = weir_grown(drafts->live, drafts->lives, &drafts->live_room, sizeof *more);
    const char *text = weir_arena_copy(drafts->arena, draft->text, strlen(draft->text));

    if (!more || !text)
        return WEIR_ENOMEM;
    drafts->live = more;
    more += drafts->lives++;
    *more = (struct live){.rule = draft->rule,
                          .says = {.link = draft->link, .text = weir_slice_of(text)}};
    snprintf(more->name, sizeof more->name, "%s", draft->name);
    return 0;
}

/* Too few to stop it, but a person who looks at it should know. */
static void tell_objections(const struct weir_drafts *drafts, struct weir_draft *draft)
{
    size_t persons = objections(drafts, &draft->candidate), len = strlen(draft->why);

    if (persons > 0)
        snprintf(draft->why + len, sizeof draft->why - len,
                 "; but %zu reported as good what has it", persons);
}

static int decide(struct weir_drafts *drafts)
{
    struct weir_drafting *drafting = &drafts->drafting;
    int rc = weir_database_drafts_texts(drafts->reading, WEIR_DRAFTS_TEXTS_MAX, take_text, drafts);

    rc = rc < 0 ? rc : weir_database_drafts_ham_count(drafts->reading, drafts->options.people,
                                                       &drafts->lessons);
    rc = rc < 0 ? rc : weir_database_drafts_live(drafts->reading, take_live, drafts);
    rc = rc < 0 ? rc : read_left(drafts);
    if (rc < 0)
        return rc;
    weir_revive_decide(drafts);
    drafting->arena = drafts->arena;
    drafting->message = drafts->message;
    drafting->messages = drafts->messages;
    drafting->ham = drafts->hams + drafts->lessons;
    drafting->hits_ham = hits_ham;
    drafting->context = drafts;
    rc = drafts->lessons > 0 ? look_at_ham(drafts) : 0;
    rc = rc < 0 ? rc : weir_drafting_run(drafting);
    for (size_t i = 0; rc >= 0 && i < drafting->drafts; i++)
        tell_objections(drafts, &drafting->draft[i]);
    for (size_t i = 0; rc >= 0 && i < drafts->lives; i++)
        drafts->live[i].withdrawn = is_good(drafts, &drafts->live[i].says, drafts->live[i].name);
    drafts->counts.clusters = drafting->clusters;
    drafts->counts.enough = drafting->enough;
    drafts->counts.ham = drafting->ham;
    drafts->counts.too_little_ham = drafting->too_little_ham;
    return rc;
}

int weir_drafts_new(struct weir_database *reading, const struct weir_drafts_options *options,
                    struct weir_drafts **drafts_r)
{
    struct weir_drafts *drafts = calloc(1, sizeof *drafts);
    int rc;

    if (!drafts)
        return WEIR_ENOMEM;
    drafts->options = *options;
    drafts->options.people = options->people > 0 ? options->people : 1;
    drafts->person = calloc(drafts->options.people, sizeof *drafts->person);
    drafts->reading = reading;
    drafts->drafting.settings = options->settings;
    drafts->drafting.key = weir_hash_key_random();
    rc = drafts->person ? open_parts(drafts) : WEIR_ENOMEM;
    rc = rc < 0 ? rc : decide(drafts);
    if (rc < 0)
        weir_drafts_free(&drafts);
    else
        *drafts_r = drafts;
    return rc < 0 ? rc : 0;
}

void weir_drafts_free(struct weir_drafts **drafts)
{
    struct weir_drafts *old = *drafts;

    if (!old)
        return;
    weir_drafting_free(&old->drafting);
    weir_rescan_free(&old->rescan);
    weir_charsets_free(&old->charsets);
    weir_domains_free(&old->domains);
    weir_arena_free(&old->arena);
    weir_arena_free(&old->scratch);
    free(old->message);
    free(old->ham);
    free(old->person);
    free(old->own);
    free(old->vote);
    free(old->wanted);
    free(old->live);
    free(old->retired);
    weir_ham_sample_free(&old->sample);
    free(old);
    *drafts = NULL;
}

/* Telling. ------------------------------------------------------------------------- */

const struct weir_draft *weir_drafts_get(const struct weir_drafts *drafts, size_t number)
{
    return number < drafts->drafting.drafts ? &drafts->drafting.draft[number] : NULL;
}

const struct weir_draft_note *weir_drafts_note(const struct weir_drafts *drafts, size_t number)
{
    return number < drafts->drafting.notes ? &drafts->drafting.note[number] : NULL;
}

const char *weir_drafts_withdrawn(const struct weir_drafts *drafts, size_t number)
{
    for (size_t i = 0; i < drafts->lives; i++)
        if (drafts->live[i].withdrawn && number-- == 0)
            return drafts->live[i].name;
    return NULL;
}

struct weir_drafts_counts weir_drafts_counts(const struct weir_drafts *drafts)
{
    return drafts->counts;
}

const char *weir_drafts_trouble(const struct weir_drafts *drafts)
{
    return weir_rescan_trouble(drafts->rescan);
}
