"""Which globals a pickle may name. Default deny: a name that stands nowhere here is hostile.

Tier 0 cannot act whatever its arguments (or has a rule about them in `supply/calls.py`). Tier 1 are classes of known
libraries: building an instance without calling the class runs nothing of ours to fear, but its methods are trusted
later, so a person reviews them, unless the class is on the list of those that were read (`known_classes.txt`).
Functions are allowed by exact name only: libraries are full of functions that act.
"""

import re
from functools import cache
from importlib import resources

_UFUNCS = (
    "abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 "
    "atanh bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or "
    "bitwise_right_shift bitwise_xor cbrt ceil conj conjugate copysign cos cosh deg2rad degrees divide divmod "
    "equal exp exp2 expm1 fabs float_power floor floor_divide fmax fmin fmod frexp gcd greater greater_equal "
    "heaviside hypot invert isfinite isinf isnan isnat lcm ldexp left_shift less less_equal log log10 log1p "
    "log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor matmul matvec maximum minimum "
    "mod modf multiply negative nextafter not_equal positive pow power rad2deg radians reciprocal remainder "
    "right_shift rint sign signbit sin sinh spacing sqrt square subtract tan tanh true_divide trunc vecdot "
    "vecmat "
)
"""Functions of NumPy on arrays: estimators keep them as settings, and none has an effect."""
_TORCH_TYPES = (
    "bits16 bits1x8 bits2x4 bits4x2 bits8 complex32 float4_e2m1fn_x2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu "
    "int1 int2 int3 int4 int5 int6 int7 per_channel_affine_float_qparams per_channel_symmetric "
    "per_tensor_symmetric qint32 qint8 quint2x4 quint4x2 quint8 uint1 uint16 uint2 uint3 uint32 uint4 "
    "uint5 uint6 uint64 uint7 "
)
_ACTIVATIONS = (
    "celu elu gelu glu hardsigmoid hardswish hardtanh leaky_relu log_softmax logsigmoid mish relu relu6 selu sigmoid "
    "silu softmax softplus softsign tanh"
)
"""Activations, which layers keep as settings."""
_TIER_0 = {
    "builtins": "Ellipsis NotImplemented bool bytearray bytes complex dict float frozenset int list object range set "
    "slice str tuple",
    "argparse": "Namespace",
    "types": "SimpleNamespace",
    "typing": "Any Callable Dict List Optional Sequence Set Tuple Union",
    "random": "Random",
    "re": "_compile",
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg": "_reconstructor",
    "_codecs": "encode",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "uuid": "UUID",
    "pathlib": "PurePath PurePosixPath PureWindowsPath",
    "pathlib._local": "PurePath PurePosixPath PureWindowsPath",
    "numpy": "bool bool_ complex128 complex64 dtype float16 float32 float64 int16 int32 int64 int8 matrix ndarray "
    "max mean median min recarray record std sum uint16 uint32 uint64 uint8 str_ bytes_ datetime64 timedelta64 "
    + _UFUNCS,
    "numpy.matrixlib.defmatrix": "matrix",
    "numpy.core.multiarray": "_reconstruct scalar",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy.core._internal": "_reconstruct",
    "numpy.core.numeric": "_frombuffer",
    "numpy._core.numeric": "_frombuffer",
    "numpy.ma": "MaskedArray",
    "numpy.ma.core": "MaskedArray MaskedConstant _mareconstruct",
    "numpy.rec": "recarray record",
    "numpy.core.records": "recarray record",
    "numpy._core.records": "recarray record",
    "numpy.random._generator": "Generator",
    "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64 PCG64DXSM",
    "numpy.random.bit_generator": "__pyx_unpickle_SeedSequence SeedSequence",
    "joblib.numpy_pickle": "NDArrayWrapper NumpyArrayWrapper ZNDArrayWrapper",
    "scipy.sparse._csr": "csr_array csr_matrix",
    "scipy.sparse._csc": "csc_array csc_matrix",
    "scipy.sparse._coo": "coo_array coo_matrix",
    "torch": _TORCH_TYPES
    + "Size Tensor device float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool complex64 "
    "complex128 float8_e4m3fn float8_e5m2 strided per_tensor_affine per_channel_affine BFloat16Storage BoolStorage "
    "ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage FloatStorage HalfStorage "
    "IntStorage LongStorage QInt8Storage QInt32Storage QUInt8Storage ShortStorage",
    "torch._utils": "_rebuild_device_tensor_from_cpu_tensor _rebuild_device_tensor_from_numpy "
    "_rebuild_meta_tensor_no_storage _rebuild_nested_tensor _rebuild_wrapper_subclass "
    "_rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor "
    "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3",
    "torch._tensor": "_rebuild_from_type_v2",
    "torch.nn.functional": _ACTIVATIONS,
    "torch._C._nn": _ACTIVATIONS,
    "torch.nn.parameter": "Buffer Parameter UninitializedParameter",
    "torch.storage": "TypedStorage UntypedStorage",
    "torch.serialization": "_get_layout",
    "torch.jit._pickle": "build_boollist build_doublelist build_intlist build_tensor_from_id build_tensorlist "
    "restore_type_tag",
    "sklearn.tree._tree": "Tree",
    "sklearn.feature_selection._univariate_selection": "chi2 f_classif f_oneway f_regression r_regression",
    "sklearn.feature_selection.univariate_selection": "chi2 f_classif f_oneway f_regression",
    "sklearn.linear_model._sgd_fast": "EpsilonInsensitive Hinge Huber Log ModifiedHuber SquaredEpsilonInsensitive "
    "SquaredHinge SquaredLoss",
    "sklearn._loss._loss": "CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss "
    "CyHalfMultinomialLoss CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity "
    "CyHuberLoss CyPinballLoss",
    "sklearn.cluster._kmeans": "_kmeans_single_elkan _kmeans_single_lloyd",
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",
    "sklearn.neighbors._ball_tree": "newObj",
    "sklearn.neighbors._kd_tree": "newObj",
    "sklearn.metrics._dist_metrics": "newObj",
    "pandas._libs.internals": "_unpickle_block",
    "pandas.core.internals.managers": "BlockManager",
    "pandas.core.indexes.base": "_new_Index",
}
NUMPY_SETTINGS = frozenset({"max", "mean", "median", "min", "std", "sum", *_UFUNCS.split()})
_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_OLD_NAMES = {"xrange": "range", "long": "int", "unicode": "str", "basestring": "str"}
TIER_0 = frozenset((module, name) for module, names in _TIER_0.items() for name in names.split())

