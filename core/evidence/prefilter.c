/*
 * Scanning: where in a text do the runs of a built prefilter stand?
 *
 * Every octet of the text is asked, by the hash of the gram that begins there, whether
 * any run might stand around it; the few that say yes are compared with the run's sets.
 * With Hyperscan, its database takes the grams' place: it says where a piece of a run stands, and
 * all that follows is the same.
 * Octets of a built form are believed only as far as they are checked: attach checks what every
 * scan uses, the rest is checked where it is used, and what is wrong there finds nothing.
 *
 * Work is bounded: WEIR_PREFILTER_WORK_MAX looks an octet, WEIR_PREFILTER_CANDIDATES_MAX
 * candidates; beyond, rules are candidates up to the text's end ("rest"), so nothing is lost.
 */
#include "core/evidence/prefilter.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/need_impl.h"
#include "core/evidence/prefilter_hyperscan.h"
#include "core/evidence/prefilter_scan.h"

enum { /* units of work, measured */
    OCTET_UNITS = 2,
    LOOK_UNITS = 12,
    NOTE_UNITS = 10,
    CANDIDATE_UNITS = 100,
};

enum { PARTS_FREE = 8 }; /* a part of a text has less than all of it */

/* scratch ------------------------------------------------------------------------ */

static bool hyperscan_room(const struct weir_prefilter *prefilter, struct weir_prefilter_scratch *s)
{
    if (!prefilter->hyperscan)
        return true;
    s->standing = malloc(WEIR_HYPERSCAN_RUNS_MAX * sizeof *s->standing);
    return s->standing && weir_hyperscan_scratch_new(prefilter->hyperscan, &s->hyperscan) == 0;
}

int weir_prefilter_scratch_new(const struct weir_prefilter *prefilter,
                               struct weir_prefilter_scratch **scratch_r)
{
    struct weir_prefilter_scratch *s = calloc(1, sizeof *s);
    if (!s)
        return WEIR_ENOMEM;
    s->rules = prefilter->rules;
    s->room = WEIR_PREFILTER_CANDIDATES_MAX + prefilter->rules;
    s->seen = calloc(prefilter->rules + 1, sizeof *s->seen);
    s->candidate = malloc(s->room * sizeof *s->candidate);
    s->sorted = malloc(s->room * sizeof *s->sorted);
    s->order = malloc(s->room * sizeof *s->order);
    s->key = malloc(s->room * sizeof *s->key);
    s->key_room = malloc(s->room * sizeof *s->key_room);
    if (!s->seen || !s->candidate || !s->sorted || !s->order || !s->key || !s->key_room ||
        !hyperscan_room(prefilter, s))
        weir_prefilter_scratch_free(&s);
    *scratch_r = s;
    return s ? 0 : WEIR_ENOMEM;
}

void weir_prefilter_scratch_free(struct weir_prefilter_scratch **scratch)
{
    struct weir_prefilter_scratch *s = *scratch;
    if (!s)
        return;
    weir_hyperscan_scratch_free(&s->hyperscan);
    free(s->standing);
    free(s->seen);
    free(s->candidate);
    free(s->sorted);
    free(s->order);
    free(s->key);
    free(s->key_room);
    free(s);
    *scratch = NULL;
}

/* one scan ------------------------------------------------------------------------ */

static bool word_at(const struct scan *s, size_t begin, size_t end, size_t at)
{
    return at >= begin && at < end && octet_is_word(s->text[at]);
}

/* Whether the edges hold at an octet of the line begin .. end. */
static bool edges_hold(const struct scan *s, unsigned edges, size_t begin, size_t end, size_t at)
{
    if (!edges)
        return true;
    bool border = (at > begin && word_at(s, begin, end, at - 1)) != word_at(s, begin, end, at);
    if ((edges & WEIR_NEED_BORDER && !border) || (edges & WEIR_NEED_NO_BORDER && border))
        return false;
    if (edges & WEIR_NEED_BEGIN && at != begin)
        return false;
    if (edges & WEIR_NEED_NEW_LINE && at != begin && (s->text[at - 1] != '\n' || at == end))
        return false; /* no line begins behind the last '\n' */
    if (edges & WEIR_NEED_END && at != end && (at + 1 != end || s->text[at] != '\n'))
        return false;
    return !(edges & WEIR_NEED_LINE_END) || at == end || s->text[at] == '\n';
}

