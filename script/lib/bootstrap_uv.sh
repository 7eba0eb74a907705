# Sourced by script/bootstrap: finds or installs the uv whose version and digests are in uv.lock, and sets UV.

# The version of a package in uv.lock; the newest one where it holds several.
locked_version() {
    awk -v name="name = \"$1\"" '$0 == name { getline; gsub(/version = |"/, ""); version = $0 } END { print version }' uv.lock
}

# That package as a requirement with every digest that uv.lock holds for it, for pip's and uv's --require-hashes.
locked_requirement() {
    local version
    version=$(locked_version "$1")
    printf '%s==%s' "$1" "$version"
    awk -v name="name = \"$1\"" -v version="version = \"$version\"" \
        '/^\[\[package\]\]/ { on = 0 } $0 == name { getline; on = $0 == version } on' uv.lock |
        grep -o 'sha256:[0-9a-f]*' | sort -u | sed 's/^/ --hash=/' | tr -d '\n'
    echo
}

is_uv() { # command version
    [ "$("$1" --version 2>/dev/null | cut -d' ' -f2)" = "$2" ]
}

find_uv() {
    [ -n "${UV:-}" ] && [ -n "${UV_FOUND:-}" ] && return
    # uv brings its own list of authorities; a network with one of its own is known to the system only, as it is to pip.
    if [ -s /etc/ssl/certs/ca-certificates.crt ]; then export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true}; fi
    local version candidate
    version=$(locked_version uv)
    for candidate in "$TOOLS/uv/bin/uv" uv; do
        if is_uv "$candidate" "$version"; then
            UV=$candidate UV_FOUND=1
            return
        fi
    done
    say "uv $version"
    install_uv
    UV=$TOOLS/uv/bin/uv UV_FOUND=1
    is_uv "$UV" "$version" || die "the uv that was installed into .tools/uv does not run on this machine"
}

# Another uv can install the right one; else the system's Python can, with venv and pip or with pip alone.
install_uv() {
    local requirement=$TOOLS/uv.txt python log=$TOOLS/uv.log
    locked_requirement uv >"$requirement"
    : >"$log"
    rm -rf "$TOOLS/uv"
    if uv pip install --quiet --target "$TOOLS/uv" --require-hashes -r "$requirement" >>"$log" 2>&1; then
        return
    fi
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' >>"$log" 2>&1 || continue
        rm -rf "$TOOLS/uv"
        if "$python" -m venv "$TOOLS/uv" >>"$log" 2>&1 &&
            "$TOOLS/uv/bin/python" -m pip install --quiet --require-hashes -r "$requirement" >>"$log" 2>&1; then
            return
        fi
        rm -rf "$TOOLS/uv"
        if "$python" -m pip install --quiet --target "$TOOLS/uv" --require-hashes -r "$requirement" >>"$log" 2>&1; then
            return
        fi
    done
    rm -rf "$TOOLS/uv"
    tail -n 12 "$log" >&2
    die "uv could not be installed: it needs a Python 3.9 or newer with pip or venv, and PyPI." \
        "On Debian: apt-get install python3-venv. Or install uv $(locked_version uv) yourself (https://docs.astral.sh/uv/) and run this again."
}
