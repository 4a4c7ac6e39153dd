"""The jobs of a Snakefile as JSON on standard output: what Snakemake itself makes of it, without running anything.

Usage: python snakemake_dag.py REQUEST.json, where the request has snakefile, directory, configfiles and targets.
Everything that a job does besides its shell command stands under "cannot", so that the reader can refuse it.
"""
import json
import os
import sys
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

#: Flags of files that change nothing where files are kept by commits.
HARMLESS = {"temp", "protected", "report", "touch"}


def files(named):
    return [
        {"path": str(path), "flags": sorted(getattr(path, "flags", {}) or {}), "folder": os.path.isdir(str(path))}
        for path in named
    ]


def refusals(job):
    rule = job.rule
    found = []
    for kind in ("script", "notebook", "wrapper", "cwl", "template_engine"):
        if getattr(rule, kind, None):
            found.append(f"{kind}: only shell commands can be taken over")
    if rule.is_run:
        found.append("run: its Python code has Snakemake's own objects; only shell commands can be taken over")
    if rule.is_checkpoint:
        found.append("checkpoint: what comes after it is known only when it has run")
    if rule.shadow_depth:
        found.append("shadow: it works in a folder that Snakemake makes")
    if getattr(rule, "group", None):
        found.append("group: its jobs are to run together")
    if job.is_group():
        found.append("group: its jobs are to run together")
    for path in list(job.output) + list(job.input):
        for flag in getattr(path, "flags", {}) or {}:
            if flag not in HARMLESS:
                found.append(f"{path}: {flag}() is not known here")
    for path in job.output:
        if os.path.isabs(str(path)) or ".." in Path(str(path)).parts:
            found.append(f"{path}: an output outside the working folder")
    if getattr(rule, "conda_env", None):
        found.append("conda: put the tools into the image instead")
    return found


def describe(job, dag):
    depends = {}
    for other, paths in dag.dependencies[job].items():
        for path in paths:
            depends[str(path)] = other.jobid
    resources = {k: v for k, v in job.resources.items() if isinstance(v, (int, float)) and not k.startswith("_")}
    return {
        "id": job.jobid,
        "rule": job.rule.name,
        "wildcards": {k: str(v) for k, v in job.wildcards_dict.items()},
        "shell": job.shellcmd if job.is_shell else None,
        "inputs": files(job.input),
        "outputs": files(job.output),
        "log": [str(path) for path in job.log],
        "from": depends,
        "threads": job.threads,
        "resources": resources,
        "retries": int(job.restart_times or 0) if hasattr(job, "restart_times") else 0,
        "container": job.container_img_url if hasattr(job, "container_img_url") else None,
        "cannot": [] if not (job.output or job.is_shell) else refusals(job),
    }


def main():
    request = json.loads(Path(sys.argv[1]).read_text())
    # As many cores as a job can have, or threads would be cut to fewer.
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, keep_logger=False)) as api:
        flow = api.workflow(
            resource_settings=ResourceSettings(cores=int(request.get("cores", 256)), nodes=None),
            config_settings=ConfigSettings(configfiles=[Path(path) for path in request["configfiles"]]),
            snakefile=Path(request["snakefile"]),
            workdir=Path(request["directory"]),
        )
        dag_api = flow.dag(dag_settings=DAGSettings(targets=set(request["targets"]), forceall=True))
        workflow = dag_api.workflow_api._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True, nolock=True)
        workflow._build_dag()
        dag = workflow.dag
        jobs = [describe(job, dag) for job in dag.jobs]
    print(json.dumps({"version": 1, "jobs": jobs}))


try:
    main()
except Exception as error:  # noqa: BLE001: whatever Snakemake says of the file is for the user
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(1)
