/*
 * The way of a charge through the watch.  A batch goes in blocks, and a block in three steps: who
 * is it and where do its buckets lie; bring the rows near; charge in the order given.  So that the
 * memory works on many charges at once.
 * Refuses nothing: a charge is counted whatever it says.
 */
#include "monitor/threshold/watch_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

enum { BLOCK = 32 };

/* Prefixes of the levels in the 16-octet form; an address has as many levels as it has lengths. */
static const uint8_t ipv4_bits[] = {128, 120};
static const uint8_t ipv6_bits[] = {64, 56, 48};

/* A charge on its way. */
struct step {
    struct weir_alarm_place place; /* of no level, when the charge has ended already */
    struct weir_cost cost;
};

/* Where it is charged. ---------------------------------------------------- */

static struct weir_limit wider(struct weir_limit limit, double times)
{
    return (struct weir_limit){fmin(limit.rate * times, WEIR_BUCKET_TOKENS_MAX),
                               fmin(limit.maximum * times, WEIR_BUCKET_TOKENS_MAX)};
}

struct weir_limits weir_watch_limits(const struct weir_watch *watch, unsigned class_number,
                                     unsigned level)
{
    struct weir_limits limits = watch->class[class_number].limits;
    for (unsigned q = 0; q < WEIR_QUANTITIES && level > 0; q++)
        limits.of[q] = wider(limits.of[q], watch->options.wider);
    return limits;
}

int weir_watch_level(struct weir_prefix *prefix)
{
    bool ipv4 = prefix->bits >= 96 && weir_address_is_ipv4(&prefix->address);
    const uint8_t *bits = ipv4 ? ipv4_bits : ipv6_bits;
    int levels = ipv4 ? sizeof(ipv4_bits) : sizeof(ipv6_bits);
    if (!ipv4 && prefix->bits > ipv6_bits[0])
        *prefix = weir_address_mask(&prefix->address, ipv6_bits[0]);
    for (int level = 0; level < levels; level++)
        if (prefix->bits == bits[level])
            return level;
    return -1;
}

void weir_watch_find(const struct weir_watch *watch, const struct weir_address *address,
                     struct weir_alarm_place *place)
{
    bool ipv4 = weir_address_is_ipv4(address);
    const uint8_t *bits = ipv4 ? ipv4_bits : ipv6_bits;
    unsigned levels = ipv4 ? sizeof(ipv4_bits) : sizeof(ipv6_bits);
    struct weir_class_found found = weir_classes_find(watch->classes, address);
    place->class_number = found.class_number;
    place->levels = 0;
    for (unsigned level = 0; level < levels; level++) {
        if (level > 0 && bits[level] < found.bits)
            break;
        place->prefix[level] = weir_address_mask(address, bits[level]);
        place->spot[level] = weir_buckets_spot(watch->level[level], &place->prefix[level]);
        place->levels++;
    }
}

/* Charges. --------------------------------------------------------------- */

static void count_late(struct weir_watch *watch, weir_time time)
{
    if (time < watch->newest - WEIR_MINUTE)
        watch->counts.late++;
    else if (time > watch->newest)
        watch->newest = time;
}

static void prepare(struct weir_watch *watch, const struct weir_charge *charge, struct step *step)
{
    const struct weir_watch_options *options = &watch->options;
    watch->counts.charges++;
    step->place.levels = 0;
    step->cost.time = charge->time;
    count_late(watch, charge->time);
    if (options->accepted &&
        options->accepted(options->context, step->cost.time, &charge->address)) {
        watch->counts.accepted++;
        return;
    }
    weir_watch_find(watch, &charge->address, &step->place);
    step->cost.class_number = step->place.class_number;
    memcpy(step->cost.quantity, charge->quantity, sizeof(step->cost.quantity));
    step->cost.server = charge->server;
}

static void charge_step(struct weir_watch *watch, struct step *step)
{
    struct weir_levels levels;
    for (unsigned level = 0; level < step->place.levels; level++) {
        step->place.level = level;
        if (weir_buckets_charge(watch->level[level], &step->place.spot[level], &step->cost,
                                &levels))
            weir_watch_note(watch, &step->place, &step->cost, &levels);
    }
}

static void charge_block(struct weir_watch *watch, const struct weir_charge *charge, size_t n)
{
    struct step step[BLOCK];
    for (size_t i = 0; i < n; i++)
        prepare(watch, &charge[i], &step[i]);
    for (size_t i = 0; i < n; i++)
        for (unsigned level = 0; level < step[i].place.levels; level++)
            weir_buckets_near(watch->level[level], &step[i].place.spot[level]);
    for (size_t i = 0; i < n; i++)
        charge_step(watch, &step[i]);
}

void weir_watch_charge_all(struct weir_watch *watch, const struct weir_charge *charge, size_t n)
{
    for (size_t i = 0; i < n; i += BLOCK)
        charge_block(watch, charge + i, n - i < BLOCK ? n - i : BLOCK);
}

void weir_watch_charge(struct weir_watch *watch, const struct weir_charge *charge)
{
    charge_block(watch, charge, 1);
}

void weir_watch_restore(struct weir_watch *watch, const struct weir_charge *charge)
{
    struct weir_watch_counts before = watch->counts;
    struct step step;
    prepare(watch, charge, &step);
    for (unsigned level = 0; level < step.place.levels; level++)
        weir_buckets_restore(watch->level[level], &step.place.spot[level], &step.cost);
    watch->counts = before;
}

