/*
 * One line of a rule file: a word, a rule's name, and what is said about it.
 * Everything points into the line, which stays.  Refuses words, numbers and states it
 * does not know: a line that is passed over in silence is a rule that does not work.
 */
#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_source_impl.h"

bool weir_rule_number(struct weir_slice word, double *number_r)
{
    enum { DIGITS_MOST = 9, FRACTION_MOST = 6 };
    size_t at = word.len > 0 && (word.at[0] == '-' || word.at[0] == '+');
    unsigned whole = 0, fraction = 0;
    double number = 0, scale = 1;
    for (; at < word.len && weir_is_digit(word.at[at]) && whole < DIGITS_MOST; at++, whole++)
        number = number * 10 + (word.at[at] - '0');
    if (at < word.len && word.at[at] == '.') {
        for (at++; at < word.len && weir_is_digit(word.at[at]) && fraction < FRACTION_MOST; at++) {
            number = number * 10 + (word.at[at] - '0');
            scale *= 10;
            fraction++;
        }
    }
    if (at < word.len || whole + fraction == 0)
        return false;
    *number_r = (word.at[0] == '-' ? -number : number) / scale;
    return true;
}

static bool whole_number(struct weir_slice word, unsigned most, unsigned *number_r)
{
    double number;
    if (word.len == 0 || !weir_is_digit(word.at[0]) || memchr(word.at, '.', word.len) ||
        !weir_rule_number(word, &number) || number > most)
        return false;
    *number_r = (unsigned)number;
    return true;
}

/* What is said about a rule. ------------------------------------------------- */

/* Whether points are some that a rule can have; if not it is told. */
static bool are_points(struct weir_rule_reader *reader, const char *what, double points)
{
    if (fabs(points * 100 - nearbyint(points * 100)) > 1e-6)
        weir_rule_wrong(reader, "points count in hundredths: %s has two digits behind the point",
                        what);
    else if (fabs(points) > WEIR_RULE_SCORE_MAX)
        weir_rule_wrong(reader, "%s is at most %d", what, WEIR_RULE_SCORE_MAX);
    else
        return true;
    return false;
}

static int read_score(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                      struct weir_slice text)
{
    double score = 0, other;
    unsigned words = 0;
    while (text.len > 0 && words <= 4) {
        struct weir_slice word = weir_slice_word(&text);
        if (!weir_rule_number(word, words == 0 ? &score : &other))
            return weir_rule_wrong(reader, "a score is a number, with at most 6 digits behind "
                                           "the point");
        words++;
    }
    if (words != 1 && words != 4)
        return weir_rule_wrong(reader, "a score is one number, or four of which the first counts");
    if (are_points(reader, "a score", score)) {
        draft->source.score = (float)score;
        draft->has_score = true;
    }
    return 0;
}

static int read_base(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                     struct weir_slice text)
{
    double base;
    if (!weir_rule_number(text, &base))
        return weir_rule_wrong(reader, "a base is one number, with at most 6 digits behind the "
                                       "point");
    if (are_points(reader, "a base", base))
        draft->source.base = base;
    return 0;
}

static int read_bounds(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                       struct weir_slice text)
{
    double low, high;
    struct weir_slice first = weir_slice_word(&text);
    if (!weir_rule_number(first, &low) || !weir_rule_number(text, &high) || low > 0 || high < 0)
        return weir_rule_wrong(reader, "bounds are two numbers: the lower, 0 or less, and the "
                                       "upper, 0 or more");
    if (are_points(reader, "a bound", low) && are_points(reader, "a bound", high)) {
        draft->source.low = low;
        draft->source.high = high;
    }
    return 0;
}

static int read_approved(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                         struct weir_slice text)
{
    bool yes = weir_slice_equals(text, "yes");
    if (!yes && !weir_slice_equals(text, "no"))
        return weir_rule_wrong(reader, "approved is yes or no");
    draft->source.approved = yes;
    return 0;
}

static int read_description(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                            struct weir_slice text)
{
    if (text.len > WEIR_RULE_DESCRIPTION_MAX)
        return weir_rule_wrong(reader, "a description may have %d octets",
                               WEIR_RULE_DESCRIPTION_MAX);
    draft->source.description = text;
    return 0;
}

const struct weir_rule_flag_name weir_rule_flag_names[] = {
    {"multiple", WEIR_RULE_MULTIPLE},
    {"nice", WEIR_RULE_NICE},
    {"noautolearn", WEIR_RULE_NOAUTOLEARN},
    {"nosubject", WEIR_RULE_NOSUBJECT},
    /* What SpamAssassin says of its own tests, and means nothing here. */
    {"net", 0}, {"learn", 0}, {"userconf", 0}, {"publish", 0}, {"nopublish", 0},
    {"autolearn_force", 0}, {"autolearn_header", 0}, {"autolearn_body", 0}, {"noawl", 0},
    {NULL, 0},
};

