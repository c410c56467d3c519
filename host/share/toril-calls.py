# SPDX-License-Identifier: BSD-2-Clause
"""Kernel calls with their arguments and results as strace prints them;
toril-gdb.py loads this, and toril-strace.py uses it."""
import errno
import os
import stat as stats
import struct

import gdb

ERRNO = {v: k for k, v in vars(errno).items() if k.isupper()}
ERRNO.update({11: "EAGAIN", 95: "EOPNOTSUPP", 35: "EDEADLK"})
SIGNAL_NAMES = (
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM "
    "STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO "
    "PWR SYS").split()
LEAVES = {
    "getpid", "getuid", "getgid", "geteuid", "getegid", "setpgid", "getppid",
    "getpgrp", "setsid", "getpgid", "getsid", "gettid", "set_tid_address",
    "set_robust_list", "membarrier"}
NO_ERROR = {"getpid", "getuid", "getgid", "geteuid", "getegid", "getppid",
            "getpgrp", "gettid", "set_tid_address"}

# One letter for each argument: d number, u unsigned, x hexadecimal, o a mode
# in octal, s string, r and w a buffer whose length is the next argument or
# the result, a address; others are in DECODERS.
SIGNATURES = {
    "read": "dwu", "write": "dru", "open": "sfo", "close": "d", "stat": "sm",
    "fstat": "dm", "lstat": "sm", "newfstatat": "DsmA", "lseek": "dlW",
    "mmap": "auPMdx", "mprotect": "auP", "munmap": "au", "brk": "a",
    "ioctl": "dxa", "pread64": "dwul", "pwrite64": "drul", "readv": "dvu",
    "writev": "dVu", "access": "sR", "faccessat": "DsR", "pipe": "p",
    "pipe2": "pf", "dup": "d", "dup2": "dd", "dup3": "ddf", "poll": "nuq",
    "socket": "STI", "socketpair": "STIp", "bind": "dKu", "listen": "dd",
    "accept": "dkj", "accept4": "dkjT", "connect": "dKu", "shutdown": "dh",
    "getsockname": "dkj", "getpeername": "dkj", "sendto": "druiKu",
    "recvfrom": "dwuikj", "setsockopt": "dYybu", "getsockopt": "dYyaa",
    "fcntl": "dFg", "ftruncate": "dl", "truncate": "sl", "getcwd": "su",
    "chdir": "s", "fchdir": "d", "rename": "ss", "mkdir": "so", "rmdir": "s",
    "link": "ss", "unlink": "s", "symlink": "ss", "readlink": "sau",
    "chmod": "so", "fchmod": "do", "openat": "Dsfo", "mkdirat": "Dso",
    "unlinkat": "DsA", "renameat": "DsDs", "linkat": "DsDsA", "fsync": "d",
    "fdatasync": "d", "exit_group": "d", "exit": "d", "nanosleep": "ta",
    "clock_nanosleep": "Ccta", "futex": "aXuaax", "kill": "dG",
    "tkill": "dG", "tgkill": "ddG", "umask": "o", "madvise": "aud",
    "getpgid": "d", "getsid": "d", "setpgid": "dd", "setsid": "",
    "epoll_create1": "x", "epoll_ctl": "ddda", "epoll_wait": "daud",
    "eventfd2": "uf", "sched_yield": "", "pause": "", "fork": "",
    "sync": "", "sendfile": "ddau", "getdents64": "dau", "getrandom": "wux",
    "rt_sigaction": "Gaau", "rt_sigprocmask": "daau", "utimensat": "DsaA",
    "set_tid_address": "a", "clock_gettime": "Ct", "gettimeofday": "aa"}
