"""Processes that nobody would start: zoo.py FOLDER THREADS.

Prints one line of JSON, the process ids by kind, once all are there. They end with its stdin, or
with it; its cgroups go then, too.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

PR_SET_PDEATHSIG = 1

# At most 15 bytes: the kernel keeps no more as the name of a process.
NAMES = [
    b"zoo\nrow\r\tx",
    b"\x1b[2J\x1b]0;zoo\x07",
    b'","zoo":{"a":[',
    b"zoo\"'`$(id)\\",
    b"zoo\xff\xfe\x80\xc3(",
    "zoo\u009b2J\u009d".encode(),
    "zoo\u202ecba\u2066".encode(),
    "zoo\u061c\u2028\u200f".encode(),
    "zoo\U000e0041".encode(),
    b") R 1 1 (zoo",
    b"zoo 1 [000] 1.0",
    b"<script>zoo",
    b"zoo;main;x 1",
    b"   ",
]
WORDS = [b"--zoo", b"\x1b[31m\n", b'{"zoo":1}\n{', b"\xff\xfe", "\u202e\u2066\u009b".encode(), b""]

# Some time on a CPU, a file that is opened, a program that is executed.
BUSY = b'while :; do i=0; while [ $i -lt 1500 ]; do i=$((i+1)); done; : > "$1"; "$2" 0.2; done'


def with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(program, words):
    return subprocess.Popen(
        words, executable=program, preexec_fn=with_parent, stdin=subprocess.DEVNULL
    ).pid


def rename(name, thread=None):
    path = "/proc/self/comm" if thread is None else f"/proc/self/task/{thread}/comm"
    with open(path, "wb") as file:
        file.write(name)


def fork(work, *args):
    """Returns once `work` has called what it is given."""
    read, write = os.pipe()
    pid = os.fork()
    if pid > 0:
        os.close(write)
        os.read(read, 1)
        os.close(read)
        return pid
    with_parent()
    os.close(read)
    try:
        work(lambda: os.write(write, b"."), *args)
    finally:
        os._exit(0)


def zombie(ready, name):
    rename(name)
    ready()


def vanishing(ready):
    """Processes that are gone by the time somebody has seen their ids."""
    rename(b"zoo\x1b[5mfork")
    ready()
    while True:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        time.sleep(0.005)


def crowd(ready, count):
    rename(b"zoo\ncrowd")
    threading.stack_size(65536)
    gate = threading.Event()
    members = [threading.Thread(target=gate.wait, daemon=True) for _ in range(count)]
    for member in members:
        member.start()
    for member, name in zip(members, NAMES + [b"../zoo/0:0", b"zoo/\x1b[1m"]):
        rename(name, member.native_id)
    ready()
    gate.wait()


def network(ready):
    rename(b"zoo\x1b[4m\nnet")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    ready()
    while True:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        client.sendall(b"zoo")
        server.recv(8)
        client.close()
        server.close()
        time.sleep(0.1)


def copy(program, folder, name):
    path = os.path.join(folder, name)
    shutil.copyfile(program, path)
    os.chmod(path, 0o755)
    return path


def busy(folder):
    shell, sleep = shutil.which("sh").encode(), shutil.which("sleep").encode()
    asleep = os.path.join(folder, b"asleep")
    files = os.path.join(folder, b"files")
    os.mkdir(asleep)
    os.mkdir(files)
    pids = []
    for name in NAMES:
        words = [copy(shell, folder, name), b"-c", BUSY, name]
        words += [os.path.join(files, name), copy(sleep, asleep, name), *WORDS]
        pids.append(spawn(words[0], words))
    return pids


def below(folder, names):
    """Goes down step by step: the whole path may be longer than a call takes."""
    back = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    for name in names:
        if not os.path.isdir(name):
            os.mkdir(name)
        os.chdir(name)
    return back


def up(back):
    os.fchdir(back)
    os.close(back)


def far(folder, total):
    """An executable whose path has so many bytes, in components of up to 255."""
    left = total - len(os.path.realpath(folder)) - len(b"/sleep")
    names = []
    while left > 1:
        length = min(255, left - 1)
        names.append((b"\x1b[7m" + b"z" * 255)[:length])
        left -= length + 1
    back = below(folder, names)
    try:
        path = copy(shutil.which("sleep").encode(), b".", b"sleep")
        return spawn(path, [b"sleep", b"1000"])
    finally:
        up(back)


def deleted(folder):
    path = copy(shutil.which("sleep").encode(), folder, b"zoo\x1b[8mdeleted")
    pid = spawn(path, [path, b"1000"])
    os.unlink(path)
    return pid


class Groups:
    """Deep cgroups in the first hierarchy of each version that is mounted."""

    def __init__(self):
        self.name = f"tracewright-zoo-{os.getpid()}".encode()
        self.made = []
        for mount in self.mounts():
            try:
                os.mkdir(os.path.join(mount, self.name))
                self.made.append(mount)
            except OSError:
                pass

    @staticmethod
    def mounts():
        found = {}
        with open("/proc/self/mounts", "rb") as file:
            for line in file:
                _, place, kind, options, *_ = line.split()
                usable = kind == b"cgroup2" or (kind == b"cgroup" and b"cpu" in options.split(b","))
                if usable and kind not in found:
                    found[kind] = place
        return list(found.values())

    def put(self, pid, names):
        for mount in self.made:
            back = below(os.path.join(mount, self.name), names)
            try:
                with open("cgroup.procs", "wb") as file:
                    file.write(str(pid).encode())
            except OSError:
                pass
            finally:
                up(back)

    def remove(self):
        for mount in self.made:
            self.remove_below(os.path.join(mount, self.name))

    @staticmethod
    def remove_below(top):
        """The path of the deepest may be longer than a call takes: step by step here, too."""
        back = below(top, [])
        way = []
        while True:
            inner = [each.name for each in os.scandir(b".") if each.is_dir(follow_symlinks=False)]
            if inner:
                way.append(inner[0])
                os.chdir(inner[0])
            elif way:
                os.chdir(b"..")
                remove_group(way.pop())
            else:
                break
        up(back)
        remove_group(top)


def remove_group(path):
    """Its processes have been killed; the kernel lets go of them a moment later."""
    for _ in range(500):
        try:
            return os.rmdir(path)
        except OSError:
            time.sleep(0.02)


def main():
    folder, threads = os.fsencode(sys.argv[1]), int(sys.argv[2])
    groups = Groups()
    deep = NAMES[1:9] + [b"d" * 255] + [b"d"] * 100
    pids = {
        "zombies": [fork(zombie, name) for name in NAMES],
        "vanishing": [fork(vanishing)],
        "crowd": [fork(crowd, threads)],
        "network": [fork(network)],
        "busy": busy(folder),
        "far": [far(folder, 4090), far(folder, 5000)],
        "deleted": [deleted(folder)],
        "grouped": [spawn(b"/bin/sleep", [b"zoo", b"1000"]) for _ in range(3)],
    }
    near, middle, beyond = pids["grouped"]
    groups.put(near, NAMES[1:2])
    groups.put(middle, deep)
    groups.put(beyond, deep + [b"z" * 255] * 16)
    groups.put(pids["busy"][1], [b"zoo\x1b[9mbusy"])
    print(json.dumps(pids), flush=True)
    try:
        sys.stdin.read()
    finally:
        for pid in sum(pids.values(), []):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        groups.remove()
        shutil.rmtree(folder)


main()
