/*
 * A change of a message is a row, and an item of the list `waiting` with its tokens, which is done
 * to the learner once the transaction is kept.
 *
 * When memory is too short for that, counts lag behind what the database says: from then on they
 * are not kept any more, and the next start makes them of what was kept and of the changes behind
 * it.
 */
#include "monitor/analyzer/training_io.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/verdict.h"
#include "monitor/analyzer/bayes_weigh.h"
#include "monitor/database/database_reports_io.h"

#define PRUNED_MOST 2                  /* messages that had it, and ... */
#define PRUNED_AGE (90 * WEIR_DAY)     /* ... the last one so long ago */
#define KEEP_EVERY 100000              /* tokens changed, and half of those there are */

struct change {
    struct change *next;
    bool back, spam;
    unsigned weight;
    weir_time learned_at;
    size_t tokens;
    struct weir_bayes_token token[];
};

struct weir_training {
    struct weir_database *database;
    struct weir_training_settings settings;
    struct weir_info_keys keys;
    const struct weir_log *log;
    struct weir_bayes_learner *learner;
    uint64_t key;                      /* weir_lesson_key() of its key */
    struct change *waiting, **last;
    uint64_t changed;                  /* tokens, since the counts were kept */
    struct weir_training_state state;
    uint64_t came[WEIR_TRAINING_CAMES]; /* in the transaction */
};

const char *weir_training_came_name(enum weir_training_came came)
{
    static const char *const name[WEIR_TRAINING_CAMES] = {
        "learned", "kept", "again", "unsure", "foreign", "bad", "other-key", "too-old",
        "server-cap", "day-cap",
    };

    return (unsigned)came < WEIR_TRAINING_CAMES ? name[came] : "?";
}

/* Counts in memory. ----------------------------------------------------------------------- */

static struct change *change_new(const struct weir_lesson_change *told)
{
    size_t tokens = told->tokens.len / 8;
    struct change *change = malloc(sizeof *change + tokens * sizeof change->token[0]);

    if (!change)
        return NULL;
    *change = (struct change){.back = told->back, .spam = told->spam, .weight = told->weight,
                              .learned_at = told->learned_at, .tokens = tokens};
    for (size_t i = 0; i < tokens; i++)
        change->token[i] = (struct weir_bayes_token){
            .hash = weir_lesson_token((const uint8_t *)told->tokens.at, i)};
    return change;
}

/* What cannot be unlearned was forgotten before. */
static void apply(struct weir_training *training, const struct change *change)
{
    const struct weir_bayes_tokens tokens = {.token = change->token, .tokens = change->tokens};
    int rc = 0;

    for (unsigned i = 0; i < change->weight && rc == 0; i++)
        rc = change->back ? weir_bayes_unlearn(training->learner, &tokens, change->spam,
                                               change->learned_at)
                          : weir_bayes_learn(training->learner, &tokens, change->spam,
                                             change->learned_at);
    training->changed += change->tokens;
    if (rc != WEIR_ENOMEM || training->state.broken)
        return;
    training->state.broken = true;
    weir_log(training->log, WEIR_LOG_ERROR, "memory is short: what the classifier learns is "
             "counted at the next start only");
}

static int apply_row(void *context, const struct weir_lesson_change *told)
{
    struct change *change = change_new(told);

    if (!change)
        return WEIR_ENOMEM;
    apply(context, change);
    free(change);
    return 0;
}

static void drop_waiting(struct weir_training *training)
{
    while (training->waiting) {
        struct change *change = training->waiting;

        training->waiting = change->next;
        free(change);
    }
    training->last = &training->waiting;
}

void weir_training_settle(struct weir_training *training, bool kept)
{
    for (struct change *change = training->waiting; kept && change; change = change->next)
        apply(training, change);
    for (size_t i = 0; i < WEIR_TRAINING_CAMES; i++) {
        training->state.came[i] += kept ? training->came[i] : 0;
        training->came[i] = 0;
    }
    drop_waiting(training);
}

/* Opening. -------------------------------------------------------------------------------- */

static int restore(void *context, struct weir_slice counts, weir_time at)
{
    struct weir_training *training = context;

    (void)at;
    return weir_bayes_learner_restore(counts.at, counts.len, 2 * training->settings.tokens,
                                      &training->learner);
}

