# Sourced by script/bootstrap: the Debian packages that the demo and the tests use where they are there.
#
# They are installed only by root and only on Debian. Elsewhere everything still runs: MPEG-TS over HTTP stands in for the
# RTSP server, the browser's tests are skipped, and Home Assistant's voice parts stay off where there is no compiler.

RTSP_PACKAGES="python3-gi glib-networking gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"

debian_packages() { # mode
    command -v dpkg-query apt-get >/dev/null || return 0
    local wanted="$RTSP_PACKAGES libturbojpeg0 g++ libc6-dev" missing
    if [ "$1" != hass ]; then wanted="$wanted chromium age"; fi
    if ! command -v python3 >/dev/null; then wanted="$wanted python3"; fi
    # shellcheck disable=SC2086  # a list of words
    missing=$(comm -13 <(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $wanted 2>/dev/null | sed -n 's/^ii //p' | sort -u) \
        <(tr ' ' '\n' <<<"$wanted" | sort -u) | tr '\n' ' ')
    # Without pip or venv of its own, the system's Python cannot install uv.
    if ! uv_can_be_installed; then missing="$missing python3-venv"; fi
    [ -n "${missing// /}" ] || return 0
    [ "$missing" != "$(cat "$TOOLS/debian-missing" 2>/dev/null)" ] || return 0 # said before
    if [ "$(id -u)" != 0 ]; then
        say "not root, so without some Debian packages. All there is: sudo apt-get install ${missing% }"
        printf '%s' "$missing" >"$TOOLS/debian-missing"
        return
    fi
    say "Debian packages: ${missing% }"
    # Lists of other people's repositories may fail; what counts is whether Debian's packages install.
    DEBIAN_FRONTEND=noninteractive apt-get update -o DPkg::Lock::Timeout=120 </dev/null >"$TOOLS/debian.log" 2>&1 || true
    # shellcheck disable=SC2086
    if DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
        -o Dpkg::Options::=--force-confold $missing </dev/null >>"$TOOLS/debian.log" 2>&1; then
        rm -f "$TOOLS/debian-missing"
    else
        say "apt-get could not install them (see $TOOLS/debian.log): going on without"
        printf '%s' "$missing" >"$TOOLS/debian-missing"
    fi
}

uv_can_be_installed() {
    [ -e "$TOOLS/uv/bin/uv" ] && return
    command -v uv >/dev/null && return
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
        "$python" -c 'import pip' 2>/dev/null && return
    done
    return 1
}
