/*
 * One reported message.  The string is looked for in its header and verified like any other
 * stranger's text.
 */
#include "monitor/ctl/ctl_report.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/lock_io.h"
#include "core/base/slice.h"
#include "core/engine/reporter.h"
#include "core/engine/secret_io.h"
#include "core/store/report_line.h"
#include "monitor/analyzer/reports_io.h"
#include "monitor/ctl/ctl_judge.h"

#define KEYS_TEXT 4096
#define VOTED 0.5 /* of a vote of 1, which does not fade while it matters */

const char *weir_ctl_report_state(const struct weir_ctl_report_item *item)
{
    return item->has_string ? weir_info_state_name(item->state) : "none";
}

/* Opening. ------------------------------------------------------------------- */

int weir_ctl_report_keys(struct weir_ctl *ctl, struct weir_info_keys *keys_r)
{
    const char *path = weir_config_path(&ctl->config, ctl->config.info_key_file, ctl->arena);
    char text[KEYS_TEXT];
    unsigned line = 0;
    size_t len = 0;
    int rc = path ? weir_secret_read(path, text, sizeof text, &len) : WEIR_ENOMEM;
    const char *why = rc < 0 ? weir_error_reason(rc) : "a line of it is no key";

    if (rc == 0)
        rc = weir_info_keys_read((struct weir_slice){text, len}, keys_r, &line);
    explicit_bzero(text, sizeof text);
    if (rc < 0)
        return weir_ctl_error(ctl, EX_TEMPFAIL, "%s: %s", path ? path : "keys", why);
    return 0;
}

/* Where there is an agent votes come back from the monitor, which knows what others say. */
static bool votes_here(const struct weir_ctl *ctl)
{
    if (ctl->config.reports_reputation != WEIR_REPORTS_AUTO)
        return ctl->config.reports_reputation == WEIR_REPORTS_HERE;
    return !weir_ctl_has_agent(ctl);
}

static int check_counters(struct weir_ctl *ctl)
{
    if (!votes_here(ctl) || ctl->stores.counters)
        return 0;
    for (size_t i = 0; i < ctl->notes; i++)
        weir_ctl_error(ctl, 0, "%s", ctl->note[i]);
    return weir_ctl_error(ctl, EX_TEMPFAIL, "the counters cannot be opened; where they are not "
                          "meant to be, say [reports] reputation = no");
}

static int open_spool(struct weir_ctl_report *report)
{
    struct weir_ctl *ctl = report->ctl;
    const struct weir_config *config = &ctl->config;
    struct weir_spool_options options = {
        .folder = weir_config_path(config, config->spool_folder, ctl->arena),
        .name = "report",
        .bytes_most = (uint64_t)config->spool_size,
        .turn = config->spool_turn,
        .leave = true,
    };
    int rc;

    if (!config->spool_folder[0])
        return 0;
    rc = options.folder ? weir_spool_open(&options, &ctl->log, &report->spool) : WEIR_ENOMEM;
    return rc < 0 ? weir_ctl_error(ctl, EX_TEMPFAIL, "the spool: %s", weir_error_reason(rc)) : 0;
}

int weir_ctl_report_open(struct weir_ctl_report *report)
{
    int code = weir_ctl_open(report->ctl, WEIR_STORES_WRITE_COUNTERS);

    if (code != 0)
        return EX_TEMPFAIL;
    code = weir_ctl_report_keys(report->ctl, &report->keys);
    if (code != 0)
        return code;
    weir_reporter_key(&report->keys, WEIR_REPORTERS, &report->key);
    code = check_counters(report->ctl);
    return code != 0 ? code : open_spool(report);
}

void weir_ctl_report_close(struct weir_ctl_report *report)
{
    weir_spool_free(&report->spool);
    explicit_bzero(&report->keys, sizeof report->keys);
    explicit_bzero(&report->key, sizeof report->key);
}

/* The string. ------------------------------------------------------------------ */

/* Several may be there: ours counts, and of what is not ours the first. */
static struct weir_slice find_string(const struct weir_ctl_report *report,
                                     const struct weir_message *message, uint64_t binding,
                                     struct weir_ctl_report_item *item)
{
    struct weir_slice found = {"", 0};
    const struct weir_field *field;
    size_t from = 0, tried = 0;

