/*
 * doctor_disk.c: does the directory of the runs do what a journal and checkpoints need?
 */
#define _GNU_SOURCE /* F_OFD_SETLK */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "wire/control.h"

#define GIB 0x1p30
#define LITTLE_SPACE ((uint64_t)1 << 30)
#define NO_SPACE ((uint64_t)16 << 20)

/* --- kinds of file systems --------------------------------------------------- */

struct kind {
    uint32_t magic; /* statfs(2) */
    const char *name;
    const char *todo; /* "": as good as any */
};

#define SHARED                                                                 \
    "shared by hosts: drive a run from one host at a time; another takes "     \
    "over "                                                                    \
    "after 60 s"
#define PASSING "runs are lost with it: choose another with --dir or PBT_DIR"

static const struct kind kinds[] = {
    {0x0000ef53, "ext4", ""},
    {0x58465342, "xfs", ""},
    {0x9123683e, "btrfs", ""},
    {0x2fc12fc1, "zfs", ""},
    {0xf2f52010, "f2fs", ""},
    {0x00006969, "NFS", SHARED},
    {0x0bd00bd0, "Lustre", SHARED},
    {0x47504653, "GPFS", SHARED},
    {0x19830326, "BeeGFS", SHARED},
    {0x00c36400, "Ceph", SHARED},
    {0xff534d42, "CIFS", SHARED},
    {0xfe534d42, "SMB", SHARED},
    {0x65735546, "FUSE", ""},
    {0x01021997, "9p", ""},
    {0x01021994, "tmpfs (memory)", PASSING},
    {0x794c7630, "overlayfs (of a container)", PASSING},
};

static void check_kind(struct pbt_doctor *doctor, const char *dir)
{
    struct statfs about;
    if (statfs(dir, &about) != 0) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "file system", "", "%s: %s",
                       dir, strerror(errno));
        return;
    }
    uint32_t magic = (uint32_t)about.f_type;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].magic == magic) {
            pbt_doctor_add(doctor,
                           kinds[i].todo[0] != '\0' ? PBT_DOCTOR_WARNING
                                                    : PBT_DOCTOR_OK,
                           "file system", kinds[i].todo, "%s", kinds[i].name);
            return;
        }
    }
    pbt_doctor_add(doctor, PBT_DOCTOR_OK, "file system", "",
                   "of the kind 0x%08" PRIx32, magic);
}

static void check_space(struct pbt_doctor *doctor, const char *dir)
{
    struct statvfs about;
    if (statvfs(dir, &about) != 0) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "space", "", "%s: %s", dir,
                       strerror(errno));
        return;
    }
    uint64_t left = (uint64_t)about.f_bavail * about.f_frsize;
    /* Some file systems don't count them, and say that none are left. */
    bool no_files = about.f_files > 0 && about.f_favail == 0;
    enum pbt_doctor_level level = left < NO_SPACE || no_files ? PBT_DOCTOR_ERROR
                                  : left < LITTLE_SPACE ? PBT_DOCTOR_WARNING
                                                        : PBT_DOCTOR_OK;
    pbt_doctor_add(doctor, level, "space",
                   level != PBT_DOCTOR_OK
                       ? "make room, or choose another with --dir or PBT_DIR"
                       : "",
                   "%.3g GiB are free%s", (double)left / GIB,
                   no_files ? ", but no more files can be made" : "");
}

/* --- trying ------------------------------------------------------------------ */

/* What failed, in words, or NULL; errno tells why. */

static const char *try_lock(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int first = open(path, O_RDWR | O_CLOEXEC);
    int second = open(path, O_RDWR | O_CLOEXEC);
    const char *failed = NULL;
    if (first < 0 || second < 0) {
        failed = "open a file";
    } else if (fcntl(first, F_OFD_SETLK, &lock) != 0) {
        failed = "lock a file";
    } else if (fcntl(second, F_OFD_SETLK, &lock) == 0) {
        failed = "lock a file: a lock shuts nobody out";
        errno = 0;
    }
    int number = errno;
    if (first >= 0) {
        (void)close(first);
    }
    if (second >= 0) {
        (void)close(second);
    }
    errno = number;
    return failed;
}

