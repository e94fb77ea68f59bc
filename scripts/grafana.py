"""What grafana/ and the pages of metrics say, for the scripts that check and test them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
GRAFANA = ROOT / "grafana"
METRICS_PAGES = (ROOT / "docs/operate/metrics.md", ROOT / "docs/operate/load-testing.md")
ROW = re.compile(r"^\| `((?:ringway|process)_\w+)(?:\{([\w, ]*)\})?` \| (counter|gauge|histogram) \|", re.MULTILINE)
# Outside of selectors, `=` does not compare but `==` does.
COMPARISON = re.compile(r"(==|!=|<=|>=|<|>)(?!\s*bool\b)")
SELECTOR = re.compile(r"(\{[^}]*\})")
GROUPING = re.compile(r"\bby \(([^)]*)\)")


@dataclass(frozen=True)
class Metric:
    """A series that Prometheus has: of a server, of a load tester, or recorded by a rule."""

    kind: str
    labels: frozenset[str]


@dataclass(frozen=True)
class Query:
    """An expression, and where it stands."""

    place: str
    expression: str


def documented_metrics() -> dict[str, Metric]:
    """From lines such as "| `ringway_calls_total{edge,outcome}` | counter | ..."."""
    found = [row for page in METRICS_PAGES for row in ROW.findall(page.read_text(encoding="utf-8"))]
    return {name: Metric(kind, frozenset(re.findall(r"\w+", labels))) for name, labels, kind in found}


def recorded_metrics() -> dict[str, Metric]:
    """What the recording rules make; its labels are those that it groups by."""
    rules = (rule for rule in rules_of("recording.yml") if "record" in rule)
    return {rule["record"]: Metric("gauge", groupings(rule["expr"]) - {"le"}) for rule in rules}


def groupings(expression: str) -> frozenset[str]:
    return frozenset(label for labels in GROUPING.findall(expression) for label in re.findall(r"\w+", labels))


def dashboards() -> dict[str, dict]:
    """By file name."""
    files = sorted((GRAFANA / "dashboards").glob("*.json"))
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


def dashboard_queries(name: str, dashboard: dict) -> Iterator[Query]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield Query(f"{name}: {panel['title']}: {target['refId']}", target["expr"])
    for annotation in dashboard["annotations"]["list"]:
        yield Query(f"{name}: annotation {annotation['name']}", annotation["expr"])


def rules_of(file: str) -> list[dict]:
    return [rule for group in read_yaml(file)["groups"] for rule in group["rules"]]


def rule_queries() -> Iterator[Query]:
    for file in read_yaml("prometheus.yml")["rule_files"]:
        for rule in rules_of(file):
            yield Query(f"{file}: {rule.get('alert') or rule['record']}", rule["expr"])


def without_thresholds(expression: str) -> str:
    """The same as 0 or 1, so that an alert that does not fire has a result as long as it has data."""
    parts = SELECTOR.split(expression)
    return "".join(part if part.startswith("{") else COMPARISON.sub(r"\1 bool", part) for part in parts)


def read_yaml(name: str) -> dict:
    return yaml.safe_load((GRAFANA / name).read_text(encoding="utf-8"))
