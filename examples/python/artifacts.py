#!/usr/bin/env python3
"""Artifacts from Python, over the command line's ``--json``: one file, nothing to install.

Copy it beside your program::

    from artifacts import Store

    store = Store.init()
    with store.start_run("train", job="train", config={"lr": 0.1}) as run:
        data = run.use("bike")                     # a read-only path
        run.log("bike-model", "model.pt", type="model", aliases=["best"])
    for step in store.lineage("bike-model").upstream():
        print(step)

The program is ``artifacts``, or what the variable ARTIFACTS_PROGRAM says. Run as a program, this file does the above in the
current directory and prints what came of it.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections import deque


class ArtifactsError(Exception):
    """What the program refused: `code` as in docs/errors.md, `hint`, and all facts it told in `data`."""

    def __init__(self, data, exit_code):
        super().__init__(data.get("message", "artifacts failed"))
        self.code = data.get("code", "ERR_UNKNOWN")
        self.hint = data.get("hint")
        self.data = data
        self.exit_code = exit_code

    def __str__(self):
        return f"{self.args[0]} {self.hint}" if self.hint else self.args[0]


class Store:
    """The store at or above a directory."""

    def __init__(self, directory="."):
        self.directory = os.path.abspath(directory)

    @classmethod
    def init(cls, directory="."):
        """Makes a store, or finds the one that is there."""
        store = cls(directory)
        store.call("init")
        return store

    def log(self, name, *paths, run=None, **labels):
        """Stores files, directories or URIs as a version of the artifact `name`, and tells what came of it.

        `type`, `aliases`, `tags`, `description`, `metadata`; `slot`, what it is called in the run; `base`, a ref to
        start from; `incremental`. Without `paths` the directory that is bound to the artifact is stored.
        """
        flags = {
            "name": name,
            "type": labels.pop("type", None),
            "alias": labels.pop("aliases", ()),
            "tag": labels.pop("tags", ()),
            "message": labels.pop("description", None),
            "base": labels.pop("base", None),
            "incremental": labels.pop("incremental", False),
            "run": run,
            "slot": labels.pop("slot", None),
        }
        metadata = labels.pop("metadata", None)
        if labels:
            raise TypeError(f"log() has no {', '.join(labels)}")
        if metadata is None:
            return self.one("commit", *paths, **flags)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "metadata.json")
            with open(file, "w", encoding="utf-8") as out:
                json.dump(metadata, out, allow_nan=False)
            return self.one("commit", *paths, **flags, meta_file=file)

    def use(self, ref, run=None, **flags):
        """Records that a run uses a version, and returns a read-only copy: the folder, or the one file."""
        return self.one("use", ref, run=run, **flags)["path"]

    def version(self, ref):
        """All facts of a version."""
        return self.one("show", ref)

    def versions(self, name):
        """The versions of an artifact, newest first."""
        return self.one("ls", name)

    def read(self, ref, path):
        """The bytes of one file."""
        return self.run_program(["cat", ref, path])

    def download(self, ref, directory):
        """Adds the files of a version to a directory."""
        return self.one("download", ref, directory)

    def lineage(self, ref, **flags):
        """Where a version comes from, and what came of it; `up`, `down`, `depth`."""
        return Lineage(self.one("lineage", ref, **flags))

    def start_run(self, name=None, **facts):
        """A run, for a `with` block: it is finished at its end, or has failed if an exception leaves it.

        `project`, `job`, `group`, `tags`, `notes`, `config`.
        """
        parameters = facts.pop("config", {})
        wrong = [key for key in parameters if "=" in key]
        if wrong:
            raise ValueError(f'a parameter of a run has no "=" in its name: {wrong[0]}')
        config = [f"{key}={json.dumps(value, allow_nan=False)}" for key, value in parameters.items()]
        tags = facts.pop("tags", ())
        return Run(self, self.one("run", "start", name=name, tag=tags, config=config, **facts))

    def run(self, run):
        """All facts of a run, its inputs and outputs; by id or name, of equal names the newest."""
        return self.one("run", "show", run)

    def one(self, *words, **flags):
        """The one value that a command answers."""
        values = self.call(*words, **flags)
        return values[0] if values else None

    def call(self, *words, **flags):
        """Runs any command: `store.call("tag", "bike:v3", "good", remove=True)`. Returns the values it answers."""
        argv = [words[0], "--json"]
        for name, value in flags.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                argv.append(flag)
            elif value is not None and value is not False:
                values = value if isinstance(value, (list, tuple, set)) else [value]
                argv += [f"{flag}={each}" for each in values]
        argv += [str(word) for word in words[1:]]
        return [json.loads(line) for line in self.run_program(argv).decode("utf-8").splitlines()]

    def run_program(self, argv):
        program = shlex.split(os.environ.get("ARTIFACTS_PROGRAM", "artifacts"))
        done = subprocess.run(program + argv, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        told = done.stderr.decode("utf-8", "replace")
        if done.returncode == 0:
            return done.stdout
        for line in told.splitlines():
            if line.startswith('{"type":"error"'):
                raise ArtifactsError(json.loads(line), done.returncode)
        raise ArtifactsError({"message": told.strip() or f"artifacts ended with {done.returncode}"}, done.returncode)


class Run:
    """A run that goes on. What is used and logged through it is recorded as its input and output."""

    def __init__(self, store, facts):
        self.store = store
        self.id = facts["id"]
        self.name = facts.get("name")
        self.project = facts["project"]

    def use(self, ref, **flags):
        """A read-only copy of a version: the folder, or the one file; `type` it must have, `slot`."""
        return self.store.use(ref, run=self.id, **flags)

    def log(self, name, *paths, **labels):
        """As `Store.log`."""
        return self.store.log(name, *paths, run=self.id, **labels)

    def finish(self, failed=False):
        self.store.call("run", "finish", self.id, failed=failed)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.finish(failed=kind is not None)


class Lineage:
    """Versions and runs as they were made from each other."""

    def __init__(self, graph):
        self.root = graph["root"]
        self.versions = {each["id"]: each for each in graph["versions"]}
        self.runs = {each["id"]: each for each in graph["runs"]}
        self.edges = graph["edges"]
        self._edges_at = {"from": {}, "to": {}}
        for edge in self.edges:
            for end, edges in self._edges_at.items():
                edges.setdefault(edge[end], []).append(edge)

    def upstream(self, of=None):
        """The way from a version back to what it was made from, nearest first.

        Sentences of three: a run `logs` or `uses` a version, a version is the `parent` of another.
        """
        return self._walk(of or self.root, "to", "from")

    def downstream(self, of=None):
        """The way on to what was made from a version, told alike."""
        return self._walk(of or self.root, "from", "to")

    def title(self, node):
        """What a version or a run is called."""
        if node in self.versions:
            return self.versions[node]["ref"]
        run = self.runs[node]
        return f"run {run.get('name') or run['id']}"

    def _walk(self, start, here, there):
        seen, waiting = {start}, deque([start])
        while waiting:
            node = waiting.popleft()
            for edge in self._edges_at[here].get(node, ()):
                ends = (edge["from"], edge["to"]) if edge["kind"] != "uses" else (edge["to"], edge["from"])
                yield self.title(ends[0]), edge["kind"], self.title(ends[1])
                if edge[there] not in seen:
                    seen.add(edge[there])
                    waiting.append(edge[there])


def example():
    """Two runs: one makes data, one trains on it. Then the way back from the model."""
    store = Store.init()
    os.makedirs("data", exist_ok=True)
    with open("data/bikes.csv", "w", encoding="utf-8") as out:
        out.write("id,color\n1,red\n2,green\n")
    with open("data/notes.txt", "w", encoding="utf-8") as out:
        out.write("Seen at the bridge.\n")

    with store.start_run("collect", job="collect") as run:
        logged = run.log("bike", "data", type="dataset", metadata={"rows": 2, "source": "bridge"})
        print("logged", logged["ref"], "of", logged["files"], "files")

    with store.start_run("train", job="train", config={"lr": 0.1}, tags=["first"]) as run:
        folder = run.use("bike:latest", type="dataset")
        with open(os.path.join(folder, "bikes.csv"), encoding="utf-8") as table:
            rows = len(table.readlines()) - 1
        with open("model.json", "w", encoding="utf-8") as out:
            json.dump({"weights": [rows, 0.5]}, out)
        logged = run.log("bike-model", "model.json", type="model", aliases=["best"])
        print("logged", logged["ref"])

    print("the model:", store.read("bike-model:best", "model.json").decode())
    for step in store.lineage("bike-model:best").upstream():
        print(" ", *step)
    print("aliases:", ", ".join(sorted(store.version("bike-model")["aliases"])))
    try:
        store.version("boat")
    except ArtifactsError as error:
        print(error.code, "-", error)


if __name__ == "__main__":
    sys.exit(example())
