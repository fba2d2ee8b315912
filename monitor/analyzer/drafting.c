/*
 * Clusters one after the other, in the order of their first messages; who and where is counted in
 * small sorted arrays, which are as long as a message may have votes times the messages looked at.
 */
#include "monitor/analyzer/drafting.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/line.h"
#include "monitor/analyzer/cluster.h"

struct cluster {
    size_t first;              /* message */
    const struct weir_draft_message *member[WEIR_CANDIDATES_MEMBERS];
    size_t members;
    const struct weir_draft_message *open[WEIR_CANDIDATES_MEMBERS]; /* nothing catches them */
    size_t opens;
    bool rejected;
};

struct weight {
    size_t reports, users, domains, servers, messages;
};

/* Counting. ------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const uint64_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

static size_t count_different(uint64_t *number, size_t count)
{
    size_t different = 0;

    qsort(number, count, sizeof *number, by_number);
    for (size_t i = 0; i < count; i++)
        different += i == 0 || number[i] != number[i - 1];
    return different;
}

static uint64_t user_of(const struct weir_draft_vote *vote)
{
    return vote->user;
}

static uint64_t domain_of(const struct weir_draft_vote *vote)
{
    return vote->domain;
}

static uint64_t server_of(const struct weir_draft_vote *vote)
{
    return vote->server;
}

static size_t different(const struct weir_draft_message *const *member, size_t members,
                        uint64_t *scratch, uint64_t (*what)(const struct weir_draft_vote *vote))
{
    size_t count = 0;

    for (size_t i = 0; i < members; i++)
        for (size_t j = 0; j < member[i]->votes; j++)
            scratch[count++] = what(&member[i]->vote[j]);
    return count_different(scratch, count);
}

/* 0 or WEIR_ENOMEM. */
static int weigh(const struct weir_draft_message *const *member, size_t members,
                 struct weight *weight_r)
{
    struct weight weight = {.messages = members};
    uint64_t *scratch;

    for (size_t i = 0; i < members; i++)
        weight.reports += member[i]->votes;
    scratch = malloc((weight.reports + 1) * sizeof *scratch);
    if (!scratch)
        return WEIR_ENOMEM;
    weight.users = different(member, members, scratch, user_of);
    weight.domains = different(member, members, scratch, domain_of);
    weight.servers = different(member, members, scratch, server_of);
    free(scratch);
    *weight_r = weight;
    return 0;
}

static bool is_enough(const struct weight *weight, const struct weir_drafting_settings *settings)
{
    return weight->reports >= settings->reports && weight->users >= settings->users &&
           weight->domains >= settings->domains;
}

/* Words. ------------------------------------------------------------------------- */

static void put_count(struct weir_line *line, size_t count, const char *what)
{
    weir_line_count(line, count);
    weir_line_text(line, what);
}

static void put_uid(struct weir_line *line, uint64_t uid)
{
    char digit[16];

    for (size_t i = sizeof digit; i-- > 0; uid >>= 4)
        digit[i] = "0123456789abcdef"[uid & 15];
    weir_line_octets(line, digit, sizeof digit);
}

static void explain(const struct weir_drafting *drafting, const struct cluster *cluster,
                    struct weir_draft *draft)
{
    const size_t named = 5;
    struct weir_line line = weir_line(draft->why, sizeof draft->why);

    put_count(&line, draft->reports, " reports of missed spam by ");
    put_count(&line, draft->users, " people in ");
    put_count(&line, draft->domains, " domains, told by ");
    put_count(&line, draft->servers, " servers; it hits ");
    put_count(&line, draft->messages, " of ");
    put_count(&line, cluster->opens, " messages that are alike and none of ");
    put_count(&line, drafting->ham, " good ones; messages");
    for (size_t i = 0; i < cluster->opens && i < named; i++) {
        weir_line_text(&line, i > 0 ? ", " : " ");
        put_uid(&line, cluster->open[i]->uid);
    }
    if (cluster->opens > named)
        weir_line_text(&line, ", ...");
    (void)weir_line_end(&line);
}

