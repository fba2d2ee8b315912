/*
 * What is asked of the classifier, as JSON.  A message's tokens are believed to be such as weirctl
 * makes: growing hashes, no more than WEIR_LESSON_TOKENS_MAX; anything else is refused, and then
 * nothing of the question was learned.
 */
#include "monitor/monitor_bayes_io.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/evidence/bayes.h"
#include "monitor/analyzer/training_io.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/monitor_impl.h"
#include "monitor/monitor_rulebook_impl.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define TOKENS_OCTETS (8 * WEIR_LESSON_TOKENS_MAX)

static struct weir_training_settings settings_of(const struct weir_config *config)
{
    return (struct weir_training_settings){
        .learn_spam = config->bayes_learn_spam,
        .learn_ham = config->bayes_learn_ham,
        .server_day = config->bayes_verdicts ? (uint64_t)config->bayes_server_day : 0,
        .day = (uint64_t)config->bayes_day,
        .told_day = (uint64_t)config->reports_server_day,
        .report_weight = (unsigned)config->bayes_report_weight,
        .tokens = (size_t)config->bayes_tokens,
        .least = (uint64_t)config->bayes_least,
    };
}

int weir_monitor_open_training(struct weir_monitor *monitor, const struct weir_info_keys *keys)
{
    const struct weir_training_settings settings = settings_of(&monitor->config);
    int rc = weir_training_open(monitor->database, &settings, keys, &monitor->shared_log,
                                &monitor->training);

    if (rc < 0)
        weir_monitor_trouble(monitor, "what the classifier has learned", rc);
    return rc;
}

void weir_monitor_use_training(struct weir_monitor *monitor)
{
    const struct weir_training_settings settings = settings_of(&monitor->config);

    pthread_mutex_lock(&monitor->lock);
    weir_training_use(monitor->training, &settings);
    pthread_mutex_unlock(&monitor->lock);
}

int weir_monitor_words(void *monitor, struct weir_words *words_r)
{
    return weir_training_words(((struct weir_monitor *)monitor)->training, words_r);
}

void weir_monitor_prune(struct weir_monitor *monitor, weir_time now)
{
    pthread_mutex_lock(&monitor->lock);
    weir_monitor_note(monitor, WEIR_TASK_ANALYZE, weir_training_prune(monitor->training, now));
    pthread_mutex_unlock(&monitor->lock);
}

/* Status. ------------------------------------------------------------------------------------ */

static json_t *sources_json(const struct weir_lesson_counts *counts)
{
    json_t *json = json_object();

    for (enum weir_lesson_source source = 0; json && source < WEIR_LESSON_SOURCES; source++)
        json_object_set_new(json, weir_lesson_source_name(source),
                            json_pack("{s:I, s:I}", "spam", (json_int_t)counts->spam[source],
                                      "ham", (json_int_t)counts->ham[source]));
    return json;
}

static json_t *came_json(const struct weir_training_state *state)
{
    json_t *json = json_object();

    for (enum weir_training_came came = 0; json && came < WEIR_TRAINING_CAMES; came++)
        json_object_set_new(json, weir_training_came_name(came),
                            json_integer((json_int_t)state->came[came]));
    return json;
}

static const char *silence_of(const struct weir_bayes_learner_state *state, int64_t least)
{
    return weir_bayes_silence_text(state->spam < (uint64_t)least  ? WEIR_BAYES_FEW_SPAM
                                   : state->ham < (uint64_t)least ? WEIR_BAYES_FEW_HAM
                                                                  : WEIR_BAYES_SPEAKS);
}

static json_t *status(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    struct weir_training_state state = weir_training_state(monitor->training);
    const struct weir_bayes_learner_state *learner = &state.learner;
    int64_t least = monitor->config.bayes_least;
    struct weir_lesson_counts counts;
    int rc = weir_database_lessons_count(monitor->database, &counts);

    if (rc < 0)
        return weir_rulebook_trouble(question, monitor->database, rc);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:b, s:o, s:o, s:I}", "spam",
                     (json_int_t)learner->spam, "ham", (json_int_t)learner->ham, "tokens",
                     (json_int_t)learner->tokens, "most", (json_int_t)learner->most, "evicted",
                     (json_int_t)learner->evicted, "pruned", (json_int_t)learner->pruned, "least",
                     (json_int_t)least, "silent", silence_of(learner, least), "messages",
                     (json_int_t)counts.kept, "broken", state.broken, "sources",
                     sources_json(&counts), "came", came_json(&state), "serial",
                     (json_int_t)weir_publisher_serial(monitor->publisher));
}

static json_t *key(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    const struct weir_hash_key *is = weir_training_key(monitor->training);
    char text[2 * WEIR_HASH_KEY + 1];

    (void)question;
    sodium_bin2hex(text, sizeof text, is->octet, sizeof is->octet);
    return json_pack("{s:s, s:o}", "key", text, "id",
                     json_sprintf("%016" PRIx64, weir_lesson_key(is)));
}

/* Teaching. ---------------------------------------------------------------------------------- */

struct teaching {
    struct weir_monitor *monitor;
    struct weir_rulebook_question *question;
    enum weir_reported as;
    size_t changed, same;
    uint8_t tokens[TOKENS_OCTETS];
};

