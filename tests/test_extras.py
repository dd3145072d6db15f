"""What an installation connects to is installed where it is wanted: without any of it Laurel starts all the same."""

import subprocess
import sys
from pathlib import Path
from typing import Final

EXTRAS: Final = ("redis", "nats", "aio_pika", "aiosmtplib", "pyarrow", "numpy", "scipy", "opentelemetry.sdk")
START: Final = """
import sys
for extra in sys.argv[1:]:
    sys.modules[extra] = None
from graph import cli
from graph.app import create_app
from graph.settings import Settings
create_app(Settings(secret="a secret of the tests, and of nothing else"))
print("it starts")
"""


def test_laurel_starts_without_any_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, *EXTRAS],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "it starts\n", done.stderr
