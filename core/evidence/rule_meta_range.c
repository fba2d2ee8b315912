/*
 * What a formula gives while some of its values are not known: the program run over ranges.
 *
 * "A && B" is 0 as soon as one of the two is, whichever comes first.
 * Ranges are never too narrow: where nothing better is known they are all numbers, so a result
 * that is a single number is the result.
 */
#include <math.h>

#include "core/evidence/rule_meta_impl.h"

typedef struct weir_meta_range range;

static range exactly(double value)
{
    return (range){value, value, value != 0};
}

static range anything(void)
{
    return (range){-HUGE_VAL, HUGE_VAL, false};
}

static bool is_known(const range *r)
{
    return r->least == r->most;
}

static bool is_zero(const range *r)
{
    return r->least == 0 && r->most == 0;
}

static range between(double least, double most)
{
    if (isnan(least) || isnan(most))
        return anything();
    return (range){least, most, least > 0 || most < 0};
}

static range either(const range *a, const range *b)
{
    return (range){fmin(a->least, b->least), fmax(a->most, b->most), a->nonzero && b->nonzero};
}

static range truth(bool surely, bool surely_not)
{
    return surely ? exactly(1) : surely_not ? exactly(0) : (range){0, 1, false};
}

static range multiply(const range *a, const range *b)
{
    double product[4] = {a->least * b->least, a->least * b->most, a->most * b->least,
                         a->most * b->most};
    range all = between(product[0], product[0]);
    for (size_t i = 1; i < 4; i++) {
        range one = between(product[i], product[i]);
        all = either(&all, &one);
    }
    all.nonzero = a->nonzero && b->nonzero; /* between -1 and 1 lies 0 */
    return all;
}

static range both(const range *a, const range *b)
{
    static const range zero = {0, 0, false};
    if (is_zero(a) || is_zero(b))
        return zero;
    return a->nonzero ? *b : either(&zero, b);
}

static range one_of(const range *a, const range *b)
{
    if (a->nonzero || is_zero(b))
        return *a;
    range all = either(a, b);
    all.nonzero = b->nonzero;
    return is_zero(a) ? *b : all;
}

static range combine(enum weir_meta_op op, const range *a, const range *b)
{
    bool apart = a->most < b->least || b->most < a->least;
    bool same = is_known(a) && is_known(b) && a->least == b->least;
    switch (op) {
    case OP_MULTIPLY: return multiply(a, b);
    case OP_ADD: return between(a->least + b->least, a->most + b->most);
    case OP_SUBTRACT: return between(a->least - b->most, a->most - b->least);
    case OP_LESS: return truth(a->most < b->least, a->least >= b->most);
    case OP_LESS_EQUAL: return truth(a->most <= b->least, a->least > b->most);
    case OP_MORE: return truth(a->least > b->most, a->most <= b->least);
    case OP_MORE_EQUAL: return truth(a->least >= b->most, a->most < b->least);
    case OP_EQUAL: return truth(same, apart);
    case OP_UNEQUAL: return truth(apart, same);
    case OP_AND: return both(a, b);
    case OP_OR: return one_of(a, b);
    default: /* division: only of numbers */
        return is_known(a) && is_known(b) ? exactly(weir_meta_combine(op, a->least, b->least))
                                          : anything();
    }
}

static range negated(const range *a, enum weir_meta_op op)
{
    return op == OP_NOT ? truth(is_zero(a), a->nonzero) : between(-a->most, -a->least);
}

/* Anything for a damaged program. */
struct weir_meta_range weir_meta_range(const uint32_t *code, size_t len,
                                       const struct weir_meta_values *values)
{
    range stack[WEIR_RULE_META_MAX];
    size_t depth = 0;
    for (size_t at = 0; at < len; at++) {
        enum weir_meta_op op = (enum weir_meta_op)(code[at] >> OP_SHIFT);
        if ((op == OP_SKIP_IF_ZERO || op == OP_SKIP_IF_NOT) && depth >= 1) {
            if (stack[depth - 1].nonzero || is_zero(&stack[depth - 1]))
                at = weir_meta_skip(code[at], at, !stack[depth - 1].nonzero);
        } else if (op <= OP_VALUE && depth < WEIR_RULE_META_MAX) {
            range *top = &stack[depth++];
            if (op == OP_VALUE)
                (void)values->range(values->context, code[at] & OP_REST, top);
            else
                *top = exactly(weir_meta_number(code, len, ++at));
        } else if ((op == OP_NOT || op == OP_MINUS) && depth >= 1) {
            stack[depth - 1] = negated(&stack[depth - 1], op);
        } else if (op > OP_MINUS && depth >= 2) {
            depth--;
            stack[depth - 1] = combine(op, &stack[depth - 1], &stack[depth]);
        } else {
            return anything();
        }
    }
    return depth == 1 ? stack[0] : anything();
}

/* Whether it has more than &&, || and !, whose skips do all that one pass has left to do. */
static bool counts(const uint32_t *code, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        enum weir_meta_op op = (enum weir_meta_op)(code[at] >> OP_SHIFT);
        at += op == OP_NUMBER;
        if (op >= OP_MULTIPLY && op <= OP_UNEQUAL)
            return true;
    }
    return false;
}

bool weir_meta_is_settled(struct weir_meta_pass *pass, uint32_t index, double *result_r)
{
    range known;
    if (!pass->wanted || pass->values->range(pass->values->context, index, &known))
        return false;
    known = weir_meta_range(pass->code, pass->len, pass->values);
    pass->wanted = counts(pass->code, pass->len);
    *result_r = known.least;
    return is_known(&known);
}
