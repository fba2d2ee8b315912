/*
 * Who is promoted and who demoted.  Statistics alone only propose: a spam host that forges varied
 * Received lines looks exactly like a gateway, so that something it cannot forge must speak for it.
 * The reason is looked for again in every review: when it is gone, the gateway is
 * a proposal again.
 */
#include "core/mail/gateways_impl.h"

#define FALLEN 10.0          /* share by so many times below its peak: it is gone */
#define FORWARDER_SHARE 0.95 /* of its mail goes to the few recipients */
#define VOUCHED_SHARE 0.5    /* of a provider's mail is signed in its name */
#define HIDDEN_SHARE 0.5     /* of it comes from private addresses */

const char *weir_gateway_reason(const struct weir_gateways *gateways,
                                const struct weir_address *address)
{
    for (size_t i = 0; i < gateways->reasons; i++)
        if (weir_prefix_contains(&gateways->reason[i].prefix, address))
            return gateways->reason[i].why;
    return weir_address_is_private(address) ? "a private address" : NULL;
}

const char *weir_gateway_why(const struct weir_gateways *gateways,
                             const struct weir_gateway *gateway)
{
    static const char *const text[WEIR_GATEWAY_STATES] = {
        [WEIR_GATEWAY_CANDIDATE] = "too little seen, or not like a gateway",
        [WEIR_GATEWAY_PROPOSED] = "looks like a gateway; nothing corroborates it",
        [WEIR_GATEWAY_PROVIDER] = "sends for itself: signed in its own name",
        [WEIR_GATEWAY_DEMOTED] = "its share of the mail fell tenfold",
        [WEIR_GATEWAY_REJECTED] = "rejected by an analyst",
    };
    const char *reason = weir_gateway_reason(gateways, &gateway->address);
    if (text[gateway->state])
        return text[gateway->state];
    if (gateway->decided)
        return "approved by an analyst";
    return reason ? reason : "no longer corroborated";
}

static bool looks_like_gateway(const struct weir_gateway_settings *least,
                               const struct weir_gateway_figures *f)
{
    return f->messages >= least->messages_least && f->days >= least->days_least
           && f->share >= least->share_least && f->networks >= least->networks_least
           && (!f->judged || f->recent_share >= least->share_least);
}

static bool looks_like_provider(const struct weir_gateway_settings *least,
                                const struct weir_gateway_figures *f,
                                const struct weir_gateway *gateway)
{
    return f->messages >= least->messages_least && f->days >= least->days_least
           && gateway->vouched >= VOUCHED_SHARE * f->messages
           && (f->networks < least->networks_least
               || gateway->hidden >= HIDDEN_SHARE * f->messages);
}

/* Notes how long its share has been low; true when that is a half-life. */
static bool has_fallen(struct weir_gateway *gateway, const struct weir_gateway_figures *f,
                       weir_time half_life)
{
    if (f->share > gateway->peak)
        gateway->peak = f->share;
    if (!f->judged)
        return false;
    if (f->recent_share >= gateway->peak / FALLEN)
        gateway->low_since = 0;
    else if (gateway->low_since == 0)
        gateway->low_since = gateway->at;
    return gateway->low_since > 0 && gateway->at - gateway->low_since >= half_life;
}

static enum weir_gateway_state as_seen(const struct weir_gateways *gateways,
                                       const struct weir_gateway *gateway,
                                       const struct weir_gateway_figures *f)
{
    const struct weir_gateway_settings *least = &gateways->settings;
    bool reason = weir_gateway_reason(gateways, &gateway->address) != NULL;
    enum weir_gateway_state state = (enum weir_gateway_state)gateway->state;
    bool active = state == WEIR_GATEWAY_ACTIVE || state == WEIR_GATEWAY_FORWARDER;
    if (!reason && looks_like_provider(least, f, gateway))
        return WEIR_GATEWAY_PROVIDER;
    if (!looks_like_gateway(least, f) && active)
        return reason ? state : WEIR_GATEWAY_PROPOSED;
    if (!looks_like_gateway(least, f))
        return state == WEIR_GATEWAY_DEMOTED ? state : WEIR_GATEWAY_CANDIDATE;
    if (!reason)
        return WEIR_GATEWAY_PROPOSED;
    size_t few = least->forwarder_recipients > 0 ? (size_t)least->forwarder_recipients : 0;
    bool forwards = weir_gateway_top_recipients(gateway, few) >= FORWARDER_SHARE;
    return forwards ? WEIR_GATEWAY_FORWARDER : WEIR_GATEWAY_ACTIVE;
}

static enum weir_gateway_state judge(const struct weir_gateways *gateways,
                                     struct weir_gateway *gateway)
{
    struct weir_gateway_figures f = weir_gateway_figures(gateways, gateway);
    bool active = gateway->state == WEIR_GATEWAY_ACTIVE
                  || gateway->state == WEIR_GATEWAY_FORWARDER;
    if (active && has_fallen(gateway, &f, gateways->settings.half_life))
        return WEIR_GATEWAY_DEMOTED;
    return gateway->decided ? (enum weir_gateway_state)gateway->state
                            : as_seen(gateways, gateway, &f);
}

static void take_state(struct weir_gateway *gateway, enum weir_gateway_state state)
{
    gateway->state = (uint8_t)state;
    if (state != WEIR_GATEWAY_DEMOTED)
        return;
    gateway->decided = false;
    gateway->low_since = 0;
    gateway->peak = 0;
}

void weir_gateways_review(struct weir_gateways *gateways, weir_time now,
                          void (*changed)(void *context, const struct weir_address *address,
                                          enum weir_gateway_state was,
                                          enum weir_gateway_state is, const char *why),
                          void *context)
{
    size_t kept = weir_gateways_kept(gateways);
    for (size_t i = 0; i < gateways->entries; i++) {
        struct weir_gateway *gateway = gateways->entry[i];
        weir_gateway_touch(gateway, now, gateways->settings.half_life);
        struct weir_gateway before = *gateway;
        enum weir_gateway_state state = judge(gateways, gateway);
        if (state == before.state)
            continue;
        take_state(gateway, state);
        bool more = weir_gateway_kept(gateway) && !weir_gateway_kept(&before);
        if (more && kept >= WEIR_GATEWAYS_MAX) {
            *gateway = before;
            continue;
        }
        kept += more;
        if (changed)
            changed(context, &gateway->address, (enum weir_gateway_state)before.state, state,
                    weir_gateway_why(gateways, gateway));
    }
}