_LIBRARIES = frozenset(
    name
    for line in (
        "accelerate autogluon bertopic catboost category_encoders datasets detectron2 diffusers fairseq fastai",
        "fastcore flair gensim gplearn hdbscan hmmlearn imblearn interpret keras lightgbm lightning lightning_fabric",
        "mlxtend mmcv mmdet mmengine mmseg monai networkx nltk numpy omegaconf open_clip pandas peft pmdarima prophet",
        "pyannote pynndescent pyod pytorch_lightning pytorch_tabnet river scipy segmentation_models_pytorch setfit",
        "sentence_transformers shap skl2onnx sklearn skopt skorch sktime spacy speechbrain statsmodels thinc timm",
        "tokenizers torch torch_geometric torchaudio torchmetrics torchtext torchvision tpot transformers trl",
        "tslearn ultralytics umap xgboost yolov5",
    )
    for name in line.split()
)
"""Libraries whose classes are found in published models."""
_REPOSITORIES = ("models.yolo", "models.common", "models.experimental")
"""Modules of YOLOv5 and YOLOv7, which are run out of their repository and name their classes so."""
_ENUMS = {
    "transformers.trainer_utils": "EvaluationStrategy FSDPOption HubStrategy IntervalStrategy SaveStrategy "
    "SchedulerType ShardedDDPOption",
    "transformers.training_args": "OptimizerNames ParallelMode",
    "transformers.debug_utils": "DebugOption",
    "transformers.utils.generic": "PaddingStrategy TensorType",
    "transformers.tokenization_utils_base": "PaddingStrategy TruncationStrategy",
    "accelerate.utils.dataclasses": "ComputeEnvironment CustomDtype DistributedType DynamoBackend LoggerType "
    "PrecisionType RNGType SageMakerDistributedType",
    "peft.utils.peft_types": "PeftType TaskType",
    "torch.distributed.fsdp.api": "BackwardPrefetch ShardingStrategy StateDictType",
    "torch.distributed.fsdp.fully_sharded_data_parallel": "BackwardPrefetch ShardingStrategy StateDictType",
    "pytorch_lightning.trainer.states": "RunningStage TrainerFn TrainerStatus",
    "lightning.pytorch.trainer.states": "RunningStage TrainerFn TrainerStatus",
}
ENUMS = frozenset(f"{module}.{name}" for module, names in _ENUMS.items() for name in names.split())
"""Enumerations, which are called with the value of their member when a pickle is loaded (training_args.bin)."""
_OLD_PARTS = re.compile(r"\._")
_CLASS = re.compile(r"(?!Popen$)_?[A-Z]\w*")
"""Popen is never a class of the library that imports it."""


@cache
def _known() -> frozenset[tuple[str, str]]:
    """Return the listed classes, under their present modules and those without underscores."""
    text = resources.files(__package__).joinpath("known_classes.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    present = {(module, name) for module, *names in rows for name in names}
    return frozenset(present | {(_OLD_PARTS.sub(".", module), name) for module, name in present})


def is_known(module: str, name: str) -> bool:
    """Return whether this tier 1 class was looked at: an instance that is built without calling it needs no review."""
    return (module, name) in _known()


def canonical(module: str, name: str) -> tuple[str, str]:
    """Return the global under its present name: Python 2 called some modules otherwise."""
    present = _OLD_MODULES.get(module, module)
    return present, _OLD_NAMES.get(name, name) if module == "__builtin__" else name


def tier(module: str, name: str) -> int | None:
    """Return 0 or 1, or None for everything that is not allowed."""
    if canonical(module, name) in TIER_0:
        return 0
    library = module.split(".", 1)[0]
    dotted = not all(part.isidentifier() for part in module.split("."))
    if (library in _LIBRARIES or module in _REPOSITORIES) and not dotted and _CLASS.fullmatch(name):
        return 1
    return None
