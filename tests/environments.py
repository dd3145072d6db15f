"""Environments of Python that borrow this one's packages, for what is installed and then gone with its folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
UV: Final = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
_SCRIPTS: Final = {"laurel": "graph.cli:main", "pytest": "pytest:main", "pip": "pip._internal.cli.main:main"}

needs_uv = pytest.mark.skipif(UV is None, reason="uv is not installed, which makes the environment")


def make_environment(place: Path) -> Mapping[str, str]:
    """Make one in the folder; the variables of whoever works in it, with none that speak to Laurel or to Python."""
    assert UV is not None
    subprocess.run([UV, "venv", "--quiet", "--offline", "--python", sys.executable, place], check=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    borrowed = [ROOT, *(path for path in sys.path if path.endswith("site-packages"))]
    (packages / "borrowed.pth").write_text("".join(f"{path}\n" for path in borrowed))
    for name, start in _SCRIPTS.items():
        module, function = start.split(":")
        script = place / "bin" / name
        # Processes that it starts import it, and are not to start it again.
        begin = f"if __name__ == '__main__':\n    raise SystemExit({function}())"
        script.write_text(f"#!{place / 'bin' / 'python'}\nfrom {module} import {function}\n\n{begin}\n")
        script.chmod(0o755)
    (place / "bin" / "uv").symlink_to(UV)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAUREL_", "PYTHON", "PYTEST_"))}
    return kept | {
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(place),
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(place / "cache"),
    }
