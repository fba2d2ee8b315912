/* Any bytes as a line of a sniffer: what is read keeps its limits and is written back the same. */
#include <stdlib.h>
#include <string.h>

#include "core/store/traffic_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_slice text = {(const char *)data, size};
    struct weir_traffic traffic, same;
    struct weir_health health, alike;
    char line[WEIR_TRAFFIC_LINE_ROOM];

    if (weir_traffic_line_read(text, &traffic) == 1) {
        weir_traffic_line_write(&traffic, line);
        must(weir_traffic_line_read((struct weir_slice){line, strlen(line)}, &same) == 1);
        must(memcmp(&same, &traffic, sizeof same) == 0);
    }
    if (weir_health_line_read(text, &health) == 1) {
        weir_health_line_write(&health, line);
        must(weir_health_line_read((struct weir_slice){line, strlen(line)}, &alike) == 1);
        must(memcmp(&alike, &health, sizeof alike) == 0);
    }
    return 0;
}
