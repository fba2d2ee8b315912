/*
 * Memory straight from the system, which is asked for huge pages; that it has none is no error.
 * What is taken belongs to the caller, who says its size when giving it back.
 */
#include "monitor/threshold/memory_io.h"

#include <sys/mman.h>

void *weir_memory_take(size_t octets)
{
    void *memory = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    (void)madvise(memory, octets, MADV_HUGEPAGE);
    return memory;
}

void weir_memory_give(void *memory, size_t octets)
{
    if (memory)
        munmap(memory, octets);
}