/* Lessons of an older key say nothing under this one. */
static int begin_anew(struct weir_training *training)
{
    int lessons = weir_database_lessons_clear(training->database);

    if (lessons > 0)
        weir_log(training->log, WEIR_LOG_WARNING, "the classifier begins anew: what %d messages "
                 "taught it is forgotten, too", lessons);
    return lessons < 0 ? lessons : weir_training_keep(training, 0, true);
}

/* A new key is kept before anything is learned under it. */
static int begin(struct weir_training *training)
{
    struct weir_hash_key key = weir_hash_key_random();
    int rc = weir_bayes_learner_new(&key, 2 * training->settings.tokens, &training->learner);

    rc = rc < 0 ? rc : weir_database_begin(training->database);
    if (rc < 0)
        return rc;
    rc = begin_anew(training);
    if (rc >= 0)
        return weir_database_commit(training->database);
    weir_database_abandon(training->database);
    return rc;
}

static int load(struct weir_training *training)
{
    int rc = weir_database_bayes(training->database, restore, training);

    if (rc == WEIR_ECORRUPT)
        weir_log(training->log, WEIR_LOG_ERROR, "what the classifier has learned is damaged: "
                 "restore a copy of the database, or delete from its table bayes_counts to begin "
                 "anew");
    if (rc == 0)
        rc = begin(training);
    rc = rc < 0 ? rc : weir_database_lesson_changes(training->database, apply_row, training);
    if (rc >= 0)
        training->key = weir_lesson_key(weir_bayes_learner_key(training->learner));
    return rc < 0 ? rc : 0;
}

int weir_training_open(struct weir_database *database,
                       const struct weir_training_settings *settings,
                       const struct weir_info_keys *keys, const struct weir_log *log,
                       struct weir_training **training_r)
{
    struct weir_training *training = calloc(1, sizeof *training);
    int rc;

    if (!training)
        return WEIR_ENOMEM;
    training->database = database;
    training->settings = *settings;
    training->keys = *keys;
    weir_info_keys_ready(&training->keys);
    training->log = log;
    training->last = &training->waiting;
    rc = load(training);
    if (rc < 0)
        weir_training_free(&training);
    else
        *training_r = training;
    return rc;
}

void weir_training_free(struct weir_training **training)
{
    if (!*training)
        return;
    drop_waiting(*training);
    weir_bayes_learner_free(&(*training)->learner);
    explicit_bzero(&(*training)->keys, sizeof (*training)->keys);
    free(*training);
    *training = NULL;
}

void weir_training_use(struct weir_training *training,
                       const struct weir_training_settings *settings)
{
    size_t tokens = training->settings.tokens;

    training->settings = *settings;
    training->settings.tokens = tokens;
}

/* What a message is. ------------------------------------------------------------------------ */

static int note(struct weir_training *training, const struct weir_kept_lesson *lesson, bool back)
{
    const struct weir_lesson_change told = {.uid = lesson->uid,
                                            .back = back,
                                            .spam = lesson->learned == WEIR_REPORTED_SPAM,
                                            .weight = lesson->weight,
                                            .learned_at = lesson->learned_at,
                                            .tokens = lesson->tokens};
    struct change *change = change_new(&told);

    if (!change)
        return WEIR_ENOMEM;
    *training->last = change;
    training->last = &change->next;
    return weir_database_lesson_change(training->database, &told);
}

/* What it has to be learned as, and how often: what people say weighs more, unless that is known
 * very well.  What is learned as they say keeps its weight. */
static int wanted(const struct weir_training *training, const struct weir_kept_lesson *lesson,
                  enum weir_reported *as_r, unsigned *weight_r)
{
    bool said = lesson->said != WEIR_REPORTED_NOTHING;
    struct weir_lesson_change told = {.tokens = lesson->tokens};
    struct change *change;
    int rc;

    *as_r = said ? lesson->said : lesson->label;
    *weight_r = 1;
    if (!said)
        return 0;
    *weight_r = lesson->weight;
    if (*as_r == lesson->learned && lesson->weight > 1)
        return 0;
    change = change_new(&told);
    if (!change)
        return WEIR_ENOMEM;
    rc = weir_bayes_weigh(training->learner,
                          &(struct weir_bayes_tokens){.token = change->token,
                                                      .tokens = change->tokens},
                          *as_r == WEIR_REPORTED_SPAM, training->settings.report_weight, weight_r);
    free(change);
    return rc;
}

