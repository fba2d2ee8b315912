/*
 * desk - a vote of an analyst's own.
 *
 * The message's string is that of the newest report about it, verified anew: it names its message
 * itself, so that no text of it has to be kept.
 */
#include "monitor/monitor_desk_io.h"

#include <stdio.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/engine/reporter.h"
#include "core/store/report_line.h"
#include "core/store/spool_io.h"
#include "monitor/analyzer/reports_io.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/monitor_look_io.h"
#include "monitor/monitor_rulebook_impl.h"
#include "monitor/view/view.h"

#define WAY "console"

struct deciding {
    struct weir_monitor *monitor;
    struct weir_rulebook_question *question;
    const char *what;            /* "reports confirm", ... */
    char name[WEIR_REPORT_USER_MAX + 1];
    char info[WEIR_INFO_TEXT_MAX + 1];
    uint64_t uid, reporter, binding;
    bool spam, back;
};

/* Who decides, as the table of reports names him: "console:anna". */
static void read_name(struct deciding *deciding)
{
    const char *who = deciding->question->who;

    snprintf(deciding->name, sizeof deciding->name, WAY ":%s",
             strncmp(who, "user ", 5) == 0 ? who + 5 : who);
}

/* What is decided about: false after why not was noted. */
static bool find(struct deciding *deciding)
{
    struct weir_rulebook_question *question = deciding->question;
    int rc = weir_database_report_said(deciding->monitor->database, deciding->uid, deciding->info,
                                       &deciding->spam);
    struct weir_database_report own;

    if (rc == 0)
        (void)weir_rulebook_unknown(question, "no report about it was counted, so that there is "
                                    "nothing to decide");
    if (rc > 0 && deciding->back) {
        rc = weir_database_report_vote(deciding->monitor->database, deciding->uid,
                                       deciding->reporter, &own);
        deciding->spam = own.spam;
        if (rc == 0 || (rc > 0 && own.taken_back > 0))
            (void)weir_rulebook_unknown(question, "you have not decided about it");
    } else if (strcmp(deciding->what, "reports reject") == 0) {
        deciding->spam = !deciding->spam;
    }
    if (rc < 0)
        (void)weir_rulebook_trouble(question, deciding->monitor->database, rc);
    return !question->why[0];
}

static bool verify(struct deciding *deciding, const struct weir_info_keys *keys)
{
    struct weir_info info = {.binding = 0};
    enum weir_info_state state = weir_info_read(weir_slice_of(deciding->info), 0, keys, &info);

    deciding->binding = info.binding;
    if (state > WEIR_INFO_UNBOUND)
        (void)weir_rulebook_refuse(deciding->question, "its string cannot be verified any more: "
                                   "the keys are others");
    else if (!deciding->back && deciding->question->now - info.at > WEIR_REPORTS_OLDEST)
        (void)weir_rulebook_refuse(deciding->question, "the message is too old");
    return !deciding->question->why[0];
}

static int say(struct deciding *deciding)
{
    weir_time now = deciding->question->now;
    char text[WEIR_SPOOL_LINE_MAX];
    struct weir_line line = weir_line(text, sizeof text);
    const struct weir_report_line told = {
        .at = now, .spam = deciding->spam, .back = deciding->back,
        .reporter = deciding->reporter, .binding = deciding->binding,
        .user = weir_slice_of(deciding->name), .info = weir_slice_of(deciding->info),
        .way = weir_slice_of(WAY), .told = weir_slice_of(WAY),
        .state = weir_slice_of(weir_info_state_name(WEIR_INFO_VALID)),
    };

    weir_report_line_write(&told, &line);
    return weir_counting_say(deciding->monitor->counting, weir_slice_of(weir_line_end(&line)),
                             now);
}

static int audit(struct deciding *deciding)
{
    const struct weir_rulebook_question *question = deciding->question;
    char detail[48];
    const struct weir_audit line = {.time = question->now, .who = question->who,
                                    .what = deciding->what, .detail = detail};

    snprintf(detail, sizeof detail, "%016llx: %s", (unsigned long long)deciding->uid,
             deciding->spam ? "spam" : "ham");
    return weir_database_audit_add(deciding->monitor->database, &line);
}

/* With the lock. */
static json_t *decide(struct deciding *deciding, const struct weir_info_keys *keys)
{
    enum weir_reported effect = WEIR_REPORTED_NOTHING;
    struct weir_database *database = deciding->monitor->database;
    int rc;

    if (!find(deciding) || !verify(deciding, keys))
        return NULL;
    rc = say(deciding);
    rc = rc < 0 ? rc : audit(deciding);
    rc = rc < 0 ? rc : weir_database_reported(database, deciding->uid, &effect);
    if (rc < 0)
        return weir_rulebook_trouble(deciding->question, database, rc);
    return json_pack("{s:o, s:s, s:s, s:b, s:s}", "uid", weir_view_uid(deciding->uid), "user",
                     deciding->name, "report", deciding->spam ? "spam" : "ham", "taken_back",
                     deciding->back, "effect", weir_reported_name(effect));
}

json_t *weir_reports_decide(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    struct deciding deciding = {.monitor = monitor, .question = question,
                                .what = weir_rulebook_text(question, "do")};
    struct weir_info_keys keys;
    struct weir_hash_key key;
    json_t *json;

    if (!weir_view_uid_read(weir_rulebook_text(question, "uid"), &deciding.uid))
        return weir_rulebook_refuse(question, "uid is not 16 hex digits");
    if (weir_monitor_info_keys(monitor, &keys) < 0)
        return weir_rulebook_refuse(question, "the keys of strings cannot be read: see the log");
    deciding.back = strcmp(deciding.what, "reports undo") == 0;
    read_name(&deciding);
    weir_reporter_key(&keys, WEIR_REPORTERS_DESK, &key);
    deciding.reporter = weir_reporter(&key, weir_slice_of(deciding.name));
    pthread_mutex_lock(&monitor->lock);
    json = decide(&deciding, &keys);
    pthread_mutex_unlock(&monitor->lock);
    explicit_bzero(&keys, sizeof keys);
    explicit_bzero(&key, sizeof key);
    return json;
}