    while (tried < WEIR_REPORT_STRINGS_MAX &&
           (field = weir_message_field(message, 0, WEIR_INFO_HEADER, &from))) {
        struct weir_info info;
        enum weir_info_state state = weir_info_read(field->value, binding, &report->keys, &info);

        if (tried++ > 0 && state >= item->state)
            continue;
        found = field->value;
        item->state = state;
        item->has_info = state <= WEIR_INFO_UNBOUND;
        if (item->has_info)
            item->info = info;
    }
    item->has_string = tried > 0;
    return found;
}

/* Who says it. ------------------------------------------------------------------- */

static struct weir_slice bracketed(struct weir_slice name)
{
    const char *open = name.len ? memrchr(name.at, '<', name.len) : NULL;
    const char *end = open ? memchr(open, '>', (size_t)(name.at + name.len - open)) : NULL;

    return end && end > open + 1 ? weir_slice_between(open + 1, end) : name;
}

/* One mailbox has one name: not another for each word behind a plus, nor for quotes, brackets and
 * final dots.  A name without a domain, and one that would be left empty, is left as it is.  The
 * name itself when memory is short. */
static struct weir_slice plain_name(struct weir_slice told, struct weir_arena *arena)
{
    struct weir_slice name = weir_slice_trim(bracketed(told)), local;
    const char *at = name.len ? memrchr(name.at, '@', name.len) : NULL, *plus;
    const char *plain;

    if (!at || at == name.at)
        return name;
    while (name.at[name.len - 1] == '.')
        name.len--;
    local = weir_slice_between(name.at, at);
    if (local.len > 2 && local.at[0] == '"' && local.at[local.len - 1] == '"')
        local = weir_slice_between(local.at + 1, at - 1);
    plus = memchr(local.at, '+', local.len);
    if (plus && plus > local.at)
        local.len = (size_t)(plus - local.at);
    plain = weir_arena_printf(arena, "%.*s%.*s", (int)local.len, local.at,
                              (int)(name.at + name.len - at), at);
    return plain ? weir_slice_of(plain) : name;
}

/* The vote in this server's reputation. ------------------------------------------ */

struct memory {
    struct weir_reading said[2]; /* good, spam: what this person said about this message */
};

static bool recall(struct weir_ctl *ctl, const struct weir_ctl_report_item *item,
                   struct memory *memory_r)
{
    const uint64_t about[] = {UINT64_C(0x7265706f72746564), item->info.uid, item->reporter};
    struct weir_counter counter = {.half_life = 0};

    weir_hash128(&ctl->stores.key, about, sizeof about, counter.entity.id);
    for (int spam = 0; spam <= 1; spam++) {
        counter.variable = spam ? WEIR_SPAM_USER : WEIR_GOOD_USER;
        memory_r->said[spam] = (struct weir_reading){.counter = counter};
    }
    return weir_counters_read(ctl->stores.counters, weir_ctl_now(), memory_r->said, 2) == 1;
}

/* The memory and the vote are stored together. */
static int enter(struct weir_ctl *ctl, const struct weir_ctl_report_item *item,
                 const struct memory *memory, bool spam, bool undo)
{
    const struct weir_vote vote = {spam ? WEIR_VOTE_SPAM : WEIR_VOTE_GOOD, WEIR_VOTE_USER};
    const char *domain = item->info.domain_hashed ? "" : item->info.domain;
    struct weir_ctl_question question;
    size_t lost;
    int rc = (undo ? weir_counters_take_back : weir_counters_add)(
        ctl->stores.counters, item->info.at, &memory->said[spam].counter, 1);

    if (rc < 0)
        return rc;
    weir_ctl_plan(ctl, &item->info.boundary, weir_slice_of(domain), false, &question);
    return weir_ctl_enter(ctl, item->info.at, &question, undo, vote, 1, &lost);
}