# Of these, what their arguments are, by number and in strings.
SIGNATURES.update(pair.split(":") for pair in """
alarm:u arch_prctl:xa capget:aa capset:aa chown:sdd chroot:s clock_getres:Ca
clock_settime:Ct clone:xaaaa close_range:uux copy_file_range:dadaux creat:so
epoll_create:d epoll_pwait:daudau epoll_pwait2:dautau eventfd:u faccessat2:DsRA
fadvise64:dlld fallocate:dxll fchmodat:Dso fchown:ddd fchownat:DsddA
fgetxattr:dsau flistxattr:dau flock:dd fremovexattr:ds fsetxattr:dsaux
fstatfs:da futimesat:Dsa get_robust_list:daa getcpu:aaa getgroups:da
getitimer:da getpriority:dd getresgid:aaa getresuid:aaa getrlimit:da
getrusage:da getxattr:ssau inotify_add_watch:dsx inotify_init1:x
inotify_rm_watch:dd lchown:sdd lgetxattr:ssau listxattr:sau llistxattr:sau
lremovexattr:ss lsetxattr:ssaux membarrier:dxd memfd_create:sx mincore:aua
mknod:sox mknodat:Dsox mlock:au mlock2:aux mlockall:x mq_getsetattr:daa
mq_notify:da mq_open:sfoa mq_timedreceive:dauat mq_timedsend:druut mq_unlink:s
mremap:auuxa msgctl:dda msgget:xx msgrcv:daulx msgsnd:daux msync:aux munlock:au
ppoll:nutau prctl:daaaa preadv:dvul preadv2:dvullx prlimit64:ddaa
pselect6:daaata pwritev:dVul pwritev2:dVullx readahead:dlu readlinkat:Dsau
recvmmsg:dauxt recvmsg:dax removexattr:ss renameat2:DsDsx rt_sigpending:au
rt_sigqueueinfo:dGa rt_sigsuspend:au rt_sigtimedwait:aatu rt_tgsigqueueinfo:ddGa
sched_get_priority_max:d sched_get_priority_min:d sched_getaffinity:dua
sched_getattr:daux sched_getparam:da sched_getscheduler:d
sched_rr_get_interval:da sched_setaffinity:dua sched_setattr:dax
sched_setparam:da sched_setscheduler:dda select:daaaa semctl:ddda semget:xdx
semop:dau semtimedop:daut sendmmsg:daux sendmsg:dax set_robust_list:au
setdomainname:ru setfsgid:d setfsuid:d setgid:d setgroups:da sethostname:ru
setitimer:daa setpriority:ddd setregid:dd setresgid:ddd setresuid:ddd
setreuid:dd setrlimit:da settimeofday:aa setuid:d setxattr:ssaux shmat:dax
shmctl:dda shmdt:a shmget:xux sigaltstack:aa signalfd:dau signalfd4:daux
splice:dadaux statfs:sa statx:DsAxa symlinkat:sDs sync_file_range:dllx syncfs:d
sysinfo:a tee:ddux time:a timer_create:Caa timer_delete:d timer_getoverrun:d
timer_gettime:da timer_settime:dxaa timerfd_create:Cx timerfd_gettime:da
timerfd_settime:dxaa times:a uname:U utime:sa utimes:sa vmsplice:daux
wait4:daxa waitid:ddaxa inotify_init: munlockall: rt_sigreturn: openat2:Dsau""".split())
for leaf in NO_ERROR - {"set_tid_address"}:
    SIGNATURES[leaf] = ""

FILE = ("open openat creat stat lstat newfstatat statx access faccessat "
        "faccessat2 chdir chmod fchmodat chown lchown fchownat rename renameat "
        "renameat2 mkdir mkdirat mknod mknodat rmdir link linkat unlink "
        "unlinkat symlink symlinkat readlink readlinkat truncate utime utimes "
        "utimensat futimesat getcwd statfs execve mount umount2 chroot "
        "getxattr setxattr listxattr removexattr lgetxattr lsetxattr "
        "llistxattr lremovexattr inotify_add_watch")
NETWORK = ("socket socketpair bind listen accept accept4 connect shutdown "
           "getsockname getpeername setsockopt getsockopt sendto recvfrom "
           "sendmsg recvmsg sendmmsg recvmmsg")
DESC = ("read write open openat creat close fstat newfstatat statx lseek mmap "
        "pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 dup "
        "dup2 dup3 pipe pipe2 poll ppoll select pselect6 fcntl ioctl flock "
        "fsync fdatasync ftruncate fchmod fchown fchdir getdents getdents64 "
        "fallocate fadvise64 sendfile splice tee copy_file_range epoll_create "
        "epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd eventfd2 "
        "timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 "
        "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch "
        "fstatfs fgetxattr fsetxattr flistxattr fremovexattr openat2 mkdirat "
        "unlinkat renameat renameat2 linkat symlinkat readlinkat fchmodat "
        "fchownat faccessat faccessat2 mknodat utimensat")
