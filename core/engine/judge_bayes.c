/*
 * judge_bayes - asks the Bayesian classifier, and puts what it says into points and words.
 *
 * Tokens are made once, in one pass, and only when somebody needs them: a word list of too little
 * is not asked at all.  Reputation is handed in as words like others, so that training finds out
 * what they are worth here (C29); a reputation that a store could not tell makes none.
 *
 * Tokens are hostile: whoever shows the evidence escapes it.
 */
#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/judge_impl.h"

#define EVIDENCE_TOKENS 6 /* named in the explanation's line */
#define EVIDENCE_TEXT (EVIDENCE_TOKENS * 80)

/* tokens ----------------------------------------------------------------------------- */

struct words {
    struct weir_slice word[WEIR_BAYES_REPUTATIONS_MAX];
    size_t words;
};

static int add_word(struct words *words, const char *text)
{
    if (!text)
        return WEIR_ENOMEM;
    words->word[words->words++] = weir_slice_of(text);
    return 0;
}

/* The odds of a probability, to whole numbers: e^4 is as sure as reputation gets. */
static int rounded_odds(double probability)
{
    double odds = log(probability / (1 - probability));

    return isnan(odds) ? 0 : (int)nearbyint(fmax(-9, fmin(9, odds)));
}

/* How sure it is: 0 knows next to nothing, 2 is as good as certain. */
static int tier(double confidence)
{
    return confidence < 1.0 / 3 ? 0 : confidence < 0.9 ? 1 : 2;
}

/* What reputation says, as at most four words. */
static int reputation_words(struct weir_judge *judge, struct words *words)
{
    const struct weir_decision *decision = &judge->judgement.decision;
    const struct weir_reputation *reputation = &decision->reputation;
    const struct weir_cell *network = &reputation->cell[WEIR_BASIS_NETWORK];
    int rc = 0;

    if (!decision->judged || reputation->partial)
        return 0;
    rc = add_word(words, weir_arena_printf(judge->arena, "rep:pair:%d:%d",
                                           rounded_odds(reputation->probability),
                                           tier(reputation->confidence)));
    if (rc == 0)
        rc = add_word(words, weir_arena_printf(judge->arena, "rep:assoc:%s",
                                               weir_association_name(reputation->association)));
    if (rc == 0 && decision->forged)
        rc = add_word(words, "rep:forged");
    if (rc == 0 && network->confidence > 0)
        rc = add_word(words, weir_arena_printf(judge->arena, "rep:net:%d",
                                               rounded_odds(network->probability)));
    return rc;
}

int weir_judge_tokens(struct weir_judge *judge)
{
    struct words words = {.words = 0};
    struct weir_bayes_source source = {.message = &judge->message,
                                       .content = &judge->content,
                                       .charsets = judge->charsets,
                                       .reputation = words.word};
    int rc = judge->tokened ? 0 : reputation_words(judge, &words);

    if (judge->tokened || rc < 0)
        return rc;
    source.reputations = words.words;
    rc = weir_bayes_tokens_read(&judge->list->table.key, &source, judge->arena, &judge->tokens);
    judge->tokened = rc == 0;
    return rc;
}

/* asking ----------------------------------------------------------------------------- */

static struct weir_bayes_settings settings_of(const struct weir_config *config)
{
    struct weir_bayes_settings settings = weir_bayes_defaults();

    settings.least_spam = settings.least_ham = (uint64_t)config->bayes_least;
    return settings;
}

/* Too little was learned, whatever the message: then its tokens are not made for that. */
static enum weir_bayes_silence silence_of(const struct weir_bayes_table *table,
                                          const struct weir_bayes_settings *settings)
{
    return table->spam < settings->least_spam  ? WEIR_BAYES_FEW_SPAM
           : table->ham < settings->least_ham ? WEIR_BAYES_FEW_HAM
                                              : WEIR_BAYES_SPEAKS;
}

/* In hundredths, as points are. */
static double points_of(const struct weir_config *config, double weight)
{
    double points = fmax(-config->bayes_ham_points,
                         fmin(config->bayes_spam_points, config->bayes_scale * weight));

    return nearbyint(points * 100) / 100;
}

static int ask(struct weir_judge *judge)
{
    struct weir_bayes_opinion *opinion = &judge->judgement.bayes;
    const struct weir_bayes_table *table = &judge->list->table;
    const struct weir_bayes_settings settings = settings_of(judge->parts.config);
    int rc;

    opinion->listed = true;
    opinion->spam = table->spam;
    opinion->ham = table->ham;
    opinion->said = (struct weir_bayes_result){.silence = silence_of(table, &settings),
                                               .probability = 0.5};
    if (opinion->said.silence != WEIR_BAYES_SPEAKS)
        return 0;
    rc = weir_judge_tokens(judge);
    if (rc == 0)
        rc = weir_bayes_judge(table, &settings, &judge->tokens, judge->arena, &opinion->said);
    if (rc == 0 && opinion->said.silence == WEIR_BAYES_SPEAKS)
        opinion->points = points_of(judge->parts.config, opinion->said.weight);
    return rc;
}

int weir_judge_bayes(struct weir_judge *judge)
{
    enum weir_bayes_use use = (enum weir_bayes_use)judge->parts.config->bayes_use;

    judge->judgement.bayes.use = use;
    if (judge->parts.bayes)
        judge->list = weir_bayes_file_take(judge->parts.bayes, judge->judgement.serial,
                                           judge->now);
    return judge->list && use != WEIR_BAYES_OFF ? ask(judge) : 0;
}

/* words ------------------------------------------------------------------------------ */

/* The most telling tokens, as they stand. */
static int evidence(struct weir_judge *judge, struct weir_slice *evidence_r)
{
    const struct weir_bayes_result *said = &judge->judgement.bayes.said;
    char *room = weir_arena_take(judge->arena, EVIDENCE_TEXT);
    struct weir_line line;

    if (!room)
        return WEIR_ENOMEM;
    line = weir_line(room, EVIDENCE_TEXT);
    for (size_t i = 0; i < said->tellings && i < EVIDENCE_TOKENS; i++) {
        struct weir_slice text = said->telling[i].token->text;

        if (i > 0)
            weir_line_text(&line, ", ");
        weir_line_octets(&line, text.at, text.len);
    }
    *evidence_r = weir_slice_between(line.start, line.at);
    return 0;
}

int weir_judge_bayes_point(struct weir_judge *judge, struct weir_point *point_r)
{
    const struct weir_bayes_opinion *opinion = &judge->judgement.bayes;
    bool counts = opinion->use == WEIR_BAYES_ON;
    const char *text;

    if (opinion->use == WEIR_BAYES_OFF || !opinion->listed ||
        opinion->said.silence != WEIR_BAYES_SPEAKS)
        return 0;
    text = counts ? weir_arena_printf(judge->arena, "by its words it is spam with a probability "
                                      "of %.4f", opinion->said.probability)
                  : weir_arena_printf(judge->arena, "by its words it is spam with a probability "
                                      "of %.4f; observed: would be %+.2f",
                                      opinion->said.probability, opinion->points);
    *point_r = (struct weir_point){
        .id = WEIR_POINT_BAYES,
        .name = weir_slice_of(weir_rule_own_name(WEIR_POINT_BAYES)),
        .description = text ? weir_slice_of(text) : (struct weir_slice){0},
        .kind = "bayes",
        .points = counts ? opinion->points : 0,
        .times = 1,
    };
    return !text || evidence(judge, &point_r->evidence) < 0 ? WEIR_ENOMEM : 1;
}
