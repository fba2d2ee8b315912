/*
 * numbers_io - a file in its full length, read and written whole.  Locks are of the open file, so
 * that no other handle of the process gives them back: one octet of it says that a daemon lives,
 * the next one that somebody adds.
 */
#include "core/engine/numbers_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/numbers_impl.h"

#define FOLDER_MODE 01770 /* nobody takes away another one's file */
#define FILE_MODE 0640
#define LENGTH sizeof(struct weir_numbers_area)
#define NAP (WEIR_SECOND / 1000)
#define READINGS 5
#define ANEW "; it is made anew"
#define USELESS "of another version, damaged, or somebody else's"
#define UNHEARD "; nobody can ask for our numbers"

enum lock { LOCK_LIVES, LOCK_ADDS };

struct place {
    char folder[PATH_MAX], path[PATH_MAX];
};

struct weir_numbers_file {
    struct place place;
    const struct weir_log *log;
    const struct weir_clock *steady;
    bool lives;
    int fd;                      /* -1: none; a process of one message has none between */
    bool had;                    /* it was given before */
    bool anew;                   /* what it had is in known, not in the file */
    bool trouble;                /* it was told that nothing can be given */
    weir_time due;               /* steady: when a daemon gives again */
    weir_time locked;            /* steady: since when somebody has the lock; 0: nobody */
    struct weir_log_gate made, changed; /* lines about a file made anew, and about trouble */
    struct weir_numbers_area told;  /* of what was counted here, what was given */
    struct weir_numbers_area known; /* what the file had after that */
    struct weir_numbers_area now, sums;
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

static bool is_whole(const struct stat *file)
{
    return S_ISREG(file->st_mode) && file->st_size == (off_t)LENGTH;
}

/* Nobody else writes to it, and nothing else is meant by it. */
static bool is_own(const struct stat *file)
{
    return S_ISREG(file->st_mode) && file->st_uid == geteuid() && file->st_nlink == 1;
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* False: there were too many such lines of late. */
static bool say(struct weir_numbers_file *file, struct weir_log_gate *gate,
                enum weir_log_level level, const char *what, const char *more)
{
    char lines[32] = "";
    unsigned held;

    if (!weir_log_gate_open(gate, weir_clock_now(file->steady), WEIR_MINUTE, &held))
        return false;
    if (held > 0)
        snprintf(lines, sizeof lines, " (%u more)", held);
    weir_log(file->log, file->lives ? level : WEIR_LOG_DEBUG, "%s: %s%s%s", file->place.path, what,
             more, lines);
    return true;
}

/* locks --------------------------------------------------------------------------------------- */

static int use_lock(int fd, enum lock what, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = what, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &lock);
}

/* False: somebody else adds now.  Where files cannot be locked all go ahead. */
static bool try_lock(int fd)
{
    return use_lock(fd, LOCK_ADDS, F_WRLCK) == 0 || (errno != EAGAIN && errno != EACCES);
}

static bool somebody_lives(int fd)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_LIVES, .l_len = 1};

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* making -------------------------------------------------------------------------------------- */

/* The folder's group may read it, whoever made it: Exim's processes have one of their own. */
static void give_to_group(int fd, const char *folder)
{
    struct stat there;

    if (stat(folder, &there) == 0)
        (void)!fchown(fd, (uid_t)-1, there.st_gid);
}

/* Empty, and with all its room, so that no write fails later for want of it. */
static bool fill(int fd, uint64_t layout)
{
    struct { char magic[8]; uint64_t layout; } head = {WEIR_NUMBERS_MAGIC, layout};
    int done = posix_fallocate(fd, 0, (off_t)LENGTH);

    errno = done ? done : errno;
    return done == 0 && fchmod(fd, FILE_MODE) == 0 &&
           pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head;
}

/* Where there was none the first one who makes it wins, or what the others count would be lost.
 * What is replaced has to be what was found.  False with errno, ESTALE: it is not so any more. */