CLASSES = {name: set(text.split()) for name, text in {
    "file": FILE, "network": NETWORK, "net": NETWORK, "desc": DESC,
    "process": "clone clone3 fork vfork execve execveat exit exit_group wait4 "
               "waitid kill tkill tgkill rt_sigqueueinfo unshare arch_prctl",
    "memory": "brk mmap munmap mprotect mremap msync madvise mlock munlock "
              "mlockall munlockall mincore shmat shmdt memfd_create mlock2",
    "signal": "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending "
              "rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend sigaltstack "
              "kill tkill tgkill pause signalfd signalfd4",
    "ipc": "shmget shmat shmctl shmdt semget semop semctl semtimedop msgget "
           "msgsnd msgrcv msgctl",
    "clock": "clock_gettime clock_settime clock_getres clock_adjtime "
             "gettimeofday settimeofday time adjtimex",
    "creds": "getuid geteuid getgid getegid setuid setgid setreuid setregid "
             "setresuid setresgid getresuid getresgid getgroups setgroups",
}.items()}


# --- arguments -----------------------------------------------------------------

def signed(value, bits=32):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def memory(address, size):
    """Or None: it can't be read."""
    if not address:
        return None
    try:
        return gdb.selected_inferior().read_memory(address, size).tobytes()
    except gdb.error:
        return None


def escaped(data):
    special = {10: "\\n", 9: "\\t", 13: "\\r", 11: "\\v", 12: "\\f",
               34: '\\"', 92: "\\\\"}
    text = ""
    for i, byte in enumerate(data):
        if byte in special or 32 <= byte < 127:
            text += special.get(byte, chr(byte))
        elif data[i + 1:i + 2].isdigit():
            text += f"\\{byte:03o}"
        else:
            text += f"\\{byte:o}"
    return text


class Decoder:
    """Of one call: `result` is None before its end, and its result after."""

    def __init__(self, args, result, limit):
        self.args = args
        self.result = result
        self.limit = limit
        self.at = 0

    def quoted(self, address, n, ends):
        """As strace does: `limit` bytes, and dots if there is more."""
        if not address:
            return "NULL"
        want = min(n, self.limit + 1) if n >= 0 else 0
        data = memory(address, want)
        while data is None and ends and want > 1:  # up to a page's end
            want //= 2
            data = memory(address, want)
        if data is None:
            return f"{address:#x}" if want else '""'
        if ends:
            data = data.split(b"\0")[0]
            n = len(data)
        return f'"{escaped(data[:self.limit])}"' + \
            ("..." if n > self.limit else "")

    def text(self, kind):
        value = self.args[self.at]
        return DECODERS[kind](self, value)

    def next(self, n=1):
        return self.args[self.at + n]

    def failed(self):
        return self.result is None or self.result < 0


def words(value, names, zero="0"):
    """Bits by their names, what is left in hexadecimal."""
    found = []
    for bit, name in names:
        if value & bit == bit:
            found.append(name)
            value &= ~bit
    if value:
        found.append(f"{value:#x}")
    return "|".join(found) or zero


def one_of(names, shift=0):
    table = dict(enumerate(names.split(), shift)) if isinstance(names, str) \
        else names
    return lambda d, value: table.get(signed(value), f"{value & 0xffffffff:#x}")


OPEN_FLAGS = ((0o100, "O_CREAT"), (0o200, "O_EXCL"), (0o400, "O_NOCTTY"),
              (0o1000, "O_TRUNC"), (0o2000, "O_APPEND"),
              (0o4000, "O_NONBLOCK"), (0o4010000, "O_SYNC"),
              (0o10000, "O_DSYNC"), (0o20200000, "O_TMPFILE"),
              (0o40000, "O_DIRECT"), (0o100000, "O_LARGEFILE"),
              (0o200000, "O_DIRECTORY"), (0o400000, "O_NOFOLLOW"),
              (0o1000000, "O_NOATIME"), (0o2000000, "O_CLOEXEC"),
              (0o10000000, "O_PATH"))


def open_flags(value):
    rest = words(value & ~3 & 0xffffffff, OPEN_FLAGS, "")
    access = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")[value & 3]
    return access + ("|" + rest if rest else "")


def pipe_flags(d, value):
    return words(value & 0xffffffff, OPEN_FLAGS)


def timespec(address):
    data = memory(address, 16)
    if data is None:
        return f"{address:#x}" if address else "NULL"
    seconds, ns = struct.unpack("<qq", data)
    return f"{{tv_sec={seconds}, tv_nsec={ns}}}"