static bool sets_hold(const struct scan *s, const struct prefilter_run *run, size_t at)
{
    if (run->id > s->part->id.n || run->len > s->part->id.n - run->id)
        return false;
    const uint32_t *id = s->id + run->id;
    for (size_t i = 0; i < run->len; i++)
        if (id[i] >= s->part->set.n || !weir_octet_set_has(&s->set[id[i]], s->text[at + i]))
            return false;
    return true;
}

static void add_candidate(struct scan *s, const struct prefilter_run *run, size_t from,
                          size_t until, size_t end)
{
    struct weir_prefilter_scratch *scratch = s->scratch;
    if (scratch->n == scratch->room)
        return; /* cannot be: beyond the limit each rule comes at most once */
    bool rest = s->flooded || scratch->n >= WEIR_PREFILTER_CANDIDATES_MAX;
    if (rest) { /* nothing more is noted of it, so it may begin anywhere */
        from = 0;
        until = s->area->start[s->line + 1] - s->area->start[s->line];
    }
    scratch->seen[run->rule].index = (uint32_t)scratch->n;
    scratch->order[scratch->n] = run->order;
    scratch->candidate[scratch->n++] = (struct weir_candidate){
        .rule = run->rule, .line = (uint32_t)s->line, .from = (uint32_t)from,
        .until = (uint32_t)until, .end = (uint32_t)end,
        .exact = run->flags & PREFILTER_EXACT_RUN && !rest, .rest = rest};
}

/* The rule is a candidate in this line already. */
static void widen_candidate(struct scan *s, const struct prefilter_run *run, size_t from,
                            size_t until, size_t end)
{
    size_t index = s->scratch->seen[run->rule].index;
    struct weir_candidate *c = &s->scratch->candidate[index];
    uint32_t *order = &s->scratch->order[index];
    if (c->exact && (from < c->from || (from == c->from && run->order < *order))) {
        c->end = (uint32_t)end;
        *order = run->order;
    }
    if (from < c->from)
        c->from = (uint32_t)from;
    if (until > c->until)
        c->until = (uint32_t)until;
}

/* Whether a rule is a candidate up to the text's end already. */
static bool has_rest(const struct scan *s, const struct seen *seen)
{
    return seen->stamp >= s->stamp && seen->index != NO_CANDIDATE &&
           s->scratch->candidate[seen->index].rest;
}

/* A run stands at an octet of the current line. */
void prefilter_note(struct scan *s, const struct prefilter_run *run, size_t begin, size_t at)
{
    if (run->rule >= s->scratch->rules || run->lead_min > at - begin)
        return;
    s->notes++;
    uint32_t offset = (uint32_t)(at - begin), stamp = s->stamp + (uint32_t)s->line;
    uint32_t from = run->lead_max < offset ? offset - run->lead_max : 0;
    struct seen *seen = &s->scratch->seen[run->rule];
    if (has_rest(s, seen))
        return;
    if (seen->stamp != stamp)
        *seen = (struct seen){.stamp = stamp, .index = NO_CANDIDATE, .last = UINT32_MAX,
                              .from = from};
    seen->times += seen->last != offset;
    seen->last = offset;
    if (from < seen->from)
        seen->from = from;
    if (seen->times < run->times)
        return;
    if (seen->index == NO_CANDIDATE)
        add_candidate(s, run, seen->from, offset - run->lead_min, offset + run->len);
    else
        widen_candidate(s, run, from, offset - run->lead_min, offset + run->len);
}

/* A candidate of the current line becomes one up to the text's end. */
static void widen_to_rest(const struct scan *s, struct weir_candidate *c)
{
    c->from = 0;
    c->until = s->area->start[s->line + 1] - s->area->start[s->line];
    c->exact = false;
    c->rest = true;
}

/* Too much work: every rule is a candidate from here on. */
void prefilter_flood(struct scan *s)
{
    const uint32_t *rule = (const void *)(s->prefilter->octets + s->part->rule.place);
    uint32_t stamp = s->stamp + (uint32_t)s->line;
    s->flooded = true;
    for (uint32_t i = 0; i < s->part->rule.n; i++) {
        struct seen *seen = &s->scratch->seen[rule[i]];
        struct prefilter_run any = {.rule = rule[i]};
        if (has_rest(s, seen))
            continue;
        if (seen->stamp == stamp && seen->index != NO_CANDIDATE) {
            widen_to_rest(s, &s->scratch->candidate[seen->index]);
        } else {
            seen->stamp = stamp;
            add_candidate(s, &any, 0, 0, 0);
        }
    }
}

