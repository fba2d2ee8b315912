/*
 * Compiles by two stacks (operators that wait, program so far) without recursion, so that a
 * thousand brackets are an error and no crash; runs on a stack of doubles.
 *
 * A word of a program: operator in the upper octet; for OP_VALUE the index in the
 * rest; OP_NUMBER is followed by a float's octets; the skips have the place behind their
 * operator in the rest.
 * Refuses unknown names, brackets that do not match, and anything it does not know.
 */
#include "core/evidence/rule_meta.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_meta_impl.h"

static const struct {
    const char *text;
    enum weir_meta_op op;
    unsigned binds;
} binary[] = { /* longer ones first */
    {"<=", OP_LESS_EQUAL, 6}, {">=", OP_MORE_EQUAL, 6}, {"==", OP_EQUAL, 5}, {"!=", OP_UNEQUAL, 5},
    {"&&", OP_AND, 3}, {"||", OP_OR, 2}, {"*", OP_MULTIPLY, 8}, {"/", OP_DIVIDE, 8},
    {"%", OP_REMAINDER, 8}, {"+", OP_ADD, 7}, {"-", OP_SUBTRACT, 7}, {"<", OP_LESS, 6},
    {">", OP_MORE, 6},
};
enum { BINDS_PREFIX = 9, BINARIES = sizeof(binary) / sizeof(binary[0]) };

struct waiting {
    enum weir_meta_op op;
    unsigned binds;
    size_t skip; /* of && and ||: where its skip stands in the program */
};

struct compiler {
    struct weir_slice rest;
    weir_meta_resolve *resolve;
    void *context;
    struct weir_meta *meta;
    struct waiting waiting[WEIR_RULE_META_MAX];
    size_t waits, operands, operators;
    bool wants_operand;
    char *why;
};

static int wrong(struct compiler *c, int error, const char *why)
{
    snprintf(c->why, WEIR_META_WHY, "%s", why);
    return error;
}

static void emit(struct compiler *c, uint32_t word)
{
    if (c->meta->len < WEIR_META_CODE_MAX) /* operands and operators are counted: always */
        c->meta->code[c->meta->len++] = word;
}

static void skip(struct compiler *c, size_t len)
{
    c->rest.at += len;
    c->rest.len -= len;
}

/* Operators. ---------------------------------------------------------------- */

static int wait_for(struct compiler *c, enum weir_meta_op op, unsigned binds)
{
    if (c->waits == WEIR_RULE_META_MAX || ++c->operators > WEIR_RULE_META_MAX)
        return wrong(c, WEIR_ELIMIT, "the formula has too many operators");
    c->waiting[c->waits++] = (struct waiting){op, binds, c->meta->len};
    if (op == OP_AND)
        emit(c, (uint32_t)OP_SKIP_IF_ZERO << OP_SHIFT);
    else if (op == OP_OR)
        emit(c, (uint32_t)OP_SKIP_IF_NOT << OP_SHIFT);
    return 0;
}

static void release_one(struct compiler *c)
{
    const struct waiting *waiting = &c->waiting[--c->waits];
    emit(c, (uint32_t)waiting->op << OP_SHIFT);
    if (waiting->op == OP_AND || waiting->op == OP_OR)
        c->meta->code[waiting->skip] |= (uint32_t)c->meta->len;
}

/* Writes what waits and binds at least so tightly. */
static void release(struct compiler *c, unsigned binds)
{
    while (c->waits > 0 && c->waiting[c->waits - 1].op != OP_OPEN &&
           c->waiting[c->waits - 1].binds >= binds)
        release_one(c);
}

static int read_close(struct compiler *c)
{
    skip(c, 1);
    release(c, 0);
    if (c->waits == 0)
        return wrong(c, WEIR_EINVAL, "the formula has a ')' too many");
    c->waits--;
    return 0;
}

static int read_binary(struct compiler *c)
{
    for (size_t i = 0; i < BINARIES; i++) {
        size_t len = strlen(binary[i].text);
        if (c->rest.len < len || memcmp(c->rest.at, binary[i].text, len) != 0)
            continue;
        skip(c, len);
        release(c, binary[i].binds);
        c->wants_operand = true;
        return wait_for(c, binary[i].op, binary[i].binds);
    }
    return wrong(c, WEIR_EINVAL, "the formula lacks an operator");
}