def stat_text(d, address):
    """The buffer of stat(): what strace prints of it."""
    data = None if d.failed() else memory(address, 144)
    if data is None:
        return f"{address:#x}" if address else "NULL"
    mode = struct.unpack_from("<I", data, 24)[0]
    rdev, size = struct.unpack_from("<QQ", data, 40)
    kind = {stats.S_IFREG: "S_IFREG", stats.S_IFDIR: "S_IFDIR",
            stats.S_IFCHR: "S_IFCHR", stats.S_IFIFO: "S_IFIFO",
            stats.S_IFSOCK: "S_IFSOCK", stats.S_IFLNK: "S_IFLNK",
            stats.S_IFBLK: "S_IFBLK"}.get(stats.S_IFMT(mode), "0")
    for bit, name in ((0o4000, "S_ISUID"), (0o2000, "S_ISGID"),
                      (0o1000, "S_ISVTX")):
        kind += "|" + name if mode & bit else ""
    text = f"{{st_mode={kind}|{mode & 0o777:#o}".replace("0o", "0")
    if stats.S_ISCHR(mode) or stats.S_ISBLK(mode):
        return text + (f", st_rdev=makedev({os.major(rdev):#x}, "
                       f"{os.minor(rdev):#x}), ...}}")
    return text + f", st_size={size}, ...}}"


def uname_text(d, address):
    data = None if d.failed() else memory(address, 130)
    if data is None:
        return f"{address:#x}" if address else "NULL"
    system, node = (escaped(part.split(b"\0")[0])
                    for part in (data[:65], data[65:]))
    return f'{{sysname="{system}", nodename="{node}", ...}}'


FAMILIES = {0: "AF_UNSPEC", 1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6",
            16: "AF_NETLINK", 40: "AF_VSOCK"}


def address_text(address, size):
    data = memory(address, min(size, 128))
    if data is None or len(data) < 2:
        return f"{address:#x}" if address else "NULL"
    family = data[0] | data[1] << 8
    data = data.ljust(128, b"\0")
    text = f"{{sa_family={FAMILIES.get(family, hex(family))}"
    port = int.from_bytes(data[2:4], "big")
    if size < {2: 16, 10: 24}.get(family, 0):
        return f'{text}, sa_data="{escaped(memory(address, size)[2:])}"}}'
    if family == 2:
        return (f"{text}, sin_port=htons({port}), sin_addr=inet_addr(\""
                f"{'.'.join(map(str, data[4:8]))}\")}}")
    if family == 10:
        import ipaddress
        flow = int.from_bytes(data[4:8], "big")
        scope = int.from_bytes(data[24:28], "little")
        return (f"{text}, sin6_port=htons({port}), sin6_flowinfo=htonl({flow})"
                f", inet_pton(AF_INET6, \"{ipaddress.IPv6Address(data[8:24])}"
                f"\", &sin6_addr), sin6_scope_id={scope}}}")
    if family == 1:
        if size <= 2:
            return text + "}"
        path = data[2:size]
        if not path[0]:
            return f'{text}, sun_path=@"{escaped(path[1:])}"}}'
        return f'{text}, sun_path="{escaped(path.split(bytes(1))[0])}"}}'
    return text + ", ...}"


def address_in(d, value):
    return address_text(value, d.next() & 0xffffffff)


def address_out(d, value):
    size = memory(d.next(), 4)
    if d.failed() or size is None:
        return f"{value:#x}" if value else "NULL"
    return address_text(value, int.from_bytes(size, "little"))


def length_out(d, value):
    """strace has the length before too, where it has changed."""
    size = memory(value, 4)
    if size is None or d.failed():
        return f"{value:#x}" if value else "NULL"
    return f"[{int.from_bytes(size, 'little')}]"


def descriptors(d, value):
    data = None if d.failed() else memory(value, 8)
    if data is None:
        return f"{value:#x}" if value else "NULL"
    return "[%d, %d]" % struct.unpack("<ii", data)


POLL = ((1, "POLLIN"), (2, "POLLPRI"), (4, "POLLOUT"), (8, "POLLERR"),
        (16, "POLLHUP"), (32, "POLLNVAL"), (64, "POLLRDNORM"),
        (128, "POLLRDBAND"), (256, "POLLWRNORM"), (512, "POLLWRBAND"),
        (0x2000, "POLLRDHUP"))


def poll_entries(d, value):
    count = min(d.next(), 64)
    data = memory(value, 8 * count)
    if not data:
        return f"{value:#x}" if value else "NULL"
    entries = [f"{{fd={fd}, events={words(events, POLL)}}}" if fd >= 0
               else f"{{fd={fd}}}"
               for fd, events, _ in struct.iter_unpack("<ihh", data)]
    return "[" + ", ".join(entries) + "]"