/* A vote can be taken back whatever age its message has. */
static bool is_to_be_voted(const struct weir_ctl_report *report,
                           const struct weir_ctl_report_item *item)
{
    const struct weir_ctl *ctl = report->ctl;
    weir_time now = weir_ctl_now();

    return votes_here(ctl) && item->has_string && item->state == WEIR_INFO_VALID &&
           item->info.has_boundary &&
           (report->back || now - item->info.at <= WEIR_REPORTS_OLDEST) &&
           item->info.at <= now + WEIR_CTL_CLOCKS_DIFFER;
}

/* What is remembered is what is stored: for one report of this machine at a time. */
static int count_vote(struct weir_ctl_report *report, struct weir_ctl_report_item *item)
{
    struct weir_ctl *ctl = report->ctl;
    struct memory memory;
    bool same, other;
    int rc = 0;

    if (!recall(ctl, item, &memory))
        return WEIR_EDOWN;
    same = memory.said[item->spam].value > VOTED;
    other = memory.said[!item->spam].value > VOTED;
    if (report->back) {
        item->voted = same ? WEIR_CTL_VOTED_BACK : WEIR_CTL_VOTED_NEVER;
        return same ? enter(ctl, item, &memory, item->spam, true) : 0;
    }
    item->voted = same ? WEIR_CTL_VOTED_REPEATED : other ? WEIR_CTL_VOTED_REPLACED : WEIR_CTL_VOTED;
    if (!same && other)
        rc = enter(ctl, item, &memory, !item->spam, true);
    return rc < 0 || same ? rc : enter(ctl, item, &memory, item->spam, false);
}

/* Who may not make the lock loses no report for it. */
static int vote(struct weir_ctl_report *report, struct weir_ctl_report_item *item)
{
    struct weir_ctl *ctl = report->ctl;
    const char *path;
    int lock, rc;

    item->voted = WEIR_CTL_VOTED_NOT;
    if (!is_to_be_voted(report, item))
        return 0;
    path = weir_config_path(&ctl->config, "report.lock", ctl->arena);
    lock = path ? weir_lock_take(path, 0640, true) : WEIR_ENOMEM;
    if (lock < 0)
        weir_log(&ctl->log, WEIR_LOG_WARNING, "%s: no lock: reports at the same time may count "
                 "twice", path ? path : "report.lock");
    rc = count_vote(report, item);
    weir_lock_give(lock);
    return rc;
}

/* The line. ------------------------------------------------------------------------ */

static int send(struct weir_ctl_report *report, const struct weir_ctl_report_item *item,
                struct weir_slice string, uint64_t binding)
{
    weir_time now = weir_ctl_now();
    char text[WEIR_SPOOL_LINE_MAX];
    struct weir_line line = weir_line(text, sizeof text);
    const struct weir_report_line told = {
        .at = now, .spam = item->spam, .back = report->back, .reporter = item->reporter,
        .binding = binding, .user = item->user, .info = string,
        .way = weir_slice_of(weir_report_way_name(item->way)),
        .told = weir_slice_of(item->told), .state = weir_slice_of(weir_ctl_report_state(item)),
    };

    weir_report_line_write(&told, &line);
    return report->spool ? weir_spool_write(report->spool, now, weir_line_end(&line)) : 0;
}

int weir_ctl_report_one(struct weir_ctl_report *report, struct weir_slice octets,
                        struct weir_arena *arena, struct weir_ctl_report_item *item)
{
    struct weir_slice string = {"", 0};
    struct weir_message message;
    uint64_t binding = 0;
    int rc = weir_message_parse(octets.at, octets.len, arena, &message);

    if (rc == 0) {
        binding = weir_info_binding(&message);
        item->user = plain_name(item->user, arena);
        item->reporter = weir_reporter(&report->key, item->user);
        string = find_string(report, &message, binding, item);
        rc = vote(report, item);
    }
    if (rc == 0)
        rc = send(report, item, string, binding);
    if (rc == 0) {
        weir_ctl_report_text(report, &message, string, binding, arena, item);
        weir_ctl_report_lesson(report, &message, string, binding, arena, item);
    }
    return rc < 0 ? weir_ctl_error(report->ctl, EX_TEMPFAIL, "not reported: %s; to be tried again",
                                   weir_error_reason(rc))
                  : 0;
}
