/* Any octets as a lesson: what is read lies within them, and its tokens grow. */
#include <stdlib.h>

#include "core/engine/lesson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_lesson lesson;

    if (weir_lesson_read((struct weir_slice){(const char *)data, size}, &lesson) != 1)
        return 0;
    for (size_t i = 1; i < lesson.tokens; i++)
        if (weir_lesson_token(lesson.token, i - 1) >= weir_lesson_token(lesson.token, i))
            abort();
    if (lesson.info.at < (const char *)data || lesson.token + 8 * lesson.tokens != data + size)
        abort();
    return 0;
}