def poll_result(args, result):
    if result == 0:
        return " (Timeout)"
    data = memory(args[0], 8 * min(args[1], 64)) if result > 0 else None
    if data is None:
        return ""
    entries = [f"{{fd={fd}, revents={words(revents, POLL)}}}"
               for fd, _, revents in struct.iter_unpack("<ihh", data)
               if revents]
    return " ([" + ", ".join(entries) + "])"


def vectors(d, value, n=None):
    """What writev() wrote: of each piece at most its length."""
    count = min(d.next(), 16)
    data = memory(value, 16 * count)
    if data is None or (n is not None and n < 0):
        return f"{value:#x}" if value else "NULL"
    entries = []
    for base, size in struct.iter_unpack("<QQ", data):
        part = size if n is None else min(size, n)
        n = None if n is None else n - part
        entries.append(f"{{iov_base={d.quoted(base, part, False)}, "
                       f"iov_len={size}}}")
    return "[" + ", ".join(entries) + "]"


FCNTL = {0: "F_DUPFD", 1: "F_GETFD", 2: "F_SETFD", 3: "F_GETFL", 4: "F_SETFL",
         5: "F_GETLK", 6: "F_SETLK", 7: "F_SETLKW", 1030: "F_DUPFD_CLOEXEC"}


def fcntl_value(d, value):
    command = d.args[1]
    if command == 2:
        return words(value & 0xffffffff, ((1, "FD_CLOEXEC"),))
    if command == 4:
        return open_flags(value)
    return str(signed(value)) if command in (0, 1030) else f"{value:#x}"


def fcntl_result(args, result):
    if args[1] == 3:
        return f" (flags {open_flags(result)})"
    return " (flags FD_CLOEXEC)" if args[1] == 1 and result == 1 else ""


