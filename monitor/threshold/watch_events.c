/*
 * What comes of a charge: events raised and cleared, by charges, by time, or by an analyst.
 *
 * A bucket remembers that it is over (bucket.h); the alarms remember what was told, so that time
 * alone can end it.  Where a row has gone - full again, or evicted - its alarms end with the next
 * charge, or when they are due.
 * Tells nothing twice, and no end of what was left out; refuses nothing.
 */
#include "monitor/threshold/watch_impl.h"

#define HELD_FOR WEIR_SECOND /* before it is looked at again */

/* Whether the handler takes it. */
static bool tell(struct weir_watch *watch, const struct weir_watch_event *event)
{
    if (event->raised)
        watch->counts.events++;
    else
        watch->counts.cleared++;
    return watch->event(watch->context, event);
}

/* When a bucket that has some tokens now is back at half, if nothing more is charged. */
static weir_time half_time(const struct weir_limit *limit, double tokens, weir_time last,
                           weir_time now)
{
    weir_time time = now > last ? now : last;
    if (limit->rate <= 0)
        return last + WEIR_BUCKET_HELD;
    double seconds = (limit->maximum / 2 - tokens) / limit->rate;
    if (seconds >= 1e9)
        return WEIR_ALARM_NEVER - 1;
    return seconds > 0 ? time + (weir_time)(seconds * WEIR_SECOND) : time;
}

/* Tokens a second since the buckets were last at half: what was refilled, and what is missing in
 * spite of it.  What came within a second came in a second. */
static double measured_rate(const struct weir_limit *limit, const struct weir_levels *levels,
                            enum weir_quantity quantity)
{
    double seconds = (double)(levels->time - levels->since) / WEIR_SECOND;
    double below = limit->maximum / 2 - levels->of[quantity].tokens;
    return limit->rate + below / (seconds > 1 ? seconds : 1);
}

/* Raising. --------------------------------------------------------------- */

/* Tells of it, which is tracked unless there is no alarm. */
static void tell_raised(struct weir_watch *watch, const struct weir_alarm_place *place,
                        const struct weir_cost *cost, const struct weir_levels *levels,
                        enum weir_quantity quantity, struct weir_alarm *alarm)
{
    struct weir_limits limits = weir_watch_limits(watch, place->class_number, place->level);
    const uint8_t bit = (uint8_t)(1u << quantity);
    bool taken = tell(watch, &(struct weir_watch_event){
        .raised = true,
        .observed = watch->class[place->class_number].observe,
        .untracked = alarm == NULL,
        .time = cost->time,
        .prefix = place->prefix[place->level],
        .quantity = quantity,
        .limit = limits.of[quantity],
        .tokens = levels->of[quantity].tokens,
        .rate = measured_rate(&limits.of[quantity], levels, quantity),
        .children = alarm && place->level > 0 ? alarm->offenders : 0,
        .class_name = watch->class[place->class_number].name,
        .servers = levels->servers,
        .seen = levels->seen,
    });
    if (!alarm)
        return;
    alarm->beyond = ++watch->beyond;
    alarm->seen |= levels->seen;
    alarm->word = levels->servers;
    alarm->left_out = (uint8_t)(taken ? alarm->left_out & ~bit : alarm->left_out | bit);
}

/* Without room it is told once, when the bucket raises it; and again when there is room. */
static void raise_event(struct weir_watch *watch, const struct weir_alarm_place *place,
                        const struct weir_cost *cost, const struct weir_levels *levels,
                        enum weir_quantity quantity)
{
    struct weir_limits limits = weir_watch_limits(watch, place->class_number, place->level);
    weir_time due = half_time(&limits.of[quantity], levels->of[quantity].tokens, levels->time,
                              levels->time);
    struct weir_alarm *alarm =
        weir_alarms_raise(watch->alarms, place, quantity, levels->servers, due);
    if (!alarm && !levels->of[quantity].raised)
        return;
    watch->counts.untracked += alarm == NULL;
    tell_raised(watch, place, cost, levels, quantity, alarm);
}

/* One that was left out is told when servers account for it that did not then: else whoever may
 * tell of nothing more would shelter whom he likes from the others' word. */
