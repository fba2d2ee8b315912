/*
 * numbers_io - a file in its full length, mapped and shared; the lock is of the open file, so that
 * no other handle of the process gives it back.
 */
#include "core/engine/numbers_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/numbers_impl.h"

#define FOLDER_MODE 0770
#define FILE_MODE 0660
#define LENGTH sizeof(struct weir_numbers_area)

struct place {
    char folder[PATH_MAX], path[PATH_MAX];
};

static bool find_place(const struct weir_config *config, enum weir_numbers_program program,
                       struct place *place)
{
    const char *folder = config->numbers_folder;
    const char *top = folder[0] == '/' ? "" : config->state_directory;
    int len = snprintf(place->folder, sizeof place->folder, "%s%s%s", top, top[0] ? "/" : "",
                       folder);
    int all = snprintf(place->path, sizeof place->path, "%s/%s", place->folder,
                       weir_numbers_program_name(program));

    return len > 0 && (size_t)len < sizeof place->folder && (size_t)all < sizeof place->path;
}

static bool is_ours(int fd)
{
    struct { char magic[8]; uint64_t layout; } head;
    struct stat file;

    return fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_size == (off_t)LENGTH &&
           pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
           memcmp(head.magic, WEIR_NUMBERS_MAGIC, sizeof head.magic) == 0 &&
           head.layout == weir_numbers_layout();
}

/* making ------------------------------------------------------------------------------------ */

/* The folder's group may read it, whoever made it: Exim's processes have one of their own. */
static void give_to_group(int fd, const char *folder)
{
    struct stat there;

    if (stat(folder, &there) == 0)
        (void)!fchown(fd, (uid_t)-1, there.st_gid);
}

static bool fill(int fd)
{
    struct { char magic[8]; uint64_t layout; } head = {WEIR_NUMBERS_MAGIC, weir_numbers_layout()};
    int done = posix_fallocate(fd, 0, (off_t)LENGTH);

    errno = done ? done : errno;
    return done == 0 && fchmod(fd, FILE_MODE) == 0 &&
           pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head;
}

