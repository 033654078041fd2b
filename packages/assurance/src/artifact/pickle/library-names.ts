const ufuncs =
  "abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil clip cos cosh deg2rad degrees divide exp exp2 expm1 fabs floor fmax fmin hypot identity isfinite isinf isnan log log10 log1p log2 logaddexp maximum minimum multiply negative nan_to_num power rad2deg radians reciprocal rint round sign sin sinh sqrt square subtract tan tanh trunc";
const scalars =
  "bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc intp uint uintc uintp longlong ulonglong float16 float32 float64 longdouble float128 complex64 complex128 clongdouble complex256 str_ bytes_ void object_ datetime64 timedelta64 half single double csingle cdouble generic number integer floating byte ubyte short ushort int_ float_ unicode_ string_ signedinteger unsignedinteger inexact complexfloating flexible character";
const calculations = "mean median min max sum std var argmax argmin average cumsum concatenate hstack vstack nanmean nanmedian unique where log ravel squeeze";

/** NumPy: arrays, types, scalars and generators as its own \`__reduce__\` methods write them; \`numpy._core\` is read as \`numpy.core\`. */
export const numpyNames = `
numpy ndarray matrix recarray record memmap dtype:dtype ${scalars} ${ufuncs} ${calculations} nan inf newaxis
numpy.matrixlib.defmatrix matrix
numpy.rec recarray record
numpy.core.records recarray record
numpy.core.multiarray _reconstruct:reconstruct scalar:scalar
numpy.core.numeric _frombuffer:frombuffer
numpy.core _ufunc_reconstruct:ufunc
numpy.core._multiarray_umath ${ufuncs}
numpy.core.umath ${ufuncs}
numpy.core.fromnumeric ${calculations}
numpy.core._internal _reconstruct:reconstruct _convert_to_stringdtype_kwargs:constants
numpy.lib.function_base average median
numpy.dtypes StringDType:constants
numpy.ma MaskedArray
numpy.ma.core MaskedArray _mareconstruct:maskedReconstruct MaskedConstant:class
numpy.random._pickle __randomstate_ctor:generator __generator_ctor:generator __bit_generator_ctor:generator
numpy.random.mtrand RandomState:instance
numpy.random._mt19937 MT19937:generator
numpy.random._pcg64 PCG64:generator PCG64DXSM:generator
numpy.random._philox Philox:generator
numpy.random._sfc64 SFC64:generator
numpy.random._generator Generator:instance
numpy.random.bit_generator SeedSequence:instance __pyx_unpickle_SeedSequence:firstClass
numpy.random._bit_generator SeedSequence:instance
numpy.polynomial.polynomial Polynomial
`;

const matrices = "bsr coo csc csr dia dok lil";
const forms = matrices.split(" ").map((name) => `scipy.sparse._${name} ${name}_matrix ${name}_array\nscipy.sparse.${name} ${name}_matrix`).join("\n");

/**
 * SciPy: sparse matrices, splines and element-wise functions. Its probability distributions are absent on purpose:
 * their \`__setstate__\` executes a text that stands in the state.
 */
export const scipyNames = `
${forms}
scipy.sparse ${matrices.split(" ").map((name) => `${name}_matrix ${name}_array`).join(" ")}
scipy.sparse._base spmatrix sparray
scipy.interpolate._bsplines BSpline
scipy.interpolate._interpolate interp1d:instance PPoly BPoly
scipy.interpolate.interpolate interp1d:instance
scipy.interpolate._cubic CubicSpline:instance PchipInterpolator:instance
scipy.spatial._ckdtree cKDTree:instance
scipy.spatial._kdtree KDTree:instance
scipy.special._ufuncs expit:value logit:value erf:value gammaln:value boxcox:value inv_boxcox:value xlogy:value
scipy.optimize._optimize OptimizeResult
scipy.optimize.optimize OptimizeResult
`;

/** scikit-learn beside its classes: what its compiled trees and distances are made with, and tuples with names. */
export const sklearnNames = `
sklearn.neighbors._kd_tree newObj:firstClass
sklearn.neighbors._ball_tree newObj:firstClass
sklearn.neighbors.kd_tree newObj:firstClass
sklearn.neighbors.ball_tree newObj:firstClass
sklearn.neighbors._dist_metrics newObj:firstClass
sklearn.neighbors.dist_metrics newObj:firstClass
sklearn.metrics._dist_metrics newObj:firstClass
sklearn.impute._iterative _ImputerTriplet
sklearn.utils._encode MissingValues
sklearn.metrics._scorer _passthrough_scorer:value
`;

