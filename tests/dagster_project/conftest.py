"""A project of its own for each test that runs Dagster: corpora, data root, DAGSTER_HOME."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from crawlers.samplesite import SampleSites
from tests.pipeline.clean.texts import prose

ROOT = Path(__file__).parents[2]

_PYPROJECT = """\
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "corpora"
defs_module = "corpora"
code_location_target_module = "dagster_project.definitions"
registry_modules = ["dagster_project.components"]
"""

_KEEPERS = """\
type: dagster_project.components.Franchise
attributes:
  title: Keepers
  genre: adventure
  sources:
    - spider: bulbapedia
      site: {site}
      series:
        - {{prefix: LK, first: 1, last: {last}}}
"""

_TALES = """\
type: dagster_project.components.Franchise
attributes:
  title: Tales of lamps
  sources:
    - {spider: files, path: texts, licence: CC0-1.0}
"""

_STORY_MODEL = """\
type: dagster_project.components.StoryModel
attributes:
  name: keepers-gpt2
  corpus: keepers
  preset: gpt2
  size: nano
  tokenizer: {{vocabulary: 512}}
  training: {{steps: {steps}, batch_size: 4, log_every: 5, eval_every: 20, save_every: 20}}
  samples:
    at_steps: [10]
    prompts: ["The keeper"]
    settings: [{{name: free, temperature: 1.0, max_length: 40}}]
"""


@dataclass(frozen=True)
class Project:
    """A folder like the repository's, as far as Dagster is concerned."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "DAGSTER_HOME": str(self.folder / ".dagster"),
            "LOREMILL_DATA": str(self.data),
            "LOREMILL_CORPORA": str(self.folder / "corpora"),
            "PYTHONPATH": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def kept(self) -> bytes:
        """All that Dagster has written and keeps: its databases, and what the steps printed."""
        home = self.folder / ".dagster"
        return b"\n".join(path.read_bytes() for path in home.rglob("*") if path.is_file())

    def write(self, name: str, *documents: str) -> None:
        """A `defs.yaml` of these documents."""
        (self.folder / "corpora" / name).mkdir(exist_ok=True)
        path = self.folder / "corpora" / name / "defs.yaml"
        path.write_text("---\n".join(documents), "utf-8")

    def write_keepers(self, site: str, episodes: int, steps: int = 30) -> None:
        """A franchise of some episodes, and a model that trains in seconds."""
        self.write(
            "keepers",
            _KEEPERS.format(site=site, last=episodes),
            _STORY_MODEL.format(steps=steps),
        )

    def write_tales(self, *models: str) -> None:
        """A franchise of texts on disk, and models of it, as documents of `defs.yaml`."""
        self.write("tales", _TALES, *models)
        texts = self.folder / "corpora/tales/texts"
        texts.mkdir()
        for number in range(14):
            (texts / f"tale_{number}.txt").write_text(prose(60, number), "utf-8")

    def dg(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`dg …` in the project's folder."""
        return subprocess.run(
            ["dg", *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def launch(self, selection: str) -> subprocess.CompletedProcess[str]:
        """`dg launch --assets SELECTION`."""
        return self.dg("launch", "--assets", selection)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project with the repository's own `dagster.yaml`."""
    (tmp_path / "pyproject.toml").write_text(_PYPROJECT, "utf-8")
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "__init__.py").touch()
    (tmp_path / ".dagster").mkdir()
    shutil.copy(ROOT / ".dagster" / "dagster.yaml", tmp_path / ".dagster")
    return Project(tmp_path)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Project], dg.Definitions]]:
    """The real definitions of a project, in this process: seconds less than `dg launch`."""

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "corpora"]:
            del sys.modules[name]

    def load(project: Project) -> dg.Definitions:
        from dagster_project.definitions import defs

        forget()
        for name in ("LOREMILL_DATA", "LOREMILL_CORPORA"):
            monkeypatch.setenv(name, project.env[name])
        monkeypatch.syspath_prepend(str(project.folder))
        monkeypatch.chdir(project.folder)
        return defs()

    yield load
    forget()


def execute(
    definitions: dg.Definitions, instance: dg.DagsterInstance, *keys: str
) -> dg.ExecuteInProcessResult:
    """Materialize some assets, e.g. "keepers/documents"."""
    job = definitions.resolve_implicit_global_asset_job_def()
    wanted = [dg.AssetKey.from_user_string(key) for key in keys]
    return job.execute_in_process(instance=instance, asset_selection=wanted, raise_on_error=False)


@pytest.fixture
def materialize() -> Callable[..., dg.ExecuteInProcessResult]:
    """`execute`, for tests that cannot import it."""
    return execute


@pytest.fixture
def milled(project: Project, load: Callable[[Project], dg.Definitions]) -> Callable[..., Project]:
    """Writes the tales and models of them, and makes all up to the corpus."""

    def milled(*models: str) -> Project:
        project.write_tales(*models)
        definitions = load(project)
        with dg.DagsterInstance.ephemeral() as instance:
            for key in ("tales/files_pages", "tales/documents", "tales/corpus"):
                assert execute(definitions, instance, key).success
        return project

    return milled


@pytest.fixture(scope="session")
def sites() -> Iterator[SampleSites]:
    """The sample sites on free ports."""
    with SampleSites() as sites:
        yield sites
