"""api/FIELDS.md is what the compilers' own lists say."""
import os
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


def test_the_document_is_what_the_code_says():
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools/api_fields"), "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
