"""For the whole suite: processes that tests start keep their byte code, so that each does not compile symgen anew; nodes of
earlier tests, which stay, are not gone through again by the garbage collector, whose pauses would spend budgets."""

import gc
import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def kept_byte_code(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    if "PYTHONPYCACHEPREFIX" not in os.environ:
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
    yield
    patch.undo()


@pytest.fixture(scope="module", autouse=True)
def nodes_that_stay():
    gc.freeze()
