"""Stand-ins for the heavy packages of a server's models (torch, ctranslate2, ...), enough for it to be imported. No
inference goes through them."""

import importlib.abc
import importlib.machinery
import sys
import types


class Anything:
    """Whatever it is asked for, it is that; as a decorator it changes nothing."""

    def __init__(self, *_, **__):
        pass

    def __call__(self, *given, **_):
        if len(given) == 1 and isinstance(given[0], types.FunctionType | type):
            return given[0]
        return Anything()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def __bool__(self):
        # torch.cuda.is_available(): no.
        return False


class StandIn(types.ModuleType):
    """A module in which every name is found."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = type(name, (Anything,), {}) if name[:1].isupper() else Anything()
        setattr(self, name, value)
        return value


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of these packages."""

    def __init__(self, packages):
        self.packages = set(packages)

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.packages:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


def stand_in_for(*packages: str):
    """For these, unless they are really installed."""
    sys.meta_path.append(Finder(packages))