static void go_on(struct weir_watch *watch, const struct weir_alarm_place *place,
                  const struct weir_cost *cost, const struct weir_levels *levels,
                  enum weir_quantity quantity, struct weir_alarm *alarm)
{
    alarm->beyond = ++watch->beyond;
    alarm->seen |= levels->seen;
    if ((alarm->left_out >> quantity & 1) != 0 && (levels->servers & ~alarm->word) != 0)
        tell_raised(watch, place, cost, levels, quantity, alarm);
}

/* An address raises when its bucket does, or is over and has no alarm: there was no room, or
 * another watch had left it out.  A network raises as soon as it is over with enough offenders. */
static void raise_if_due(struct weir_watch *watch, const struct weir_alarm_place *place,
                         const struct weir_cost *cost, const struct weir_levels *levels,
                         enum weir_quantity quantity)
{
    if (!levels->of[quantity].exceeded)
        return;
    struct weir_alarm *alarm = weir_alarms_find(watch->alarms, place->spot[place->level].name);
    unsigned children = alarm ? alarm->offenders : 0;
    if (alarm && alarm->raised >> quantity & 1) {
        go_on(watch, place, cost, levels, quantity, alarm);
        return;
    }
    if (place->level == 0 || children >= watch->options.children)
        raise_event(watch, place, cost, levels, quantity);
}

/* Clearing. -------------------------------------------------------------- */

static struct weir_watch_event ended(const struct weir_watch *watch,
                                     const struct weir_alarm *alarm, weir_time time,
                                     const struct weir_levels *levels, enum weir_quantity quantity)
{
    struct weir_limits limits = weir_watch_limits(watch, alarm->class_number, alarm->level);
    return (struct weir_watch_event){
        .observed = watch->class[alarm->class_number].observe,
        .time = time,
        .prefix = alarm->prefix,
        .quantity = quantity,
        .limit = limits.of[quantity],
        .tokens = levels->of[quantity].tokens,
        .children = alarm->level > 0 ? alarm->offenders : 0,
        .class_name = watch->class[alarm->class_number].name,
        .servers = levels->servers,
        .seen = levels->seen,
    };
}

static void clear_event(struct weir_watch *watch, struct weir_alarm *alarm, weir_time time,
                        const struct weir_levels *levels, enum weir_quantity quantity)
{
    struct weir_watch_event event = ended(watch, alarm, time, levels, quantity);
    bool told = (alarm->left_out >> quantity & 1) == 0;
    weir_alarms_clear(watch->alarms, alarm, quantity);
    if (told)
        (void)tell(watch, &event);
}

/* One that saw it might tell of more, and is silent; nobody waits for the end of what nobody was
 * told of. */
static bool is_held(const struct weir_watch *watch, const struct weir_alarm *alarm)
{
    return (alarm->seen & watch->blind) != 0 && alarm->left_out != alarm->raised;
}

/* A charge found half of the tokens, or no row any more. */
static void clear_if_due(struct weir_watch *watch, const struct weir_alarm_place *place,
                         const struct weir_cost *cost, const struct weir_levels *levels,
                         enum weir_quantity quantity)
{
    if (!levels->made && !levels->of[quantity].cleared)
        return;
    struct weir_alarm *alarm = weir_alarms_find(watch->alarms, place->spot[place->level].name);
    if (alarm && alarm->raised >> quantity & 1 && !is_held(watch, alarm))
        clear_event(watch, alarm, cost->time, levels, quantity);
}

void weir_watch_note(struct weir_watch *watch, const struct weir_alarm_place *place,
                     const struct weir_cost *cost, const struct weir_levels *levels)
{
    bool alarms = weir_alarms_count(watch->alarms) > 0;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        if (alarms)
            clear_if_due(watch, place, cost, levels, q);
        raise_if_due(watch, place, cost, levels, q);
    }
}

/* Time. ------------------------------------------------------------------ */

