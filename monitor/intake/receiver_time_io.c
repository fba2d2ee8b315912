/*
 * How far time has come on all servers, by what they tell themselves.  A server whose own time does
 * not move on, by fault or by malice, is not waited for.
 */
#include "monitor/intake/receiver_impl.h"

weir_time weir_receiver_certain(struct weir_receiver *receiver, weir_time now, weir_time silence)
{
    weir_time certain = 0, newest = 0;

    pthread_mutex_lock(&receiver->lock);
    for (size_t i = 0; i < WEIR_RECEIVER_SERVERS; i++) {
        const struct server *server = &receiver->server[i];

        if (server->heard == 0 || now - server->heard > silence)
            continue;
        if (certain == 0 || server->told < certain)
            certain = server->told;
        if (server->told > newest)
            newest = server->told;
    }
    pthread_mutex_unlock(&receiver->lock);
    return certain < newest - WEIR_RECEIVER_BEHIND ? newest - WEIR_RECEIVER_BEHIND : certain;
}

uint32_t weir_receiver_silent(struct weir_receiver *receiver, weir_time now, weir_time silence,
                              bool (*known)(void *context, uint32_t server), void *context)
{
    uint32_t silent = 0;

    pthread_mutex_lock(&receiver->lock);
    for (uint32_t i = 0; i < WEIR_RECEIVER_SERVERS; i++) {
        const struct server *server = &receiver->server[i];

        if (server->heard > 0 && now - server->heard > silence && known(context, i))
            silent |= UINT32_C(1) << i % 32;
    }
    pthread_mutex_unlock(&receiver->lock);
    return silent;
}
