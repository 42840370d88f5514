"""Reads a trace with the published definitions of Perfetto (PyPI perfetto) and prints what is in it.

usage: decode.py TRACE [BUCKET_NS]

The compact form of switches and wakeups is unfolded by the rules of Perfetto's own trace processor
(src/trace_processor/importers/ftrace/ftrace_sched_event_tracker.cc): what a compact switch leaves
out is what the switch before it, in the order of time on that CPU, put there. What such a reader
would count as an error is counted here.
"""

import collections
import json
import sys

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as proto

try:
    from google.protobuf.unknown_fields import UnknownFieldSet
except ImportError:
    UnknownFieldSet = None


# The state of a task whose leaving nobody saw.
UNSEEN = 0x200


def unknown(message):
    """Fields that the definitions do not have, at any depth."""
    if UnknownFieldSet is None:
        return 0
    count = len(UnknownFieldSet(message))
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for each in value if hasattr(value, "__len__") else [value]:
                count += unknown(each)
    return count


def compact(bundle):
    sched = bundle.compact_sched
    names = list(sched.intern_table)
    switches = (sched.switch_timestamp, sched.switch_prev_state, sched.switch_next_pid,
                sched.switch_next_prio, sched.switch_next_comm_index)
    wakings = (sched.waking_timestamp, sched.waking_pid, sched.waking_target_cpu,
               sched.waking_prio, sched.waking_comm_index, sched.waking_common_flags)
    for columns in (switches, wakings):
        assert len({len(column) for column in columns}) == 1, "columns of unlike length"
    ts = 0
    for step, state, pid, prio, comm in zip(*switches):
        ts += step
        yield ts, "switch", dict(prev_state=state, next_pid=pid, next_prio=prio, next_comm=names[comm])
    ts = 0
    for step, pid, cpu, prio, comm, _ in zip(*wakings):
        ts += step
        yield ts, "waking", dict(pid=pid, target_cpu=cpu, comm=names[comm])


def plain(bundle):
    for event in bundle.event:
        kind = event.WhichOneof("event")
        body = getattr(event, kind)
        if kind == "sched_switch":
            yield event.timestamp, "switch", dict(
                prev_pid=body.prev_pid, prev_state=body.prev_state, next_pid=body.next_pid,
                next_prio=body.next_prio, next_comm=body.next_comm)
        elif kind == "sched_waking":
            yield event.timestamp, "waking", dict(
                waker=event.pid, pid=body.pid, target_cpu=body.target_cpu, comm=body.comm)
        else:
            fields = {field.name: value for field, value in body.ListFields()}
            yield event.timestamp, kind, dict(fields, on=event.pid)


def replay(events):
    """The slices of one CPU, and the wakeups there with who caused them."""
    current, slices, wakings, errors = None, [], [], collections.Counter()
    for ts, kind, body in sorted(events, key=lambda each: each[0]):
        if kind == "switch":
            if current is None and "prev_pid" not in body:
                errors["compact switch without one before it"] += 1
                current = body["next_pid"]
                continue
            prev = body.get("prev_pid", current)
            if slices and prev != current:
                errors["prev is not who ran"] += 1
            if slices:
                slices[-1].update(end=ts, end_state=body["prev_state"])
            slices.append(dict(begin=ts, pid=body["next_pid"], comm=body["next_comm"], prev=prev,
                               unseen=body["prev_state"] == UNSEEN))
            current = body["next_pid"]
        elif kind == "waking":
            if current is None and "waker" not in body:
                errors["compact waking without a switch before it"] += 1
                continue
            wakings.append((ts, body.get("waker", current), body["pid"]))
    return slices, wakings, errors