/* A run's sets hold at an octet of the current line: if its edges do, it stands there. */
static void stand(struct scan *s, const struct prefilter_run *run, size_t begin, size_t end,
                  size_t start)
{
    if (edges_hold(s, run->left, begin, end, start) &&
        edges_hold(s, run->right, begin, end, start + run->len))
        prefilter_note(s, run, begin, start);
}

/* What a key knows of its run, against the text where the run would begin. */
static inline bool window_holds(const struct scan *s, const struct prefilter_key *key,
                                size_t start)
{
    uint64_t octets;
    size_t at = start + key->window;
    if (s->len < sizeof octets || at > s->len - sizeof octets)
        return true; /* not known; the run itself will tell */
    memcpy(&octets, s->text + at, sizeof octets);
    return ((octets ^ key->value) & key->mask) == 0;
}

/* The filter says that a gram at this octet may be of use. */
static void look(struct scan *s, size_t at, uint32_t gram, uint32_t len, uint32_t seed)
{
    uint32_t bucket = prefilter_hash(gram, len, seed) >> (32 - s->part->bucket_bits);
    uint32_t first = s->bucket[bucket], last = s->bucket[bucket + 1];
    if (first > last || last > s->part->key.n || s->flooded)
        return;
    if (s->work < 1 + last - first) {
        prefilter_flood(s);
        return;
    }
    s->work -= 1 + last - first;
    while (s->area->start[s->line + 1] <= at)
        s->line++;
    size_t begin = s->area->start[s->line], end = s->area->start[s->line + 1];
    for (uint32_t k = first; k < last; k++) {
        const struct prefilter_key *key = &s->key[k];
        if (key->gram != gram || key->len != len || key->seed != seed ||
            key->offset > at - begin || !window_holds(s, key, at - key->offset) ||
            key->run >= s->part->run.n)
            continue;
        const struct prefilter_run *run = &s->run[key->run];
        size_t start = at - key->offset;
        if (run->len <= end - start && sets_hold(s, run, start))
            stand(s, run, begin, end, start);
    }
}

/* Whether the filter has a gram of so many octets that begins here. */
static bool filter_has(const struct scan *s, uint32_t gram, uint32_t len, uint32_t seed)
{
    return prefilter_filter_word(s->filter, s->part->filter.n - 1,
                                 prefilter_hash(gram, len, seed)) & 1;
}

/* Grams of each length, of which this is the longest. */
static void look_at_each(struct scan *s, size_t at, uint32_t gram, uint32_t seed)
{
    if (filter_has(s, gram, 4, seed))
        look(s, at, gram, 4, seed);
    if (filter_has(s, gram & 0xffffff, 3, seed))
        look(s, at, gram & 0xffffff, 3, seed);
    if (filter_has(s, gram & 0xffff, 2, seed))
        look(s, at, gram & 0xffff, 2, seed);
}

/* Near the end of the text, where not all lengths have room. */
static void look_at_all(struct scan *s, size_t at, uint32_t seed)
{
    size_t room = s->len - at;
    for (uint32_t len = 4; len >= 2; len--) {
        if (!(s->part->gram_lengths >> len & 1) || room < len)
            continue;
        uint32_t gram = prefilter_gram(s->text + at, len);
        if (filter_has(s, gram, len, seed))
            look(s, at, gram, len, seed);
    }
}

/* The octets of begin .. end that have three more behind them.  Lengths of grams that are not
 * used are known when this is compiled, and left out. */
static inline __attribute__((always_inline)) size_t
scan_whole(struct scan *s, size_t begin, size_t end, uint32_t seed, bool three, bool two)
{
    const uint64_t *filter = s->filter;
    const unsigned char *text = s->text;
    const uint32_t mask = s->part->filter.n - 1;
    size_t at = begin;
    if (s->len < 4 || end > s->len - 3)
        end = s->len < 4 ? begin : s->len - 3;
    for (; at < end; at++) {
        uint32_t gram = prefilter_gram(text + at, 4);
        uint64_t may = prefilter_filter_word(filter, mask, prefilter_hash(gram, 4, seed));
        if (three)
            may |= prefilter_filter_word(filter, mask, prefilter_hash(gram & 0xffffff, 3, seed));
        if (two)
            may |= prefilter_filter_word(filter, mask, prefilter_hash(gram & 0xffff, 2, seed));
        if (may & 1)
            look_at_each(s, at, gram, seed);
    }
    return at;
}