/* Unlearns what it was, learns what it is: 1; 0: nothing is different; an error. */
static int relearn(struct weir_training *training, struct weir_kept_lesson *lesson, weir_time now)
{
    unsigned weight;
    enum weir_reported as;
    int rc = wanted(training, lesson, &as, &weight);

    if (rc < 0)
        return rc;
    if (as == lesson->learned && (as == WEIR_REPORTED_NOTHING || weight == lesson->weight))
        return weir_database_lesson_put(training->database, lesson);
    if (lesson->learned != WEIR_REPORTED_NOTHING)
        rc = note(training, lesson, true);
    lesson->learned = as;
    lesson->weight = as == WEIR_REPORTED_NOTHING ? 0 : weight;
    lesson->learned_at = now;
    if (rc == 0 && as != WEIR_REPORTED_NOTHING)
        rc = note(training, lesson, false);
    rc = rc < 0 ? rc : weir_database_lesson_put(training->database, lesson);
    return rc < 0 ? rc : 1;
}

/* A copy of a lesson whose tokens the caller frees. */
static int copy(void *context, const struct weir_kept_lesson *lesson)
{
    struct weir_kept_lesson *to = context;
    char *tokens = malloc(lesson->tokens.len + 1);

    if (!tokens)
        return WEIR_ENOMEM;
    memcpy(tokens, lesson->tokens.at, lesson->tokens.len);
    *to = *lesson;
    to->tokens.at = tokens;
    return 0;
}

static void forget_copy(struct weir_kept_lesson *lesson)
{
    free((void *)(uintptr_t)lesson->tokens.at);
}

int weir_training_said(struct weir_training *training, uint64_t uid, enum weir_reported said,
                       weir_time now)
{
    struct weir_kept_lesson lesson = {.uid = uid};
    int rc = weir_database_lesson(training->database, uid, copy, &lesson);

    if (rc <= 0)
        return rc;
    lesson.said = said;
    rc = relearn(training, &lesson, now);
    forget_copy(&lesson);
    return rc < 0 ? rc : 0;
}

/* A message that is not there yet: 1 when it is learned, 0 when only its tokens are kept. */
static int add(struct weir_training *training, struct weir_kept_lesson *lesson, weir_time now)
{
    int rc = weir_database_lesson_add(training->database, lesson);

    if (rc < 0 || (lesson->label == WEIR_REPORTED_NOTHING &&
                   lesson->said == WEIR_REPORTED_NOTHING))
        return rc < 0 ? rc : 0;
    return relearn(training, lesson, now);
}

int weir_training_corpus(struct weir_training *training, uint64_t uid, enum weir_reported label,
                         struct weir_slice tokens, weir_time now)
{
    struct weir_kept_lesson lesson = {.uid = uid};
    int rc = weir_database_lesson(training->database, uid, copy, &lesson);

    if (rc < 0)
        return rc;
    if (rc == 0 && label == WEIR_REPORTED_NOTHING)
        return 0;
    if (rc == 0) {
        lesson = (struct weir_kept_lesson){.uid = uid, .time = now, .label = label,
                                           .source = WEIR_LESSON_CORPUS, .tokens = tokens};
        rc = weir_database_reported(training->database, uid, &lesson.said);
        return rc < 0 ? rc : add(training, &lesson, now);
    }
    if (label == WEIR_REPORTED_NOTHING && lesson.source != WEIR_LESSON_CORPUS) {
        rc = 0;
    } else {
        bool verdict = label == WEIR_REPORTED_NOTHING && lesson.verdict != WEIR_REPORTED_NOTHING;

        lesson.label = verdict ? lesson.verdict : label;
        lesson.source = verdict ? WEIR_LESSON_VERDICT : WEIR_LESSON_CORPUS;
        rc = relearn(training, &lesson, now);
    }
    forget_copy(&lesson);
    return rc;
}

/* Lessons. ---------------------------------------------------------------------------------- */

struct taking {
    struct weir_training *training;
    uint32_t server;
    weir_time now;
    struct weir_lesson lesson;
    struct weir_info info;
};

