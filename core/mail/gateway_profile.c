/*
 * What is counted of an address: numbers that decay with the half-life, counts of different
 * networks, domains and recipients, the days on which it was seen.  All of one entry is brought to
 * one time before anything is added, so that it needs one time only.  Times that go
 * backwards count as no time at all.
 */
#include "core/mail/gateways_impl.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "core/base/slice.h"

#define DAYS_KEPT 28         /* of the 32 bits: four weeks */
#define JUDGED_LEAST 10      /* recent messages of a listener, or its shares say nothing */
#define HASHED_MOST 320      /* octets of a recipient or listener that are told apart */

static double faded(weir_time from, weir_time to, double half_life)
{
    return to > from ? exp2(-(double)(to - from) / half_life) : 1;
}

static void turn_generations(struct weir_gateway *gateway, int64_t generation)
{
    for (int turns = 0; gateway->generation < generation && turns < 2; turns++) {
        weir_hyperloglog_turn(&gateway->networks);
        weir_hyperloglog_turn(&gateway->domains);
        weir_hyperloglog_turn(&gateway->recipients);
        gateway->generation++;
    }
    if (gateway->generation < generation)
        gateway->generation = generation;
}

void weir_gateway_touch(struct weir_gateway *gateway, weir_time now, weir_time half_life)
{
    if (now <= gateway->at)
        return;
    double slow = faded(gateway->at, now, (double)half_life);
    double fast = faded(gateway->at, now, (double)half_life / WEIR_GATEWAY_RECENT);
    gateway->messages *= slow;
    gateway->vouched *= slow;
    gateway->hidden *= slow;
    gateway->peak *= faded(gateway->at, now, 8 * (double)half_life);
    for (size_t i = 0; i < WEIR_GATEWAY_RECIPIENTS; i++)
        gateway->recipient[i].messages *= slow;
    for (size_t i = 0; i < WEIR_GATEWAY_USES; i++) {
        gateway->use[i].messages *= slow;
        gateway->use[i].recent *= fast;
    }
    int64_t days = now / WEIR_DAY - gateway->day;
    if (days > 0) {
        gateway->days = days < 32 ? gateway->days << days : 0;
        gateway->day += days;
    }
    turn_generations(gateway, now / half_life);
    gateway->at = now;
}

void weir_listener_touch(struct weir_gateway_listener *listener, weir_time now,
                         weir_time half_life)
{
    if (now <= listener->at)
        return;
    double slow = faded(listener->at, now, (double)half_life);
    listener->messages *= slow;
    listener->met *= slow;
    listener->recent *= faded(listener->at, now, (double)half_life / WEIR_GATEWAY_RECENT);
    listener->at = now;
}

uint64_t weir_gateway_hash(const struct weir_gateways *gateways, char kind,
                           struct weir_slice text)
{
    char lower[HASHED_MOST + 1] = {kind};
    size_t len = text.len < HASHED_MOST ? text.len : HASHED_MOST;
    for (size_t i = 0; i < len; i++)
        lower[i + 1] = (char)(text.at[i] | (text.at[i] >= 'A' && text.at[i] <= 'Z' ? 32 : 0));
    uint64_t hash = weir_hash64(&gateways->key, lower, len + 1);
    return hash ? hash : 1;
}

/* The place of a listener at this address; the least used makes room. */
static struct weir_gateway_use *use_of(struct weir_gateway *gateway, size_t listener)
{
    struct weir_gateway_use *least = gateway->use;
    for (size_t i = 0; i < WEIR_GATEWAY_USES; i++) {
        if (gateway->use[i].listener == (int)listener)
            return &gateway->use[i];
        if (gateway->use[i].listener < 0 || gateway->use[i].messages < least->messages)
            least = &gateway->use[i];
        if (least->listener < 0)
            break;
    }
    *least = (struct weir_gateway_use){.listener = (int16_t)listener};
    return least;
}