/* Where there was none the first one who makes it wins, or what the others count would be lost. */
static bool put_there(const char *beside, const char *path, bool first)
{
    if (first && renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    return (!first || errno == EINVAL) && rename(beside, path) == 0; /* or it cannot do that */
}

/* A new file in the place; -1 with errno, EEXIST: another one made it first. */
static int make(const struct place *place, bool first)
{
    char beside[PATH_MAX];
    int fd, error;

    if (snprintf(beside, sizeof beside, "%s.%ld", place->path, (long)getpid()) >=
        (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdir(place->folder, FOLDER_MODE) == 0)
        (void)chmod(place->folder, FOLDER_MODE); /* whatever the umask is */
    (void)unlink(beside); /* of one that was killed here, and had this number */
    fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd >= 0)
        give_to_group(fd, place->folder);
    if (fd >= 0 && fill(fd) && put_there(beside, place->path, first))
        return fd;
    error = errno;
    if (fd >= 0) {
        (void)unlink(beside);
        close(fd);
    }
    errno = error;
    return -1;
}

static bool somebody_lives(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

enum found { FOUND_NONE, FOUND_USELESS, FOUND_OTHER }; /* FOUND_OTHER: it stays where it is */

/* That is there, or -1 with errno and what is in its place.  One of another layout is replaced by a
 * daemon, and by others where no daemon counts in it, or old and new would by turns. */
static int find_file(const struct place *place, bool lives, enum found *found_r)
{
    int fd = open(place->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool stays;

    if (fd < 0) {
        *found_r = errno == ENOENT ? FOUND_NONE : errno == ELOOP ? FOUND_USELESS : FOUND_OTHER;
        return -1;
    }
    if (is_ours(fd))
        return fd;
    stays = !lives && somebody_lives(fd);
    *found_r = stays ? FOUND_OTHER : FOUND_USELESS;
    close(fd);
    errno = EBUSY;
    return -1;
}

static int open_file(const struct place *place, bool lives)
{
    enum found found = FOUND_NONE;
    int fd = find_file(place, lives, &found);

    if (fd < 0 && found != FOUND_OTHER)
        fd = make(place, found == FOUND_NONE);
    if (fd < 0 && found == FOUND_NONE && errno == EEXIST)
        fd = find_file(place, lives, &found);
    return fd;
}

static bool attach(struct weir_numbers *numbers, const struct place *place, bool lives)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    void *area;

    numbers->fd = open_file(place, lives);
    if (numbers->fd < 0)
        return false;
    area = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, numbers->fd, 0);
    if (area == MAP_FAILED)
        return false;
    numbers->area = area;
    numbers->mapped = true;
    if (lives) {
        (void)fcntl(numbers->fd, F_OFD_SETLK, &lock);
    } else {
        close(numbers->fd);
        numbers->fd = -1;
    }
    return true;
}

int weir_numbers_open(const struct weir_config *config, enum weir_numbers_program program,
                      bool lives, const struct weir_log *log, struct weir_numbers **numbers_r)
{
    struct weir_numbers *numbers = calloc(1, sizeof *numbers);
    struct weir_clock wall = weir_clock_system();
    struct place place;

    if (!numbers)
        return WEIR_ENOMEM;
    numbers->fd = -1;
    numbers->steady = weir_clock_steady();
    (void)weir_numbers_places(numbers->first);
    errno = ENAMETOOLONG;
    if (config->numbers_folder[0] &&
        !(find_place(config, program, &place) && attach(numbers, &place, lives)))
        weir_log(log, lives ? WEIR_LOG_WARNING : WEIR_LOG_DEBUG,
                 "%s: %s; nobody can ask for our numbers", place.path, strerror(errno));
    if (!numbers->area)
        numbers->area = calloc(1, LENGTH);
    if (!numbers->area) {
        weir_numbers_close(&numbers);
        return WEIR_ENOMEM;
    }
    if (lives)
        weir_numbers_set(numbers, WEIR_NUMBER_START, 0, weir_clock_now(&wall) / WEIR_SECOND);
    *numbers_r = numbers;
    return 0;
}

void weir_numbers_close(struct weir_numbers **numbers)
{
    struct weir_numbers *it = *numbers;

    if (!it)
        return;
    if (it->mapped)
        munmap(it->area, LENGTH);
    else
        free(it->area);
    if (it->fd >= 0)
        close(it->fd);
    free(it);
    *numbers = NULL;
}

/* reading ------------------------------------------------------------------------------------- */

static int copy_file(int fd, struct weir_numbers_copy *copy_r)
{
    struct weir_numbers_area *area = calloc(1, LENGTH);
    int done = area ? 1 : WEIR_ENOMEM;

    if (area && !is_ours(fd))
        done = WEIR_ECORRUPT;
    else if (area && pread(fd, area, LENGTH, 0) != (ssize_t)LENGTH)
        done = WEIR_EIO;
    if (done < 0) {
        free(area);
        return done;
    }
    *copy_r = (struct weir_numbers_copy){area, somebody_lives(fd)};
    return done;
}

int weir_numbers_read(const struct weir_config *config, enum weir_numbers_program program,
                      struct weir_numbers_copy *copy_r)
{
    struct place place;
    int fd, done;

    *copy_r = (struct weir_numbers_copy){0};
    if (!config->numbers_folder[0])
        return 0;
    if (!find_place(config, program, &place))
        return WEIR_ELIMIT;
    fd = open(place.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : WEIR_EIO;
    done = copy_file(fd, copy_r);
    close(fd);
    return done;
}

void weir_numbers_forget(struct weir_numbers_copy *copy)
{
    free(copy->area);
    *copy = (struct weir_numbers_copy){0};
}
