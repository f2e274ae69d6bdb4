#!/usr/bin/env python3
"""Our trainer, PyTorch and Keras in turn on the same networks, batches and threads: one table of ratios, with the goals.

    compare_train.py [--bench BUILD/bench] [--peers PEERS --scripts FOLDER] [--net NAME,NAME] [--who WORD,WORD]
                     [--threads 2] [--rounds 3] [--minutes 40] [--seconds 3] [--preload libtcmalloc_minimal.so.4]

BUILD/bench holds train_bench. PEERS holds an environment with PyTorch (torch/bin/python) and one with Keras on TensorFlow
(tf/bin/python); FOLDER holds the programs that drive them, train.py and train_keras.py. Everybody prints one JSON line for a
network, with the same keys (README.md). WORD is one of ours, default, tuned, compiled, graph, jit:

  default    PyTorch as most scripts use it: eager, N C H W, a loop of SGD, the C library's allocator
  tuned      channels_last, fused SGD, denormals flushed, tcmalloc preloaded
  compiled   tuned, with torch.compile
  graph, jit Keras' compiled training step without and with XLA, tcmalloc preloaded

A round measures every network with everybody once, so that a busy moment of the machine hits all alike; a figure is the median
of the rounds. Measurements during which other processes used more than 5 % of the machine (--others) do not count. The first
round is always finished; further ones go on only while the whole stays within --minutes. Prints JSON lines while it goes, and
Markdown tables at the end. Shares are of the roof that train_bench measured. A peer that fails is told on stderr and left out.
"""
import argparse
import os

from compare import Contestant, in_turn, say

OURS = "ours"
COMPILED = ["--variant", "custom", "--channels-last", "--compile", "default", "--optimizer", "fused"]
# name: (environment, script, arguments, preload the allocator)
PEERS = {
    "default": ("torch", "train.py", ["--variant", "default"], False),
    "tuned": ("torch", "train.py", ["--variant", "tuned"], True),
    "compiled": ("torch", "train.py", COMPILED, True),
    "graph": ("tf", "train_keras.py", ["--variant", "graph"], True),
    "jit": ("tf", "train_keras.py", ["--variant", "jit"], True),
}
TITLES = {OURS: "variegate", "default": "PyTorch default", "tuned": "PyTorch tuned", "compiled": "PyTorch compiled",
          "graph": "Keras graph", "jit": "Keras jit"}
# how much faster than the fastest of the others we want to be
GOALS = {"lenet-mnist": 3.5, "small-cifar": 1.8, "book-150": 1.8, "resnet20-cifar": 1.4, "vgg-small": 1.4, "resnet18-224": 1.3}
TRAIN, INFER = "train_images_per_s", "infer_images_per_s"


