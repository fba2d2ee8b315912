/*
 * machine - which machine this is, as far as a copy of its disk is told from it.
 *
 * A copied machine has all files of the first, also /etc/machine-id; what hypervisors and clouds
 * give each of their own are the addresses of its network cards, since two with the same could not
 * work in one network.  (product_uuid would say more, but only root may read it.)  Bridges, tunnels
 * and containers' ends have no card behind them and come and go: they do not count.  A container
 * has no card at all: there it is the addresses of its own ends, which are others in a copy of it,
 * and when it is made anew.
 *
 * Threads:  any.  Errors: none; what cannot be read does not count.
 */
#ifndef WEIR_AGENT_MACHINE_IO_H
#define WEIR_AGENT_MACHINE_IO_H

#define WEIR_MACHINE_TEXT 17     /* 16 hex digits and a NUL */

/* Hex digits that are others on another machine; as a root has it: "" for this one.  Returns
 * text_r. */
const char *weir_machine_name(const char *root, char text_r[static WEIR_MACHINE_TEXT]);

#endif