/* Looks at the grams that begin at octets begin .. end of the text. */
static void scan_piece(struct scan *s, size_t begin, size_t end, uint32_t seed)
{
    size_t at;
    switch (s->part->gram_lengths) {
    case 0:
        return;
    case 1 << 4:
        at = scan_whole(s, begin, end, seed, false, false);
        break;
    case 1 << 4 | 1 << 3:
        at = scan_whole(s, begin, end, seed, true, false);
        break;
    default:
        at = scan_whole(s, begin, end, seed, true, true);
    }
    for (; at < end; at++)
        look_at_all(s, at, seed);
}

static void scan_by_grams(struct scan *s, const uint32_t *selector)
{
    if (!selector)
        scan_piece(s, s->from, s->until, 0);
    for (size_t line = 0; selector && line < s->area->lines; line++) {
        s->line = line;
        scan_piece(s, s->area->start[line], s->area->start[line + 1],
                   prefilter_seed(selector[line]));
    }
}

/* Hyperscan ---------------------------------------------------------------------- */

/* It says that a piece of a run is there, in no order that could be relied on; false to stop. */
static bool keep_standing(void *context, size_t at, uint32_t number)
{
    struct scan *s = context;
    if (s->work == 0 || s->scratch->standings == WEIR_HYPERSCAN_RUNS_MAX)
        return false;
    s->work--;
    if (number < s->part->run.n && s->run[number].len <= s->len - at &&
        sets_hold(s, &s->run[number], at))
        s->scratch->standing[s->scratch->standings++] =
            (struct standing){(uint32_t)at, number};
    return true;
}

