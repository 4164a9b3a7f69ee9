"""Fits the weights of default.json: `python fit.py ROUTING_DATA FEATURES`, with numpy and scipy.

ROUTING_DATA is a folder of outcomes/*.jsonl.gz ({prompt, outs: {model: score}} a line); FEATURES is the built example
`difficulty_features`. Logistic regression with soft labels, one intercept for each source (so that no source's base
rate leaks into a weight) and a ridge towards the priors of groups.json; the intercept that ships is that of anchors.json.
"""

import glob
import gzip
import json
import os
import re
import subprocess
import sys
import zlib

import numpy as np
from scipy.optimize import minimize

DATA, FEATURES = sys.argv[1], sys.argv[2]
HERE = os.path.dirname(os.path.abspath(__file__))
RIDGE, ANCHOR_WEIGHT, HELD_OUT = 10.0, 6.0, 0.2
# Pairs to report on, (weak, strong) by the beginning of their names, where a source has them.
PAIRS = [("mistralai/mixtral-8x7b-chat", "gpt-4-1106-preview"), ("llama-3.1-8b-instruct", "llama-3.3-nemotron-super-49b")]


def load(name):
    with open(os.path.join(HERE, name)) as file:
        return json.load(file)


def question(source, prompt):
    """What is asked, without the examples and choices that only benchmarks have."""
    if source.startswith("rb_"):
        prompt = re.split(r"Answer:\n[A-Z]\n", prompt)[-1]
        prompt = re.sub(r"\nPrint only a single choice.*", "", prompt, flags=re.S)
    return re.split(r"\n\(?A[.)] ", prompt)[0].strip()


def rows():
    """(source, prompt, outs) of every row."""
    for path in sorted(glob.glob(os.path.join(DATA, "outcomes", "*.jsonl.gz"))):
        source = os.path.basename(path).removesuffix(".jsonl.gz")
        with gzip.open(path, "rt") as file:
            for line in file:
                row = json.loads(line)
                outs = {model: score for model, score in row["outs"].items() if score is not None and score == score}
                yield source, question(source, row["prompt"]), outs


def features(prompts, definition):
    """The features that the runtime itself sees, and their names."""
    path = "/tmp/difficulty.definition.json"
    with open(path, "w") as file:
        json.dump(definition, file)
    lines = "\n".join(json.dumps(prompt) for prompt in prompts) + "\n"
    out = subprocess.run([FEATURES, path], input=lines, capture_output=True, text=True, check=True).stdout
    all = [json.loads(line)["features"] for line in out.splitlines()]
    names = list(all[0])
    return np.array([[row[name] for name in names] for row in all]), names