static bool put_there(const char *beside, const char *path, const struct stat *instead)
{
    struct stat there;

    if (!instead && renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if (!instead && errno != EEXIST)
        return errno == EINVAL && rename(beside, path) == 0; /* or it cannot do that */
    if (instead && lstat(path, &there) == 0 && is_same(&there, instead))
        return rename(beside, path) == 0;
    errno = ESTALE;
    return false;
}

/* A new file in the place, in place of another one or, for NULL, of none, and locked already: who
 * finds it waits until its maker has written.  -1 with errno, ESTALE: another one was faster. */
static int make(const struct place *place, uint64_t layout, const struct stat *instead)
{
    char beside[PATH_MAX];
    int fd, error;

    if (snprintf(beside, sizeof beside, "%s.%ld", place->path, (long)getpid()) >=
        (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdir(place->folder, 0700) == 0)
        (void)chmod(place->folder, FOLDER_MODE); /* whatever the umask is */
    (void)unlink(beside); /* of one that was killed here, and had this number */
    fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd >= 0) {
        give_to_group(fd, place->folder);
        (void)use_lock(fd, LOCK_ADDS, F_WRLCK);
    }
    if (fd >= 0 && fill(fd, layout) && put_there(beside, place->path, instead))
        return fd;
    error = errno;
    if (fd >= 0) {
        (void)unlink(beside);
        close(fd);
    }
    errno = error;
    return -1;
}

/* finding ------------------------------------------------------------------------------------- */

enum found { FOUND_NONE, FOUND_USELESS, FOUND_OTHER }; /* FOUND_OTHER: it stays where it is */

static bool has_head(int fd, uint64_t layout)
{
    struct { char magic[8]; uint64_t layout; } head;
    struct stat there;

    return fstat(fd, &there) == 0 && is_own(&there) && is_whole(&there) &&
           pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
           memcmp(head.magic, WEIR_NUMBERS_MAGIC, sizeof head.magic) == 0 &&
           head.layout == layout;
}

/* Of what is no file of ours: an empty folder is taken away. */
static enum found make_room(const char *path, const struct stat *there)
{
    if (!S_ISDIR(there->st_mode))
        return FOUND_USELESS;
    return rmdir(path) == 0 ? FOUND_NONE : FOUND_OTHER;
}

/* Our file that is there, whatever it holds, or -1 with errno and what is in its place. */
static int find_file(const struct place *place, struct stat *there_r, enum found *found_r)
{
    int fd;

    if (lstat(place->path, there_r) < 0) {
        *found_r = errno == ENOENT ? FOUND_NONE : FOUND_OTHER;
        return -1;
    }
    if (!is_own(there_r)) {
        *found_r = make_room(place->path, there_r);
        return -1;
    }
    fd = open(place->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        *found_r = errno == ELOOP || errno == EACCES ? FOUND_USELESS
                   : errno == ENOENT                 ? FOUND_NONE
                                                     : FOUND_OTHER;
    else if ((there_r->st_mode & 07777) != FILE_MODE)
        (void)fchmod(fd, FILE_MODE); /* there was a version that let the group write */
    return fd;
}

static void detach(struct weir_numbers_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static void use_file(struct weir_numbers_file *file, int fd, bool anew)
{
    file->fd = fd;
    file->anew = anew;
    file->locked = 0;
    if (fd >= 0 && file->lives)
        (void)use_lock(fd, LOCK_LIVES, F_RDLCK);
}

/* From here on: 1: the file is there; 0: others change it just now, it is to be looked for again;
 * WEIR_EIO with errno. */
static int use_new(struct weir_numbers_file *file, const struct stat *instead, const char *why)
{
    int fd = make(&file->place, file->known.layout, instead);

    if (fd < 0)
        return errno == ESTALE ? 0 : WEIR_EIO;
    detach(file);
    use_file(file, fd, true);
    if (why)
        (void)say(file, &file->made, WEIR_LOG_WARNING, why, ANEW);
    return 1;
}

/* In place of ours. */
static int replace(struct weir_numbers_file *file, const char *why)
{
    struct stat ours;

    return fstat(file->fd, &ours) == 0 ? use_new(file, &ours, why) : WEIR_EIO;
}

static bool is_in_place(const struct weir_numbers_file *file)
{
    struct stat ours, there;

    return file->fd >= 0 && fstat(file->fd, &ours) == 0 && lstat(file->place.path, &there) == 0 &&
           is_same(&ours, &there);
}

static int attach(struct weir_numbers_file *file)
{
    struct stat there;
    enum found found;
    int fd;

    if (is_in_place(file))
        return 1;
    detach(file);
    fd = find_file(&file->place, &there, &found);
    if (fd < 0 && found == FOUND_NONE)
        return use_new(file, NULL, file->had ? "taken away" : NULL);
    if (fd < 0 && found == FOUND_USELESS)
        return use_new(file, &there, USELESS);
    use_file(file, fd, false);
    return fd >= 0 ? 1 : WEIR_EIO;
}

/* giving -------------------------------------------------------------------------------------- */

/* What the file has now, or, where that cannot be, what it had. */
static void read_known(struct weir_numbers_file *file, enum weir_numbers_program program)
{
    if (file->anew)
        return;
    if (pread(file->fd, &file->sums, LENGTH, 0) == (ssize_t)LENGTH &&
        weir_numbers_sound(&file->sums, program, file->known.layout)) {
        file->known = file->sums;
    } else {
        file->anew = true;
        (void)say(file, &file->made, WEIR_LOG_WARNING, "damaged", ANEW);
    }
}

static bool write_sums(struct weir_numbers_file *file, enum weir_numbers_program program)
{
    ssize_t done;

    read_known(file, program);
    if (!file->anew && memcmp(&file->now, &file->told, LENGTH) == 0)
        return true; /* whoever does nothing lets disks sleep */
    file->sums = file->known;
    weir_numbers_sum(&file->sums, &file->now, &file->told, file->lives);
    done = pwrite(file->fd, &file->sums, LENGTH, 0);
    if (done != (ssize_t)LENGTH) {
        errno = done < 0 ? errno : ENOSPC;
        file->anew = true; /* a part of it may be written */
        return false;
    }
    file->known = file->sums;
    file->told = file->now;
    file->anew = false;
    file->had = true;
    return true;
}

/* Somebody adds for too long: he is stopped, or means ill. */
static int lose_patience(struct weir_numbers_file *file)
{
    weir_time now = weir_clock_now(file->steady);

    if (file->locked == 0)
        file->locked = now;
    return file->lives && now - file->locked >= WEIR_NUMBERS_PATIENCE
               ? replace(file, "locked by somebody") : 0;
}

/* 1: given; 0: somebody else adds now; WEIR_EIO with errno.  One that was replaced before it was
 * locked is looked for again; who replaces it has its lock, so that what is given meanwhile is not
 * lost. */
static int try_to_give(struct weir_numbers_file *file, enum weir_numbers_program program)
{
    int done = attach(file);

    if (done == 1 && !try_lock(file->fd))
        done = lose_patience(file);
    if (done != 1)
        return done;
    file->locked = 0;
    if (!is_in_place(file))
        done = 0;
    else if (!has_head(file->fd, file->known.layout))
        done = replace(file, USELESS);
    if (done == 1 && !write_sums(file, program))
        done = WEIR_EIO;
    (void)use_lock(file->fd, LOCK_ADDS, F_UNLCK);
    return done;
}

static void nap(void)
{
    const struct timespec time = {.tv_nsec = NAP * 1000};

    (void)nanosleep(&time, NULL);
}

/* Told when it begins and when it ends; held back, it is told a little later. */
static void tell(struct weir_numbers_file *file, int error)
{
    if (file->trouble == (error != 0))
        return;
    if (error != 0 ? say(file, &file->changed, WEIR_LOG_WARNING, strerror(error), UNHEARD)
                   : say(file, &file->changed, WEIR_LOG_INFO, "one can ask for our numbers again",
                         ""))
        file->trouble = error != 0;
}

static bool give(struct weir_numbers *numbers, unsigned tries)
{
    struct weir_numbers_file *file = numbers->file;
    int done = 0, error;

    weir_numbers_snapshot(&file->now, numbers->area);
    if (!file->lives && memcmp(&file->now, &file->told, sizeof file->now) == 0)
        return true;
    while ((done = try_to_give(file, numbers->program)) == 0 && --tries > 0)
        nap();
    error = errno;
    if (!file->lives)
        detach(file);
    if (done != 0)
        tell(file, done < 0 ? error : 0);
    return done > 0;
}

bool weir_numbers_give(struct weir_numbers *numbers)
{
    struct weir_numbers_file *file = numbers ? numbers->file : NULL;
    weir_time now;

    if (!file)
        return true;
    now = weir_clock_now(&numbers->steady);
    if (file->lives && now < file->due)
        return true;
    file->due = now + WEIR_SECOND;
    return give(numbers, file->lives ? 1 : WEIR_NUMBERS_WAIT / NAP);
}

/* opening and closing ------------------------------------------------------------------------- */

static int open_file(struct weir_numbers *numbers, const struct weir_config *config, bool lives,
                     const struct weir_log *log)
{
    struct weir_numbers_file *file = calloc(1, sizeof *file);

    if (!file)
        return WEIR_ENOMEM;
    if (!find_place(config, numbers->program, &file->place)) {
        weir_log(log, lives ? WEIR_LOG_WARNING : WEIR_LOG_DEBUG,
                 "%s: %s" UNHEARD, file->place.path, strerror(ENAMETOOLONG));
        free(file);
        return 0;
    }
    file->fd = -1;
    file->log = log;
    file->steady = &numbers->steady;
    file->lives = lives;
    weir_numbers_clear(&file->known);
    numbers->file = file;
    return 0;
}

int weir_numbers_open(const struct weir_config *config, enum weir_numbers_program program,
                      bool lives, const struct weir_log *log, struct weir_numbers **numbers_r)
{
    struct weir_numbers *numbers = calloc(1, sizeof *numbers);
    struct weir_clock wall = weir_clock_system();

    if (!numbers)
        return WEIR_ENOMEM;
    numbers->program = program;
    numbers->steady = weir_clock_steady();
    (void)weir_numbers_places(numbers->first);
    numbers->area = calloc(1, LENGTH);
    if (!numbers->area ||
        (config->numbers_folder[0] && open_file(numbers, config, lives, log) < 0)) {
        weir_numbers_close(&numbers);
        return WEIR_ENOMEM;
    }
    if (lives) {
        weir_numbers_set(numbers, WEIR_NUMBER_START, 0, weir_clock_now(&wall) / WEIR_SECOND);
        (void)weir_numbers_give(numbers);
    }
    *numbers_r = numbers;
    return 0;
}

void weir_numbers_close(struct weir_numbers **numbers)
{
    struct weir_numbers *it = *numbers;

    if (!it)
        return;
    if (it->file) {
        (void)give(it, WEIR_NUMBERS_WAIT / NAP);
        detach(it->file);
    }
    free(it->file);
    free(it->area);
    free(it);
    *numbers = NULL;
}

/* reading ------------------------------------------------------------------------------------- */

/* Who adds may be at it just now: what is unsound is read again. */
static int read_area(int fd, enum weir_numbers_program program, struct weir_numbers_area *area)
{
    const uint64_t layout = weir_numbers_layout();
    struct stat there;

    if (fstat(fd, &there) < 0 || !is_whole(&there))
        return WEIR_ECORRUPT;
    for (unsigned i = 0; i < READINGS; i++) {
        if (i > 0)
            nap();
        if (pread(fd, area, LENGTH, 0) != (ssize_t)LENGTH)
            return WEIR_EIO;
        if (weir_numbers_sound(area, program, layout))
            return 1;
    }
    return WEIR_ECORRUPT;
}

static int copy_file(int fd, enum weir_numbers_program program, struct weir_numbers_copy *copy_r)
{
    struct weir_numbers_area *area = calloc(1, LENGTH);
    int done = area ? read_area(fd, program, area) : WEIR_ENOMEM;

    if (done < 0) {
        free(area);
        return done;
    }
    *copy_r = (struct weir_numbers_copy){.area = area, .up = somebody_lives(fd)};
    return done;
}

static int read_numbers(const struct weir_config *config, enum weir_numbers_program program,
                        struct weir_numbers_copy *copy_r)
{
    struct place place;
    int fd, done;

    if (!config->numbers_folder[0])
        return 0;
    if (!find_place(config, program, &place))
        return WEIR_ELIMIT;
    fd = open(place.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : WEIR_EIO;
    done = copy_file(fd, program, copy_r);
    close(fd);
    return done;
}

int weir_numbers_read(const struct weir_config *config, enum weir_numbers_program program,
                      struct weir_numbers_copy *copy_r)
{
    int done;

    *copy_r = (struct weir_numbers_copy){0};
    done = read_numbers(config, program, copy_r);
    copy_r->error = done < 0 ? done : 0;
    return done;
}

void weir_numbers_forget(struct weir_numbers_copy *copy)
{
    free(copy->area);
    *copy = (struct weir_numbers_copy){0};
}
