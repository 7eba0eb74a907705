"""Every picture is in a part, in one part, and every part can be decoded from its first picture on."""

from collections import Counter
from itertools import pairwise

import av
from hypothesis import given, settings, strategies as st

from custom_components.ringwatch.clips.cutter import TOLERANCE_S, Cutter, Step
from custom_components.ringwatch.video import MediaPacket


def packet(time_s: float, dts_s: float, *, key: bool = False, audio: bool = False) -> MediaPacket:
    return MediaPacket(
        kind="audio" if audio else "video",
        time_s=time_s,
        dts_s=dts_s,
        duration_s=0.1,
        is_key=key or audio,
        size_bytes=100,
        arrival_s=dts_s,
        epoch=0,
        packet=av.Packet(0),
    )


def cut(packets: list[MediaPacket], max_part_s: float) -> tuple[dict[int, list[MediaPacket]], list[Step]]:
    cutter = Cutter(max_part_s)
    steps = [step for p in packets for step in cutter.push(p)] + cutter.end()
    parts: dict[int, list[MediaPacket]] = {}
    ended: set[int] = set()
    for step in steps:
        match step:
            case Step("begin", number, _):
                assert number not in parts
                parts[number] = []
            case Step("write", number, written) if written is not None:
                assert number not in ended
                parts[number].append(written)
            case Step("end", number, _):
                assert number not in ended
                ended.add(number)
    assert ended == parts.keys()
    return parts, steps


@st.composite
def streams(draw: st.DrawFn) -> list[MediaPacket]:
    """GOPs of any length, with sound that comes early or late, with or without reordering."""
    fps, reorder = 10, draw(st.booleans())
    gops = draw(st.lists(st.integers(1, 40), min_size=1, max_size=12))
    late_s = draw(st.floats(-0.9, 0.9))
    found: list[tuple[float, MediaPacket]] = []
    frame = 0
    for length in gops:
        for n in range(length):
            # With reordering each pair of pictures is coded the wrong way round, but never a key frame.
            swap = reorder and n > 0 and length % 2 == 1
            shown = frame + ((1 if n % 2 == 1 else -1) if swap else 0)
            found.append((frame / fps, packet(shown / fps + 0.1, frame / fps, key=n == 0)))
            frame += 1
    for n in range(frame * 2):
        at_s = n / (2 * fps) + 0.03
        found.append((at_s + late_s, packet(at_s + 0.1, at_s + 0.1, audio=True)))
    found.sort(key=lambda item: item[0])
    return [p for _, p in found]


@given(streams(), st.sampled_from([10.0, 12.5, 30.0]))
@settings(max_examples=60, deadline=None)
def test_no_picture_is_lost_or_doubled(packets: list[MediaPacket], max_part_s: float) -> None:
    parts, _ = cut(packets, max_part_s)
    video = [p for p in packets if p.kind == "video"]
    written = [p for part in parts.values() for p in part if p.kind == "video"]
    assert written == video
    longest_gop_s = max(
        [b.time_s - a.time_s for a, b in pairwise([p for p in video if p.is_key])], default=0.0
    )
    for part in parts.values():
        shown = [p.time_s for p in part if p.kind == "video"]
        assert part[0].kind == "video"
        assert part[0].is_key
        assert min(shown) == shown[0]
        # The next GOP's length is not known beforehand: only one that is longer than all before can go over.
        assert max(shown) - shown[0] <= max_part_s + longest_gop_s + TOLERANCE_S


@given(streams())
@settings(max_examples=40, deadline=None)
def test_sound_is_in_the_part_of_its_moment(packets: list[MediaPacket]) -> None:
    parts, _ = cut(packets, 10.0)
    begins = [part[0].time_s for part in parts.values()]
    count = Counter(id(p) for part in parts.values() for p in part if p.kind == "audio")
    assert all(n == 1 for n in count.values())
    for begin_s, end_s, part in zip(begins, [*begins[1:], float("inf")], parts.values(), strict=True):
        assert all(begin_s <= p.time_s < end_s for p in part if p.kind == "audio")
    last_s = max(p.dts_s for p in packets if p.kind == "video")
    after_key = packets[next(i for i, p in enumerate(packets) if p.kind == "video") :]
    heard = [p for p in after_key if p.kind == "audio" and begins[0] <= p.time_s < last_s - 1.0]
    assert all(id(p) in count for p in heard)


def test_even_gops_never_go_over_the_maximum() -> None:
    parts, _ = cut([packet(n / 10, n / 10, key=n % 20 == 0) for n in range(1000)], 15.0)
    assert [len(part) for part in parts.values()][:-1] == [140] * 7


def test_pictures_before_the_key_frame_stay_with_what_they_need() -> None:
    # An open GOP: two pictures follow the key frame and are shown before it.
    order = [(0.0, True), (0.1, False), (0.4, True), (0.2, False), (0.3, False), (0.5, False)]
    packets = [packet(time_s + 0.2, n / 10, key=key) for n, (time_s, key) in enumerate(order)]
    cutter = Cutter(10.0)
    cutter._max_s = 0.3
    parts: dict[int, list[float]] = {1: [], 2: []}
    for step in [step for p in packets for step in cutter.push(p)] + cutter.end():
        if step.action == "write" and step.packet is not None:
            parts[step.part].append(round(step.packet.time_s - 0.2, 1))
    assert parts == {1: [0.0, 0.1, 0.4, 0.2, 0.3], 2: [0.4, 0.5]}