/* Ends those events of an entry that are at half, and finds when to look at the others again. */
static void look_again(struct weir_watch *watch, struct weir_alarm *alarm, weir_time time)
{
    struct weir_limits limits = weir_watch_limits(watch, alarm->class_number, alarm->level);
    struct weir_levels levels;
    weir_time due = WEIR_ALARM_NEVER;
    unsigned raised = alarm->raised, good = 0;
    weir_buckets_settle(watch->level[alarm->level], &alarm->spot, time, alarm->class_number,
                        &levels);
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        bool is_raised = raised >> q & 1, over = levels.of[q].over;
        weir_time half = half_time(&limits.of[q], levels.of[q].tokens, levels.time, time);
        good |= (unsigned)(is_raised && !over) << q;
        if (is_raised && over && half < due)
            due = half;
    }
    if (good != raised) /* one microsecond at least, so that rounding cannot hold time up */
        weir_alarms_postpone(watch->alarms, alarm, due > time ? due : time + 1);
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        if (good >> q & 1)
            clear_event(watch, alarm, time, &levels, q);
}

void weir_watch_blind(struct weir_watch *watch, uint32_t servers)
{
    watch->blind = servers;
}

void weir_watch_advance(struct weir_watch *watch, weir_time time)
{
    struct weir_alarm *alarm;
    if (time <= watch->certain)
        return;
    watch->certain = time;
    while ((alarm = weir_alarms_first(watch->alarms)) && alarm->due <= time) {
        if (is_held(watch, alarm))
            weir_alarms_postpone(watch->alarms, alarm, time + HELD_FOR);
        else
            look_again(watch, alarm, time);
    }
}

void weir_watch_rebase(struct weir_watch *watch, weir_time now)
{
    for (unsigned level = 0; level < WEIR_WATCH_LEVELS; level++)
        weir_buckets_rebase(watch->level[level], now);
    weir_alarms_hurry(watch->alarms, now);
    watch->newest = watch->newest < now ? watch->newest : now;
    watch->certain = watch->certain < now ? watch->certain : now;
}

/* What another watch raised. --------------------------------------------- */

/* Where the prefix of an event is charged; or why nowhere. */
static const char *find_event(const struct weir_watch *watch, const struct weir_watch_event *event,
                              weir_time time, struct weir_alarm_place *place)
{
    const struct weir_watch_options *options = &watch->options;
    struct weir_prefix own = event->prefix;
    int level = weir_watch_level(&own);
    if (level < 0)
        return "it is no address or network that is watched";
    if (level == 0 && options->accepted &&
        options->accepted(options->context, time, &event->prefix.address))
        return "it is acceptable now";
    weir_watch_find(watch, &event->prefix.address, place);
    if (level > 0)
        place->class_number = weir_classes_of_network(watch->classes, &own);
    place->level = (unsigned)level;
    if (place->levels <= place->level)
        return "its class has another extent now";
    return NULL;
}

/* Empties the bucket, by the word of the same servers. */
static void exhaust(struct weir_watch *watch, const struct weir_alarm_place *place,
                    const struct weir_watch_event *event, weir_time time,
                    struct weir_levels *levels)
{
    struct weir_cost cost = {.time = time, .class_number = place->class_number};
    struct weir_buckets *buckets = watch->level[place->level];
    cost.quantity[event->quantity] = (uint32_t)(event->limit.maximum * 1.00001) + 1;
    cost.server = event->servers ? (uint32_t)__builtin_ctz(event->servers) : 0;
    weir_buckets_charge(buckets, &place->spot[place->level], &cost, levels);
    weir_buckets_vouch(buckets, &place->spot[place->level], event->servers);
}

/* Takes it from the buckets that were taken over; or why not. */
static const char *find_standing(const struct weir_watch *watch,
                                 const struct weir_alarm_place *place,
                                 const struct weir_watch_event *event, weir_time time,
                                 struct weir_levels *levels)
{
    weir_buckets_look(watch->level[place->level], &place->spot[place->level], time,
                      place->class_number, levels);
    return levels->of[event->quantity].over ? NULL : "it keeps the limits there are now";
}

