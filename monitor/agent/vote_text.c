/*
 * An answer without its numbers is refused whole: an agent that took a part of it for granted would
 * never hear the rest.  A single vote that is not in every point what a monitor says is named and
 * passed over: one would hold up all that come behind it.
 */
#include "monitor/agent/vote_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"

static const char *const words[] = {[WEIR_SAID_NOTHING] = "", [WEIR_SAID_SPAM] = "spam",
                                    [WEIR_SAID_GOOD] = "ham", [WEIR_SAID_UNSURE] = "unsure"};

static bool read_said(const char *word, unsigned most, enum weir_said *said_r)
{
    for (unsigned said = WEIR_SAID_NOTHING; said <= most; said++)
        if (strcmp(word, words[said]) == 0) {
            *said_r = (enum weir_said)said;
            return true;
        }
    return false;
}

static bool read_uid(const char *text, uint64_t *uid_r)
{
    return strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16 &&
           sscanf(text, "%" SCNx64, uid_r) == 1;
}

static bool read_domain(const char *text, char domain_r[static WEIR_DOMAIN_TEXT])
{
    char normal[WEIR_DOMAIN_TEXT];

    if (strlen(text) >= WEIR_DOMAIN_TEXT)
        return false;
    strcpy(domain_r, text);
    return text[0] == '\0' || (weir_domain_normal(text, strlen(text), normal) == 1 &&
                               strcmp(text, normal) == 0);
}

static bool read_vote(json_t *json, struct weir_vote_text *vote)
{
    json_int_t judged_by, told_by, at;
    const char *uid, *address, *domain, *computer, *was, *is;
    int stranger, new_group;

    if (json_unpack(json, "{s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:b, s:s, s:s}", "uid", &uid,
                    "judged_by", &judged_by, "told_by", &told_by, "at", &at,
                    "address", &address, "domain", &domain, "computer", &computer, "stranger",
                    &stranger, "new_group", &new_group, "was", &was, "is", &is) < 0)
        return false;
    if (judged_by < 0 || told_by < 0 || at < 0 || at > UINT32_MAX)
        return false;
    vote->judged_by = (uint64_t)judged_by;
    vote->told_by = (uint64_t)told_by;
    vote->at = (weir_time)at * WEIR_SECOND;
    vote->counted.stranger = stranger;
    vote->counted.new_group = new_group;
    return read_uid(uid, &vote->uid) && read_domain(domain, vote->domain) &&
           weir_address_parse(address, strlen(address), &vote->address) == 0 &&
           read_said(computer, WEIR_SAID_UNSURE, &vote->counted.computer) &&
           read_said(was, WEIR_SAID_UNSURE, &vote->was) &&
           read_said(is, WEIR_SAID_UNSURE, &vote->is);
}

static bool read_number(const json_t *json, int64_t behind, int64_t *number_r)
{
    *number_r = json_integer_value(json_object_get(json, "number"));
    return *number_r > behind;
}

static bool read_all(json_t *json, struct weir_votes_text *votes)
{
    json_int_t you, newest;
    json_t *array;

    if (json_unpack(json, "{s:I, s:I, s:o}", "you", &you, "newest", &newest, "votes", &array) < 0 ||
        you < 0 || newest < 0 || !json_is_array(array) ||
        json_array_size(array) > WEIR_VOTES_PAGE)
        return false;
    votes->you = (uint64_t)you;
    votes->newest = newest;
    votes->votes = json_array_size(array);
    for (size_t i = 0; i < votes->votes; i++) {
        json_t *one = json_array_get(array, i);
        struct weir_vote_text *vote = &votes->vote[i];

        if (!read_number(one, i > 0 ? vote[-1].number : 0, &vote->number))
            return false;
        vote->good = read_vote(one, vote);
    }
    return true;
}

int weir_votes_text_read(struct weir_slice text, struct weir_votes_text *votes_r)
{
    json_t *json = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
    bool good = json && read_all(json, votes_r);

    json_decref(json);
    return good ? 0 : WEIR_EINVAL;
}

json_t *weir_vote_text_json(const struct weir_vote_text *vote)
{
    char address[WEIR_ADDRESS_TEXT], uid[24];

    snprintf(uid, sizeof uid, "%016" PRIx64, vote->uid);
    return json_pack("{s:I, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:b, s:s, s:s}", "number",
                     (json_int_t)vote->number, "uid", uid, "judged_by",
                     (json_int_t)vote->judged_by, "told_by", (json_int_t)vote->told_by, "at",
                     (json_int_t)(vote->at / WEIR_SECOND), "address",
                     weir_address_format(&vote->address, address), "domain", vote->domain,
                     "computer", words[vote->counted.computer], "stranger",
                     vote->counted.stranger, "new_group", vote->counted.new_group, "was",
                     words[vote->was], "is", words[vote->is]);
}