static void count_recipient(struct weir_gateway *gateway, uint64_t hash)
{
    struct weir_gateway_recipient *at = gateway->recipient, *least = at;
    for (size_t i = 0; i < WEIR_GATEWAY_RECIPIENTS && at[i].hash != hash; i++)
        if (at[i].messages < least->messages)
            least = &at[i];
    for (size_t i = 0; i < WEIR_GATEWAY_RECIPIENTS; i++)
        if (at[i].hash == hash)
            least = &at[i];
    if (least->hash != hash)
        *least = (struct weir_gateway_recipient){hash, 0};
    least->messages += 1;
    weir_hyperloglog_add(&gateway->recipients, hash);
}

static void count_next(const struct weir_gateways *gateways, struct weir_gateway *gateway,
                       const struct weir_address *next)
{
    if (weir_address_is_private(next)) {
        gateway->hidden += 1;
        return;
    }
    struct weir_prefix net = weir_address_prefix(next, 16, 32);
    weir_hyperloglog_add(&gateway->networks, weir_hash64(&gateways->key, net.address.octet,
                                                         sizeof net.address.octet));
}

void weir_gateway_count(struct weir_gateways *gateways, struct weir_gateway *gateway,
                        const struct weir_gateway_sighting *sighting, size_t listener)
{
    weir_gateway_touch(gateway, sighting->at, gateways->settings.half_life);
    gateway->last = gateway->at;
    gateway->days |= 1;
    gateway->messages += 1;
    gateway->vouched += weir_slice_within(sighting->name, sighting->dkim_domain);
    struct weir_gateway_use *use = use_of(gateway, listener);
    use->messages += 1;
    use->recent += 1;
    if (sighting->has_next)
        count_next(gateways, gateway, &sighting->next);
    if (sighting->domain.len > 0)
        weir_hyperloglog_add(&gateway->domains, weir_gateway_hash(gateways, 'd', sighting->domain));
    if (sighting->recipient.len > 0)
        count_recipient(gateway, weir_gateway_hash(gateways, 'r', sighting->recipient));
}

struct weir_gateway_figures weir_gateway_figures(const struct weir_gateways *gateways,
                                                 const struct weir_gateway *gateway)
{
    struct weir_gateway_figures f = {
        .messages = gateway->messages,
        .days = __builtin_popcount(gateway->days & ((1u << DAYS_KEPT) - 1)),
        .networks = weir_hyperloglog_count(&gateway->networks),
        .domains = weir_hyperloglog_count(&gateway->domains),
        .recipients = weir_hyperloglog_count(&gateway->recipients),
    };
    for (size_t i = 0; i < WEIR_GATEWAY_USES; i++) {
        const struct weir_gateway_use *use = &gateway->use[i];
        if (use->listener < 0)
            continue;
        struct weir_gateway_listener listener = gateways->listener[use->listener];
        weir_listener_touch(&listener, gateway->at, gateways->settings.half_life);
        if (listener.messages > 0)
            f.share = fmax(f.share, fmin(use->messages / listener.messages, 1));
        if (listener.recent < JUDGED_LEAST)
            continue;
        f.judged = true;
        f.recent_share = fmax(f.recent_share, fmin(use->recent / listener.recent, 1));
    }
    return f;
}

/* How many recipients get more mail than one that gets so much. */
static size_t rank(const struct weir_gateway *gateway, double messages)
{
    size_t above = 0;
    for (size_t i = 0; i < WEIR_GATEWAY_RECIPIENTS; i++)
        above += gateway->recipient[i].messages > messages;
    return above;
}

double weir_gateway_top_recipients(const struct weir_gateway *gateway, size_t recipients)
{
    double sum = 0;
    for (size_t i = 0; i < WEIR_GATEWAY_RECIPIENTS; i++)
        if (rank(gateway, gateway->recipient[i].messages) < recipients)
            sum += gateway->recipient[i].messages;
    return gateway->messages > 0 ? sum / gateway->messages : 0;
}

bool weir_gateway_has_recipient(const struct weir_gateways *gateways,
                                const struct weir_gateway *gateway, struct weir_slice recipient)
{
    uint64_t hash = weir_gateway_hash(gateways, 'r', recipient);
    for (size_t i = 0; i < WEIR_GATEWAY_RECIPIENTS; i++)
        if (gateway->recipient[i].hash == hash)
            return rank(gateway, gateway->recipient[i].messages)
                   < gateways->settings.forwarder_recipients;
    return false;
}
