/*
 * Plain arithmetic; numbers that are none or out of range are brought into it.
 */
#include "monitor/analyzer/score.h"

#include <math.h>

#include "core/evidence/rule_source.h"

#define SURE 1.645  /* errors: one side in twenty */
#define SHARED 0.7  /* of its own worth, among rules that say the same */

static double within(double value, double low, double high)
{
    return value > low ? fmin(high, value) : low; /* when it is none, too */
}

struct weir_score_evidence weir_score_evidence(const struct weir_score_counts *hits,
                                               const struct weir_score_counts *all)
{
    const double most = 1e15;
    double A = within(all->spam, 0, most), B = within(all->ham, 0, most);
    double a = within(hits->spam, 0, A), b = within(hits->ham, 0, B);
    struct weir_score_evidence e = {.llr = log((a + 0.5) / (A + 1)) - log((b + 0.5) / (B + 1))};

    e.error = sqrt(1 / (a + 0.5) - 1 / (A + 1) + 1 / (b + 0.5) - 1 / (B + 1));
    e.least = e.llr - SURE * e.error;
    e.most = e.llr + SURE * e.error;
    return e;
}

struct weir_score_bounds weir_score_bounds(double spam_score)
{
    double high = spam_score > 0 ? WEIR_SCORE_PART_MAX * spam_score : 0;

    return (struct weir_score_bounds){.low = -high, .high = high};
}

struct weir_score_bounds weir_score_allowed(const struct weir_score_evidence *evidence)
{
    return (struct weir_score_bounds){SHARED * evidence->least, SHARED * evidence->most};
}

double weir_score_deserved(const struct weir_score_evidence *evidence, double base,
                           const struct weir_score_bounds *bounds)
{
    const struct weir_score_bounds allowed = weir_score_allowed(evidence);
    double sure = within(isnan(base) ? 0 : base, allowed.low, allowed.high);

    return weir_rule_points(within(sure, bounds->low, bounds->high));
}

double weir_score_next(double now, double deserved, const struct weir_score_bounds *bounds)
{
    const double step = WEIR_SCORE_STEP_MAX;
    double from = isnan(now) ? 0 : now;
    double wanted = within(isnan(deserved) ? from : deserved, bounds->low, bounds->high);
    double to = within(wanted, from - step, from + step);

    if ((from > 0 && to < 0) || (from < 0 && to > 0))
        to = 0;
    return weir_rule_points(to);
}
