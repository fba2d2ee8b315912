/* A captured frame: link type, octets cut off, and the frame. */
#include <assert.h>
#include <stdint.h>

#include "sniffer/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_segment segment;
    if (size < 2)
        return 0;
    enum weir_link link = (enum weir_link)(data[0] % 5);
    size_t captured = size - 2, wire = captured + data[1];
    if (weir_frame_read(link, data + 2, captured, wire, &segment) == WEIR_FRAME_SEGMENT) {
        assert(segment.payload.len <= segment.payload_len && segment.payload_len <= wire);
        assert(segment.payload.at >= (const char *)data + 2 &&
               segment.payload.at + segment.payload.len <= (const char *)data + size);
    }
    return 0;
}
