#!/usr/bin/python3
"""PyTorch on the workloads W1 to W9: the shapes and work of tests/bench, one JSON line each.

    pytorch.py [--only W1,W4] [--threads N]

With more than one thread set OMP_WAIT_POLICY=passive: the pools of OpenMP and OpenBLAS spin against
each other otherwise.
"""
import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from typing import List, Tuple


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="W1,W4")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


ARGS = arguments()
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(ARGS.threads))
os.environ.setdefault("OMP_NUM_THREADS", str(ARGS.threads))

import torch  # noqa: E402  (reads the variables above)
import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402


def emit(workload, times, peer="torch", detail="", **figures):
    print(json.dumps({"peer": peer, "workload": workload, "threads": ARGS.threads,
                      "median_ms": statistics.median(times) * 1e3, "min_ms": min(times) * 1e3,
                      "reps": len(times), "detail": detail, **figures}), flush=True)


def timed(f, seconds=1.0, warm=3, parts=1):
    """Seconds of each call, for about that long and at least five calls; of one part each."""
    for _ in range(warm):
        f()
    times = []
    gc.collect()
    gc.disable()
    while len(times) < 5 or sum(times) < seconds:
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    gc.enable()
    return [t / parts for t in times]


def train(module, x, warm=3):
    """Forward and backward: gradients of the mean of all outputs for x and all weights."""
    x.requires_grad_(True)

    def step():
        x.grad = None
        for p in module.parameters():
            p.grad = None
        module(x)[0].mean().backward()

    return timed(step, warm=warm)


class CoupledPeephole(nn.Module):
    """W4, an LSTM with coupled input and forget gates and peepholes, from primitive operations."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__()

        def weight(*shape):
            return nn.Parameter(torch.empty(*shape).uniform_(-hidden ** -0.5, hidden ** -0.5))

        self.W, self.U = weight(3 * hidden, inputs), weight(3 * hidden, hidden)
        self.b = weight(3 * hidden)
        self.pi, self.po = weight(hidden), weight(hidden)
        self.hidden = hidden

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        zi, zo, zg = (F.linear(x, self.W, self.b) + F.linear(h, self.U)).chunk(3, 1)
        i = torch.sigmoid(zi + self.pi * c)
        c = (1.0 - i) * c + i * torch.tanh(zg)
        return torch.sigmoid(zo + self.po * c) * torch.tanh(c), c

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        h = torch.zeros(x.size(1), self.hidden)
        c = torch.zeros(x.size(1), self.hidden)
        hs: List[Tensor] = []
        for xt in x.unbind(0):  # x[t] would make a gradient of the whole of x in each step
            h, c = self.step(xt, h, c)
            hs.append(h)
        return torch.stack(hs), c


class LanguageModel(nn.Module):
    def __init__(self, kind, words, size, hidden):
        super().__init__()
        self.embed = nn.Embedding(words, size)
        self.layers = kind(size, hidden, 2)
        self.readout = nn.Linear(hidden, words)

    def forward(self, x):
        return self.readout(self.layers(self.embed(x))[0])


def language_model(workload, kind, words, size, hidden, steps, batch):
    net = LanguageModel(kind, words, size, hidden)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    text = torch.randint(0, words, (steps + 1, batch))

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(text[:-1]).view(-1, words), text[1:].reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()

    times = timed(step, seconds=3.0, warm=2)
    emit(workload, times, tokens_per_s=batch * steps / statistics.median(times))


def w3():
    for batch in (1, 8):
        emit(f"W3-B{batch}", train(nn.RNN(32, 64), torch.randn(100, batch, 32)))


def w4():
    x = torch.randn(64, 32, 256)
    emit("W4", train(CoupledPeephole(256, 256), x), detail="eager")
    emit("W4", train(torch.jit.script(CoupledPeephole(256, 256)), x, warm=8), peer="torch-jit",
         detail="jit.script")


@torch.no_grad()
def w6():
    cell, x = nn.LSTMCell(512, 512), torch.randn(1, 512)
    start, chained = (torch.zeros(1, 512), torch.zeros(1, 512)), 20

    def steps():
        s = start
        for _ in range(chained):
            s = cell(x, s)

    emit("W6-step", timed(steps, parts=chained), detail="LSTMCell, of 20 chained steps")
    layer, xs = nn.LSTM(256, 256), torch.randn(64, 32, 256)
    emit("W6-seq", timed(lambda: layer(xs)))


def w8():
    a, b, c = (torch.randn(4 << 20, requires_grad=True) for _ in range(3))

    def step():
        a.grad = b.grad = c.grad = None
        (torch.tanh(a) * torch.sigmoid(b) + c).mean().backward()

    emit("W8-4M", timed(step))
    x, parts = torch.randn(1 << 16), 20
    for name, f in (("tanh", torch.tanh), ("sigmoid", torch.sigmoid)):
        y = torch.empty_like(x)
        emit(f"W8-{name}64K", timed(lambda: [f(x, out=y) for _ in range(parts)], 0.3, parts=parts))


def peak_memory():
    """The most this process has had, in MB; getrusage would count the parent that forked."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def w9():
    """In a process of its own, for its memory above what importing PyTorch takes."""
    if ARGS.only != "W9":
        command = [sys.executable, __file__, "--only", "W9", "--threads", str(ARGS.threads)]
        subprocess.run(command, check=True)
        return
    before = peak_memory()
    times = train(nn.LSTM(128, 128), torch.randn(2000, 4, 128), warm=2)
    emit("W9", times, peak_rss_mb=peak_memory(), rss_over_import_mb=peak_memory() - before)


WORKLOADS = {
    "W1": lambda: emit("W1", train(nn.LSTM(256, 256), torch.randn(64, 32, 256))),
    "W2": lambda: emit("W2", train(nn.GRU(300, 500), torch.randn(60, 20, 300))),
    "W3": w3,
    "W4": w4,
    "W5": lambda: language_model("W5", nn.LSTM, 65, 128, 512, 128, 32),
    "W6": w6,
    "W7": lambda: language_model("W7", nn.GRU, 10000, 300, 500, 35, 20),
    "W8": w8,
    "W9": w9,
}

if __name__ == "__main__":
    torch.set_num_threads(ARGS.threads)
    torch.manual_seed(1)
    for name, run in WORKLOADS.items():
        if not ARGS.only or name in ARGS.only.split(","):
            run()
