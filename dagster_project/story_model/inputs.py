"""What the assets of a model are called, and the outputs that they read of each other."""

import dagster as dg

from dagster_project.resources import DataStore
from pipeline.artifact import Artifact
from pipeline.model_spec import ModelSpec


def asset_key(spec: ModelSpec, stage: str) -> dg.AssetKey:
    """Of a stage of the model: model, samples, perplexity, quality, memorisation, report."""
    return dg.AssetKey([spec.name, stage])


def load_corpus(spec: ModelSpec, data: DataStore) -> Artifact:
    """What the model is trained on; a clear failure where it is not there yet."""
    return data.load("corpora", spec.corpus, made_by=f"{spec.corpus}/corpus")


def load_model(spec: ModelSpec, data: DataStore) -> Artifact:
    """The trained model; a clear failure where it is not there yet."""
    return data.load("models", spec.name, made_by=f"{spec.name}/model")


def load_samples(spec: ModelSpec, data: DataStore) -> Artifact:
    """The model's stories; a clear failure where they are not there yet."""
    return data.load("samples", spec.name, made_by=f"{spec.name}/samples")


def load_perplexity(spec: ModelSpec, data: DataStore) -> Artifact:
    """What held-out text costs the model; a clear failure where it is not there yet."""
    return data.load("perplexity", spec.name, made_by=f"{spec.name}/perplexity")


def load_quality(spec: ModelSpec, data: DataStore) -> Artifact:
    """What was measured of its stories; a clear failure where it is not there yet."""
    return data.load("quality", spec.name, made_by=f"{spec.name}/quality")


def load_memorisation(spec: ModelSpec, data: DataStore) -> Artifact:
    """What it copied; a clear failure where it is not there yet."""
    return data.load("memorisation", spec.name, made_by=f"{spec.name}/memorisation")
