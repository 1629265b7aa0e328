"""Lists classes of a library whose instances only hold data when they are rebuilt: rows of supply/known_classes.txt.

`python bench/list_known_classes.py torch.nn.modules torch.optim` in an environment where the library is installed. It
is imported, so run this on libraries that you trust. A class is listed when every hook that loading could run, its own
or inherited, is one of the library's that were read (REVIEWED); the others are printed to standard error.
"""

import importlib
import inspect
import pkgutil
import sys
import warnings
from collections import defaultdict

HOOKS = ("__new__", "__setstate__", "__reduce__", "__reduce_ex__", "__del__", "__setattr__", "__getattribute__")
REVIEWED = {
    # They put back what the state says, and fill in what older versions did not write.
    "torch.nn.modules.module.Module.__setstate__",
    "torch.nn.modules.module.Module.__setattr__",
    "torch.nn.modules.conv._ConvNd.__setstate__",
    "torch.nn.modules.rnn.RNNBase.__setstate__",
    "torch.nn.modules.rnn.RNNBase.__setattr__",
    "torch.nn.modules.upsampling.Upsample.__setstate__",
    "torch.nn.modules.pooling.AvgPool3d.__setstate__",
    "torch.nn.modules.transformer.TransformerEncoderLayer.__setstate__",
    "torch.nn.modules.transformer.TransformerDecoderLayer.__setstate__",
    *(f"torch.nn.modules.activation.{name}.__setstate__" for name in ("MultiheadAttention", "Softmax", "Softmin")),
    "torch.nn.modules.activation.LogSoftmax.__setstate__",
    "torch.optim.optimizer.Optimizer.__setstate__",
    *(
        f"torch.optim.{name.lower()}.{name}.__setstate__"
        for name in (
            "Adadelta",
            "Adagrad",
            "Adam",
            "AdamW",
            "Adamax",
            "ASGD",
            "NAdam",
            "RAdam",
            "RMSprop",
            "Rprop",
            "SGD",
        )
    ),
    "sklearn.base.BaseEstimator.__setstate__",
}


def modules(name):
    """Yield a package and everything below it that can be imported."""
    package = importlib.import_module(name)
    yield package
    for inner in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."):
        if "test" not in inner.name:
            try:
                yield importlib.import_module(inner.name)
            except ImportError as error:
                print(f"{inner.name}: {error}", file=sys.stderr)


def hooks(kind):
    """Return the hooks of a class that its own library defines."""
    library = kind.__module__.partition(".")[0]
    found = ((base, hook) for base in kind.__mro__[:-1] for hook in HOOKS if hook in vars(base))
    return {
        f"{base.__module__}.{base.__qualname__}.{hook}" for base, hook in found if base.__module__.startswith(library)
    }


def main(names):
    """Print a row for each module."""
    warnings.simplefilter("ignore")
    rows = defaultdict(set)
    for name in names:
        for module in modules(name):
            for attribute, kind in vars(module).items():
                if not inspect.isclass(kind) or kind.__module__ != module.__name__ or kind.__name__ != attribute:
                    continue
                unread = hooks(kind) - REVIEWED
                if unread:
                    print(f"not listed: {module.__name__}.{attribute}: {', '.join(sorted(unread))}", file=sys.stderr)
                else:
                    rows[module.__name__].add(attribute)
    for module, classes in sorted(rows.items()):
        print(module, *sorted(classes))


if __name__ == "__main__":
    main(sys.argv[1:])
