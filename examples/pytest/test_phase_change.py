"""A client that runs while the censor begins to block: `roadblock ctl` moves its lab to another phase."""

import json
import subprocess
import sys

from conftest import ROADBLOCK
from mirrors import first_page

MIRRORS = ["https://web.whatsapp.com/", "https://www.wikipedia.org/"]


def client():
    """Inside: says for each line that it reads which mirror answers now."""
    for _ in sys.stdin:
        print(first_page(MIRRORS)[0], flush=True)


def test_the_client_changes_its_mirror_when_the_first_is_blocked():
    command = [ROADBLOCK, "exec", "ru/whatsapp-2026", "--phase=before", "--", sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert ask(running) == MIRRORS[0]
        ctl("phase", lab_of(running), "full-block")
        assert ask(running) == MIRRORS[1]
        running.stdin.close()
        assert running.wait() == 0


def ask(running):
    running.stdin.write("now\n")
    running.stdin.flush()
    return running.stdout.readline().strip()


def lab_of(running):
    labs = json.loads(ctl("list", "--format", "json"))["labs"]
    return next(lab["lab"] for lab in labs if lab["pid"] == running.pid)


def ctl(*arguments):
    return subprocess.run([ROADBLOCK, "ctl", *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    client()