/* Whether it is proven, and the server's to tell: LEARNED, or why not. */
static enum weir_training_came prove(struct taking *taking)
{
    const struct weir_lesson *lesson = &taking->lesson;
    const struct weir_info *info = &taking->info;

    if (lesson->key != taking->training->key)
        return WEIR_TRAINING_OTHER_KEY;
    switch (weir_info_read(lesson->info, lesson->binding, &taking->training->keys, &taking->info)) {
    case WEIR_INFO_VALID:
        break;
    case WEIR_INFO_UNKNOWN_KEY:
        return WEIR_TRAINING_FOREIGN;
    default:
        return WEIR_TRAINING_BAD;
    }
    if (!lesson->reported && info->server != taking->server && info->server != 0)
        return WEIR_TRAINING_FOREIGN;
    return taking->now - info->at > WEIR_TRAINING_OLDEST ? WEIR_TRAINING_TOO_OLD
                                                         : WEIR_TRAINING_LEARNED;
}

/* What the verdict teaches. */
static enum weir_reported label_of(const struct taking *taking)
{
    const struct weir_training_settings *settings = &taking->training->settings;
    const struct weir_info *info = &taking->info;
    double score = weir_lesson_score(info->rule, info->rules);

    if (taking->lesson.reported || (info->lacking & (WEIR_LACKING_RULES | WEIR_LACKING_CUT)) != 0)
        return WEIR_REPORTED_NOTHING;
    if (score >= settings->learn_spam)
        return WEIR_REPORTED_SPAM;
    return score <= settings->learn_ham && info->verdict != WEIR_BLOCKED ? WEIR_REPORTED_HAM
                                                                        : WEIR_REPORTED_NOTHING;
}

static int is_over(struct taking *taking, const char *what, uint64_t whose, uint64_t most)
{
    return weir_database_report_capped(taking->training->database, taking->now / WEIR_DAY, what,
                                       whose, most);
}

/* LEARNED, SERVER_CAP, DAY_CAP or an error. */
static int check_caps(struct taking *taking, enum weir_reported label)
{
    const struct weir_training_settings *settings = &taking->training->settings;
    int rc;

    if (taking->lesson.reported) {
        rc = is_over(taking, "lesson:told", taking->server, settings->told_day);
        return rc == 1 ? WEIR_TRAINING_SERVER_CAP : rc;
    }
    rc = is_over(taking, label == WEIR_REPORTED_SPAM ? "lesson:spam" : "lesson:ham",
                 taking->server, settings->server_day);
    if (rc != 0)
        return rc < 0 ? rc : WEIR_TRAINING_SERVER_CAP;
    rc = is_over(taking, label == WEIR_REPORTED_SPAM ? "lessons:spam" : "lessons:ham", 0,
                 settings->day);
    return rc == 1 ? WEIR_TRAINING_DAY_CAP : rc;
}

/* A verdict about a message that people were faster to report: its tokens stay those that are
 * there, which changes that are not in the kept counts refer to. */
static int complete(struct taking *taking, struct weir_kept_lesson *lesson,
                    enum weir_reported label)
{
    int rc = WEIR_TRAINING_AGAIN;

    if (!taking->lesson.reported && lesson->source == WEIR_LESSON_REPORT)
        rc = check_caps(taking, label);
    if (rc == WEIR_TRAINING_LEARNED) {
        lesson->source = WEIR_LESSON_VERDICT;
        lesson->label = lesson->verdict = label;
        rc = relearn(taking->training, lesson, taking->now);
        rc = rc < 0 ? rc : WEIR_TRAINING_LEARNED;
    }
    forget_copy(lesson);
    return rc;
}

static int learn(struct taking *taking, enum weir_reported label)
{
    struct weir_training *training = taking->training;
    struct weir_kept_lesson lesson = {
        .uid = taking->info.uid,
        .time = taking->now,
        .server = taking->server,
        .source = taking->lesson.reported ? WEIR_LESSON_REPORT : WEIR_LESSON_VERDICT,
        .label = label,
        .verdict = label,
        .tokens = {(const char *)taking->lesson.token, 8 * taking->lesson.tokens},
    };
    int rc = weir_database_reported(training->database, lesson.uid, &lesson.said);

    rc = rc < 0 ? rc : add(training, &lesson, taking->now);
    return rc < 0 ? rc : rc == 1 ? WEIR_TRAINING_LEARNED : WEIR_TRAINING_KEPT;
}