static const char *try_files(const char *dir, const char *file,
                             const char *renamed)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return "make a file";
    }
    const char *failed = write(fd, "pbt\n", 4) != 4 ? "write a file"
                         : fsync(fd) != 0           ? "sync a file"
                                                    : NULL;
    int number = errno;
    (void)close(fd);
    errno = number;
    if (failed != NULL) {
        return failed;
    }
    if (rename(file, renamed) != 0) {
        return "rename a file";
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    failed = fd < 0 || fsync(fd) != 0 ? "sync a directory" : NULL;
    number = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    errno = number;
    return failed != NULL ? failed : try_lock(renamed);
}

static const char *try_all(const char *dir)
{
    char file[PATH_MAX];
    char renamed[PATH_MAX];
    int a = snprintf(file, sizeof file, "%s/file", dir);
    int b = snprintf(renamed, sizeof renamed, "%s/renamed", dir);
    if (a < 0 || b < 0 || (size_t)a >= sizeof file ||
        (size_t)b >= sizeof renamed) {
        errno = ENAMETOOLONG;
        return "make a file";
    }
    const char *failed = try_files(dir, file, renamed);
    int number = errno;
    (void)unlink(file);
    (void)unlink(renamed);
    errno = number;
    return failed;
}

/* `pbt stop` and its kin reach a run over a socket in its directory. */
static void check_socket(struct pbt_doctor *doctor, const char *dir)
{
    struct pbt_control_listener listener;
    struct pbt_error error;
    if (pbt_control_listen(dir, &listener, &error) != PBT_OK) {
        pbt_doctor_add(doctor, PBT_DOCTOR_WARNING, "control",
                       "pbt stop, pause and resume can't reach a run here; "
                       "Ctrl-C can",
                       "%s", error.text);
        return;
    }
    pbt_control_close(dir, &listener);
    pbt_doctor_add(doctor, PBT_DOCTOR_OK, "control", "",
                   "a socket can be made");
}

static void check_works(struct pbt_doctor *doctor, const char *dir)
{
    char scratch[PATH_MAX];
    int n = snprintf(scratch, sizeof scratch, "%s/.pbt-doctor-XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof scratch || mkdtemp(scratch) == NULL) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "writing",
                       "choose a directory that is yours with --dir or PBT_DIR",
                       "can't make a directory in %s: %s", dir,
                       n < 0 || (size_t)n >= sizeof scratch
                           ? strerror(ENAMETOOLONG)
                           : strerror(errno));
        return;
    }
    const char *failed = try_all(scratch);
    if (failed != NULL) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "writing",
                       "choose another directory with --dir or PBT_DIR",
                       "can't %s in %s%s%s", failed, dir,
                       errno != 0 ? ": " : "",
                       errno != 0 ? strerror(errno) : "");
    } else {
        pbt_doctor_add(doctor, PBT_DOCTOR_OK, "writing", "",
                       "files can be made, synced, renamed and locked");
        check_socket(doctor, scratch);
    }
    (void)rmdir(scratch);
}

/* The directory, or the nearest one above it that is there: it would be made there. */
static bool nearest(const char *runs, char *dir, size_t size)
{
    struct stat about;
    int n = snprintf(dir, size, "%s%s", runs[0] == '/' ? "" : "./", runs);
    if (n < 0 || (size_t)n >= size) {
        return false;
    }
    while (stat(dir, &about) != 0 && errno == ENOENT) {
        char *slash = strrchr(dir, '/');
        if (slash == dir || slash == NULL) {
            (void)snprintf(dir, size, "/");
            return true;
        }
        *slash = '\0';
    }
    return true;
}

void pbt_doctor_disk(struct pbt_doctor *doctor, const char *runs)
{
    char dir[PATH_MAX];
    struct stat about;
    if (!nearest(runs, dir, sizeof dir) || stat(dir, &about) != 0 ||
        !S_ISDIR(about.st_mode)) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "runs",
                       "name another with --dir or PBT_DIR",
                       "%s is no directory, and can't become one", runs);
        return;
    }
    bool there = stat(runs, &about) == 0;
    pbt_doctor_add(doctor, PBT_DOCTOR_OK, "runs", "", "%s%s", runs,
                   there ? "" : ", which the first run makes");
    check_kind(doctor, dir);
    check_space(doctor, dir);
    check_works(doctor, dir);
}