def labels(source_rows):
    """For each row the probability that a weak model loses and a strong one does not; weak and strong by the source's own means."""
    models = sorted({model for _, _, outs in source_rows for model in outs})
    score = np.array([[outs.get(model, np.nan) for model in models] for _, _, outs in source_rows], float)
    score = np.where(np.isnan(score), np.nanmean(score, axis=0), score)
    order = np.argsort(score.mean(axis=0))
    weak, strong = order[: max(1, len(order) // 2)], order[-max(1, len(order) // 3) :]
    return (1 - score[:, weak]).mean(axis=1) * score[:, strong].mean(axis=1)


def fit(X, y, weight, source, sources, prior):
    def loss(parameters):
        w, intercept = parameters[: X.shape[1]], parameters[X.shape[1] :]
        z = X @ w + intercept[source]
        value = (weight * (np.logaddexp(0, z) - y * z)).sum() + RIDGE / 2 * ((w - prior) ** 2).sum()
        slope = weight * (1 / (1 + np.exp(-z)) - y)
        return value, np.concatenate([X.T @ slope + RIDGE * (w - prior), np.bincount(source, slope, minlength=sources)])

    start = np.concatenate([prior, np.zeros(sources)])
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x


def apgr(score, weak, strong):
    """RouteLLM's: the area under quality over the share of calls to the strong model, between the two models' own."""
    order = np.argsort(-score, kind="stable")
    # Eleven points from all calls to the weak model to all to the strong one.
    n = len(score)
    points = [(k / 10, (strong[order[: round(n * k / 10)]].sum() + weak[order[round(n * k / 10) :]].sum()) / n) for k in range(11)]
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(points, points[1:]))
    low, high = weak.mean(), strong.mean()
    return (area - low) / (high - low)


def report(title, names, source_of, score, length, outs, random):
    print(title)
    means = []
    for name in names:
        here = [i for i in range(len(source_of)) if source_of[i] == name]
        models = sorted({m for i in here for m in outs[i]})
        if not models:
            continue
        pair = next(([m for m in models if m.startswith(a)], [m for m in models if m.startswith(b)]) for a, b in PAIRS + [("", "")]
                    if all(any(m.startswith(x) for m in models) for x in (a, b)))
        if pair[0] == pair[1]:  # no pair of the list: the median model and the best
            by_mean = sorted(models, key=lambda m: np.nanmean([outs[i].get(m, np.nan) for i in here]))
            pair = [by_mean[len(by_mean) // 2]], [by_mean[-1]]
        a, b = pair[0][0], pair[1][0]
        here = np.array([i for i in here if a in outs[i] and b in outs[i]])
        if len(here) < 50:
            continue
        weak, strong = (np.array([outs[i][m] for i in here], float) for m in (a, b))
        if strong.mean() - weak.mean() < 0.03:
            continue
        jitter = lambda x: x[here] + random.normal(size=len(here)) * 1e-9
        ours, plain = apgr(jitter(score), weak, strong), apgr(jitter(length), weak, strong)
        draws = []
        for _ in range(300):
            pick = random.integers(0, len(here), len(here))
            if strong[pick].mean() - weak[pick].mean() > 0.01:
                draws.append(apgr(jitter(score)[pick], weak[pick], strong[pick]))
        chance = np.mean([apgr(random.random(len(here)), weak, strong) for _ in range(20)])
        means.append((ours, plain, chance, len(here)))
        low, high = np.percentile(draws, [2.5, 97.5])
        print(f"  {name:26} n={len(here):5} model {ours:.3f} [{low:.3f}, {high:.3f}]  length {plain:.3f}  random {chance:.3f}  ({a} -> {b})")
    ours, plain, chance, n = np.array(means).T
    print(f"  mean of {len(means)} sources: model {ours.mean():.3f}  length {plain.mean():.3f}  random {chance.mean():.3f}")
    print(f"  weighted by rows:      model {np.average(ours, weights=n):.3f}  length {np.average(plain, weights=n):.3f}  random {np.average(chance, weights=n):.3f}")


def main():
    groups, anchors = load("groups.json"), load("anchors.json")
    definition = {"version": 1, "name": "default", "about": "", "bias": 0.0, "structure": {},
                  "groups": [{"name": g["name"], "weight": 0.0, "words": g["words"]} for g in groups["groups"]]}
    data = list(rows())
    names = sorted({source for source, _, _ in data})
    y = np.zeros(len(data))
    for name in names:
        here = [i for i, row in enumerate(data) if row[0] == name]
        y[here] = labels([data[i] for i in here])
    easy, hard = anchors["easy"], anchors["hard"]
    X, columns = features([prompt for _, prompt, _ in data] + easy + hard, definition)
    prior = np.array([{**groups["structure"], **{g["name"]: g["prior"] for g in groups["groups"]}}[c] for c in columns])
    y = np.concatenate([y, np.full(len(easy), 0.05), np.full(len(hard), 0.9)])
    source = np.array([names.index(row[0]) for row in data] + [len(names)] * (len(easy) + len(hard)))
    # Sources weigh as the square root of their rows, so that none drowns the others.
    rows_of = np.bincount(source)
    weight = np.where(source < len(names), 20 / np.sqrt(rows_of[source]), ANCHOR_WEIGHT)
    held = np.array([zlib.crc32(row[1].encode()) % 100 < HELD_OUT * 100 for row in data] + [False] * (len(easy) + len(hard)))

    random = np.random.default_rng(7)
    keep, source_of, outs = ~held, [names[s] if s < len(names) else "anchors" for s in source], [row[2] for row in data]
    found = fit(X[keep], y[keep], weight[keep], source[keep], len(names) + 1, prior)
    w = found[: X.shape[1]]
    mask = lambda wanted: [s if h == wanted else "" for s, h in zip(source_of[: len(data)], held)]
    report("held-out fifth", names, mask(True), X @ w, X[:, columns.index("length")], outs, random)
    out = np.zeros(len(data))
    for index, name in enumerate(names):
        others = source != index
        kept = fit(X[others], y[others], weight[others], source[others], len(names) + 1, prior)
        out[source[: len(data)] == index] = (X[: len(data)] @ kept[: X.shape[1]])[source[: len(data)] == index]
    report("each source by a model that never saw it", names, source_of[: len(data)], out, X[:, columns.index("length")], outs, random)
    report("the same, priors alone", names, source_of[: len(data)], (X @ prior)[: len(data)], X[:, columns.index("length")], outs, random)

    # Mixed traffic: all tasks of a family, which the same models answered, by models that never saw each task.
    family = [s[:2] if s[:2] in ("lr", "rb") else "" for s in source_of[: len(data)]]
    report("tasks mixed, each by a model that never saw it", ["lr", "rb"], family, out, X[:, columns.index("length")], outs, random)

    found = fit(X, y, weight, source, len(names) + 1, prior)
    w = dict(zip(columns, found[: X.shape[1]].round(3).tolist()))
    definition |= {"about": groups["about"], "bias": round(float(found[-1]), 3), "structure": {c: w[c] for c in groups["structure"]}}
    definition["groups"] = [{"name": g["name"], "weight": w[g["name"]], "words": g["words"]} for g in groups["groups"]]
    with open(os.path.join(HERE, "default.json"), "w") as file:
        text = json.dumps(definition, indent=2)
        file.write(re.sub(r"\[\s+([^\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text) + "\n")
    score = 1 / (1 + np.exp(-(X[len(data):] @ found[: X.shape[1]] + found[-1])))
    for prompt, s in sorted(zip(easy + hard, score), key=lambda x: x[1]):
        print(f"  {s:.2f} {prompt[:100]!r}")


main()
