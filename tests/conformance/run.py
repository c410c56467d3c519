#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""run.py [--quick] [--doc] [PATTERN...]: the Open POSIX Test Suite.

Each program is built with musl-gcc for this Linux and with toril-cc, and run
on both: Linux with the same C library is the oracle.  Results are kept by the
contents of the images, so that a second run does only what has changed or was
not reached.  --quick takes a fixed sample of every group and prints TAP;
--doc writes docs/conformance.md from what is known.

A shell script of the suite that runs one of its programs with arguments is a
program too, and one that says only why nothing is tested is none.

The suite comes from Debian's source package and is not changed.  Asynchronous
I/O counts twice: as it stands, where its programs turn down the C library's
version of POSIX, and with that comparison (`!=` to `<`) relaxed in a copy.
"""
import collections
import concurrent.futures
import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

VERSION = "1.5.2"
SHA256 = "15a2185672127cba851d35ec9d538ff6148defdbb75f99c7e9c50aeba0f94757"
BUILD = pathlib.Path(os.environ.get("BUILD", "build")).absolute()
SUITE = BUILD / "cache" / f"posixtestsuite-{VERSION}"
WORK = BUILD / "conformance"
HERE = pathlib.Path(__file__).parent
PAGE = pathlib.Path("docs/conformance.md")
OUTPUT = pathlib.Path("docs/conformance-output.md")
OUTPUT_LINES = 8  # that are kept of each
OUTPUT_WIDTH = 160
FLAGS = ["-std=gnu99", "-D_GNU_SOURCE", "-D_POSIX_C_SOURCE=200112L", "-w",
         "-include", "fcntl.h"]
LINKED = ["-lpthread", "-lrt", "-lm"]
LIMIT = {"linux": 40, "toril": 120}  # seconds
ALONE = 30  # for those on Toril that wait for a child that can't be
JOBS = 2
# The oracle's clock is everybody's: it must not be set.
NO_TIME = ["setpriv", "--bounding-set=-sys_time", "--inh-caps=-sys_time"] \
    if os.geteuid() == 0 else []
UNKNOWN = "not yet looked into"
SAMPLE = 17  # --quick takes one of so many
MEANING = {0: "pass", 1: "fail", 2: "unresolved", 4: "unsupported",
           5: "untested", 124: "timed out"}
FORKS = {"fork", "vfork", "system", "popen", "posix_spawn", "execl"}
GROUPS = [  # the first that matches the interface
    ("asynchronous I/O", r"aio_|lio_"),
    ("message queues", r"mq_"),
    ("semaphores", r"sem_"),
    ("scheduling", r"sched_"),
    ("memory", r"mmap|munmap|shm_|mlock|munlock"),
    ("timers and clocks",
     r"timer_|clock|nanosleep|difftime|gmtime|localtime|mktime|strftime|time$"
     r"|asctime|ctime"),
    ("signals", r"sig|kill|raise|pthread_kill|pthread_sigmask|bsd_signal"),
    ("threads", r"pthread_"),
    ("processes and files", r"fork|getpid|fsync|str"),
]


class Program:
    """A test: its source, and what is made of it."""

    def __init__(self, source, relaxed=False, script=None, words=()):
        path = (script or source).relative_to(SUITE)
        path = path if script else path.with_suffix("")
        self.source = source
        self.words = list(words)
        self.relaxed = relaxed
        self.name = "/".join(path.parts[-3:] if "speculative" in path.parts
                             else path.parts[-2:])
        if path.parts[0] == "conformance":
            self.name = "/".join(path.parts[2:])
            if path.parts[1] != "interfaces":
                self.name = path.parts[1] + "/" + self.name
        if relaxed:
            self.name = "relaxed/" + self.name
        self.group = self.find_group(path)

    def find_group(self, path):
        if self.relaxed:
            return "asynchronous I/O, relaxed"
        if path.parts[0] == "functional":
            return "functional"
        if path.parts[1] in ("definitions", "behavior"):
            return "headers and behaviour"
        for group, pattern in GROUPS:
            if re.match(pattern, path.parts[2]):
                return group
        return "others"

    def image(self, where):
        return WORK / where / self.name

    def log(self, where, suffix=".out"):
        image = self.image(where)
        return image.with_name(image.name + suffix)

    def text(self):
        text = self.source.read_text(errors="replace")
        if self.relaxed:
            text = re.sub(r"(_POSIX_ASYNCHRONOUS_IO\s*)!=", r"\1<", text)
        return text

    def build(self, where):
        """False where the compiler or the linker turns it down."""
        image = self.image(where)
        image.parent.mkdir(parents=True, exist_ok=True)
        source = self.source
        if self.relaxed:
            source = self.log(where, ".c")
            source.write_text(self.text())
        wants_wx = re.search(r"PROT_WRITE[^;]*PROT_EXEC", self.text())
        compiler = {"linux": ["musl-gcc", "-static"],
                    "toril": [str(BUILD / "bin" / "toril-cc")] +
                    ["--allow-wx"] * bool(wants_wx)}[where]
        done = subprocess.run(
            compiler + FLAGS + [
                f"-ffile-prefix-map={SUITE}/=", "-I", str(SUITE / "include"),
                "-I", str(self.source.parent), "-o", str(image),
                str(source)] + LINKED,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            self.log(where).write_bytes(done.stdout[-20000:])
        return done.returncode == 0

    def forks(self):
        names = subprocess.run(
            ["nm", str(self.image("linux"))], stdout=subprocess.PIPE,
            text=True, check=True).stdout
        return bool(FORKS & set(re.findall(r" [TW] (\w+)$", names, re.M)))


class Results:
    """What is known: (name, where) -> [digest, status, forks]."""

    def __init__(self):
        self.path = WORK / "results.json"
        self.lock = threading.Lock()
        self.known = {}
        if self.path.exists():
            self.known = json.loads(self.path.read_text())

    def get(self, program, where):
        return self.known.get(f"{where} {program.name}")

    def put(self, program, where, value):
        with self.lock:
            self.known[f"{where} {program.name}"] = value
            new = self.path.with_suffix(".new")
            new.write_text(json.dumps(self.known))
            new.replace(self.path)

    def status(self, program, where):
        return (self.get(program, where) or [None, None])[1]


def scripted(script):
    """The program that a shell script runs; None where it does not."""
    match = re.search(r"^(conformance/\S+)\.test((?: \S+)*)$",
                      script.read_text(errors="replace"), re.M)
    if not match:
        return None
    return Program((SUITE / match[1]).with_suffix(".c"), script=script,
                   words=match[2].split())


def programs(patterns):
    found = [p for p in map(scripted, sorted(
        (SUITE / "conformance").rglob("*.sh"))) if p]
    for source in sorted(SUITE.rglob("*.c")):
        path = source.relative_to(SUITE)
        if path.parts[0] not in ("conformance", "functional") or \
                "buildonly" in source.name:
            continue
        text = source.read_text(errors="replace")
        if not re.search(r"\bmain\s*\(", text):
            continue
        found.append(Program(source))
        if "_POSIX_ASYNCHRONOUS_IO" in text:
            found.append(Program(source, relaxed=True))
    found.sort(key=lambda p: (p.group, p.name))
    if patterns:
        found = [p for p in found if any(
            re.search(rf"(^|/){x}", p.name) for x in patterns)]
    return found


def end(process, limit):
    """Its status and output; 124 if it took too long, and its processes."""
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        output, _ = process.communicate()
        return 124, output
    status = process.returncode
    return (128 - status if status < 0 else status), output


def run(program, where, limit):
    image = str(program.image(where))
    command = [str(BUILD / "bin" / "toril-run"), image]
    if where == "linux":
        command = NO_TIME + [image]
    command += program.words
    with tempfile.TemporaryDirectory() as folder, open(
            program.log(where), "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
        status, output = end(process, limit)
        log.write((output or b"")[-20000:])
    return status


def do(program, where, results):
    """Build and run unless the same was run before."""
    if not program.build(where):
        results.put(program, where, ["", "not built", False])
        return
    digest = hashlib.sha256(program.image(where).read_bytes())
    if where == "toril":
        digest.update((BUILD / "bin" / "toril-run").read_bytes())
    digest = digest.hexdigest()
    old = results.get(program, where)
    if old and old[0] == digest:
        return
    needs = forks(program, results)
    if where == "linux":
        needs = program.forks()
    limit = ALONE if needs and where == "toril" else LIMIT[where]
    results.put(program, where, [digest, run(program, where, limit), needs])


def both(program, results):
    for where in ("linux", "toril"):
        do(program, where, results)
    return program


def meaning(status):
    if isinstance(status, int):
        return MEANING.get(status, f"signal {status - 128}"
                           if 128 < status < 193 else f"status {status}")
    return status or "not run"


def forks(program, results):
    value = results.get(program, "linux")
    return bool(value and len(value) > 2 and value[2])


def fetch():
    if not (SUITE / "conformance").is_dir():
        subprocess.run(["sh", "tools/fetch-source.sh", "posixtestsuite",
                        VERSION, SHA256, str(SUITE)], check=True)
    WORK.mkdir(parents=True, exist_ok=True)


def run_all(chosen, results, after):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = [pool.submit(both, p, results) for p in chosen]
        for number, job in enumerate(
                concurrent.futures.as_completed(jobs), 1):
            after(number, job.result())


def progress(total, results):
    def show(number, program):
        linux, toril = (meaning(results.status(program, w))
                        for w in ("linux", "toril"))
        mark = " " if linux == toril else "*"
        print(f"{number}/{total} {mark} {program.name}: Linux {linux}, "
              f"Toril {toril}", flush=True)
    return show


def causes():
    """[(pattern, cause)] of differences, the first match counting."""
    lines = (HERE / "causes.tsv").read_text().splitlines()
    return [line.split("\t", 1) for line in lines
            if line and line[0] != "#"]


def cause_of(program, known):
    for pattern, cause in known:
        if re.fullmatch(pattern.lstrip("+"), program.name):
            return cause
    return UNKNOWN


def may_fail(program):
    return any(pattern[0] != "+" and re.fullmatch(pattern, program.name)
               for pattern, _ in causes())


def last_lines(program):
    return " / ".join(output(program)[-2:])[:200]


def output(program):
    """Its lines on Toril, without what differs between two workplaces."""
    log = program.log("toril")
    text = log.read_text(errors="replace") if log.exists() else ""
    text = re.sub(rf"/\S*/(?:{SUITE.name}|conformance/toril)/", "", text)
    text = re.sub(r"/\S*/build/", "build/", text)
    text = re.sub(r"/tmp/(tmp|cc)\w+", "/tmp/file", text)
    text = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def anchor(program):
    return re.sub(r"[^a-z0-9]+", "-", program.name.lower())


def link(program, results):
    """The end on Toril; a failure leads to its output."""
    status = results.status(program, "toril")
    if status == 0:
        return meaning(status)
    return f"[{meaning(status)}]({OUTPUT.name}#{anchor(program)})"


def sums(chosen, results):
    rows = collections.OrderedDict()
    for p in chosen:
        row = rows.setdefault(p.group, collections.Counter())
        if forks(p, results):
            row["fork"] += 1
            continue
        row["all"] += 1
        for where in ("linux", "toril"):
            row[where] += results.status(p, where) == 0
    return rows


def table(rows):
    yield "| group | programs | pass on Toril | on Linux | need fork |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    total = collections.Counter()
    for group, row in rows.items():
        yield (f"| {group} | {row['all']} | {row['toril']} | {row['linux']} "
               f"| {row['fork']} |")
        if not group.endswith("relaxed"):
            total.update(row)
    yield (f"| all but the relaxed | {total['all']} | {total['toril']} "
           f"| {total['linux']} | {total['fork']} |")


def differences(chosen, results):
    known = causes()
    for p in chosen:
        linux, toril = (results.status(p, w) for w in ("linux", "toril"))
        if forks(p, results) or linux == toril:
            continue
        yield (f"| {p.name} | {meaning(linux)} | {link(p, results)} "
               f"| {cause_of(p, known)} |")


def failures(chosen, results):
    """What passes on neither; a group's programs that end alike share a
    line."""
    rows = collections.OrderedDict()
    for p in chosen:
        linux, toril = (results.status(p, w) for w in ("linux", "toril"))
        if forks(p, results) or toril == 0 or linux != toril:
            continue
        rows.setdefault((p.group, meaning(toril)), []).append(p)
    for (group, end), ps in rows.items():
        names = ", ".join(f"[{p.name}]({OUTPUT.name}#{anchor(p)})"
                          for p in ps)
        yield f"| {group} | {end} | {names} |"


def outputs(chosen, results):
    """The end of what each failing program printed on Toril."""
    for p in chosen:
        status = results.status(p, "toril")
        if status == 0:
            continue
        lines = [line[:OUTPUT_WIDTH] for line in output(p)[-OUTPUT_LINES:]]
        fork = ", needs fork" if forks(p, results) else ""
        text = "\n".join("    " + line for line in lines) or "(nothing)"
        yield (f'<a id="{anchor(p)}"></a>\n**{p.name}**: {meaning(status)}, '
               f"on Linux {meaning(results.status(p, 'linux'))}{fork}\n\n"
               f"{text}\n")


def without_children(chosen, results):
    ends = collections.Counter(
        meaning(results.status(p, "toril")) for p in chosen
        if forks(p, results))
    return ", ".join(f"{n} {what}" for what, n in ends.most_common())


def write_page(chosen, results):
    kernel = os.uname().release.split("-")[0]
    head = (HERE / "page.md").read_text()
    page = head.format(
        date=datetime.date.today().isoformat(), version=VERSION,
        linux=".".join(kernel.split(".")[:2]),
        groups="\n".join(table(sums(chosen, results))),
        differences="\n".join(differences(chosen, results)),
        failures="\n".join(failures(chosen, results)),
        output=OUTPUT.name,
        forked=without_children(chosen, results))
    PAGE.write_text(page)
    OUTPUT.write_text(
        "# Conformance: output\n\nThe last lines that each program which does "
        f"not pass printed on Toril ([the list]({PAGE.name})); made with it."
        "\n\n" + "\n".join(outputs(chosen, results)))


def sampled(program):
    digest = hashlib.sha256(program.name.encode()).digest()
    return int.from_bytes(digest[:4], "big") % SAMPLE == 0


def quick(results):
    """TAP: what passes on Linux passes here, and nothing hangs."""
    chosen = [p for p in programs([]) if sampled(p)]
    bad = []
    print(f"1..{len(chosen)}")

    def show(number, program):
        linux, toril = (results.status(program, w)
                        for w in ("linux", "toril"))
        good = toril == 0 if linux == 0 else toril != 124 or linux == 124
        good = good or forks(program, results) or may_fail(program)
        print(f"{'ok' if good else 'not ok'} {number} - {program.name}",
              flush=True)
        if not good:
            bad.append(program)
            print(f"# Linux: {meaning(linux)}, Toril: {meaning(toril)}: "
                  f"{last_lines(program)}")

    run_all(chosen, results, show)
    return 1 if bad else 0


def main():
    words = sys.argv[1:]
    fetch()
    results = Results()
    if "--quick" in words:
        return quick(results)
    patterns = [w for w in words if not w.startswith("--")]
    chosen = programs(patterns)
    if "--doc" in words:
        write_page(chosen, results)
        return 0
    run_all(chosen, results, progress(len(chosen), results))
    print("\n".join(table(sums(chosen, results))))
    if not patterns:
        write_page(chosen, results)
    return 0


if __name__ == "__main__":
    if not shutil.which("musl-gcc"):
        sys.exit("conformance: musl-gcc is missing: run make setup")
    sys.exit(main())
