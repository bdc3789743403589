"""Run a program that must not outlive who started it: `python leash.py PROGRAM ARG...`.

The starter holds the other end of this process's standard input. However the starter ends, also by SIGKILL, the kernel
closes that end, and the program is killed. Unlike a parent-death signal this works on every Unix, and whichever thread
of the starter forked. The first line on standard output is the program's process id.
"""

import os
import subprocess
import sys
import threading


def main(argv: list[str]) -> int:
    """Start the program, say its process id, and return its exit code (negative: the signal that ended it)."""
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    os.write(1, b"%d\n" % child.pid)

    def kill_when_let_go() -> None:
        # Not sys.stdin, whose lock this thread would still hold when the interpreter shuts down.
        os.read(0, 1)
        child.kill()

    threading.Thread(target=kill_when_let_go, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
