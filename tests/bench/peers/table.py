#!/usr/bin/python3
"""Turns what compare.sh has collected into tables of times and ratios: medians over the passes, and
the least times, which are what a processor gives that nobody else is using.

    table.py compare.jsonl
"""
import json
import statistics
import sys
from collections import defaultdict


def read(path):
    """{(peer, workload): [line of each pass]}"""
    lines = defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            lines[line["peer"], line["workload"]].append(line)
    return lines


def middle(lines, peer, workload, what="median_ms"):
    """Median over the passes; None if that peer has no such workload."""
    found = [line[what] for line in lines.get((peer, workload), []) if what in line]
    return statistics.median(found) if found else None


def least(lines, peer, workload):
    """The least time of all passes; None if that peer has no such workload."""
    return min((line["min_ms"] for line in lines.get((peer, workload), [])), default=None)


def number(x):
    return "-" if x is None else f"{x:.3g}" if x < 100 else f"{x:.0f}"


def over(a, b):
    return "-" if a is None or b is None else f"{a / b:.2f}"


def table(lines, time):
    """One row a workload, of what time(lines, peer, workload) says."""
    rows = [("ms", "unroll", "PyTorch", "oneDNN", "GEMM floor", "floor/OpenBLAS", "PyTorch/unroll",
             "oneDNN/unroll", "unroll/floor")]
    for workload in sorted(w for p, w in lines if p == "unroll"):
        ours = time(lines, "unroll", workload)
        torch = [t for t in (time(lines, p, workload) for p in ("torch", "torch-jit")) if t]
        torch = min(torch, default=None)  # the faster of eager and compiled
        onednn, floor, blas = (time(lines, p, workload)
                               for p in ("onednn", "gemm-floor", "gemm-floor-openblas"))
        rows.append((workload, number(ours), number(torch), number(onednn), number(floor),
                     number(blas), over(torch, ours), over(onednn, ours), over(ours, floor)))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(w) if k == 0 else cell.rjust(w)
                        for k, (cell, w) in enumerate(zip(row, widths))))


def remarks(lines, time, threads):
    """What is compared with something of our own."""
    w1, w4, w8, hand = (time(lines, "unroll", w) for w in ("W1", "W4", "W8-4M", "W8-hand"))
    for workload in sorted(w for p, w in lines if p == "unroll, one thread"):
        one, more, at_once = (time(lines, p, workload)
                              for p in ("unroll, one thread", "unroll", "unroll, at once"))
        print(f"{workload}: {over(one, more)} times as fast as one thread; {threads} processes at "
              f"once do {over(threads * one, at_once)} times the work of one")
        if shard := time(lines, "unroll", workload + "-shard"):
            print(f"    one thread alone is {over(one, shard)} times as fast with its shard of the batch")
    if w1 and w4:
        print(f"W4 / (0.75 W1): {over(w4, 0.75 * w1)}")
    if w8 and hand:
        print(f"W8-4M / by hand: {over(w8, hand)}")


def memory(lines):
    ours, torch = (middle(lines, p, "W9", "rss_over_import_mb") for p in ("unroll", "torch"))
    if ours and torch:
        print(f"W9 peak memory above the start: {ours:.0f} MB, PyTorch {torch:.0f} MB, "
              f"ratio {over(ours, torch)}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    measured = read(sys.argv[1])
    passes = max(len(v) for (peer, _), v in measured.items() if peer == "unroll")
    threads = max(line["threads"] for v in measured.values() for line in v)
    print(f"medians over {passes} passes, {threads} thread{'s' if threads > 1 else ''}")
    table(measured, middle)
    remarks(measured, middle, threads)
    print("\nleast of all passes")
    table(measured, least)
    remarks(measured, least, threads)
    memory(measured)
