/* own - what the kernel says of interfaces; they come and go while we run. */
#include "sniffer/own.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/error.h"

/* false: neither IPv4 nor IPv6. */
static bool read_address(const struct sockaddr *socket, struct weir_address *address_r)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_in four;
    struct sockaddr_in6 six;

    if (socket && socket->sa_family == AF_INET) {
        memcpy(&four, socket, sizeof four);
        memcpy(address_r->octet, mapped, sizeof mapped);
        memcpy(address_r->octet + sizeof mapped, &four.sin_addr, sizeof four.sin_addr);
        return true;
    }
    if (socket && socket->sa_family == AF_INET6) {
        memcpy(&six, socket, sizeof six);
        memcpy(address_r->octet, &six.sin6_addr, sizeof six.sin6_addr);
        return true;
    }
    return false;
}

static void read_card(const struct sockaddr *socket, struct weir_own *own)
{
    struct sockaddr_ll card;

    if (!socket || socket->sa_family != AF_PACKET)
        return;
    memcpy(&card, socket, sizeof card);
    if (card.sll_halen == WEIR_CARD)
        (void)weir_own_add_card(own, card.sll_addr);
}

int weir_own_read(struct weir_own *own)
{
    struct ifaddrs *all;
    struct weir_address address;

    if (getifaddrs(&all) != 0)
        return WEIR_EIO;
    own->count = own->cards = 0;
    for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
        if (read_address(at->ifa_addr, &address))
            (void)weir_own_add(own, &address);
        read_card(at->ifa_addr, own);
    }
    freeifaddrs(all);
    return 0;
}
