/* Any bytes as a line of the spool: what is told lies inside it, and only hops down to the
 * boundary are believed and learned from. */
#include <stdlib.h>

#include "core/store/spool_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void inside(const uint8_t *data, size_t size, struct weir_slice slice)
{
    uintptr_t begin = (uintptr_t)data, at = (uintptr_t)slice.at;
    must(slice.len == 0 || (at >= begin && at - begin <= size && slice.len <= size - (at - begin)));
}

static void learn(const struct weir_spool_line *line)
{
    const struct weir_gateway_settings defaults = weir_gateway_defaults();
    const struct weir_hash_key key = {{1}};
    const struct weir_gateway_sighting about = {
        .at = WEIR_DAY, .listener = line->listener, .domain = line->domain,
        .recipient = line->recipient, .dkim_domain = line->dkim};
    const struct weir_boundary boundary = {
        .found = line->found, .index = line->index, .hop = line->hop, .hops = line->hops};
    struct weir_gateways *gateways = NULL;
    must(weir_gateways_new(&defaults, &key, &gateways) == 0);
    weir_boundary_observe(gateways, &boundary, &about);
    weir_gateways_free(&gateways);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_spool_line line;
    if (weir_spool_line_read((struct weir_slice){(const char *)data, size}, &line) != 1)
        return 0;
    must(size <= WEIR_SPOOL_LINE_MAX && line.hops > 0 && line.hops <= WEIR_SPOOL_HOPS_MAX);
    must(line.at.len > 0 && line.index < line.hops);
    const struct weir_slice told[] = {line.at, line.listener, line.domain, line.recipient,
                                      line.name, line.dkim, line.info, line.queue_id,
                                      line.ground, line.basis, line.confidence, line.limits};
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        inside(data, size, told[i]);
    for (size_t i = 0; i < line.hops; i++)
        must(!line.hop[i].believed || (line.found && i <= line.index && line.hop[i].has_address));
    learn(&line);
    return 0;
}
