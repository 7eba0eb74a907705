"""Bech32 (BIP 173), in which age writes its keys."""

from typing import Final

CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK: Final = 6  # characters


class Bech32Error(ValueError):
    """Not what it should be: mistyped, cut short or something else."""


def encode(prefix: str, data: bytes) -> str:
    """Return bytes in lower-case Bech32."""
    values = _regroup(data, 8, 5, pad=True)
    checksum = _polymod([*_expand(prefix), *values, *[0] * _CHECK]) ^ 1
    values += [checksum >> 5 * (_CHECK - 1 - at) & 31 for at in range(_CHECK)]
    return f"{prefix}1" + "".join(CHARSET[value] for value in values)


def decode(prefix: str, text: str) -> bytes:
    """Return the bytes. Raise Bech32Error. All letters have one case."""
    folded = text.lower()
    if text not in {folded, text.upper()} or not folded.startswith(f"{prefix}1"):
        raise Bech32Error(f"doesn't begin with {prefix}1")
    letters = folded[len(prefix) + 1 :]
    if len(letters) < _CHECK or not set(letters) <= set(CHARSET):
        raise Bech32Error("a letter that isn't Bech32")
    values = [CHARSET.index(letter) for letter in letters]
    if _polymod([*_expand(prefix), *values]) != 1:
        raise Bech32Error("the checksum doesn't fit")
    return bytes(_regroup(values[:-_CHECK], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _polymod(values: list[int]) -> int:
    found = 1
    for value in values:
        top = found >> 25
        found = (found & 0x1FFFFFF) << 5 ^ value
        for at, part in enumerate(_GENERATOR):
            if top >> at & 1:
                found ^= part
    return found


def _regroup(values: bytes | list[int], wide: int, narrow: int, *, pad: bool) -> list[int]:
    """Turn groups of `wide` bits into groups of `narrow` bits."""
    found: list[int] = []
    kept = bits = 0
    for value in values:
        kept = kept << wide | value
        bits += wide
        while bits >= narrow:
            bits -= narrow
            found.append(kept >> bits & (1 << narrow) - 1)
        kept &= (1 << bits) - 1
    if pad and bits:
        found.append(kept << narrow - bits & (1 << narrow) - 1)
    elif not pad and (bits >= wide or kept):
        raise Bech32Error("bits are left over")
    return found
