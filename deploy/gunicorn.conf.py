"""Settings of the web server, for `flask --app wsgi serve` and for the systemd unit alike.

From the environment: HOST, PORT, WEB_WORKERS, WEB_THREADS, WORKER_CLASS (gthread, or sync behind a buffering proxy),
DATA_DIR.
"""

import os
import shutil
from pathlib import Path

_data_dir = Path(os.environ.get("DATA_DIR") or "data").resolve()
# read by prometheus_client when it is first imported: set before anything of the app is
_metrics = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_data_dir / "metrics")))

bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"
worker_class = os.environ.get("WORKER_CLASS") or "gthread"
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = 1 if worker_class == "sync" else int(os.environ.get("WEB_THREADS") or 8)
preload_app = True  # read once, shared by all web processes; nothing connects to the database before they fork
timeout = 60
graceful_timeout = 10
keepalive = 5
proc_name = "sijin"
control_socket_disable = True  # else two instances of one user share a socket in the home directory
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - heartbeats must not wait for a disk
loglevel = "warning"


def on_starting(server):
    """Figures of processes that are gone would be counted for ever."""
    shutil.rmtree(_metrics, ignore_errors=True)
    _metrics.mkdir(parents=True)


def child_exit(server, worker):
    """Drop the live figures of a web process that has ended; its counts stay."""
    from prometheus_client import multiprocess  # noqa: PLC0415 - must not be imported before the variable above is set

    multiprocess.mark_process_dead(worker.pid)
