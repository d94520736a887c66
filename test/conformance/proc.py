"""What a process costs, by /proc, such that a limit means the same on every machine."""
import ctypes
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_THP_DISABLE = 41


def small_pages():
    """For a preexec_fn: no huge pages for what starts now. How much of one is in use is the machine's choice, not the program's."""
    LIBC.prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)


def owned(pid):
    """Bytes that only this process holds: its heap, its stacks, and what it wrote into pages of files, in memory or swapped out.

    Resident pages of its binary and its libraries do not count: the page cache holds them once for everybody, and how many are mapped
    hangs on its state and on the kernel's read-ahead, not on the process."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return 1024 * sum(int(line.split()[1]) for line in f if line.startswith(("Private_Dirty:", "Swap:")))


def cpu_seconds(pid):
    """CPU time of all its threads, the ended ones too, to the nanosecond: what clock_getcpuclockid(3) makes of a process."""
    return time.clock_gettime(~pid << 3 | 2)
