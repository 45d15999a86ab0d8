"""Where jobs are done: on this machine, or on a Dask cluster.

Both are executors of `concurrent.futures`, so nothing else in the grader knows which it
is. On this machine a thread for each worker waits for the process that judges, so a
process that dies takes nothing else with it. Dask gives the jobs of a worker that dies to
the others.
"""

import contextlib
import math
import os
import time
from concurrent.futures import FIRST_COMPLETED, CancelledError, ThreadPoolExecutor, wait

from autograder import Unusable, apart, job, templates

CONNECT_SECONDS = 10
RETRIES = 2                      # of a job whose Dask worker died
PATIENCE = 60                    # seconds without a result, then one looks for workers

AGAIN = "What was finished is saved; the same command goes on from there."
LOST = "The connection to the Dask cluster was lost. " + AGAIN


@contextlib.contextmanager
def local(workers=None):
    """An executor with processes of this machine.

    Parameters
    ----------
    workers : int, optional
        How many submissions are marked at a time; default: one for each core.

    Yields
    ------
    executor : concurrent.futures.Executor
    places : function
        Says how many jobs can be done at a time.
    """
    workers = workers or len(os.sched_getaffinity(0))
    apart.prepare()
    executor = ThreadPoolExecutor(workers, thread_name_prefix="worker")
    try:
        yield executor, lambda: workers
        executor.shutdown()
    except BaseException:
        with apart.stopping():
            executor.shutdown(cancel_futures=True)
        raise
    finally:
        templates.close_all()
        job.tidy()


@contextlib.contextmanager
def dask(address):
    """An executor on a Dask cluster.

    Parameters
    ----------
    address : str
        Of its scheduler, such as "tcp://host:8786".

    Yields
    ------
    executor, places
        As `local`.

    Raises
    ------
    Unusable
        If Dask is not installed, nobody answers at the address, or no worker is there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise Unusable("Dask is not installed. Run: pip install distributed") from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise Unusable(f"No Dask scheduler answers at {address}: "
                       f"{' '.join(str(error).split())}") from None
    with client:
        def places():
            try:
                return sum(client.nthreads().values())
            except OSError:
                raise Unusable(LOST) from None

        if not places():
            raise Unusable(f"The Dask cluster at {address} has no worker. Start one on each "
                           f"machine: dask worker {address} --nthreads 1 --nworkers auto")
        executor = client.get_executor(pure=False, retries=RETRIES)
        try:
            yield executor, places
        finally:
            executor.shutdown(wait=False)


def completed(executor, places, function, jobs):
    """Do jobs, and yield each with its outcome as soon as there is one.

    Only so many jobs are made in advance that no worker waits: a class may be larger
    than the memory.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    places : function
        Says how many jobs can be done at a time.
    function : function
    jobs : iterable of (job, outcome)
        Where there is an outcome already, it is passed on.

    Yields
    ------
    job, outcome
        The outcome is what the function returned, or the exception that the executor
        raised because its workers died with this job.
    """
    jobs, waiting, most, asked = iter(jobs), {}, 0, -math.inf
    more = True
    while more or waiting:
        if time.monotonic() > asked + 1:            # workers come and go
            most, asked = 2 * max(places(), 1), time.monotonic()
        while more and len(waiting) < most:
            job, outcome = next(jobs, (None, None))
            if outcome is not None:
                yield job, outcome
            elif job is None:
                more = False
            else:
                waiting[executor.submit(function, job)] = job
        if not waiting:
            continue
        done, _ = wait(waiting, PATIENCE, FIRST_COMPLETED)
        if not done and not places():
            raise Unusable("The Dask cluster has no worker left. " + AGAIN)
        for future in done:
            yield waiting.pop(future), _outcome(future)


def _outcome(future):
    try:
        return future.result()
    except CancelledError:
        raise Unusable(LOST) from None
    except ImportError as error:
        raise Unusable(f"A worker of the Dask cluster cannot import the grader ({error}). Install "
                       "the same version on every machine.") from None
    except Exception as error:
        if type(error).__name__ == "KilledWorker":
            return error
        raise
