"""The same statistics in pandas and scipy. Usage: reference.py FOLDER drift|fairness. Prints the seconds of one round as JSON."""
import json
import sys
import time

try:
    import numpy as np
    import pandas as pd
    from scipy import stats
    from scipy.spatial.distance import jensenshannon
except ImportError as absent:
    print(json.dumps({"absent": str(absent)}))
    sys.exit(0)

folder, what = sys.argv[1], sys.argv[2]
with open(f"{folder}/columns.json", encoding="utf-8") as file:
    meta = json.load(file)


def load(side):
    frame = {}
    for column in meta["numeric"]:
        frame[column] = np.fromfile(f"{folder}/{column}.{side}", dtype=np.float64)
    for column, categories in meta["categorical"].items():
        codes = np.fromfile(f"{folder}/{column}.{side}", dtype=np.uint32).astype(np.int64) - 1
        frame[column] = pd.Categorical.from_codes(codes, categories=categories)
    return pd.DataFrame(frame)


def stability(a, b, missing):
    edges = np.unique(np.quantile(a, np.arange(1, 10) / 10))
    bins = len(edges) + 1
    p = np.append(np.bincount(np.searchsorted(edges, a), minlength=bins), missing[0]) / (len(a) + missing[0])
    q = np.append(np.bincount(np.searchsorted(edges, b), minlength=bins), missing[1]) / (len(b) + missing[1])
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return float(np.sum((q - p) * np.log(q / p)))


def drift(reference, current):
    found = {}
    for column in meta["numeric"]:
        missing = (int(reference[column].isna().sum()), int(current[column].isna().sum()))
        a = reference[column].dropna().to_numpy()
        b = current[column].dropna().to_numpy()
        d, p = stats.ks_2samp(a, b, method="asymp")
        distance = stats.wasserstein_distance(a, b)
        iqr = float(np.subtract(*np.percentile(a, [75, 25])))
        found[column] = (float(d), float(p), float(distance), iqr, stability(a, b, missing))
    for column in meta["categorical"]:
        one = reference[column].value_counts(sort=False)
        two = current[column].value_counts(sort=False).reindex(one.index, fill_value=0)
        table = np.array([one.to_numpy(), two.to_numpy()])
        table = table[:, table.sum(axis=0) > 0]
        chi2, p, _, _ = stats.chi2_contingency(table, correction=False)
        shares = table / table.sum(axis=1, keepdims=True)
        variation = float(np.abs(shares[0] - shares[1]).sum() / 2)
        hellinger = float(np.sqrt(((np.sqrt(shares[0]) - np.sqrt(shares[1])) ** 2).sum() / 2))
        found[column] = (float(chi2), float(p), variation, hellinger, float(jensenshannon(shares[0], shares[1], 2)))
    return found


def fairness(frame):
    groups = frame.groupby("group", observed=True)
    selection = groups["predicted"].agg(["sum", "count"])
    positive = frame[frame["positive"] == 1].groupby("group", observed=True)["predicted"].agg(["sum", "count"])
    negative = frame[frame["positive"] == 0].groupby("group", observed=True)["predicted"].agg(["sum", "count"])
    accuracy = (frame["predicted"] == frame["positive"]).groupby(frame["group"], observed=True).mean()
    return [table["sum"].div(table["count"]).agg(["min", "max"]).to_list() for table in (selection, positive, negative)] + [accuracy.agg(["min", "max"]).to_list()]


if what == "drift":
    pair = load("reference"), load("current")
    start = time.perf_counter()
    figures = drift(*pair)
else:
    codes = np.fromfile(f"{folder}/fair.group", dtype=np.int32)
    data = pd.DataFrame({
        "group": pd.Categorical.from_codes(codes, categories=meta["groups"]),
        "positive": np.fromfile(f"{folder}/fair.positive", dtype=np.uint8),
        "predicted": np.fromfile(f"{folder}/fair.predicted", dtype=np.uint8),
    })
    start = time.perf_counter()
    figures = fairness(data)
print(json.dumps({"seconds": time.perf_counter() - start, "figures": figures}))