static bool read_hex(const json_t *json, const char *name, uint64_t *number_r)
{
    const char *text = json_string_value(json_object_get(json, name));

    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    *number_r = strtoull(text, NULL, 16);
    return true;
}

static bool read_tokens(struct teaching *teaching, const json_t *message, size_t *len_r)
{
    const char *text = json_string_value(json_object_get(message, "tokens"));
    const char *end;
    size_t len;

    if (!text || sodium_base642bin(teaching->tokens, sizeof teaching->tokens, text, strlen(text),
                                   NULL, &len, &end, BASE64) < 0 || *end != '\0' || len % 8 != 0)
        return false;
    for (size_t i = 1; i < len / 8; i++)
        if (weir_lesson_token(teaching->tokens, i - 1) >= weir_lesson_token(teaching->tokens, i))
            return false;
    *len_r = len;
    return true;
}

/* 0, or an error with question->why. */
static int teach_one(struct teaching *teaching, const json_t *message)
{
    struct weir_monitor *monitor = teaching->monitor;
    size_t len = 0;
    uint64_t uid;
    int rc;

    if (!read_hex(message, "uid", &uid) || !read_tokens(teaching, message, &len)) {
        (void)weir_rulebook_refuse(teaching->question, "that is no message's uid and tokens");
        return WEIR_EINVAL;
    }
    rc = weir_training_corpus(monitor->training, uid, teaching->as,
                              (struct weir_slice){(const char *)teaching->tokens, len},
                              teaching->question->now);
    if (rc < 0)
        (void)weir_rulebook_trouble(teaching->question, monitor->database, rc);
    teaching->changed += rc == 1;
    teaching->same += rc == 0;
    return rc < 0 ? rc : 0;
}

static int teach_all(struct teaching *teaching, const json_t *messages)
{
    static const char *const as[] = {"unlearned", "as spam", "as ham"};
    struct weir_rulebook_question *question = teaching->question;
    char detail[64];
    const struct weir_audit audit = {.time = question->now, .who = question->who,
                                     .what = "bayes learn", .detail = detail};
    const json_t *message;
    size_t i;
    int rc = 0;

    json_array_foreach(messages, i, message) {
        rc = teach_one(teaching, message);
        if (rc < 0)
            return rc;
    }
    snprintf(detail, sizeof detail, "%zu messages %s", teaching->changed, as[teaching->as]);
    rc = teaching->changed > 0 ? weir_database_audit_add(teaching->monitor->database, &audit) : 0;
    return rc < 0 ? rc : 0;
}

/* One transaction; then the counts. */
static int teach(struct teaching *teaching, const json_t *messages)
{
    struct weir_monitor *monitor = teaching->monitor;
    int rc = weir_database_begin(monitor->database);

    if (rc < 0)
        return rc;
    rc = teach_all(teaching, messages);
    if (rc < 0)
        weir_database_abandon(monitor->database);
    else
        rc = weir_database_commit(monitor->database);
    weir_training_settle(monitor->training, rc >= 0);
    return rc < 0 ? rc : weir_training_keep(monitor->training, teaching->question->now, false);
}

static json_t *learn(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    const json_t *messages = json_object_get(question->json, "messages");
    const char *as = weir_rulebook_text(question, "as");
    struct teaching teaching = {.monitor = monitor, .question = question};
    uint64_t id;
    int rc;

    teaching.as = strcmp(as, "spam") == 0  ? WEIR_REPORTED_SPAM
                  : strcmp(as, "ham") == 0 ? WEIR_REPORTED_HAM
                                           : WEIR_REPORTED_NOTHING;
    if (teaching.as == WEIR_REPORTED_NOTHING && as[0])
        return weir_rulebook_refuse(question, "as is neither spam, ham nor empty");
    if (!json_is_array(messages) || json_array_size(messages) > WEIR_BAYES_TAUGHT_MAX)
        return weir_rulebook_refuse(question, "messages are no list, or too many");
    if (!read_hex(question->json, "id", &id) ||
        id != weir_lesson_key(weir_training_key(monitor->training)))
        return weir_rulebook_refuse(question, "tokens are not of this monitor's key");
    rc = teach(&teaching, messages);
    if (rc < 0 && !question->why[0])
        (void)weir_rulebook_trouble(question, monitor->database, rc);
    return rc < 0 ? NULL : json_pack("{s:I, s:I}", "changed", (json_int_t)teaching.changed,
                                     "same", (json_int_t)teaching.same);
}

/* Verbs. ------------------------------------------------------------------------------------- */

static json_t *locked(struct weir_monitor *monitor, struct weir_rulebook_question *question,
                      json_t *(*run)(struct weir_monitor *monitor,
                                     struct weir_rulebook_question *question))
{
    json_t *json;

    pthread_mutex_lock(&monitor->lock);
    json = run(monitor, question);
    pthread_mutex_unlock(&monitor->lock);
    return json;
}

json_t *weir_monitor_bayes_status(struct weir_monitor *monitor,
                                  struct weir_rulebook_question *question)
{
    return locked(monitor, question, status);
}

json_t *weir_monitor_bayes_key(struct weir_monitor *monitor,
                               struct weir_rulebook_question *question)
{
    return locked(monitor, question, key);
}

json_t *weir_monitor_bayes_learn(struct weir_monitor *monitor,
                                 struct weir_rulebook_question *question)
{
    return locked(monitor, question, learn);
}
