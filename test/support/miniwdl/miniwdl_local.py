"""Tasks as local processes, in place of containers: for machines without a container runtime."""
import os
import subprocess

from WDL.runtime.backend.cli_subprocess import SubprocessBase


class LocalContainer(SubprocessBase):
    _bind_input_files = False

    def __init__(self, cfg, run_id, host_dir):
        super().__init__(cfg, run_id, host_dir)
        self.container_dir = self.host_dir

    @classmethod
    def global_init(cls, cfg, logger):
        cls.detect_resource_limits(cfg, logger)

    @property
    def cli_name(self):
        return "local"

    def _pull(self, logger, cleanup):
        return "none"

    def _run_invocation(self, logger, cleanup, image):
        work = os.path.join(self.host_dir, "work")
        os.makedirs(work, exist_ok=True)
        for host, container in self.input_path_map.items():
            os.makedirs(os.path.dirname(container), exist_ok=True)
            if not os.path.lexists(container):
                os.symlink(host, container)
        return ["env", "-C", work]