def environment(preload):
    """What a user's shell would give: how threads wait and which kernels a library takes is everybody's own choice."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "OPENBLAS_", "KMP_", "LD_PRELOAD"))}
    return dict(kept, TF_CPP_MIN_LOG_LEVEL="3", **({"LD_PRELOAD": preload} if preload else {}))


def contestants(a, net):
    common = ["--net", net, "--threads", str(a.threads), "--seconds", str(a.seconds), "--infer-seconds", str(a.seconds / 2)]
    if OURS in a.who and a.bench:
        yield Contestant(net, OURS, [f"{a.bench}/train_bench", *common], environment=environment(None))
    for name, (folder, script, more, preload) in PEERS.items():
        python = os.path.join(a.peers, folder, "bin", "python") if a.peers else ""
        if name not in a.who or not a.peers:
            continue
        if not os.path.exists(python):
            say(f"no {python}: {name} is left out")
            continue
        command = [python, os.path.join(a.scripts, script), *more, *common]
        yield Contestant(net, name, command, environment=environment(a.preload if preload else None))


def quiet_rows(here, most):
    """Drops what was measured while others worked; says so."""
    for c in here:
        quiet = [row for row in c.rows if row.get("others", 0) <= most]
        if len(quiet) < len(c.rows):
            say(f"{c.where}, {TITLES[c.name]}: {len(c.rows) - len(quiet)} of {len(c.rows)} rounds were disturbed"
                + (" and do not count" if quiet else ": ALL of them; the figures are worth nothing"))
        c.rows = quiet or c.rows
    return here


def by_net(here):
    nets = {}
    for c in here:
        nets.setdefault(c.where, {})[c.name] = c
    return nets


def rate(c, figure):
    value = c.median(figure)
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def ratio(ours, other, figure):
    return f"{ours.median(figure) / other.median(figure):.2f}" if ours and other is not ours else ""


def share(c, roof):
    return f"{100 * c.median('train_gflop_per_s') / roof:.0f} %" if roof else ""


def long_table(nets, roof):
    print("\n| net | who | batch | rounds | training/s | share of roof | ours is faster by | inference/s | ours is faster by |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for net, found in nets.items():
        ours = found.get(OURS)
        for c in sorted(found.values(), key=lambda c: -c.median(TRAIN)):
            print(f"| {net} | {TITLES[c.name]} | {c.rows[0]['batch']} | {len(c.rows)} | {rate(c, TRAIN)} | {share(c, roof)} | "
                  f"{ratio(ours, c, TRAIN)} | {rate(c, INFER)} | {ratio(ours, c, INFER)} |")


def short_table(nets, roof):
    print("\n| net | ours, training/s (share of roof) | fastest of the others | ratio | inference: ratio | goal |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for net, found in nets.items():
        ours, others = found.get(OURS), [c for name, c in found.items() if name != OURS]
        if not ours or not others:
            continue
        best, best_infer = (max(others, key=lambda c, f=figure: c.median(f)) for figure in (TRAIN, INFER))
        print(f"| {net} | {rate(ours, TRAIN)} ({share(ours, roof)}) | {rate(best, TRAIN)} {TITLES[best.name]} "
              f"({share(best, roof)}) | {ratio(ours, best, TRAIN)} | {ratio(ours, best_infer, INFER)} ({TITLES[best_infer.name]}) | "
              f"{GOALS.get(net, '')} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench")
    p.add_argument("--peers")
    p.add_argument("--scripts")
    p.add_argument("--net", type=lambda text: text.split(","), default=list(GOALS))
    p.add_argument("--who", type=lambda text: text.split(","), default=[OURS, *PEERS])
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--minutes", type=float, default=40)
    p.add_argument("--seconds", type=float, default=3, help="of timed training; inference takes half of that")
    p.add_argument("--preload", default="libtcmalloc_minimal.so.4")
    p.add_argument("--others", type=float, default=0.05, help="share of the machine that others may use")
    p.add_argument("--roof", type=float, help="GFLOP/s, where train_bench does not run")
    a = p.parse_args()
    if a.peers and not a.scripts:
        p.error("--peers needs --scripts")
    if a.bench and not os.path.exists(f"{a.bench}/train_bench"):
        p.error(f"no train_bench in {a.bench}: build with -DVG_BENCH=ON")
    unknown = [word for word in a.who if word not in TITLES]
    if unknown:
        p.error(f"unknown --who {unknown[0]!r}: {', '.join(TITLES)}")
    if not a.bench and not a.peers:
        p.error("nobody to measure: --bench, --peers or both")
    everybody = [c for net in a.net for c in contestants(a, net)]
    here = quiet_rows(in_turn(everybody, a.rounds, a.minutes, 20 * a.seconds + 900), a.others)
    roofs = [row["peak_gflop_per_s"] for c in here if c.name == OURS for row in c.rows]
    roof = a.roof or max(roofs, default=None)  # what disturbs it makes it lower, never higher
    nets = by_net(here)
    long_table(nets, roof)
    short_table(nets, roof)
    if roof:
        print(f"\nThe roof, multiply-adds in registers on {a.threads} threads: {roof:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