static int by_place(const void *a, const void *b)
{
    const struct standing *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* By line, as note() wants them; they nearly always are already. */
static void sort_standing(const struct scan *s)
{
    const struct standing *standing = s->scratch->standing;
    size_t line = s->line;
    for (size_t i = 0; i < s->scratch->standings; i++) {
        while (s->area->start[line + 1] <= standing[i].at)
            line++;
        /* What reaches into the next line does not stand, and is passed over later. */
        if (line > s->line &&
            standing[i].at + s->run[standing[i].run].len <= s->area->start[line]) {
            qsort(s->scratch->standing, s->scratch->standings, sizeof *standing, by_place);
            return;
        }
    }
}

static void note_standing(struct scan *s)
{
    const struct standing *standing = s->scratch->standing;
    sort_standing(s);
    for (size_t i = 0; i < s->scratch->standings && !s->flooded; i++) {
        const struct prefilter_run *run = &s->run[standing[i].run];
        size_t at = standing[i].at;
        while (s->area->start[s->line + 1] <= at)
            s->line++;
        size_t begin = s->area->start[s->line], end = s->area->start[s->line + 1];
        if (at >= begin && run->len <= end - at)
            stand(s, run, begin, end, at);
    }
}

/* Piece by piece, so that there is room for what stands in one.  A line that lies in two pieces
 * is the last of one and the first of the next, so lines only go on. */
static void scan_by_hyperscan(struct scan *s, enum weir_area_kind kind)
{
    for (size_t from = s->from; from < s->until && !s->flooded; from += WEIR_HYPERSCAN_PIECE) {
        size_t room = s->until - from;
        struct weir_slice text = {s->area->text,
                                  from + (room < WEIR_HYPERSCAN_PIECE ? room
                                                                      : WEIR_HYPERSCAN_PIECE)};
        s->scratch->standings = 0;
        if (weir_hyperscan_scan(s->prefilter->hyperscan, s->scratch->hyperscan, kind, text, from,
                                keep_standing, s))
            note_standing(s);
        else
            prefilter_flood(s);
    }
}

/* sorting ------------------------------------------------------------------------- */

/* Merges sorted pieces of width keys, from one array into the other. */
static void merge(const uint64_t *from, uint64_t *to, size_t n, size_t width)
{
    for (size_t begin = 0; begin < n; begin += 2 * width) {
        size_t a = begin, a_end = begin + width < n ? begin + width : n;
        size_t b = a_end, b_end = begin + 2 * width < n ? begin + 2 * width : n;
        for (size_t i = begin; i < b_end; i++)
            to[i] = a < a_end && (b == b_end || from[a] <= from[b]) ? from[a++] : from[b++];
    }
}

/* By rule; they come by line. */
static const struct weir_candidate *sort(struct weir_prefilter_scratch *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->key[i] = (uint64_t)s->candidate[i].rule << 32 | i;
    for (size_t width = 1; width < s->n; width *= 2) {
        merge(s->key, s->key_room, s->n, width);
        uint64_t *other = s->key;
        s->key = s->key_room;
        s->key_room = other;
    }
    for (size_t i = 0; i < s->n; i++)
        s->sorted[i] = s->candidate[s->key[i] & UINT32_MAX];
    return s->sorted;
}

/* A stamp for each line of a text that no line had before. */
static uint32_t new_stamps(struct weir_prefilter_scratch *s, size_t lines)
{
    if (s->stamp > UINT32_MAX - 1 - lines) {
        memset(s->seen, 0, s->rules * sizeof *s->seen);
        s->stamp = 0;
    }
    uint32_t first = s->stamp + 1;
    s->stamp += (uint32_t)lines;
    return first;
}

static uint64_t cost(const struct scan *s, uint64_t looks)
{
    return (s->until - s->from) * OCTET_UNITS + looks * LOOK_UNITS + s->notes * NOTE_UNITS +
           s->scratch->n * CANDIDATE_UNITS;
}

uint64_t weir_prefilter_work(const struct weir_prefilter_scratch *scratch)
{
    return scratch->work;
}

static size_t scan(const struct weir_prefilter *prefilter, struct weir_prefilter_scratch *scratch,
                   enum weir_area_kind kind, const struct weir_area *area,
                   const uint32_t *selector, size_t from, size_t until,
                   const struct weir_candidate **candidate_r)
{
    const uint8_t *octets = prefilter->octets;
    const struct prefilter_part *part = (const void *)(octets + prefilter->part[kind]);
    struct scan s = {.prefilter = prefilter, .part = part, .scratch = scratch, .area = area,
                     .filter = (const void *)(octets + part->filter.place),
                     .bucket = (const void *)(octets + part->bucket.place),
                     .id = (const void *)(octets + part->id.place),
                     .key = (const void *)(octets + part->key.place),
                     .run = (const void *)(octets + part->run.place),
                     .set = (const void *)(octets + part->set.place),
                     .text = (const unsigned char *)area->text, .len = weir_area_len(area)};
    s.until = until < s.len ? until : s.len;
    s.from = from < s.until ? from : s.until;
    scratch->n = 0;
    scratch->work = 0;
    *candidate_r = scratch->sorted;
    if (area->lines == 0 || part->rule.n == 0 || scratch->rules < prefilter->rules)
        return 0;
    const uint64_t work = (uint64_t)(s.until - s.from) * WEIR_PREFILTER_WORK_MAX +
                          (s.until - s.from < s.len ? WEIR_PREFILTER_WORK_FREE / PARTS_FREE
                                                    : WEIR_PREFILTER_WORK_FREE);
    s.work = work;
    s.stamp = new_stamps(scratch, area->lines);
    if (prefilter->hyperscan && scratch->hyperscan && weir_hyperscan_serves(kind))
        scan_by_hyperscan(&s, kind);
    else
        scan_by_grams(&s, selector);
    prefilter_run_steppers(&s, selector);
    scratch->work = cost(&s, work - s.work);
    *candidate_r = sort(scratch);
    return scratch->n;
}

size_t weir_prefilter_scan(const struct weir_prefilter *prefilter,
                           struct weir_prefilter_scratch *scratch, enum weir_area_kind kind,
                           const struct weir_area *area, const uint32_t *selector,
                           const struct weir_candidate **candidate_r)
{
    return scan(prefilter, scratch, kind, area, selector, 0, SIZE_MAX, candidate_r);
}

size_t weir_prefilter_scan_part(const struct weir_prefilter *prefilter,
                                struct weir_prefilter_scratch *scratch, enum weir_area_kind kind,
                                const struct weir_area *area, size_t from, size_t until,
                                const struct weir_candidate **candidate_r)
{
    return scan(prefilter, scratch, kind, area, NULL, from, until, candidate_r);
}
