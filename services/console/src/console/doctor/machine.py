"""The machine: Python, the installed packages and the space for data."""

import platform
import shutil
import tempfile
from importlib.metadata import Distribution, PackageNotFoundError, distributions, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from console.doctor.findings import Finding, ill, well

_CONSOLE = "fillproof-console"
_OURS = "fillproof-"
_FREE_BYTES = 2 * 1024**3
"""What a day of a busy account and its proofs take, with PostgreSQL's own files."""
_INSTALL = "install all packages of one version again (in a clone: make clean setup)"


def packages() -> list[Finding]:
    """Hold what is installed against what Fillproof's packages ask for."""
    ours = {one.name: one for one in distributions() if one.name.startswith(_OURS)}
    expected = version(_CONSOLE)
    wrong = [
        f"{one.name} {one.version}, expected {expected}" for one in ours.values() if one.version != expected
    ]
    wrong += [problem for one in ours.values() for problem in _unmet(one)]
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if wrong:
        return [ill("packages", problem, _INSTALL) for problem in dict.fromkeys(wrong)]
    return [well("packages", f"Fillproof {expected}, {len(ours)} packages and what they need, {python}")]


def space(data_dir: Path | None) -> Finding:
    """Say how much space is left in the directory that was named, or for temporary data."""
    wanted = data_dir or Path(tempfile.gettempdir())
    place = next(one for one in (wanted, *wanted.resolve().parents) if one.exists())
    free = shutil.disk_usage(place).free
    found = f"{free // 1024**2} MB free at {place}"
    if free < _FREE_BYTES:
        return ill("space", found, f"free at least {_FREE_BYTES // 1024**3} GB, or name another --data-dir")
    return well("space", found)


def _unmet(package: Distribution) -> list[str]:
    """Return what the package needs and does not find, without what its extras need."""
    problems = []
    python = SpecifierSet(package.metadata["Requires-Python"] or "")
    if not python.contains(platform.python_version(), prereleases=True):
        problems.append(f"{package.name} needs Python {python}, found {platform.python_version()}")
    for needed in map(Requirement, requires(package.name) or ()):
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            problems.append(f"{package.name} needs {needed.name}, found none")
            continue
        if not needed.specifier.contains(found, prereleases=True):
            problems.append(f"{package.name} needs {needed.name} {needed.specifier}, found {found}")
    return problems
