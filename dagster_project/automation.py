"""When something is made again by itself: what changed upstream decides, not that a step ran.

A crawl runs by the cron line of its franchise; all else follows it, once the sensor
`default_automation_condition_sensor` is switched on in the UI (Automation). Dagster's own `eager()`
re-makes everything downstream of a step that ran, whatever came of it; here a step is asked for
when the data version of what it is made from has changed, so that a week without edits costs a few
listing requests and no training. Nothing is built on what failed a blocking check.

A model is trained again by itself only where it was trained before: the first training is a
person's decision, dear on a GPU, and a new YAML file must not start one. Code and configuration are
no reason to start either, so an upgrade retrains nothing by itself; the steps' own fingerprints see
to it that the next run makes anew what they change.
"""

import warnings

import dagster as dg

_When = dg.AutomationCondition

#: Everything it is made from is there, good, and not being made anew just now; nor is it itself.
_READY = (
    ~_When.any_deps_missing()
    & ~_When.any_deps_in_progress()
    & ~_When.in_progress()
    & _When.all_deps_blocking_checks_passed()
)
_CHANGED = _When.any_deps_match(_When.data_version_changed())
#: Missing, and what it is made from has just come to be there.
_POSSIBLE = (_When.missing() & ~_When.any_deps_missing()).newly_true()

#: What is measured of stories reads corpus and model too; new ones of those bring new stories.
_RESAMPLED = _CHANGED.allow(dg.AssetSelection.key_substring("/samples"))

FOLLOWS = (_POSSIBLE | _CHANGED).since_last_handled() & _READY
MEASURED = (_POSSIBLE | _RESAMPLED).since_last_handled() & _READY
RETRAINED = _CHANGED.since_last_handled() & ~_When.missing() & _READY
#: A page over several, of which some may never be made: it waits for those under way alone.
GATHERED = _CHANGED.since_last_handled() & ~_When.any_deps_in_progress() & ~_When.in_progress()

_BY_STAGE: dict[str, dg.AutomationCondition] = {
    "documents": FOLLOWS.with_label("its pages have changed"),
    "corpus": FOLLOWS.with_label("its documents have changed"),
    "index": FOLLOWS.with_label("its corpus has changed"),
    "model": RETRAINED.with_label("its corpus has changed, and it was trained before"),
    "samples": FOLLOWS.with_label("its model has changed"),
    "perplexity": FOLLOWS.with_label("its model or corpus has changed"),
    "quality": MEASURED.with_label("its samples have changed"),
    "memorisation": MEASURED.with_label("its samples have changed"),
    "report": FOLLOWS.with_label("what was measured has changed"),
    "models": GATHERED.with_label("what was measured of a model has changed"),
}


def automate(definitions: dg.Definitions) -> dg.Definitions:
    """The definitions with a condition on each asset that follows others."""
    with warnings.catch_warnings():
        # In preview, says Dagster; its release is pinned, and the tests would tell.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return definitions.map_asset_specs(func=_automated)


def _automated(spec: dg.AssetSpec) -> dg.AssetSpec:
    condition = _BY_STAGE.get(spec.key.path[-1])
    return spec.replace_attributes(automation_condition=condition) if condition else spec
