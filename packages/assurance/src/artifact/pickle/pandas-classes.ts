/**
 * Classes of pandas that tables and their columns are made of.
 * One line per module: its name, then the names of it that are meant.
 */
export const pandasClasses = `
pandas.core.arrays.base ExtensionArray ExtensionArraySupportsAnyAll ExtensionOpsMixin ExtensionScalarOpsMixin
pandas.core.arrays.boolean BooleanArray BooleanDtype
pandas.core.arrays.categorical Categorical CategoricalAccessor
pandas.core.arrays.datetimelike DatelikeOps DatetimeLikeArrayMixin TimelikeOps
pandas.core.arrays.datetimes DatetimeArray
pandas.core.arrays.floating Float32Dtype Float64Dtype FloatingArray FloatingDtype
pandas.core.arrays.integer Int16Dtype Int32Dtype Int64Dtype Int8Dtype IntegerArray IntegerDtype UInt16Dtype UInt32Dtype UInt64Dtype UInt8Dtype
pandas.core.arrays.interval IntervalArray
pandas.core.arrays.masked BaseMaskedArray
pandas.core.arrays.numeric NumericArray NumericDtype
pandas.core.arrays.numpy_ NumpyExtensionArray
pandas.core.arrays.period PeriodArray
pandas.core.arrays.sparse.accessor BaseAccessor SparseAccessor SparseFrameAccessor
pandas.core.arrays.sparse.array SparseArray
pandas.core.arrays.string_ BaseStringArray StringArray StringArrayNumpySemantics StringDtype
pandas.core.arrays.string_arrow ArrowStringArray ArrowStringArrayNumpySemantics
pandas.core.arrays.timedeltas TimedeltaArray
pandas.core.dtypes.base ExtensionDtype Registry StorageExtensionDtype
pandas.core.dtypes.dtypes ArrowDtype BaseMaskedDtype CategoricalDtype CategoricalDtypeType DatetimeTZDtype IntervalDtype NumpyEADtype PandasExtensionDtype PeriodDtype SparseDtype
pandas.core.flags Flags
pandas.core.frame DataFrame
pandas.core.indexes.base Index
pandas.core.indexes.category CategoricalIndex
pandas.core.indexes.datetimes DatetimeIndex
pandas.core.indexes.frozen FrozenList
pandas.core.indexes.interval IntervalIndex
pandas.core.indexes.multi MultiIndex MultiIndexPyIntEngine MultiIndexUInt16Engine MultiIndexUInt32Engine MultiIndexUInt64Engine MultiIndexUInt8Engine MultiIndexUIntEngine
pandas.core.indexes.period PeriodIndex
pandas.core.indexes.range RangeIndex
pandas.core.indexes.timedeltas TimedeltaIndex
pandas.core.internals.blocks Block DatetimeLikeBlock DatetimeTZBlock EABackedBlock ExtensionBlock NDArrayBackedExtensionBlock NumericBlock NumpyBlock ObjectBlock
pandas.core.internals.managers BaseBlockManager BlockManager SingleBlockManager
pandas.core.series Series
`;