def protocol(d, value):
    names = {0: "IPPROTO_IP", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP"}
    inet = d.args[0] in (2, 10)
    return names.get(value, str(signed(value))) if inet else str(signed(value))


def socket_type(d, value):
    flags = words(value & ~15 & 0xffffffff, (
        (0o2000000, "SOCK_CLOEXEC"), (0o4000, "SOCK_NONBLOCK")), "")
    kind = {1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW",
            5: "SOCK_SEQPACKET"}.get(value & 15)
    return "|".join(filter(None, (kind, flags))) or "0"


FUTEX = dict(enumerate(
    "WAIT WAKE FD REQUEUE CMP_REQUEUE WAKE_OP LOCK_PI UNLOCK_PI TRYLOCK_PI "
    "WAIT_BITSET WAKE_BITSET WAIT_REQUEUE_PI CMP_REQUEUE_PI".split()))


def futex_operation(d, value):
    name = FUTEX.get(value & 127, hex(value & 127))
    return "FUTEX_" + name + ("_PRIVATE" if value & 128 else "") \
        + ("|FUTEX_CLOCK_REALTIME" if value & 256 else "")


def signal_name(d, value):
    value &= 0xffffffff
    return "SIG" + SIGNAL_NAMES[value - 1] if 1 <= value <= 31 else \
        f"SIGRT_{value - 32}" if 32 <= value <= 64 else str(value)


def socket_option(d, value):
    if d.args[1] == 1:
        return one_of({2: "SO_REUSEADDR", 3: "SO_TYPE", 4: "SO_ERROR",
                       6: "SO_BROADCAST", 7: "SO_SNDBUF", 8: "SO_RCVBUF",
                       9: "SO_KEEPALIVE", 13: "SO_LINGER", 15: "SO_REUSEPORT",
                       20: "SO_RCVTIMEO_OLD", 21: "SO_SNDTIMEO_OLD"})(d, value)
    if d.args[1] == 6:
        return one_of({1: "TCP_NODELAY", 3: "TCP_CORK", 4: "TCP_KEEPIDLE",
                       5: "TCP_KEEPINTVL", 6: "TCP_KEEPCNT"})(d, value)
    return str(signed(value))


def option_value(d, value):
    data = memory(value, 4) if d.next() == 4 else None
    if data is None:
        return f"{value:#x}" if value else "NULL"
    return f"[{struct.unpack('<i', data)[0]}]"


DECODERS = {
    "d": lambda d, v: str(signed(v)),
    "l": lambda d, v: str(signed(v, 64)),
    "u": lambda d, v: str(v),
    "x": lambda d, v: f"{v:#x}" if v else "0",
    "o": lambda d, v: f"{v & 0o7777:#05o}".replace("0o", "0"),
    "a": lambda d, v: f"{v:#x}" if v else "NULL",
    "s": lambda d, v: d.quoted(v, 4096, True),
    "w": lambda d, v: f"{v:#x}" if d.failed() and v
         else d.quoted(v, d.result or 0, False),
    "r": lambda d, v: d.quoted(v, d.next(), False),
    "f": lambda d, v: pipe_flags(d, v) if d.bare else open_flags(v),
    "D": lambda d, v: "AT_FDCWD" if signed(v) == -100 else str(signed(v)),
    "W": one_of("SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE"),
    "R": lambda d, v: words(v & 7, ((4, "R_OK"), (2, "W_OK"), (1, "X_OK")),
                            "F_OK"),
    "P": lambda d, v: words(v, ((1, "PROT_READ"), (2, "PROT_WRITE"),
                                (4, "PROT_EXEC")), "PROT_NONE"),
    "M": lambda d, v: words(v, (
        (3, "MAP_SHARED_VALIDATE"), (1, "MAP_SHARED"), (2, "MAP_PRIVATE"),
        (16, "MAP_FIXED"), (32, "MAP_ANONYMOUS"), (0x100, "MAP_GROWSDOWN"),
        (0x4000, "MAP_NORESERVE"), (0x8000, "MAP_POPULATE"),
        (0x20000, "MAP_STACK"), (0x100000, "MAP_FIXED_NOREPLACE"))),
    "A": lambda d, v: words(v & 0xffffffff, (
        (0x100, "AT_SYMLINK_NOFOLLOW"), (0x200, "AT_REMOVEDIR"),
        (0x400, "AT_SYMLINK_FOLLOW"), (0x1000, "AT_EMPTY_PATH"))),
    "S": one_of(FAMILIES), "T": socket_type, "I": protocol,
    "K": address_in, "k": address_out, "j": length_out, "p": descriptors,
    "m": stat_text, "U": uname_text, "t": lambda d, v: timespec(v),
    "C": one_of(
        "CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID "
        "CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE "
        "CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME"),
    "c": lambda d, v: words(v & 0xffffffff, ((1, "TIMER_ABSTIME"),)),
    "X": futex_operation, "G": signal_name, "h": one_of(
        "SHUT_RD SHUT_WR SHUT_RDWR"),
    "n": poll_entries, "q": lambda d, v: str(signed(v)),
    "V": vectors, "v": lambda d, v: vectors(d, v, d.result),
    "F": one_of(FCNTL), "g": fcntl_value,
    "b": option_value, "i": lambda d, v: words(v & 0xffffffff, (
        (1, "MSG_OOB"), (2, "MSG_PEEK"), (0x20, "MSG_TRUNC"),
        (0x40, "MSG_DONTWAIT"), (0x100, "MSG_WAITALL"),
        (0x4000, "MSG_NOSIGNAL"), (0x8000, "MSG_MORE"))),
    "Y": one_of({0: "SOL_IP", 1: "SOL_SOCKET", 6: "SOL_TCP",
                 41: "SOL_IPV6"}),
    "y": socket_option,
}
RESULTS = {"poll": poll_result, "fcntl": fcntl_result}


def kinds_of(name, args):
    kinds = SIGNATURES.get(name, "aaaaaa")
    if name in ("open", "openat") and not \
            args[kinds.index("f")] & (0o100 | 0o20000000):
        kinds = kinds[:-1]  # no mode
    if name == "fcntl" and args[1] in (1, 3):
        kinds = kinds[:-1]
    if name == "futex":
        wait = args[1] & 127 in (0, 9, 11, 6)
        kinds = {0: "aXut", 1: "aXd", 9: "aXutax", 10: "aXdaax"}.get(
            args[1] & 127, "aXutax" if wait else kinds)
    return kinds


def call_text(name, args, result, limit=32):
    decoder = Decoder(args, result, limit)
    decoder.bare = name in ("pipe2", "dup3", "eventfd2")
    texts = []
    for decoder.at, kind in enumerate(kinds_of(name, args)):
        texts.append(decoder.text(kind))
    return f"{name}({', '.join(texts)})"


def result_text(name, args, result):
    if result is None:
        return "?"
    if -4096 < result < 0 and name not in NO_ERROR:
        code = ERRNO.get(-result, str(-result))
        return f"-1 {code} ({os.strerror(-result)})"
    if name in ("mmap", "brk", "mremap", "shmat") or \
            (name == "fcntl" and args[1] in (1, 3) and result):
        text = f"{result:#x}"
    else:
        text = str(result)
    return text + (RESULTS[name](args, result) if name in RESULTS else "")