static const struct weir_rule_flag_name *flag_named(struct weir_slice word)
{
    const struct weir_rule_flag_name *row = weir_rule_flag_names;
    while (row->name && !weir_slice_equals(word, row->name))
        row++;
    return row->name ? row : NULL;
}

static int read_flags(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                      struct weir_slice text)
{
    static const char maxhits[] = "maxhits=";
    const size_t prefix = sizeof(maxhits) - 1;
    unsigned flags = 0, most = 0;
    while (text.len > 0) {
        struct weir_slice word = weir_slice_word(&text);
        const struct weir_rule_flag_name *row = flag_named(word);
        if (row) {
            flags |= row->flag;
        } else if (word.len > prefix && memcmp(word.at, maxhits, prefix) == 0) {
            struct weir_slice number = {word.at + prefix, word.len - prefix};
            if (!whole_number(number, WEIR_RULE_REPEATS_MAX, &most))
                return weir_rule_wrong(reader, "maxhits is a number up to %d",
                                       WEIR_RULE_REPEATS_MAX);
        } else {
            return weir_rule_wrong(reader, "tflags knows no \"%.*s\"",
                                   (int)(word.len < 40 ? word.len : 40), word.at);
        }
    }
    const unsigned all = WEIR_RULE_MULTIPLE | WEIR_RULE_NICE | WEIR_RULE_NOAUTOLEARN |
                         WEIR_RULE_NOSUBJECT;
    draft->source.flags = (draft->source.flags & ~all) | flags;
    draft->source.hits_most = most;
    return 0;
}

static int read_id(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                   struct weir_slice text)
{
    unsigned id = 0;
    if (!whole_number(text, WEIR_RULE_ID_MAX, &id) || id == 0)
        return weir_rule_wrong(reader, "an id is a number from 1 to %u", WEIR_RULE_ID_MAX);
    if (id >= WEIR_RULE_ID_OWN && id <= WEIR_RULE_ID_OWN_LAST)
        return weir_rule_wrong(reader, "ids %u to %u are those of points of Weir's own",
                               WEIR_RULE_ID_OWN, WEIR_RULE_ID_OWN_LAST);
    if (draft->known && draft->has_id && id != draft->source.id)
        return weir_rule_wrong(reader, "%.*s has the id %u, which stays",
                               (int)draft->source.name.len, draft->source.name.at,
                               (unsigned)draft->source.id);
    draft->source.id = id;
    draft->has_id = true;
    return 0;
}

static int read_state(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                      struct weir_slice text)
{
    for (unsigned state = WEIR_RULE_ACTIVE; state <= WEIR_RULE_LOCKED; state++) {
        if (weir_slice_equals(text, weir_rule_state_name((enum weir_rule_state)state))) {
            draft->source.state = (enum weir_rule_state)state;
            return 0;
        }
    }
    return weir_rule_wrong(reader, "a state is active, test, draft, retired or locked");
}

/* Lines. ---------------------------------------------------------------------- */

typedef int read_property(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                          struct weir_slice text);

struct property {
    const char *name;
    read_property *read;
    unsigned said;
};

static const struct property *property_named(struct weir_slice word)
{
    static const struct property row[] = {
        {"score", read_score, WEIR_RULE_SAID_SCORE},
        {"describe", read_description, WEIR_RULE_SAID_DESCRIPTION},
        {"tflags", read_flags, WEIR_RULE_SAID_FLAGS},
        {"id", read_id, WEIR_RULE_SAID_ID},
        {"state", read_state, WEIR_RULE_SAID_STATE},
        {"base", read_base, WEIR_RULE_SAID_BASE},
        {"bounds", read_bounds, WEIR_RULE_SAID_BOUNDS},
        {"approved", read_approved, WEIR_RULE_SAID_APPROVED},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (weir_slice_equals(word, row[i].name))
            return &row[i];
    return NULL;
}

static int kind_named(struct weir_slice word)
{
    for (int kind = 0; kind < WEIR_RULE_KINDS; kind++)
        if (weir_slice_equals(word, weir_rule_kind_name((enum weir_rule_kind)kind)))
            return kind;
    return -1;
}

int weir_rule_line_read(struct weir_rule_reader *reader, struct weir_slice line)
{
    struct weir_rule_draft *draft;
    struct weir_slice keyword = weir_slice_word(&line);
    const struct property *property = property_named(keyword);
    int kind = kind_named(keyword);
    if (!property && kind < 0)
        return weir_rule_wrong(reader, "\"%.*s\" is no word of rules",
                               (int)(keyword.len < 40 ? keyword.len : 40), keyword.at);
    int rc = weir_rule_draft(reader, weir_slice_word(&line), &draft);
    if (rc <= 0)
        return rc;
    draft->source.said |= property ? property->said : (unsigned)WEIR_RULE_SAID_TEST;
    if (property)
        return property->read(reader, draft, line);
    return weir_rule_test_read(reader, draft, (enum weir_rule_kind)kind, line);
}