/* What comes of a proven one, or an error. */
static int take(struct taking *taking)
{
    enum weir_reported label = label_of(taking);
    struct weir_kept_lesson lesson = {.uid = taking->info.uid};
    int rc;

    if (!taking->lesson.reported && label == WEIR_REPORTED_NOTHING)
        return WEIR_TRAINING_UNSURE;
    rc = weir_database_lesson(taking->training->database, lesson.uid, copy, &lesson);
    if (rc != 0)
        return rc < 0 ? rc : complete(taking, &lesson, label);
    rc = check_caps(taking, label);
    return rc != WEIR_TRAINING_LEARNED ? rc : learn(taking, label);
}

int weir_training_take(struct weir_training *training, uint32_t server, struct weir_slice octets,
                       weir_time now)
{
    struct taking taking = {.training = training, .server = server, .now = now};
    int came = WEIR_TRAINING_BAD;

    if (weir_lesson_read(octets, &taking.lesson) == 1) {
        came = prove(&taking);
        if (came == WEIR_TRAINING_LEARNED)
            came = take(&taking);
    }
    if (came < 0)
        return came;
    training->came[came]++;
    return 0;
}

/* Keeping. ---------------------------------------------------------------------------------- */

int weir_training_keep(struct weir_training *training, weir_time now, bool at_once)
{
    struct weir_bayes_learner_state state = weir_bayes_learner_state(training->learner);
    void *octets;
    size_t len;
    int rc;

    if (training->state.broken || (!at_once && training->changed < KEEP_EVERY + state.tokens / 2))
        return 0;
    rc = weir_bayes_learner_save(training->learner, &octets, &len);
    if (rc < 0)
        return rc;
    rc = weir_database_bayes_put(training->database, (struct weir_slice){octets, len}, now);
    free(octets);
    if (rc < 0)
        return rc;
    training->changed = 0;
    rc = weir_database_lessons_forget(training->database, WEIR_LESSONS_MAX,
                                      now - WEIR_TRAINING_OLDEST);
    return rc < 0 ? rc : 0;
}

int weir_training_prune(struct weir_training *training, weir_time now)
{
    (void)weir_bayes_learner_prune(training->learner, PRUNED_MOST, now - PRUNED_AGE);
    return weir_training_keep(training, now, true);
}

/* Short of memory, it is done when it must be. */
int weir_training_tidy(struct weir_training *training)
{
    return weir_bayes_learner_tidy(training->learner) == 1;
}

/* Asking. ----------------------------------------------------------------------------------- */

/* Stops when it is full. */
static int add_lesson(void *context, enum weir_reported learned, struct weir_slice tokens)
{
    int rc = weir_bayes_fit_add(context, (const uint8_t *)tokens.at, tokens.len / 8,
                                learned == WEIR_REPORTED_SPAM);

    return rc == 0 ? 1 : rc < 0 ? rc : 0;
}

static int gather(const struct weir_training *training, struct weir_words *words)
{
    uint64_t least = training->settings.least;
    int rc = weir_bayes_fit_new(0, &words->fit);

    rc = rc < 0 ? rc : weir_database_lessons_learned(training->database, add_lesson, words->fit);
    if (rc >= 0 && (weir_bayes_fit_messages(words->fit, true) < least ||
                    weir_bayes_fit_messages(words->fit, false) < least))
        weir_bayes_fit_free(&words->fit);
    return rc < 0 ? rc : 0;
}

int weir_training_words(const struct weir_training *training, struct weir_words *words_r)
{
    struct weir_words words = {.most = training->settings.tokens};
    int rc = weir_bayes_learner_counts(training->learner, &words.counts);

    rc = rc < 0 ? rc : gather(training, &words);
    if (rc < 0)
        weir_words_free(&words);
    else
        *words_r = words;
    return rc;
}

struct weir_training_state weir_training_state(const struct weir_training *training)
{
    struct weir_training_state state = training->state;

    state.learner = weir_bayes_learner_state(training->learner);
    return state;
}

const struct weir_hash_key *weir_training_key(const struct weir_training *training)
{
    return weir_bayes_learner_key(training->learner);
}
