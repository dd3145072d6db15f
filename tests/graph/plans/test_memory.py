"""A worker stays as large as it is, however many documents its clients think of."""

import re
import subprocess
import sys

import pytest

from tests.npm import ROOT

MEGABYTES_MAX = 64
"""It was 14 when this was written, and 35 with documents as wide as may be: see graph/plans/README.md."""


@pytest.mark.timeout(600)
def test_ten_thousand_documents_leave_a_worker_as_it_was() -> None:
    # In a process of its own: this one has grown by whatever the tests before have left.
    command = [sys.executable, "-m", "tests.graph.plans.growing", "--documents", "10000", "--kind", "names"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=600).stdout

    found = re.fullmatch(r"names: (-?\d+) MB after 1000, (-?\d+) MB after 10000\n", said)

    assert found is not None, said
    assert int(found[2]) < MEGABYTES_MAX, said