/* The same text always makes the same name, so that nothing is drafted twice. */
static void name_of(const struct weir_candidate *candidate, char name_r[static WEIR_DRAFT_NAME])
{
    static const struct weir_hash_key key = {"weir draft name"};
    uint64_t hash = weir_hash64(&key, candidate->text.at, candidate->text.len);
    struct weir_line line = weir_line(name_r, WEIR_DRAFT_NAME);

    weir_line_text(&line, candidate->link ? "MISSED_LINK_" : "MISSED_TEXT_");
    for (int i = 0; i < 12; i++, hash >>= 4)
        weir_line_octets(&line, &"0123456789ABCDEF"[hash & 15], 1);
    (void)weir_line_end(&line);
}

/* One cluster. --------------------------------------------------------------------- */

static void note(struct weir_drafting *drafting, const struct cluster *cluster,
                 const struct weight *weight, const char *why)
{
    if (drafting->notes == WEIR_DRAFTING_NOTES)
        return;
    drafting->note[drafting->notes++] = (struct weir_draft_note){
        .reports = weight->reports, .messages = weight->messages, .why = why,
        .uid = drafting->message[cluster->first].uid};
}

static int keep(struct weir_drafting *drafting, const struct cluster *cluster,
                const struct weight *weight, const struct weir_candidate *candidate,
                struct weir_draft *made)
{
    struct weir_draft *more = weir_grown(drafting->draft, drafting->drafts, &drafting->draft_room,
                                         sizeof *more);
    uint64_t *uid = weir_arena_take(drafting->arena, cluster->members * sizeof *uid);

    if (more)
        drafting->draft = more;
    if (!more || !uid)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < cluster->members; i++)
        uid[i] = cluster->member[i]->uid;
    made->candidate = *candidate;
    made->reports = weight->reports;
    made->users = weight->users;
    made->domains = weight->domains;
    made->servers = weight->servers;
    made->messages = weight->messages;
    made->uid = uid;
    made->uids = cluster->members;
    explain(drafting, cluster, made);
    drafting->settings.left--;
    if (weight->servers == 1)
        drafting->settings.left_server--;
    drafting->draft[drafting->drafts++] = *made;
    return 1;
}

/* 1: a draft was made of it; 0: it may not be one; or an error. */
static int try_candidate(struct weir_drafting *drafting, const struct cluster *cluster,
                         const struct weir_candidate *candidate, const char **why)
{
    const struct weir_draft_message *covered[WEIR_CANDIDATES_MEMBERS];
    struct weir_draft made = {.reports = 0};
    struct weight weight;
    size_t count = 0;
    int rc;

    for (size_t i = 0; i < cluster->opens; i++)
        if (weir_candidate_hits(candidate, cluster->open[i]->features))
            covered[count++] = cluster->open[i];
    rc = weigh(covered, count, &weight);
    if (rc < 0 || !is_enough(&weight, &drafting->settings))
        return rc;
    if (weight.servers == 1 && drafting->settings.left_server == 0) {
        *why = "one mail server alone has told of enough drafts today";
        return 0;
    }
    name_of(candidate, made.name);
    (void)weir_candidate_rule(candidate, made.name, made.rule);
    *why = "all they have in common is in good mail, too, or was tried before";
    rc = drafting->hits_ham(drafting->context, candidate, made.name);
    return rc != 0 ? (rc < 0 ? rc : 0) : keep(drafting, cluster, &weight, candidate, &made);
}

static int try_candidates(struct weir_drafting *drafting, const struct cluster *cluster,
                          const char **why)
{
    struct weir_candidate candidate[WEIR_CANDIDATES_MAX];
    const struct weir_features *features[WEIR_CANDIDATES_MEMBERS];
    int count, rc = 0;

    for (size_t i = 0; i < cluster->opens; i++)
        features[i] = cluster->open[i]->features;
    count = weir_candidates_find(&drafting->key, features, cluster->opens, candidate);
    *why = "they have no domain and no phrase in common";
    for (int i = 0; i < count && rc == 0; i++)
        rc = try_candidate(drafting, cluster, &candidate[i], why);
    return count < 0 ? count : rc;
}