const char *weir_watch_resume(struct weir_watch *watch, struct weir_watch_event *event,
                              weir_time time)
{
    struct weir_alarm_place place;
    const char *why = find_event(watch, event, time, &place);
    if (why)
        return why;
    struct weir_alarm *alarm = weir_alarms_find(watch->alarms, place.spot[place.level].name);
    if (alarm && alarm->raised >> event->quantity & 1)
        return "a later one about the same stands";
    struct weir_limits limits = weir_watch_limits(watch, place.class_number, place.level);
    struct weir_levels levels;
    event->limit = limits.of[event->quantity];
    if (event->limit.maximum <= 0)
        return "it has no limit any more";
    if (!watch->went_on)
        exhaust(watch, &place, event, time, &levels);
    else if ((why = find_standing(watch, &place, event, time, &levels)))
        return why;
    alarm = weir_alarms_raise(watch->alarms, &place, event->quantity, event->servers,
                              half_time(&event->limit, levels.of[event->quantity].tokens, time,
                                        time));
    if (!alarm) {
        weir_buckets_reset(watch->level[place.level], &place.spot[place.level]);
        return "too many stand";
    }
    alarm->seen |= event->seen;
    event->observed = watch->class[place.class_number].observe;
    event->class_name = watch->class[place.class_number].name;
    return NULL;
}

/* An analyst. ------------------------------------------------------------ */

static void reset_buckets(void *context, const struct weir_alarm *alarm)
{
    struct weir_watch *watch = context;
    struct weir_levels levels;
    weir_buckets_reset(watch->level[alarm->level], &alarm->spot);
    weir_buckets_look(watch->level[alarm->level], &alarm->spot, watch->newest,
                      alarm->class_number, &levels);
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        if ((alarm->raised & ~alarm->left_out) >> q & 1) {
            struct weir_watch_event event = ended(watch, alarm, watch->newest, &levels, q);
            (void)tell(watch, &event);
        }
}

struct weir_prefix weir_watch_own(const struct weir_prefix *prefix)
{
    struct weir_prefix own = *prefix;
    weir_watch_level(&own);
    return own;
}

struct weir_watch_standing weir_watch_standing(const struct weir_watch *watch,
                                               const struct weir_prefix *prefix)
{
    struct weir_prefix own = *prefix;
    int level = weir_watch_level(&own);
    if (level < 0)
        return (struct weir_watch_standing){0};
    struct weir_spot spot = weir_buckets_spot(watch->level[level], &own);
    const struct weir_alarm *alarm = weir_alarms_find(watch->alarms, spot.name);
    struct weir_levels levels;
    if (!alarm)
        return (struct weir_watch_standing){0};
    weir_buckets_look(watch->level[level], &spot, watch->newest, alarm->class_number, &levels);
    return (struct weir_watch_standing){alarm->raised, alarm->beyond, levels.servers,
                                        alarm->seen | levels.seen};
}

void weir_watch_reset(struct weir_watch *watch, const struct weir_prefix *prefix)
{
    struct weir_prefix own = *prefix;
    int level = weir_watch_level(&own);
    if (level >= 0) {
        struct weir_spot spot = weir_buckets_spot(watch->level[level], &own);
        weir_buckets_reset(watch->level[level], &spot);
    }
    weir_alarms_forget(watch->alarms, &own, reset_buckets, watch);
}

struct weir_level weir_watch_look(const struct weir_watch *watch, weir_time time,
                                  const struct weir_prefix *prefix, enum weir_quantity quantity,
                                  struct weir_limit *limit_r)
{
    struct weir_prefix own = *prefix;
    int level = weir_watch_level(&own);
    if (level < 0) {
        *limit_r = (struct weir_limit){.maximum = 0};
        return (struct weir_level){.tokens = 0};
    }
    unsigned class_number = level > 0
        ? weir_classes_of_network(watch->classes, &own)
        : weir_classes_find(watch->classes, &prefix->address).class_number;
    struct weir_limits limits = weir_watch_limits(watch, class_number, (unsigned)level);
    struct weir_spot spot = weir_buckets_spot(watch->level[level], &own);
    struct weir_levels levels;
    weir_buckets_look(watch->level[level], &spot, time, class_number, &levels);
    *limit_r = limits.of[quantity];
    return levels.of[quantity];
}