weir_time weir_watch_span(const struct weir_watch *watch)
{
    double longest = 0;
    for (size_t i = 0; i < watch->options.class_count; i++)
        for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
            const struct weir_limit *limit = &watch->class[i].limits.of[q];
            double held = (double)WEIR_BUCKET_HELD / WEIR_SECOND;
            if (limit->maximum > 0)
                longest = fmax(longest, limit->rate > 0 ? limit->maximum / limit->rate : held);
        }
    return (weir_time)(fmin(longest, 1e9) * WEIR_SECOND);
}

/* The watch. ------------------------------------------------------------- */

static int make_classes(struct weir_watch *watch)
{
    const struct weir_watch_options *options = &watch->options;
    struct weir_class_prefix *all;
    size_t n = 0, defaults = 0;
    for (size_t i = 0; i < options->class_count; i++) {
        if (options->classes[i].prefix_count > WEIR_WATCH_PREFIXES_MAX - n)
            return WEIR_ELIMIT;
        n += options->classes[i].prefix_count;
    }
    all = calloc(n + 1, sizeof(*all));
    if (!all)
        return WEIR_ENOMEM;
    n = 0;
    for (unsigned i = 0; i < options->class_count; i++) {
        const struct weir_watch_class *class = &options->classes[i];
        for (size_t k = 0; k < class->prefix_count; k++)
            all[n++] = (struct weir_class_prefix){class->prefixes[k], i};
        if (class->prefix_count == 0) {
            watch->fallback = i;
            defaults++;
        }
    }
    int rc = defaults == 1 ? weir_classes_new(all, n, watch->fallback, &watch->classes)
                           : WEIR_EINVAL;
    free(all);
    return rc;
}

static int make_levels(struct weir_watch *watch)
{
    const struct weir_watch_options *options = &watch->options;
    for (unsigned level = 0; level < WEIR_WATCH_LEVELS; level++) {
        size_t room = level == 0 ? options->addresses : options->addresses / 4 + 1;
        int rc = weir_buckets_new(room, &options->key, &watch->level[level]);
        for (unsigned i = 0; i < options->class_count && rc == 0; i++) {
            struct weir_limits limits = weir_watch_limits(watch, i, level);
            rc = weir_buckets_limit(watch->level[level], i, &limits);
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int make_all(struct weir_watch *watch)
{
    size_t addresses = watch->options.addresses;
    int rc = make_classes(watch);
    for (size_t i = 0; i < watch->options.class_count; i++) {
        watch->class[i].prefixes = NULL; /* the caller's */
        watch->class[i].name[sizeof(watch->class[i].name) - 1] = '\0';
    }
    if (rc == 0)
        rc = make_levels(watch);
    if (rc == 0)
        rc = weir_alarms_new(addresses < WEIR_WATCH_ALARMS_MAX ? addresses : WEIR_WATCH_ALARMS_MAX,
                             &watch->alarms);
    return rc;
}

int weir_watch_new(const struct weir_watch_options *options,
                   bool (*event)(void *context, const struct weir_watch_event *event),
                   void *context, struct weir_watch **watch_r)
{
    bool wide = options->wider >= 1 && options->wider <= WEIR_BUCKET_TOKENS_MAX;
    if (!wide || options->children < 1)
        return WEIR_EINVAL;
    if (options->class_count > WEIR_WATCH_CLASSES_MAX)
        return WEIR_ELIMIT;
    struct weir_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return WEIR_ENOMEM;
    watch->options = *options;
    watch->event = event;
    watch->context = context;
    if (options->class_count > 0)
        memcpy(watch->class, options->classes, options->class_count * sizeof(watch->class[0]));
    watch->options.classes = watch->class;
    int rc = make_all(watch);
    if (rc == 0)
        *watch_r = watch;
    else
        weir_watch_free(&watch);
    return rc;
}

/* Of the class of this name, or of everybody else's. */
static unsigned class_named(const struct weir_watch *watch, const char *name)
{
    for (unsigned i = 0; i < watch->options.class_count; i++)
        if (strcmp(watch->class[i].name, name) == 0)
            return i;
    return watch->fallback;
}

void weir_watch_take_over(struct weir_watch *watch, const struct weir_watch *from)
{
    uint8_t class_of[WEIR_BUCKET_CLASSES_MAX] = {0};
    for (unsigned i = 0; i < from->options.class_count; i++)
        class_of[i] = (uint8_t)class_named(watch, from->class[i].name);
    for (unsigned level = 0; level < WEIR_WATCH_LEVELS; level++)
        weir_buckets_take_over(watch->level[level], from->level[level], class_of);
    watch->newest = from->newest;
    watch->certain = from->certain;
    watch->blind = from->blind;
    watch->went_on = true;
}

void weir_watch_free(struct weir_watch **watch)
{
    if (!*watch)
        return;
    for (unsigned level = 0; level < WEIR_WATCH_LEVELS; level++)
        weir_buckets_free(&(*watch)->level[level]);
    weir_alarms_free(&(*watch)->alarms);
    weir_classes_free(&(*watch)->classes);
    free(*watch);
    *watch = NULL;
}

const struct weir_watch_counts *weir_watch_counts(struct weir_watch *watch)
{
    watch->counts.alarms = weir_alarms_count(watch->alarms);
    watch->counts.evicted = 0;
    for (unsigned level = 0; level < WEIR_WATCH_LEVELS; level++)
        watch->counts.evicted += weir_buckets_counts(watch->level[level])->evicted;
    return &watch->counts;
}

size_t weir_watch_octets(const struct weir_watch *watch)
{
    size_t octets = sizeof(*watch) + weir_alarms_octets(watch->alarms) +
                    weir_classes_octets(watch->classes);
    for (unsigned level = 0; level < WEIR_WATCH_LEVELS; level++)
        octets += weir_buckets_octets(watch->level[level]);
    return octets;
}