static int draft_one(struct weir_drafting *drafting, const struct cluster *cluster)
{
    const char *why = "a person rejected a draft of it";
    struct weight weight;
    int rc = weigh(cluster->member, cluster->members, &weight);

    if (rc < 0 || !is_enough(&weight, &drafting->settings))
        return rc;
    drafting->enough++;
    rc = weigh(cluster->open, cluster->opens, &weight);
    if (rc < 0 || !is_enough(&weight, &drafting->settings)) /* it is caught by now, or covered */
        return rc;
    if (!cluster->rejected && drafting->settings.left == 0)
        why = "there are enough drafts for today";
    else if (!cluster->rejected && drafting->too_little_ham)
        why = "too few good messages are known to try it on";
    else if (!cluster->rejected)
        rc = try_candidates(drafting, cluster, &why);
    if (rc == 0)
        note(drafting, cluster, &weight, why);
    return rc < 0 ? rc : 0;
}

/* All. --------------------------------------------------------------------------------- */

static int find_clusters(const struct weir_drafting *drafting, size_t *first)
{
    struct weir_clusters *clusters;
    int rc = weir_clusters_new(drafting->messages, &clusters);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < drafting->messages; i++)
        first[i] = weir_clusters_add(clusters, drafting->message[i].features);
    weir_clusters_free(&clusters);
    return 0;
}

static void join(const struct weir_drafting *drafting, size_t number, struct cluster *cluster)
{
    const struct weir_draft_message *message = &drafting->message[number];

    cluster->rejected = cluster->rejected || message->rejected;
    if (cluster->members == WEIR_CANDIDATES_MEMBERS)
        return;
    cluster->member[cluster->members++] = message;
    if (!message->caught && !message->covered)
        cluster->open[cluster->opens++] = message;
}

static int by_first(const void *a, const void *b)
{
    const size_t *const *one = a, *const *other = b;

    if (**one != **other)
        return **one < **other ? -1 : 1;
    return (*one > *other) - (*one < *other);
}

/* Messages of a cluster stand behind each other in `at`, as places in `first`. */
static int draft_all(struct weir_drafting *drafting, const size_t *first, const size_t **at)
{
    struct cluster *cluster = malloc(sizeof *cluster);
    int rc = cluster ? 0 : WEIR_ENOMEM;

    for (size_t i = 0; i < drafting->messages; i++)
        at[i] = &first[i];
    qsort(at, drafting->messages, sizeof *at, by_first);
    for (size_t i = 0; rc == 0 && i < drafting->messages;) {
        *cluster = (struct cluster){.first = *at[i]};
        for (; i < drafting->messages && *at[i] == cluster->first; i++)
            join(drafting, (size_t)(at[i] - first), cluster);
        drafting->clusters++;
        rc = draft_one(drafting, cluster);
    }
    free(cluster);
    return rc;
}

int weir_drafting_run(struct weir_drafting *drafting)
{
    size_t *first = calloc(drafting->messages + 1, sizeof *first);
    const size_t **at = calloc(drafting->messages + 1, sizeof *at);
    int rc = first && at ? 0 : WEIR_ENOMEM;

    drafting->too_little_ham = drafting->ham < drafting->settings.ham_least;
    rc = rc < 0 ? rc : find_clusters(drafting, first);
    rc = rc < 0 ? rc : draft_all(drafting, first, at);
    free(first);
    free(at);
    return rc;
}

void weir_drafting_free(struct weir_drafting *drafting)
{
    free(drafting->draft);
    drafting->draft = NULL;
    drafting->drafts = drafting->draft_room = 0;
}
