#!/bin/sh
# Set up .venv with exactly what uv.lock names. Needs Python 3.11+ with pip (or venv) and nothing else; writes
# only inside this directory (and uv's and pip's caches), needs no root, downloads no Python.
#   PYTHON=/path/to/python3.12  takes that one instead of the first one that is new enough
#   --group mutation            sets up a dependency group beside the usual ones
set -eu
cd "$(dirname "$0")/../.."

UV_VERSION=0.13.9
TOOLS=.tools

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        "$candidate" -c 'import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys.executable)' 2>/dev/null && return
    done
    found=$("${PYTHON:-python3}" --version 2>/dev/null) || found="nothing that runs as ${PYTHON:-python3}"
    fail "expected Python 3.11 or newer, found $found;" \
        "install one, or name it: make setup PYTHON=/path/to/python3.11"
}

# The same lower bound as tool.uv.required-version in pyproject.toml.
uv_on_path() {
    found=$(uv --version 2>/dev/null) || return 1
    "$python" -c 'import sys; sys.exit(tuple(map(int, sys.argv[1].split()[1].split(".")[:2])) < (0, 9))' "$found"
}

# `--target` works where pip refuses to touch the system's Python and where venv is missing (Debian without
# python3-venv); a venv brings its own pip where there is none (Debian without python3-pip).
install_uv() {
    rm -rf "$TOOLS"
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_REQUIRE_VIRTUALENV=0
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip install --quiet --target "$TOOLS" "uv==$UV_VERSION" ||
            fail "pip could not install uv $UV_VERSION (its message stands above): check the network, or install uv"
    elif "$python" -m venv "$TOOLS" >/dev/null 2>&1; then
        "$TOOLS/bin/python" -m pip install --quiet "uv==$UV_VERSION" ||
            fail "pip could not install uv $UV_VERSION (its message stands above): check the network, or install uv"
    else
        rm -rf "$TOOLS"
        fail "$python has neither pip nor a working venv: install python3-pip or python3-venv, or uv itself"
    fi
}

python=$(find_python)
if uv_on_path; then
    uv=uv
else
    uv=$TOOLS/bin/uv
    [ -x "$uv" ] || install_uv
fi

# Behind a proxy that opens TLS only the machine's own certificates hold; a bare machine may have none.
if [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -s /etc/pki/tls/certs/ca-bundle.crt ]; then
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
fi
unset VIRTUAL_ENV
UV_PYTHON_DOWNLOADS=never UV_PYTHON="$python" UV_PROJECT_ENVIRONMENT=.venv \
    "$uv" sync --locked --quiet --compile-bytecode "$@" || fail "uv could not set up .venv (its message stands above)"
# Compiled here, once: where Python may not write bytecode (PYTHONDONTWRITEBYTECODE, as in many containers), every start
# of a service would compile all that it imports, and take twice as long.
.venv/bin/python -m compileall -q services shared deploy/local
touch .venv/ready