/* Operands. ------------------------------------------------------------------- */

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static bool is_letter(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static int count_operand(struct compiler *c)
{
    c->wants_operand = false;
    if (++c->operands > WEIR_RULE_META_MAX)
        return wrong(c, WEIR_ELIMIT, "the formula has too many terms");
    return 0;
}

static void emit_number(struct compiler *c, float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    emit(c, (uint32_t)OP_NUMBER << OP_SHIFT);
    emit(c, bits);
}

static int read_number(struct compiler *c)
{
    double number = 0, scale = 1;
    size_t len = 0;
    bool point = false;
    for (; len < c->rest.len && len < 18; len++) {
        char ch = c->rest.at[len];
        if (ch == '.' && !point) {
            point = true;
        } else if (is_digit(ch)) {
            number = number * 10 + (ch - '0');
            scale *= point ? 10 : 1;
        } else {
            break;
        }
    }
    if (len < c->rest.len && (is_letter(c->rest.at[len]) || is_digit(c->rest.at[len])))
        return wrong(c, WEIR_EINVAL, "the formula has a number that is none");
    skip(c, len);
    emit_number(c, (float)(number / scale));
    return count_operand(c);
}

static int read_name(struct compiler *c)
{
    size_t len = 0;
    while (len < c->rest.len && (is_letter(c->rest.at[len]) || is_digit(c->rest.at[len])))
        len++;
    struct weir_slice name = {c->rest.at, len};
    int value = len > WEIR_RULE_NAME_MAX ? WEIR_META_UNKNOWN : c->resolve(c->context, name);
    if (value == WEIR_META_UNKNOWN || value >= 1 << OP_SHIFT) {
        snprintf(c->why, WEIR_META_WHY, "there is no rule or fact %.*s",
                 (int)(len < WEIR_RULE_NAME_MAX ? len : WEIR_RULE_NAME_MAX), name.at);
        return WEIR_EINVAL;
    }
    if (value == WEIR_META_ZERO)
        emit_number(c, 0);
    else
        emit(c, (uint32_t)OP_VALUE << OP_SHIFT | (uint32_t)value);
    skip(c, len);
    return count_operand(c);
}

static int read_operand(struct compiler *c)
{
    char first = c->rest.at[0];
    if (is_letter(first))
        return read_name(c);
    if (is_digit(first) || (first == '.' && c->rest.len > 1 && is_digit(c->rest.at[1])))
        return read_number(c);
    if (!strchr("(!-+", first) || first == '\0')
        return wrong(c, WEIR_EINVAL, "the formula lacks a name or number");
    skip(c, 1);
    if (first == '+')
        return 0;
    return wait_for(c, first == '(' ? OP_OPEN : first == '!' ? OP_NOT : OP_MINUS, BINDS_PREFIX);
}

static int read_token(struct compiler *c)
{
    char first = c->rest.at[0];
    if (first == ' ' || first == '\t') {
        skip(c, 1);
        return 0;
    }
    if (c->wants_operand)
        return read_operand(c);
    return first == ')' ? read_close(c) : read_binary(c);
}

int weir_meta_compile(struct weir_slice text, weir_meta_resolve *resolve, void *context,
                      struct weir_meta *meta_r, char why_r[static WEIR_META_WHY])
{
    struct compiler c = {.rest = text, .resolve = resolve, .context = context, .meta = meta_r,
                         .wants_operand = true, .why = why_r};
    int rc = 0;
    meta_r->len = 0;
    while (rc == 0 && c.rest.len > 0)
        rc = read_token(&c);
    if (rc < 0)
        return rc;
    if (c.wants_operand)
        return wrong(&c, WEIR_EINVAL, "the formula ends too early");
    release(&c, 0);
    if (c.waits > 0)
        return wrong(&c, WEIR_EINVAL, "the formula lacks a ')'");
    return 0;
}

/* Running. ---------------------------------------------------------------------- */

double weir_meta_combine(enum weir_meta_op op, double a, double b)
{
    switch (op) {
    case OP_MULTIPLY: return a * b;
    case OP_DIVIDE: return b != 0 ? a / b : 0;
    case OP_REMAINDER: return b != 0 ? fmod(a, b) : 0;
    case OP_ADD: return a + b;
    case OP_SUBTRACT: return a - b;
    case OP_LESS: return a < b;
    case OP_LESS_EQUAL: return a <= b;
    case OP_MORE: return a > b;
    case OP_MORE_EQUAL: return a >= b;
    case OP_EQUAL: return a == b;
    case OP_UNEQUAL: return a != b;
    case OP_AND: return a != 0 ? b : a;
    case OP_OR: return a != 0 ? a : b;
    default: return 0;
    }
}

/* The number behind an OP_NUMBER; damaged: 0. */
double weir_meta_number(const uint32_t *code, size_t len, size_t at)
{
    float number = 0;
    if (at < len)
        memcpy(&number, &code[at], sizeof(number));
    return (double)number;
}

size_t weir_meta_skip(uint32_t word, size_t at, bool zero)
{
    bool if_zero = word >> OP_SHIFT == OP_SKIP_IF_ZERO;
    size_t target = word & OP_REST;
    return zero == if_zero && target > at ? target - 1 : at;
}

double weir_meta_run(const uint32_t *code, size_t len, const struct weir_meta_values *values)
{
    double stack[WEIR_RULE_META_MAX], settled;
    struct weir_meta_pass pass = {code, len, values, .wanted = values->range != NULL};
    size_t depth = 0;
    for (size_t at = 0; at < len; at++) {
        enum weir_meta_op op = (enum weir_meta_op)(code[at] >> OP_SHIFT);
        if (op <= OP_VALUE) {
            if (depth == WEIR_RULE_META_MAX)
                return 0;
            if (op == OP_VALUE && weir_meta_is_settled(&pass, code[at] & OP_REST, &settled))
                return settled;
            stack[depth++] = op == OP_VALUE
                                 ? values->value(values->context, code[at] & OP_REST)
                                 : weir_meta_number(code, len, ++at);
        } else if (op == OP_SKIP_IF_ZERO || op == OP_SKIP_IF_NOT) {
            if (depth < 1)
                return 0;
            at = weir_meta_skip(code[at], at, stack[depth - 1] == 0);
        } else if (op == OP_NOT || op == OP_MINUS) {
            if (depth < 1)
                return 0;
            stack[depth - 1] = op == OP_NOT ? stack[depth - 1] == 0 : -stack[depth - 1];
        } else {
            if (depth < 2)
                return 0;
            depth--;
            stack[depth - 1] = weir_meta_combine(op, stack[depth - 1], stack[depth]);
        }
    }
    return depth == 1 ? stack[0] : 0;
}

int weir_meta_operand(const uint32_t *code, size_t len, size_t *at, uint32_t *value_r)
{
    for (; *at < len; ++*at) {
        uint32_t op = code[*at] >> OP_SHIFT;
        if (op == OP_NUMBER) {
            ++*at;
        } else if (op == OP_VALUE) {
            *value_r = code[(*at)++] & OP_REST;
            return 1;
        }
    }
    return 0;
}