def stack_sample(packet, interned):
    """As Perfetto looks it up: what a sample names must stand in front of it, in its sequence."""
    assert packet.sequence_flags & 2, "a sample that does not say that it needs what stands before it"
    sample = packet.perf_sample
    frames = []
    for iid in interned["callstacks"][sample.callstack_iid].frame_ids:
        frame = interned["frames"][iid]
        mapping = interned["mappings"][frame.mapping_id]
        path = "/".join(interned["mapping_paths"][each].str.decode() for each in mapping.path_string_ids)
        frames.append([interned["function_names"][frame.function_name_id].str.decode(), path])
    return dict(ts=packet.timestamp, cpu=sample.cpu, pid=sample.pid, tid=sample.tid,
                mode=sample.cpu_mode, frames=frames)


def main(path, bucket_ns):
    trace = proto.Trace()
    with open(path, "rb") as file:
        trace.ParseFromString(file.read())
    cpus, kinds = collections.defaultdict(list), collections.Counter()
    threads, processes, tracks, names = {}, {}, {}, {}
    clocks, release, counters, track_slices = {}, None, collections.defaultdict(list), []
    states, others = [], []
    samples, sequences = [], collections.defaultdict(lambda: collections.defaultdict(dict))
    for packet in trace.packet:
        for clock in packet.clock_snapshot.clocks:
            clocks[clock.clock_id] = clock.timestamp
        release = packet.system_info.utsname.release or release
        for each in packet.process_tree.threads:
            threads[each.tid] = [each.tgid, each.name]
        for each in packet.process_tree.processes:
            processes[each.pid] = [each.ppid, " ".join(each.cmdline)]
        if packet.HasField("ftrace_events"):
            bundle = packet.ftrace_events
            for source, form in ((plain, "plain"), (compact, "compact")):
                for ts, kind, body in source(bundle):
                    cpus[bundle.cpu].append((ts, kind, body))
                    kinds[f"{form} {kind}"] += 1
                    if kind not in ("switch", "waking"):
                        others.append(dict(body, ts=ts, cpu=bundle.cpu, kind=kind))
        if packet.HasField("track_descriptor"):
            states.append(packet.sequence_flags)
            row = packet.track_descriptor
            tracks[row.uuid] = row.name or f"thread {row.thread.pid}/{row.thread.tid}"
        for each in packet.interned_data.event_names:
            names[each.iid] = each.name
        interned = sequences[packet.trusted_packet_sequence_id]
        for kind in ("function_names", "mapping_paths", "build_ids", "mappings", "frames", "callstacks"):
            for each in getattr(packet.interned_data, kind):
                assert each.iid not in interned[kind], "a number that is given twice"
                interned[kind][each.iid] = each
        if packet.HasField("perf_sample"):
            samples.append(stack_sample(packet, interned))
        if packet.HasField("track_event"):
            event = packet.track_event
            assert event.track_uuid in tracks, "an event of a track that was not described"
            row = tracks[event.track_uuid]
            if event.type == proto.TrackEvent.TYPE_COUNTER:
                value = event.counter_value if event.HasField("counter_value") else event.double_counter_value
                counters[row].append((packet.timestamp, value))
            else:
                track_slices.append((packet.timestamp, row, names.get(event.name_iid)))
    errors, buckets, slices = collections.Counter(), collections.Counter(), {}
    wakings = collections.Counter()
    for cpu, events in cpus.items():
        slices[cpu], woken, wrong = replay(events)
        wakings.update(f"{waker} {wakee}" for _, waker, wakee in woken)
        errors.update(wrong)
        for each in slices[cpu]:
            if not each["unseen"]:
                buckets[each["begin"] // bucket_ns] += 1
    print(json.dumps(dict(
        unknown_fields=sum(unknown(packet) for packet in trace.packet),
        first_flags=states[:1], clocks=clocks, release=release, kinds=kinds, errors=errors,
        slices={cpu: len(each) for cpu, each in slices.items()},
        seen_buckets=buckets, threads=threads, processes=processes, counters=counters,
        track_slices=track_slices, others=others, wakings=wakings,
        stack_samples=samples,
        rows={cpu: each[:100_000] for cpu, each in slices.items()},
    )))


main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000)