/** pandas: what its tables and indexes are rebuilt with. */
export const pandasNames = `
pandas.core.indexes.base _new_Index:newIndex
pandas.core.indexes.numeric Int64Index UInt64Index Float64Index NumericIndex
pandas.core.indexes.datetimes _new_DatetimeIndex:newIndex
pandas.core.indexes.period _new_PeriodIndex:newIndex
pandas.core.arrays.numpy_ PandasArray
pandas.core.arrays.arrow.array ArrowExtensionArray
pandas.core.internals.blocks new_block:constants
pandas._libs.internals _unpickle_block:plain BlockManager BlockPlacement
pandas._libs.arrays __pyx_unpickle_NDArrayBacked:firstClass NDArrayBacked
pandas._libs.tslibs.timestamps _unpickle_timestamp:plain Timestamp
pandas._libs.tslibs.timedeltas _timedelta_unpickle:plain Timedelta
pandas._libs.tslibs.nattype _nat_unpickle:plain NaTType:value __nat_unpickle:plain
pandas._libs.tslibs.period Period _unpickle_period:plain
pandas._libs.tslibs.offsets Day Hour Minute Second Milli Micro Nano BusinessDay MonthEnd MonthBegin Week YearEnd YearBegin QuarterEnd QuarterBegin BDay DateOffset _offset:value
pandas._libs.missing NAType:value NA:value _NA:value C_NA:value
pandas._libs.interval Interval
pandas._libs.tslibs.np_datetime NPY_DATETIMEUNIT:value
pandas DataFrame Series Index Timestamp Timedelta NaT:value NA:value
pytz _UTC:plain UTC:value _p:zone
pytz.tzfile DstTzInfo
`;

const storages = "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage QInt8Storage QUInt8Storage QInt32Storage QUInt4x2Storage QUInt2x4Storage";
const torchTypes = "float16 float32 float64 bfloat16 float half double int8 int16 int32 int64 uint8 uint16 uint32 uint64 long int short bool complex64 complex128 cfloat cdouble quint8 qint8 qint32 quint4x2 quint2x4 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2 strided sparse_coo sparse_csr contiguous_format channels_last preserve_format per_tensor_affine per_channel_affine";
const activations = "relu gelu silu elu selu tanh sigmoid softmax log_softmax leaky_relu mish hardswish softplus mse_loss cross_entropy nll_loss";

/** PyTorch: tensors and their storages; layers and optimisers stand in \`torch-classes.ts\`. */
export const torchNames = `
torch ${storages} ${torchTypes} Tensor Size:sequence device:constants ${activations}
torch.cuda ${storages}
torch.storage UntypedStorage TypedStorage _TypedStorage _UntypedStorage
torch._tensor Tensor _rebuild_from_type_v2:rebuildFromType
torch._utils _rebuild_tensor:rebuildTensor _rebuild_tensor_v2:rebuildTensor _rebuild_tensor_v3:rebuildTensor _rebuild_qtensor:rebuildTensor _rebuild_parameter:rebuildParameter _rebuild_parameter_with_state:rebuildParameter _rebuild_sparse_tensor:plain _rebuild_sparse_csr_tensor:plain _rebuild_meta_tensor_no_storage:plain _rebuild_device_tensor_from_numpy:plain _rebuild_device_tensor_from_cpu_tensor:plain
torch.serialization _get_layout:constants
torch.nn.functional ${activations}
torch._C._nn gelu
torch.nn.parameter Parameter:instance Buffer:instance
torch.jit._pickle build_intlist:plain build_tensorlist:plain build_doublelist:plain build_boollist:plain restore_type_tag:plain
torch.distributions.constraints _Real _Positive _Simplex
pytorch_lightning.utilities.parsing AttributeDict
lightning_fabric.utilities.data AttributeDict
lightning.fabric.utilities.data AttributeDict
omegaconf.dictconfig DictConfig:instance
omegaconf.listconfig ListConfig:instance
omegaconf.base ContainerMetadata Metadata
omegaconf.nodes AnyNode:instance IntegerNode:instance FloatNode:instance StringNode:instance BooleanNode:instance
typing Any:value
`;

/** Boosted trees, and joblib's own wrapper of arrays. */
export const treeNames = `
xgboost.core Booster:instance DMatrix:value
xgboost.sklearn XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor
xgboost.compat XGBoostLabelEncoder
lightgbm.basic Booster:instance
lightgbm.sklearn LGBMModel LGBMClassifier LGBMRegressor LGBMRanker _LGBMLabelEncoder
lightgbm.compat _LGBMLabelEncoder
joblib.numpy_pickle NumpyArrayWrapper:instance
`;
